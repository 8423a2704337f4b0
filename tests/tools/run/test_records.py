"""Results are read from JSON as they were written, or refused with what is wrong in them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tools.run.records import Claim, Failure, Figure, Outcome, Place, Plain, Result, Text

WRITTEN: dict[str, Any] = {
    "outputs": [
        [{"type": "text", "text": "é\n"}],
        [{"type": "figure", "svg": "<svg/>", "alt": "a"}],
    ],
    "claims": [
        {
            "row": 1,
            "signs": [">"],
            "sources": ["x", "0"],
            "sentence": "x is above 0",
            "passed": True,
            "values": [0.5, 0],
            "cell": 0,
        }
    ],
    "values": {"x": 0.5, "row": [1, None, True], "deep": {"name": "n"}},
    "error": {
        "cell": 1,
        "place": {"cell": 0, "row": 2},
        "message": "ValueError: no",
        "traceback": "Traceback …",
    },
}
READ = Result(
    outputs=((Text("é\n"),), (Figure("<svg/>", "a"),)),
    claims=(Claim(0, 1, "x is above 0", True, ("x", "0"), (">",), (0.5, 0)),),
    values={"x": 0.5, "row": [1, None, True], "deep": {"name": "n"}},
    failure=Failure(1, Place(0, 2), "ValueError: no", "Traceback …"),
)


def test_what_the_recorder_writes_is_read() -> None:
    assert Result.from_json(json.dumps(WRITTEN)) == READ
    assert Result.from_json(json.dumps(WRITTEN | {"error": None})).failure is None


def test_a_result_is_written_as_the_recorder_does_with_its_files() -> None:
    written = json.dumps(WRITTEN | {"files": []}, ensure_ascii=False)
    assert READ.to_json() == written
    assert Result.from_json(written) == READ
    empty = Result(files=("left.txt",))
    assert Result.from_json(empty.to_json()) == empty


def change(path: list[Any], value: object) -> str:
    """The JSON with one entry changed; ``...`` removes it."""
    changed = json.loads(json.dumps(WRITTEN))
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(changed)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting property name"),
        ("[]", "[], expected one of type dict"),
        (change(["claims"], ...), "expected one with an entry 'claims'"),
        (change(["error"], ...), "expected one with an entry 'error'"),
        (change(["values"], ...), "expected one with an entry 'values'"),
        (change(["outputs", 0], {}), "{}, expected one of type list"),
        (change(["outputs", 0, 0], "x"), "'x', expected one of type dict"),
        (change(["outputs", 0, 0, "type"], "html"), "'html', expected 'text' or 'figure'"),
        (change(["outputs", 1, 0, "alt"], ...), "expected one with an entry 'alt'"),
        (change(["claims", 0, "passed"], "yes"), "'yes', expected one of type bool"),
        (change(["claims", 0, "cell"], True), "True, expected one of type int"),
        (change(["claims", 0, "sources"], ["x", 0]), "0, expected one of type str"),
        (change(["claims", 0, "values"], [1]), "expected a claim with a value for each source"),
        (change(["error", "place"], {"cell": 0}), "expected one with an entry 'row'"),
        (change(["files"], "x"), "'x', expected one of type list"),
    ],
)
def test_a_damaged_result_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        Result.from_json(text)


@pytest.mark.parametrize(
    ("sources", "signs", "values", "shown"),
    [
        (("x", "0.2"), (">",), (0.25, 0.2), "x = 0.25 > 0.2"),
        (("0", "x", "1"), ("<", "≤"), (0, 0.5, 1), "0 < x = 0.5 ≤ 1"),
        (("check(x)",), (), (True,), "check(x) = True"),
        (("a", "b"), (">",), (0.90001, 0.9), "a = 0.90001 > b = 0.9"),
        (("word",), (), ("w" * 100,), f"word = '{'w' * 78}…"),
    ],
)
def test_a_comparison_in_words(
    sources: tuple[str, ...], signs: tuple[str, ...], values: tuple[Plain, ...], shown: str
) -> None:
    assert Claim(0, 0, "s", True, sources, signs, values).comparison == shown


def test_a_result_that_is_not_there_yet_is_empty() -> None:
    assert Outcome("running").pending
    assert Outcome("waiting").pending
    assert not Outcome("failed").pending
    assert Outcome("running").result == Result()


def test_a_failed_result_has_a_place() -> None:
    failure = Result.failed("no", cell=1, row=2).failure
    assert failure == Failure(1, Place(1, 2), "no", "")
