"""The lines about a collator's output say what was done to it, and count it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bertlesson.diagnosis_table import ALPHA, Line
from bertlesson.intervals import wilson
from tests.bertlesson.broken_collators import CLS, MASK, PAD, SEP, UNK, make_tokenizer
from tests.bertlesson.seen_batches import Arrays, Change, by_name, select, table_of

# [CLS] and 3 words, or 2 words of 3 pieces, or 1 word; and [SEP]
TEXTS = ["word0 word1 word2", "start0end0 word3", "word4"]


def nothing(arrays: Arrays, features: Any) -> None:
    """What a collator does that forgets to mask."""


def lines_of(*changes: Change, texts: list[str] = TEXTS) -> dict[str, Line]:
    return by_name(table_of(texts, *changes).lines())


def test_output_with_nothing_wrong() -> None:
    lines = lines_of(lambda arrays, features: select(arrays, 0, 1, MASK))
    assert {name: (line.verdict, line.sentence) for name, line in lines.items()} == {
        "types": ("fine", "input_ids int64, labels int64."),
        "input rows": ("fine", "It leaves the rows it is given as they are."),
        "attention mask": ("fine", "It hides the padding."),
        "labels": ("fine", "All 1 hold the original token."),
        "without a label": ("fine", "Tokens without a label are unchanged."),
        "special tokens": ("fine", "[CLS] and [SEP] are never selected."),
        "padding": ("fine", "Padding is never selected or changed."),
    }
    assert {name: line.expected for name, line in lines.items()} == {
        "types": "int64",
        "input rows": "unchanged",
        "attention mask": "0 at padding",
        "labels": "the originals",
        "without a label": "unchanged",
        "special tokens": "never selected",
        "padding": "untouched",
    }
    assert {name: line.value for name, line in lines.items() if line.value is not None} == {
        "labels": 1,
        "without a label": 0,
        "special tokens": 0,
        "padding": 0,
    }
    assert {name: line.interval for name, line in lines.items() if line.interval is not None} == {
        "special tokens": wilson(0, 3, ALPHA),
        "padding": wilson(0, 2, ALPHA),
    }


def test_nothing_is_padded_and_nothing_selected() -> None:
    lines = lines_of(nothing, texts=["word0 word1 word2"])
    assert lines["attention mask"].sentence == "Nothing is padded."
    assert lines["padding"] == Line(
        "padding", None, None, "untouched", "fine", "No row was padded here."
    )
    assert lines["labels"].value is None
    assert lines["labels"].sentence == "All 0 hold the original token."


def as_type(key: str, kind: Any) -> Change:
    def change(arrays: Arrays, features: Any) -> None:
        arrays[key] = arrays[key].astype(kind)

    return change


def test_labels_must_be_int64() -> None:
    line = lines_of(as_type("labels", np.int32), nothing)["types"]
    assert (line.verdict, line.expected) == ("wrong", "int64")
    assert line.sentence == (
        "input_ids int64, labels int32 and input_ids int64, labels int64: torch's cross-entropy "
        "takes labels in int64 alone and stops at others."
    )
    for kind, verdict in ((np.int32, "fine"), (np.int16, "wrong"), (np.float64, "wrong")):
        assert lines_of(as_type("input_ids", kind))["types"].verdict == verdict


def write_into_a_row(arrays: Arrays, features: Any) -> None:
    features[2]["input_ids"][1] = MASK


def take_a_key(arrays: Arrays, features: Any) -> None:
    del features[0]["attention_mask"]


def test_what_is_done_to_the_rows_that_it_is_given() -> None:
    line = lines_of(nothing, write_into_a_row)["input rows"]
    assert (line.verdict, line.expected) == ("wrong", "unchanged")
    assert line.sentence == (
        "It writes into the rows it is given: rows kept in memory are masked again in each epoch, "
        "until little of the text is left."
    )
    line = lines_of(nothing, take_a_key)["input rows"]
    assert (line.verdict, line.expected) == ("look", "unchanged")
    assert line.sentence == (
        "It takes keys out of the rows it is given, or adds some: rows kept in memory lack them in "
        "the next epoch."
    )


def attend(arrays: Arrays, features: Any) -> None:
    arrays["attention_mask"][2, 3:] = 1
    arrays["attention_mask"][0, 0] = 0


def drop_the_mask(arrays: Arrays, features: Any) -> None:
    del arrays["attention_mask"]


def give_a_square_mask(arrays: Arrays, features: Any) -> None:
    mask = arrays["attention_mask"]
    arrays["attention_mask"] = mask[:, :, None] * mask[:, None]


def test_the_attention_mask() -> None:
    line = lines_of(attend, attend)["attention mask"]
    assert (line.verdict, line.expected) == ("wrong", "0 at padding")
    assert line.sentence == (
        "At 6 positions it is not 1 for tokens and 0 for padding: the model reads padding, or not "
        "all of the text."
    )
    line = lines_of(nothing, drop_the_mask)["attention mask"]
    assert (line.verdict, line.expected) == ("look", "0 at padding")
    assert line.sentence == (
        "It is missing though rows are padded: unless the model makes one by itself, it reads the "
        "padding as text."
    )
    assert lines_of(drop_the_mask, texts=["word0"])["attention mask"].verdict == "fine"
    assert lines_of(give_a_square_mask)["attention mask"].verdict == "fine", "of another kind"


def shifted(by: int) -> Change:
    def change(arrays: Arrays, features: Any) -> None:
        for row in range(2):
            select(arrays, row, slice(1, 4))
        arrays["labels"] = np.roll(arrays["labels"], by, 1)

    return change


@pytest.mark.parametrize(("by", "side"), [(1, "right"), (-1, "left")])
def test_labels_beside_their_place(by: int, side: str) -> None:
    lines = lines_of(shifted(by))
    line = lines["labels"]
    assert (line.verdict, line.value, line.expected) == ("wrong", 0, "the originals")
    assert line.sentence == (
        f"They are one position too far to the {side}: the model learns to predict a neighbour. "
        "(All other lines are about the labels put back.)"
    )
    assert lines["special tokens"].verdict == "fine", "the labels are put back"
    assert lines_of(shifted(0))["labels"].verdict == "fine"


def test_labels_that_torch_does_not_ignore() -> None:
    def minus_one(arrays: Arrays, features: Any) -> None:
        arrays["labels"][:2, 1] = -1

    line = lines_of(minus_one)["labels"]
    assert (line.verdict, line.expected) == ("wrong", "the originals")
    assert line.sentence == (
        "2 are negative and not -100, the only label that torch's loss ignores: it stops at them, "
        "or reads outside the vocabulary."
    )


def test_labels_that_are_not_the_original() -> None:
    def one_of_four(arrays: Arrays, features: Any) -> None:
        select(arrays, 0, slice(1, 4))
        select(arrays, 2, 1)
        arrays["labels"][0, 3] = MASK

    line = lines_of(one_of_four)["labels"]
    assert (line.verdict, line.value, line.expected) == ("wrong", 0.75, "the originals")
    assert line.sentence == (
        "1 of 4 do not hold the original, as [MASK] for word2: the model learns wrong answers."
    )


def test_tokens_that_are_changed_without_a_label() -> None:
    def damaged(arrays: Arrays, features: Any) -> None:
        select(arrays, 0, 1, MASK)
        arrays["input_ids"][0, 2:4] = MASK
        arrays["input_ids"][1, 0] = MASK  # a special one is a token, too
        arrays["input_ids"][2, 3] = MASK  # padding has a line of its own

    line = lines_of(damaged)["without a label"]
    assert (line.verdict, line.value, line.expected) == ("wrong", 3 / 12, "unchanged")
    assert line.sentence == (
        "3 tokens are changed though they have no label: the text is damaged, and nothing is "
        "learned from it."
    )


def test_special_tokens_that_are_selected() -> None:
    def selects(arrays: Arrays, features: Any) -> None:
        select(arrays, slice(None), 0)
        select(arrays, 0, 4)

    line = lines_of(selects, nothing)["special tokens"]
    assert (line.verdict, line.value, line.expected) == ("wrong", 3 / 6, "never selected")
    assert line.interval == wilson(3, 6, ALPHA)
    assert line.sentence == (
        "[CLS] is selected in 50.0% of the rows and [SEP] is selected in 16.7% of the rows: the "
        "model is trained to predict what is always there, and loses the tokens that heads rely on."
    )


def test_padding_that_is_selected_or_changed() -> None:
    def selected(arrays: Arrays, features: Any) -> None:
        arrays["labels"][2, 4] = PAD
        arrays["input_ids"][2, 3] = MASK

    line = lines_of(selected, nothing)["padding"]
    assert (line.verdict, line.value, line.expected) == ("wrong", 2 / 4, "untouched")
    assert line.interval == wilson(2, 4, ALPHA)
    assert line.sentence == (
        "25.0% of the padding has a label: the model is trained to predict padding, which is easy, "
        "so that the loss looks better than it is."
    )

    def changed(arrays: Arrays, features: Any) -> None:
        arrays["input_ids"][2, 3:] = UNK

    line = lines_of(changed, nothing, nothing, nothing)["padding"]
    assert (line.verdict, line.value, line.expected) == ("wrong", 2 / 8, "untouched")
    assert line.sentence == (
        "25.0% of the padding is not the tokenizer's pad token: the model may read it as text."
    )


def test_what_is_known_of_each_position() -> None:
    def some(arrays: Arrays, features: Any) -> None:
        select(arrays, 0, [1, 2], MASK)
        select(arrays, 2, 1)
        select(arrays, 0, 0)

    table = table_of([*TEXTS[:2], "word4 [UNK]"], nothing, some)
    assert table.row.tolist() == np.repeat(range(6), 5).tolist()
    assert table.batch.tolist() == np.repeat([0, 1], 15).tolist()
    assert table.number.tolist() == [0, 1, 2] * 2
    assert table.row_batch.tolist() == [0] * 3 + [1] * 3
    assert table.ordinary.sum() == 2 * 7, "not [UNK]"
    assert table.selected.nonzero()[0].tolist() == [16, 17, 26]
    assert table.share == 3 / 14
    assert table.mask_id == MASK
    assert table.vocab_size == 505
    assert table.special_ids.tolist() == [PAD, UNK, CLS, SEP, MASK]
    assert table.plain_ids.tolist() == [*range(5, 505)]
    assert not table.by_words
    assert table.joined is None


def test_words_of_which_a_part_is_selected() -> None:
    texts = ["start0end0 word1", "start1end1 start2end2"]

    def words(arrays: Arrays, features: Any) -> None:
        select(arrays, 0, [1, 2, 3])
        select(arrays, 1, [1, 4])

    torn = table_of(texts, words, nothing)
    assert (torn.torn, torn.several, torn.by_words) == (2, 3, False)

    def whole(arrays: Arrays, features: Any) -> None:
        select(arrays, 0, [1, 2])

    assert not table_of(texts, *[whole] * 19).by_words, "19 words say too little"
    assert table_of(texts, *[whole] * 20).by_words
    assert not table_of(texts, words, *[whole] * 20).by_words


@pytest.mark.parametrize("batches", [9, 10])
def test_words_that_touch(batches: int) -> None:
    tokenizer = make_tokenizer()
    # the comma, [UNK] to this tokenizer, touches one word; the other words have two pieces and one
    texts = ["start0end0 word1, word2"]

    def both(arrays: Arrays, features: Any) -> None:
        select(arrays, 0, [1, 2, 3, 4])

    def one(arrays: Arrays, features: Any) -> None:
        select(arrays, 0, [1, 2, 3])

    table = table_of(texts, *[both] * batches, *[one] * 10, tokenizer=tokenizer)
    if batches == 9:
        assert table.joined is None, "19 pairs say too little"
    else:
        assert table.joined == (10, 20)


def test_how_many_draws_a_row_has() -> None:
    texts = ["start0end0 word1-word2", "word3"]

    def both(arrays: Arrays, features: Any) -> None:
        select(arrays, 0, [1, 2, 3, 4, 5])

    def pieces(arrays: Arrays, features: Any) -> None:
        select(arrays, 0, 1)

    def words(arrays: Arrays, features: Any) -> None:
        select(arrays, 0, [1, 2, 3])

    assert table_of(texts, *[words] * 20).units == [3, 1], "a draw for each word"
    # of what touches, one draw for both
    joined = table_of(texts, *[both] * 20)
    assert joined.joined == (40, 40)
    assert joined.units == [2, 1]
    alone = table_of(texts, *[pieces] * 20)
    assert alone.units == [4 / alone.effect, 1 / alone.effect]
