"""The package as a wheel: what the pages' scripts need where readers run them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.examples import PACKAGE, ROOT, Problem
from tools.runner import CACHE

PROJECT = ROOT / "pyproject.toml"


def wheel() -> Path:
    """The wheel of the package as it is now; built when something in it has changed.

    Raises:
        Problem: pip cannot build it.
    """
    sources = [PROJECT, ROOT / "README.md", *sorted(PACKAGE.glob("*.py")), PACKAGE / "py.typed"]
    digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
    kept = CACHE.parent / "wheel" / digest[:16]
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=kept.parent) as folder:
            shutil.move(_build(sources, Path(folder)), kept)
    (built,) = kept.glob("*.whl")
    return built


def _build(sources: list[Path], folder: Path) -> Path:
    """A folder with the wheel. It is built apart: setuptools leaves its work beside the sources."""
    for source in sources:
        copy = folder / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    only_this = ["--no-deps", "--no-index", "--no-build-isolation"]
    built = subprocess.run(
        [*pip, "wheel", "--quiet", *only_this, "--wheel-dir", "wheel", "."],
        cwd=folder,
        env=os.environ | {"SOURCE_DATE_EPOCH": "315532800"},  # 1980, where zip's time begins
        capture_output=True,
        text=True,
    )
    if built.returncode:
        raise Problem(PROJECT, 1, f"pip cannot build a wheel of it: {built.stderr.strip()}")
    return folder / "wheel"
