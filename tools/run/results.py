"""What is known about an execution, how it is stored, and what in it must not be published."""

from __future__ import annotations

import ast
import html
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from tools.run.examples import Example, Problem

# An address in a repr, as in <function <lambda> at 0x7f30>; a long repr is cut and ends with "…".
ADDRESS = re.compile(
    r"<(?=\S)(?:[^<>\n]|<[^<>\n]*>)*?\sat\s+0x(?:[0-9a-fA-F]{6,}(?=[^\n]*>)|[0-9a-fA-F]*…)"
)
Place = Callable[[], tuple[int, int]]  # finds a code cell and a line of the example
KEPT_PER_EXAMPLE = 8  # so that returning to an earlier version of an example needs no run


@dataclass
class Outcome:
    """What is known about an example: its result, or how far its execution has come.

    Attributes:
        state: "done", "failed", "running" or "waiting".
        result: The result from ``record.py``: ``outputs`` for each code cell, ``claims``,
            ``values`` and ``error``; and ``files``, the names of the files that the example left in
            its folder. Empty while the example is running or waiting.
        progress: The progress in words, while the example is running or waiting.
    """

    state: str
    result: dict[str, Any] = field(default_factory=dict)
    progress: str = ""

    @property
    def pending(self) -> bool:
        return self.state in ("running", "waiting")


class Store:
    """The results of finished executions, each under a key made from what it depends on.

    A result is one file, next to a folder with the files that the example left behind.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, dict[str, Any]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, example: Example) -> Path:
        return self.folder / f"{example.name}-{example.key}.json"

    def file(self, example: Example, name: str) -> Path:
        """The path of a stored file that the example left behind."""
        return self.path(example).with_suffix("") / name

    def read(self, example: Example) -> dict[str, Any] | None:
        """The stored result; None if it is missing or damaged, so that the example runs again."""
        if example.key not in self._read:
            try:
                result = json.loads(self.path(example).read_text("utf-8"))
            except (OSError, ValueError):
                return None
            if not all(self.file(example, name).is_file() for name in result["files"]):
                return None
            self._read[example.key] = result
        return self._read[example.key]

    def keep(
        self, example: Example, result: dict[str, Any], seconds: float, left: Iterable[Path] = ()
    ) -> None:
        """Store a result and the files that were left, and delete this example's oldest results."""
        files = sorted(left)
        for file in files:
            kept = self.file(example, file.name)
            kept.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, kept)
        # last, because readers of the result expect the files
        result = result | {"files": [file.name for file in files]}
        write_at_once(self.path(example), json.dumps(result, ensure_ascii=False))
        write_at_once(self._seconds(example), f"{seconds:.2f}")
        results = self.folder.glob(f"{example.name}-*.json")
        for old in sorted(results, key=lambda p: p.stat().st_mtime)[:-KEPT_PER_EXAMPLE]:
            old.unlink(missing_ok=True)
            shutil.rmtree(old.with_suffix(""), ignore_errors=True)

    def _seconds(self, example: Example) -> Path:
        return self.folder / f"{example.name}.seconds"

    def seconds(self, example: Example) -> float:
        """How long this example took when it last ran; infinity if unknown."""
        try:
            return float(self._seconds(example).read_text("utf-8"))
        except (OSError, ValueError):
            return float("inf")


def write_at_once(path: Path, text: str) -> None:
    """Write a file atomically: anyone reading it sees either the old text or the new."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, "utf-8")
    part.replace(path)


def failure(message: str, traceback: str, cell: int = 0, row: int = 0) -> dict[str, Any]:
    """A result for an execution that produced none."""
    place = {"cell": cell, "row": row}
    error = {"cell": cell, "place": place, "message": message, "traceback": traceback}
    return {"outputs": [], "claims": [], "values": {}, "error": error}


def problems_of(example: Example, outcome: Outcome) -> list[tuple[int, Problem]]:
    """What in this outcome must not be published, each with the code cell that shows it."""
    problems = []
    for claim in outcome.result.get("claims", []):
        if not claim["passed"]:
            line = example.code[claim["cell"]].line + claim["row"]
            text = f"claim is false: {claim['sentence']} ({describe_claim(claim)})"
            problems.append((claim["cell"], Problem(example.path, line, text)))
    return problems + other_problems(example, outcome)


def other_problems(example: Example, outcome: Outcome) -> list[tuple[int, Problem]]:
    """The same without false claims, which are shown as false anyway."""
    problems = []
    if error := outcome.result.get("error"):
        place = error["place"]
        line = example.code[place["cell"]].line + place["row"]
        problems.append((error["cell"], Problem(example.path, line, error["message"])))
    for place, where, text in _texts(example, outcome):
        if "0x" in text and (found := ADDRESS.search(text)):
            cell, line = place()
            shown = re.sub(r"\s+at\s+0x\w*…?$", " at 0x…>", found[0])
            message = (
                f"{where} holds an address in memory, {shown}, which differs in each build; show "
                "the contents of the object instead"
            )
            problems.append((cell, Problem(example.path, line, message)))
    return problems


def _texts(example: Example, outcome: Outcome) -> Iterator[tuple[Place, str, str]]:
    """All text of an execution: (a function that finds its cell and line, its name, the text).

    The location is found only on demand, because that requires parsing the example and there are
    hundreds of values.
    """
    for index, outputs in enumerate(outcome.result.get("outputs", [])):
        cell = example.code[index]
        for output in outputs:
            if output["type"] == "text":
                yield partial(_place_of_print, example, index), "the output", output["text"]
            else:
                drawn = html.unescape(output["svg"]) if " at 0x" in output["svg"] else ""
                place = partial(_place, index, cell.line)
                yield place, "the figure", f"{drawn}\n{output['alt']}"
    for claim in outcome.result.get("claims", []):
        line = example.code[claim["cell"]].line + claim["row"]
        said = f"{claim['sentence']}\n{describe_claim(claim)}"
        yield partial(_place, claim["cell"], line), "the claim", said
    for key, value in outcome.result.get("values", {}).items():
        text = json.dumps(value, ensure_ascii=False)
        yield partial(_place_of_value, example, key), f"the value {key!r}", text


def _place(cell: int, line: int) -> tuple[int, int]:
    return cell, line


def _place_of_print(example: Example, index: int) -> tuple[int, int]:
    """The line of a cell's only `print`; the cell's first line if there are more, or none."""
    cell = example.code[index]
    nodes = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
    rows = [n.lineno - 1 for n in nodes if isinstance(n.func, ast.Name) and n.func.id == "print"]
    return index, cell.line + (rows[0] if len(rows) == 1 else 0)


def _place_of_value(example: Example, key: str) -> tuple[int, int]:
    """The cell and line that name a value last."""
    place = len(example.code) - 1, example.code[-1].line
    for index, cell in enumerate(example.code):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Constant | ast.keyword):
                named = node.arg if isinstance(node, ast.keyword) else node.value
                if named == key:
                    place = index, cell.line + node.lineno - 1
    return place


def describe_claim(claim: dict[str, Any]) -> str:
    """The comparison with its measured values, as in "kept - never_kept = 0.31 > 0.2"."""
    shown = show_values(claim["values"])
    parts = []
    for index, (source, value) in enumerate(zip(claim["sources"], shown, strict=True)):
        if index:
            parts.append(claim["signs"][index - 1])
        parts.append(source if is_literal(source) else f"{source} = {value}")
    return " ".join(parts)


def is_literal(source: str) -> bool:
    """Whether an operand is a literal, whose value need not be shown."""
    try:
        ast.literal_eval(source)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def show_values(values: list[Any]) -> list[str]:
    """Numbers with four digits, or as many more as it takes to distinguish neighbours."""
    shown: list[str] = []
    for digits in range(4, 18):
        shown = [f"{v:.{digits}g}" if isinstance(v, float) else repr(v) for v in values]
        pairs = zip(pairwise(values), pairwise(shown), strict=True)
        if all(text[0] != text[1] or value[0] == value[1] for value, text in pairs):
            break
    return [text if len(text) <= 80 else text[:79] + "…" for text in shown]
