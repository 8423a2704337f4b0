"""What is drawn again while serving, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conftest import Workshop
from tests.tools.weave.small_lesson import CODE, result
from tools.run.examples import Example
from tools.run.records import Outcome
from tools.weave.memory import remembered


@pytest.fixture
def example(workshop: Workshop) -> Example:
    return workshop.example("one", CODE)


def test_what_is_as_before_is_made_once(example: Example, workshop: Workshop) -> None:
    made = []

    @remembered
    def make(example: Example, outcome: Outcome, index: int) -> int:
        made.append((example.name, outcome.state, index))
        return len(made)

    done = Outcome("done", result())
    assert [make(example, done, 0), make(example, replace(done), 0)] == [1, 1]
    assert [make(example, done, 1), make(example, done, 0)] == [2, 1]
    assert make(example, replace(done, result=result()), 0) == 3  # it has run again
    assert make(workshop.example("one", CODE + "\n# %% more\n1\n"), done, 0) == 4
    running = [Outcome("running", progress=f"{step} of 3") for step in (1, 1, 2)]
    assert [make(example, outcome, 0) for outcome in running] == [5, 5, 6]


def test_true_is_not_taken_for_one(example: Example) -> None:
    shown = remembered(lambda example, outcome: repr(outcome.result.values["n"]))
    assert shown(example, Outcome("done", result(values={"n": True}))) == "True"
    assert shown(example, Outcome("done", result(values={"n": 1}))) == "1"
