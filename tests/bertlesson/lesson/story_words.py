"""What the tests of the corpus and of the labelled data look up."""

from __future__ import annotations

import re

from bertlesson.lesson import corpus_text as text
from bertlesson.lesson.corpus import Sentence

PEOPLE = {*text.WOMEN, *text.MEN}
MOOD = {
    word: mood
    for words in (text.ADJECTIVES, text.LOVED, text.SMILED)
    for mood in words
    for word in words[mood]
}


def words_of(sentence: str) -> list[str]:
    return re.findall(r"\w+", sentence)


def names(entities: list[Sentence]) -> set[str]:
    return {s.text[e.start : e.end] for s in entities for e in s.entities}
