"""What a result depends on: the code of the modules that produced it.

Cached results (the checkpoint, an example's outputs) are stored under a key made from this code. A
changed line therefore leads to a new result, and a changed comment does not. Uses only the standard
library.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Set
from functools import lru_cache
from pathlib import Path

__all__ = ["code_alone", "imported_modules", "modules_of", "path_of", "run_by_importing"]


def imported_modules(path: Path, package: Path) -> frozenset[str]:
    """Names of the modules of ``package`` that the file at ``path`` imports, even indirectly.

    Args:
        path: A script, or a module of the package itself.
        package: The folder of the package.

    Returns:
        Names within the package, such as ``"nsp"`` and ``"lesson.corpus"``. Importing a module runs
        the ``__init__`` of each package around it, so these are among the names.

    >>> package = Path(__file__).parent.parent
    >>> sorted(imported_modules(package / "nsp.py", package))
    ['__init__', 'segments']
    """
    modules = modules_of(package)
    found: set[str] = set()
    queue = [path]
    while queue:
        here = queue.pop()
        inside = here.is_relative_to(package)
        home = (package.name, *here.parent.relative_to(package).parts) if inside else ()
        names = _imported_names(here.read_bytes(), package.name, home)
        run = _run_by_importing(names, package.name, modules.keys()) - found
        found |= run
        queue += [modules[name] for name in run]
    return frozenset(found)


def run_by_importing(names: Iterable[str], package: Path) -> set[str]:
    """The modules of a package that an import of these names runs by itself.

    Args:
        names: Modules and names in them, such as ``"bertlesson.nsp.create_pairs"``; those of other
            packages are skipped.
        package: The folder of the package.

    >>> package = Path(__file__).parent.parent
    >>> sorted(run_by_importing(["bertlesson.lesson.corpus.Document", "torch"], package))
    ['__init__', 'lesson.__init__', 'lesson.corpus']
    """
    return _run_by_importing(names, package.name, modules_of(package).keys())


def path_of(name: str, package: Path) -> Path:
    """The file of a module, given its name within the package.

    >>> path_of("lesson.corpus", Path("src/bertlesson")).as_posix()
    'src/bertlesson/lesson/corpus.py'
    """
    return package.joinpath(*name.split(".")).with_suffix(".py")


def modules_of(package: Path) -> dict[str, Path]:
    """All modules of a package and of the packages in it, by their names within it."""
    paths = sorted(package.rglob("*.py"))
    return {".".join(path.relative_to(package).with_suffix("").parts): path for path in paths}


def code_alone(path: Path) -> str:
    """The code of a module without comments and docstrings, which cannot change a result."""
    return _code_alone(path.read_bytes())


def _run_by_importing(names: Iterable[str], package: str, modules: Set[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        first, *parts = name.split(".")
        if first != package:
            continue
        found.add("__init__")
        within = ""  # the packages around this part
        for part in parts:
            if part == "*":  # `__all__` may name any of them
                found |= {each for each in modules if each.startswith(within)}
            found |= {f"{within}{part}", f"{within}{part}.__init__"}
            within += f"{part}."
    return found & modules


# Cached, because a build reads the same few files again and again. The code is in bytes because a
# file may begin with a byte-order mark.
@lru_cache(maxsize=256)
def _imported_names(code: bytes, package: str, home: tuple[str, ...]) -> frozenset[str]:
    """The package and the names in it that the code imports.

    Args:
        code: The code of a module or a script.
        package: The name of the package.
        home: The parts of the package that the code is in, which its relative imports start from.
            Empty for a script.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names if a.name.split(".")[0] == package}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level and home:  # from . import x, from ..x import y
                around = home[: len(home) - node.level + 1]
                module = ".".join([*around, *filter(None, [module])])
            elif node.level:  # relative in a script: not of this package
                continue
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
