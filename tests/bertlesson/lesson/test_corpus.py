"""The text is the same everywhere, is marked rightly, and keeps its test words to itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from string import Formatter

import pytest

from bertlesson.lesson import corpus_text as text
from bertlesson.lesson.corpus import ALL_WORDS, Document, Sentence, generate_documents
from bertlesson.lesson.labelled import (
    HELD_OUT,
    WORDS,
    entity_examples,
    question_examples,
    sentiment_examples,
)

DOCUMENTS = generate_documents(400, seed=0)
FRAMES = [
    *text.TRIPS,
    *text.LINKS,
    *text.ARRIVALS,
    *text.OPINIONS,
    *text.REMARKS,
    *(frame for frames in (*text.QUESTIONS.values(), *text.ANSWERS.values()) for frame in frames),
]
PEOPLE = {*text.WOMEN, *text.MEN}
MOOD = {
    word: mood
    for words in (text.ADJECTIVES, text.LOVED, text.SMILED)
    for mood in words
    for word in words[mood]
}


def words_of(sentence: str) -> list[str]:
    return re.findall(r"\w+", sentence)


def sentences() -> Iterator[Sentence]:
    return (sentence for document in DOCUMENTS for sentence in document.sentences)


def names(entities: list[Sentence]) -> set[str]:
    return {s.text[e.start : e.end] for s in entities for e in s.entities}


# The documents


def test_a_seed_gives_the_same_text_in_every_process() -> None:
    code = (
        "from bertlesson.lesson.corpus import *\n"
        "from bertlesson.lesson.labelled import *\n"
        "print(generate_documents(3, 7)); print(sentiment_examples(3, 7, 'test'))\n"
        "print(entity_examples(3, 7, 'train')); print(question_examples(3, 7, 'test', 0.5))\n"
    )
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
    assert len(printed) == 1
    assert repr(generate_documents(3, 7)) in printed.pop()


def test_other_seeds_and_splits_give_other_text() -> None:
    drawn = [
        generate_documents(20, seed=0),
        generate_documents(20, seed=1),
        generate_documents(20, seed=0, split="test"),
    ]
    texts = [{document.text for document in documents} for documents in drawn]
    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    assert generate_documents(5, seed=0) == drawn[0][:5]


def test_a_document_has_one_mood_in_every_sentence() -> None:
    for document in DOCUMENTS:
        moods = {MOOD[word] for word in words_of(document.text.lower()) if word in MOOD}
        assert moods == {document.sentiment}
        for sentence in document.sentences:
            told = any(word in MOOD for word in words_of(sentence.text.lower()))
            assert sentence.sentiment == (document.sentiment if told else None)
    share = sum(document.sentiment == "positive" for document in DOCUMENTS) / len(DOCUMENTS)
    assert 0.4 < share < 0.6


def test_a_document_is_about_two_people_two_towns_and_one_place() -> None:
    for document in DOCUMENTS:
        found: dict[str, set[str]] = {"PER": set(), "LOC": set(), "ORG": set()}
        for sentence in document.sentences:
            for start, end, label in sentence.entities:
                found[label].add(sentence.text[start:end])
        assert len(found["PER"]) == 2
        assert found["PER"] < PEOPLE
        assert len(found["LOC"]) == 2
        assert found["LOC"] < set(text.TOWNS)
        assert len(found["ORG"]) == 1


def test_every_name_is_marked_and_nothing_else() -> None:
    is_name = {*PEOPLE, *text.TOWNS, *text.PLACE_ADJECTIVES, *text.PLACE_NOUNS}
    for sentence in sentences():
        marked = " ".join(sentence.text[e.start : e.end] for e in sentence.entities).split()
        assert marked == [word for word in words_of(sentence.text) if word in is_name]


def test_sentences_are_written_properly() -> None:
    for sentence in sentences():
        assert re.fullmatch(r"[A-Z].*[.!?]", sentence.text)
        assert not re.search(r"\ba [aeiou]|\ban [^aeiou]|  |[{}]", sentence.text, re.I)
        assert not re.search(r"[.!?] [a-z]", sentence.text)


def test_every_frame_and_every_word_is_used() -> None:
    written = Counter(words_of(" ".join(d.text for d in generate_documents(4_000, seed=1)).lower()))
    listed = [
        *(
            word
            for words in (*text.VENUES.values(), text.DAYS, text.TOWNS, PEOPLE)
            for word in words
        ),
        *text.PLACE_ADJECTIVES,
        *text.PLACE_NOUNS,
        *MOOD,
    ]
    assert not [word for word in listed if word.lower() not in written]
    literals = {
        word for frame in FRAMES for word in words_of(re.sub(r"\{\w+\}", " ", frame).lower())
    }
    assert not [word for word in literals if word not in written]


def test_common_adjectives_are_commoner_than_rare_ones() -> None:
    written = Counter(words_of(" ".join(d.text for d in generate_documents(2_000, seed=2)).lower()))
    for words in text.ADJECTIVES.values():
        assert written[words[0]] > 2 * written[words[10]] > 2 * written[words[-1]]


def test_words_stand_in_one_list_only() -> None:
    # a word that is two things would be marked wrongly
    lists = [text.WOMEN, text.MEN, text.TOWNS, text.PLACE_ADJECTIVES, text.PLACE_NOUNS, text.DAYS]
    lists += text.VENUES.values()
    for by_mood in (text.ADJECTIVES, text.LOVED, text.SMILED):
        lists += by_mood.values()
    listed = [word.lower() for words in lists for word in words]
    assert [word for word, times in Counter(listed).items() if times > 1] == []


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_tells_no_more_than_its_slots(frame: str) -> None:
    literal = "".join(part for part, _, _, _ in Formatter().parse(frame))
    named = {*PEOPLE, *text.TOWNS, *text.DAYS}
    assert not set(words_of(literal)) & named
    assert not {word for word in words_of(literal.lower()) if word in MOOD}


# The labelled data


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


def test_sentiment_is_told_by_adjectives_alone() -> None:
    verbs = {w for words in (text.LOVED, text.SMILED) for mood in words for w in words[mood]}
    found = sentiment_examples(500, seed=0, split="train")
    assert not [s for s in found if verbs & set(words_of(s.text))]
    assert 0.4 < sum(s.sentiment == "positive" for s in found) / len(found) < 0.6


def test_no_sentence_is_in_both_splits() -> None:
    for examples in (sentiment_examples, entity_examples):
        train, test = (
            {s.text for s in examples(2_000, seed=seed, split=split)}
            for seed, split in ((0, "train"), (1, "test"))
        )
        assert not train & test


def test_the_answer_stands_where_it_is_said_to() -> None:
    for example in question_examples(500, seed=0, split="train"):
        assert example.answer
        assert example.context[example.answer_start :].startswith(example.answer)
        # in the sentence that tells of the trip, which is the one with the day
        before = example.context[: example.answer_start].rpartition(". ")[2]
        after = example.context[example.answer_start :].partition(". ")[0]
        assert any(day in before + after for day in text.DAYS)
        assert not example.is_impossible
        assert example.answer not in example.question
        assert example.question.endswith("?")
    kinds = Counter(
        "PER" if e.answer in PEOPLE else "day" if e.answer in text.DAYS else "town"
        for e in question_examples(900, seed=1, split="train")
    )
    assert min(kinds.values()) > 200


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


# What is refused


@pytest.mark.parametrize("make", [sentiment_examples, entity_examples, question_examples])
def test_bad_requests_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="n is -1"):
        make(-1, 0, "train")
    with pytest.raises(ValueError, match="split is 'dev'"):
        make(1, 0, "dev")


def test_bad_requests_for_documents_and_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="n is -1"):
        generate_documents(-1, seed=0)
    with pytest.raises(ValueError, match="split is 'dev'"):
        generate_documents(1, seed=0, split="dev")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"impossible is 1\.5"):
        question_examples(1, 0, "train", impossible=1.5)
    assert generate_documents(0, seed=0) == []


def test_a_document_reads_as_its_sentences() -> None:
    document = Document((Sentence("Ada sang."), Sentence("It rained.")), "positive")
    assert document.text == "Ada sang. It rained."
