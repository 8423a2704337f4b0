"""The collator: what it takes, whole words by pieces, and how it compares to transformers' own."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from torch import Tensor
from transformers import (
    BatchEncoding,
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)
from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy
from transformers.models.bert_japanese.tokenization_bert_japanese import BertJapaneseTokenizer

from bertlesson.collating import MaskingCallback, MaskingCollator
from bertlesson.heads import IGNORE_INDEX
from bertlesson.masking import MaskingRecipe
from tests.bertlesson.masking_batches import (
    ALL,
    CLS,
    MASK,
    PAD,
    PIECES,
    ROWS,
    SEP,
    UNK,
    VOCAB,
    assert_all_differ,
    assert_fits,
)


@pytest.mark.parametrize("by", ["pieces", "word_ids"])
def test_the_collator_finds_whole_words(tokenizer: BertTokenizer, by: str) -> None:
    row = [CLS, 40, 7, 36, 37, PIECES.index("#tag"), SEP, 38, 9, 39, SEP]
    word_ids = [None, 0, 1, 1, 1, 2, None, 0, 1, 1, None]
    features = [{"input_ids": row} | ({"word_ids": word_ids} if by == "word_ids" else {})] * 1500
    shorter = {"input_ids": [CLS, 38, 7, SEP]}
    features += [shorter | ({"word_ids": [None, 0, 1, None]} if by == "word_ids" else {})]
    recipe = MaskingRecipe(select=0.5)
    collator = MaskingCollator(tokenizer, recipe, seed=0, whole_word_mask=True)
    batch = collator(features)
    assert "word_ids" not in batch
    selected = batch["labels"] != IGNORE_INDEX
    rows = selected[:1500]
    for first, second in ((2, 3), (3, 4), (8, 9)):
        assert torch.equal(rows[:, first], rows[:, second])
    for first, second in ((1, 2), (4, 5), (5, 7), (7, 8)):  # 38 opens B: no word joins over [SEP]
        pairs = (rows[:, first].long() * 2 + rows[:, second]).bincount(minlength=4)
        assert_fits(pairs, [0.25] * 4)
    assert not rows[:, [0, 6, 10]].any()
    assert not selected[1500, [0, 3, 4, 10]].any()


def test_word_ids_are_left_aside_unless_whole_words_are_asked_for(tokenizer: BertTokenizer) -> None:
    rows = [{"input_ids": [CLS, *range(7, 17), SEP], "word_ids": [None] + [0] * 10 + [None]}]
    batch = MaskingCollator(tokenizer, MaskingRecipe(select=0.5), seed=0)(rows)
    assert 0 < int((batch["labels"] != IGNORE_INDEX).sum()) < 10
    assert "word_ids" not in batch


def test_a_token_without_a_word_is_not_selected(tokenizer: BertTokenizer) -> None:
    collator = MaskingCollator(tokenizer, ALL, whole_word_mask=True)
    batch = collator([{"input_ids": [CLS, 7, 8, SEP], "word_ids": [None, 0, None, None]}])
    assert batch["input_ids"].tolist() == [[CLS, MASK, 8, SEP]]


def test_the_collator_selects_a_fixed_count_of_what_is_not_padding(
    tokenizer: BertTokenizer,
) -> None:
    rows = [[CLS, *[7] * (length - 2), SEP] for length in (10, 30, 50, 128)]
    labels = MaskingCollator(tokenizer, seed=0, max_predictions_per_seq=15)(rows)["labels"]
    assert (labels != IGNORE_INDEX).sum(dim=1).tolist() == [2, 4, 8, 15]


def test_word_ids_come_in_the_formats_of_datasets(tokenizer: BertTokenizer) -> None:
    row = [CLS, 7, 8, 9, 10, SEP]
    words = [None, 0, 0, 1, 1, None]
    numbers = [float("nan"), 0, 0, 1, 1, float("nan")]  # what None becomes as a tensor
    forms: list[Any] = [words, numbers, np.array(words, dtype=object), np.array(numbers)]
    forms += [torch.tensor(numbers), torch.tensor(numbers, dtype=torch.float64)]
    collator = MaskingCollator(tokenizer, MaskingRecipe(select=0.5), seed=0, whole_word_mask=True)
    for form in forms:
        rows = [{"input_ids": row, "word_ids": form}, {"input_ids": row[:2], "word_ids": form[:2]}]
        labels = collator(rows * 100)["labels"][::2]
        assert torch.equal(labels[:, 1] == IGNORE_INDEX, labels[:, 2] == IGNORE_INDEX)
        assert torch.equal(labels[:, 3] == IGNORE_INDEX, labels[:, 4] == IGNORE_INDEX)
        assert (labels[:, [0, 5]] == IGNORE_INDEX).all()
        assert (
            60 < (labels[:, 1] != IGNORE_INDEX).sum() + (labels[:, 3] != IGNORE_INDEX).sum() < 140
        )
    with pytest.raises(ValueError, match="expected whole numbers, None or NaN"):
        collator([{"input_ids": row, "word_ids": torch.tensor([0.5] * 6)}])


def whole_words(tokenizer: Any, row: list[int]) -> list[list[int]]:
    """The places of each word, as the collator finds them in rows without word_ids."""
    collator = MaskingCollator(tokenizer, MaskingRecipe(select=0.5), seed=0, whole_word_mask=True)
    selected = collator([row] * 64)["labels"] != IGNORE_INDEX  # (64, length)
    places = range(len(row))
    alike = {i: [j for j in places if torch.equal(selected[:, i], selected[:, j])] for i in places}
    return sorted({tuple(group) for group in alike.values()})  # type: ignore[arg-type]


SPECIAL = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}

SPECIAL |= {"pad_token": "[PAD]", "mask_token": "[MASK]"}


@pytest.mark.parametrize("prefix", ["##", "@@"])
def test_words_go_on_by_the_prefix_of_the_wordpiece_model(prefix: str) -> None:
    pieces = [*PIECES[:5], "play", f"{prefix}ing", "##", f"{prefix}x", prefix, "##other"]
    vocab = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    model = models.WordPiece(vocab, unk_token="[UNK]", continuing_subword_prefix=prefix)
    fast = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(model), **SPECIAL)
    fast.add_tokens([f"{prefix}added"])  # a word of its own, whatever it begins with
    row = fast.convert_tokens_to_ids(["play", f"{prefix}ing", f"{prefix}x", "##", f"{prefix}added"])
    assert whole_words(fast, row) == [(0, 1, 2), (3,), (4,)]


def test_pieces_of_bpe_do_not_say_where_a_word_goes_on() -> None:
    """In the vocabularies of GPT-2 and RoBERTa, "##" is two signs of the text."""
    vocab = {piece: i for i, piece in enumerate([*PIECES[:5], "#", "##", "###", "a", "Ġa"])}
    bpe = Tokenizer(models.BPE(vocab, [("#", "#"), ("##", "#")], unk_token="[UNK]"))
    fast = PreTrainedTokenizerFast(tokenizer_object=bpe, **SPECIAL)
    collator = MaskingCollator(fast, ALL, whole_word_mask=True)
    with pytest.raises(ValueError, match="has no WordPiece vocabulary"):
        collator([[5, 6, 7, 8]])
    assert collator([{"input_ids": [5, 6], "word_ids": [0, 1]}])["labels"].tolist() == [[5, 6]]


def test_slow_wordpiece_tokenizers_have_the_prefix_too(tmp_path: Any) -> None:
    pieces = [*PIECES[:5], "play", "##ing"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces))
    assert whole_words(BertTokenizerLegacy(str(tmp_path / "vocab.txt")), [5, 6, 5]) == [
        (0, 1),
        (2,),
    ]


def test_words_go_on_by_the_prefix_of_a_japanese_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join([*PIECES[:5], "日", "##本"]), "utf-8")
    kinds = {"word_tokenizer_type": "basic", "subword_tokenizer_type": "wordpiece"}
    tokenizer = BertJapaneseTokenizer(str(tmp_path / "vocab.txt"), **kinds)
    assert whole_words(tokenizer, [5, 6, 5]) == [(0, 1), (2,)]


def batches_equal(ours: BatchEncoding, theirs: BatchEncoding) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


@pytest.mark.parametrize("side", ["right", "left"])
def test_rows_of_every_kind_give_the_same_batch(side: str) -> None:
    tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(PIECES)}, padding_side=side)
    expected = MaskingCollator(tokenizer, seed=3)(ROWS)
    assert expected["attention_mask"].sum(dim=1).tolist() == [5, 3, 7]
    original = torch.where(expected["labels"] == IGNORE_INDEX, 0, expected["labels"])
    shape = tokenizer.pad({"input_ids": ROWS}, return_tensors="pt")["input_ids"]
    assert torch.equal(torch.where(original > 0, original, expected["input_ids"]), shape)
    forms: list[Any] = [
        [tuple(row) for row in ROWS],
        tuple(ROWS),
        [np.array(row, dtype=np.int32) for row in ROWS],
        [np.array(row, dtype=np.uint16) for row in ROWS],
        [torch.tensor(row) for row in ROWS],
        [torch.tensor(row, dtype=torch.int32) for row in ROWS],
        [{"input_ids": row} for row in ROWS],
        [{"input_ids": torch.tensor(row)} for row in ROWS],
        [BatchEncoding({"input_ids": row}) for row in ROWS],
        {"input_ids": ROWS},
        BatchEncoding({"input_ids": ROWS}),
        shape,
        shape.int(),
        shape.numpy(),
        {"input_ids": shape, "attention_mask": (shape != PAD).long()},
        {"input_ids": shape, "special_tokens_mask": (shape < 5).long()},
    ]
    for form in forms:
        assert batches_equal(MaskingCollator(tokenizer, seed=3)(form), expected), form


def test_whole_batches_are_left_as_they_were(tokenizer: BertTokenizer) -> None:
    features = dict(tokenizer.pad({"input_ids": ROWS}, return_tensors="pt"))
    before = copy.deepcopy(features)
    batch = MaskingCollator(tokenizer, ALL)(features)
    for key in before:
        assert torch.equal(features[key], before[key])
        batch[key].fill_(1)
        assert torch.equal(features[key], before[key])


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("multiple", [None, 8])
@pytest.mark.parametrize("form", ["lists", "dicts", "encodings", "with special_tokens_mask"])
@pytest.mark.parametrize("return_tensors", ["pt", "np"])
def test_it_stands_in_for_their_collator(
    side: str, multiple: int | None, form: str, return_tensors: str
) -> None:
    vocab = {piece: i for i, piece in enumerate(PIECES)}
    tokenizer = BertTokenizer(vocab=vocab, padding_side=side)
    features: list[Any] = ROWS
    if form != "lists":
        sentences = ["word2 word3 word4", "word5", "word6 word7piece2 word8"]
        flags = form == "with special_tokens_mask"
        features = [tokenizer(text, return_special_tokens_mask=flags) for text in sentences]
        features = features if form == "encodings" else [dict(row) for row in features]
        for i, row in enumerate(features):
            row["next_sentence_label"] = i % 2
    reference = DataCollatorForLanguageModeling(
        tokenizer, pad_to_multiple_of=multiple, mlm_probability=0.0, return_tensors=return_tensors
    )
    theirs = reference(features)
    ours = MaskingCollator(
        tokenizer, ALL, pad_to_multiple_of=multiple, return_tensors=return_tensors
    )(features)
    assert isinstance(ours, BatchEncoding)
    if form == "lists":  # which comes back without one
        theirs["attention_mask"] = (theirs["input_ids"] != PAD) * 1
    assert ours.keys() == theirs.keys()
    original = ours["labels"] != IGNORE_INDEX
    library = np if return_tensors == "np" else torch
    ours["input_ids"] = library.where(original, ours["labels"], ours["input_ids"])
    ours["labels"] = library.full_like(ours["labels"], IGNORE_INDEX)
    for key, value in theirs.items():
        assert type(ours[key]) is type(value)
        assert ours[key].dtype == value.dtype, key
        np.testing.assert_array_equal(ours[key], value, err_msg=key)
    # a setting of the call comes before that of the collator
    other = {"pt": "np", "np": "pt"}[return_tensors]
    for collator in (reference, MaskingCollator(tokenizer, return_tensors=return_tensors)):
        kind = type(collator(features, return_tensors=other)["labels"])
        assert kind is (np.ndarray if other == "np" else Tensor)


def test_every_array_that_comes_back_can_be_written_to(tokenizer: BertTokenizer) -> None:
    rows = [{"input_ids": [CLS, 7, SEP], "token_type_ids": [0, 0, 0], "score": 1.5}] * 2
    batch = MaskingCollator(tokenizer, return_tensors="np")(rows)
    assert all(array.flags.writeable for array in batch.values())


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("make", [np.array, torch.tensor, list], ids=["array", "tensor", "list"])
def test_what_is_given_stays_as_it_is(tokenizer: BertTokenizer, make: Any, rows: int) -> None:
    ids = [[CLS, 7, 8, 9, SEP]] * rows
    collator = MaskingCollator(tokenizer, MaskingRecipe(select=1, mask=1, random=0))
    whole = make(ids)
    for features in ([make(row) for row in ids], whole, {"input_ids": whole}):
        masked = collator(features)["input_ids"]
        assert (masked[:, 1:-1] == tokenizer.mask_token_id).all()
        kept = features["input_ids"] if isinstance(features, dict) else features
        assert [[int(id) for id in row] for row in kept] == ids


@pytest.mark.parametrize("number", [0, 1, 5])
def test_padding_has_the_tokenizer_s_number(number: int) -> None:
    pieces = ["[UNK]", "[CLS]", "[SEP]", "[MASK]", "word", "other"]
    pieces.insert(number, "[PAD]")
    tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    cls, sep, word, mask = (pieces.index(p) for p in ("[CLS]", "[SEP]", "word", "[MASK]"))
    rows = [{"input_ids": [cls, word, word, sep]}, {"input_ids": [cls, word, sep]}]
    batch = MaskingCollator(tokenizer, ALL)(rows)
    assert batch["input_ids"].tolist() == [[cls, mask, mask, sep], [cls, mask, sep, number]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]
    assert batch["labels"].tolist() == [[-100, word, word, -100], [-100, word, -100, -100]]
    given = MaskingCollator(tokenizer, ALL)(batch["input_ids"])  # padded already
    assert given["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]


def test_empty_rows_do_not_make_floats_of_the_others(tokenizer: BertTokenizer) -> None:
    batch = MaskingCollator(tokenizer, ALL)([np.array([7, 8]), np.array([]), torch.tensor([])])
    assert batch["labels"].tolist() == [[7, 8], [IGNORE_INDEX] * 2, [IGNORE_INDEX] * 2]


def test_other_keys_are_passed_on(tokenizer: BertTokenizer) -> None:
    features = [
        {
            "input_ids": row,
            "token_type_ids": [1] * len(row),
            "tag_labels": [2] * len(row),
            "weight": [0.5] * len(row),
            "box": [[1, 2, 3, 4]] * len(row),
            "next_sentence_label": np.int32(i),
            "score": 0.25,
            "is_long": i == 2,
            "ends": [0, len(row)],
            "labels": [9] * (i + 1),
            "offset_mapping": [(0, 1)] * len(row),
        }
        for i, row in enumerate(ROWS)
    ]
    batch = MaskingCollator(tokenizer, MaskingRecipe(select=0))(features)
    assert batch["token_type_ids"].tolist()[1] == [1, 1, 1, 0, 0, 0, 0]
    assert batch["tag_labels"].tolist()[1] == [2, 2, 2] + [IGNORE_INDEX] * 4
    assert batch["weight"].tolist()[1] == [0.5] * 3 + [0] * 4
    assert batch["box"].shape == (3, 7, 4)
    assert batch["box"][1, :, 3].tolist() == [4, 4, 4, 0, 0, 0, 0]
    assert batch["next_sentence_label"].tolist() == [0, 1, 2]
    assert batch["next_sentence_label"].dtype == torch.int64
    assert batch["score"].dtype == torch.float32
    assert batch["is_long"].tolist() == [False, False, True]
    assert batch["is_long"].dtype == torch.bool
    assert batch["ends"].tolist() == [[0, 5], [0, 3], [0, 7]]
    assert (batch["labels"] == IGNORE_INDEX).all()
    assert "offset_mapping" not in batch


def test_special_tokens_are_never_selected(tokenizer: BertTokenizer) -> None:
    row = [CLS, 7, UNK, MASK, 8, SEP, PAD]
    collator = MaskingCollator(tokenizer, ALL)

    def selected(**more: Any) -> list[int]:
        labels = collator([{"input_ids": row} | more])["labels"][0]
        return torch.nonzero(labels != IGNORE_INDEX).flatten().tolist()

    assert selected() == [1, 4]
    assert selected(attention_mask=[1, 1, 1, 1, 0, 1, 0]) == [1]
    # with a mask of its own a row decides about the rest, and not about [CLS], [SEP] and padding
    assert selected(special_tokens_mask=[1, 0, 0, 0, 0, 1, 1]) == [1, 2, 3, 4]
    assert selected(special_tokens_mask=[0] * 7) == [1, 2, 3, 4]
    assert selected(special_tokens_mask=[1, 1, 0, 1, 0, 1, 1]) == [2, 4]
    assert "special_tokens_mask" not in collator([{"input_ids": row, "special_tokens_mask": row}])


def test_padding_in_the_input_is_not_taken_for_tokens(tokenizer: BertTokenizer) -> None:
    batch = MaskingCollator(tokenizer)([[CLS, 7, SEP, PAD, PAD], [PAD, CLS, 7, 8, SEP]])
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 0, 0], [0, 1, 1, 1, 1]]


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_pad_token_with_another_task_is_padding_only_where_it_is_added(side: str) -> None:
    tokenizer = BertTokenizer(
        vocab={piece: i for i, piece in enumerate(PIECES)}, padding_side=side, pad_token="[SEP]"
    )
    assert tokenizer.pad_token_id == SEP
    rows = [[CLS, 7, SEP, 8, SEP], [CLS, 7, SEP]]
    collator = MaskingCollator(tokenizer, ALL)
    batch = collator(rows)
    short = [1, 1, 1, 0, 0] if side == "right" else [0, 0, 1, 1, 1]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 1], short]
    assert (batch["labels"] != IGNORE_INDEX).sum(dim=1).tolist() == [2, 1]
    # and whatever the other rows of the batch are
    assert collator(rows[1:])["attention_mask"].tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("kind", [float, bool, int, np.float64, np.uint8])
@pytest.mark.parametrize("whole", [False, True])
def test_an_attention_mask_comes_back_in_int64(
    tokenizer: BertTokenizer, kind: Any, whole: bool
) -> None:
    ids, present = [[CLS, 7, SEP, PAD], [CLS, 8, 9, SEP]], [[1, 1, 1, 0], [1, 1, 1, 1]]
    masks = [[kind(each) for each in row] for row in present]
    columns = {"input_ids": ids, "attention_mask": masks}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(ids, masks, strict=True)]
    for return_tensors in ("pt", "np"):
        batch = MaskingCollator(tokenizer)(columns if whole else rows, return_tensors)
        assert str(batch["attention_mask"].dtype).endswith("int64")
        assert batch["attention_mask"].tolist() == present


@settings(max_examples=60)
@given(
    rows=st.lists(st.lists(st.integers(0, VOCAB - 1), max_size=9), min_size=1, max_size=5),
    side=st.sampled_from(["left", "right"]),
    multiple=st.sampled_from([None, 1, 4]),
    cap=st.sampled_from([None, 3]),
    whole=st.booleans(),
    share=st.sampled_from([0.0, 0.15, 1.0]),
)
def test_rows_of_any_length_come_back_whole(
    rows: list[list[int]],
    side: str,
    multiple: int | None,
    cap: int | None,
    whole: bool,
    share: float,
) -> None:
    vocab = {piece: i for i, piece in enumerate(PIECES)}
    collator = MaskingCollator(
        BertTokenizer(vocab=vocab, padding_side=side),
        MaskingRecipe(select=share),
        seed=0,
        whole_word_mask=whole,
        max_predictions_per_seq=cap,
        pad_to_multiple_of=multiple,
    )
    batch = collator(rows)
    longest = max(map(len, rows))
    width = longest if multiple is None else math.ceil(longest / multiple) * multiple
    assert {value.shape for value in batch.values()} == {(len(rows), width)}
    assert {value.dtype for value in batch.values()} == {torch.int64}
    labels, input_ids = batch["labels"], batch["input_ids"]
    original = torch.where(labels == IGNORE_INDEX, input_ids, labels)
    for row, ids, present in zip(rows, original, batch["attention_mask"], strict=True):
        tokens = ids[width - len(row) :] if side == "left" else ids[: len(row)]
        assert tokens.tolist() == row
        assert int(present.sum()) == sum(i != PAD for i in row)
    assert ((original >= 5) | (labels == IGNORE_INDEX)).all()
    if share == 0:
        assert (labels == IGNORE_INDEX).all()
    if share == 1 and cap is None:
        assert ((original < 5) | (labels == original)).all()


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        ([], ValueError, "^the batch is empty; expected at least one row$"),
        ([[CLS, 7.5, SEP]], TypeError, "float32; expected a tensor of 32- or 64-bit integers"),
        ([np.array([2.0, 3.0])], TypeError, "float32; expected a tensor of 32- or 64-bit"),
        (torch.ones(2, 3), TypeError, "float32"),
        ([[CLS, "word1", SEP]], TypeError, "input_ids"),
        ([[CLS, 2**70, SEP]], TypeError, "input_ids"),
        (
            ["word1"],
            ValueError,
            "^input_ids holds single values; expected rows: wrap one row in a list$",
        ),
        ([CLS, 7, SEP], ValueError, "wrap one row in a list"),
        (torch.tensor([CLS, 7, SEP]), ValueError, "wrap one row in a list"),
        ([[[CLS, 7]], [[SEP, 7]]], ValueError, r"\(2, 1, 2\)"),
        ([torch.tensor([[CLS, 7]]), torch.tensor([[SEP]])], ValueError, "without return_tensors"),
        (
            [np.array([[CLS, 7]])],
            ValueError,
            r"^input_ids holds rows of shape \(1, 2\); expected rows of ids: tokenize without "
            "return_tensors$",
        ),
        (
            [[CLS, VOCAB, SEP]],
            ValueError,
            "ids from 2 to 50; expected 0 to 49: do they come from another",
        ),
        ([[CLS, -1, SEP]], ValueError, "ids from -1 to 3; expected 0 to 49"),
        ([{"text": "word1"}], ValueError, r"\['text'\]; expected input_ids"),
        ([{"input_ids": [7], "a": 1}, {"input_ids": [7]}], ValueError, "no 'a'"),
        ([{"input_ids": [7], "text": "word1"}], TypeError, "text holds"),
        (
            {"input_ids": [[7], [8]], "a": [1]},
            ValueError,
            "a has 1 rows; expected 2, as in input_ids",
        ),
        (
            [{"input_ids": [7, 8], "a": [1, 2]}, {"input_ids": [7, 8], "a": [1]}],
            ValueError,
            "a differs in length",
        ),
        (
            [{"input_ids": [7, 8], "special_tokens_mask": [1, 0, 0]}],
            ValueError,
            r"special_tokens_mask has shape \(1, 3\); expected that of input_ids, \(1, 2\)",
        ),
        (
            [{"input_ids": [7, 8], "attention_mask": 1}] * 2,
            ValueError,
            r"attention_mask has shape \(2,\); expected that of input_ids, \(2, 2\)",
        ),
    ],
)
def test_the_collator_refuses(
    tokenizer: BertTokenizer, features: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        MaskingCollator(tokenizer)(features)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("seed", -1),
        ("seed", 0.5),
        ("max_predictions_per_seq", 0),
        ("pad_to_multiple_of", 0),
        ("return_tensors", "tf"),
    ],
)
def test_the_collator_refuses_settings(tokenizer: BertTokenizer, setting: str, value: Any) -> None:
    expected = {"seed": "a whole number, 0 or more, or None", "return_tensors": "'pt' or 'np'"}
    wanted = expected.get(setting, "a whole number, 1 or more, or None")
    with pytest.raises(ValueError, match=f"^{setting} is {value!r}; expected {wanted}$"):
        MaskingCollator(tokenizer, **{setting: value})


@pytest.mark.parametrize("recipe", [0.15, True, None, {"select": 0.15}])
def test_the_collator_refuses_what_is_no_recipe(tokenizer: BertTokenizer, recipe: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a MaskingRecipe: MaskingRecipe\(select=0.15\)"):
        MaskingCollator(tokenizer, recipe)


def test_the_collator_needs_a_mask_token_and_sometimes_a_pad_token(
    tokenizer: BertTokenizer,
) -> None:
    backend = tokenizer.backend_tokenizer
    with pytest.raises(
        ValueError,
        match=rf"^{PreTrainedTokenizerFast.__name__} has no mask token; expected one to replace "
        r"selected tokens with: tokenizer.add_special_tokens\(\{'mask_token': '\[MASK\]'\}\)$",
    ):
        MaskingCollator(PreTrainedTokenizerFast(tokenizer_object=backend))
    bare = PreTrainedTokenizerFast(tokenizer_object=backend, mask_token="[MASK]")
    collator = MaskingCollator(bare, ALL)
    assert collator([[7, 8], [9, 10]])["attention_mask"].tolist() == [[1, 1], [1, 1]]
    with pytest.raises(
        ValueError,
        match=r"^\w+ has no pad token; expected one because rows must be padded to 2: "
        r"tokenizer.add_special_tokens\(\{'pad_token': '\[PAD\]'\}\)$",
    ):
        collator([[7, 8], [9]])


def test_ids_of_added_tokens_belong_to_the_vocabulary(tokenizer: BertTokenizer) -> None:
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.add_tokens(["extra"])
    assert MaskingCollator(tokenizer, ALL)([[CLS, VOCAB, SEP]])["labels"][0, 1] == VOCAB


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_trainer_trains_with_its_defaults(
    tokenizer: BertTokenizer, tmp_path: Any, workers: int
) -> None:
    rows = [
        tokenizer(f"word{i} word3 word4piece1", return_special_tokens_mask=True) for i in range(9)
    ]
    dataset = [dict(row) | {"text": "left out", "next_sentence_label": 0} for row in rows]
    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    model = BertForMaskedLM(BertConfig(vocab_size=VOCAB, intermediate_size=8, **shape))
    arguments = TrainingArguments(
        output_dir=str(tmp_path),
        max_steps=6,
        per_device_train_batch_size=3,
        dataloader_num_workers=workers,
        logging_steps=1,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
    )
    assert arguments.remove_unused_columns
    seen: list[BatchEncoding] = []
    collator = MaskingCollator(tokenizer, MaskingRecipe(select=0.5), seed=0, at_least_one=True)

    class Recorder(Trainer):
        def compute_loss(self, model: Any, inputs: Any, *rest: Any, **more: Any) -> Any:
            seen.append(inputs)
            return super().compute_loss(model, inputs, *rest, **more)

    Recorder(model, arguments, data_collator=collator, train_dataset=dataset).train()  # type: ignore[arg-type]
    assert len(seen) == 6
    for batch in seen:
        assert batch.keys() == {"input_ids", "token_type_ids", "attention_mask", "labels"}
        chosen = batch["labels"] != IGNORE_INDEX
        assert chosen.any()
        assert (batch["labels"][chosen] >= 5).all()
    assert_all_differ([batch["labels"] for batch in seen])


def test_a_batch_without_labels_is_what_at_least_one_is_for(tokenizer: BertTokenizer) -> None:
    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    model = BertForMaskedLM(BertConfig(vocab_size=VOCAB, intermediate_size=8, **shape))
    recipe = MaskingRecipe(select=1e-9)
    assert model(**MaskingCollator(tokenizer, recipe)(ROWS)).loss.isnan()
    assert model(**MaskingCollator(tokenizer, recipe, at_least_one=True)(ROWS)).loss.isfinite()


# what decides the masks of a batch


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"epoch": -1}, "epoch is -1; expected a whole number, 0 or more, or None"),
        ({"epoch": 0.5}, "epoch is 0.5; expected a whole number, 0 or more, or None"),
        (
            {"epoch": 1, "first_batch": -2},
            "first_batch is -2; expected a whole number, 0 or more, or None",
        ),
    ],
)
def test_a_place_in_the_training_is_a_whole_number(
    tokenizer: BertTokenizer, place: dict[str, Any], message: str
) -> None:
    for seed in (None, 3):
        with pytest.raises(ValueError, match=f"^{message}$"):
            MaskingCollator(tokenizer, seed=seed).set_epoch(**place)


def test_epoch_and_first_batch_decide_the_masks(tokenizer: BertTokenizer) -> None:
    rows = [list(range(5, 35))] * 4

    def drawn(epoch: int, first: int, count: int) -> list[Any]:
        collator = MaskingCollator(tokenizer, seed=5)
        collator.set_epoch(epoch, first)
        return [collator(rows)["labels"].tolist() for _ in range(count)]

    epoch = drawn(2, 0, 4)
    assert len({str(batch) for batch in epoch}) == 4
    assert drawn(2, 2, 2) == epoch[2:]
    assert drawn(3, 0, 1) != epoch[:1]
    without = MaskingCollator(tokenizer)  # has no place, and no error either
    without.set_epoch(2, 1)


def test_the_callback_tells_the_collator_where_the_training_is(tokenizer: BertTokenizer) -> None:
    collator = MaskingCollator(tokenizer, seed=5)
    callback, draws = MaskingCallback(collator), collator._draws
    assert draws is not None
    callback.on_epoch_begin(None, SimpleNamespace(epoch=2.0), None)
    assert draws._announced.tolist() == [1, 2, 0, 0]
    assert draws.training_starts is True
    callback.on_step_begin(None, None, None)
    assert draws.training_starts is False
    callback.on_evaluate(None, None, None)
    callback.on_predict(None, None, None, metrics={})
    assert draws._announced.tolist() == [1, 2, 0, 2]
    callback.on_epoch_begin(None, SimpleNamespace(epoch=None), None)  # before the first step
    assert draws._announced.tolist() == [2, 0, 0, 2]

    without = MaskingCallback(MaskingCollator(tokenizer))  # changes nothing
    without.on_epoch_begin(None, SimpleNamespace(epoch=2.0), None)
    without.on_step_begin(None, None, None)
    without.on_evaluate(None, None, None)


def test_a_tokenizer_without_wordpiece_says_what_to_pass_instead(
    tokenizer: BertTokenizer,
) -> None:
    backend = Tokenizer(models.WordLevel({"[MASK]": 0, "a": 1}, unk_token="a"))
    plain = PreTrainedTokenizerFast(tokenizer_object=backend, mask_token="[MASK]")
    with pytest.raises(ValueError, match="has no WordPiece vocabulary") as raised:
        MaskingCollator(plain, whole_word_mask=True)([[1, 1]])
    assert str(raised.value).partition(" ")[2] == (
        "has no WordPiece vocabulary, whose pieces show where a word continues; expected word_ids "
        "with each row to define whole words: {'input_ids': encoded['input_ids'][i], 'word_ids': "
        "encoded.word_ids(i)}, and remove_unused_columns=False under Trainer"
    )
