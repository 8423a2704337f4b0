"""The package as a wheel, which readers need to run the pages' scripts."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock

from tools.run.cells import ROOT, Problem
from tools.run.examples import PACKAGE
from tools.run.runner import CACHE

PROJECT = ROOT / "pyproject.toml"
LICENSE = ROOT / "LICENSE"
KEPT = CACHE.parent / "wheel"
# Without pip, which takes several times as long and may be missing.
# The wheel has the permissions of its files, which follow the umask of who checks out and builds.
BUILD = "import os; os.umask(0o022); from setuptools import build_meta as b; b.build_wheel('wheel')"


def build() -> Path:
    """The wheel of the package in its current state, rebuilt when something in it has changed.

    Raises:
        Problem: The wheel cannot be built.
    """
    words = [PROJECT, LICENSE, ROOT / "README.md"]
    sources = [*words, PACKAGE / "py.typed", *sorted(PACKAGE.rglob("*.py"))]
    named = (f"{source.relative_to(ROOT)}\0".encode() + source.read_bytes() for source in sources)
    kept = KEPT / hashlib.sha256(b"\0".join(named)).hexdigest()[:16]
    if not kept.exists():  # else the folder may be one that can only be read
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(KEPT.with_suffix(".lock")):
            if not kept.exists():
                _remove_old()
                KEPT.mkdir(exist_ok=True)
                with TemporaryDirectory(dir=KEPT) as folder:
                    _build(sources, Path(folder)).rename(kept)
    (built,) = kept.iterdir()
    return built


def _remove_old() -> None:
    """Remove the wheels of an hour ago; another build may be publishing a newer one."""
    for folder in KEPT.glob("*"):
        if folder.stat().st_mtime < time.time() - 3600:
            shutil.rmtree(folder, ignore_errors=True)


def _build(sources: list[Path], folder: Path) -> Path:
    """Build the wheel and return its folder.

    It is built from a copy, because setuptools leaves files next to the sources.
    """
    for source in sources:
        copy = folder / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        copy.chmod(0o644)
    built = subprocess.run(
        [sys.executable, "-c", BUILD],
        cwd=folder,
        env=os.environ | {"SOURCE_DATE_EPOCH": "315532800"},  # 1980, where zip's time begins
        capture_output=True,
        text=True,
    )
    if built.returncode:
        said = [f"exit code {built.returncode}", *built.stderr.strip().splitlines()][-1]
        message = f'setuptools cannot build the package: "{said}"; fix it, or run make install'
        raise Problem(PROJECT, 1, message)
    return folder / "wheel"
