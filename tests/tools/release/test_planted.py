"""Mistakes in the package and the examples: which claims fall is read from what the build says."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.release import planted as tool
from tools.release.planted import forked, in_example, in_package, main
from tools.release.planting import Change
from tools.run.examples import Example
from tools.run.records import Claim, Failure, Place, Result
from tools.run.runner import Runner

IN_PACKAGE = Change("masks", "src/bertlesson/masking.py", "* 2**16", "* 2**17", ("cost",))
IN_EXAMPLE = Change("words", "examples/cost.py", "WORDS = 3.3e9", "WORDS = 6.6e9", ("cost",))
Run = Callable[[Path, Example, list[Example]], list[Result]]


def claims_of(example: Example, *passed: bool) -> tuple[Claim, ...]:
    return tuple(
        Claim(1, row, f"claim {row}", holds, ("x", "1"), ("<",), (2 - holds * 1.5, 1))
        for row, holds in enumerate(passed)
    )


def test_a_claim_that_falls_is_kept_with_page_and_line() -> None:
    seen = {}

    def run(folder: Path, example: Example, changed: list[Example]) -> list[Result]:
        package = (folder / "bertlesson" / "masking.py").read_text("utf-8")
        seen["masks"] = "* 2**17" in package
        seen["words"] = ["WORDS = 6.6e9" in each.text for each in (example, *changed)]
        results = [Result(claims=claims_of(each, True, False, False)) for each in changed]
        return [Result(claims=claims_of(example, True, not seen["masks"])), *results]

    sound = {"cost": ["claim 0", "claim 1"]}  # a third one is not known
    found = in_package(IN_PACKAGE, run, sound)
    assert seen == {"masks": True, "words": [False]}
    (told,) = found["false"]["cost"].values()
    lines = (ROOT / "examples/cost.py").read_text("utf-8").split("\n")
    at = int(told.removeprefix("examples/cost.py:").partition(":")[0])
    assert lines[at - 1].startswith("large = ")  # row 1 of cell 1
    assert told.endswith("claim is false: claim 1 (x = 2 < 1)")
    assert found["ended"] == {}
    assert [*in_example([IN_EXAMPLE], run, sound)] == [(IN_EXAMPLE, found)]
    assert seen == {"masks": False, "words": [False, True]}


def test_an_example_that_ends_is_kept_with_its_message() -> None:
    def run(folder: Path, example: Example, changed: list[Example]) -> list[Result]:
        failure = Failure(1, Place(1, 0), "ValueError: no", "")
        return [Result(claims=claims_of(example, False), failure=failure)]

    found = in_package(IN_PACKAGE, run, {"cost": ["claim 0"]})
    assert [*found["false"]["cost"]] == ["claim 0"]
    assert found["ended"] == {"cost": "ValueError: no"}


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As if the examples had been run: a mistake in "masks" makes a claim false, no other does."""
    path = tmp_path / "claims.json"
    monkeypatch.setattr(tool, "FOUND", path)
    other = replace(IN_EXAMPLE, what="words, too", new="WORDS = 3.4e9")
    monkeypatch.setattr(tool, "read_changes", lambda file: [IN_PACKAGE, IN_EXAMPLE, other])

    @contextmanager
    def standing_in() -> Iterator[Run]:
        def run(folder: Path, example: Example, changed: list[Example]) -> list[Result]:
            wrong = "* 2**17" in (folder / "bertlesson" / "masking.py").read_text("utf-8")
            return [Result(claims=claims_of(each, not wrong)) for each in (example, *changed)]

        yield run

    monkeypatch.setattr(tool, "forked", standing_in)
    return path


def test_what_is_not_noticed_is_named(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--sound"]) == 1
    assert json.loads(results.read_text("utf-8"))["claims"] == {"cost": ["claim 0"]}
    assert main([]) == 1
    kept = json.loads(results.read_text("utf-8"))["changes"]
    assert [*kept] == ["masks", "words", "words, too"]
    assert [*kept["masks"]["false"]["cost"]] == ["claim 0"]
    said = capsys.readouterr().out
    assert "masks: 1 claims false" in said
    assert said.endswith(
        "not noticed, or not tried: words\nnot noticed, or not tried: words, too\n"
    )


def test_some_are_tried_by_their_words(results: Path) -> None:
    main(["--sound"])
    main(["too"])
    assert [*json.loads(results.read_text("utf-8"))["changes"]] == ["words, too"]
    kept = json.loads(results.read_text("utf-8"))
    kept["changes"]["words, too"] = {"false": {"cost": {"kept": "as it was"}}, "ended": {}}
    results.write_text(json.dumps(kept))
    main(["words", "--missing"])
    kept = json.loads(results.read_text("utf-8"))["changes"]
    assert [*kept] == ["words", "words, too"]
    assert kept["words, too"]["false"]


@pytest.mark.lesson
@pytest.mark.slow
def test_a_mistake_falls_on_the_real_example(runner: Runner, examples: dict[str, Example]) -> None:
    cost = [claim.sentence for claim in runner.outcome(examples["cost"]).result.claims]
    late = Change("work", "examples/cost.py", "BACKWARD = 2", "BACKWARD = 0 / 0", ("cost",))
    after = replace(IN_EXAMPLE, what="last", old="SCORED = {128: 20, 512: 77}")
    after = replace(after, new="SCORED = {128: 128, 512: 512}")
    with forked() as run:
        found = dict(in_example([IN_EXAMPLE, late, after], run, {"cost": cost}))
        sound = in_package(replace(IN_PACKAGE, new="* 2**16 * 1"), run, {"cost": cost})
    assert found[IN_EXAMPLE]["false"] == {
        "cost": {
            cost[0]: f"examples/cost.py:32: claim is false: {cost[0]} "
            "(39 < if_all_long / WORDS = 19.86 < 41)"
        }
    }
    assert found[late] == {"false": {}, "ended": {"cost": "ZeroDivisionError: division by zero"}}
    assert [*found[after]["false"]["cost"]] == [cost[3]]
    assert sound == {"false": {}, "ended": {}}


def test_for_every_claim_there_is_a_mistake_that_makes_it_false() -> None:
    found = json.loads(tool.FOUND.read_text("utf-8"))
    fallen: dict[str, set[str]] = {}
    for kept in found["changes"].values():
        for name, claims in kept["false"].items():
            fallen.setdefault(name, set()).update(claims)
    for path in sorted((ROOT / "examples").glob("*.py")):
        own = [
            node.msg.value
            for node in ast.parse(path.read_text("utf-8")).body
            if isinstance(node, ast.Assert) and isinstance(node.msg, ast.Constant)
        ]
        assert found["claims"].get(path.stem, []) == own, f"make planted: {path.name} has changed"
        assert set(own) <= fallen.get(path.stem, set())
