"""What an example is: a percent-format script, its named cells, and the key of its execution."""

from __future__ import annotations

import ast
import hashlib
import platform
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import jupytext

from bertlesson.fingerprint import code_alone, imported_modules

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
PACKAGE = ROOT / "src" / "bertlesson"

# What an execution depends on beside the code; a new version of one of these runs everything anew.
VERSIONED = ("torch", "transformers", "tokenizers", "numpy", "matplotlib")
# The files that decide what is recorded and how it is drawn.
RECORDER = (ROOT / "tools" / "record.py", ROOT / "tools" / "matplotlibrc")


@dataclass(frozen=True)
class Problem(Exception):
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
    """One script in ``examples/``."""

    path: Path
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def modules(self) -> frozenset[str]:
        """The modules of the package that it imports, directly or not."""
        return imported_modules(self.path, PACKAGE)

    @property
    def needs_checkpoint(self) -> bool:
        return "tiny" in self.modules

    @cached_property
    def key(self) -> str:
        """Equal keys mean equal results: nothing that an execution depends on has changed."""
        parts = [self.path.read_text("utf-8"), platform.python_version()]
        parts += [f"{name}=={version(name)}" for name in VERSIONED]
        parts += [code_alone(PACKAGE / f"{name}.py") for name in sorted(self.modules)]
        parts += [path.read_text("utf-8") for path in RECORDER]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def section(self, title: str) -> Cell:
        """The code cell with this title; a `KeyError` that lists the titles if there is none."""
        for cell in self.cells:
            if cell.kind == "code" and cell.title == title:
                return cell
        titles = ", ".join(f'"{cell.title}"' for cell in self.cells if cell.title)
        raise KeyError(f'examples/{self.path.name} has no section "{title}"; it has {titles}')


def load_examples(folder: Path = EXAMPLES) -> tuple[dict[str, Example], list[Problem]]:
    """All examples by name, and what is wrong with those that cannot be read."""
    examples: dict[str, Example] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.py")):
        try:
            examples[path.stem] = parse(path)
        except Problem as problem:
            problems.append(problem)
    return examples, problems


def parse(path: Path) -> Example:
    """Split a percent-format script into its cells.

    Raises:
        Problem: it is not Python, does not start with a cell, or two sections share a title.
    """
    text = path.read_text("utf-8")
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise Problem(path, error.lineno or 1, f"not Python: {error.msg}") from None
    markers = [
        number for number, line in enumerate(text.splitlines(), 1) if line.startswith("# %%")
    ]
    if not markers or text.splitlines()[: markers[0] - 1]:
        raise Problem(path, 1, "an example starts with a cell: a line '# %% title'")

    cells, titles = [], set()
    for marker, cell in zip(markers, jupytext.reads(text, fmt="py:percent").cells, strict=True):
        title = cell.metadata.get("title", "")
        if title and title in titles:
            raise Problem(
                path, marker, f'a second section is called "{title}"; give it another name'
            )
        titles.add(title)
        tags = tuple(cell.metadata.get("tags", ()))
        lines = text.splitlines()[marker:]
        blank = next((i for i, line in enumerate(lines) if line.strip()), 0)
        source = cell.source.strip("\n")
        cells.append(Cell(cell.cell_type, title, tags, marker + 1 + blank, source))
    return Example(path, tuple(cells))
