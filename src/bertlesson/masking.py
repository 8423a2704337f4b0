"""Masked language modelling: which tokens a model has to predict, and what it sees in their place.

Follows Devlin et al. 2019, §3.1 and A.1, and, for a fixed count per row, ``google-research/bert``,
`create_pretraining_data.py`, `create_masked_lm_predictions`. Like `transformers`, and unlike that
script, it draws new masks each time a row is seen. It imports nothing else from this package.

It is fast because it draws 16 random bits per token instead of a float, and from then on touches
only the selected tokens.
"""

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["DEFAULT_RECIPE", "MaskingRecipe", "mask_tokens"]

IGNORE_INDEX = -100  # the label that torch's cross-entropy ignores
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class MaskingRecipe:
    """The share of tokens to select, and what happens to the selected ones (paper, §3.1).

    Args:
        select: Share of the tokens to predict, from 0 to 1.
        mask: Share of the selected tokens that become ``[MASK]``.
        random: Share of the selected tokens that become a random token.

    Raises:
        ValueError: If a share is negative, NaN or above 1, or ``mask + random`` is above 1.

    >>> round(MaskingRecipe().keep, 3)
    0.1
    >>> MaskingRecipe(mask=0.9, random=0.2)
    Traceback (most recent call last):
    ValueError: mask + random is 0.9 + 0.2; expected at most 1: the rest is the share that is kept
    """

    select: float = 0.15
    mask: float = 0.8
    random: float = 0.1

    def __post_init__(self) -> None:
        for name in ("select", "mask", "random"):
            share = getattr(self, name)
            # written so that NaN, for which every comparison is false, is rejected as well
            if not (isinstance(share, Real) and 0 <= float(share) <= 1):
                raise ValueError(f"{name} is {share!r}; expected a share from 0 to 1")
        if self.mask + self.random > 1:
            raise ValueError(
                f"mask + random is {self.mask} + {self.random}; expected at most 1: "
                "the rest is the share that is kept"
            )

    @property
    def keep(self) -> float:
        """Share of the selected tokens that are left unchanged."""
        return 1 - (self.mask + self.random)


DEFAULT_RECIPE = MaskingRecipe()


def mask_tokens(
    input_ids: Tensor,
    special_tokens_mask: Tensor,
    *,
    mask_token_id: int,
    vocab_size: int,
    recipe: MaskingRecipe = DEFAULT_RECIPE,
    attention_mask: Tensor | None = None,
    word_ids: Tensor | None = None,
    max_predictions_per_seq: int | None = None,
    at_least_one: bool = False,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Select tokens, hide them according to the recipe, and return the originals as labels.

    A random token is drawn from the whole vocabulary, special tokens and the original included,
    as in the reference and in `transformers`.

    Args:
        input_ids: ``(batch, length)``, int32 or int64. Not modified.
        special_tokens_mask: ``(batch, length)``, nonzero where nothing may be selected: ``[CLS]``,
            ``[SEP]``, padding.
        mask_token_id: The id of ``[MASK]``.
        vocab_size: Every id is in ``range(vocab_size)``.
        recipe: The shares.
        attention_mask: ``(batch, length)``, 0 at padding, where nothing is selected. With a fixed
            count it also gives the length of each row. If omitted, no position is padding.
        word_ids: ``(batch, length)`` integers, to select whole words: adjacent positions with the
            same number form one word. A special token ends a word, and positions with a negative
            number are never selected. Each piece of a selected word is masked, replaced by a
            random token or kept by its own draw, as in the reference, so the recipe's shares
            hold for tokens.
        max_predictions_per_seq: None selects each token (or word) independently, as
            `transformers` does. A number selects the same count in all rows of the same length,
            as the reference does:
            ``min(max_predictions_per_seq, max(1, round(length * recipe.select)))``, where the
            length includes the special tokens. A word that would exceed the count is skipped in
            favour of another.
        at_least_one: If nothing in a batch is selected, select one token (or word), since
            `transformers`' own models return a NaN loss for a batch without labels. In batches
            of a few tokens this raises the share that is selected.
        generator: A CPU generator to draw from; None uses torch's global generator, so
            `torch.manual_seed` makes the result reproducible.

    Returns:
        New `input_ids` of the same dtype, and `labels` in int64: the original id where a token is
        selected and `IGNORE_INDEX` elsewhere. Nothing is selected if ``recipe.select == 0`` or if
        every token is special.

    Raises:
        TypeError: If `input_ids` is not an int32 or int64 tensor, `recipe` is not a
            `MaskingRecipe`, or `generator` is not a `torch.Generator`.
        ValueError: If shapes differ, or an id is outside the vocabulary.

    >>> import torch
    >>> input_ids = torch.tensor([[1, 7, 8, 9, 6, 2, 0]])
    >>> special_tokens_mask = torch.tensor([[1, 0, 0, 0, 0, 1, 1]])
    >>> masked, labels = mask_tokens(
    ...     input_ids, special_tokens_mask, mask_token_id=3, vocab_size=10,
    ...     recipe=MaskingRecipe(select=1, mask=1, random=0),
    ... )
    >>> masked.tolist(), labels.tolist()
    ([[1, 3, 3, 3, 3, 2, 0]], [[-100, 7, 8, 9, 6, -100, -100]])
    """
    check_whole_number("max_predictions_per_seq", max_predictions_per_seq, least=1)
    check_recipe(recipe)
    if not (generator is None or isinstance(generator, torch.Generator)):
        raise TypeError(f"generator is {generator!r}; expected torch.Generator().manual_seed(0)")
    if mask_token_id is None or not 0 <= mask_token_id < vocab_size:
        raise ValueError(f"mask_token_id is {mask_token_id}; expected 0 to {vocab_size - 1}")
    ids = checked_ids(input_ids, vocab_size)  # (batch, length)
    # where something may be selected: neither special tokens nor padding
    candidates = array_like(ids, "special_tokens_mask", special_tokens_mask) == 0  # (batch, length)
    present = None
    if attention_mask is not None:
        present = array_like(ids, "attention_mask", attention_mask) != 0  # (batch, length)
        candidates &= present
    numbers = None if word_ids is None else array_like(ids, "word_ids", word_ids)
    seen, labels = mask_arrays(
        ids.copy(),
        candidates,
        present,
        numbers,
        mask_token_id=mask_token_id,
        vocab_size=vocab_size,
        recipe=recipe,
        max_predictions_per_seq=max_predictions_per_seq,
        at_least_one=at_least_one,
        generator=generator,
    )
    device = input_ids.device
    return torch.from_numpy(seen).to(device), torch.from_numpy(labels).to(device)


def mask_arrays(
    ids: NDArray[Any],
    candidates: Bools,
    present: Bools | None,
    word_ids: NDArray[Any] | None,
    *,
    mask_token_id: int,
    vocab_size: int,
    recipe: MaskingRecipe,
    max_predictions_per_seq: int | None,
    at_least_one: bool,
    generator: torch.Generator | None,
) -> tuple[NDArray[Any], Ints]:
    """`mask_tokens` for arrays that have been checked, each ``(batch, length)``.

    The ids, contiguous, are masked in place. `candidates` is True where something may be selected,
    `present` where there is a token, which only a fixed count needs.
    """
    words = None  # without them, each token stands for itself
    if word_ids is not None:
        candidates = candidates & (word_ids >= 0)
        words = _number_words(word_ids, candidates)  # (batch, length)

    # who is selected: either everyone draws alone, or each row has a count to fill
    if max_predictions_per_seq is None or recipe.select == 0:
        selected = _select_each(candidates, words, recipe.select, generator)
    else:
        # (batch,), special tokens included
        lengths = np.full(len(ids), ids.shape[1]) if present is None else present.sum(axis=1)
        counts = _prediction_counts(lengths, recipe.select, max_predictions_per_seq)
        selected = _select_counts(candidates, words, counts, generator)
    if at_least_one and recipe.select > 0 and not selected.any():
        selected = _select_one(candidates, words, generator)

    # every selected token has to be predicted, whatever the model sees in its place
    seen = ids.reshape(-1)  # (batch * length,)
    positions = selected.reshape(-1).nonzero()[0]  # (selected,)
    originals = seen.take(positions)  # (selected,)
    labels = np.full(ids.size, IGNORE_INDEX)
    labels[positions] = originals

    # a single draw decides between the three fates, so their shares are exactly the recipe's
    fate = _random_bits(len(positions), np.uint32, generator)  # (selected,)
    is_changed = fate < math.ceil((recipe.mask + recipe.random) * 2**32)
    is_masked = fate < math.ceil(recipe.mask * 2**32)
    shown = np.where(is_masked, mask_token_id, originals)
    to_random = (is_changed != is_masked).nonzero()[0]
    shown[to_random] = torch.randint(vocab_size, to_random.shape, generator=generator).numpy()
    # the rest is kept: to the model it looks like a token that was never selected
    seen[positions] = shown

    return ids, labels.reshape(ids.shape)


def _random_bits(size: int, dtype: Any, generator: torch.Generator | None) -> NDArray[Any]:
    """``(size,)`` unsigned integers, uniform over all values of their type."""
    # drawn 64 bits at a time and split up: many times faster than drawing one float each
    words = torch.empty(-(-size * np.dtype(dtype).itemsize // 8), dtype=torch.int64)
    bits: NDArray[Any] = words.random_(-(2**63), None, generator=generator).numpy().view(dtype)
    return bits[:size]


def _select_each(
    candidates: Bools, words: Ints | None, share: float, generator: torch.Generator | None
) -> Bools:
    """Select each token independently, or each word as a whole, with probability `share`."""
    size = candidates.size if words is None else int(words.max(initial=-1)) + 1
    # 16 bits are enough because the threshold is rounded up or down at random: a draw is below it
    # with probability exactly `share`, not `share` rounded to a multiple of 2**-16
    threshold = int(share * 2**16 + torch.rand((), generator=generator).item())
    won: Bools = np.less(_random_bits(size, np.uint16, generator), threshold)
    # long words have the same chance as short ones, so the share of tokens is `share` as well
    won = won.reshape(candidates.shape) if words is None else won[words]
    return np.logical_and(candidates, won)


def _select_counts(
    candidates: Bools, words: Ints | None, counts: Ints, generator: torch.Generator | None
) -> Bools:
    """Select ``counts[row]`` tokens of each row, or all its candidates if there are fewer."""
    if not candidates.any():
        return candidates
    if words is None:
        # every candidate draws a ticket and the lowest win (one row in 10**14 has a tie)
        tickets = _random_bits(candidates.size, np.uint64, generator).reshape(candidates.shape)
        tickets[~candidates] = 2**64 - 1
        last = counts[:, None] - 1  # (batch, 1), the rank of the last ticket to win
        highest_to_win = np.take_along_axis(np.sort(tickets, axis=1), last, axis=1)
        return np.logical_and(candidates, tickets <= highest_to_win)

    sizes = np.bincount(words[candidates], minlength=words[-1, -1] + 1)  # (words,)
    rows = np.zeros_like(sizes)  # (words,), the row that each word is in
    rows[words] = np.arange(len(words))[:, None]
    # words in random order, each selected if its row has room for all of its pieces
    room, won = counts.tolist(), np.zeros(len(sizes), dtype=bool)
    order = torch.randperm(len(sizes), generator=generator).numpy()
    for word, size, row in zip(order, sizes[order].tolist(), rows[order].tolist(), strict=True):
        if size <= room[row]:
            room[row] -= size
            won[word] = True
    return np.logical_and(candidates, won[words])


def _select_one(candidates: Bools, words: Ints | None, generator: torch.Generator | None) -> Bools:
    """Select one token, or the word that it belongs to, if there are any candidates."""
    selected = np.zeros_like(candidates)
    positions = np.flatnonzero(candidates)
    if len(positions):
        position = positions[int(torch.randint(len(positions), (), generator=generator))]
        selected.flat[position] = True
        if words is not None:
            selected = candidates & (words == words.flat[position])
    return selected


def _prediction_counts(lengths: Ints, share: float, max_predictions_per_seq: int) -> Ints:
    """How many tokens to predict in rows of these lengths, as the reference counts them."""
    # rint rounds a half to the even neighbour, as the reference's round does
    counts: Ints = np.maximum(1, np.rint(lengths * share).astype(np.int64))
    return np.minimum(counts, max_predictions_per_seq)


def _number_words(word_ids: Ints, candidates: Bools) -> Ints:
    """Number the words of the whole batch from 0, ``(batch, length)``."""
    begins = np.ones_like(candidates)  # the first position of a row always begins a word
    begins[:, 1:] = (word_ids[:, 1:] != word_ids[:, :-1]) | ~candidates[:, :-1]
    numbers: Ints = np.cumsum(begins).reshape(begins.shape) - 1
    return numbers


def checked_ids(input_ids: Tensor, vocab_size: int) -> NDArray[Any]:
    if not isinstance(input_ids, Tensor) or input_ids.dtype not in (torch.int32, torch.int64):
        given = getattr(input_ids, "dtype", type(input_ids).__name__)
        raise TypeError(f"input_ids is {given}; expected a tensor of 32- or 64-bit integers")
    if input_ids.dim() != 2:
        raise ValueError(
            f"input_ids has shape {tuple(input_ids.shape)}; expected (batch, length): "
            "pass a single row as input_ids[None]"
        )
    ids = to_array(input_ids)
    # read as unsigned, a negative id is huge, so one comparison finds both kinds of bad id
    if ids.size and ids.view(f"u{ids.itemsize}").max() >= vocab_size:
        raise ValueError(
            f"input_ids holds ids from {ids.min()} to {ids.max()}; expected 0 to "
            f"{vocab_size - 1}: do they come from another tokenizer?"
        )
    return ids


def check_whole_number(name: str, value: int | None, least: int) -> None:
    if value is not None and (not isinstance(value, (int, np.integer)) or value < least):
        raise ValueError(f"{name} is {value!r}; expected a whole number, {least} or more, or None")


def check_recipe(recipe: MaskingRecipe) -> None:
    if not isinstance(recipe, MaskingRecipe):
        raise TypeError(
            f"recipe is {recipe!r}; expected a MaskingRecipe: MaskingRecipe(select=0.15) selects "
            "15% of the tokens"
        )


def to_array(values: Tensor | NDArray[Any]) -> NDArray[Any]:
    return values.numpy(force=True) if isinstance(values, Tensor) else np.asarray(values)


def array_like(ids: NDArray[Any], name: str, values: Tensor | NDArray[Any]) -> NDArray[Any]:
    array = to_array(values)
    if array.shape != ids.shape:
        raise ValueError(f"{name} has shape {array.shape}; expected that of input_ids, {ids.shape}")
    return array
