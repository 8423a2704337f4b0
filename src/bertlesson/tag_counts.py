"""Counting entities in tags: of each kind those that are true, found and correct.

This is `bertlesson.tags.read_tags` for all sentences at once, in arrays, since a report after every
epoch should take no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .tags import parse_tag

__all__ = ["Counts", "are_tags", "count_tags"]


class Counts(NamedTuple):
    """Numbers of entities, by kind."""

    right: dict[str, int]  # found, and true
    true: dict[str, int]
    found: dict[str, int]


def are_tags(rows: Sequence[Sequence[object]]) -> bool:
    """Whether these are tags, and not entities, going by the first item of all.

    >>> are_tags([[], ["O", "B-PER"]]), are_tags([[(1, 2, "PER")]]), are_tags([[]])
    (True, False, False)
    """
    return isinstance(next(chain.from_iterable(rows), None), str)


def count_tags(truth: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Counts:
    """Count the entities that two sets of tags spell, and those that both do.

    Args:
        truth: The tags of each sentence, in any scheme, see `bertlesson.tags.read_tags`.
        predicted: The same for what was found.

    Returns:
        All kinds of either, the number 0 included.

    Raises:
        ValueError: If a sentence differs in its number of tags, or a tag belongs to no scheme.
        TypeError: If tags are not in a list for each sentence.

    >>> count_tags([["B-PER", "I-PER", "B-LOC"]], [["B-PER", "I-PER", "I-PER"]]).found
    {'LOC': 0, 'PER': 1}
    """
    truth, predicted = list(truth), list(predicted)
    for name, rows in {"truth": truth, "predicted": predicted}.items():
        if any(isinstance(row, str) for row in rows):
            raise TypeError(f"{name} has tags; expected a list of them for each sentence")
    lengths = [len(row) for row in truth]
    for number, (length, row) in enumerate(zip(lengths, predicted, strict=True)):
        if length != len(row):
            raise ValueError(
                f"truth[{number}] has {length} tags and predicted[{number}] {len(row)}; "
                "expected one for each word"
            )
    table = _Table()
    first = np.zeros(sum(lengths) + 1, dtype=bool)  # whether a word begins a sentence
    first[np.cumsum([0, *lengths])] = True
    one, other = (_runs(table, rows, first[:-1]) for rows in (truth, predicted))
    _, here, there = np.intersect1d(
        one.starts, other.starts, assume_unique=True, return_indices=True
    )
    same = (one.ends[here] == other.ends[there]) & (one.kinds[here] == other.kinds[there])
    kinds = one.kinds[here][same], one.kinds, other.kinds
    counts = [np.bincount(numbers, minlength=len(table.kinds)) for numbers in kinds]
    seen = [kind for kind in sorted(table.kinds) if any(c[table.kinds[kind]] for c in counts)]
    return Counts(*({kind: int(c[table.kinds[kind]]) for kind in seen} for c in counts))


class _Table(dict[str, int]):
    """Tags and their numbers, given in the order in which they are met."""

    def __init__(self) -> None:
        self.kinds: dict[str, int] = {}
        self.rows: list[tuple[bool, bool, bool, int]] = []

    def __missing__(self, tag: str) -> int:
        place, kind = parse_tag(tag)
        number = self.kinds.setdefault(kind, len(self.kinds)) if place != "O" else -1
        self.rows.append((place != "O", place in "BI", place in "IE", number))
        return self.setdefault(tag, len(self.rows) - 1)


class _Runs(NamedTuple):
    starts: NDArray[Any]  # each entity's first word, (entities,)
    ends: NDArray[Any]  # its last word, (entities,)
    kinds: NDArray[Any]  # the number of its kind, (entities,)


def _runs(table: _Table, rows: Sequence[Sequence[str]], first: NDArray[Any]) -> _Runs:
    codes = np.fromiter(
        map(table.__getitem__, chain.from_iterable(rows)), dtype=np.int64, count=len(first)
    )
    words = np.flatnonzero(codes != table["O"])  # the few that may be in an entity, (inside,)
    inside, opens, goes_on, kinds = np.array(table.rows)[codes[words]].T  # each (inside,)
    continues = np.zeros(len(words), dtype=bool)
    continues[1:] = (
        (goes_on[1:] & opens[:-1] == 1)
        & (kinds[1:] == kinds[:-1])
        & (words[1:] == words[:-1] + 1)
        & ~first[words[1:]]
    )
    starts = (inside == 1) & ~continues
    lasts = (inside == 1) & ~np.append(continues[1:], False)  # each entity has one of both
    return _Runs(words[starts], words[lasts], kinds[starts])
