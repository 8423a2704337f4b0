"""What goes into a model, and what is checked of it before anything is done with it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

Features = dict[str, Tensor]  # arguments of a model, each with a row for every example


def check_same_number(**given: Sequence[object]) -> None:
    """Two arguments by name, which go together example by example.

    Raises:
        ValueError: If they differ in length, or are empty.

    >>> check_same_number(texts=["a b", "c"], labels=[0])
    Traceback (most recent call last):
    ValueError: 2 texts and 1 labels; expected one of each for every example
    """
    (name, first), (other, second) = given.items()
    if len(first) != len(second):
        raise ValueError(
            f"{len(first)} {name} and {len(second)} {other}; expected one of each for every example"
        )
    if not len(first):
        raise ValueError(f"no {name}; expected 1 or more")
