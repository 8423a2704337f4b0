"""What planted mistakes have shown, on a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tools.weave.small_lesson import expand
from tools.weave import noticed
from tools.weave.noticed import NO_REASON, fits, reasons_for
from tools.weave.pages import Lesson, Page

STRICT = {"in": "f", "old": "zip(a, strict=True)", "new": "zip(a, )"}
NUMBER = {"in": "K.g", "old": "x = 1\ny = 2", "new": "x = 2\ny = 2"}
MODULE = {"of": 1_500, "tried": 40, "killed": 36, "timed_out": 2, "survived": [STRICT, NUMBER]}
RULE = {"find": ", strict=True", "put": ", ", "why": "The two are as long."}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small data of each kind."""
    monkeypatch.setattr(noticed, "FOLDER", tmp_path)
    (tmp_path / "mutants.json").write_text(json.dumps({"masking": MODULE}))
    (tmp_path / "reasons.toml").write_text(toml("rule", [RULE]))
    planted = [
        {"what": "It *is* wrong", "file": "src/bertlesson/nsp.py"},
        {"what": "It stops", "file": "src/bertlesson/nsp.py"},
        {"what": "Nobody sees it", "file": "examples/one.py"},
        {"what": "Not tried", "file": "examples/one.py"},
    ]
    (tmp_path / "planted.toml").write_text(toml("change", planted))
    changes = {
        "It *is* wrong": {"false": {"one": {"x is not zero": "examples/one.py:7: …"}}, "ended": {}},
        "It stops": {"false": {}, "ended": {"one": "ValueError: no_way"}},
        "Nobody sees it": {"false": {}, "ended": {}},
        "No longer planted": {"false": {"one": {"x": "y"}}, "ended": {}},
    }
    claims = {"one": ["x is `small` & <b>", "x is not zero"]}
    (tmp_path / "claims.json").write_text(json.dumps({"claims": claims, "changes": changes}))
    scripts = [
        {"what": "No bias", "file": "docs/assets/bert/layers.js"},
        {"what": "No epsilon", "file": "docs/assets/bert/layers.js", "why": "It is 1e-12."},
        {"what": "No mask", "file": "docs/assets/bert/bert.js"},
    ]
    (tmp_path / "javascript.toml").write_text(toml("change", scripts))
    told = {"No bias": "linear <b>", "No epsilon": "", "No mask": ""}
    (tmp_path / "javascript.json").write_text(json.dumps(told))
    return tmp_path


def toml(kind: str, items: list[Any]) -> str:
    return "\n".join(
        "\n".join([f"[[{kind}]]", *(f"{key} = {json.dumps(value)}" for key, value in item.items())])
        for item in items
    )


def test_modules_are_counted_and_survivors_have_their_reasons(folder: Path, lesson: Lesson) -> None:
    made = expand(lesson, "before\n\n{{ mutants }}\n\nafter\n")
    assert "Of 40 changes that were tried in 1 module, the tests noticed 38, 95.0%." in made
    assert "| `masking` | 1,500 | 40 | 38 | 95.0% | 2 |" in made
    untried = made.partition(' modules not tried yet"\n\n')[2].partition("\n\n")[0].split("\n")
    assert untried[0] == "    - `annotations`"
    assert "    - `collating`" in untried
    assert "    - `masking`" not in untried
    assert "    - `__main__`" not in untried
    note = made.partition('??? note "masking: 2 survived"\n')[2].partition("\nafter")[0]
    first, second = note.split("    ```\n")[:2]
    assert "    The two are as long." in first
    assert "    @@ f @@\n    -zip(a, strict=True)\n    +zip(a, )" in first
    assert f"    {NO_REASON}" in second
    assert "    @@ K.g @@\n    -x = 1\n    -y = 2\n    +x = 2\n    +y = 2" in second


def test_a_rule_fits_where_one_place_was_changed() -> None:
    assert fits(RULE, STRICT["old"], STRICT["new"])
    twice = "zip(a, strict=True), zip(b, strict=True)"
    assert fits(RULE, twice, "zip(a, strict=True), zip(b, )")
    assert not fits(RULE, twice, "zip(a, ), zip(b, )")
    assert not fits(RULE, NUMBER["old"], NUMBER["new"])
    assert fits({"find": r'"(\w)(\w*)"', "put": r'"XX\1\2XX"'}, 'f("ab")', 'f("XXabXX")')


def test_a_reason_for_one_change_is_that_of_no_other() -> None:
    found = {"masking": MODULE, "nsp": {**MODULE, "survived": [NUMBER]}}
    one = {"module": "nsp", "old": NUMBER["old"], "new": NUMBER["new"], "why": "Because."}
    key = (one["old"], one["new"])
    assert reasons_for(found, {"change": [one]}) == {("nsp", *key): "Because."}
    both = reasons_for(found, {"change": [one], "rule": [{"find": "1", "put": "2", "why": "No."}]})
    assert both == {("nsp", *key): "Because.", ("masking", *key): "No."}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rule": [{"find": "x", "put": "y", "why": ""}]}, "rule 'x' that fits no survivor"),
        (
            {"change": [{"module": "nsp", **STRICT, "why": ""}]},
            r"reason for 'zip\(a, strict=True\)' in nsp, which survives no longer",
        ),
    ],
)
def test_a_reason_that_fits_nothing_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reasons_for({"masking": MODULE}, given)


def test_such_a_reason_is_a_problem_of_the_page(folder: Path, lesson: Lesson) -> None:
    (folder / "reasons.toml").write_text(toml("rule", [{**RULE, "find": "lenient"}]))
    Page(lesson, Path("page.md")).expand("a\n\n{{ mutants }}\n")
    (problem,) = lesson.problems
    assert (problem.line, "fits no survivor" in problem.message) == (3, True)


def test_mistakes_have_the_claims_that_they_break(folder: Path, lesson: Lesson) -> None:
    made = expand(lesson, "{{ planted in Python }}\n")
    assert "3 mistakes were planted, one at a time; the build refused 2 of them." in made
    assert "They made 1 of the 2 claims false that 1 examples state; the site has 2" in made
    assert "claims in all. 1 more have not been tried yet." in made
    assert '??? note "nsp.py: 2 mistakes"' in made
    link = "[“x is not zero”](../checks.md#claim-one-x-is-not-zero)"
    assert f"    - **It \\*is\\* wrong.** `one`: {link}\n" in made
    assert "    - **It stops.** `one` ends: ValueError: no\\_way\n" in made
    assert "    - **Nobody sees it.** Not noticed by the claims.\n" in made
    left = made.partition('??? note "1 claim that no mistake here makes false"')[2]
    assert "`one`: [“x is \\`small\\` & \\<b\\>”](../checks.md#claim-one-x-is-small-b)" in left


def test_mistakes_in_scripts_have_the_test_that_notices(folder: Path, lesson: Lesson) -> None:
    made = expand(lesson, "{{ planted in JavaScript }}\n")
    assert (
        "3 mistakes were planted in the page's own BERT, one at a time; the tests noticed 1" in made
    )
    assert '??? note "layers.js: 2 mistakes"' in made
    assert "    - **No bias**: noticed by “linear \\<b\\>”\n" in made
    assert "    - **No epsilon**: not noticed: It is 1e-12.\n" in made
    assert f"    - **No mask**: not noticed: {NO_REASON}\n" in made


def test_each_reason_of_the_project_fits_a_survivor(lesson: Lesson) -> None:
    expand(lesson, "{{ mutants }}\n\n{{ planted in Python }}\n\n{{ planted in JavaScript }}\n")
