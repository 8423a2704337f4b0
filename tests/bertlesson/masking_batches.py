"""Batches to mask, and χ² tests of what was drawn; for the tests of masking and its collator.

A statistic counts as right when a χ² as large or larger would come up in more than one of 10,000
tries.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from bertlesson.masking import MaskingRecipe, mask_tokens

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES += [f"word{i}" for i in range(29)] + ["#tag"] + [f"##piece{i}" for i in range(15)]
PAD, UNK, CLS, SEP, MASK = range(5)
VOCAB = len(PIECES)
FIRST_PIECE = 35  # ids from here on begin with ##
ALL = MaskingRecipe(select=1, mask=1, random=0)


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


# what the collator takes


ROWS = [[CLS, 7, 8, 9, SEP], [CLS, 10, SEP], [CLS, 11, 36, 12, 13, 37, SEP]]


def assert_all_differ(batches: list[Tensor]) -> None:
    assert len({tuple(batch.flatten().tolist()) for batch in batches}) == len(batches)
