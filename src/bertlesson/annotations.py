"""Annotated text from JSON lines: words with tags, or texts with entities in characters.

`bertlesson.conll` reads columns. Both check the whole file before they return, and name file and
line of what they cannot read.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .characters import has_half_pair
from .entities import Entity
from .tags import parse_tag
from .texts import not_text

__all__ = ["Annotated", "check_tag", "lines_of", "read_annotations"]

OTHERWISE = "save the file in that encoding, or name the one that it has"
NAMES_OF_KIND = ("label", "kind", "type", "entity")  # in entities given as objects


class Annotated(NamedTuple):
    """Texts, and what is to be learned about each; `encode_windows` takes them in this order.

    Attributes:
        texts: The words of each sentence, or plain texts.
        truth: For sentences the tag of each word; for texts their entities, in characters.
    """

    texts: list[Any]  # list[list[str]] or list[str]
    truth: list[Any]  # list[list[str]] or list[list[Entity]]


def read_annotations(
    path: str | Path,
    *,
    tokens: str = "tokens",
    tags: str = "tags",
    text: str = "text",
    entities: str = "entities",
    labels: Sequence[str] | None = None,
) -> Annotated:
    """Read a file with a JSON object on each line, which has words and tags or text and entities.

    All values keep the type that they have in the file: ``"007"`` is a word, 7 is refused.

    Args:
        path: The file, in UTF-8, with or without a byte-order mark.
        tokens: The key of the words, a list of strings. If the first line has it, all lines must.
        tags: The key of the tags: a string for each word, or the number of one of `labels`, as data
            sets on the hub have them.
        text: The key of the text.
        entities: The key of its entities: a list of ``[start, end, kind]`` or of objects with
            ``start``, ``end`` and ``label`` (or ``kind``, ``type``, ``entity``). They count
            characters, the end is after the last.
        labels: The tags that there are, needed for numbers. Default: O, and any letter of a scheme
            with any kind. Kinds of entities are held to it as well.

    Raises:
        ValueError: If the file has no line, or a line cannot be read: broken UTF-8 or JSON, a key
            that is missing, a value of another type, a tag outside `labels`, an entity outside its
            text or overlapping another. The message begins with file and line.

    >>> import tempfile
    >>> line = '{"text": "Ada was in Delft.", "entities": [[0, 3, "PER"], [11, 16, "LOC"]]}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "names.jsonl"
    ...     _ = path.write_text(line, encoding="utf-8")
    ...     texts, truth = read_annotations(path)
    >>> texts, truth
    (['Ada was in Delft.'], [[(0, 3, 'PER'), (11, 16, 'LOC')]])
    """
    texts: list[Any] = []
    truth: list[Any] = []
    names = {name: number for number, name in enumerate(labels or ())}
    as_words = None
    for place, line in lines_of(path):
        if not line.strip():
            continue
        row = _object(place, line)
        if as_words is None:
            as_words = tokens in row
        first, second = (tokens, tags) if as_words else (text, entities)
        for key in (first, second):
            if key not in row:
                raise ValueError(
                    f"{place}: the keys are {list(row)}; expected {first!r} and {second!r}: say "
                    "which keys have them, as in tokens='words', tags='ner_tags'"
                )
        if as_words:
            words = _strings(place, tokens, row[tokens])
            texts.append(words)
            truth.append(_tags(place, tags, row[tags], len(words), names, labels))
        else:
            if not isinstance(row[text], str):
                raise ValueError(f"{place}: {text!r} is {_short(row[text])}; expected a string")
            _check_whole(place, text, row[text])
            texts.append(row[text])
            truth.append(_spans(place, entities, row[entities], row[text], labels))
    if not texts:
        raise ValueError(f"{path}: the file is empty; expected a JSON object on each line")
    return Annotated(texts, truth)


def lines_of(path: str | Path, encoding: str = "utf-8") -> Iterator[tuple[str, str]]:
    r"""The lines of a file, each with its place, ``file:line``.

    Only line feeds end a line (and carriage returns before them), not other characters that
    `str.splitlines` would split at and that texts do contain, such as U+2028 and U+0085.

    Raises:
        ValueError: If a line is not in this encoding.
    """
    with open(path, "rb") as file:
        lines: Iterable[bytes] = file
        if "\n".encode(encoding) != b"\n":  # UTF-16, in which that byte ends no line
            lines = io.BytesIO(_in_utf8(path, file.read(), encoding))
            encoding = "utf-8"
        for number, raw in enumerate(lines, 1):
            place = f"{path}:{number}"
            try:
                line = raw.decode(encoding)
            except UnicodeDecodeError as error:
                file.seek(0)
                raise ValueError(
                    f"{place}: byte {error.start + 1} is 0x{raw[error.start]:02x}; expected "
                    f"{encoding}: {not_text(file.read(4)) or OTHERWISE}"
                ) from None
            if number == 1:
                line = line.removeprefix("\ufeff")  # the byte-order mark
            yield place, line.removesuffix("\n").removesuffix("\r")


def _in_utf8(path: str | Path, raw: bytes, encoding: str) -> bytes:
    try:
        return raw.decode(encoding).encode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: byte {error.start + 1} is 0x{raw[error.start]:02x}; expected {encoding}: "
            f"{OTHERWISE}"
        ) from None


def check_tag(place: str, tag: str, labels: Sequence[str] | None) -> None:
    """Reject a tag that is not among the labels or, if there are none, is no tag of an entity.

    Raises:
        ValueError: With file and line.
    """
    if labels is not None:
        if tag not in labels:
            raise ValueError(f"{place}: the tag is {tag!r}; expected one of {list(labels)}")
        return
    try:
        parse_tag(tag)
    except ValueError:
        raise ValueError(
            f"{place}: the tag is {tag!r}; expected O, or B, I, E or S (L, U, M) and a kind, such "
            "as 'B-PER': choose the column or key that has these, or give labels for tags of "
            "another sort"
        ) from None


def _object(place: str, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{place}: {error.msg} at character {error.pos + 1}; expected one JSON object per line"
        ) from None
    if not isinstance(row, dict):
        raise ValueError(f"{place}: this is {_short(row)}; expected a JSON object, {{...}}")
    return row


def _strings(place: str, key: str, value: object) -> list[str]:
    if not isinstance(value, list):
        raise ValueError(f"{place}: {key!r} is {_short(value)}; expected a list of strings")
    for item in value:
        if not isinstance(item, str):
            raise ValueError(
                f"{place}: {key!r} holds {_short(item)}; expected strings: put it in quotes"
            )
        _check_whole(place, key, item)
    return value


def _check_whole(place: str, key: str, text: str) -> None:
    if has_half_pair(text):
        raise ValueError(
            f"{place}: {key!r} has half of a surrogate pair; expected whole characters"
        )


def _tags(
    place: str,
    key: str,
    value: object,
    words: int,
    names: dict[str, int],
    labels: Sequence[str] | None,
) -> list[str]:
    if not isinstance(value, list) or len(value) != words:
        given = f"{len(value)} tags" if isinstance(value, list) else _short(value)
        raise ValueError(f"{place}: {key!r} is {given}; expected one for each of {words} words")
    numbers = [type(tag) is int for tag in value]
    if value and all(numbers):
        wrong = [tag for tag in value if not 0 <= tag < len(names)]
        if labels is None or wrong:
            raise ValueError(
                f"{place}: {key!r} holds the number {(wrong or value)[0]}, and there are "
                f"{len(names)} labels; expected names, or labels=[...] in the order of the numbers"
            )
        return [labels[tag] for tag in value]
    tags = _strings(place, key, value)
    for tag in set(tags):
        check_tag(place, tag, labels)
    return tags


def _spans(
    place: str, key: str, value: object, text: str, labels: Sequence[str] | None
) -> list[Entity]:
    if not isinstance(value, list):
        raise ValueError(f"{place}: {key!r} is {_short(value)}; expected a list of entities")
    found = sorted(_span(place, item) for item in value)
    before = 0
    for start, end, kind in found:
        problem = ""
        if not kind:
            problem = "has no kind"
        elif not 0 <= start < end <= len(text):
            problem = f"is not within the {len(text)} characters of the text"
        elif start < before:
            problem = "overlaps the one before it"
        if problem:
            raise ValueError(
                f"{place}: the entity {[start, end, kind]} {problem}; expected its first "
                "character, the one after its last, its kind, and one entity for each character at "
                "most"
            )
        if labels is not None and f"B-{kind}" not in labels and f"I-{kind}" not in labels:
            raise ValueError(f"{place}: the kind is {kind!r}; expected one of {list(labels)}")
        before = end
    return found


def _span(place: str, item: Any) -> Entity:
    parts = item
    if isinstance(item, dict):
        kind = next((item[name] for name in NAMES_OF_KIND if name in item), None)
        parts = [item.get("start"), item.get("end"), kind]
    right = isinstance(parts, list) and len(parts) == 3
    if not right or [type(part) for part in parts] != [int, int, str]:
        raise ValueError(
            f"{place}: an entity is {_short(item)}; expected [start, end, kind], or an object with "
            "start, end and label, where start and end are whole numbers"
        )
    start, end, kind = parts
    return start, end, kind


def _short(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
