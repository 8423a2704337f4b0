"""What was timed, on a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tools.weave.small_lesson import expand
from tools.weave import speed
from tools.weave.pages import Lesson

ROW = {"what": "mask", "unit": "µs", "theirs": 1234.5, "ours": 0.456, "ratio": 9.96, "low": 9.0}
ROW |= {"high": 11.6, "limit": None}
KEPT = {
    "peer": "transformers",
    "date": "2026-01-02",
    "processor": "A processor",
    "versions": {"Python": "3.11", "torch": "2.9"},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(speed, "FOLDER", tmp_path)
    return tmp_path


def test_each_row_has_both_sides_the_ratio_and_its_spread(folder: Path) -> None:
    (folder / "masking.json").write_text(json.dumps(KEPT | {"rows": [ROW]}))
    assert speed.table_of("{{ speed of masking }}").split("\n") == [
        "| what | there | here | ratio |",
        "|---|--:|--:|--:|",
        "| mask | 1,234\u00a0µs | 0.46\u00a0µs | **9.96** (9.00–11.6) |",
        "",
        "Measured on 2026-01-02, A processor, one thread; Python 3.11, torch 2.9.",
    ]


def test_a_limit_has_a_column_where_there_is_one(folder: Path) -> None:
    rows = [ROW | {"limit": 12.3}, ROW | {"low": None, "high": None}]
    (folder / "masking.json").write_text(json.dumps(KEPT | {"rows": rows}))
    lines = speed.table_of("{{ speed of masking }}").split("\n")
    assert lines[0].endswith("| ratio | limit |")
    assert lines[2].endswith("| **9.96** (9.00–11.6) | 12\u00a0µs |")
    assert lines[3].endswith("| **9.96** |  |")


def test_a_table_that_is_not_kept_is_named(folder: Path) -> None:
    (folder / "answers.json").write_text(json.dumps(KEPT | {"rows": [ROW]}))
    assert "**9.96**" in expand(Lesson({}, {}), "{{ speed of answers }}\n")
    with pytest.raises(ValueError, match="no benchmark named 'no' is kept; there are: answers"):
        speed.table_of("{{ speed of no }}")
