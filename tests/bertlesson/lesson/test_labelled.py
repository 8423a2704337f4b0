"""The labelled data: training examples keep out of the test data's words, and answers are there."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from zlib import crc32

import pytest

from bertlesson.lesson import corpus_text as text
from bertlesson.lesson.corpus import ALL_WORDS, Sentence, Split
from bertlesson.lesson.labelled import (
    HELD_OUT,
    WORDS,
    entity_examples,
    question_examples,
    sentiment_examples,
)
from tests.bertlesson.lesson.story_words import MOOD, PEOPLE, names, words_of

SMILED = [verb for verbs in text.SMILED.values() for verb in verbs]


@pytest.mark.slow
def test_no_test_name_is_in_a_labelled_training_example() -> None:
    train = entity_examples(3_000, seed=0, split="train")
    test = entity_examples(3_000, seed=0, split="test")
    assert not names(train) & names(test)
    people = {words[0] for words in map(words_of, names(test)) if words[0] in PEOPLE}
    assert people == {*HELD_OUT.women, *HELD_OUT.men}
    assert {label for s in train for _, _, label in s.entities} == {"PER", "LOC", "ORG"}


def test_a_part_of_the_adjectives_is_in_no_labelled_training_example() -> None:
    def adjectives(found: list[Sentence]) -> set[str]:
        return {w for s in found for w in words_of(s.text.lower()) if w in MOOD}

    train = adjectives(sentiment_examples(3_000, seed=0, split="train"))
    test = adjectives(sentiment_examples(3_000, seed=0, split="test"))
    held_out = {word for words in HELD_OUT.adjectives.values() for word in words}
    assert test - train == held_out
    assert train < test
    assert all(
        set(HELD_OUT.adjectives[mood]) < set(text.ADJECTIVES[mood]) for mood in MOOD.values()
    )


def test_all_words_of_both_splits_are_in_the_text_to_pretrain_on() -> None:
    for split in (WORDS["train"], WORDS["test"]):
        assert {*split.women, *split.men} <= {*ALL_WORDS.women, *ALL_WORDS.men}
        assert set(split.towns) <= set(ALL_WORDS.towns)


def test_adjectives_alone_show_the_sentiment() -> None:
    verbs = {w for words in (text.LOVED, text.SMILED) for mood in words for w in words[mood]}
    found = sentiment_examples(500, seed=0, split="train")
    assert not [s for s in found if verbs & set(words_of(s.text))]
    assert 0.4 < sum(s.sentiment == "positive" for s in found) / len(found) < 0.6


@pytest.mark.slow
def test_no_sentence_is_in_both_splits() -> None:
    for examples in (sentiment_examples, entity_examples):
        train, test = (
            {s.text for s in examples(2_000, seed=seed, split=split)}
            for seed, split in ((0, "train"), (1, "test"))
        )
        assert not train & test


def test_the_answer_is_at_its_stated_position() -> None:
    kinds: Counter[str] = Counter()
    for example in question_examples(6_000, seed=0, split="train"):
        assert example.answer_start is not None
        end = example.answer_start + len(example.answer)
        assert example.context[example.answer_start : end] == example.answer != ""
        # whole words: Frida is not in Friday
        around = f" {example.context}"[example.answer_start], example.context[end]
        assert not any(map(str.isalpha, around))
        assert not {*words_of(example.answer)} & {*words_of(example.question)} - {"the"}
        assert example.question.endswith("?")
        sentence = (
            example.context[: example.answer_start].rpartition(". ")[2]
            + example.context[example.answer_start :].partition(". ")[0]
        )
        kind = kind_of(example.answer)
        kinds[kind] += 1
        if kind in ("person", "town", "day"):  # where the story tells of the trip
            assert any(day in sentence for day in text.DAYS)
        else:
            assert any(verb in sentence for verb in ("called", "asked", *SMILED))
    assert min(kinds.values()) > 1_000
    assert set(kinds) == {"person", "town", "day", "place", "neighbour"}


def kind_of(answer: str) -> str:
    """What an answer names, by its words."""
    for kind, words in {
        "person": PEOPLE,
        "town": {*text.TOWNS},
        "day": {*text.DAYS},
        "neighbour": {*text.NEIGHBOURS},
    }.items():
        if answer in words:
            return kind
    adjective, noun = answer.split()
    assert adjective in text.PLACE_ADJECTIVES
    assert noun in text.PLACE_NOUNS
    return "place"


def test_answers_have_one_to_three_words_in_both_splits() -> None:
    splits: tuple[Split, Split] = ("train", "test")
    for split in splits:
        lengths = Counter(len(e.answer.split()) for e in question_examples(500, 0, split))
        assert set(lengths) == {1, 2, 3}
        assert lengths[1] > lengths[2] > lengths[3] > 5


def test_a_question_without_an_answer_asks_about_what_is_not_there() -> None:
    found = question_examples(400, seed=0, split="test", impossible=0.5)
    impossible = [example for example in found if example.is_impossible]
    assert 140 < len(impossible) < 260
    known = {*PEOPLE, *text.TOWNS, *text.DAYS}
    for example in impossible:
        assert example.answer == ""
        assert example.answer_start is None
        asked = set(words_of(example.question)) & known
        assert asked
        assert not asked & set(words_of(example.context))


def test_all_questions_or_none_may_have_no_answer() -> None:
    for impossible in (0.0, 1.0):
        found = question_examples(50, seed=0, split="train", impossible=impossible)
        assert {example.is_impossible for example in found} == {impossible == 1}


# What is refused


@pytest.mark.parametrize("make", [sentiment_examples, entity_examples, question_examples])
def test_bad_requests_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="n is -1"):
        make(-1, 0, "train")
    with pytest.raises(ValueError, match="split is 'dev'"):
        make(1, 0, "dev")


def test_examples_are_those_that_the_lesson_was_written_for() -> None:
    """What the pages print follows from these draws: where they change, so do the pages."""
    splits: tuple[Split, Split] = ("train", "test")
    digest = hashlib.sha256()
    for seed, split in itertools.product((0, 1), splits):
        for sentence in sentiment_examples(30, seed, split) + entity_examples(30, seed, split):
            digest.update(f"{sentence.text} {sentence.sentiment} {sentence.entities}".encode())
        for example in question_examples(30, seed, split, impossible=0.3):
            digest.update(repr(example).encode())
    assert digest.hexdigest()[:16] == "4d0c40692336a6d4"


def test_every_sentence_belongs_to_one_split() -> None:
    splits: tuple[Split, Split] = ("train", "test")
    for half, split in enumerate(splits):
        for sentence in sentiment_examples(30, 0, split) + entity_examples(30, 0, split):
            assert crc32(sentence.text.encode()) % 2 == half
