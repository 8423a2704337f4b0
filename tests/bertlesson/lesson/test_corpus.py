"""The text is the same everywhere, is marked correctly, and varies as it should."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from string import Formatter

import pytest

from bertlesson.lesson import corpus_text as text
from bertlesson.lesson.corpus import Document, Sentence, generate_documents
from bertlesson.lesson.labelled import question_examples
from tests.bertlesson.lesson.story_words import MOOD, PEOPLE, printed_in_every_process, words_of

DOCUMENTS = generate_documents(400, seed=0)

FRAMES = [
    *text.TRIPS,
    *text.LINKS,
    *text.ARRIVALS,
    *text.OPINIONS,
    *text.REMARKS,
    *(frame for frames in (*text.QUESTIONS.values(), *text.ANSWERS.values()) for frame in frames),
]


def sentences() -> Iterator[Sentence]:
    return (sentence for document in DOCUMENTS for sentence in document.sentences)


# The documents


def test_a_seed_gives_the_same_text_in_every_process() -> None:
    code = (
        "from bertlesson.lesson.corpus import *\n"
        "from bertlesson.lesson.labelled import *\n"
        "print(generate_documents(3, 7)); print(sentiment_examples(3, 7, 'test'))\n"
        "print(entity_examples(3, 7, 'train')); print(question_examples(3, 7, 'test', 0.5))\n"
    )
    assert repr(generate_documents(3, 7)) in printed_in_every_process(code)


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


@pytest.mark.slow
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
