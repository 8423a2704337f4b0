"""Entities: labels land on the right pieces, and come back as the right characters."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from bertlesson.entities import Entity, decode_entities, encode_entities, entity_f1
from bertlesson.heads import IGNORE_INDEX
from bertlesson.words import Word, find_words
from tests.bertlesson.small_tokenizer import (
    LABELS,
    byte_level,
    make_tokenizer,
    pieces_of,
    sentence_piece,
    white_space_only,
)
from tests.bertlesson.test_words import ACCENT, DROPPED, KINDS, SHADDA, ZERO_WIDTH


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
        ((3, 4, "PER"), "contains no word; expected one that begins and ends with a word$"),
        ((0, 3, "MISC"), "of kind MISC; expected one of the labels"),
        ((0, 99, "PER"), "is not within these 17 characters"),
        ((-5, 3, "PER"), "is not within these 17 characters"),
        ((3, 0, "PER"), "is not within these 17 characters"),
        ((4, 16, "LOC"), "'Delft', overlaps the one before it"),
    ],
)
def test_entities_that_are_no_words_are_refused(entity: tuple[int, int, str], message: str) -> None:
    entities = [(11, 16, "LOC"), entity]
    with pytest.raises(ValueError, match=message):
        encode_entities(make_tokenizer(), ["Ada was in Delft."], [entities], LABELS)


@pytest.mark.parametrize("kinds", [["B-PER", "I-PER"], ["O", "I-PER"], ["O", "B-PER"]])
def test_labels_that_cannot_spell_an_entity_are_refused(kinds: list[str]) -> None:
    with pytest.raises(ValueError, match=r"the labels(,| are) \["):
        encode_entities(make_tokenizer(), ["Ada was."], [[(0, 3, "PER")]], kinds)


def test_an_entity_past_the_end_of_the_row_is_left_out() -> None:
    with pytest.warns(UserWarning, match="1 of 1 texts .* row of 4 pieces.* 1 entity"):
        features = encode_entities(
            make_tokenizer(4), ["Ada was in Delft."], [[(0, 3, "PER"), (11, 16, "LOC")]], LABELS
        )
    assert features["labels"].tolist() == [[-100, LABELS.index("B-PER"), 0, -100]]


def test_an_entity_across_the_end_of_the_row_is_labelled_as_far_as_it_is_read() -> None:
    tokenizer, text = make_tokenizer(5), "Ada, Greta was in Delft."
    with pytest.warns(UserWarning, match="1 of 1 texts .* 1 entity, in whole or in part"):
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
    found = find_words(tokenizer([text]), 0, text)
    assert [(word.start, word.end) for word in found] == spans
    assert decode_entities(features["labels"][0].tolist(), found, LABELS) == entities


def round_trip(tokenizer: PreTrainedTokenizerFast, text: str, spans: list[Entity]) -> list[Entity]:
    tags = encode_entities(tokenizer, [text], [spans], LABELS)["labels"][0].tolist()
    return decode_entities(tags, find_words(tokenizer([text]), 0, text), LABELS)


@pytest.mark.parametrize("kind", KINDS)
@given(rng=st.randoms(use_true_random=False))
def test_entities_come_back_with_dropped_characters_and_without_spaces(
    kind: str, rng: random.Random
) -> None:
    text, spans, given_as = "", [], []
    for _ in range(rng.randint(1, 8)):
        text += rng.choice([" ", "  ", " " + ZERO_WIDTH, " " + ACCENT]) * bool(text)
        word = rng.choice([*DROPPED, "Gretalof", "in", "Éire", "Malta"])
        start, before = len(text), len(text.rstrip())
        text += word
        spans.append((start, len(text), rng.choice(["PER", "LOC"])))
        # with the space before, and a dropped character with it, it is the same entity
        given_as.append((rng.choice([start, before]), *spans[-1][1:]))
    if kind != "byte-level" and kind != "byte-level, trimmed":  # these drop nothing
        assert round_trip(KINDS[kind](), text, given_as) == spans
    assert round_trip(KINDS[kind](), text, spans) == spans


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ["", " ", " in Malta", "  in"])
@pytest.mark.parametrize("name", ["Jose" + ACCENT, "Jose" + ZERO_WIDTH, "رياضي" + SHADDA, "Éire"])
def test_a_name_with_a_dropped_character_is_no_end_of_the_data_set(
    name: str, end: str, kind: str
) -> None:
    tokenizer, text = KINDS[kind](), f"in {name}{end}"
    entity = (3, 3 + len(name), "PER")
    assert round_trip(tokenizer, text, [entity]) == [entity]
    if end.startswith(" "):
        assert round_trip(tokenizer, text, [(2, 4 + len(name), "PER")]) == [entity]


def test_of_a_name_without_its_accent_both_are_given_back() -> None:
    """Where the text has the accent, and its annotation has not."""
    entity = (0, 4, "PER")
    assert round_trip(make_tokenizer(), f"Jose{ACCENT} was", [entity]) == [(0, 5, "PER")]


def test_every_entity_is_taken_where_a_space_is_a_part_of_the_word() -> None:
    for tokenizer in (byte_level(trim_offsets=False), sentence_piece()):
        text = "Ada in Malta"
        features = encode_entities(tokenizer, [text], [[(0, 3, "PER"), (7, 12, "LOC")]], LABELS)
        labels = features["labels"][0].tolist()
        words = find_words(tokenizer([text]), 0)  # of the pieces alone, too
        assert decode_entities(labels, words, LABELS) == [(0, 3, "PER"), (7, 12, "LOC")]
        with pytest.raises(ValueError, match=r"'alta', does not begin .* 'Malta' .7:12. is one"):
            encode_entities(tokenizer, [text], [[(8, 12, "LOC")]], LABELS)


def test_what_is_wrong_with_an_entity_names_the_text_and_the_word() -> None:
    tokenizer = white_space_only()
    texts = ["Ada was.", "Was in Paris, Ada said"]
    message = (
        r"texts\[1\], 'Was in Paris, Ada said': the entity 7:12, 'Paris', does not begin and end "
        r"with a word; expected whole words: 'Paris,' \(7:13\) is one word to this tokenizer. Give "
        "the entity as 7:13, put a space in the text where it ends, or use a tokenizer that splits "
        "there"
    )
    with pytest.raises(ValueError, match=message):
        encode_entities(tokenizer, texts, [[], [(7, 12, "LOC")]], LABELS)
    assert round_trip(tokenizer, texts[1], [(7, 13, "LOC")]) == [(7, 13, "LOC")]
    long = "was " * 1000 + "Ada"
    with pytest.raises(ValueError, match=r"texts\[0\], …'.{60}'…: the entity") as raised:
        encode_entities(make_tokenizer(9999), [long], [[(2, 3900, "PER")]], LABELS)
    assert len(str(raised.value)) < 500
    for nothing in (" ", ZERO_WIDTH):
        with pytest.raises(ValueError, match="contains no word; expected one"):
            encode_entities(make_tokenizer(), ["Ada " + nothing], [[(4, 5, "PER")]], LABELS)


@pytest.mark.parametrize("side", ["left", "right"])
def test_labels_and_words_land_with_padding_on_either_side(side: str) -> None:
    tokenizer = make_tokenizer()
    tokenizer.padding_side = side
    texts = ["Ada was in Gretalof", "Ada"]
    spans = [[(0, 3, "PER"), (11, 19, "LOC")], [(0, 3, "PER")]]
    features = encode_entities(tokenizer, texts, spans, LABELS)
    encoded = tokenizer(texts, padding=True)
    for row in range(2):
        labels = features["labels"][row].tolist()
        assert decode_entities(labels, find_words(encoded, row), LABELS) == spans[row]
        kept = features["attention_mask"][row].bool()
        assert pieces_of(tokenizer, features["input_ids"][row][kept])[1] == "ada"
        assert features["labels"][row][kept][1] == LABELS.index("B-PER")
        assert (features["labels"][row][~kept] == IGNORE_INDEX).all()


def test_entities_that_are_cut_off_are_counted() -> None:
    tokenizer = make_tokenizer(5)
    texts = ["Ada was in Delft. Ada", "Ada", "Ada, Ada", "Gretalof Gretalof"]
    entities = [
        [(0, 3, "PER"), (11, 16, "LOC"), (18, 21, "PER")],
        [(0, 3, "PER")],
        [(0, 3, "PER"), (5, 8, "PER")],
        [(0, 8, "PER"), (9, 17, "PER")],
    ]
    with pytest.warns(UserWarning, match="2 of 4 texts .* of 5 pieces.* 3 entities") as warned:
        features = encode_entities(tokenizer, texts, entities, LABELS)
    assert warned[0].filename == __file__
    b, i = LABELS.index("B-PER"), IGNORE_INDEX
    assert features["labels"].tolist() == [
        [i, b, 0, 0, i],
        [i, b, i, i, i],
        [i, b, 0, b, i],
        [i, b, i, i, i],
    ]


def test_a_row_that_is_cut_at_its_beginning_has_the_labels_of_its_end() -> None:
    tokenizer = make_tokenizer(6)
    tokenizer.truncation_side = "left"
    text = "Ada was in Delft Ada Ada"
    entities = [(0, 3, "PER"), (8, 20, "LOC"), (21, 24, "PER")]
    with pytest.warns(UserWarning, match="1 of 1 texts .* 1 entity"):
        features = encode_entities(tokenizer, [text], [entities], LABELS)
    spelled = [LABELS[number] for number in features["labels"][0, 1:-1].tolist()]
    assert spelled == ["B-LOC", "I-LOC", "I-LOC", "B-PER"]


def test_labels_of_other_schemes_are_used_as_they_are_meant() -> None:
    text, spans = (
        "Ada Ada was in the Green Owl Delft",
        [(0, 7, "PER"), (19, 34, "LOC"), (8, 11, "PER")],
    )
    for letters, expected in {
        "BIES": "B E S O O B I E",
        "BILU": "B L U O O B I L",
        "BMES": "B E S O O B M E",
        "BI": "B I B O O B I I",
    }.items():
        labels = ["O", *(f"{letter}-{kind}" for letter in letters for kind in ("PER", "LOC"))]
        features = encode_entities(make_tokenizer(), [text], [spans], labels)
        numbers = features["labels"][0].tolist()
        assert " ".join(labels[n][0] for n in numbers if n != IGNORE_INDEX) == expected
        words = find_words(make_tokenizer()([text]), 0)
        assert decode_entities(numbers, words, labels) == sorted(spans)


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
    assert entity_f1([[]], [[]], zero_division=0.0) == 0.0  # as seqeval and CoNLL's script have it
    assert entity_f1(truth, [[], []], zero_division=1.0) == 0.0
    # another text's entity does not count, nor does one with another kind: 1 right, 3 + 2
    assert entity_f1(truth, [[(0, 1, "PER")], [(2, 3, "LOC")]]) == pytest.approx(2 / 5)
    assert entity_f1(truth, [[(0, 1, "LOC")], [(0, 1, "PER")]]) == pytest.approx(2 / 5)


def test_texts_and_what_belongs_to_them_are_counted() -> None:
    tokenizer = make_tokenizer()
    with pytest.raises(ValueError, match="1 texts and 2 entities"):
        encode_entities(tokenizer, ["Ada."], [[], []], LABELS)
    with pytest.raises(ValueError, match="texts is empty"):
        encode_entities(tokenizer, [], [], LABELS)
    with pytest.raises(ValueError, match="2 truth and 1 predicted"):
        entity_f1([[], []], [[]])


def test_what_is_cut_off_is_counted() -> None:
    texts = ["Ada was in Delft.", "Ada was at the Green Owl in Bergen."]
    entities = [[(0, 3, "PER"), (11, 16, "LOC")], [(15, 24, "ORG"), (28, 34, "LOC")]]
    with pytest.warns(UserWarning, match=" 3 entities, in whole or in part"):
        encode_entities(make_tokenizer(4), texts, entities, LABELS)


def test_the_warning_is_where_the_call_is() -> None:
    with pytest.warns(UserWarning, match="1 of 1 texts") as recorded:
        encode_entities(make_tokenizer(4), ["Ada was in Delft."], [[]], LABELS)
    assert [warning.filename for warning in recorded] == [__file__]


def test_tags_are_scored_as_the_entities_that_they_spell() -> None:
    truth = [["B-PER", "I-PER", "O", "B-LOC"], ["O"]]
    found = [["B-PER", "I-PER", "O", "O"], ["B-LOC"]]
    assert entity_f1(truth, found) == 0.5
    assert entity_f1(truth, truth) == 1
    assert entity_f1([["O"]], [["O"]], zero_division=0.0) == 0
