"""Masked language modelling: which tokens a model has to predict, and what it sees in their place.

Follows Devlin et al. 2019, §3.1 and A.1, and, for a fixed count per row, `google-research/bert`,
`create_pretraining_data.py`, `create_masked_lm_predictions`. Like `transformers`, and unlike that
script, it draws new masks each time a row is seen. It imports nothing else from this package.

It is fast because it draws 16 random bits per token instead of a float, and from then on touches
only the selected tokens.
"""

import os
import struct
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed
from torch.utils.data import get_worker_info
from transformers import BatchEncoding, PreTrainedTokenizerBase, TrainerCallback

IGNORE_INDEX = -100  # the label that torch's cross-entropy ignores

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class MaskingRecipe:
    """The share of tokens to select, and what happens to the selected ones (paper, §3.1).

    Args:
        select: share of the tokens to predict, from 0 to 1.
        mask: share of the selected tokens that become `[MASK]`.
        random: share of the selected tokens that become a random token.

    Raises:
        ValueError: a share is negative, NaN or above 1, or `mask + random` is above 1.

    >>> round(MaskingRecipe().keep, 3)
    0.1
    >>> MaskingRecipe(mask=0.9, random=0.2)
    Traceback (most recent call last):
    ValueError: mask + random is 0.9 + 0.2, expected at most 1: the rest is the share that is kept
    """

    select: float = 0.15
    mask: float = 0.8
    random: float = 0.1

    def __post_init__(self) -> None:
        for name in ("select", "mask", "random"):
            share = getattr(self, name)
            # written so that NaN, for which every comparison is false, is rejected as well
            if not (isinstance(share, Real) and 0 <= float(share) <= 1):
                raise ValueError(f"{name} is {share!r}, expected a share from 0 to 1")
        if self.mask + self.random > 1:
            raise ValueError(
                f"mask + random is {self.mask} + {self.random}, expected at most 1: "
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
        input_ids: `(batch, length)`, int32 or int64. Not modified.
        special_tokens_mask: `(batch, length)`, nonzero where nothing may be selected: `[CLS]`,
            `[SEP]`, padding.
        mask_token_id: the id of `[MASK]`.
        vocab_size: every id is in `range(vocab_size)`.
        recipe: the shares.
        attention_mask: `(batch, length)`, 0 at padding, where nothing is selected. With a fixed
            count it also gives the length of each row. If omitted, no position is padding.
        word_ids: `(batch, length)` integers, to select whole words: adjacent positions with the
            same number form one word. A special token ends a word, and positions with a negative
            number are never selected. Each piece of a selected word is masked, replaced by a
            random token or kept by its own draw, as in the reference, so the recipe's shares
            hold for tokens.
        max_predictions_per_seq: None selects each token (or word) independently, as
            `transformers` does. A number selects the same count in all rows of the same length,
            as the reference does:
            `min(max_predictions_per_seq, max(1, round(length * recipe.select)))`, where the
            length includes the special tokens. A word that would exceed the count is skipped in
            favour of another.
        at_least_one: if nothing in a batch is selected, select one token (or word), since
            `transformers`' own models return a NaN loss for a batch without labels. In batches
            of a few tokens this raises the share that is selected.
        generator: a CPU generator to draw from; None uses torch's global generator, so
            `torch.manual_seed` makes the result reproducible.

    Returns:
        New `input_ids` of the same dtype, and `labels` in int64: the original id where a token is
        selected and `IGNORE_INDEX` elsewhere. Nothing is selected if `recipe.select == 0` or if
        every token is special.

    Raises:
        TypeError: `input_ids` is not an int32 or int64 tensor, `recipe` is not a `MaskingRecipe`,
            or `generator` is not a `torch.Generator`.
        ValueError: shapes differ, or an id is outside the vocabulary.

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
    _check_whole_number("max_predictions_per_seq", max_predictions_per_seq, least=1)
    _check_recipe(recipe)
    if not (generator is None or isinstance(generator, torch.Generator)):
        raise TypeError(f"generator is {generator!r}, expected torch.Generator().manual_seed(0)")
    if mask_token_id is None or not 0 <= mask_token_id < vocab_size:
        raise ValueError(f"mask_token_id is {mask_token_id}, expected 0 to {vocab_size - 1}")
    ids = _checked_ids(input_ids, vocab_size)  # (batch, length)
    candidates = _array_like(ids, "special_tokens_mask", special_tokens_mask) == 0
    present = np.ones_like(candidates)  # (batch, length)
    if attention_mask is not None:
        present = _array_like(ids, "attention_mask", attention_mask) != 0
        candidates &= present
    words = None
    if word_ids is not None:
        numbers = _array_like(ids, "word_ids", word_ids)
        candidates &= numbers >= 0
        words = _number_words(numbers, candidates)  # (batch, length)

    if max_predictions_per_seq is None or recipe.select == 0:
        selected = _select_each(candidates, words, recipe.select, generator)
    else:
        lengths = np.count_nonzero(present, axis=1)  # (batch,), special tokens included
        counts = _prediction_counts(lengths, recipe.select, max_predictions_per_seq)
        selected = _select_counts(candidates, words, counts, generator)
    if at_least_one and recipe.select > 0 and not selected.any():
        selected = _select_one(candidates, words, generator)

    seen, labels = _replace(ids, selected, mask_token_id, vocab_size, recipe, generator)
    device = input_ids.device
    return torch.from_numpy(seen).to(device), torch.from_numpy(labels).to(device)


def _replace(
    ids: NDArray[Any],
    selected: Bools,
    mask_token_id: int,
    vocab_size: int,
    recipe: MaskingRecipe,
    generator: torch.Generator | None,
) -> tuple[NDArray[Any], Ints]:
    """Mask, randomize or keep each selected token; return the model's input and the labels."""
    positions = np.flatnonzero(selected)  # (selected,), into the flattened batch
    seen = ids.flatten()  # a copy, (batch * length,)

    # every selected token has to be predicted, whatever the model sees in its place
    labels = np.full(ids.size, IGNORE_INDEX)
    labels[positions] = seen[positions]

    # a single draw decides between the three fates, so their shares are exactly the recipe's
    fate = _random_bits(len(positions), np.uint32, generator) / 2**32  # in [0, 1)
    is_random = (fate >= recipe.mask) & (fate < recipe.mask + recipe.random)
    to_mask = positions[np.flatnonzero(fate < recipe.mask)]
    to_random = positions[np.flatnonzero(is_random)]
    seen[to_mask] = mask_token_id
    seen[to_random] = torch.randint(vocab_size, to_random.shape, generator=generator).numpy()
    # the rest is kept: to the model it looks like a token that was never selected

    return seen.reshape(ids.shape), labels.reshape(ids.shape)


def _random_bits(size: int, dtype: Any, generator: torch.Generator | None) -> NDArray[Any]:
    """`(size,)` unsigned integers, uniform over all values of their type."""
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
    """Select `counts[row]` tokens of each row, or all its candidates if there are fewer."""
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
    rows = np.zeros_like(sizes)
    rows[words] = np.arange(len(words))[:, None]
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
    """Number the words of the whole batch from 0, `(batch, length)`."""
    begins = np.ones_like(candidates)  # the first position of a row always begins a word
    begins[:, 1:] = (word_ids[:, 1:] != word_ids[:, :-1]) | ~candidates[:, :-1]
    numbers: Ints = np.cumsum(begins).reshape(begins.shape) - 1
    return numbers


def _checked_ids(input_ids: Tensor, vocab_size: int) -> NDArray[Any]:
    if not isinstance(input_ids, Tensor) or input_ids.dtype not in (torch.int32, torch.int64):
        given = getattr(input_ids, "dtype", type(input_ids).__name__)
        raise TypeError(f"input_ids is {given}, expected a tensor of 32- or 64-bit integers")
    if input_ids.dim() != 2:
        raise ValueError(
            f"input_ids has shape {tuple(input_ids.shape)}, expected (batch, length): "
            "pass a single row as input_ids[None]"
        )
    ids = _array(input_ids)
    # read as unsigned, a negative id is huge, so one comparison finds both kinds of bad id
    if ids.size and ids.view(f"u{ids.itemsize}").max() >= vocab_size:
        raise ValueError(
            f"input_ids holds ids from {ids.min()} to {ids.max()}, expected 0 to "
            f"{vocab_size - 1}: do they come from another tokenizer?"
        )
    return ids


def _check_whole_number(name: str, value: int | None, least: int) -> None:
    if value is not None and (not isinstance(value, (int, np.integer)) or value < least):
        raise ValueError(f"{name} is {value!r}, expected a whole number, {least} or more, or None")


def _check_recipe(recipe: MaskingRecipe) -> None:
    if not isinstance(recipe, MaskingRecipe):
        raise TypeError(
            f"recipe is {recipe!r}, expected a MaskingRecipe: MaskingRecipe(select=0.15) selects "
            "15% of the tokens"
        )


def _array(values: Tensor | NDArray[Any]) -> NDArray[Any]:
    return values.numpy(force=True) if isinstance(values, Tensor) else np.asarray(values)


def _array_like(ids: NDArray[Any], name: str, values: Tensor | NDArray[Any]) -> NDArray[Any]:
    array = _array(values)
    if array.shape != ids.shape:
        raise ValueError(f"{name} has shape {array.shape}, expected that of input_ids, {ids.shape}")
    return array


@dataclass
class MaskingCollator:
    """Pad a batch and mask it: a drop-in for `transformers.DataCollatorForLanguageModeling`.

    Its `mlm_probability=0.2` is `MaskingRecipe(select=0.2)` here; its `mask_replace_prob` and
    `random_replace_prob` are `mask` and `random`.

    Call it with rows (lists, arrays or tensors of ids, or dicts of these) or with a whole batch
    (a two-dimensional tensor or array, or a dict of columns, as a tokenizer returns). It returns
    `input_ids`, `attention_mask` and `labels`, all in int64, and passes other keys on as tensors:
    values that come one per token are padded (with 0, or -100 for labels), anything else is
    stacked. `special_tokens_mask`, `offset_mapping` and `word_ids` are consumed; any `labels` in
    the input are replaced.

    `[CLS]`, `[SEP]` and padding are never selected, nor is any position marked in
    `special_tokens_mask`. Without that mask no special token of the tokenizer is selected,
    `[UNK]` and `[MASK]` included, as in `transformers`.

    If the input has no `attention_mask`, every pad token counts as padding. If the pad token has
    another role too, as after `tokenizer.pad_token = tokenizer.sep_token`, only the padding added
    here counts, so a batch that is already padded with such a token needs its mask.

    Without a seed it draws from torch's global generator, as `transformers` does, in workers as
    well. With a seed, the masks of a batch are determined by the seed, the rank of the process,
    and the position of the batch in the training:

    - Under `transformers.Trainer` and `accelerate`, the position is the epoch and the batch's
      number in it. Masks are then the same for any number of workers and whatever is evaluated in
      between, every evaluation sees the same masks, and a resumed run continues as if it had
      never stopped. Workers that outlive an epoch (`dataloader_persistent_workers`) need
      `MaskingCallback`.
    - In a loop of your own, call `set_epoch(epoch)` at the start of each epoch and the same holds;
      evaluations then need a separate collator.
    - In a loop without `set_epoch`, the masks differ from batch to batch, from pass to pass and
      from worker to worker, whether workers are kept or restarted. They depend on how many batches
      and passes came before.

    An endless stream is one epoch: even where the stream repeats itself, the masks differ.

    Args:
        tokenizer: provides padding, special tokens and the vocabulary; later changes to it are
            not seen.
        recipe: the shares.
        seed: a whole number, 0 or more, or None.
        whole_word_mask: select whole words. If the rows come with `word_ids` (as returned by a
            tokenizer's `word_ids()`, None or NaN for special tokens), these define the words;
            otherwise the prefix of continuation pieces does, `##` in BERT's vocabulary. Only
            WordPiece has such a prefix: with others, such as the byte-level BPE of GPT-2 and
            RoBERTa, the rows need `word_ids`. `Trainer` drops this column unless
            `remove_unused_columns=False`.
        max_predictions_per_seq: see `mask_tokens`.
        at_least_one: see `mask_tokens`.
        pad_to_multiple_of: pad rows to a multiple of this length.
        return_tensors: `"pt"` for tensors or `"np"` for arrays.

    Raises:
        ValueError: the tokenizer has no mask token, or no pad token where one is needed; rows
            differ in length from key to key; an id is outside the vocabulary.
        TypeError: `input_ids` holds anything but integers; `recipe` is not a `MaskingRecipe`.

    >>> from transformers import BertTokenizer
    >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] a great film".split()
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> collator = MaskingCollator(tokenizer, MaskingRecipe(select=1, mask=1, random=0), seed=0)
    >>> batch = collator([[2, 5, 6, 7, 3], [2, 7, 3]])
    >>> batch["input_ids"].tolist()
    [[2, 4, 4, 4, 3], [2, 4, 3, 0, 0]]
    >>> batch["labels"][1].tolist(), batch["attention_mask"][1].tolist()
    ([-100, 7, -100, -100, -100], [1, 1, 1, 0, 0])
    """

    tokenizer: PreTrainedTokenizerBase = field(repr=False)
    recipe: MaskingRecipe = DEFAULT_RECIPE
    seed: int | None = None
    whole_word_mask: bool = False
    max_predictions_per_seq: int | None = None
    at_least_one: bool = False
    pad_to_multiple_of: int | None = None
    return_tensors: str = "pt"

    def __post_init__(self) -> None:
        tokenizer = self.tokenizer
        if tokenizer.mask_token_id is None:
            raise ValueError(
                f"{type(tokenizer).__name__} has no mask token, expected one to replace selected "
                "tokens with: tokenizer.add_special_tokens({'mask_token': '[MASK]'})"
            )
        _check_recipe(self.recipe)
        _check_whole_number("seed", self.seed, least=0)
        _check_whole_number("max_predictions_per_seq", self.max_predictions_per_seq, least=1)
        _check_whole_number("pad_to_multiple_of", self.pad_to_multiple_of, least=1)
        _check_framework(self.return_tensors)

        vocab = tokenizer.get_vocab()
        self._vocab_size = max(vocab.values()) + 1
        # tables by id: is it special, may it never be selected, does it continue a word?
        self._is_special = self._table(tokenizer.all_special_ids)
        structural = (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)
        self._is_structural = self._table(i for i in structural if i is not None)
        roles = tokenizer.special_tokens_map.items()
        self._pad_has_another_task = tokenizer.pad_token in [
            token for role, token in roles if role != "pad_token"
        ]
        self._continues_word = self._table(_continuing_pieces(tokenizer, vocab))
        self._draws = None if self.seed is None else _Draws(int(self.seed))

    def set_epoch(self, epoch: int, first_batch: int = 0) -> None:
        """Announce the start of an epoch, as for a `DistributedSampler`; see the class docstring.

        Args:
            epoch: a whole number, 0 or more.
            first_batch: how many batches of the epoch have been seen, if a run resumes within it.

        Raises:
            ValueError: either is negative or not a whole number.
        """
        _check_whole_number("epoch", epoch, least=0)
        _check_whole_number("first_batch", first_batch, least=0)
        if self._draws is not None:
            self._draws.begin_epoch(epoch, first_batch)

    def __call__(self, features: Any, return_tensors: str | None = None) -> BatchEncoding:
        """Pad and mask.

        Args:
            features: the rows, or the whole batch.
            return_tensors: `"pt"` or `"np"`, overriding the collator's own setting.

        Returns:
            `input_ids`, `attention_mask` and `labels`, each `(batch, length)`, and the other keys.
        """
        framework = _check_framework(return_tensors or self.return_tensors)
        columns = _columns(features)
        lengths, present = self._layout(columns["input_ids"])
        pad_id = -1 if self.tokenizer.pad_token_id is None else self.tokenizer.pad_token_id
        fills = {"input_ids": pad_id, "token_type_ids": self.tokenizer.pad_token_type_id}
        batch = {
            key: _collate(key, values, lengths, present, fills)
            for key, values in columns.items()
            if key not in ("labels", "offset_mapping")
        }

        ids = _checked_ids(torch.from_numpy(batch["input_ids"]), self._vocab_size)
        if "attention_mask" not in batch:
            batch["attention_mask"] = present if self._pad_has_another_task else ids != pad_id
        batch["attention_mask"] = batch["attention_mask"].astype(np.int64, copy=False)
        # a mask that was given may exclude more positions than these, never fewer
        if "special_tokens_mask" in batch:
            given = batch.pop("special_tokens_mask")
            never = self._is_structural[ids] | (_array_like(ids, "special_tokens_mask", given) != 0)
        else:
            never = self._is_special[ids]
        word_ids = batch.pop("word_ids", None)
        if self.whole_word_mask and word_ids is None:
            word_ids = self._word_ids_from_pieces(ids)

        masked, labels = mask_tokens(
            torch.from_numpy(ids),
            torch.from_numpy(never),
            mask_token_id=self.tokenizer.mask_token_id,
            vocab_size=self._vocab_size,
            recipe=self.recipe,
            attention_mask=torch.from_numpy(batch["attention_mask"]),
            word_ids=torch.from_numpy(word_ids) if self.whole_word_mask else None,
            max_predictions_per_seq=self.max_predictions_per_seq,
            at_least_one=self.at_least_one,
            generator=self._draws.generator() if self._draws else None,
        )
        batch |= {"input_ids": masked.numpy(), "labels": labels.numpy()}
        if framework == "np":
            return BatchEncoding(batch)
        return BatchEncoding({key: torch.from_numpy(array) for key, array in batch.items()})

    def _layout(self, rows: list[Any]) -> tuple[Ints, Bools]:
        """The rows' lengths, `(batch,)`, and which positions of the padded batch hold tokens."""
        lengths = _lengths(rows)
        if lengths is None:
            raise ValueError("input_ids holds single values, expected rows: wrap one row in a list")
        if getattr(rows[0], "ndim", 1) > 1:
            raise ValueError(
                f"input_ids holds rows of shape {tuple(rows[0].shape)}, expected rows of ids: "
                "tokenize without return_tensors"
            )
        multiple = self.pad_to_multiple_of or 1
        width = -(-int(lengths.max()) // multiple) * multiple
        columns = np.arange(width)
        if self.tokenizer.padding_side == "left":
            columns = columns[::-1]
        present = columns < lengths[:, None]  # (batch, length)
        if self.tokenizer.pad_token_id is None and not present.all():
            raise ValueError(
                f"{type(self.tokenizer).__name__} has no pad token, expected one because rows must "
                f"be padded to {width}: tokenizer.add_special_tokens({{'pad_token': '[PAD]'}})"
            )
        return lengths, present

    def _word_ids_from_pieces(self, ids: Ints) -> Ints:
        if not self._continues_word.any():
            raise ValueError(
                f"{type(self.tokenizer).__name__} has no WordPiece vocabulary, whose pieces show "
                "where a word continues, expected word_ids with each row to define whole words: "
                "{'input_ids': encoded['input_ids'][i], 'word_ids': encoded.word_ids(i)}, and "
                "remove_unused_columns=False under Trainer"
            )
        return np.cumsum(~self._continues_word[ids], axis=1)

    def _table(self, ids: Iterable[int]) -> Bools:
        table = np.zeros(self._vocab_size, dtype=bool)
        table[list(ids)] = True
        return table


class MaskingCallback(TrainerCallback):
    """Keep a `MaskingCollator` informed of `Trainer`'s progress, for persistent workers.

    Needed with `dataloader_persistent_workers=True`. Without that setting the collator keeps track
    by itself, and the callback changes nothing.

    Args:
        collator: the one passed to `Trainer`.

    >>> from transformers import BertTokenizer
    >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] a great film".split()
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> collator = MaskingCollator(tokenizer, seed=0)
    >>> callbacks = [MaskingCallback(collator)]  # for Trainer, along with data_collator=collator
    """

    def __init__(self, collator: MaskingCollator) -> None:
        self.collator = collator

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The next loader to start its workers is the training loader."""
        self.collator.set_epoch(int(state.epoch or 0))
        self._training_starts(True)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The training loader has started its workers; the next to start some is an evaluation."""
        self._training_starts(False)

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The next evaluation begins at the first batch again."""
        if self.collator._draws is not None:
            self.collator._draws.end_evaluation()

    def on_predict(self, args: Any, state: Any, control: Any, metrics: Any, **kwargs: Any) -> None:
        """The same as after an evaluation."""
        self.on_evaluate(args, state, control)

    def _training_starts(self, starts: bool) -> None:
        if self.collator._draws is not None:
            self.collator._draws.training_starts = starts


class _Draws:
    """A generator for each batch, determined by the batch's position, not by earlier draws.

    In a loop that does not announce its position, there is one generator for each process and each
    pass over a loader. What the main process knows is kept in shared memory: workers started in
    each epoch get a copy of its state, and persistent ones would never see it change.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        # whether the loader now starting its workers is the training loader
        self.training_starts = False
        # how often an epoch was announced, the epoch, its first batch, evaluations finished
        self._announced = torch.zeros(4, dtype=torch.int64).share_memory_()
        # the seeds that loaders hand to their workers, one per pass, in order of arrival; and for
        # each worker number the index of the last pass that it took part in
        self._passes = torch.full((2**16,), -1).share_memory_()
        self._latest = torch.full((2**10,), -1).share_memory_()
        self._stream: torch.Generator | None = None
        self._drawn_by: tuple[int, bool] | None = None  # process, and is it a loader's worker?
        # rank and progress of the process that pickled this for a worker
        self._pickled: tuple[int | None, tuple[int, int] | None] = (None, None)
        self._forget()

    def _forget(self) -> None:
        """Reset what applies to this process only."""
        self._home = os.getpid()
        self._counts: WeakKeyDictionary[Any, tuple[Any, int]] = WeakKeyDictionary()

    def __getstate__(self) -> dict[str, Any]:
        """Give a loader's spawned workers what they could not find out by themselves."""
        state = self.__dict__ | {"_pickled": (_rank(), _progress(_running_loader()))}
        del state["_counts"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Let a copy continue where the original is, in whichever process it is unpickled."""
        self.__dict__.update(state)
        self._forget()
        self._drawn_by = (self._home, False)
        for shared in (self._announced, self._passes, self._latest):
            if not shared.is_shared():
                shared.share_memory_()

    def begin_epoch(self, epoch: int, first_batch: int) -> None:
        self._announced[1], self._announced[2] = epoch, first_batch
        self._announced[0] += 1

    def end_evaluation(self) -> None:
        self._announced[3] += 1

    def generator(self) -> torch.Generator:
        """The generator for the next batch."""
        rank = _rank()
        if rank is None and get_worker_info() is not None:
            rank = self._pickled[0]
        position = self._position()
        if position is None:
            return self._of_pass(rank or 0)
        return _generator(np.random.SeedSequence(self.seed, spawn_key=(0, rank or 0, *position)))

    def _position(self) -> tuple[int, int] | None:
        """Epoch and number of the next batch; None in a loop that does not announce them."""
        worker, loader = get_worker_info(), _running_loader()
        progress = _progress(loader)
        times_announced, epoch, first, evaluations = self._announced.tolist()
        if worker is None:
            if progress is not None:  # accelerate's loader knows
                return progress[0], progress[1] + self._count(loader, progress[0])
            if times_announced:
                return epoch, first + self._count(_Draws, times_announced)
            return None

        progress = progress or self._pickled[1]  # as it was when the worker was started
        if times_announced and (progress is None or self.training_starts):
            first = progress[1] if progress and progress[0] == epoch else first
            began = times_announced
        elif progress is not None:
            (epoch, first), began = progress, evaluations
        else:
            return None
        # workers take turns, so the batch has the number it would have without workers
        count = self._count(_Draws, (os.getpid(), began))
        return epoch, first + worker.id + worker.num_workers * count

    def _count(self, loader: Any, began: Any) -> int:
        """How many batches of this loader the process has drawn since the event `began`."""
        known, count = self._counts.get(loader, (None, 0))
        count = count if known == began else 0
        self._counts[loader] = began, count + 1
        return count

    def _of_pass(self, rank: int) -> torch.Generator:
        """The stream of this process, or of this worker in this pass over its loader."""
        process, worker = os.getpid(), get_worker_info()
        if self._stream is None or self._drawn_by != (process, worker is not None):
            if worker is None:
                key = (self.seed, 0, 0 if process == self._home else process)
            else:
                key = (self.seed, worker.id + 1, self._pass(worker.seed - worker.id, worker.id))
            spawn_key = (rank,) if rank else ()
            self._stream = _generator(np.random.SeedSequence(key, spawn_key=spawn_key))
            self._drawn_by = (process, worker is not None)
        return self._stream

    def _pass(self, loader_seed: int, worker: int) -> int:
        """Number the seeds that loaders hand to their workers in order of arrival: 0, 1, 2, ...

        Workers of one pass that arrive together write the same seed into the same slot; one that
        arrives late, in a pass left early, finds it there. A seed that a worker has seen before
        marks another pass: `torch.manual_seed` may be called in each epoch.
        """
        seeds = self._passes.numpy()
        latest = self._latest.numpy()[worker : worker + 1]
        known = seeds == loader_seed
        known[: int(latest.max(initial=-1)) + 1] = False
        slots = np.flatnonzero(known | (seeds < 0))
        if not len(slots):
            return loader_seed
        seeds[slots[0]] = loader_seed
        latest[:] = slots[0]
        return int(slots[0])


def _generator(entropy: np.random.SeedSequence) -> torch.Generator:
    return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0]))


def _rank() -> int | None:
    """The rank of this process among those that train together; None if it trains alone."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank()
    rank = os.environ.get("RANK")  # as torchrun sets it
    return int(rank) if rank else None


def _running_loader() -> Any:
    """The loader of accelerate, and so of `Trainer`, that is being iterated over, if any."""
    accelerate = sys.modules.get("accelerate.state")
    return accelerate.GradientState().active_dataloader if accelerate else None


def _progress(loader: Any) -> tuple[int, int] | None:
    """The epoch of accelerate's loader and how many of its batches a resumed run skips."""
    epoch = getattr(loader, "iteration", None)
    if epoch is None:
        return None
    samplers = (loader.batch_sampler, loader.sampler)
    return epoch, max(getattr(sampler, "skip_batches", 0) for sampler in samplers)


def _continuing_pieces(tokenizer: PreTrainedTokenizerBase, vocab: Mapping[str, int]) -> list[int]:
    """The ids of pieces that continue a word; none unless the vocabulary is WordPiece's."""
    prefix = "##" if _is_slow_wordpiece(tokenizer) else ""
    if (backend := getattr(tokenizer, "backend_tokenizer", None)) is not None:
        # byte-level BPE has "##" in its vocabulary too: there it is two characters of the text
        prefix = getattr(backend.model, "continuing_subword_prefix", None) or ""
    if not prefix:
        return []
    added = tokenizer.added_tokens_encoder
    return [
        number
        for piece, number in vocab.items()
        if piece.startswith(prefix) and piece != prefix and piece not in added
    ]


def _is_slow_wordpiece(tokenizer: PreTrainedTokenizerBase) -> bool:
    parts = ("wordpiece_tokenizer", "subword_tokenizer")  # the latter is BertJapaneseTokenizer's
    kinds = [type(getattr(tokenizer, part, None)).__name__ for part in parts]
    return "WordpieceTokenizer" in kinds


def _columns(features: Any) -> dict[str, list[Any]]:
    """Turn rows, dicts or a whole batch into `{key: [one value per row]}`."""
    if isinstance(features, Mapping):
        columns = dict(features)
    elif len(features) and isinstance(features[0], Mapping):
        try:
            columns = {key: [row[key] for row in features] for key in features[0]}
        except KeyError as missing:
            raise ValueError(
                f"a row has no {missing}, expected the same keys as in the first row"
            ) from None
    else:
        columns = {"input_ids": features}
    if "input_ids" not in columns:
        raise ValueError(f"the batch has {sorted(columns)}, expected input_ids among them")
    for key, values in columns.items():
        columns[key] = list(_array(values) if isinstance(values, Tensor) else values)
    if not columns["input_ids"]:
        raise ValueError("the batch is empty, expected at least one row")
    if "word_ids" in columns:
        columns["word_ids"] = [_word_numbers(row) for row in columns["word_ids"]]
    return columns


def _word_numbers(row: Any) -> NDArray[Any]:
    """A row of word ids, with -1 at special tokens, where a tokenizer's `word_ids()` has None."""
    if isinstance(row, (list, tuple)):
        row = [-1 if word is None else word for word in row]
    numbers = _array(row)
    if numbers.dtype == object:  # as datasets returns them in NumPy format
        numbers = _word_numbers(numbers.tolist())
    elif numbers.dtype.kind == "f":  # in torch format None has become NaN
        whole: Ints = np.nan_to_num(numbers, nan=-1.0).astype(np.int64)
        if (whole != numbers)[~np.isnan(numbers)].any():
            raise ValueError(f"word_ids holds {row}, expected whole numbers, None or NaN")
        numbers = whole
    return numbers


def _collate(
    key: str, values: list[Any], lengths: Ints, present: Bools, fills: dict[str, int]
) -> NDArray[Any]:
    """Pad values that come one per token to `(batch, length)`; stack those of equal shape."""
    if len(values) != len(lengths):
        raise ValueError(f"{key} has {len(values)} rows, input_ids has {len(lengths)}")
    own = _lengths(values)
    if own is not None and (own == lengths).all():
        flat = _numbers(key, _flatten(values))
        fill = fills.get(key, IGNORE_INDEX if "label" in key else 0)
        if present.all():
            # an array over packed bytes is read-only, a copy is not
            return flat.reshape(present.shape + flat.shape[1:]).copy()
        padded = np.full(present.shape + flat.shape[1:], fill, dtype=flat.dtype)
        padded[present] = flat
        return padded
    arrays = [np.asarray(value) for value in values]
    if len({array.shape for array in arrays}) > 1:
        raise ValueError(
            f"{key} differs in length between rows and from input_ids, expected one value per "
            "token, or the same shape in every row"
        )
    return _numbers(key, np.stack(arrays))


def _lengths(values: list[Any]) -> Ints | None:
    """The length of each value, `(batch,)`; None for single numbers and strings."""
    if isinstance(values[0], str):
        return None
    try:
        return np.fromiter(map(len, values), np.int64, len(values))
    except TypeError:
        return None


def _flatten(rows: list[Any]) -> NDArray[Any]:
    """Join the rows end to end."""
    if isinstance(rows[0], (list, tuple)):
        try:
            # the fastest way from Python integers to an array; struct refuses anything else
            pack = {length: struct.Struct(f"{length}q").pack for length in set(map(len, rows))}
            return np.frombuffer(b"".join([pack[len(row)](*row) for row in rows]), np.int64)
        except struct.error:
            pass
    return np.concatenate([np.asarray(row) for row in rows if len(row)] or [np.zeros(0, int)])


def _numbers(key: str, array: NDArray[Any]) -> NDArray[Any]:
    """Integers in int64 and floats in float32, as `transformers` makes them from lists."""
    kinds = {"i": np.int64, "u": np.int64, "f": np.float32, "b": np.bool_}
    if array.dtype.kind not in kinds:
        raise TypeError(
            f"{key} holds {array.dtype}, expected numbers: drop the key, or encode its values"
        )
    return array.astype(kinds[array.dtype.kind], copy=False)


def _check_framework(return_tensors: str) -> str:
    if return_tensors not in ("pt", "np"):
        raise ValueError(f"return_tensors is {return_tensors!r}, expected 'pt' or 'np'")
    return return_tensors
