"""The package as a wheel."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project


@pytest.mark.slow
def test_the_wheel_follows_the_package_and_is_the_same_each_time(
    new_project: Callable[[], Project],
) -> None:
    project = new_project()
    module = project.write("src/bertlesson/__init__.py", "")

    def built(umask: int = 0o022) -> str:
        ended = subprocess.run(
            [sys.executable, "-c", "from tools.weave import wheel; print(wheel.build())"],
            cwd=project.folder,
            capture_output=True,
            text=True,
            umask=umask,
        )
        if ended.returncode:
            return ended.stderr.splitlines()[-1]
        return hashlib.sha256(Path(ended.stdout.strip()).read_bytes()).hexdigest()

    first = built()
    module.rename(module.with_name("other.py"))
    renamed = built()
    assert renamed != first
    module.with_name("other.py").rename(module)
    assert built() == first
    shutil.rmtree(project.folder / ".cache")
    module.chmod(0o600)  # as somebody has checked it out who lets nobody else read
    assert built(umask=0o077) == first
    (project.folder / "pyproject.toml").write_text("[project\n")
    assert "pyproject.toml:1: setuptools cannot build the package" in built()
