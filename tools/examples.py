"""What an example is: a percent-format script, its named cells, and the key of its execution."""

from __future__ import annotations

import ast
import hashlib
import platform
import re
from codecs import BOM_UTF8, lookup
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from io import BytesIO, StringIO
from itertools import pairwise
from pathlib import Path
from tokenize import COMMENT, detect_encoding, generate_tokens

from bertlesson.lesson.fingerprint import (
    code_alone,
    imported_modules,
    modules_of,
    path_of,
    run_by_importing,
)
from tools.hidden_imports import hidden_imports

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
PACKAGE = ROOT / "src" / "bertlesson"
CHECKPOINT = "lesson.tiny"  # the module that trains and keeps the lesson's own small BERT

# What an execution depends on besides the code; a new version of one of these reruns everything.
VERSIONED = ("torch", "transformers", "tokenizers", "numpy", "matplotlib")
# The files that decide what is recorded and how it is drawn.
RECORDER = (ROOT / "tools" / "record.py", ROOT / "tools" / "matplotlibrc")

MARKER = re.compile(r"# %%( |$)")
MEANT_AS_MARKER = re.compile(r"#\s*%%")  # what editors treat as one
CELL_TYPE = re.compile(r"^\[(?:markdown|md|raw)\]|\[(?:markdown|md|raw)\]$")


@dataclass(unsafe_hash=True)
class Problem(Exception):  # noqa: N818
    """Something that must not be published, and where it is."""

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
    """One cell of an example. Pages embed it by its title, the text after ``# %%``."""

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
        """The cells that are executed. Records refer to a cell by its index here."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @cached_property
    def modules(self) -> frozenset[str]:
        """The modules of the package that it imports, even indirectly."""
        hidden = run_by_importing(hidden_imports(self.text).names, PACKAGE)
        found = [imported_modules(path_of(name, PACKAGE), PACKAGE) for name in hidden]
        return imported_modules(self.path, PACKAGE).union(hidden, *found)

    @property
    def needs_checkpoint(self) -> bool:
        return CHECKPOINT in self.modules

    @cached_property
    def key(self) -> str:
        """Equal keys mean equal results: nothing that the execution depends on has changed."""
        parts = [self.name, *(cell.source for cell in self.code), *self.versions]
        parts += [path.read_text("utf-8") for path in RECORDER]
        return _digest(parts, self.modules)

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
    tiny = path_of(CHECKPOINT, PACKAGE)
    return _digest([], {CHECKPOINT, *imported_modules(tiny, PACKAGE)})


def _versions() -> tuple[str, ...]:
    return platform.python_version(), *(f"{name}=={version(name)}" for name in VERSIONED)


def _digest(parts: list[str], modules: Iterable[str]) -> str:
    code = [code_alone(path_of(name, PACKAGE)) for name in sorted(modules)]
    return hashlib.sha256("\0".join([*parts, *code]).encode()).hexdigest()[:16]


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
    versions = _versions()  # read once: each is looked up in a file
    for path in sorted(folder.glob("*.py")):
        try:
            examples[path.stem] = parse(path, versions)
        except Problem as problem:
            problems.append(problem)
    return examples, problems


def _check_module(path: Path) -> None:
    """Check that a module is valid Python and imports the package only by import statements."""
    code = _read(path)
    _compile(code, path, 0)
    hidden = hidden_imports(code)
    for line, why in hidden.unseen:
        raise Problem(path, line, why)
    for name, line in hidden.names.items():
        if name.partition(".")[0] == PACKAGE.name:
            message = f"imports {name} without an import statement: write one"
            raise Problem(path, line, message)


def parse(path: Path, versions: tuple[str, ...] | None = None) -> Example:
    """Split a percent-format script into its cells.

    Raises:
        Problem: it is not UTF-8 or not Python, does not start with a cell, has no code cell or an
            incomplete one, has code in a Markdown cell, has tags that are not a list of strings,
            has two sections with one title, or imports modules that only running it would reveal.
    """
    text = _read(path)
    return Example(path, text, _cells(path, text), versions or _versions())


@lru_cache(maxsize=64)  # while serving, most examples stay the same
def _cells(path: Path, text: str) -> tuple[Cell, ...]:
    _compile(text, path, 0)
    lines = text.split("\n")
    markers = list(_markers(path, text))
    if not markers or "".join(lines[: markers[0] - 1]).strip():
        raise Problem(path, 1, "an example starts with a cell: a line '# %% title'")

    cells: list[Cell] = []
    for marker, end in pairwise([*markers, len(lines) + 1]):
        kind, title, tags = _heading(lines[marker - 1], path, marker)
        if title and title in {other.title for other in cells}:
            message = f'a second section is called "{title}"; give it another name'
            raise Problem(path, marker, message)
        first, body = marker + 1, lines[marker : end - 1]
        filled = [number for number, line in enumerate(body) if line.strip()]
        if filled:
            first, body = first + filled[0], body[filled[0] : filled[-1] + 1]
        source = "\n".join(body) if filled else ""
        if kind == "markdown":
            words = (_words(line, path, number) for number, line in enumerate(body, first))
            source = "\n".join(words).strip("\n")
        else:
            _compile(source, path, first - 1)
        cells.append(Cell(kind, title, tags, first, source))
    if not any(cell.kind == "code" for cell in cells):
        raise Problem(path, 1, "an example has at least one code cell")
    for line, why in hidden_imports(text).unseen:
        raise Problem(path, line, why)
    return tuple(cells)


def _markers(path: Path, text: str) -> Iterator[int]:
    """The lines that start a cell. Only real comments count, not text inside a string."""
    for token in generate_tokens(StringIO(text).readline):
        row, column = token.start
        # After a form feed, some editors treat it as the start of a cell and others do not.
        if token.type != COMMENT or token.line[:column].strip("\f"):
            continue
        if MEANT_AS_MARKER.match(token.string):
            if column or not MARKER.match(token.string):
                message = "each cell starts with a line '# %% title', spaces included"
                raise Problem(path, row, message)
            yield row


def _heading(line: str, path: Path, number: int) -> tuple[str, str, tuple[str, ...]]:
    """The kind, the title and the tags in the first line of a cell."""
    title, given, written = line.removeprefix("# %%").partition(" tags=")
    title = title.strip()
    tags = _tags(written) if given else ()
    if tags is None:
        message = f'tags are a list of strings at the end, as in tags=["hide-input"]: {written!r}'
        raise Problem(path, number, message)
    if title == "[markdown]":
        return "markdown", "", tags
    if kind := CELL_TYPE.search(title):
        message = f"a cell is code or [markdown], not {kind[0]}"
        if kind[0] == "[markdown]":
            message = "'# %% [markdown]' must be alone on its line: a Markdown cell has no title"
        raise Problem(path, number, message)
    return "code", title, tags


def _tags(written: str) -> tuple[str, ...] | None:
    """The strings of a list written in Python syntax; None if it is anything else."""
    try:
        tags = ast.literal_eval(written.strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    fits = isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
    return tuple(tags) if fits else None


def _words(line: str, path: Path, number: int) -> str:
    """A line of a Markdown cell, without the leading comment mark."""
    if line.strip() in ("", "#"):
        return ""
    if not line.startswith("# "):
        message = "in a [markdown] cell each line must be a comment that starts with '# '"
        raise Problem(path, number, message)
    return line.removeprefix("# ")


def _read(path: Path) -> str:
    """The text as Python reads it: without a byte-order mark, with lines ending in newlines."""
    written = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    code = written.removeprefix(BOM_UTF8)
    try:
        text = code.decode("utf-8")
    except UnicodeDecodeError as error:
        line = 1 + code.count(b"\n", 0, error.start)
        raise Problem(path, line, "not UTF-8; save it in that encoding") from None
    try:
        encoding, read = detect_encoding(BytesIO(written).readline)
    except SyntaxError as error:
        raise Problem(path, 1, f"not Python: {error.msg}") from None
    if lookup(encoding).name not in ("utf-8", "utf-8-sig"):
        message = f"declares the encoding {encoding}; save it as UTF-8 and remove the declaration"
        raise Problem(path, len(read), message)
    return text


def _compile(source: str, path: Path, lines_before: int) -> None:
    if "\0" in source:  # for this the compiler names no line
        line = lines_before + 1 + source.count("\n", 0, source.index("\0"))
        raise Problem(path, line, "not Python: a null byte")
    try:
        compile(source, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        line = lines_before + (error.lineno or 1)
        raise Problem(path, line, f"not Python: {error.msg}") from None
