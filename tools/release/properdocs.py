"""Build the site with ProperDocs, the maintained continuation of MkDocs 1, and compare the files.

    python -m tools.release.properdocs      weekly and by hand; asks the package registry

It reads mkdocs.yml, and its plugins, themes and hooks import mkdocs: ProperDocs puts itself in that
place. Its newest version is used, with the pinned versions of all else.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.release.twice import build, commit_time, differences, files
from tools.run.cells import ROOT

GENERATOR = re.compile(rb'(<meta name="generator" content="mkdocs-)[^,"]*')  # Material's line


def main() -> int:
    with TemporaryDirectory() as folder:
        packages, with_mkdocs, out = (
            Path(folder) / n for n in ("packages", "mkdocs", "properdocs")
        )
        if code := install(packages):
            return code
        build(with_mkdocs)
        environment = {"SOURCE_DATE_EPOCH": commit_time()} | os.environ
        environment["PYTHONPATH"] = str(packages)
        if code := subprocess.run(command(out), cwd=ROOT, env=environment, check=False).returncode:
            print("ProperDocs does not build the site; mkdocs does", file=sys.stderr)
            return code
        for site in with_mkdocs, out:
            without_generator(site)
        differing = [*differences(with_mkdocs, out)]
        number = len(files(out))
    for line in differing:
        print(line, file=sys.stderr)
    print(f"{number} files, {len(differing)} differ from those of mkdocs")
    return 1 if differing else 0


def install(folder: Path) -> int:
    """Install the newest ProperDocs into a folder; returns pip's exit code."""
    uv = str(Path(sys.executable).with_name("uv"))
    into = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder)]
    pinned = ["--constraint", "requirements.in", "properdocs"]
    return subprocess.run([*into, *pinned], cwd=ROOT, check=False).returncode


def command(out: Path) -> list[str]:
    # not --quiet, under which no warning is counted, so that --strict fails for none
    return [sys.executable, "-m", "properdocs", "build", "--strict", "-d", str(out)]


def without_generator(site: Path) -> None:
    """Take away what the pages say they are made with."""
    for page in site.rglob("*.html"):
        page.write_bytes(GENERATOR.sub(rb"\1", page.read_bytes()))


if __name__ == "__main__":
    sys.exit(main())
