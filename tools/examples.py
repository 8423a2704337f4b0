"""What an example is: a percent-format script, its named cells, and the key of its execution."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path

import jupytext

from bertlesson.fingerprint import code_alone, imported_modules

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
PACKAGE = ROOT / "src" / "bertlesson"
CHECKPOINT = "tiny"  # the module that trains and keeps the lesson's own small BERT

# What an execution depends on beside the code; a new version of one of these runs everything anew.
VERSIONED = ("torch", "transformers", "tokenizers", "numpy", "matplotlib")
# The files that decide what is recorded and how it is drawn.
RECORDER = (ROOT / "tools" / "record.py", ROOT / "tools" / "matplotlibrc")


@dataclass(unsafe_hash=True)
class Problem(Exception):  # noqa: N818
    """Something that must not be published, and where it stands."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        path = self.path
        if path.is_absolute() and path.is_relative_to(ROOT):
            path = path.relative_to(ROOT)
        return f"{path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Cell:
    """One cell of an example. Its title, the text after ``# %%``, names a section for the pages."""

    kind: str  # "code" or "markdown"
    title: str
    tags: tuple[str, ...]
    line: int  # of the first line of its source, counted from 1
    source: str


@dataclass(frozen=True)
class Example:
    """One script in ``examples/``, as it was when it was read."""

    path: Path
    text: str
    cells: tuple[Cell, ...]
    versions: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def code(self) -> tuple[Cell, ...]:
        """The cells that are executed. What is recorded names a cell by its place here."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @cached_property
    def modules(self) -> frozenset[str]:
        """The modules of the package that it imports, directly or not."""
        return imported_modules(self.path, PACKAGE)

    @property
    def needs_checkpoint(self) -> bool:
        return CHECKPOINT in self.modules

    @cached_property
    def key(self) -> str:
        """Equal keys mean equal results: nothing that an execution depends on has changed."""
        parts = [self.name, *(cell.source for cell in self.code), *self.versions]
        parts += [path.read_text("utf-8") for path in RECORDER]
        return _digest(parts, self.modules)

    def section(self, title: str) -> Cell:
        """The code cell with this title; a `KeyError` that lists the titles if there is none."""
        for cell in self.code:
            if cell.title == title:
                return cell
        titles = ", ".join(f'"{cell.title}"' for cell in self.code if cell.title)
        raise KeyError(f'examples/{self.path.name} has no section "{title}"; it has {titles}')


def checkpoint_key() -> str:
    """Changes with the code of the checkpoint's training, so that it is made before it is used."""
    tiny = PACKAGE / f"{CHECKPOINT}.py"
    return _digest([], {CHECKPOINT, *imported_modules(tiny, PACKAGE)})


def _versions() -> tuple[str, ...]:
    return platform.python_version(), *(f"{name}=={version(name)}" for name in VERSIONED)


def _digest(parts: list[str], modules: Iterable[str]) -> str:
    paths = [PACKAGE / f"{name}.py" for name in sorted(modules)]
    code = [code_alone(path) for path in paths]
    return hashlib.sha256("\0".join([*parts, *code]).encode()).hexdigest()[:16]


def load_examples(folder: Path = EXAMPLES) -> tuple[dict[str, Example], list[Problem]]:
    """All examples by name, and what is wrong with those that cannot be read.

    There is none as long as a module of the package cannot be read.
    """
    examples: dict[str, Example] = {}
    problems: list[Problem] = []
    for path in sorted(PACKAGE.glob("*.py")):
        try:
            _compile(_read(path), path, 0)
        except Problem as problem:
            problems.append(problem)
    if problems:
        return {}, problems
    versions = _versions()  # read once: each is looked up in a file
    for path in sorted(folder.glob("*.py")):
        try:
            examples[path.stem] = parse(path, versions)
        except Problem as problem:
            problems.append(problem)
    return examples, problems


def parse(path: Path, versions: tuple[str, ...] | None = None) -> Example:
    """Split a percent-format script into its cells.

    Raises:
        Problem: it is not UTF-8 or not Python, does not start with a cell, has no cell of code or
            one that is not complete in itself, or two sections share a title.
    """
    text = _read(path)
    return Example(path, text, _cells(path, text), versions or _versions())


@lru_cache(maxsize=64)  # while serving, most examples are as they were
def _cells(path: Path, text: str) -> tuple[Cell, ...]:
    _compile(text, path, 0)
    lines = text.split("\n")
    markers = [number for number, line in enumerate(lines, 1) if line.startswith("# %%")]
    if not markers or "".join(lines[: markers[0] - 1]):
        raise Problem(path, 1, "an example starts with a cell: a line '# %% title'")
    found = jupytext.reads(text, fmt="py:percent").cells
    if len(found) != len(markers):
        raise Problem(
            path, markers[0], "each cell starts with a line '# %% title', spaces included"
        )

    cells: list[Cell] = []
    for marker, cell in zip(markers, found, strict=True):
        title = cell.metadata.get("title", "")
        if title and title in {other.title for other in cells}:
            message = f'a second section is called "{title}"; give it another name'
            raise Problem(path, marker, message)
        if cell.cell_type not in ("code", "markdown"):
            raise Problem(path, marker, f"a cell is code or [markdown], not [{cell.cell_type}]")
        tags = tuple(cell.metadata.get("tags", ()))
        blank = next((i for i, line in enumerate(lines[marker:]) if line.strip()), 0)
        source = cell.source.strip("\n")
        cells.append(Cell(cell.cell_type, title, tags, marker + 1 + blank, source))
        if cell.cell_type == "code":
            _compile(source, path, marker + blank)
    if not any(cell.kind == "code" for cell in cells):
        raise Problem(path, 1, "an example has at least one cell of code")
    return tuple(cells)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        line = 1 + path.read_bytes().count(b"\n", 0, error.start)
        raise Problem(path, line, "not UTF-8; save it in this encoding") from None


def _compile(source: str, path: Path, lines_before: int) -> None:
    try:
        compile(source, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        line = lines_before + (error.lineno or 1)
        raise Problem(path, line, f"not Python: {error.msg}") from None
