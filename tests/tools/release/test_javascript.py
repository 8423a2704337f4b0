"""Mistakes in the page's own BERT: which test notices one is read from what the tests print."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from tools.release import javascript
from tools.release.javascript import failing, main, try_change
from tools.release.planting import Change

CHANGE = Change("It is wrong", "a.js", "right", "wrong")
Said = Callable[[Path, list[str]], tuple[int, str]]


@pytest.fixture
def tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Stands for the tests: which of the two kinds find "wrong" in a.js."""
    finding: list[str] = []
    (tmp_path / "a.js").write_text("all right")

    def run(root: Path, arguments: list[str]) -> tuple[int, str]:
        kind = "pytest" if "pytest" in arguments else "node"
        wrong = "wrong" in (root / "a.js").read_text()
        if not (wrong and kind in finding):
            return 0, "ok 1 - all is well"
        if "silent" in finding:
            return 1, ""
        if "endless" in finding:
            raise subprocess.TimeoutExpired("node", 1)
        told = "ok 1 - one\nnot ok 2 - the other one\n  not ok 3 - a third"
        return 1, told if kind == "node" else "FAILED tests/a.py::test_it_agrees[head-2] - assert"

    monkeypatch.setattr(javascript, "_run", run)
    return finding


@pytest.mark.parametrize(
    ("finding", "told"),
    [
        (["node", "pytest"], "the other one"),
        (["pytest"], "test it agrees"),
        (["node", "silent"], "the tests do not start"),
        (["node", "endless"], "the tests do not end"),
        ([], ""),
    ],
)
def test_the_first_test_that_fails_is_named(
    tests: list[str], tmp_path: Path, finding: list[str], told: str
) -> None:
    tests += finding
    assert try_change(CHANGE, tmp_path) == told
    assert (tmp_path / "a.js").read_text() == "all right"
    assert failing(tmp_path) == ""


def test_what_came_of_each_change_is_kept(
    tests: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = Change("It is all", "a.js", "all", "nothing")
    found = tmp_path / "found.json"
    found.write_text('{"gone": "x"}')
    monkeypatch.setattr(javascript, "FOUND", found)
    monkeypatch.setattr(javascript, "read_changes", lambda path: [CHANGE, other])
    monkeypatch.setattr(javascript, "copied", lambda: nullcontext(tmp_path))
    tests.append("node")
    assert main([]) == 1
    assert json.loads(found.read_text("utf-8")) == {"It is wrong": "the other one", "It is all": ""}
    assert "It is all: NOT NOTICED\n1 of 2 noticed" in capsys.readouterr().out
    assert main(["wrong"]) == 1
    assert "It is all:" not in capsys.readouterr().out
    assert main(["--missing"]) == 1
    assert capsys.readouterr().out == "It is all: NOT NOTICED\n1 of 2 noticed\n"
    (tmp_path / "a.js").write_text("all wrong")
    with pytest.raises(RuntimeError, match="without a change, a test fails: the other one"):
        main([])
