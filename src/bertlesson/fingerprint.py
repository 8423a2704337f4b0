"""What a result depends on: the code of the modules that produced it.

Cached results (the checkpoint, an example's outputs) are stored under a key made from this code. A
changed line therefore leads to a new result, and a changed comment does not. Uses only the standard
library.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path


def imported_modules(path: Path, package: Path) -> frozenset[str]:
    """Names of the modules of ``package`` that the file at ``path`` imports, even indirectly.

    Args:
        path: A script, or a module of the package itself.
        package: The folder of the package.

    >>> sorted(imported_modules(Path(__file__).with_name("nsp.py"), Path(__file__).parent))
    []
    """
    found: set[str] = set()
    queue = [path]
    while queue:
        for name in _direct_imports(queue.pop(), package) - found:
            found.add(name)
            queue.append(package / f"{name}.py")
    return frozenset(found)


def code_alone(path: Path) -> str:
    """The code of a module without comments and docstrings, which cannot change a result."""
    return _code_alone(path.read_bytes())


def _direct_imports(path: Path, package: Path) -> set[str]:
    names = _imported_names(path.read_bytes(), package.name, path.parent == package)
    if f"{package.name}.*" in names:  # `__all__` may name any of them
        return {module.stem for module in package.glob("*.py")}
    parts = {name.split(".")[1] for name in names if "." in name}
    modules = {p for p in parts if (package / f"{p}.py").exists()}
    return modules | {"__init__"} if names else set()


# Cached, because a build reads the same few files again and again. The code is in bytes because a
# file may begin with a byte-order mark.
@lru_cache(maxsize=256)
def _imported_names(code: bytes, package: str, inside: bool) -> frozenset[str]:
    """The package and the names in it that the code imports; code inside it may use `.x`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names if a.name.split(".")[0] == package}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level and inside:  # from . import x, from .x import y
                module = f"{package}.{module}".rstrip(".")
            if module.split(".")[0] == package:
                names |= {module, *(f"{module}.{a.name}" for a in node.names)}
    return frozenset(names)


@lru_cache(maxsize=256)
def _code_alone(code: bytes) -> str:
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)
