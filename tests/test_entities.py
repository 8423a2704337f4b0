"""Entities: labels land on the right pieces, and come back as the right characters."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import BatchEncoding

from bertlesson.entities import (
    Word,
    decode_entities,
    encode_entities,
    entity_f1,
    find_words,
)
from bertlesson.heads import (
    IGNORE_INDEX,
)
from tests.small_tokenizer import LABELS, make_tokenizer, pieces_of


def test_first_pieces_are_labelled_and_all_others_are_not() -> None:
    tokenizer = make_tokenizer()
    text = "Gretalof was at the Green Owl in Bergen, Delft."
    entities = [(0, 8, "PER"), (20, 29, "ORG"), (33, 39, "LOC"), (41, 46, "LOC")]
    features = encode_entities(tokenizer, [text, "Ada."], [entities, []], LABELS)
    labels = [LABELS[i] if i != IGNORE_INDEX else "-" for i in features["labels"][0].tolist()]
    assert list(zip(pieces_of(tokenizer, features["input_ids"][0]), labels, strict=True)) == [
        ("[CLS]", "-"),
        ("greta", "B-PER"),
        ("##l", "-"),
        ("##of", "-"),
        ("was", "O"),
        ("at", "O"),
        ("the", "O"),
        ("green", "B-ORG"),
        ("owl", "I-ORG"),
        ("in", "O"),
        ("ber", "B-LOC"),
        ("##gen", "-"),
        (",", "O"),
        ("delft", "B-LOC"),
        (".", "O"),
        ("[SEP]", "-"),
    ]
    assert features["labels"][1].tolist() == [-100, 0, 0] + [-100] * 13
    assert features["attention_mask"].sum(1).tolist() == [16, 4]


@pytest.mark.parametrize(
    ("entity", "message"),
    [
        ((0, 2, "PER"), "'Ad', does not begin and end with a word"),
        ((1, 3, "PER"), "'da', does not begin and end with a word"),
        ((3, 4, "PER"), "does not begin and end with a word"),
        ((0, 3, "MISC"), "of kind MISC; the labels are"),
        ((0, 99, "PER"), "does not lie in these 17 characters"),
        ((-5, 3, "PER"), "does not lie in these 17 characters"),
        ((3, 0, "PER"), "does not lie in these 17 characters"),
        ((4, 16, "LOC"), "'Delft', overlaps the one before it"),
    ],
)
def test_entities_that_are_no_words_are_refused(entity: tuple[int, int, str], message: str) -> None:
    entities = [(11, 16, "LOC"), entity]
    with pytest.raises(ValueError, match=message):
        encode_entities(make_tokenizer(), ["Ada was in Delft."], [entities], LABELS)


@pytest.mark.parametrize("kinds", [["B-PER", "I-PER"], ["O", "I-PER"], ["O", "B-PER"]])
def test_labels_that_cannot_spell_an_entity_are_refused(kinds: list[str]) -> None:
    with pytest.raises(ValueError, match=r"the labels are \["):
        encode_entities(make_tokenizer(), ["Ada was."], [[(0, 3, "PER")]], kinds)


def test_words_are_found_in_what_a_fast_tokenizer_returned() -> None:
    for other in ({"input_ids": [[5]]}, BatchEncoding({"input_ids": [[5]]})):
        with pytest.raises(TypeError, match="expected what a fast tokenizer returned"):
            find_words(other, 0)  # type: ignore[arg-type]


def test_an_entity_past_the_end_of_the_row_is_left_out() -> None:
    features = encode_entities(
        make_tokenizer(4), ["Ada was in Delft."], [[(0, 3, "PER"), (11, 16, "LOC")]], LABELS
    )
    assert features["labels"].tolist() == [[-100, LABELS.index("B-PER"), 0, -100]]


def test_an_entity_across_the_end_of_the_row_is_labelled_as_far_as_it_is_read() -> None:
    tokenizer, text = make_tokenizer(5), "Ada, Greta was in Delft."
    features = encode_entities(tokenizer, [text], [[(5, 23, "PER")]], LABELS)
    assert [LABELS[i] for i in features["labels"][0, 1:4].tolist()] == ["O", "O", "B-PER"]
    with pytest.raises(ValueError, match="'reta was in Delft', does not begin"):
        encode_entities(tokenizer, [text], [[(6, 23, "PER")]], LABELS)


@given(st.randoms(use_true_random=False))
def test_entities_come_back_as_they_went_in(rng: random.Random) -> None:
    words = rng.choices(
        ["Gretalof", "Ada", "Bergen", "was", "the", "Owl", ","], k=rng.randint(1, 9)
    )
    text, spans, entities = "", [], []
    for word in words:
        text += " " * bool(text) * rng.choice([1, 1, 2])
        spans.append((len(text), len(text) + len(word)))
        text += word
    place = 0
    while place < len(words):
        length = rng.randint(1, 3)
        if rng.random() < 0.5:
            part = spans[place : place + length]
            entities.append((part[0][0], part[-1][1], rng.choice(["PER", "LOC", "ORG"])))
        place += length
    tokenizer = make_tokenizer()
    features = encode_entities(tokenizer, [text], [entities], LABELS)
    found = find_words(tokenizer([text]), 0)
    assert [(word.start, word.end) for word in found] == spans
    assert decode_entities(features["labels"][0].tolist(), found, LABELS) == entities


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        ("O O O", []),
        ("B-PER I-PER O", [(0, 3, "PER")]),
        ("B-PER B-PER I-PER", [(0, 1, "PER"), (2, 5, "PER")]),
        ("I-PER I-PER O", [(0, 3, "PER")]),
        ("B-PER I-LOC I-LOC", [(0, 1, "PER"), (2, 5, "LOC")]),
        ("B-PER O I-PER", [(0, 1, "PER"), (4, 5, "PER")]),
    ],
)
def test_labels_spell_entities(predicted: str, expected: list[tuple[int, int, str]]) -> None:
    words = [Word(1, 0, 1), Word(2, 2, 3), Word(4, 4, 5)]
    first, second, third = (LABELS.index(label) for label in predicted.split())
    labels = [3, first, second, 5, third]  # those of [CLS] and of a ## piece are not looked at
    assert decode_entities(labels, words, LABELS) == expected


def test_f1_counts_whole_entities_over_all_texts() -> None:
    truth = [[(0, 1, "PER"), (2, 3, "LOC")], [(0, 1, "PER")]]
    assert entity_f1(truth, truth) == 1.0
    assert entity_f1(truth, [[], []]) == 0.0
    assert entity_f1([[]], [[]]) == 1.0
    # another text's entity does not count, nor does one with another kind: 1 right, 3 + 2
    assert entity_f1(truth, [[(0, 1, "PER")], [(2, 3, "LOC")]]) == pytest.approx(2 / 5)
    assert entity_f1(truth, [[(0, 1, "LOC")], [(0, 1, "PER")]]) == pytest.approx(2 / 5)


def test_texts_and_what_belongs_to_them_are_counted() -> None:
    tokenizer = make_tokenizer()
    with pytest.raises(ValueError, match="1 texts and 2 entities"):
        encode_entities(tokenizer, ["Ada."], [[], []], LABELS)
    with pytest.raises(ValueError, match="no texts"):
        encode_entities(tokenizer, [], [], LABELS)
    with pytest.raises(ValueError, match="2 truth and 1 predicted"):
        entity_f1([[], []], [[]])
