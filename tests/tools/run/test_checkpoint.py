"""The checkpoint is made once, before what needs it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Workshop
from tests.tools.run.helpers import alive, counting, text_of, until
from tools.run.checkpoint import training
from tools.run.examples import CHECKPOINT, checkpoint_key
from tools.run.schedule import Task
from tools.run.store import Store


def trained_by(*command: str) -> dict[str, Callable[[Store], Task]]:
    """Another command in place of the one that trains the lesson's checkpoint."""
    return {CHECKPOINT: partial(training, command=command)}


USES = "# %%\nimport pack.lesson.tiny\n"


@pytest.mark.slow
def test_the_checkpoint_is_made_before_what_uses_it(
    workshop: Workshop, tiny: Path, tmp_path: Path
) -> None:
    made, log = tmp_path / "made", tmp_path / "log"
    code = f"import time; time.sleep(0.3); open({str(made)!r}, 'a').write('x')"
    uses = USES + f"print(open({str(made)!r}).read())\n"
    runner = workshop.runner(needed=trained_by(sys.executable, "-c", code))
    examples = [workshop.example("uses", uses), workshop.example("free", counting(log))]
    assert [example.needs for example in examples] == [(CHECKPOINT,), ()]
    runner.want(examples)
    assert runner.outcome(examples[0]).progress == "the training of the small BERT: starting"
    runner.wait()
    assert text_of(runner.outcome(examples[0])) == "x\n"
    runner.want([*examples, workshop.example("also", uses)])
    runner.wait()
    assert made.read_text() == "x"  # it is there already

    tiny.write_text("from .. import heads\nsteps = 2\n")
    again = workshop.example("uses", uses)
    runner.want([again])
    runner.wait()
    assert text_of(runner.outcome(again)) == "xx\n"  # of the new code


def test_nothing_is_trained_for_what_does_not_use_it(
    workshop: Workshop, tiny: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    needed = trained_by(sys.executable, "-c", f"open({str(made)!r}, 'w')")
    workshop.run(workshop.example("free", "# %%\n1\n"), needed=needed)
    assert not made.exists()


def test_a_failed_checkpoint_is_reported_for_each_that_uses_it(
    workshop: Workshop, tiny: Path
) -> None:
    code = "import sys; print('no room left', file=sys.stderr); sys.exit(3)"
    examples = [workshop.example(name, USES) for name in ("a", "b")]
    free = workshop.example("free", "# %%\n1\n")
    outcomes = workshop.run(*examples, free, needed=trained_by(sys.executable, "-c", code))
    assert [outcome.state for outcome in outcomes] == ["failed", "failed", "done"]
    for outcome in outcomes[:2]:
        failure = outcome.result.failure
        assert failure
        assert failure.message.startswith("the small BERT could not be trained: its process ended")
        assert "exit code 3" in failure.message
        assert failure.traceback == "no room left"


def test_an_edit_of_its_code_stops_the_training(
    workshop: Workshop, tiny: Path, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    code = (
        f"import os, time; print(os.getpid(), file=open({str(pids)!r}, 'a'), flush=True); "
        f"time.sleep(600 * (open({str(tiny)!r}).read() == 'x = 1\\n'))"
    )
    tiny.write_text("x = 1\n")
    key = checkpoint_key()
    runner = workshop.runner(needed=trained_by(sys.executable, "-c", code))
    runner.want([workshop.example("uses", USES)])
    until(lambda: pids.exists() and pids.read_text())
    tiny.write_text("x = 2\n")
    assert checkpoint_key() != key
    edited = workshop.example("uses", USES)
    runner.want([edited])
    runner.wait()
    assert runner.outcome(edited).state == "done"
    first, _ = map(int, pids.read_text().split())
    assert not alive(first)


def test_the_log_says_why_it_is_trained(
    workshop: Workshop, tiny: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    said = []
    for name, change in (("one", ""), ("two", ""), ("two", "steps = 2\n")):
        tiny.write_text(tiny.read_text() + change)
        caplog.clear()
        needed = trained_by(sys.executable, "-c", "")
        workshop.run(workshop.example(name, USES), needed=needed)
        said.append([line for line in caplog.messages if line.startswith("the training")])
    first, found, again = said
    assert first[0] == "the training of the small BERT runs for the first time"
    assert found[0].startswith("the training of the small BERT: done in")  # it was there already
    assert again[0] == "the training of the small BERT runs again: lesson/tiny.py changed"
