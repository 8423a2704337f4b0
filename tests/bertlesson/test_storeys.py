"""What one copies and imports needs neither the lesson's modules nor their requirements."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bertlesson
from bertlesson.lesson.fingerprint import imported_modules, modules_of

PACKAGE = Path(bertlesson.__file__).parent
UPPER = [name for name in modules_of(PACKAGE) if not name.startswith("lesson.")]
ALLOWED = {"numpy", "tokenizers", "torch", "tqdm", "transformers"}  # besides the standard library
BLOCKED = ["bertlesson.lesson", "matplotlib", "filelock", "platformdirs"]

# libraries may try to import what is blocked, and do without; the package may not even try
IMPORT_ALONE = """
import importlib, sys
from importlib.abc import MetaPathFinder

class Refuse(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        caller = sys._getframe(1)
        while caller and "importlib" in caller.f_code.co_filename:
            caller = caller.f_back
        asked_by = caller.f_globals.get("__name__", "") if caller else ""
        if name.startswith(tuple(BLOCKED)) and asked_by.startswith("bertlesson"):
            raise ImportError(f"{asked_by} imports {name}")

sys.meta_path.insert(0, Refuse())
for name in NAMES:
    importlib.import_module(f"bertlesson.{name}".removesuffix(".__init__"))
"""


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
    path = modules_of(PACKAGE)[name]
    assert first_parts(path) - sys.stdlib_module_names <= ALLOWED
    assert imported_modules(path, PACKAGE) <= set(UPPER)
