"""Packing: several texts in one row, where padding would be, each reading itself alone.

A batch of texts is padded to its longest, and in most text that leaves half the positions empty.
`PackingCollator` masks the same batch as `bertlesson.collating.MaskingCollator` does, then lays its
texts end to end in fewer rows. Loss and gradients are those of the padded batch: positions count
from the start of each text, attention stops at its borders, and `pool_each_text` lets the pooler
read each text's ``[CLS]``.

Packing without cutting texts is Krell et al. 2021, `Efficient Sequence Packing without
Cross-contamination`; the flattened row for flash attention is as in transformers'
`DataCollatorWithFlattening`, which draws no masks and knows no other attention and no NSP.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BatchEncoding, PreTrainedModel

from .collating import MaskingCollator
from .masking import IGNORE_INDEX, Bools, Ints, check_whole_number
from .packed_models import (
    attention_of,
    first_position,
    pool_each_text,
    reads_each_text,
    window_of,
)

__all__ = ["PackingCollator", "pack", "pool_each_text"]

PER_TOKEN = ("input_ids", "token_type_ids", "labels")
PER_TEXT = ("next_sentence_label",)


def pack(lengths: Sequence[int], max_length: int) -> list[list[int]]:
    """Distribute texts over as few rows as one pass finds, without cutting any.

    Best fit, longest first: each text goes where it leaves least room. Then, if the same number of
    rows can be filled evenly, they are, because narrower rows cost less.

    Takes the time of sorting ``n`` lengths, plus ``max_length / 64`` machine words for each text.

    Args:
        lengths: The number of tokens of each text, 1 or more.
        max_length: The number of tokens that a row can hold.

    Returns:
        The rows, as indices into `lengths`. Each index occurs once, in ascending order in its row,
        and rows are in the order of their first text. The same lengths give the same rows.

    Raises:
        ValueError: If a text is empty or longer than a row.

    >>> pack([4, 7, 2, 3, 1], max_length=9)
    [[0, 2, 3], [1, 4]]
    """
    check_whole_number("max_length", max_length, least=1)
    lengths = [int(length) for length in lengths]
    for number, length in enumerate(lengths):
        if not 1 <= length <= max_length:
            raise ValueError(
                f"text {number} has {length} tokens; expected 1 to {max_length}, the length of a "
                "row: " + ("truncate it when you tokenize" if length else "leave it out")
            )
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    rows = _best_fit(order, lengths, max_length)
    even = _evenly(order, lengths, len(rows))
    if max(_filled(even, lengths), default=0) < max(_filled(rows, lengths), default=0):
        rows = even
    return sorted(sorted(row) for row in rows)


def _best_fit(order: list[int], lengths: list[int], max_length: int) -> list[list[int]]:
    """Put each text into the row where it leaves least room."""
    rows: list[list[int]] = []
    by_room: list[list[int]] = [[] for _ in range(max_length + 1)]  # rows with so much room left
    rooms = 0  # bit r is set if some row has room for r tokens more
    for number in order:
        length = lengths[number]
        fits = rooms >> length
        if fits:
            room = length + (fits & -fits).bit_length() - 1  # the least room that is enough
            row = by_room[room].pop()
            if not by_room[room]:
                rooms ^= 1 << room
        else:
            room, row = max_length, len(rows)
            rows.append([])
        rows[row].append(number)
        by_room[room - length].append(row)
        rooms |= 1 << (room - length)
    return rows


def _evenly(order: list[int], lengths: list[int], count: int) -> list[list[int]]:
    """Put each text into the shortest of so many rows."""
    rows: list[list[int]] = [[] for _ in range(count)]
    shortest = [(0, row) for row in range(count)]
    for number in order:
        filled, row = shortest[0]
        rows[row].append(number)
        heapq.heapreplace(shortest, (filled + lengths[number], row))
    return rows


def _filled(rows: list[list[int]], lengths: list[int]) -> list[int]:
    return [sum(lengths[number] for number in row) for row in rows]


class PackingCollator:
    """Mask a batch as `MaskingCollator` does, then pack its texts into fewer rows.

    For a `DataLoader` or `transformers.Trainer`: a batch is as many *texts* as without packing,
    and the masks, the labels and the loss are the same, text by text, for the same seed. What
    changes is the shape. The batch fits models with an MLM head on one of the encoders listed in
    `bertlesson.packed_models`; for NSP, give the model to `pool_each_text` first.

    Under SDPA and eager attention the batch holds, with ``texts`` the most in one row:

    - ``input_ids``, ``labels``, and ``token_type_ids`` if the rows had them, ``(rows, length)``;
    - ``position_ids``, ``(rows, length)``, which start again with each text;
    - ``attention_mask``, ``(rows, 1, length, length)``: which position may read which. Boolean for
      SDPA; for eager attention, which adds it to the scores, 0 or the lowest float. ModernBERT
      gets two in a dict, because its local layers would otherwise read beyond their window;
    - ``cls_positions``, ``(rows, texts)``: where each text begins, -1 where a row has fewer;
    - ``next_sentence_label``, ``(rows, texts)``, if the rows had it: -100 where a row has fewer.

    Under flash attention, all texts are in one row without padding, ``(1, tokens)``, and instead of
    the mask there are ``cu_seq_lens_q``, ``cu_seq_lens_k``, ``max_length_q`` and ``max_length_k``,
    as from `transformers.DataCollatorWithFlattening`.

    If packing saves no row, the batch is padded instead and its mask is ``(rows, length)``, since a
    mask for each pair of positions would make attention slower for nothing.

    Args:
        masking: The collator that draws the masks. Its `seed`, `recipe`, whole words and so on
            hold; `MaskingCallback` takes this one.
        model: The model, already with the attention that it is to run with.
        max_length: The length of a packed row, in tokens. It may be more than the model's longest
            text, as positions start again. None is the longest text of each batch: rows are never
            wider than without packing. Longer rows waste less and cost more in attention.

    Raises:
        ValueError: If packed texts would disturb each other in this model or under this attention.
        TypeError: If `masking` or `model` is something else.

    >>> from transformers import BertConfig, BertForMaskedLM, BertTokenizer
    >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] a great film".split()
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> model = BertForMaskedLM(BertConfig(vocab_size=8, **size))
    >>> collator = PackingCollator(MaskingCollator(tokenizer, seed=0), model, max_length=8)
    >>> batch = collator([[2, 5, 6, 7, 3], [2, 7, 3], [2, 6, 7, 3], [2, 6, 3]])
    >>> batch["position_ids"].tolist()
    [[0, 1, 2, 3, 4, 0, 1, 2], [0, 1, 2, 3, 0, 1, 2, 0]]
    >>> batch["cls_positions"].tolist()
    [[0, 5], [0, 4]]
    """

    def __init__(
        self, masking: MaskingCollator, model: PreTrainedModel, max_length: int | None = None
    ) -> None:
        if not isinstance(masking, MaskingCollator):
            raise TypeError(
                f"masking is {type(masking).__name__}; expected a MaskingCollator: "
                "PackingCollator(MaskingCollator(tokenizer), model)"
            )
        if not isinstance(model, PreTrainedModel):
            raise TypeError(
                f"model is {type(model).__name__}; expected a model of transformers, which shows "
                "how its attention and its positions work: pass it before it is wrapped"
            )
        check_whole_number("max_length", max_length, least=1)
        self.masking = masking
        self.max_length = max_length
        self._attention = attention_of(model)
        self._first_position = first_position(model)
        self._window = window_of(model)
        self._reads_each_cls = reads_each_text(model)

    def set_epoch(self, epoch: int, first_batch: int = 0) -> None:
        """See `MaskingCollator.set_epoch`."""
        self.masking.set_epoch(epoch, first_batch)

    def __call__(self, features: Any, return_tensors: str | None = None) -> BatchEncoding:
        """Mask and pack.

        Args:
            features: The texts, as `MaskingCollator` takes them. They may be padded already.
            return_tensors: ``"pt"`` or ``"np"``, overriding the masking collator's own setting.

        Returns:
            The batch described above.

        Raises:
            ValueError: If a text is empty or longer than a row, or if attention is denied within a
                text. If there are other keys than those above. If there are NSP labels and the
                model reads only the first ``[CLS]`` of a row.
        """
        masked = dict(self.masking(features, return_tensors="np"))
        self._check_keys(masked)
        present = masked.pop("attention_mask") != 0  # (n, width)
        lengths = _checked_lengths(present)  # (n,)
        flat = self._attention == "flash"
        max_length = self.max_length or int(lengths.max())
        rows = [list(range(len(lengths)))] if flat else pack(lengths.tolist(), max_length)
        if len(rows) == len(lengths):  # nothing to gain: each text in its own row, in its order
            rows = [[number] for number in range(len(lengths))]
        batch = self._laid_out(masked, present, lengths, rows)
        framework = return_tensors or self.masking.return_tensors
        return BatchEncoding(_as_tensors(batch) if framework == "pt" else batch)

    def _laid_out(
        self,
        masked: dict[str, NDArray[Any]],
        present: Bools,
        lengths: Ints,
        rows: list[list[int]],
    ) -> dict[str, Any]:
        """Move each text to its row, and say where it is."""
        counts = np.array([len(row) for row in rows])  # (rows,)
        order = np.concatenate([np.array(row) for row in rows])  # (n,), text by text as laid out
        row_of = np.repeat(np.arange(len(rows)), counts)  # (n,)
        rank_of = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)  # (n,)
        length_of = lengths[order]  # (n,)
        ends = np.cumsum(length_of)  # (n,), as if there were one long row
        row_ends = ends[np.cumsum(counts) - 1]  # (rows,)
        starts = ends - length_of - np.repeat(np.append(0, row_ends[:-1]), counts)  # (n,), in a row

        filled = np.diff(row_ends, prepend=0)  # (rows,)
        multiple = 1 if self._attention == "flash" else self.masking.pad_to_multiple_of or 1
        shape = (len(rows), -(-int(filled.max()) // multiple) * multiple)
        tokens = np.arange(shape[1]) < filled[:, None]  # (rows, length)
        texts = (len(rows), int(counts.max()))

        def by_token(values: NDArray[Any], fill: int) -> NDArray[Any]:
            packed = np.full(shape, fill, dtype=values.dtype)
            packed[tokens] = values  # row after row, text after text
            return packed

        def by_text(values: NDArray[Any], fill: int) -> NDArray[Any]:
            packed = np.full(texts, fill, dtype=np.int64)
            packed[row_of, rank_of] = values
            return packed

        tokenizer = self.masking.tokenizer
        fills = {"input_ids": tokenizer.pad_token_id or 0, "labels": IGNORE_INDEX}
        fills["token_type_ids"] = tokenizer.pad_token_type_id
        kept = present[order]  # (n, width)
        batch: dict[str, Any] = {
            key: by_token(masked[key][order][kept], fills[key])
            for key in PER_TOKEN
            if key in masked
        }
        from_start = np.arange(len(tokens[tokens])) - np.repeat(ends - length_of, length_of)
        first = self._first_position
        batch["position_ids"] = by_token(from_start + first, first)
        batch["cls_positions"] = by_text(starts, -1)
        for key in PER_TEXT:
            if key in masked:
                batch[key] = by_text(masked[key][order], IGNORE_INDEX)

        if self._attention == "flash":
            borders = np.append(0, ends).astype(np.int32)  # (n + 1,)
            longest = int(lengths.max())
            batch |= {"cu_seq_lens_q": borders, "cu_seq_lens_k": borders}
            batch |= {"max_length_q": longest, "max_length_k": longest}
        elif len(rows) == len(lengths):
            batch["attention_mask"] = tokens.astype(np.int64)
        else:
            text_of = by_token(np.repeat(rank_of, length_of), -1)  # (rows, length)
            # padding reads padding: a row of the mask with nothing to read could give NaN
            batch["attention_mask"] = self._mask(text_of)
        return batch

    def _mask(self, text_of: Ints) -> NDArray[Any] | dict[str, NDArray[Any]]:
        """Who may read whom, ``(rows, 1, length, length)``."""
        same: Bools = text_of[:, None, :, None] == text_of[:, None, None, :]
        if self._window is None:
            return self._form(same)
        columns = np.arange(text_of.shape[1])
        near = np.abs(columns[:, None] - columns) <= self._window  # (length, length)
        masks = {"full_attention": same, "sliding_attention": same & near}
        return {kind: self._form(mask) for kind, mask in masks.items()}

    def _form(self, may_read: Bools) -> NDArray[Any]:
        if self._attention == "sdpa":
            return may_read
        # eager attention adds the mask: of a boolean one, it would add 1 to a text's own scores
        return np.where(may_read, np.float32(0), np.finfo(np.float32).min)

    def _check_keys(self, masked: dict[str, NDArray[Any]]) -> None:
        others = sorted(set(masked) - {*PER_TOKEN, *PER_TEXT, "attention_mask"})
        if others:
            raise ValueError(
                f"the rows have {others}; expected input_ids, token_type_ids, attention_mask, "
                "labels, next_sentence_label, and what MaskingCollator consumes: drop the others"
            )
        if "next_sentence_label" not in masked:
            return
        if not self._reads_each_cls:
            raise ValueError(
                "the rows have next_sentence_label, and the model reads only the first [CLS] of a "
                "row; expected one that reads each: call pool_each_text(model) before you make "
                "the PackingCollator, or leave the labels out"
            )
        if (shape := masked["next_sentence_label"].shape) != (len(masked["input_ids"]),):
            raise ValueError(
                f"next_sentence_label has shape {shape}; expected one number for each text"
            )


def _as_tensors(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_tensors(each) for key, each in value.items()}
    return torch.from_numpy(value) if isinstance(value, np.ndarray) else value


def _checked_lengths(present: Bools) -> Ints:
    """The number of tokens of each text, ``(n,)``; all between the first and the last are its own.

    Raises:
        ValueError: If attention is denied in between, or a text has no token.
    """
    lengths: Ints = np.count_nonzero(present, axis=1)
    width = present.shape[1]
    spans = width - present[:, ::-1].argmax(axis=1) - present.argmax(axis=1)
    for number in np.flatnonzero((spans != lengths) | (lengths == 0)).tolist():
        raise ValueError(
            f"text {number} of the batch has {lengths[number]} tokens by its attention_mask"
            + (
                f", in {spans[number]} positions; expected no gap: leave out what it should not see"
                if lengths[number]
                else "; expected 1 or more: leave it out"
            )
        )
    return lengths
