"""JSON lines: values keep their types, and what is wrong is named by file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bertlesson.annotations import lines_of, read_annotations


def write(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.jsonl"


def test_words_and_tags(file: Path) -> None:
    words = ["007", "null", "NA", "2026-11-27", "\u2028", "Bond"]
    tags = ["B-X", "O", "O", "O", "O", "S-PER"]
    write(file, {"tokens": words, "tags": tags, "id": 3}, {"tokens": [], "tags": []})
    assert read_annotations(file) == ([words, []], [tags, []])


def test_tags_as_numbers_need_the_labels(file: Path) -> None:
    write(file, {"words": ["Ada", "slept"], "ner_tags": [1, 0]})
    keys = {"tokens": "words", "tags": "ner_tags"}
    assert read_annotations(file, **keys, labels=["O", "B-PER"]).truth == [["B-PER", "O"]]  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"file.jsonl:1: 'ner_tags' holds the number 1.*labels="):
        read_annotations(file, **keys)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"file.jsonl:1: 'ner_tags' holds the number 1"):
        read_annotations(file, **keys, labels=["O"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "entities",
    [
        [[11, 16, "LOC"], [0, 3, "PER"]],
        [{"start": 0, "end": 3, "label": "PER"}, {"start": 11, "end": 16, "kind": "LOC", "x": 1}],
    ],
)
def test_texts_and_entities(file: Path, entities: Any) -> None:
    text = "Ada was in Delft."
    write(file, {"text": text, "label": entities})
    assert read_annotations(file, entities="label") == (
        [text],
        [[(0, 3, "PER"), (11, 16, "LOC")]],
    )


def test_marks_line_ends_and_empty_lines(file: Path) -> None:
    file.write_bytes(
        b'\xef\xbb\xbf{"text": "a", "entities": []}\r\n\r\n{"text": "", "entities": []}'
    )
    assert read_annotations(file) == (["a", ""], [[], []])


GOOD = {"text": "Ada", "entities": []}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1], r"this is \[1\]; expected a JSON object"),
        ({"tokens": ["a"], "tags": ["O"]}, "the keys are .*expected 'text' and 'entities'"),
        ({"text": 7, "entities": []}, "'text' is 7; expected a string"),
        ({"text": "Ada", "entities": {}}, "'entities' is {}; expected a list"),
        ({"text": "Ada", "entities": [[0, 4, "X"]]}, r"\[0, 4, 'X'\] is not within the 3 char"),
        ({"text": "Ada", "entities": [[1, 1, "X"]]}, r"\[1, 1, 'X'\] is not within"),
        ({"text": "Ada", "entities": [[-1, 2, "X"]]}, "is not within"),
        ({"text": "Ada", "entities": [[0, 2, "X"], [1, 3, "X"]]}, "overlaps the one before it"),
        ({"text": "Ada", "entities": [[0, "2", "X"]]}, "an entity is .*expected"),
        ({"text": "Ada", "entities": [[False, 2, "X"]]}, "an entity is .*expected"),
        (
            {"text": "Ada", "entities": [{"start": 0, "end": 2}]},
            r"an entity is .*expected \[start, end, kind\], or an object with start, end and "
            "label, where start and end are whole numbers$",
        ),
        ({"text": "Ada", "entities": [[0, 3, "ORG"]]}, "the kind is 'ORG'; expected one of"),
    ],
)
def test_wrong_texts_are_named_by_file_and_line(file: Path, row: Any, message: str) -> None:
    write(file, GOOD, row)
    with pytest.raises(ValueError, match=f"file.jsonl:2: .*{message}"):
        read_annotations(file, labels=["O", "B-X", "I-X"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": "Ada", "tags": ["O"]}, "'tokens' is \"Ada\"; expected a list of strings"),
        ({"tokens": [7], "tags": ["O"]}, "'tokens' holds 7; expected strings: put it in quotes"),
        ({"tokens": ["a", "b"], "tags": ["O"]}, "'tags' is 1 tags; expected one for each of 2"),
        ({"tokens": ["a"], "tags": [None]}, "'tags' holds null; expected strings"),
        ({"tokens": ["a"], "tags": "O"}, "'tags' is \"O\"; expected one for each of 1 words"),
        (
            {"tokens": ["a"], "tags": ["X"]},
            r"the tag is 'X'; expected O, or B, I, E or S \(L, U, M\) and a kind, such as 'B-PER': "
            "choose the column or key that has these, or give labels for tags of another sort$",
        ),
        ({"tokens": ["a"], "tags": [True]}, "'tags' holds true; expected strings"),
    ],
)
def test_wrong_words_are_named_by_file_and_line(file: Path, row: Any, message: str) -> None:
    write(file, {"tokens": ["a"], "tags": ["O"]}, row)
    with pytest.raises(ValueError, match=f"file.jsonl:2: {message}"):
        read_annotations(file)


def test_tags_are_held_to_the_labels(file: Path) -> None:
    write(file, {"tokens": ["a"], "tags": ["NOUN"]}, {"tokens": ["a"], "tags": ["B-X"]})
    message = r"file.jsonl:2: the tag is 'B-X'; expected one of \['NOUN', 'VERB'\]$"
    with pytest.raises(ValueError, match=message):
        read_annotations(file, labels=("NOUN", "VERB"))


def test_lines_come_with_their_places_and_without_their_ends(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfa\r\n\rb\n\nc\r")
    assert list(lines_of(file)) == [
        (f"{file}:{number}", line) for number, line in enumerate(["a", "\rb", "", "c"], 1)
    ]


def test_broken_files_are_named_by_line(file: Path) -> None:
    for content, message in [
        (b"", "file.jsonl: the file is empty"),
        (b'{"text": "a", "entities": []}\n{"text": ', "file.jsonl:2: .* at character"),
        (b'{"text": "\\ud83d", "entities": []}', "file.jsonl:1: 'text' has half of a surrogate"),
        (b'{"tokens": ["\\ud83d"], "tags": ["O"]}', "file.jsonl:1: 'tokens' has half of a"),
        (b'{"text": "Ada", "entities": [[0, 3, ""]]}', r"the entity \[0, 3, ''\] has no kind"),
        (b'{"text": "\xe9"}', "file.jsonl:1: byte 11 is 0xe9; expected utf-8"),
    ]:
        file.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            read_annotations(file)
