"""Tasks run side by side, the longest first, and a failure stops only what needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Workshop
from tests.tools.run.helpers import (
    message_of,
)
from tools.run import store as store_module
from tools.run.examples import Example
from tools.run.records import Result
from tools.run.store import Store


def meeting(mine: Path, other: Path) -> str:
    """An example that ends when the other has begun."""
    return f"""
    # %% meet
    import time
    from pathlib import Path

    Path({str(mine)!r}).touch()
    end = time.monotonic() + 20
    while not Path({str(other)!r}).exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    """


def test_independent_examples_run_side_by_side(workshop: Workshop, tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    outcomes = workshop.run(
        workshop.example("one", meeting(a, b)), workshop.example("two", meeting(b, a)), cores=2
    )
    assert [outcome.state for outcome in outcomes] == ["done", "done"]


def test_no_more_run_than_there_are_cores(workshop: Workshop, tmp_path: Path) -> None:
    text = f"""
    # %% alone
    import os, time

    os.mkdir({str(tmp_path / "busy")!r})
    time.sleep(0.1)
    os.rmdir({str(tmp_path / "busy")!r})
    """
    examples = [workshop.example(name, text) for name in ("one", "two", "three")]
    assert {outcome.state for outcome in workshop.run(*examples, cores=1)} == {"done"}


def test_the_longest_runs_first(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = tmp_path / "order"

    def make(number: int) -> list[Any]:
        text = "# %%\nopen({!r}, 'a').write('{} ')\nimport time\ntime.sleep({})\nx = {}\n"
        seconds = {"a": 0.0, "b": 1.6, "spans": 0.8}
        return [
            workshop.example(name, text.format(str(order), name, s, number))
            for name, s in seconds.items()
        ]

    durations = tmp_path / "durations.json"
    durations.write_text('{"a": 1, "b": 2, "spans": 3}')
    monkeypatch.setattr(store_module, "DURATIONS", durations)
    workshop.run(*make(0), cores=1)
    assert order.read_text() == "spans b a ", "for a first run, the durations of another machine"
    order.unlink()
    workshop.run(*make(1), cores=1)
    assert order.read_text() == "b spans a "


def test_a_failure_does_not_stop_the_others(workshop: Workshop) -> None:
    outcomes = workshop.run(
        workshop.example("a", "# %%\n1 / 0\n"),
        workshop.example("b", "# %%\nimport os\nos.abort()\n"),
        workshop.example("c", "# %%\nprint('there')\n"),
        cores=1,
    )
    assert [outcome.state for outcome in outcomes] == ["failed", "failed", "done"]


def test_a_fault_of_the_runner_is_shown_and_stops_nothing_else(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = Store.keep

    def full(store: Store, example: Example, *rest: Any) -> Result:
        if example.name == "one":
            raise OSError("no space left on device")
        return keep(store, example, *rest)

    monkeypatch.setattr(Store, "keep", full)
    examples = [workshop.example(name, "# %%\n1\n") for name in ("one", "two")]
    one, two = workshop.run(*examples, cores=1)
    assert message_of(one) == "the runner failed: no space left on device"
    assert two.state == "done"
