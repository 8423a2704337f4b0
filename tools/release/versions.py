"""Run the package's quick tests with the oldest or the newest packages that pyproject.toml admits.

    python -m tools.release.versions                        what the Makefile's `versions` runs
    python -m tools.release.versions oldest --python 3.11   one of them
    python -m tools.release.versions site                   tests and site, all newest, unpinned

By hand and weekly: it takes the network, some gigabytes and ten minutes or more a line. On Linux,
UV_TORCH_BACKEND=cpu in the environment takes the smaller builds of torch. A Python is a version
that uv finds, or a path.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from argparse import ArgumentParser
from pathlib import Path

from tools.run.cells import ROOT

SUPPORTED = (("oldest", "3.11"), ("newest", "3.12"), ("newest", "3.13"))
RESOLUTION = {"oldest": "lowest-direct", "newest": "highest", "site": "highest"}
# What the package's tests import besides, and what runs them.
OF_TESTS = ("beautifulsoup4", "hypothesis", "pytest", "pytest-examples", "pytest-timeout",
            "pytest-xdist", "pyyaml", "scipy", "setuptools")  # fmt: skip
QUICK = "not (slow or lesson or browser or timing)"
SHOWN = ("numpy", "safetensors", "tokenizers", "torch", "tqdm", "transformers", "accelerate")


def main(arguments: list[str] | None = None) -> int:
    parser = ArgumentParser("python -m tools.release.versions")
    parser.add_argument("which", nargs="?", choices=RESOLUTION, help="default: all supported")
    parser.add_argument("--python", help="a version such as 3.13, or the path of an interpreter")
    given = parser.parse_args(arguments)
    chosen = [*SUPPORTED]
    if given.which:
        chosen = [(given.which, given.python or dict(SUPPORTED).get(given.which, "3.11"))]
    elif given.python:
        parser.error(f"--python: expected one of {', '.join(RESOLUTION)} before it; say which")
    failed = [pair for pair in chosen if not holds(*pair)]
    for which, python in chosen:
        word = "failed" if (which, python) in failed else "passed"
        print(f"{which} on Python {python}: {word}")
    return 1 if failed else 0


def holds(which: str, python: str) -> bool:
    """Install into a new folder, and run the tests there."""
    with tempfile.TemporaryDirectory() as folder:
        for command in commands(which, python, Path(folder)):
            if subprocess.run(command, cwd=ROOT, check=False).returncode:
                return False
    return True


def commands(which: str, python: str, folder: Path) -> list[list[str]]:
    """What is run: the environment, what the package requires, then the tests.

    Args:
        which: "oldest" or "newest" for the package alone, "site" for all.
        python: A version or the path of an interpreter.
        folder: Where the environment is made.
    """
    uv = str(Path(sys.executable).with_name("uv"))
    made = str(folder / "venv" / "bin" / "python")
    install = [uv, "pip", "install", "--quiet", "--python", made]
    show = f"import importlib.metadata as m; print(*(f'{{n}} {{m.version(n)}}' for n in {SHOWN}))"
    needed, tests = [*OF_TESTS], ["-m", QUICK, "tests/bertlesson"]
    build = []
    if which == "site":
        needed, tests = unpinned(), ["-m", QUICK]
        build = [[made, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder / "site")]]
    return [
        [uv, "venv", "--quiet", "--no-python-downloads", "--python", python, str(folder / "venv")],
        [*install, "--resolution", RESOLUTION[which], "-r", "pyproject.toml", "--extra", "lesson"],
        [*install, *needed],  # changes nothing that is there
        [*install, "--no-deps", "-e", "."],
        [made, "-c", show],
        [made, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "auto", *tests],
        *build,
    ]


def unpinned() -> list[str]:
    """What the site and the tests need, without the versions that pyproject.toml names."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    needs = [need for group in groups.values() for need in group]
    return sorted({re.split(r"[^\w.-]", need)[0] for need in needs})


if __name__ == "__main__":
    sys.exit(main())
