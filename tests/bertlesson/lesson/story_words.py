"""What the tests of the corpus and of the labelled data look up."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from bertlesson.lesson import corpus_text as text
from bertlesson.lesson.corpus import Sentence

PEOPLE = {*text.WOMEN, *text.MEN}
MOOD = {
    word: mood
    for words in (text.ADJECTIVES, text.LOVED, text.SMILED)
    for mood in words
    for word in words[mood]
}


def printed_in_every_process(code: str) -> str:
    """What the code prints in a process of its own, whatever the order of sets is there."""
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    (same,) = printed
    return same


def words_of(sentence: str) -> list[str]:
    return re.findall(r"\w+", sentence)


def names(entities: list[Sentence]) -> set[str]:
    return {s.text[e.start : e.end] for s in entities for e in s.entities}
