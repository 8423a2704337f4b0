"""Two sides timed in turns."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest

from benchmarks import sides
from benchmarks.sides import Row, Table, row_of, take_turns


def test_a_ratio_is_that_of_a_turn() -> None:
    row = row_of("x", "s", [2, 40, 6, 8, 10], [1, 10, 1, 1, 1], [1, 2, 9, 9, 9])
    assert row == Row("x", "s", theirs=8, ours=1, ratio=6, low=4, high=8, limit=9)


def test_one_turn_has_no_spread() -> None:
    assert row_of("x", "s", [6], [2]) == Row("x", "s", 6, 2, 3, None, None, None)


def test_sides_take_turns() -> None:
    calls: list[str] = []
    times = take_turns([lambda: calls.append("a"), lambda: calls.append("b")], turns=2, calls=3)
    assert "".join(calls) == "aaabbbaaabbb"
    assert [len(side) for side in times] == [2, 2]


def test_a_ratio_that_is_too_low_ends_in_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("masking", "peer", ())
    table.add(row_of("fast", "s", [3], [1]), at_least=3)
    assert table.end() == 0
    table.add(row_of("slow", "s", [2.9], [1]), at_least=3)
    assert table.end() == 1
    assert "too slow: slow: 2.90, expected at least 3" in capsys.readouterr().err


@pytest.mark.parametrize(("theirs", "ours"), [(math.inf, 1), (1, math.inf), (math.inf, math.inf)])
def test_a_side_that_never_ended_has_not_been_compared(theirs: float, ours: float) -> None:
    table = Table("quality", "peer", ())
    table.add(row_of("never", "s", [theirs], [ours]))
    table.add(row_of("never", "s", [theirs], [ours]), at_least=3)
    assert len(table.missed) == 1 + (theirs == math.inf)
    assert table.end() == 1


def test_rows_are_kept_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "KEPT", tmp_path)
    table = Table("masking", "peer", ("numpy",))
    table.add(row_of("x", "µs", [6, 6], [2, 2]))
    table.end()
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(sys, "argv", ["masking.py", "--keep"])
    table.end()
    kept = json.loads((tmp_path / "masking.json").read_text("utf-8"))
    assert kept["peer"] == "peer"
    assert list(kept["versions"]) == ["Python", "numpy"]
    assert [Row(**row) for row in kept["rows"]] == table.rows
