"""Tasks run side by side, the longest first, and a failure stops only what needs it."""

from __future__ import annotations

import errno
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Workshop
from tests.tools.run.helpers import message_of, until
from tools.run import store as store_module
from tools.run.examples import Example
from tools.run.process import Job
from tools.run.records import Outcome, Result
from tools.run.schedule import Scheduler, Task
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


@pytest.mark.slow
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
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keep = Store.keep

    def full(store: Store, example: Example, *rest: Any) -> Result:
        if example.name == "one":
            raise OSError(errno.ENOSPC, "no space left on device", "a file")
        return keep(store, example, *rest)

    monkeypatch.setattr(Store, "keep", full)
    examples = [workshop.example(name, "# %%\n1\n") for name in ("one", "two")]
    one, two = workshop.run(*examples, cores=1)
    said = "the runner failed: no space left on device (a file); it needs room for some megabytes"
    assert message_of(one).startswith(said)
    assert two.state == "done"
    assert "Traceback" not in caplog.text  # a full disk is nobody's mistake in the code


# Tasks that are functions


def task(
    name: str, done: list[str], *needs: Task, works: bool = True, cores: int = 1, seconds: float = 1
) -> Task:
    """A task that appends its name to a list, and fails if it does not work."""

    def work(job: Job) -> Outcome:
        done.append(name)
        return Outcome("done") if works else Outcome("failed", Result.failed(f"{name} failed"))

    return Task(name, f"key of {name}", work, needs=needs, cores=cores, seconds=seconds)


def outcomes(scheduler: Scheduler, *tasks: Task) -> list[Outcome]:
    scheduler.want(tasks)
    scheduler.wait()
    return [scheduler.outcome(task) for task in tasks]


def test_a_task_runs_after_all_that_it_needs_and_that_after_what_it_needs() -> None:
    done: list[str] = []
    first = task("first", done)
    second = task("second", done, first)
    last, other = task("last", done, first, second), task("other", done, second)
    scheduler = Scheduler(1, lambda name: None)
    assert {found.state for found in outcomes(scheduler, last, other)} == {"done"}
    assert done[:2] == ["first", "second"]
    assert sorted(done[2:]) == ["last", "other"]
    assert {found.state for found in outcomes(scheduler, last, other)} == {"done"}
    assert len(done) == 4  # each once


def test_what_a_failed_task_keeps_waiting_fails_with_it() -> None:
    done: list[str] = []
    first = task("first", done, works=False)
    second = task("second", done, first)
    last, free = task("last", done, second), task("free", done)
    scheduler = Scheduler(2, lambda name: None)
    failed, ran = outcomes(scheduler, last, free)
    assert failed == Outcome("failed", Result.failed("first failed"))
    assert ran.state == "done"
    assert sorted(done) == ["first", "free"]
    outcomes(scheduler, last, free)
    assert sorted(done) == ["first", "free"]  # not tried again
    outcomes(scheduler, task("new", done, first))
    assert done.count("first") == 2  # for another one it is


def test_what_is_needed_starts_although_all_cores_are_busy() -> None:
    gate = threading.Event()
    done: list[str] = []

    def wait(job: Job) -> Outcome:
        assert gate.wait(20)
        return Outcome("done")

    busy = Task("busy", "key of busy", wait, seconds=9)
    needed = task("needed", done, cores=2)
    last, quick = task("last", done, needed), task("quick", done)
    scheduler = Scheduler(1, lambda name: None)
    scheduler.want([busy])
    scheduler.want([busy, last, quick])
    until(lambda: done == ["needed"])
    time.sleep(0.1)
    assert done == ["needed"]  # the others wait for a core
    assert scheduler.outcome(last) == Outcome("waiting", progress="waiting for its turn")
    gate.set()
    scheduler.wait()
    assert sorted(done[1:]) == ["last", "quick"]


def test_a_kept_result_makes_a_run_unnecessary() -> None:
    done: list[str] = []
    kept = Result(files=("left.txt",))
    made = replace(task("made", done), kept=lambda: kept)
    assert outcomes(Scheduler(1, lambda name: None), made) == [Outcome("done", kept)]
    assert not done
