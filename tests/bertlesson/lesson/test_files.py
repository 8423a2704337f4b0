"""The lesson's data as files: they are in the format that they claim, with nothing lost."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest

from bertlesson.lesson.files import write_all, write_conll, write_squad, write_table, write_texts
from bertlesson.lesson.labelled import entity_examples, question_examples, sentiment_examples
from bertlesson.tags import read_tags


def test_texts_hold_every_story_once(tmp_path: Path) -> None:
    files = sorted(write_texts(tmp_path / "texts", 25, seed=3).iterdir())
    stories = [story for file in files for story in file.read_text("utf-8").strip().split("\n\n")]
    assert len(files) == 3
    assert len(set(stories)) == 25


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_table_has_each_sentence_with_its_feeling(tmp_path: Path, suffix: str) -> None:
    path = write_table(tmp_path / f"table{suffix}", 30, seed=1, split="test")
    with path.open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file)] if suffix == ".csv" else [json.loads(line) for line in file]
    expected = [(s.text, s.sentiment) for s in sentiment_examples(30, 1, "test")]
    assert [(row["text"], row["label"]) for row in rows] == expected


def test_a_table_is_csv_or_json_lines(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the file is 'table.tsv'; expected a name in .csv"):
        write_table(tmp_path / "table.tsv", 3, seed=0)


def test_conll_has_the_names_of_each_sentence(tmp_path: Path) -> None:
    path = write_conll(tmp_path / "a.conll", 40, seed=2)
    head, *blocks = path.read_text("utf-8").split("\n\n")
    assert head == "-DOCSTART- - - O"
    for block, sentence in zip(blocks, entity_examples(40, 2, "train"), strict=True):
        words, _, _, tags = zip(*(line.split(" ") for line in block.splitlines()), strict=True)
        assert "".join(words) == "".join(sentence.text.split())
        found = [("".join(words[a:b]), kind) for a, b, kind in read_tags(tags)]
        named = [("".join(sentence.text[a:b].split()), kind) for a, b, kind in sentence.entities]
        assert found == named


@pytest.mark.parametrize(("impossible", "version"), [(0.0, "1.1"), (0.5, "v2.0")])
def test_squad_has_each_answer_at_its_place(
    tmp_path: Path, impossible: float, version: str
) -> None:
    path = write_squad(tmp_path / "a.json", 20, seed=4, impossible=impossible)
    content = json.loads(path.read_text("utf-8"))
    assert content["version"] == version
    paragraphs = [part for article in content["data"] for part in article["paragraphs"]]
    examples = question_examples(20, 4, "train", impossible)
    for paragraph, example in zip(paragraphs, examples, strict=True):
        (asked,) = paragraph["qas"]
        assert asked["question"] == example.question
        assert asked.get("is_impossible", False) == (not asked["answers"]) == example.is_impossible
        for answer in asked["answers"]:
            start, text = answer["answer_start"], answer["text"]
            assert paragraph["context"][start : start + len(text)] == text == example.answer


def test_all_files_are_the_same_each_time(tmp_path: Path) -> None:
    once, again = (write_all(tmp_path / name) for name in ("once", "again"))
    assert len(once) == len(again) == 18
    for first, second in zip(once, again, strict=True):
        parts = sorted(first.iterdir()) if first.is_dir() else [first]
        for part in parts:
            other = second / part.name if first.is_dir() else second
            assert part.read_bytes() == other.read_bytes()


def test_all_files_are_those_that_the_recipes_were_tried_on(tmp_path: Path) -> None:
    """What recipes print follows from these bytes: where they change, so do the pages."""
    digest = hashlib.sha256()
    for written in write_all(tmp_path):
        for path in sorted(written.iterdir()) if written.is_dir() else [written]:
            digest.update(path.relative_to(tmp_path).as_posix().encode() + path.read_bytes())
    assert digest.hexdigest()[:16] == "1ebe801fddf5fe65"


def test_a_folder_may_be_there_already_or_lack_its_parent(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "texts"
    once = {path.name: path.read_bytes() for path in write_texts(folder, 12, seed=0).iterdir()}
    write_texts(folder, 12, seed=0)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == once
