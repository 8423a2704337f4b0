"""Tests of the masking: its statistics in every mode, its edges, and the collator beside theirs.

Every draw has a fixed seed, so nothing here is left to chance from run to run. A statistic counts
as right when a χ² as large or larger would come up in more than one of 10,000 tries.
"""

from __future__ import annotations

import copy
import dataclasses
import doctest
import math
import multiprocessing
import pickle
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from torch import Tensor
from torch.utils.data import DataLoader
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

from bertlesson import masking
from bertlesson.collating import MaskingCollator
from bertlesson.heads import IGNORE_INDEX
from bertlesson.masking import MaskingRecipe, mask_tokens

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES += [f"word{i}" for i in range(29)] + ["#tag"] + [f"##piece{i}" for i in range(15)]
PAD, UNK, CLS, SEP, MASK = range(5)
VOCAB = len(PIECES)
FIRST_PIECE = 35  # ids from here on begin with ##
ALL = MaskingRecipe(select=1, mask=1, random=0)


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer(vocab={piece: i for i, piece in enumerate(PIECES)})


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def plain_batch(batch: int, length: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Rows of words between [CLS] and [SEP], and their special tokens mask."""
    input_ids = torch.randint(5, FIRST_PIECE, (batch, length), generator=generator(seed))
    input_ids[:, 0], input_ids[:, -1] = CLS, SEP
    return input_ids, (input_ids < 5).long()


def mask(input_ids: Tensor, special: Tensor, seed: int = 0, **options: Any) -> tuple[Tensor, ...]:
    options = {"mask_token_id": MASK, "vocab_size": VOCAB, "generator": generator(seed)} | options
    return mask_tokens(input_ids, special, **options)


def assert_fits(counts: Any, expected_shares: Any) -> None:
    """χ² of counts against the shares that they should have."""
    counts = torch.as_tensor(counts, dtype=torch.float64).flatten()
    shares = torch.as_tensor(expected_shares, dtype=torch.float64).flatten()
    assert shares.sum().item() == pytest.approx(1)
    expected = shares * counts.sum()
    assert expected.min() > 5, "too few draws for a χ²"
    statistic = ((counts - expected) ** 2 / expected).sum()
    freedom = torch.tensor((len(counts) - 1) / 2, dtype=torch.float64)
    assert torch.special.gammaincc(freedom, statistic / 2).item() > 1e-4, (counts, expected)


def assert_share(selected: Tensor, share: float) -> None:
    count = int(selected.sum())
    assert_fits([count, selected.numel() - count], [share, 1 - share])


# the recipe


def test_the_default_recipe_is_the_paper_s() -> None:
    recipe = MaskingRecipe()
    assert (recipe.select, recipe.mask, recipe.random) == (0.15, 0.8, 0.1)
    assert recipe.keep == pytest.approx(0.1)
    assert MaskingRecipe(mask=0.8, random=0.2).keep == 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.mask = 0.7  # type: ignore[misc]


@pytest.mark.parametrize("name", ["select", "mask", "random"])
@pytest.mark.parametrize("share", [-0.01, 1.01, math.nan, math.inf])
def test_a_recipe_names_the_share_it_refuses(name: str, share: float) -> None:
    with pytest.raises(ValueError, match=rf"^{name} is {share}"):
        MaskingRecipe(**{name: share})


@pytest.mark.parametrize("share", ["0.15", None, [0.15], torch.tensor(0.15)])
def test_a_share_is_a_number(share: Any) -> None:
    with pytest.raises(ValueError, match=r"^select is .*; expected a share from 0 to 1"):
        MaskingRecipe(select=share)


def test_a_recipe_refuses_shares_that_together_pass_1() -> None:
    with pytest.raises(ValueError, match=r"mask \+ random is 0.7 \+ 0.4"):
        MaskingRecipe(mask=0.7, random=0.4)
    for mask_share in np.linspace(0, 1, 101):
        MaskingRecipe(mask=mask_share, random=1 - mask_share)


# statistics


@pytest.mark.parametrize("share", [0.01, 0.15, 0.5, 0.997])
def test_each_token_is_selected_with_the_probability_asked_for(share: float) -> None:
    input_ids, special = plain_batch(1000, 102)
    _, labels = mask(input_ids, special, recipe=MaskingRecipe(select=share))
    selected = labels[:, 1:-1] != IGNORE_INDEX
    assert_share(selected, share)
    # as many in a row as independent tokens give, neither more even nor more clustered
    tokens = torch.arange(101, dtype=torch.float64)
    shares = torch.distributions.Binomial(100, torch.tensor(share).double()).log_prob(tokens).exp()
    below = shares.cumsum(dim=0)
    low, high = int((below < 0.02).sum()), int((below < 0.98).sum())  # beyond: rare, lumped
    counts = selected.sum(dim=1).clamp(low, high).bincount(minlength=high + 1)[low:]
    assert_fits(counts, [below[low], *shares[low + 1 : high], 1 - below[high - 1]])


def test_the_default_share_is_15_percent() -> None:
    _, labels = mask(*plain_batch(1000, 102))
    assert_share(labels[:, 1:-1] != IGNORE_INDEX, 0.15)


def test_a_share_finer_than_the_draws_is_not_lost() -> None:
    input_ids, special = plain_batch(1024, 34)
    draws, count = generator(), 0
    for _ in range(500):
        recipe = MaskingRecipe(select=2**-18)
        _, labels = mask(input_ids, special, recipe=recipe, generator=draws)
        count += int((labels != IGNORE_INDEX).sum())
    # 62.5 expected, with a standard deviation of about 8
    assert 30 < count < 95


@pytest.mark.parametrize("max_predictions_per_seq", [None, 20])
@pytest.mark.parametrize("whole_words", [False, True])
def test_a_selected_token_meets_its_fate_by_the_paper_s_shares(
    max_predictions_per_seq: int | None, whole_words: bool
) -> None:
    input_ids, special = plain_batch(2000, 130)
    word_ids = torch.arange(130).expand_as(input_ids) // 3 if whole_words else None
    seen, labels = mask(
        input_ids, special, word_ids=word_ids, max_predictions_per_seq=max_predictions_per_seq
    )
    chosen = labels != IGNORE_INDEX
    # 0, 1, 2: masked, replaced by another token, kept; a random token may be [MASK] or the same
    fate = torch.where(seen == MASK, 0, torch.where(seen == input_ids, 2, 1))[chosen]
    lucky = 0.1 / VOCAB
    shares = torch.tensor([0.8 + lucky, 0.1 - 2 * lucky, 0.1 + lucky], dtype=torch.float64)
    assert_fits(fate.bincount(minlength=3), shares)
    # and independently of the one before it, in a word as well
    pairs = (fate[:-1] * 3 + fate[1:]).bincount(minlength=9)
    assert_fits(pairs, torch.outer(shares, shares))


@pytest.mark.parametrize(("mask_share", "random_share"), [(1, 0), (0, 1), (0, 0), (0.4, 0.6)])
def test_a_fate_without_a_share_does_not_happen(mask_share: float, random_share: float) -> None:
    input_ids, special = plain_batch(500, 102)
    recipe = MaskingRecipe(select=1, mask=mask_share, random=random_share)
    seen, labels = mask(input_ids, special, recipe=recipe)
    inside = slice(1, -1)
    assert torch.equal(labels[:, inside], input_ids[:, inside])
    share_unchanged = recipe.keep + random_share / VOCAB
    share_masked = mask_share + random_share / VOCAB
    unchanged = seen[:, inside] == input_ids[:, inside]
    for happened, share in ((unchanged, share_unchanged), (seen[:, inside] == MASK, share_masked)):
        if share in (0, 1):
            assert happened.all() if share else not happened.any()
        else:
            assert_share(happened, share)


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_random_tokens_come_from_the_whole_vocabulary(dtype: torch.dtype) -> None:
    input_ids, special = plain_batch(500, 102)
    recipe = MaskingRecipe(select=1, mask=0, random=1)
    seen, _ = mask(input_ids.to(dtype), special, recipe=recipe)
    counts = seen[:, 1:-1].flatten().bincount(minlength=VOCAB)
    assert_fits(counts, torch.full((VOCAB,), 1 / VOCAB))


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 8, 128])
def test_tokens_are_selected_independently(lag: int) -> None:
    input_ids = torch.full((1024, 128), 7)
    _, labels = mask(input_ids, torch.zeros_like(input_ids))
    selected = (labels != IGNORE_INDEX).long().flatten()
    pairs = (selected[:-lag] * 2 + selected[lag:]).bincount(minlength=4)
    assert_fits(pairs, [0.85**2, 0.85 * 0.15, 0.85 * 0.15, 0.15**2])


@pytest.mark.parametrize("max_predictions_per_seq", [None, 6])
@pytest.mark.parametrize("whole_words", [False, True])
def test_every_place_is_as_likely_as_any_other(
    max_predictions_per_seq: int | None, whole_words: bool
) -> None:
    input_ids, special = plain_batch(3000, 42)
    word_ids = torch.arange(-1, 41).expand_as(input_ids) // 2 if whole_words else None
    _, labels = mask(
        input_ids, special, word_ids=word_ids, max_predictions_per_seq=max_predictions_per_seq
    )
    places = (labels[:, 1:-1] != IGNORE_INDEX).sum(dim=0)
    if whole_words:
        assert torch.equal(places[::2], places[1::2])
        places = places[::2]
    assert_fits(places, torch.full((len(places),), 1 / len(places)))


# a fixed count


@settings(max_examples=60)
@given(
    lengths=st.lists(st.integers(0, 40), min_size=1, max_size=5),
    share=st.sampled_from([0.01, 0.1, 0.15, 0.25, 0.5, 1.0]),
    cap=st.integers(1, 50),
)
def test_the_count_is_the_reference_s(lengths: list[int], share: float, cap: int) -> None:
    present = torch.arange(40) < torch.tensor(lengths)[:, None]
    ends = torch.isin(torch.arange(40), torch.tensor([0, 5])) & present
    _, labels = mask(
        torch.full(present.shape, 7),
        ends,
        attention_mask=present.long(),
        recipe=MaskingRecipe(select=share),
        max_predictions_per_seq=cap,
    )
    for length, row, special in zip(lengths, labels, ends, strict=True):
        wanted = min(cap, max(1, round(length * share)))
        assert int((row != IGNORE_INDEX).sum()) == min(wanted, length - int(special.sum()))
        assert (row[length:] == IGNORE_INDEX).all()
        assert (row[special] == IGNORE_INDEX).all()


def test_half_a_prediction_goes_to_the_even_count() -> None:
    input_ids = torch.full((4, 10), 7)
    present = torch.arange(10) < torch.tensor([3, 5, 7, 10])[:, None]
    _, labels = mask(
        input_ids,
        torch.zeros_like(input_ids),
        attention_mask=present,
        recipe=MaskingRecipe(select=0.5),
        max_predictions_per_seq=100,
    )
    assert (labels != IGNORE_INDEX).sum(dim=1).tolist() == [2, 2, 4, 5]


def test_a_fixed_count_selects_pairs_as_drawing_without_replacement_does() -> None:
    input_ids = torch.full((20_000, 12), 7)
    recipe = MaskingRecipe(select=0.25)
    _, labels = mask(
        input_ids, torch.zeros_like(input_ids), recipe=recipe, max_predictions_per_seq=20
    )
    selected = (labels != IGNORE_INDEX).long()
    assert (selected.sum(dim=1) == 3).all()
    pairs = (selected[:, 4] * 2 + selected[:, 5]).bincount(minlength=4)
    both, one = 3 * 2 / (12 * 11), 3 * 9 / (12 * 11)
    assert_fits(pairs, [1 - both - 2 * one, one, one, both])


# whole words


def words_of(word_ids: Tensor, special: Tensor) -> list[list[tuple[int, int]]]:
    """The words of a batch as lists of (row, column), found one token at a time."""
    words: list[list[tuple[int, int]]] = []
    for i, (row, flags) in enumerate(zip(word_ids.tolist(), special.tolist(), strict=True)):
        open_word = None
        for j, (word, flag) in enumerate(zip(row, flags, strict=True)):
            if flag or word < 0:
                open_word = None
            elif open_word == word:
                words[-1].append((i, j))
            else:
                words.append([(i, j)])
                open_word = word
    return words


@settings(max_examples=80)
@given(seed=st.integers(0, 10**6), cap=st.sampled_from([None, 1, 3, 20]))
def test_words_are_selected_as_a_whole(seed: int, cap: int | None) -> None:
    rng = generator(seed)
    word_ids = torch.randint(-1, 3, (4, 20), generator=rng).repeat_interleave(2, dim=1)[:, 1:]
    special = (torch.rand(word_ids.shape, generator=rng) < 0.15).long()
    _, labels = mask(
        torch.full_like(word_ids, 7),
        special,
        seed,
        word_ids=word_ids,
        max_predictions_per_seq=cap,
        recipe=MaskingRecipe(select=0.4),
    )
    selected = labels != IGNORE_INDEX
    words = words_of(word_ids, special)
    inside = 0
    room = [min(cap, 16) if cap else 0] * 4  # round(39 * 0.4)
    for word in words:
        fates = {bool(selected[place]) for place in word}
        assert len(fates) == 1
        if fates == {True}:
            inside += len(word)
            room[word[0][0]] -= len(word)
    assert inside == int(selected.sum()), "a special token or one without a word was selected"
    if cap:
        assert min(room) >= 0
        for word in words:  # what was left out would not have fitted any more
            assert selected[word[0]] or len(word) > room[word[0][0]]


@pytest.mark.parametrize("share", [0.15, 0.4])
def test_whole_words_keep_the_share_of_tokens_whatever_their_length(share: float) -> None:
    lengths = torch.randint(1, 6, (60_000,), generator=generator())
    word_ids = torch.arange(60_000).repeat_interleave(lengths)
    word_ids = word_ids[: len(word_ids) // 100 * 100].reshape(100, -1)
    nothing = torch.zeros_like(word_ids)
    recipe = MaskingRecipe(select=share)
    _, labels = mask(nothing + 7, nothing, word_ids=word_ids, recipe=recipe)
    selected = (labels != IGNORE_INDEX).flatten()
    first = torch.ones_like(selected)
    first[1:] = word_ids.flatten()[1:] != word_ids.flatten()[:-1]
    for length in range(1, 6):
        of_length = lengths[word_ids.flatten()] == length
        assert_share(selected[first & of_length], share)
    assert selected.float().mean().item() == pytest.approx(share, abs=0.004)


def test_whole_words_fill_the_count_where_single_pieces_allow_it() -> None:
    word_ids = torch.tensor([0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 8, 9, 10, 11, 12, 13])
    word_ids = word_ids.expand(500, -1)
    nothing = torch.zeros_like(word_ids)
    recipe = MaskingRecipe(select=0.2)
    _, labels = mask(
        nothing + 7, nothing, word_ids=word_ids, recipe=recipe, max_predictions_per_seq=20
    )
    selected = labels != IGNORE_INDEX
    assert (selected.sum(dim=1) == 4).all()
    assert selected[:, 0].any()  # the longest too
    assert selected[:, 10].any()


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


# at least one


@pytest.mark.parametrize("whole_words", [False, True])
@pytest.mark.parametrize("cap", [None, 1])
def test_at_least_one_is_selected_if_asked_for(whole_words: bool, cap: int | None) -> None:
    input_ids = torch.tensor([[CLS, 7, 36, 8, 37, SEP, PAD], [CLS, 9, 38, 10, 39, SEP, PAD]])
    special = (input_ids < 5).long()
    word_ids = torch.tensor([[-1, 0, 0, 1, 1, -1, -1]] * 2) if whole_words else None
    recipe = MaskingRecipe(select=1e-9)
    options: dict[str, Any] = {"recipe": recipe, "word_ids": word_ids}
    options["max_predictions_per_seq"] = cap if whole_words else None
    places = torch.zeros(2, 7)
    for seed in range(400):
        _, labels = mask(input_ids, special, seed, at_least_one=True, **options)
        selected = labels != IGNORE_INDEX
        assert int(selected.sum()) == (2 if whole_words else 1)
        places += selected
        assert not (mask(input_ids, special, seed, **options)[1] != IGNORE_INDEX).any()
    assert_fits(places[:, 1:5], torch.full((8,), 1 / 8))
    if whole_words:
        assert torch.equal(places[:, 1], places[:, 2])
        assert torch.equal(places[:, 3], places[:, 4])


def test_at_least_one_changes_nothing_where_something_is_selected() -> None:
    input_ids, special = plain_batch(8, 32)
    for ours, theirs in zip(
        mask(input_ids, special), mask(input_ids, special, at_least_one=True), strict=True
    ):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("cap", [None, 5])
def test_nothing_is_selected_where_nothing_can_be(cap: int | None) -> None:
    input_ids, special = plain_batch(4, 12)
    everything = torch.ones_like(special)
    options: dict[str, Any] = {"max_predictions_per_seq": cap, "at_least_one": True}
    for recipe, flags in ((MaskingRecipe(select=0), special), (ALL, everything)):
        for word_ids in (None, torch.zeros_like(input_ids)):
            seen, labels = mask(input_ids, flags, recipe=recipe, word_ids=word_ids, **options)
            assert torch.equal(seen, input_ids)
            assert (labels == IGNORE_INDEX).all()


# properties of mask_tokens


@settings(max_examples=200)
@given(
    shape=st.tuples(st.integers(0, 5), st.integers(0, 12)),
    dtype=st.sampled_from([torch.int32, torch.int64]),
    share=st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1)),
    seed=st.integers(0, 10**9),
    cap=st.one_of(st.none(), st.integers(1, 15)),
    whole_words=st.booleans(),
    special_share=st.sampled_from([0.0, 0.3, 1.0]),
    at_least_one=st.booleans(),
)
def test_what_holds_for_every_batch(
    shape: tuple[int, int],
    dtype: torch.dtype,
    share: float,
    seed: int,
    cap: int | None,
    whole_words: bool,
    special_share: float,
    at_least_one: bool,
) -> None:
    rng = generator(seed)
    input_ids = torch.randint(VOCAB, shape, generator=rng).to(dtype)
    special = torch.rand(shape, generator=rng) < special_share
    attention_mask = torch.rand(shape, generator=rng) < 0.8
    word_ids = torch.randint(3, shape, generator=rng) if whole_words else None
    before = input_ids.clone()
    seen, labels = mask(
        input_ids,
        special,
        seed,
        recipe=MaskingRecipe(select=share),
        attention_mask=attention_mask,
        word_ids=word_ids,
        max_predictions_per_seq=cap,
        at_least_one=at_least_one,
    )
    assert torch.equal(input_ids, before)
    assert seen.data_ptr() != input_ids.data_ptr() or not input_ids.numel()
    assert (seen.shape, seen.dtype) == (input_ids.shape, dtype)
    assert (labels.shape, labels.dtype) == (input_ids.shape, torch.int64)
    selected = labels != IGNORE_INDEX
    candidates = ~special & attention_mask
    assert not (selected & ~candidates).any()
    assert torch.equal(labels[selected], input_ids[selected].long())
    assert torch.equal(seen[~selected], input_ids[~selected])
    assert ((seen >= 0) & (seen < VOCAB)).all()
    if share == 0:
        assert not selected.any()
    elif at_least_one and candidates.any():
        assert selected.any()
    if share == 1 and cap is None:
        assert torch.equal(selected, candidates)


def test_it_draws_from_the_generator_given_or_else_from_torch_s() -> None:
    input_ids, special = plain_batch(16, 64)
    options: dict[str, Any] = {"mask_token_id": MASK, "vocab_size": VOCAB}
    words: dict[str, Any] = {"word_ids": torch.arange(64).expand(16, -1) // 2}
    count: dict[str, Any] = {"max_predictions_per_seq": 9}
    nearly_none: dict[str, Any] = {"recipe": MaskingRecipe(1e-9), "at_least_one": True}
    for more in ({}, count, words, words | count, nearly_none, words | nearly_none):
        runs = []
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            runs.append(mask_tokens(input_ids, special, **options, **more))
        assert all(map(torch.equal, runs[0], runs[1]))
        assert not torch.equal(runs[0][1], runs[2][1])
        state = torch.get_rng_state()
        own = [mask(input_ids, special, seed, **more) for seed in (1, 1, 2)]
        assert all(map(torch.equal, own[0], own[1]))
        assert not torch.equal(own[0][1], own[2][1])
        assert torch.equal(torch.get_rng_state(), state)


def test_a_special_token_is_whatever_is_not_zero() -> None:
    input_ids, special = plain_batch(12, 8)
    for flags in (special * 3, -special, special.bool(), special.float()):
        assert all(map(torch.equal, mask(input_ids, flags), mask(input_ids, special)))


def test_strided_tensors_are_read_as_they_stand() -> None:
    input_ids, special = plain_batch(12, 8)
    expected = mask(input_ids, special)
    for stretch in (lambda t: t.T.contiguous().T, lambda t: t.repeat_interleave(2, 1)[:, ::2]):
        assert all(map(torch.equal, mask(stretch(input_ids), stretch(special)), expected))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"input_ids": torch.ones(2, 3)}, TypeError, "float32"),
        ({"input_ids": torch.ones(2, 3, dtype=torch.bool)}, TypeError, "bool"),
        ({"input_ids": [[1, 2, 3]] * 2}, TypeError, "list"),
        ({"input_ids": torch.ones(3, dtype=torch.int64)}, ValueError, r"\(3,\).*input_ids\[None\]"),
        ({"input_ids": torch.full((2, 3), VOCAB)}, ValueError, f"to {VOCAB}; expected 0 to"),
        ({"input_ids": torch.full((2, 3), -1)}, ValueError, "from -1"),
        ({"input_ids": torch.full((2, 3), -1, dtype=torch.int32)}, ValueError, "from -1"),
        ({"special_tokens_mask": torch.zeros(2, 4)}, ValueError, r"special_tokens_mask.*\(2, 4\)"),
        ({"attention_mask": torch.ones(2)}, ValueError, "attention_mask"),
        ({"word_ids": torch.ones(3, 2)}, ValueError, "word_ids"),
        ({"max_predictions_per_seq": 0}, ValueError, "max_predictions_per_seq is 0"),
        ({"max_predictions_per_seq": 2.5}, ValueError, "max_predictions_per_seq is 2.5"),
        ({"mask_token_id": VOCAB}, ValueError, "mask_token_id"),
        ({"mask_token_id": -1}, ValueError, "mask_token_id"),
        ({"mask_token_id": None}, ValueError, "mask_token_id is None"),
        ({"recipe": 0.15}, TypeError, r"recipe is 0.15; .*MaskingRecipe\(select=0.15\)"),
        ({"generator": 7}, TypeError, "generator is 7; expected torch.Generator"),
    ],
)
def test_mask_tokens_refuses(change: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments = {
        "input_ids": torch.ones(2, 3, dtype=torch.int64),
        "special_tokens_mask": torch.zeros(2, 3),
        "mask_token_id": MASK,
        "vocab_size": VOCAB,
    }
    with pytest.raises(error, match=message):
        mask_tokens(**(arguments | change))


def test_the_highest_and_lowest_ids_are_accepted() -> None:
    for dtype in (torch.int32, torch.int64):
        input_ids = torch.tensor([[0, VOCAB - 1]], dtype=dtype)
        assert mask(input_ids, torch.zeros(1, 2), recipe=ALL)[0].tolist() == [[MASK, MASK]]


# what the collator takes


ROWS = [[CLS, 7, 8, 9, SEP], [CLS, 10, SEP], [CLS, 11, 36, 12, 13, 37, SEP]]


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


def test_padding_that_came_along_is_told_from_tokens(tokenizer: BertTokenizer) -> None:
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
        ([], ValueError, "empty"),
        ([[CLS, 7.5, SEP]], TypeError, "float32; expected a tensor of 32- or 64-bit integers"),
        ([np.array([2.0, 3.0])], TypeError, "float32; expected a tensor of 32- or 64-bit"),
        (torch.ones(2, 3), TypeError, "float32"),
        ([[CLS, "word1", SEP]], TypeError, "input_ids"),
        ([[CLS, 2**70, SEP]], TypeError, "input_ids"),
        (["word1"], ValueError, "single values"),
        ([CLS, 7, SEP], ValueError, "wrap one row in a list"),
        (torch.tensor([CLS, 7, SEP]), ValueError, "wrap one row in a list"),
        ([[[CLS, 7]], [[SEP, 7]]], ValueError, r"\(2, 1, 2\)"),
        ([torch.tensor([[CLS, 7]]), torch.tensor([[SEP]])], ValueError, "without return_tensors"),
        ([np.array([[CLS, 7]])], ValueError, r"rows of shape \(1, 2\)"),
        ([[CLS, VOCAB, SEP]], ValueError, "another tokenizer"),
        ([[CLS, -1, SEP]], ValueError, "another tokenizer"),
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
            "special_tokens_mask has shape",
        ),
        ([{"input_ids": [7, 8], "attention_mask": 1}] * 2, ValueError, "attention_mask has shape"),
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
    with pytest.raises(ValueError, match=f"{setting} is {value!r}"):
        MaskingCollator(tokenizer, **{setting: value})


@pytest.mark.parametrize("recipe", [0.15, True, None, {"select": 0.15}])
def test_the_collator_refuses_what_is_no_recipe(tokenizer: BertTokenizer, recipe: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a MaskingRecipe: MaskingRecipe\(select=0.15\)"):
        MaskingCollator(tokenizer, recipe)


def test_the_collator_needs_a_mask_token_and_sometimes_a_pad_token(
    tokenizer: BertTokenizer,
) -> None:
    backend = tokenizer.backend_tokenizer
    with pytest.raises(ValueError, match="no mask token"):
        MaskingCollator(PreTrainedTokenizerFast(tokenizer_object=backend))
    bare = PreTrainedTokenizerFast(tokenizer_object=backend, mask_token="[MASK]")
    collator = MaskingCollator(bare, ALL)
    assert collator([[7, 8], [9, 10]])["attention_mask"].tolist() == [[1, 1], [1, 1]]
    with pytest.raises(ValueError, match="no pad token"):
        collator([[7, 8], [9]])


def test_ids_of_added_tokens_belong_to_the_vocabulary(tokenizer: BertTokenizer) -> None:
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.add_tokens(["extra"])
    assert MaskingCollator(tokenizer, ALL)([[CLS, VOCAB, SEP]])["labels"][0, 1] == VOCAB


# seeds, workers, epochs


SAME = [[CLS, *[7] * 62, SEP]] * 16  # equal rows: only the draws can tell batches apart


def epoch(loader: DataLoader[Any]) -> list[Tensor]:
    return [batch["labels"] for batch in loader]


def assert_all_differ(batches: list[Tensor]) -> None:
    assert len({tuple(batch.flatten().tolist()) for batch in batches}) == len(batches)


def loader(collator: MaskingCollator, workers: int, **options: Any) -> DataLoader[Any]:
    return DataLoader(SAME, 4, collate_fn=collator, num_workers=workers, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("persistent", [False, True])
def test_every_batch_of_every_epoch_is_masked_anew_and_can_be_repeated(
    tokenizer: BertTokenizer, seed: int | None, workers: int, persistent: bool
) -> None:
    runs = []
    for attempt in range(2):
        # a seed of one's own is enough; without one it is torch's that counts
        torch.manual_seed(0 if seed is None else attempt)
        batches = loader(
            MaskingCollator(tokenizer, seed=seed),
            workers,
            persistent_workers=persistent and workers > 0,
        )
        runs.append(epoch(batches) + epoch(batches) + epoch(batches))
        assert_all_differ(runs[-1])
        del batches
    assert all(map(torch.equal, *runs))


def test_different_seeds_mask_differently(tokenizer: BertTokenizer) -> None:
    batches = [MaskingCollator(tokenizer, seed=seed)(SAME)["labels"] for seed in range(5)]
    workers = [epoch(loader(MaskingCollator(tokenizer, seed=seed), 1))[0] for seed in range(2)]
    assert_all_differ(batches + workers)
    assert torch.equal(MaskingCollator(tokenizer, seed=np.int64(4))(SAME)["labels"], batches[4])  # type: ignore[arg-type]


def test_a_seed_leaves_torch_s_own_generator_alone(tokenizer: BertTokenizer) -> None:
    state = torch.get_rng_state()
    MaskingCollator(tokenizer, seed=1)(SAME)
    assert torch.equal(torch.get_rng_state(), state)


class Laggard(MaskingCollator):
    """One with a worker that is slow to begin."""

    slow_worker = -1

    def __call__(self, *features: Any) -> BatchEncoding:
        worker = torch.utils.data.get_worker_info()
        if self._draws._stream is None and worker is not None and worker.id == self.slow_worker:
            time.sleep(0.3)
        return super().__call__(*features)


def test_the_order_in_which_workers_begin_does_not_matter(tokenizer: BertTokenizer) -> None:
    runs = []
    for slow_worker in (-1, 0, 1):
        collator = Laggard(tokenizer, seed=5)
        collator.slow_worker = slow_worker
        batches = loader(collator, 2)
        left_early = next(iter(batches))["labels"]
        runs.append([left_early, *epoch(batches), *epoch(batches)])
    assert_all_differ(runs[0])
    for run in runs[1:]:
        assert all(map(torch.equal, run, runs[0]))


def test_a_worker_that_comes_late_finds_its_pass(tokenizer: BertTokenizer) -> None:
    draws = MaskingCollator(tokenizer, seed=5)._draws
    assert draws is not None
    came = [(70, 0), (70, 1), (90, 0), (70, 2), (80, 0), (90, 1)]  # seeds of loaders, workers
    assert [draws._pass(*seed_and_worker) for seed_and_worker in came] == [0, 0, 1, 0, 2, 1]
    # whoever has had a seed meets it in another pass: torch.manual_seed was called in between
    assert [draws._pass(70, worker) for worker in (0, 1, 0)] == [3, 3, 4]
    draws._passes.fill_(1)  # when there is no more room the passes still differ
    assert draws._pass(70, 0) != draws._pass(80, 0)


def drawn_in_other_processes(*draws: Callable[[], BatchEncoding]) -> list[Tensor]:
    """The labels that each function draws in a forked process of its own."""
    context = multiprocessing.get_context("fork")
    queues = [context.SimpleQueue() for _ in draws]
    for draw, queue in zip(draws, queues, strict=True):

        def put(draw: Any = draw, queue: Any = queue) -> None:
            torch.set_num_threads(
                1
            )  # as a loader's workers do: OpenMP's threads do not survive a fork
            queue.put(draw()["labels"].tolist())

        context.Process(target=put, daemon=True).start()
    return [torch.tensor(queue.get()) for queue in queues]


def test_a_seed_means_the_same_in_every_process(tokenizer: BertTokenizer) -> None:
    collator = MaskingCollator(tokenizer, seed=5)
    fresh = pickle.dumps(collator)
    first = collator(SAME)["labels"]
    used = pickle.dumps(collator)
    second = collator(SAME)["labels"]
    made, unpickled, continued = drawn_in_other_processes(
        lambda: MaskingCollator(tokenizer, seed=5)(SAME),
        lambda: pickle.loads(fresh)(SAME),
        lambda: pickle.loads(used)(SAME),
    )
    assert torch.equal(made, first)
    assert torch.equal(unpickled, first)
    assert torch.equal(continued, second)


@pytest.mark.parametrize("drawn_before", [False, True])
def test_processes_that_are_forked_otherwise_draw_differently(
    tokenizer: BertTokenizer, drawn_before: bool
) -> None:
    collator = MaskingCollator(tokenizer, seed=5)
    if drawn_before:
        collator(SAME)
    drawn = drawn_in_other_processes(lambda: collator(SAME), lambda: collator(SAME))
    assert_all_differ([*drawn, collator(SAME)["labels"]])


def test_copies_go_on_where_the_original_stands(tokenizer: BertTokenizer) -> None:
    collator = MaskingCollator(tokenizer, seed=5)
    collator(SAME)
    copies = [pickle.loads(pickle.dumps(collator)), copy.deepcopy(collator)]
    expected = collator(SAME)["labels"]
    for twin in copies:
        assert torch.equal(twin(SAME)["labels"], expected)
        batches = loader(twin, 2)
        assert_all_differ([expected, *epoch(batches), *epoch(batches)])


def test_workers_that_are_spawned_draw_anew_in_each_epoch(tokenizer: BertTokenizer) -> None:
    batches = loader(MaskingCollator(tokenizer, seed=5), 1, multiprocessing_context="spawn")
    spawned = epoch(batches) + epoch(batches)
    assert_all_differ(spawned)
    batches = loader(MaskingCollator(tokenizer, seed=5), 1)
    assert all(map(torch.equal, spawned, epoch(batches) + epoch(batches)))


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
    collator = MaskingCollator(tokenizer, seed=0, at_least_one=True)

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


def test_the_examples_of_the_docstrings_run() -> None:
    outcome = doctest.testmod(masking)
    assert outcome.attempted > 5
    assert outcome.failed == 0
