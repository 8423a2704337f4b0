"""While serving, what an example has shown is not drawn again unless the example has changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple

from tools.run.examples import Example
from tools.run.records import Outcome

Rest = TypeVarTuple("Rest")
Made = TypeVar("Made")


def remembered(
    make: Callable[[Example, Outcome, *Rest], Made],
) -> Callable[[Example, Outcome, *Rest], Made]:
    """Keep the last result for each example and each set of further arguments."""
    kept: dict[tuple[object, ...], tuple[Example, Outcome, Made]] = {}

    @wraps(make)
    def remembering(example: Example, outcome: Outcome, /, *args: *Rest) -> Made:
        place = (example.name, *args)
        before = kept.get(place)
        if before is None or before[0] != example or not _same(before[1], outcome):
            kept[place] = example, outcome, make(example, outcome, *args)
        return kept[place][2]

    return remembering


def _same(one: Outcome, other: Outcome) -> bool:
    """Whether two outcomes show the same.

    Results are compared by identity: a kept result is read once, and to Python True equals 1.
    """
    same_result = one.result is other.result or (one.pending and other.pending)
    return same_result and (one.state, one.progress) == (other.state, other.progress)
