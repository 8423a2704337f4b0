"""The lesson's text and labelled data as files, in the formats that people have their own in.

The recipes run on these files until they are given others.

    python -m bertlesson.lesson.files FOLDER        write all of them

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     path = write_table(Path(folder) / "dev.csv", 2, seed=0)
...     print(path.read_text("utf-8"), end="")
text,label
"The market, said Hilda, had a delightful melon.",positive
"To Hector, the ghost of the castle seemed gorgeous.",positive
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .corpus import Sentence, Split, generate_documents
from .labelled import Question, entity_examples, question_examples, sentiment_examples

__all__ = ["write_all", "write_conll", "write_squad", "write_table", "write_texts"]

STORIES_IN_A_FILE = 10
# seeds for the labelled data; those of the lesson's examples are small, or 1,000 and more
SEEDS: dict[str, tuple[int, Split]] = {
    "train": (100, "train"),
    "dev": (101, "train"),
    "test": (100, "test"),
}


def write_texts(folder: Path, stories: int, *, seed: int, split: Split = "train") -> Path:
    """Write plain text, some stories to a file, with an empty line after each.

    Args:
        folder: Where the files go; created if it is not there.
        stories: Number of stories.
        seed: See `generate_documents`.
        split: "train", or "test" for held-out stories.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = [document.text for document in generate_documents(stories, seed, split)]
    for start in range(0, stories, STORIES_IN_A_FILE):
        part = "\n\n".join(texts[start : start + STORIES_IN_A_FILE])
        _write(folder / f"stories-{start // STORIES_IN_A_FILE:03}.txt", part + "\n")
    return folder


def write_table(path: Path, sentences: int, *, seed: int, split: Split = "train") -> Path:
    """Write sentences that express a feeling, with the columns ``text`` and ``label``.

    Args:
        path: The file; its ending decides between CSV (``.csv``) and JSON lines (``.jsonl``).
        sentences: Number of sentences.
        seed: See `sentiment_examples`.
        split: "train" or "test".

    Returns:
        The path.

    Raises:
        ValueError: If the name of the file has another ending.
    """
    if path.suffix not in (".csv", ".jsonl"):
        raise ValueError(f"the file is {path.name!r}; expected a name in .csv or .jsonl")
    rows = [
        {"text": sentence.text, "label": str(sentence.sentiment)}
        for sentence in sentiment_examples(sentences, seed, split)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            table = csv.DictWriter(file, ["text", "label"], lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
        else:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return path


def write_conll(path: Path, sentences: int, *, seed: int, split: Split = "train") -> Path:
    """Write sentences in the columns of CoNLL-2003, a word with its tag (IOB2) per line.

    The columns for part of speech and chunk, which the lesson has no labels for, hold ``-``.

    Args:
        path: The file.
        sentences: Number of sentences.
        seed: See `entity_examples`.
        split: "train" or "test".

    Returns:
        The path.
    """
    blocks = ["-DOCSTART- - - O\n"]
    for sentence in entity_examples(sentences, seed, split):
        blocks.append("".join(f"{word} - - {tag}\n" for word, tag in _tagged(sentence)))
    _write(path, "\n".join(blocks))
    return path


def write_squad(
    path: Path, questions: int, *, seed: int, split: Split = "train", impossible: float = 0.0
) -> Path:
    """Write questions with their contexts as SQuAD's JSON: version 2.0 if some have no answer.

    Args:
        path: The file.
        questions: Number of questions.
        seed: See `question_examples`.
        split: "train" or "test".
        impossible: The share of questions that their context does not answer.

    Returns:
        The path.
    """
    version = "v2.0" if impossible else "1.1"
    paragraphs = [
        {"context": example.context, "qas": [_question(example, f"{seed}-{number}", version)]}
        for number, example in enumerate(question_examples(questions, seed, split, impossible))
    ]
    content = {"version": version, "data": [{"title": "Stories", "paragraphs": paragraphs}]}
    _write(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    return path


def write_all(folder: Path) -> list[Path]:
    """Write a small set of each kind of file, for training, choosing settings and testing.

    Args:
        folder: Where the files go; created if it is not there.

    Returns:
        What has been written: files, and folders of text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (seed, split) in SEEDS.items():
        written += [
            write_texts(folder / f"texts-{name}", 100, seed=seed, split=split),
            write_table(folder / f"sentiment-{name}.csv", 200, seed=seed, split=split),
            write_table(folder / f"sentiment-{name}.jsonl", 200, seed=seed, split=split),
            write_conll(folder / f"entities-{name}.conll", 200, seed=seed, split=split),
            write_squad(folder / f"squad-1.1-{name}.json", 200, seed=seed, split=split),
            write_squad(
                folder / f"squad-2.0-{name}.json", 200, seed=seed, split=split, impossible=0.3
            ),
        ]
    return written


def _tagged(sentence: Sentence) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"\w+|[^\w\s]", sentence.text):
        tag = "O"
        for start, end, kind in sentence.entities:
            if start <= found.start() < end:
                tag = f"{'B' if found.start() == start else 'I'}-{kind}"
        yield found[0], tag


def _question(example: Question, identity: str, version: str) -> dict[str, Any]:
    answers = [{"text": example.answer, "answer_start": example.answer_start}]
    asked: dict[str, Any] = {
        "id": identity,
        "question": example.question,
        "answers": [] if example.is_impossible else answers,
    }
    return asked if version == "1.1" else asked | {"is_impossible": example.is_impossible}


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8", newline="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    for written in write_all(parser.parse_args().folder):
        print(written)
