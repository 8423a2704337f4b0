"""The cells of an example: a Python script in the percent format that editors and Jupytext read."""

from __future__ import annotations

import ast
import re
from codecs import BOM_UTF8, lookup
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO, StringIO
from itertools import pairwise
from pathlib import Path
from tokenize import COMMENT, detect_encoding, generate_tokens
from typing import Literal

from tools.run.hidden_imports import hidden_imports
from tools.run.memo import memoized

ROOT = Path(__file__).resolve().parents[2]

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

    kind: Literal["code", "markdown"]
    title: str
    tags: tuple[str, ...]
    line: int  # of the first line of its source, counted from 1
    source: str


@memoized()
def parse_cells(path: Path, text: str) -> tuple[Cell, ...]:
    check_syntax(text, path, 0)
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
            check_syntax(source, path, first - 1)
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


def _heading(
    line: str, path: Path, number: int
) -> tuple[Literal["code", "markdown"], str, tuple[str, ...]]:
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


def read_code(path: Path) -> str:
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


@lru_cache(maxsize=4096)  # while serving, nearly all code is what it was; an error is never kept
def check_syntax(source: str, path: Path, lines_before: int) -> None:
    if "\0" in source:  # for this the compiler names no line
        line = lines_before + 1 + source.count("\n", 0, source.index("\0"))
        raise Problem(path, line, "not Python: a null byte")
    try:
        compile(source, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        line = lines_before + (error.lineno or 1)
        raise Problem(path, line, f"not Python: {error.msg}") from None
