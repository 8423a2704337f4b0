"""Says what is in the package, with which versions, and where the lesson's small BERT is.

python -m bertlesson              the modules, a line each; versions; the checkpoint
python -m bertlesson train        trains the small BERT, unless it is there already
"""

from __future__ import annotations

import ast
import platform
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).parent
NAME = PACKAGE.name
EXTRA = f'pip install "{NAME}[lesson]"'
LESSON_ALONE = ("filelock", "platformdirs")  # which bertlesson.lesson.tiny imports, besides


def main(arguments: list[str] | None = None) -> int:
    """Say what is there, or train.

    Args:
        arguments: Those of the command line; None for the process's own.

    Returns:
        The exit status: 0, or 1 if training needs packages that are not installed. What is neither
        a command nor an option ends the process with status 2, as `argparse` does.
    """
    parser = ArgumentParser(f"python -m {NAME}", description=_first_line(PACKAGE / "__init__.py"))
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("train", help="train the lesson's small BERT, unless it is there already")
    if parser.parse_args(arguments).command == "train":
        return _train()
    _show()
    return 0


def _show() -> None:
    print(f"{NAME} {_version_of(NAME)}. {_first_line(PACKAGE / '__init__.py')}")
    for folder, name in (PACKAGE, NAME), (PACKAGE / "lesson", f"{NAME}.lesson"):
        print(f"\nModules of {name}:\n")
        for line in _listed(folder):
            print(line)
    found = ", ".join(f"{name} {_version_of(name)}" for name in _required())
    print(f"\nPython {platform.python_version()}, {found}")
    sys.stdout.flush()  # what follows imports torch, which takes seconds
    print(_checkpoint())


def _listed(folder: Path) -> Iterator[str]:
    """The modules in a folder with the first line of their docstrings, read and not imported."""
    paths = [path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("__")]
    width = max(len(path.stem) for path in paths)
    for path in paths:
        yield f"  {path.stem:{width}}  {_first_line(path)}"


def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    return docstring.partition("\n")[0]


def _required() -> list[str]:
    """What the package needs without its extra; none for a copied folder without metadata."""
    try:
        needs = requires(NAME) or []
    except PackageNotFoundError:
        return []
    return [re.split(r"[^\w.-]", need)[0] for need in needs if "extra ==" not in need]


def _version_of(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _missing() -> str:
    return " and ".join(name for name in LESSON_ALONE if find_spec(name) is None)


def _checkpoint() -> str:
    """Where the small BERT is, or would be."""
    if missing := _missing():
        return f"The lesson's small BERT needs {missing}, not installed: {EXTRA}"
    from .lesson import tiny

    folder = _folder(tiny)
    if folder.is_dir():
        return f"The lesson's small BERT is in {folder}"
    return (
        f"The lesson's small BERT is not trained yet: python -m {NAME} train does it in a few "
        f"minutes and writes {folder}"
    )


def _folder(tiny: ModuleType) -> Path:
    return Path(tiny.cache_folder() / f"tiny-{tiny.key(tiny.Settings())}")


def _train() -> int:
    if missing := _missing():
        print(f"training needs {missing}, not installed: {EXTRA}", file=sys.stderr)
        return 1
    from .lesson import tiny

    there = _folder(tiny).is_dir()
    try:
        made = tiny.load()
    except OSError as error:
        advice = "expected a folder that can be written to; name one in BERTLESSON_CACHE"
        print(f"{error}: {advice}", file=sys.stderr)
        return 1
    last = ", ".join(f"{name} {values[-1]:.3f}" for name, values in made.history.items() if values)
    print(f"{'Trained before' if there else 'Trained'}, into {made.folder}")
    print(f"{made.run.seconds:.0f} s, {made.run.threads} threads; at the last step {last}")
    if there:
        print("To train it again, name another folder in the environment variable BERTLESSON_CACHE")
    return 0


if __name__ == "__main__":
    sys.exit(main())
