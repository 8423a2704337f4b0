"""The collator: pads a batch and masks it, as a loader or `transformers.Trainer` calls it.

`bertlesson.masking` has the masking itself, `bertlesson.padding` the padding, and
`bertlesson.seeding` the generators, which depend on the batch's position in the training.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from transformers import BatchEncoding, PreTrainedTokenizerBase, TrainerCallback

from .masking import (
    DEFAULT_RECIPE,
    Bools,
    Ints,
    MaskingRecipe,
    array_like,
    check_recipe,
    check_whole_number,
    checked_ids,
    mask_arrays,
)
from .padding import columns_of, lengths_of, pad
from .seeding import SeededDraws

__all__ = ["MaskingCallback", "MaskingCollator"]


@dataclass
class MaskingCollator:
    """Pad a batch and mask it: a drop-in for `transformers.DataCollatorForLanguageModeling`.

    Its ``mlm_probability=0.2`` is ``MaskingRecipe(select=0.2)`` here; its `mask_replace_prob` and
    `random_replace_prob` are `mask` and `random`.

    Call it with rows (lists, arrays or tensors of ids, or dicts of these) or with a whole batch
    (a two-dimensional tensor or array, or a dict of columns, as a tokenizer returns). It returns
    `input_ids`, `attention_mask` and `labels`, all in int64, and passes other keys on as tensors:
    values that come one per token are padded (with 0, or -100 for labels), anything else is
    stacked. `special_tokens_mask`, `offset_mapping` and `word_ids` are consumed; any `labels` in
    the input are replaced.

    ``[CLS]``, ``[SEP]`` and padding are never selected, nor is any position marked in
    `special_tokens_mask`. Without that mask no special token of the tokenizer is selected,
    ``[UNK]`` and ``[MASK]`` included, as in `transformers`.

    If the input has no `attention_mask`, every pad token counts as padding. If the pad token has
    another role too, as after ``tokenizer.pad_token = tokenizer.sep_token``, only the padding added
    here counts, so a batch that is already padded with such a token needs its mask.

    Without a seed it draws from torch's global generator, as `transformers` does, in workers as
    well. With a seed, the masks of a batch are determined by the seed, the rank of the process,
    and the position of the batch in the training:

    - Under `transformers.Trainer` and `accelerate`, the position is the epoch and the batch's
      number in it. Masks are then the same for any number of workers and whatever is evaluated in
      between, every evaluation sees the same masks, and a resumed run continues as if it had
      never stopped. Workers that outlive an epoch (`dataloader_persistent_workers`) need
      `MaskingCallback`.
    - In a loop of your own, call ``set_epoch(epoch)`` at the start of each epoch and the same
      holds; evaluations then need a separate collator.
    - In a loop without `set_epoch`, the masks differ from batch to batch, from pass to pass and
      from worker to worker, whether workers are kept or restarted. They depend on how many batches
      and passes came before.

    An endless stream is one epoch: even where the stream repeats itself, the masks differ.

    Args:
        tokenizer: Provides padding, special tokens and the vocabulary; later changes to it are
            not seen.
        recipe: The shares.
        seed: A whole number, 0 or more, or None.
        whole_word_mask: Select whole words. If the rows come with `word_ids` (as returned by a
            tokenizer's ``word_ids()``, None or NaN for special tokens), these define the words, and
            a special token within one, such as an unknown piece, divides it. Otherwise the prefix
            of continuation pieces does, ``##`` in BERT's vocabulary. Only WordPiece has such a
            prefix: with others, such as the byte-level BPE of GPT-2 and RoBERTa, the rows need
            `word_ids`. `Trainer` drops this column unless ``remove_unused_columns=False``.
        max_predictions_per_seq: See `mask_tokens`.
        at_least_one: See `mask_tokens`.
        pad_to_multiple_of: Pad rows to a multiple of this length.
        return_tensors: ``"pt"`` for tensors or ``"np"`` for arrays.

    Raises:
        ValueError: If the tokenizer has no mask token, or no pad token where one is needed, if rows
            differ in length from key to key, or if an id is outside the vocabulary.
        TypeError: If `input_ids` holds anything but integers, or `recipe` is no `MaskingRecipe`.

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
                f"{type(tokenizer).__name__} has no mask token; expected one to replace selected "
                "tokens with: tokenizer.add_special_tokens({'mask_token': '[MASK]'})"
            )
        check_recipe(self.recipe)
        check_whole_number("seed", self.seed, least=0)
        check_whole_number("max_predictions_per_seq", self.max_predictions_per_seq, least=1)
        check_whole_number("pad_to_multiple_of", self.pad_to_multiple_of, least=1)
        _check_framework(self.return_tensors)

        vocab = tokenizer.get_vocab()
        self._vocab_size = max(vocab.values()) + 1
        # kept, because the tokenizer looks each of them up in its vocabulary
        self._mask_id = tokenizer.mask_token_id
        self._pad_id = -1 if tokenizer.pad_token_id is None else tokenizer.pad_token_id
        # tables by id: is it special, may it never be selected, does it continue a word?
        self._is_special = self._table(tokenizer.all_special_ids)
        structural = (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)
        self._is_structural = self._table(i for i in structural if i is not None)
        roles = tokenizer.special_tokens_map.items()
        self._pad_has_another_task = tokenizer.pad_token in [
            token for role, token in roles if role != "pad_token"
        ]
        self._continues_word = self._table(_continuing_pieces(tokenizer, vocab))
        self._draws = None if self.seed is None else SeededDraws(int(self.seed))

    def set_epoch(self, epoch: int, first_batch: int = 0) -> None:
        """Announce the start of an epoch, as for a `DistributedSampler`; see the class docstring.

        Args:
            epoch: A whole number, 0 or more.
            first_batch: How many batches of the epoch have been seen, if a run resumes within it.

        Raises:
            ValueError: If either is negative or not a whole number.
        """
        check_whole_number("epoch", epoch, least=0)
        check_whole_number("first_batch", first_batch, least=0)
        if self._draws is not None:
            self._draws.begin_epoch(epoch, first_batch)

    def __call__(self, features: Any, return_tensors: str | None = None) -> BatchEncoding:
        """Pad and mask.

        Args:
            features: The rows, or the whole batch.
            return_tensors: ``"pt"`` or ``"np"``, overriding the collator's own setting.

        Returns:
            `input_ids`, `attention_mask` and `labels`, each ``(batch, length)``, and the other
            keys.
        """
        framework = _check_framework(return_tensors or self.return_tensors)
        columns = columns_of(features)
        lengths, present = self._layout(columns["input_ids"])
        fills = {"input_ids": self._pad_id, "token_type_ids": self.tokenizer.pad_token_type_id}
        batch = {
            key: pad(key, values, lengths, present, fills)
            for key, values in columns.items()
            if key not in ("labels", "offset_mapping")
        }

        ids = checked_ids(torch.from_numpy(batch["input_ids"]), self._vocab_size)
        if "attention_mask" in batch:
            batch["attention_mask"] = batch["attention_mask"].astype(np.int64, copy=False)
            present = array_like(ids, "attention_mask", batch["attention_mask"]) != 0
        else:
            if not self._pad_has_another_task:
                present = ids != self._pad_id
            batch["attention_mask"] = present.astype(np.int64)
        # a mask that was given may exclude more positions than these, never fewer
        if "special_tokens_mask" in batch:
            given = array_like(ids, "special_tokens_mask", batch.pop("special_tokens_mask"))
            candidates = ~(self._is_structural[ids] | (given != 0))
        else:
            candidates = ~self._is_special[ids]
        candidates &= present
        word_ids = None
        given_words = batch.pop("word_ids", None)
        if self.whole_word_mask:
            if given_words is None:
                given_words = self._word_ids_from_pieces(ids)
            word_ids = array_like(ids, "word_ids", given_words)

        batch["input_ids"], batch["labels"] = mask_arrays(
            ids,
            candidates,
            present,
            word_ids,
            mask_token_id=self._mask_id,
            vocab_size=self._vocab_size,
            recipe=self.recipe,
            max_predictions_per_seq=self.max_predictions_per_seq,
            at_least_one=self.at_least_one,
            generator=self._draws.generator() if self._draws else None,
        )
        if framework == "np":
            return BatchEncoding(batch)
        return BatchEncoding({key: torch.from_numpy(array) for key, array in batch.items()})

    def _layout(self, rows: list[Any]) -> tuple[Ints, Bools]:
        """The rows' lengths, ``(batch,)``, and which positions of the padded batch hold tokens."""
        lengths = lengths_of(rows)
        if lengths is None:
            raise ValueError("input_ids holds single values; expected rows: wrap one row in a list")
        if getattr(rows[0], "ndim", 1) > 1:
            raise ValueError(
                f"input_ids holds rows of shape {tuple(rows[0].shape)}; expected rows of ids: "
                "tokenize without return_tensors"
            )
        multiple = self.pad_to_multiple_of or 1
        width = -(-int(lengths.max()) // multiple) * multiple
        if lengths.min() == width:  # nothing to pad
            return lengths, np.ones((len(lengths), width), dtype=bool)
        columns = np.arange(width)
        if self.tokenizer.padding_side == "left":
            columns = columns[::-1]
        present = columns < lengths[:, None]  # (batch, length)
        if self._pad_id == -1:
            raise ValueError(
                f"{type(self.tokenizer).__name__} has no pad token; expected one because rows must "
                f"be padded to {width}: tokenizer.add_special_tokens({{'pad_token': '[PAD]'}})"
            )
        return lengths, present

    def _word_ids_from_pieces(self, ids: Ints) -> Ints:
        if not self._continues_word.any():
            raise ValueError(
                f"{type(self.tokenizer).__name__} has no WordPiece vocabulary, whose pieces show "
                "where a word continues; expected word_ids with each row to define whole words: "
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

    Needed with ``dataloader_persistent_workers=True``. Without that setting the collator keeps
    track by itself, and the callback changes nothing.

    Args:
        collator: The one passed to `Trainer`.

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


def _check_framework(return_tensors: str) -> str:
    if return_tensors not in ("pt", "np"):
        raise ValueError(f"return_tensors is {return_tensors!r}; expected 'pt' or 'np'")
    return return_tensors
