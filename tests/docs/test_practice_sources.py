"""What the practice's widgets read off its pages is there, and says one thing only."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT
from tools.run.examples import EXAMPLES, parse
from tools.weave.code import shown_code

PRACTICE = ROOT / "docs" / "practice"
PIECE = re.compile(r"<div class=\"piece\" data-line=([\"'])(.*?)\1 markdown>\n(.*?)\n</div>", re.S)
INCLUDE = re.compile(r'^--8<-- "examples/(bugs\w*)\.py:(.*)"$', re.M)
PUZZLE = re.compile(r"<div class=\"puzzle\" data-name=\"(\w+)\" markdown>\n(.*?)\n</div>", re.S)

PIECES = PIECE.findall((PRACTICE / "bugs.md").read_text("utf-8"))


def test_every_piece_has_its_line() -> None:
    text = (PRACTICE / "bugs.md").read_text("utf-8")
    assert len(PIECES) == len(re.findall(r"^## \d+\. ", text, re.M)) == 14


@pytest.mark.parametrize(("line", "content"), [piece[1:] for piece in PIECES])
def test_the_faulty_line_is_one_line_of_the_code_shown(line: str, content: str) -> None:
    found = INCLUDE.findall(content)
    cells = [parse(EXAMPLES / f"{name}.py").section(title) for name, title in found]
    code = [shown_code(cell) for cell in cells if "hide-input" not in cell.tags]
    assert [row for shown in code for row in shown.splitlines() if line in row][1:] == []
    assert any(line in shown for shown in code), f"no line has {line!r}"


@pytest.mark.parametrize("content", [content for *_, content in PIECES])
def test_every_piece_has_two_hints_before_its_answer(content: str) -> None:
    assert re.findall(r"^\?\?\? (hint|question)", content, re.M) == ["hint", "hint", "question"]


def test_every_choice_says_whether_it_is_right_and_one_of_each_scenario_is() -> None:
    text = (PRACTICE / "match.md").read_text("utf-8")
    scenarios = re.split(r"^#{2,3} \d\. ", text, flags=re.M)[1:]
    assert len(scenarios) == 9
    for scenario in scenarios:
        choices = re.findall(r'^\?\?\? choice ".*"\n\n    (\S) \*\*', scenario, re.M)
        assert len(choices) == len(re.findall(r"^\?\?\?", scenario, re.M)) >= 3
        assert sorted(choices) == ["✓"] + ["✗"] * (len(choices) - 1), scenario


def test_every_puzzle_shows_its_lines_and_then_an_order_that_works() -> None:
    puzzles = PUZZLE.findall((PRACTICE / "order.md").read_text("utf-8"))
    source = (EXAMPLES / "order.py").read_text("utf-8")
    assert [name for name, _ in puzzles] == re.findall(r'^shuffle\("(\w+)"', source, re.M)
    for number, (_, content) in enumerate(puzzles, 1):
        sections = re.findall(r'--8<-- "examples/order\.py:(.*)"', content)
        assert sections == [f"{number} {what}" for what in ("shuffled", "in order", "computes")]
        assert re.findall(r"^\?\?\? (\w+)", content, re.M) == ["question"]
