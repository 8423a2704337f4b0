"""Labelled texts from CSV and JSON lines, read exactly as written.

Nothing is guessed about types: a text that is ``null``, ``NA``, ``007`` or a date stays that text.
All problems of a file are found before anything is trained, each with its line.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .characters import has_half_pair
from .outputs import check_numbers, check_order, scores_of
from .replacing import replacing
from .texts import not_utf8

__all__ = ["Table", "read_table", "write_predictions"]

AS_LINES = ": write an array's objects in a line each"
Record = tuple[int, dict[str, Any]]  # the line where it begins, and its values by column

JSON_LINES = (".jsonl", ".json", ".ndjson", ".jsonlines")
TABS = (".tsv", ".tab")
SHOWN = 5  # problems to name before only their number is given


@dataclass(frozen=True)
class Table:
    """Texts, each with the number of its class: a sequence of dicts, as `Trainer` takes them.

    For `datasets`: ``Dataset.from_dict(table.columns())``.

    Attributes:
        path: The file.
        texts: The texts.
        pairs: The second text of each row; empty if there is none.
        labels: The number of each row's class, from 0; empty if no label was read.
        classes: The names of the classes, in the order of their numbers.
        lines: The line of the file where each row begins, from 1.
    """

    path: Path
    texts: list[str]
    pairs: list[str]
    labels: list[int]
    classes: tuple[str, ...]
    lines: list[int] = field(repr=False)

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.texts)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One row: ``text``, and, if they were read, ``text_pair`` and ``label``."""
        return {name: values[index] for name, values in self.columns().items()}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """All rows in order."""
        return (self[index] for index in range(len(self)))

    def columns(self) -> dict[str, list[Any]]:
        """The same by columns."""
        columns: dict[str, list[Any]] = {
            "text": self.texts,
            "text_pair": self.pairs,
            "label": self.labels,
        }
        return {name: values for name, values in columns.items() if values}

    @property
    def id2label(self) -> dict[int, str]:
        """The names of the classes by number, for a model's configuration."""
        return dict(enumerate(self.classes))

    @property
    def label2id(self) -> dict[str, int]:
        """The numbers of the classes by name, for a model's configuration."""
        return {name: number for number, name in enumerate(self.classes)}


def read_table(
    path: str | Path,
    *,
    text: str = "text",
    label: str | None = "label",
    text_pair: str | None = None,
    classes: Sequence[str | int] | None = None,
    delimiter: str | None = None,
    quotes: bool | None = None,
) -> Table:
    r"""Read a file with a text and a class in each row.

    Args:
        path: A file in UTF-8. ``.jsonl``, ``.ndjson`` and ``.json`` have an object in each line;
            other endings are read as CSV, whose first row names the columns.
        text: The column with the text.
        label: The column with the class: a name, or a whole number such as the stars 1 to 5. None
            to read texts alone, as of a file to predict.
        text_pair: The column with a second text, as for entailment.
        classes: The names of the classes in order, ``train.classes`` for any file but the one to
            train on; whole numbers may be numbers. Default: the labels of this file, in the order
            of the numbers if all are whole numbers, else of the alphabet.
        delimiter: What separates the columns of CSV. Default: a tab for ``.tsv``, else a comma.
        quotes: Whether a value in quotation marks may hold delimiters and line breaks. Default:
            False for ``.tsv``, as in the files of GLUE, else True.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not in UTF-8, not in its format, has no rows or lacks a column;
            if texts or labels are empty or not strings; if a label is not among the classes; or if
            there is one class only. The message has file and line.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "train.csv"
    ...     _ = path.write_text('text,label\n"Two\nlines",5\nNA,1\n007,10\n')
    ...     table = read_table(path)
    >>> list(table)
    [{'text': 'Two\nlines', 'label': 1}, {'text': 'NA', 'label': 0}, {'text': '007', 'label': 2}]
    >>> table.id2label, table.lines
    ({0: '1', 1: '5', 2: '10'}, [2, 4, 5])
    """
    path = Path(path)
    wanted = [name for name in (text, text_pair, label) if name is not None]
    given = None if classes is None else _checked_classes(classes)
    source = _decoded(path)
    suffix = path.suffix.lower()
    if suffix in JSON_LINES:
        records = _json_records(path, source, wanted)
    else:
        tabs = suffix in TABS
        delimiter = delimiter or ("\t" if tabs else ",")
        quotes = not tabs if quotes is None else quotes
        records = _csv_records(path, source, wanted, delimiter, quotes)
    problems = _Problems(path)
    texts: list[str] = []
    pairs: list[str] = []
    names: list[str] = []
    lines: list[int] = []
    for line, record in records:
        lines.append(line)
        texts.append(problems.text(line, text, record[text]))
        if text_pair is not None:
            pairs.append(problems.text(line, text_pair, record[text_pair]))
        if label is not None:
            names.append(problems.label(line, label, record[label]))
    if not texts:
        raise ValueError(f"{path} has no rows; expected one or more, with {', '.join(wanted)}")
    found = _classes_of(names) if given is None else given
    if label is not None and classes is not None:
        for line, name in zip(lines, names, strict=True):
            if name and name not in found:
                problems.add(line, f"{label} is {name!r}; expected one of {', '.join(found)}")
    problems.raise_any()
    if label is not None and len(found) < 2:
        raise ValueError(
            f"{path}: {label} is {', '.join(found)} in all rows; expected two classes or more"
        )
    if classes is None and len(found) > len(texts) / 2 > 10:
        raise ValueError(
            f"{path}: {label} has {len(found)} different values in {len(texts)} rows; expected a "
            "few classes: name the column that holds them, or pass classes"
        )
    numbers = {name: number for number, name in enumerate(found)}
    return Table(path, texts, pairs, [numbers[name] for name in names], found, lines)


def write_predictions(
    path: str | Path, table: Table, logits: Any, classes: Sequence[str] | None = None
) -> Path:
    """Write each text with the class predicted for it, and its probability, as CSV.

    Args:
        path: The file; written beside it first and moved into place at the end.
        table: The texts.
        logits: ``(rows, classes)``, or all that `Trainer.predict` returns: then its labels must be
            those of the table, row by row.
        classes: Their names. Default: those of the table.

    Returns:
        The path.

    Raises:
        ValueError: If there is not a row of logits for each text, with one for each class, if they
            are NaN, or come in another order, see `bertlesson.outputs`.
    """
    path, names = Path(path), table.classes if classes is None else tuple(classes)
    check_order(logits, table.labels)
    found = scores_of(logits)
    # NumPy has no bfloat16
    scores = np.asarray(found.double().tolist() if hasattr(found, "double") else found, np.float64)
    if scores.shape != (len(table), len(names)):
        raise ValueError(
            f"logits have shape {scores.shape}; expected {(len(table), len(names))}, a score of "
            "each class for each text"
        )
    check_numbers(scores)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        actual = [[table.classes[number]] for number in table.labels]
        second = [[pair] for pair in table.pairs]
        writer.writerow(
            ["line", "text"]
            + ["text_pair"] * bool(second)
            + ["label"] * bool(actual)
            + ["predicted", "probability"]
        )
        for row, share in enumerate(shares):
            best = int(share.argmax())
            writer.writerow(
                [table.lines[row], table.texts[row]]
                + (second[row] if second else [])
                + (actual[row] if actual else [])
                + [names[best], f"{share[best]:.4f}"]
            )
    return path


class _Problems:
    """The problems of a file, of which the first ones are named."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[tuple[int, str]] = []

    def add(self, line: int, problem: str) -> None:
        self.found.append((line, problem))

    def text(self, line: int, column: str, value: Any) -> str:
        if not isinstance(value, str):
            shown = json.dumps(value)[:40]
            hint = "" if isinstance(value, (list, dict)) else f', such as "{shown}" in quotes'
            self.add(line, f"{column} is {shown}; expected a string{hint}")
            return ""
        if not value.strip():
            self.add(line, f"{column} is empty; expected text: leave the row out")
        elif has_half_pair(value):
            self.add(line, f"{column} has half of a surrogate pair; expected whole characters")
        return value

    def label(self, line: int, column: str, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, (str, int, type(None))):
            shown = json.dumps(value)[:40]
            self.add(line, f"{column} is {shown}; expected a name or a whole number")
            return ""
        name = "" if value is None else str(value).strip()
        if not name:
            self.add(line, f"{column} is empty; expected a class: leave the row out, or label it")
        return name

    def raise_any(self) -> None:
        if not self.found:
            return
        self.found.sort()
        shown = [f"{self.path}, line {line}: {problem}" for line, problem in self.found[:SHOWN]]
        if len(self.found) > SHOWN:
            shown.append(f"and {len(self.found) - SHOWN:,} more")
        problem = "\n".join(shown)
        raise ValueError(f"{problem}")


def _checked_classes(classes: Sequence[str | int]) -> tuple[str, ...]:
    """Names, of which numbers may be given as such."""
    # a set has another order in the next process
    unfit = isinstance(classes, (str, set, frozenset, Mapping))
    names = () if unfit else tuple(map(str, classes))
    if not names or len(set(names)) != len(names):
        raise ValueError(f"classes is {classes!r}; expected a list of different names")
    return names


def _classes_of(names: Sequence[str]) -> tuple[str, ...]:
    """The different names, numbers in their own order."""
    different = sorted({name for name in names if name})
    order: Callable[[str], Any] = int
    try:
        return tuple(sorted(different, key=order))
    except ValueError:
        return tuple(different)


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = not_utf8(path, raw.count(b"\n", 0, error.start) + 1, error)
        raise ValueError(f"{problem}") from None


def _csv_records(
    path: Path, source: str, wanted: Sequence[str], delimiter: str, quotes: bool
) -> Iterator[Record]:
    quoting: Any = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    limit = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # else 131,072 characters
    # newline="" leaves line breaks within quotes as they are
    reader = csv.reader(
        io.StringIO(source, newline=""), delimiter=delimiter, quoting=quoting, strict=True
    )
    line = 1
    header: list[str] | None = None
    try:
        for row in reader:
            if not row:
                pass
            elif header is None:
                header = row
                hint = f"; is the delimiter not {delimiter!r}?" if len(header) == 1 else ""
                _check_columns(path, line, header, wanted, hint)
            elif len(row) != len(header):
                raise ValueError(
                    f"{path}, line {line}: {len(row)} columns; expected {len(header)}, as in the "
                    f"header: put quotation marks around a value that has {delimiter!r} in it"
                )
            else:
                yield line, dict(zip(header, row, strict=True))
            line = reader.line_num + 1
    except csv.Error as error:
        hint = ": double the quotation marks within quotation marks" if quotes else ""
        raise ValueError(
            f"{path}, line {line}: not valid CSV, {error}; expected a row{hint}"
        ) from None
    finally:
        csv.field_size_limit(limit)


def _json_records(path: Path, source: str, wanted: Sequence[str]) -> Iterator[Record]:
    for line, text in enumerate(source.split("\n"), 1):  # not at U+2028, which JSON may hold
        if not text.strip():
            continue
        try:
            record = json.loads(text)
        except json.JSONDecodeError as error:
            hint = AS_LINES if text.startswith("[") else ""
            raise ValueError(
                f"{path}, line {line}: not valid JSON, {error.msg} at character {error.colno}; "
                f"expected an object in each line{hint}"
            ) from None
        if not isinstance(record, dict):
            raise ValueError(
                f"{path}, line {line}: {type(record).__name__}; expected an object in each line, "
                f'such as {{"{wanted[0]}": "…"}}{AS_LINES if isinstance(record, list) else ""}'
            )
        _check_columns(path, line, list(record), wanted, "")
        yield line, record


def _check_columns(
    path: Path, line: int, given: Sequence[str], wanted: Sequence[str], hint: str
) -> None:
    for name in wanted:
        if list(given).count(name) != 1:
            raise ValueError(
                f"{path}, line {line}: the columns are {', '.join(given)}; expected {name} once "
                f"among them: name the column that holds it{hint}"
            )
