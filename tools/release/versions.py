"""Run the package's quick tests with the oldest or the newest packages that pyproject.toml admits.

    python -m tools.release.versions                        what the Makefile's `versions` runs
    python -m tools.release.versions oldest --python 3.11   one of them

By hand and weekly: it takes the network, some gigabytes and ten minutes or more a line. On Linux,
UV_TORCH_BACKEND=cpu in the environment takes the smaller builds of torch. A Python is a version
that uv finds, or a path.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from tools.run.cells import ROOT

SUPPORTED = (("oldest", "3.11"), ("newest", "3.12"), ("newest", "3.13"))
RESOLUTION = {"oldest": "lowest-direct", "newest": "highest"}
# What the tests import besides, and what runs them; pinned, as everywhere else.
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
        chosen = [(given.which, given.python or dict(SUPPORTED)[given.which])]
    elif given.python:
        parser.error("--python: expected oldest or newest before it; say which")
    failed = [pair for pair in chosen if not holds(*pair)]
    for which, python in chosen:
        word = "failed" if (which, python) in failed else "passed"
        print(f"{which} on Python {python}: {word}")
    return 1 if failed else 0


def holds(which: str, python: str) -> bool:
    """Install into a new folder, and run the tests there."""
    with tempfile.TemporaryDirectory() as folder:
        for command in commands(which, python, Path(folder)):
            environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
            if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
                return False
    return True


def commands(which: str, python: str, folder: Path) -> list[list[str]]:
    """What is run: the environment, what the package requires, then the tests.

    Args:
        which: "oldest" or "newest".
        python: A version or the path of an interpreter.
        folder: Where the environment is made.
    """
    uv = str(Path(sys.executable).with_name("uv"))
    made = str(folder / "venv" / "bin" / "python")
    install = [uv, "pip", "install", "--quiet", "--python", made]
    show = f"import importlib.metadata as m; print(*(f'{{n}} {{m.version(n)}}' for n in {SHOWN}))"
    return [
        [uv, "venv", "--quiet", "--no-python-downloads", "--python", python, str(folder / "venv")],
        [*install, "--resolution", RESOLUTION[which], "-r", "pyproject.toml", "--extra", "lesson"],
        [*install, *OF_TESTS],  # changes nothing that is there
        [made, "-c", show],
        [made, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", QUICK, "-n", "auto",
         "tests/bertlesson"],
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
