"""Claims as data, with addresses that stay."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Workshop
from tests.tools.weave.small_lesson import CODE, result
from tools.run.records import Claim, Outcome
from tools.weave.claims import claims_json, claims_markdown, same_addresses
from tools.weave.outputs import claim_id
from tools.weave.pages import Lesson
from tools.weave.source import Commit

FIRST = Claim(0, 1, "x is `small` & <b>", True, ("x", "1"), ("<",), (0.123, 1))


def data(lesson: Lesson, folder: Path, commit: Commit | None = None) -> dict[str, Any]:
    written = claims_json(lesson, folder / "docs", "a/checks.md", ".html", "Title", commit)
    read: dict[str, Any] = json.loads(written, parse_constant=lambda name: pytest.fail(name))
    return read


def test_a_claim_has_its_sentence_its_sides_and_its_places(
    lesson: Lesson, workshop: Workshop
) -> None:
    lesson.shown["one", 0] = workshop.folder / "docs" / "b" / "page.md", 3
    made = data(lesson, workshop.folder, Commit("abc", True))
    assert made["title"] == "Title"
    assert made["commit"] == {"id": "abc", "changed": True}
    assert {"python", "torch", "transformers", "tokenizers", "numpy"} < set(made["versions"])
    assert not any("=" in version for version in made["versions"].values())
    first, second = made["claims"]
    assert first == {
        "id": "claim-one-x-is-small-b",
        "sentence": "x is `small` & <b>",
        "holds": True,
        "sides": [{"code": "x", "value": 0.123}, {"code": "1", "value": 1}],
        "signs": ["<"],
        "example": "examples/one.py",
        "section": "first",
        "line": 6,
        "seeds": [],
        "stated": "b/page.html#claim-one-x-is-small-b",
        "checked": "a/checks.html#claim-one-x-is-small-b",
    }
    line = CODE.lstrip("\n").split("\n")[first["line"] - 1]
    assert line == 'assert x < 1, "x is `small` & <b>"'
    assert (second["line"], second["sides"][1]["value"]) == (7, 0)


def test_what_no_page_shows_is_stated_in_the_notebook(lesson: Lesson, workshop: Workshop) -> None:
    first, _ = data(lesson, workshop.folder)["claims"]
    assert first["stated"] == "examples/one.html#claim-one-x-is-small-b"


def test_without_git_there_is_no_commit_and_without_a_list_no_place_in_it(
    lesson: Lesson, workshop: Workshop
) -> None:
    made = json.loads(claims_json(lesson, workshop.folder, "", ".html", "", None))
    assert made["commit"] is None
    assert made["claims"][0]["checked"] is None


def test_an_address_does_not_change_with_other_claims_or_values(lesson: Lesson) -> None:
    example = lesson.examples["one"]
    before = claim_id(example, FIRST)
    moved = replace(FIRST, cell=2, row=7, values=(5, 1), sources=("y", "9"), passed=False)
    assert claim_id(example, moved) == before
    assert claim_id(example, replace(FIRST, sentence="x is large")) != before


@pytest.mark.parametrize("sentence", ["αβγ", "…", ""])
def test_a_sentence_without_latin_letters_has_an_address(lesson: Lesson, sentence: str) -> None:
    anchor = claim_id(lesson.examples["one"], replace(FIRST, sentence=sentence))
    assert len(anchor) == len("claim-one-") + 8
    assert anchor.isascii()


def test_claims_with_one_address_are_a_problem(lesson: Lesson) -> None:
    same = replace(FIRST, cell=2, row=0, sentence="X is **small**: b!")
    lesson.outcomes["one"] = Outcome("done", result(claims=(FIRST, same)))
    (found,) = same_addresses(lesson)
    assert found.line == lesson.examples["one"].code[2].line
    assert 'the claim "X is **small**: b!" has the words of the one in line 6' in found.message


def test_what_json_cannot_hold_becomes_words(lesson: Lesson, workshop: Workshop) -> None:
    odd = replace(FIRST, values=(float("nan"), [float("-inf"), {"a": float("inf"), "b": 1.5}]))
    lesson.outcomes["one"] = Outcome("done", result(claims=(odd,)))
    (claim,) = data(lesson, workshop.folder)["claims"]
    sides = [side["value"] for side in claim["sides"]]
    assert sides == ["nan", ["-inf", {"a": "inf", "b": 1.5}]]


def test_the_list_links_each_claim_to_itself_and_to_its_page(
    lesson: Lesson, workshop: Workshop
) -> None:
    lesson.shown["one", 0] = workshop.folder / "docs" / "b" / "page.md", 3
    shown = claims_markdown(lesson, workshop.folder / "docs", "a/checks.md", ".html")
    assert shown.count('id="claim-one-x-is-small-b"') == 1
    assert '<a href="../b/page.html#claim-one-x-is-small-b">where it is stated</a>' in shown
    assert '<a class="headerlink" href="#claim-one-x-is-small-b"' in shown
