"""Each claim of the lesson, made false by as little as it takes: the build must refuse it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from tools.run.examples import Example
from tools.run.problems import problems_of
from tools.run.record import make_claim
from tools.run.records import Claim, Plain, Result
from tools.run.runner import Runner


def nearby(value: Plain, bound: Plain) -> list[Any]:
    """Other values, first those at the bound of a comparison and right beside it."""
    numbers = isinstance(value, int | float) and isinstance(bound, int | float)
    if not numbers or isinstance(value, bool):
        return [None, "another", not value]
    if isinstance(value, int) and isinstance(bound, int):
        return [bound, bound - 1, bound + 1]
    return [bound, math.nextafter(bound, -math.inf), math.nextafter(bound, math.inf)]  # type: ignore[arg-type]


def just_false(claim: Claim) -> Claim | None:
    """The claim as it would be recorded if one of its values were another; None if none helps."""
    about = json.dumps({"row": claim.row, "signs": claim.signs, "sources": claim.sources})
    for at, value in enumerate(claim.values):
        others = [other for n, other in enumerate(claim.values) if n != at]
        for other in nearby(value, others[0] if others else None):
            values = (*claim.values[:at], other, *claim.values[at + 1 :])
            try:
                made = make_claim(claim.sentence, about, values)
            except TypeError:  # None is neither more nor less than a number
                continue
            if not made["passed"]:
                return replace(claim, passed=False, values=tuple(made["values"]))
    return None


@pytest.mark.parametrize(
    ("signs", "values", "holds"),
    [
        (("<",), (0.5, 1), [False, 1]),
        (("≤",), (3, 3), [False, 4]),
        (("=",), ("a", "a"), [False, None]),
        ((), (True,), [False, None]),
    ],
)
def test_a_claim_is_made_false_at_its_bound(
    signs: tuple[str, ...], values: tuple[Plain, ...], holds: list[Any]
) -> None:
    found = just_false(Claim(0, 0, "it", True, ("x",) * len(values), signs, values))
    assert found is not None
    assert [found.passed, found.values[0]] == holds


@pytest.mark.lesson
def test_each_claim_just_false_is_refused_with_its_line(
    runner: Runner, examples: dict[str, Example]
) -> None:
    count = 0
    for example in examples.values():
        lines = example.text.split("\n")
        for claim in runner.outcome(example).result.claims:
            wrong = just_false(claim)
            assert wrong is not None, claim.sentence
            ((cell, problem),) = problems_of(example, Result(claims=(wrong,)))
            assert (cell, problem.path) == (claim.cell, example.path)
            assert lines[problem.line - 1].startswith("assert "), problem
            assert f"claim is false: {claim.sentence} (" in problem.message
            count += 1
    assert count > 150
