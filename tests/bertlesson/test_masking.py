"""Tests of the masking: its statistics in every mode, and its edges.

Every draw has a fixed seed, so nothing here is left to chance from run to run.
"""

from __future__ import annotations

import dataclasses
import doctest
import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bertlesson import masking
from bertlesson.heads import IGNORE_INDEX
from bertlesson.masking import MaskingRecipe, mask_tokens
from tests.bertlesson.masking_batches import (
    ALL,
    CLS,
    MASK,
    PAD,
    SEP,
    VOCAB,
    assert_fits,
    assert_share,
    generator,
    mask,
    plain_batch,
)

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
    with pytest.raises(ValueError, match=rf"^{name} is {share}; expected a share from 0 to 1$"):
        MaskingRecipe(**{name: share})


@pytest.mark.parametrize("share", ["0.15", None, [0.15], torch.tensor(0.15)])
def test_a_share_is_a_number(share: Any) -> None:
    with pytest.raises(ValueError, match=r"^select is .*; expected a share from 0 to 1$"):
        MaskingRecipe(select=share)


def test_a_recipe_refuses_shares_that_together_pass_1() -> None:
    with pytest.raises(
        ValueError,
        match=r"^mask \+ random is 0.7 \+ 0.4; expected at most 1: the rest is the share that is "
        "kept$",
    ):
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


INTEGERS = "expected a tensor of 32- or 64-bit integers"
FROM_ANOTHER = "; expected 0 to 49: do they come from another tokenizer?"
LIKE_IDS = "expected that of input_ids, (2, 3)"
COUNTED = "expected a whole number, 1 or more, or None"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"input_ids": torch.ones(2, 3)}, TypeError, f"input_ids is torch.float32; {INTEGERS}"),
        ({"input_ids": torch.ones(2, 3).bool()}, TypeError, f"input_ids is torch.bool; {INTEGERS}"),
        ({"input_ids": [[1, 2, 3]] * 2}, TypeError, f"input_ids is list; {INTEGERS}"),
        (
            {"input_ids": torch.ones(3, dtype=torch.int64)},
            ValueError,
            "input_ids has shape (3,); expected (batch, length): pass a single row as "
            "input_ids[None]",
        ),
        (
            {"input_ids": torch.full((2, 3), VOCAB)},
            ValueError,
            f"input_ids holds ids from 50 to 50{FROM_ANOTHER}",
        ),
        (
            {"input_ids": torch.tensor([[-1, 0, 7]] * 2)},
            ValueError,
            f"input_ids holds ids from -1 to 7{FROM_ANOTHER}",
        ),
        (
            {"input_ids": torch.tensor([[-1, 0, 7]] * 2, dtype=torch.int32)},
            ValueError,
            f"input_ids holds ids from -1 to 7{FROM_ANOTHER}",
        ),
        (
            {"special_tokens_mask": torch.zeros(2, 4)},
            ValueError,
            f"special_tokens_mask has shape (2, 4); {LIKE_IDS}",
        ),
        (
            {"attention_mask": torch.ones(2)},
            ValueError,
            f"attention_mask has shape (2,); {LIKE_IDS}",
        ),
        ({"word_ids": torch.ones(3, 2)}, ValueError, f"word_ids has shape (3, 2); {LIKE_IDS}"),
        ({"max_predictions_per_seq": 0}, ValueError, f"max_predictions_per_seq is 0; {COUNTED}"),
        (
            {"max_predictions_per_seq": 2.5},
            ValueError,
            f"max_predictions_per_seq is 2.5; {COUNTED}",
        ),
        ({"mask_token_id": VOCAB}, ValueError, "mask_token_id is 50; expected 0 to 49"),
        ({"mask_token_id": -1}, ValueError, "mask_token_id is -1; expected 0 to 49"),
        ({"mask_token_id": None}, ValueError, "mask_token_id is None; expected 0 to 49"),
        (
            {"recipe": 0.15},
            TypeError,
            "recipe is 0.15; expected a MaskingRecipe: MaskingRecipe(select=0.15) selects 15% of "
            "the tokens",
        ),
        ({"generator": 7}, TypeError, "generator is 7; expected torch.Generator().manual_seed(0)"),
    ],
)
def test_mask_tokens_refuses(change: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments = {
        "input_ids": torch.ones(2, 3, dtype=torch.int64),
        "special_tokens_mask": torch.zeros(2, 3),
        "mask_token_id": MASK,
        "vocab_size": VOCAB,
    }
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        mask_tokens(**(arguments | change))


def test_a_mask_token_may_be_any_piece_of_the_vocabulary() -> None:
    input_ids = torch.tensor([[7, 8, 9]])
    for mask_token_id in (0, 1, VOCAB - 1):
        seen, labels = mask(
            input_ids, torch.zeros_like(input_ids), recipe=ALL, mask_token_id=mask_token_id
        )
        assert seen.tolist() == [[mask_token_id] * 3]
        assert labels.tolist() == [[7, 8, 9]]


def test_the_highest_and_lowest_ids_are_accepted() -> None:
    for dtype in (torch.int32, torch.int64):
        input_ids = torch.tensor([[0, VOCAB - 1]], dtype=dtype)
        assert mask(input_ids, torch.zeros(1, 2), recipe=ALL)[0].tolist() == [[MASK, MASK]]


def test_the_examples_of_the_docstrings_run() -> None:
    outcome = doctest.testmod(masking)
    assert outcome.attempted > 5
    assert outcome.failed == 0
