"""What one copies and imports needs neither the lesson's modules nor their requirements."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import bertlesson
from bertlesson.lesson.fingerprint import imported_modules, modules_of, path_of

PACKAGE = Path(bertlesson.__file__).parent
# `python -m bertlesson` may use the lesson, and says so where what that requires is missing.
UPPER = [name for name in modules_of(PACKAGE) if not name.startswith(("lesson.", "__main__"))]
# Besides the standard library.
ALLOWED = {"numpy", "safetensors", "tokenizers", "torch", "tqdm", "transformers"}
# What the lesson needs besides. Of these, filelock cannot be blocked: transformers imports it too.
BLOCKED = ("bertlesson.lesson", "matplotlib", "platformdirs")


def first_parts(path: Path) -> set[str]:
    """The packages that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found


@pytest.mark.parametrize("name", UPPER)
def test_a_module_names_only_what_the_package_requires(name: str) -> None:
    path = path_of(name, PACKAGE)
    assert first_parts(path) - sys.stdlib_module_names <= ALLOWED
    assert imported_modules(path, PACKAGE) <= set(UPPER)


@pytest.mark.slow
def test_the_upper_storey_can_be_imported_without_what_the_lesson_needs() -> None:
    code = f"import importlib, sys\nsys.modules.update(dict.fromkeys({BLOCKED}))\n"
    code += "".join(
        f"importlib.import_module({f'bertlesson.{name}'.removesuffix('.__init__')!r})\n"
        for name in UPPER
    )
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", code], env=os.environ | path, capture_output=True)
    assert run.returncode == 0, run.stderr.decode()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import matplotlib.pyplot as plt", {"matplotlib"}),
        ("def f():\n    from filelock import FileLock", {"filelock"}),
        ("from .nsp import x\nfrom . import y", set()),
    ],
)
def test_imports_are_found_anywhere_in_a_module(tmp_path: Path, code: str, found: set[str]) -> None:
    (tmp_path / "module.py").write_text(code)
    assert first_parts(tmp_path / "module.py") == found
