"""What an example is: its cells, and the key of its execution."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from bertlesson.lesson.fingerprint import (
    code_alone,
    imported_modules,
    modules_of,
    path_of,
    run_by_importing,
)
from tools.run.cells import ROOT, Cell, Problem, check_syntax, parse_cells, read_code
from tools.run.hidden_imports import hidden_imports
from tools.run.memo import memoized
from tools.run.reasons import digest

EXAMPLES = ROOT / "examples"
PACKAGE = ROOT / "src" / "bertlesson"
CHECKPOINT = "lesson.tiny"  # the module that trains and keeps the lesson's own small BERT

# What an execution depends on besides the code; a new version of one of these reruns everything.
TRAINED_WITH = ("torch", "transformers", "tokenizers", "numpy")
VERSIONED = (*TRAINED_WITH, "matplotlib")
# The files that decide what is recorded and how it is drawn.
RECORDER = (ROOT / "tools" / "run" / "record.py", ROOT / "tools" / "run" / "matplotlibrc")


@dataclass(frozen=True)
class Example:
    """One script in ``examples/``, as it was when it was read."""

    path: Path
    text: str
    cells: tuple[Cell, ...]
    versions: tuple[str, ...]
    around: str  # changes with everything else that its key is made from

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def code(self) -> tuple[Cell, ...]:
        """The cells that are executed. Records refer to a cell by its index here."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @cached_property
    def modules(self) -> frozenset[str]:
        """The modules of the package that it imports, even indirectly."""
        return _modules(self.path, self.text, self.around)

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of the tasks that must be done before it runs."""
        return (CHECKPOINT,) if CHECKPOINT in self.modules else ()

    @cached_property
    def key(self) -> str:
        """Equal keys mean equal results: nothing that the execution depends on has changed."""
        return _key(self.path, self.text, self.code, self.versions, self.around)

    @property
    def parts(self) -> dict[str, str]:
        """What the key is made from, by name: versions as they are, and digests of the rest."""
        parts = {}
        for number, cell in enumerate(self.code, 1):
            name = f'the cell "{cell.title}"' if cell.title else f"cell {number}"
            parts[name] = digest(cell.source)
        parts |= _code_parts(self.modules)
        if self.needs:
            parts["the small BERT"] = digest(checkpoint_key())
        parts |= _version_parts(self.versions)
        recorder = {f"tools/run/{path.name}": path.read_text("utf-8") for path in RECORDER}
        return parts | {name: digest(text) for name, text in recorder.items()}

    def section(self, title: str) -> Cell:
        """The code cell with this title.

        Raises:
            KeyError: There is none; the message lists the titles.
        """
        for cell in self.code:
            if cell.title == title:
                return cell
        titles = ", ".join(f'"{cell.title}"' for cell in self.code if cell.title)
        raise KeyError(f'examples/{self.path.name} has no section "{title}"; it has {titles}')


def checkpoint_key() -> str:
    """Changes with the code that trains the checkpoint, so that a stale one is never used."""
    return _checkpoint_key(_around())


@memoized(still=lambda around: around == _around())
def _checkpoint_key(around: str) -> str:
    return _digest([], _checkpoint_modules())


def checkpoint_parts() -> dict[str, str]:
    """The code and the versions that the checkpoint is made with, as `Example.parts`."""
    versions = _version_parts(_versions())
    made_with = {name: versions[name] for name in ("Python", *TRAINED_WITH)}
    return _code_parts(_checkpoint_modules()) | made_with


def _checkpoint_modules() -> set[str]:
    return {CHECKPOINT, *imported_modules(path_of(CHECKPOINT, PACKAGE), PACKAGE)}


def _code_parts(modules: Iterable[str]) -> dict[str, str]:
    paths = [path_of(name, PACKAGE) for name in sorted(modules)]
    return {path.relative_to(PACKAGE).as_posix(): digest(code_alone(path)) for path in paths}


def _version_parts(versions: tuple[str, ...]) -> dict[str, str]:
    named = zip(("Python", *VERSIONED), versions, strict=True)
    return {name: version.removeprefix(f"{name}==") for name, version in named}


def _versions() -> tuple[str, ...]:
    return platform.python_version(), *(f"{name}=={version(name)}" for name in VERSIONED)


def _unchanged(path: Path, text: str, *others: object) -> bool:
    """Whether the files still hold this text, and what the last argument is the digest of."""
    return read_code(path) == text and _around() == others[-1]


@memoized(still=_unchanged)
def _modules(path: Path, text: str, around: str) -> frozenset[str]:
    names = hidden_imports(text).names
    hidden = run_by_importing(names, PACKAGE) if names else set()
    found = [imported_modules(path_of(name, PACKAGE), PACKAGE) for name in hidden]
    return imported_modules(path, PACKAGE).union(hidden, *found)


@memoized(still=_unchanged)
def _key(
    path: Path, text: str, code: tuple[Cell, ...], versions: tuple[str, ...], around: str
) -> str:
    parts = [path.stem, *(cell.source for cell in code), *versions]
    parts += [recorder.read_text("utf-8") for recorder in RECORDER]
    return _digest(parts, _modules(path, text, around))


def _digest(parts: list[str], modules: Iterable[str]) -> str:
    code = [code_alone(path_of(name, PACKAGE)) for name in sorted(modules)]
    return hashlib.sha256("\0".join([*parts, *code]).encode()).hexdigest()[:16]


def _around() -> str:
    paths = [*RECORDER, *modules_of(PACKAGE).values()]
    read = (part for path in paths for part in (str(path).encode(), path.read_bytes()))
    return hashlib.sha256(b"\0".join(read)).hexdigest()


def load_examples(folder: Path = EXAMPLES) -> tuple[dict[str, Example], list[Problem]]:
    """All examples by name, and what is wrong with those that cannot be read.

    If a module of the package cannot be read, no examples are returned.
    """
    examples: dict[str, Example] = {}
    problems: list[Problem] = []
    for path in modules_of(PACKAGE).values():
        try:
            _check_module(path)
        except Problem as problem:
            problems.append(problem)
    if problems:
        return {}, problems
    made_with = _versions(), _around()  # read once: each is looked up in files
    for path in sorted(folder.glob("*.py")):
        try:
            examples[path.stem] = parse(path, made_with)
        except Problem as problem:
            problems.append(problem)
    return examples, problems


def _check_module(path: Path) -> None:
    """Check that a module is valid Python and imports the package only by import statements."""
    _check_code(path, read_code(path))


@memoized()
def _check_code(path: Path, code: str) -> None:
    check_syntax(code, path, 0)
    hidden = hidden_imports(code)
    for line, why in hidden.unseen:
        raise Problem(path, line, why)
    for name, line in hidden.names.items():
        if name.partition(".")[0] == PACKAGE.name:
            message = f"imports {name} without an import statement: write one"
            raise Problem(path, line, message)


def parse(path: Path, made_with: tuple[tuple[str, ...], str] | None = None) -> Example:
    """Split a percent-format script into its cells.

    Raises:
        Problem: it is not UTF-8 or not Python, does not start with a cell, has no code cell or an
            incomplete one, has code in a Markdown cell, has tags that are not a list of strings,
            has two sections with one title, or imports modules that only running it would reveal.
    """
    text = read_code(path)
    return Example(path, text, parse_cells(path, text), *(made_with or (_versions(), _around())))
