"""Words of a tokenized text: all of their characters, no space, and none of another word."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import normalizers
from transformers import BatchEncoding, PreTrainedTokenizerFast

from bertlesson.words import Word, encodings_of, find_words, visible_words
from tests.bertlesson.small_tokenizer import (
    byte_level,
    make_tokenizer,
    sentence_piece,
    white_space_only,
)

KINDS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "WordPiece": make_tokenizer,
    "white space": white_space_only,
    "byte-level": lambda: byte_level(trim_offsets=False),
    "byte-level, trimmed": lambda: byte_level(trim_offsets=True),
    "SentencePiece": sentence_piece,
}
ACCENT, SHADDA, ZERO_WIDTH, SOFT_HYPHEN = "\u0301", "\u0651", "\u200b", "\u00ad"
DROPPED = [
    "Jose" + ACCENT,
    "Jose" + ZERO_WIDTH,
    "Jose" + ACCENT + ZERO_WIDTH,
    "رياضي" + SHADDA,
    "So" + SOFT_HYPHEN + "fia",
    "Sofia" + SOFT_HYPHEN,
]


def found(tokenizer: PreTrainedTokenizerFast, text: str, *, with_text: bool = True) -> list[str]:
    words = find_words(tokenizer([text]), 0, text if with_text else None)
    return [text[start:end] for _, start, end in words]


@given(rng=st.randoms(use_true_random=False))
@pytest.mark.parametrize("kind", ["WordPiece", "white space", "SentencePiece"])
def test_words_have_all_of_their_characters(kind: str, rng: random.Random) -> None:
    """Also those that the tokenizer drops, at the end of the text, and before several spaces."""
    parts = rng.choices([*DROPPED, "Gretalof", "in", "Éire", "Malta", "x"], k=rng.randint(1, 8))
    spaces = [rng.choice([" ", "  ", "   "]) for _ in parts]
    leading, last = rng.choice(["", " "]), rng.choice(["", " "])
    text = leading + "".join(a + b for a, b in zip(spaces, parts, strict=True)).lstrip() + last
    assert found(KINDS[kind](), text) == parts


@pytest.mark.parametrize("with_text", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("Malta", ["Malta"]),
        (" Malta in Malta", ["Malta", "in", "Malta"]),
        ("Éire in Éire", ["Éire", "in", "Éire"]),
        ("É in É in", ["É", "in", "É", "in"]),
        ("رياضي in", ["رياضي", "in"]),
    ],
)
def test_no_word_begins_with_a_space(
    text: str, words: list[str], kind: str, with_text: bool
) -> None:
    assert found(KINDS[kind](), text, with_text=with_text) == words


@pytest.mark.parametrize("kind", ["byte-level", "byte-level, trimmed"])
@pytest.mark.parametrize("with_text", [True, False])
def test_white_space_that_has_a_piece_is_no_word(kind: str, with_text: bool) -> None:
    text = "in   Malta  É in "
    assert found(KINDS[kind](), text, with_text=with_text) == ["in", "Malta", "É", "in"]


def test_a_dropped_character_belongs_to_the_word_before_it() -> None:
    tokenizer = make_tokenizer()
    assert found(tokenizer, f"Ada{ZERO_WIDTH}. Ada{ACCENT}, {ZERO_WIDTH}Ada {ACCENT} Ada") == [
        *("Ada" + ZERO_WIDTH, "."),
        *("Ada" + ACCENT, ","),
        *("Ada", "Ada"),
    ]
    assert found(tokenizer, f"東{ZERO_WIDTH}京{ZERO_WIDTH}") == ["東\u200b", "京\u200b"]


def test_a_zero_width_space_that_a_tokenizer_takes_for_a_space_is_none_of_the_next_word() -> None:
    tokenizer = sentence_piece()
    tokenizer.backend_tokenizer.normalizer = normalizers.Nmt()
    assert found(tokenizer, f"in{ZERO_WIDTH}Malta") == ["in" + ZERO_WIDTH, "Malta"]


@pytest.mark.parametrize("mark", [ACCENT, "\u20dd", ZERO_WIDTH])
def test_a_mark_between_a_space_and_a_word_is_none_of_the_word(mark: str) -> None:
    """The tokenizer drops it, and counts it with the space."""
    assert found(sentence_piece(), f"in {mark}Malta") == ["in", "Malta"]


@pytest.mark.parametrize("kind", ["byte-level", "byte-level, trimmed"])
def test_a_mark_that_has_pieces_of_its_own_is_a_word(kind: str) -> None:
    assert found(KINDS[kind](), f"in {ACCENT} Malta") == ["in", ACCENT, "Malta"]


def test_visible_words_lack_what_is_dropped_around_them() -> None:
    text = f" Ada{ACCENT} was{ZERO_WIDTH}."
    encoded = make_tokenizer()([text])
    words = visible_words(encodings_of(encoded)[0], text)
    assert words == [Word(1, 1, 4), Word(2, 6, 9), Word(3, 10, 11)]
    assert [text[start:end] for _, start, end in find_words(encoded, 0, text)] == [
        *("Ada" + ACCENT, "was" + ZERO_WIDTH, ".")
    ]


def test_words_of_one_character_keep_it() -> None:
    """NFKD writes this ligature out as four words."""
    assert found(sentence_piece(), "in \ufdfa in") == ["in", *["\ufdfa"] * 4, "in"]
    assert found(sentence_piece(), "in \ufdfa in", with_text=False) == ["in", *["\ufdfa"] * 4, "in"]


def test_without_the_text_few_characters_before_a_space_are_taken_for_dropped_ones() -> None:
    tokenizer = make_tokenizer()
    for name in ("Jose" + ACCENT, "رياضي" + SHADDA, "Ada" + ACCENT + ZERO_WIDTH):
        with pytest.warns(UserWarning, match="give it text="):
            assert found(tokenizer, f"{name} was", with_text=False) == [name, "was"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text in ("Ada was", "Ada,  was", "Ada , was", "Ada    was", "Ada\u0301", "Ada"):
            tokens = [word.strip(ACCENT) for word in text.replace(",", " , ").split()]
            assert found(tokenizer, text, with_text=False) == tokens
        assert found(tokenizer, "Ada  was\n\tAda\n") == ["Ada", "was", "Ada"]


def test_padding_on_the_left_moves_pieces_alone() -> None:
    tokenizer = make_tokenizer()
    texts = ["Gretalof in Bergen", "Ada"]
    right = tokenizer(texts, padding=True)
    tokenizer.padding_side = "left"
    left = tokenizer(texts, padding=True)
    for row, moved in ((0, 0), (1, 5)):
        expected = [word._replace(piece=word.piece + moved) for word in find_words(right, row)]
        assert find_words(left, row) == find_words(left, row, texts[row]) == expected


def test_texts_that_were_given_as_words_are_refused() -> None:
    sentences = [["Gretalof", "was"], ["Ada", "was"], ["a", "b"], ["a", "was", "Gretalof"]]
    for kind in KINDS:
        encoded = KINDS[kind]()(sentences, is_split_into_words=True)
        for row in range(len(sentences)):
            with pytest.raises(
                ValueError, match=r"expected a whole text.*encode_tags and decode_tags$"
            ):
                find_words(encoded, row)


def test_words_of_two_texts_are_kept_apart() -> None:
    encoded = make_tokenizer()(["Ada"], ["Greta was"])
    assert find_words(encoded, 0) == [Word(1, 0, 3), Word(3, 0, 5), Word(4, 6, 9)]
    with pytest.raises(ValueError, match="from two texts"):
        find_words(encoded, 0, "Ada")


def test_another_text_is_refused() -> None:
    with pytest.raises(ValueError, match=r"come from 7 characters .* has 3; expected the one text"):
        find_words(make_tokenizer()(["Ada", "Ada was"]), 1, "Ada")


def test_words_are_found_in_what_a_fast_tokenizer_returned() -> None:
    for other in ({"input_ids": [[5]]}, BatchEncoding({"input_ids": [[5]]})):
        with pytest.raises(TypeError, match="expected the unmodified output of a fast tokenizer"):
            find_words(other, 0)  # type: ignore[arg-type]
