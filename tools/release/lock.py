"""Write the pinned packages with the hashes of all their files: requirements.txt and two more.

    python -m tools.release.lock        reads requirements.in; asks the package registry

One version has several hashes: a file for each platform, and for torch two builds of one platform.
`requirements-cpu.txt` has its build for the CPU alone, since pip prefers the registry's if it may
choose. What that one needs besides on Linux, several gigabytes, is in `requirements-cuda.txt`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tools.run.cells import ROOT
from tools.run.files import write_at_once

PYTHON = "3.11.5"  # the oldest that the pinned pymdown-extensions takes
CUDA = re.compile(r"(nvidia|cuda|triton)\b")
# The builds for the CPU, which PyTorch publishes itself (download.pytorch.org/whl/cpu)
# and calls 2.13.0+cpu: for Python 3.11 on x86-64.
BESIDE = {"torch==2.13.0": ("6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",)}
HEAD = "# Written by `make lock` from requirements.in.\n"
HASH = " \\\n    --hash=sha256:"


def main() -> int:
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--python-version", PYTHON, "requirements.in"]
    command[0] = str(Path(sys.executable).with_name("uv"))
    command += ["--no-python-downloads"]
    made = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        return made.returncode
    plain, cuda = split(made.stdout)
    pinned = set(pins((ROOT / "requirements.in").read_text("utf-8")))
    write_at_once(ROOT / "requirements.txt", HEAD + "".join(with_hashes(plain)))
    write_at_once(ROOT / "requirements-cuda.txt", HEAD + "".join(with_hashes(cuda)))
    write_at_once(ROOT / "requirements-cpu.txt", HEAD + "".join(with_hashes(BESIDE)))
    for added in sorted({name(entry) for entry in plain} - {name(pin) for pin in pinned}):
        print(f"{added}: needed on another platform or Python, and not pinned in requirements.in")
    return 0


def split(compiled: str) -> tuple[list[str], list[str]]:
    """The entries of all platforms, and those that only torch with CUDA needs."""
    entries = re.findall(r"^\S.*(?:\n .*)*\n", compiled, re.MULTILINE)
    plain = [entry for entry in entries if not CUDA.match(entry)]
    return plain, [entry for entry in entries if CUDA.match(entry)]


def with_hashes(entries: Iterable[str]) -> Iterable[str]:
    """The entries with the hashes of files that are published elsewhere."""
    for entry in entries:
        more = BESIDE.get(entry.split()[0], ())
        yield entry.removesuffix("\n") + "".join(f"{HASH}{digest}" for digest in more) + "\n"


def pins(text: str) -> list[str]:
    """The lines ``name==version`` of a file of requirements."""
    return re.findall(r"^[\w.-]+==[^\s;]+", text, re.MULTILINE)


def name(entry: str) -> str:
    """The name in an entry, in the one spelling that packaging.python.org calls normalized."""
    return re.sub(r"[-_.]+", "-", entry.partition("==")[0]).lower()


if __name__ == "__main__":
    sys.exit(main())
