"""Tags: every scheme is read, and words keep theirs."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest

from bertlesson.entities import decode_entities
from bertlesson.heads import IGNORE_INDEX
from bertlesson.tags import decode_tags, encode_tags, read_tags
from bertlesson.words import Word
from tests.bertlesson.small_tokenizer import LABELS, byte_level, make_tokenizer, pieces_of
from tests.bertlesson.tag_table import REFUSED, TABLE
from tests.bertlesson.test_words import ACCENT, KINDS, ZERO_WIDTH


@pytest.mark.parametrize(("tags", "entities"), TABLE)
def test_tags_spell_entities_as_seqeval_reads_them(tags: str, entities: list[Any]) -> None:
    """The page's module reads the same table, see tests/browser/test_decode.py."""
    assert read_tags(tags.split()) == [tuple(entity) for entity in entities]
    labels = sorted(set(tags.split()))
    words = [Word(2 * n + 1, 10 * n, 10 * n + 5) for n in range(len(tags.split()))]
    numbers = [-1] * (2 * len(words) + 1)
    for word, tag in zip(words, tags.split(), strict=True):
        numbers[word.piece] = labels.index(tag)
    expected = [(10 * first, 10 * after - 5, kind) for first, after, kind in entities]
    assert decode_entities(numbers, words, labels) == expected


@pytest.mark.parametrize("label", REFUSED)
def test_labels_of_no_scheme_are_refused(label: str) -> None:
    with pytest.raises(ValueError, match=r"; expected O, or B, I, E or S .* and a kind"):
        decode_entities([0, 1], [Word(1, 0, 3)], ["O", label])
    assert decode_entities([0, 0], [Word(1, 0, 3)], ["O", label]) == []  # it spells nothing here


# Data that come as words, each with a tag

SENTENCES = [
    ["U.S.-led", "talks", "in", "Bergen"],
    ["Ada", ",", "Jose" + ACCENT, "was", "in", "the", "Green", "Owl", "."],
    [],
]

SENTENCE_TAGS = [
    ["B-LOC", "O", "O", "B-LOC"],
    ["B-PER", "O", "B-PER", "O", "O", "O", "B-ORG", "I-ORG", "O"],
    [],
]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", ["WordPiece", "white space", "SentencePiece"])
def test_words_keep_their_tags(kind: str, side: str) -> None:
    tokenizer = KINDS[kind]()
    tokenizer.padding_side = side
    features = encode_tags(tokenizer, SENTENCES, SENTENCE_TAGS, LABELS)
    numbers = features["labels"]
    assert (numbers != IGNORE_INDEX).sum(1).tolist() == list(map(len, SENTENCES))
    encoded = tokenizer(SENTENCES, is_split_into_words=True, padding=True)
    assert decode_tags(numbers.tolist(), encoded, SENTENCES, LABELS) == SENTENCE_TAGS
    assert decode_tags(numbers, encoded, SENTENCES, LABELS) == SENTENCE_TAGS  # type: ignore[arg-type]
    assert [read_tags(tags) for tags in SENTENCE_TAGS] == [
        [(0, 1, "LOC"), (3, 4, "LOC")],
        [(0, 1, "PER"), (2, 3, "PER"), (6, 8, "ORG")],
        [],
    ]


def test_the_first_piece_of_each_given_word_is_labelled() -> None:
    tokenizer = make_tokenizer()
    words, tags = ["Gretalof's", "Green-Owl", "a"], ["B-PER", "B-LOC", "O"]
    row = encode_tags(tokenizer, [words], [tags], LABELS)
    labelled = row["labels"][0] != IGNORE_INDEX
    assert pieces_of(tokenizer, row["input_ids"][0][labelled]) == ["greta", "green", "a"]
    assert [LABELS[n] for n in row["labels"][0][labelled].tolist()] == tags


def test_words_without_their_spaces_cause_a_warning() -> None:
    with pytest.warns(UserWarning, match="reads words .* as a text without spaces") as recorded:
        encode_tags(byte_level(trim_offsets=True), SENTENCES, SENTENCE_TAGS, LABELS)
    assert [warning.filename for warning in recorded] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encode_tags(byte_level(trim_offsets=True), [["東", "京"]], [["B-LOC", "I-LOC"]], LABELS)
        tokenizer = byte_level(trim_offsets=True)
        tokenizer.backend_tokenizer.pre_tokenizer.add_prefix_space = True
        encode_tags(tokenizer, SENTENCES, SENTENCE_TAGS, LABELS)


def test_words_without_a_piece_are_outside() -> None:
    """A word of dropped characters alone, as files have them; and words beyond the row."""
    tokenizer = make_tokenizer(5)
    sentences, tags = (
        [["Ada", ZERO_WIDTH, "was", "in", "Delft"]],
        [["B-PER", "I-PER", "O", "O", "B-LOC"]],
    )
    message = "1 of 1 sentences .* row of 5 pieces.* 1 word with its tag"
    with pytest.warns(UserWarning, match=message):
        features = encode_tags(tokenizer, sentences, tags, LABELS)
    encoded = tokenizer(sentences, is_split_into_words=True, truncation=True)
    with pytest.warns(UserWarning, match=message):
        decoded = decode_tags(features["labels"].tolist(), encoded, sentences, LABELS)
    assert decoded == [["B-PER", "O", "O", "O", "O"]]


def test_tags_that_do_not_fit_are_refused() -> None:
    tokenizer = make_tokenizer()
    with pytest.raises(
        ValueError, match=r"sentences\[1\] has 2 words and tags\[1\] 1; expected one"
    ):
        encode_tags(tokenizer, [["Ada"], ["Ada", "was"]], [["O"], ["O"]], LABELS)
    with pytest.raises(ValueError, match=r"tags\[0\] holds 'B-MISC'; expected one of the labels"):
        encode_tags(tokenizer, [["Ada"]], [["B-MISC"]], LABELS)
    with pytest.raises(TypeError, match=r"sentences\[0\] is the text 'Ada'; expected a list of"):
        encode_tags(tokenizer, ["Ada"], [["O"]], LABELS)
    with pytest.raises(ValueError, match="1 sentences and 2 tags"):
        encode_tags(tokenizer, [["Ada"]], [["O"], ["O"]], LABELS)
    encoded = tokenizer([["Ada", "was"]], is_split_into_words=True)
    with pytest.raises(ValueError, match=r"sentences have \[1\] words, and rows \[2\]; expected"):
        decode_tags([[0] * 4], encoded, [["Ada"]], LABELS)
    with pytest.raises(ValueError, match="1 predicted and 2 sentences"):
        decode_tags([[0] * 4], encoded, [["Ada"], ["was"]], LABELS)
    with pytest.raises(TypeError, match="expected the unmodified output of a fast tokenizer"):
        decode_tags([[0] * 4], {"input_ids": [[5]]}, [["Ada"]], LABELS)  # type: ignore[arg-type]


def test_a_warning_names_the_call_and_says_what_to_do() -> None:
    words = ["Ada", "was", "in", "Delft", "Bergen"]
    message = (
        "2 of 3 sentences did not fit into a row of 5 pieces; cut off: 4 words with their tags. "
        "Divide long ones, or set a larger tokenizer.model_max_length, up to the model's limit"
    )
    tags = [["O"] * 5, ["O"], ["O"] * 5]
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        made = encode_tags(make_tokenizer(5), [words, ["Ada"], words], tags, LABELS)
    assert made["input_ids"].shape == (3, 5)


def test_the_warning_is_where_the_call_is() -> None:
    with pytest.warns(UserWarning, match="1 of 1 sentences") as warned:
        encode_tags(make_tokenizer(3), [["Ada", "was"]], [["O", "O"]], LABELS)
    assert warned[0].filename == __file__


def test_rows_of_other_sentences_are_refused() -> None:
    encoded = make_tokenizer()([["Ada", "was"]], is_split_into_words=True)
    message = (
        "sentences have [1] words, and rows [2]; expected rows made from these sentences: tokenize "
        "them with is_split_into_words=True"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        decode_tags([[0, 0, 0, 0]], encoded, [["Ada"]], LABELS)
