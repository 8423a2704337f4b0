"""From documents to one array of ids, and from places in it to rows.

`bertlesson.pair_arrays` and `bertlesson.reference_arrays` share what is here. A and B are pieces
from one place to another in the array of all ids, so a pair is four numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, repeat
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from .segments import Documents

__all__ = ["SpecialIds"]

STRUCTURAL = ("[CLS]", "[SEP]", "[PAD]")
ROWS = 512  # laid out at once: what stays in the cache
Ints = NDArray[np.int64]


class SpecialIds(NamedTuple):
    """The ids that are put around and behind a pair."""

    cls: int
    sep: int
    pad: int

    @classmethod
    def of(cls, vocab: Mapping[str, int]) -> SpecialIds:
        """Those of a vocabulary that has BERT's names for them."""
        return cls(*(vocab[piece] for piece in STRUCTURAL))


def flatten(
    documents: Documents, vocab: Mapping[str, int]
) -> tuple[Ints, list[int], list[int]] | None:
    """All ids, the pieces of each sentence and the sentences of each document.

    None if anything but lists and tuples is in the way.

    Raises:
        KeyError: If a piece is not in the vocabulary.
        TypeError: If it cannot be looked up.
    """
    usual = {list, tuple}
    if type(documents) not in usual or not usual.issuperset(map(type, documents)):
        return None
    sentences = list(chain.from_iterable(documents))
    if not usual.issuperset(map(type, sentences)):
        return None
    lengths = list(map(len, sentences))
    pieces = chain.from_iterable(sentences)
    ids = np.fromiter(map(vocab.__getitem__, pieces), np.int64, sum(lengths))
    return ids, lengths, list(map(len, documents))


def continuing(vocab: Mapping[str, int]) -> NDArray[np.bool_]:
    """Whether each piece continues a word, in the order of the vocabulary.

    Raises:
        TypeError: If a piece is not a string.
    """
    return np.fromiter(map(str.startswith, vocab, repeat("##")), np.bool_, len(vocab))


def quick(numbers: NDArray[Any]) -> memoryview:
    """The same numbers, quicker to take one by one."""
    return memoryview(cast(Any, numbers))


class Layout(NamedTuple):
    """Where the pieces of pairs are in their rows.

    Attributes:
        first_sep: ``(pairs,)``, the column of the ``[SEP]`` after A.
        last_sep: ``(pairs,)``, that of the one after B.
        present: ``(pairs, length)``, bool: the columns up to the last.
        of_b: ``(pairs, length)``, bool: those behind the first, up to the last.
        at: ``(pairs, length)``, the place of a piece among all ids, where there is one.
    """

    first_sep: Ints
    last_sep: Ints
    present: NDArray[np.bool_]
    of_b: NDArray[np.bool_]
    at: Ints

    def fill(self, ids: NDArray[Any], special: SpecialIds, input_ids: Ints) -> None:
        """Fill rows with the ids of the pieces, and with the special ones."""
        input_ids[:] = ids.take(self.at, mode="clip")
        input_ids[:, 0] = special.cls
        rows = np.arange(len(input_ids))
        input_ids[rows, self.first_sep] = input_ids[rows, self.last_sep] = special.sep
        np.copyto(input_ids, special.pad, where=~self.present)


def lay_out(found: Ints, length: int) -> Layout:
    """Lay out pairs in rows.

    Args:
        found: ``(pairs, 4)`` or more columns: the place of A's first piece, the one after its last,
            and those of B.
        length: Columns of a row, enough for the longest pair.
    """
    a, a_end, b, b_end = found.T[:4]
    first_sep = 1 + a_end - a
    last_sep = first_sep + 1 + b_end - b
    columns = np.arange(length, dtype=np.int32)  # narrow numbers are compared sooner
    behind = columns > first_sep.astype(np.int32)[:, None]  # (pairs, length)
    present = columns <= last_sep.astype(np.int32)[:, None]
    at = np.where(behind, (b - first_sep - 1)[:, None], (a - 1)[:, None])
    at += np.arange(length)
    return Layout(first_sep, last_sep, present, behind & present, at)
