"""What the tests of the runner share."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

from tests.conftest import Workshop
from tools.run.records import Outcome, Text


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Wait for it, but not for ever."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this takes too long"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def text_of(outcome: Outcome, cell: int = 0) -> str:
    return "".join(o.text for o in outcome.result.outputs[cell] if isinstance(o, Text))


def message_of(outcome: Outcome) -> str:
    assert outcome.result.failure
    return outcome.result.failure.message


def counting(log: Path, more: str = "") -> str:
    """An example that leaves a line in a file each time it is run."""
    return f'# %% count\nwith open({str(log)!r}, "a") as log:\n    log.write("x")\n{dedent(more)}'


def slow(log: Path, seconds: float = 600) -> str:
    return counting(log, f"import time\ntime.sleep({seconds})\n")


def running(workshop: Workshop, example: Any, log: Path) -> tuple[Any, int]:
    """A runner that is in the midst of the example, and the process that runs it."""
    runner = workshop.runner()
    runner.want([example])
    job = runner.scheduler.jobs[f"examples/{example.name}.py"]
    until(lambda: log.exists() and job.process is not None)  # the script may be quicker than Popen
    assert job.process
    leash = job.process.pid
    children = Path(f"/proc/{leash}/task/{leash}/children").read_text().split()
    return runner, int(children[0])


PARENT = """
import logging, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tools.run.examples import parse
from tools.run.runner import Runner
logging.basicConfig(level=logging.INFO)
signal.signal(signal.SIGINT, signal.default_int_handler)  # `make test &` has it ignored
runner = Runner(Path({cache!r}), 2)
runner.want([parse(Path({example!r}))])
try:
    runner.wait()
except KeyboardInterrupt:
    runner.stop()
"""
