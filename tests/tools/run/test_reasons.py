"""What the log says of why something runs again."""

from __future__ import annotations

import doctest

import pytest

from tools.run import reasons
from tools.run.reasons import digest, why

PARTS = {"cell 1": digest("x = 1"), "heads.py": digest("y = 1"), "numpy": "2.4.0"}


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (None, "runs for the first time"),
        (PARTS, "runs again: its result is missing or damaged"),
        (PARTS | {"heads.py": digest("y = 2")}, "runs again: heads.py changed"),
        (PARTS | {"numpy": "2.3.5"}, "runs again: numpy 2.3.5 → 2.4.0"),
        (PARTS | {"nsp.py": digest("z")}, "runs again: nsp.py was removed"),
        ({"cell 1": digest("x"), "numpy": "2.4.0"},
         "runs again: cell 1 changed, heads.py was added"),
        (dict(reversed(PARTS.items())), "runs again: its cells are in another order"),
        ({}, "runs again: cell 1 was added, heads.py was added, numpy was added"),
        ({"a": "1", "b": "1"},
         "runs again: cell 1 was added, heads.py was added, numpy was added and 2 more changes"),
    ],
)  # fmt: skip
def test_the_reason_names_what_changed(before: dict[str, str] | None, reason: str) -> None:
    assert why(before, PARTS) == reason


def test_its_documentation_tells_the_truth() -> None:
    assert doctest.testmod(reasons).failed == 0
