"""What an execution has recorded, from the child process to the page.

`record.py` writes a result as JSON. `Result.from_json` is the only reader of that format, and every
other module works with these classes.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

# What JSON can hold: the values that an example measured.
Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
T = TypeVar("T")


class Place(NamedTuple):
    """A line of an example: a row of one of its code cells, both counted from 0."""

    cell: int
    row: int


@dataclass(frozen=True)
class Text:
    """What a cell printed."""

    text: str


@dataclass(frozen=True)
class Figure:
    """A figure that a cell left open, with its text alternative."""

    svg: str
    alt: str


Output: TypeAlias = Text | Figure


@dataclass(frozen=True)
class Claim:
    """An assert with a sentence.

    Attributes:
        cell: The code cell that states it.
        row: Its line in the cell, counted from 0.
        sentence: What is claimed.
        passed: Whether it holds.
        sources: The code of each operand.
        signs: The comparisons between them, such as "≥"; none if the claim is not a comparison.
        values: The measured value of each operand.
    """

    cell: int
    row: int
    sentence: str
    passed: bool
    sources: tuple[str, ...]
    signs: tuple[str, ...]
    values: tuple[Plain, ...]

    @property
    def comparison(self) -> str:
        """The comparison with its measured values, as in "kept - never_kept = 0.31 > 0.2"."""
        shown = show_values(self.values)
        parts = []
        for index, (source, value) in enumerate(zip(self.sources, shown, strict=True)):
            if index:
                parts.append(self.signs[index - 1])
            parts.append(source if is_literal(source) else f"{source} = {value}")
        return " ".join(parts)


@dataclass(frozen=True)
class Failure:
    """Why an execution ended early.

    Attributes:
        cell: The code cell that was being executed.
        place: The line that failed, perhaps in a function of an earlier cell.
        message: Python's error message, or what happened to the process.
        traceback: Python's traceback, or the last lines of standard error.
    """

    cell: int
    place: Place
    message: str
    traceback: str


@dataclass(frozen=True)
class Result:
    """What an execution has left.

    Attributes:
        outputs: For each code cell that was executed, what it showed.
        claims: In the order in which they were evaluated.
        values: The example's dict ``values``.
        failure: Why it ended early; None if it did not.
        files: The names of the files that it left in its folder.
    """

    outputs: tuple[tuple[Output, ...], ...] = ()
    claims: tuple[Claim, ...] = ()
    values: dict[str, Plain] = field(default_factory=dict)
    failure: Failure | None = None
    files: tuple[str, ...] = ()

    @classmethod
    def failed(cls, message: str, traceback: str = "", cell: int = 0, row: int = 0) -> Result:
        """The result of an execution that recorded nothing but why it ended."""
        return cls(failure=Failure(cell, Place(cell, row), message, traceback))

    @classmethod
    def from_json(cls, text: str) -> Result:
        """Read a result as `record.py` or `to_json` wrote it.

        Raises:
            ValueError: The text is not JSON, or something in it is missing or of another type.
        """
        (read,) = _items([json.loads(text)], dict)
        if not isinstance(given := _get(read, "values", object), dict):
            last = len(_get(read, "outputs", list)) - 1
            return cls.failed(
                f"`values` is {given!r}; expected a dict of what is measured: give this variable "
                "another name",
                cell=last,
            )
        return cls(
            outputs=tuple(
                tuple(_output(output) for output in _items(outputs, dict))
                for outputs in _items(_get(read, "outputs", list), list)
            ),
            claims=tuple(_claim(claim) for claim in _get(read, "claims", list)),
            values=given,
            failure=_failure(read),
            files=_strings(read, "files") if "files" in read else (),
        )

    def to_json(self) -> str:
        """The result as `record.py` writes it, and the files that were left."""
        claims = [
            {
                "row": claim.row,
                "signs": claim.signs,
                "sources": claim.sources,
                "sentence": claim.sentence,
                "passed": claim.passed,
                "values": claim.values,
                "cell": claim.cell,
            }
            for claim in self.claims
        ]
        failed = self.failure
        error = failed and {
            "cell": failed.cell,
            "place": failed.place._asdict(),
            "message": failed.message,
            "traceback": failed.traceback,
        }
        written = {
            "outputs": [[_output_as_json(output) for output in cell] for cell in self.outputs],
            "claims": claims,
            "values": self.values,
            "error": error,
            "files": self.files,
        }
        return json.dumps(written, ensure_ascii=False)


@dataclass(frozen=True)
class Outcome:
    """What is known about an example: its result, or how far its execution has come.

    Attributes:
        result: Empty while the example is running or waiting.
        progress: The progress in words, while the example is running or waiting.
    """

    state: Literal["done", "failed", "running", "waiting"]
    result: Result = field(default_factory=Result)
    progress: str = ""

    @property
    def pending(self) -> bool:
        return self.state in ("running", "waiting")


def is_literal(source: str) -> bool:
    """Whether an operand is a literal, whose value need not be shown."""
    try:
        ast.literal_eval(source)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def show_values(values: tuple[Plain, ...]) -> list[str]:
    """Numbers with four digits, or as many more as it takes to distinguish neighbours."""
    shown: list[str] = []
    for digits in range(4, 18):
        shown = [f"{v:.{digits}g}" if isinstance(v, float) else repr(v) for v in values]
        pairs = zip(pairwise(values), pairwise(shown), strict=True)
        if all(text[0] != text[1] or value[0] == value[1] for value, text in pairs):
            break
    return [text if len(text) <= 80 else text[:79] + "…" for text in shown]


# Reading and writing JSON


def _get(record: object, name: str, kind: type[T]) -> T:
    """An entry of a JSON object, which must be of this type."""
    if not isinstance(record, dict):
        raise _damaged(record, "one of type dict")
    if name not in record:
        raise _damaged(record, f"one with an entry {name!r}")
    (value,) = _items([record[name]], kind)
    return value


def _items(values: list[Any], kind: type[T]) -> list[T]:
    """The items of a JSON array, which must be of this type."""
    for value in values:
        # Python counts True as an int; JSON does not
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise _damaged(value, f"one of type {kind.__name__}")
    return values


def _damaged(given: object, expected: str) -> ValueError:
    shown = repr(given)
    shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
    return ValueError(
        f"a result has the value {shown}, expected {expected}: delete it, so that it is made again"
    )


def _strings(record: object, name: str) -> tuple[str, ...]:
    return tuple(_items(_get(record, name, list), str))


def _output(read: object) -> Output:
    kind = _get(read, "type", str)
    if kind == "text":
        return Text(_get(read, "text", str))
    if kind == "figure":
        return Figure(_get(read, "svg", str), _get(read, "alt", str))
    raise _damaged(kind, "'text' or 'figure'")


def _output_as_json(output: Output) -> dict[str, str]:
    if isinstance(output, Text):
        return {"type": "text", "text": output.text}
    return {"type": "figure", "svg": output.svg, "alt": output.alt}


def _claim(read: object) -> Claim:
    claim = Claim(
        cell=_get(read, "cell", int),
        row=_get(read, "row", int),
        sentence=_get(read, "sentence", str),
        passed=_get(read, "passed", bool),
        sources=_strings(read, "sources"),
        signs=_strings(read, "signs"),
        values=tuple(_get(read, "values", list)),
    )
    if not len(claim.sources) == len(claim.values) == len(claim.signs) + 1:
        raise _damaged(read, "a claim with a value for each source and one sign less")
    return claim


def _failure(result: dict[str, Any]) -> Failure | None:
    if "error" in result and result["error"] is None:
        return None
    read = _get(result, "error", dict)
    place = _get(read, "place", dict)
    return Failure(
        cell=_get(read, "cell", int),
        place=Place(_get(place, "cell", int), _get(place, "row", int)),
        message=_get(read, "message", str),
        traceback=_get(read, "traceback", str),
    )
