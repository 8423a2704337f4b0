"""Execute each example once, several in parallel, and store its output under its key.

One `Runner` serves both commands: ``mkdocs build`` requests all examples and waits; ``mkdocs
serve`` requests them, continues, and is notified when one is done. Requests may change at any time:
a job whose example has been edited in the meantime is stopped and restarted.

    python -m tools.run.runner        run all examples that have no result yet, with progress
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from tools.run import record
from tools.run.cells import ROOT, Problem
from tools.run.examples import CHECKPOINT, Example, checkpoint_key, load_examples, parse
from tools.run.problems import problems_of
from tools.run.process import Job, ending_in_words
from tools.run.records import Outcome, Result
from tools.run.store import Store

CACHE = ROOT / ".cache" / "examples"
RECORD = ROOT / "tools" / "run" / "record.py"
ENVIRONMENT = record.ENVIRONMENT | {"MATPLOTLIBRC": str(ROOT / "tools" / "run" / "matplotlibrc")}
TRAINING = "the small BERT"  # the name of the job that makes the checkpoint
PYTHON = (sys.executable, "-P", "-X", "faulthandler")
TRAIN = (*PYTHON, "-m", f"bertlesson.{CHECKPOINT}")
# A first build does not know how long each example takes; starting with these saves minutes.
LONG = ("deeper", "entities", "mix", "spans")
REPORT_EVERY = 5.0  # seconds between a job's progress lines
CHANGED = Result.failed("it was edited while it ran; the next build runs it again")

log = logging.getLogger("mkdocs.examples")


class Runner:
    """Runs the requested examples on the given number of cores.

    Args:
        cache: The folder of the stored results.
        cores: How many examples run in parallel. Default: the machine's number of cores.
        on_done: Called with a job's name when the job has ended, from a separate thread.
        checkpoint_command: Trains the checkpoint and saves it, or does nothing if there is one.
    """

    def __init__(
        self,
        cache: Path = CACHE,
        cores: int | None = None,
        on_done: Callable[[str], None] = lambda name: None,
        checkpoint_command: Iterable[str] = TRAIN,
    ) -> None:
        self.store = Store(cache)
        self.cores = cores or os.cpu_count() or 1
        self.on_done = on_done
        self.checkpoint_command = list(checkpoint_command)
        self._change = threading.Condition()  # held while any of the following changes
        self._wanted: dict[str, Example] = {}
        self._jobs: dict[str, Job] = {}
        self._failures: dict[str, Result] = {}  # by key: shown, not retried
        self._checkpoint_wanted = ""  # its key; empty if no requested example uses it
        self._checkpoint_made = ""

    # The public methods

    def want(self, examples: Iterable[Example]) -> None:
        """Request results of these examples, in place of those requested before."""
        with self._change:
            self._wanted = {example.name: example for example in examples}
            used = any(example.needs_checkpoint for example in self._wanted.values())
            self._checkpoint_wanted = checkpoint_key() if used else ""
            for key in [key for key, result in self._failures.items() if result is CHANGED]:
                del self._failures[key]
            keys = {self._checkpoint_wanted, *(e.key for e in self._wanted.values())}
            for job in self._jobs.values():
                if job.key not in keys:
                    job.stop()
            self._start_what_fits()

    def wait(self) -> None:
        """Block until every requested example is done or has failed."""
        with self._change:
            self._change.wait_for(lambda: not self._jobs and not self._waiting())

    def stop(self) -> None:
        """Stop all jobs; they leave nothing behind."""
        with self._change:
            self._wanted = {}
            for job in self._jobs.values():
                job.stop()
            self._change.wait_for(lambda: not self._jobs, timeout=10)

    def outcome(self, example: Example) -> Outcome:
        """What is currently known about this example."""
        if example.key in self._failures:
            return Outcome("failed", self._failures[example.key])
        if (kept := self.store.read(example)) is not None:
            return Outcome("done", kept)
        job = self._jobs.get(example.name)
        if job and job.key == example.key:
            return Outcome("running", progress=job.progress)
        training = self._jobs.get(TRAINING)
        if training and example.needs_checkpoint:
            return Outcome("waiting", progress=f"training {TRAINING}: {training.progress}")
        return Outcome("waiting", progress="waiting for its turn")

    # Running

    def _waiting(self) -> list[Example]:
        """The examples that have to run and are not running, longest first."""
        waiting = [
            example
            for example in self._wanted.values()
            if example.name not in self._jobs
            and example.key not in self._failures
            and self.store.read(example) is None
        ]
        return sorted(waiting, key=lambda e: (-self.store.seconds(e), e.name not in LONG))

    def _start_what_fits(self) -> None:
        """Start waiting examples while cores are free. Called with the lock held."""
        waiting = self._waiting()
        made = self._checkpoint_made == self._checkpoint_wanted
        blocked = [example for example in waiting if example.needs_checkpoint and not made]
        if blocked and TRAINING not in self._jobs:
            # Start it at once, whatever else is running, because the longest examples wait for it.
            # It uses both cores of a small machine.
            job = Job(TRAINING, self._checkpoint_wanted, cores=min(2, self.cores))
            self._start(job, self._train)
        for example in waiting:
            busy = sum(job.cores for job in self._jobs.values())
            if example not in blocked and busy < self.cores:
                job = Job(example.name, example.key, cores=1)
                self._start(job, partial(self._run, example))
        self._change.notify_all()

    def _start(self, job: Job, work: Callable[[Job], None]) -> None:
        self._jobs[job.name] = job

        def target() -> None:
            try:
                work(job)
            except Exception as error:  # an error of the runner is shown like the example's own
                log.exception("running %s", job.name)
                self._fail(job, Result.failed(f"the runner failed: {error}"))
            with self._change:
                del self._jobs[job.name]
                self._start_what_fits()
            if not job.cancelled:
                self.on_done(job.name)

        threading.Thread(target=target, name=f"run {job.name}", daemon=True).start()

    def _fail(self, job: Job, result: Result) -> None:
        """Record a failure; if the checkpoint failed, for each example that waits for it."""
        with self._change:
            if job.name != TRAINING:
                self._failures[job.key] = result
                return
            for example in self._wanted.values():
                if example.needs_checkpoint and self.store.read(example) is None:
                    self._failures[example.key] = result

    def _train(self, job: Job) -> None:
        with _room() as folder:
            code, errors = job.run(
                self.checkpoint_command,
                folder,
                folder,
                {"PYTHONUNBUFFERED": "1"},
                on_line=log.info,
                on_progress=lambda bar: self._report(job, bar),
            )
        if job.cancelled:
            return
        if code:
            message = f"{TRAINING} could not be trained: its process {ending_in_words(code)}"
            self._fail(job, Result.failed(message, errors))
            return
        self._checkpoint_made = job.key

    def _run(self, example: Example, job: Job) -> None:
        lock = FileLock(self.store.folder / f"{example.name}.lock")
        job.progress = "another build is running it"
        try:
            held = lock.acquire(cancel_check=lambda: job.cancelled)
        except Timeout:
            return  # cancelled
        with held, _room() as folder:
            if self.store.read(example) is None:
                self._execute(example, job, folder)

    def _execute(self, example: Example, job: Job, folder: Path) -> None:
        room = folder / "room"  # an empty folder, as a reader starts with
        room.mkdir()
        cells, script, result = folder / "cells", room / example.path.name, folder / "result"
        code = [{"source": cell.source, "line": cell.line} for cell in example.code]
        cells.write_text(json.dumps(code), "utf-8")
        script.write_text(example.text, "utf-8")
        began, cell, where = time.monotonic(), 0, "starting"

        def on_line(line: str) -> None:
            nonlocal cell, where
            cell = json.loads(line)["cell"]
            title = f" ({example.code[cell].title})" if example.code[cell].title else ""
            where = f"cell {cell + 1} of {len(code)}{title}"
            self._report(job, where)

        ended, errors = job.run(
            [*PYTHON, str(RECORD), str(cells), str(script), str(result)],
            folder,
            room,
            ENVIRONMENT,
            on_line,
            on_progress=lambda bar: self._report(job, f"{where}: {bar}"),
        )
        if job.cancelled:
            return
        seconds = time.monotonic() - began
        if not result.exists():
            # If there was time, the fault handler printed the lines, innermost first.
            lines = re.findall(rf'File "{re.escape(str(script))}", line (\d+)', errors)
            row = int(lines[0]) - example.code[cell].line if lines else 0
            recorded = Result.failed(f"its process {ending_in_words(ended)}", errors, cell, row)
        elif _changed(example):
            recorded = CHANGED
        else:
            text = result.read_text("utf-8").replace(str(script), f"examples/{example.path.name}")
            text = text.replace(str(room), ".")
            recorded = Result.from_json(text)
        problems = problems_of(example, recorded)
        if problems:
            self._fail(job, recorded)
        else:
            left = (path for path in room.iterdir() if path.is_file() and path != script)
            self.store.keep(example, recorded, seconds, left)
        how = f"failed after {seconds:.0f} s" if problems else f"done in {seconds:.0f} s"
        settled = [e for e in self._wanted.values() if not self.outcome(e).pending]
        log.info("%s: %s (%d of %d)", _what(job), how, len(settled), len(self._wanted))
        for _, problem in problems:  # at once: the other examples may take a quarter of an hour
            log.info("%s", problem)

    def _report(self, job: Job, progress: str) -> None:
        job.progress = progress
        if time.monotonic() - job.reported > REPORT_EVERY:
            job.reported = time.monotonic()
            log.info("%s: %s", _what(job), progress)


@contextmanager
def _room() -> Iterator[Path]:
    """An empty folder for a run, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="lesson-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


def _what(job: Job) -> str:
    return TRAINING if job.name == TRAINING else f"examples/{job.name}.py"


def _changed(example: Example) -> bool:
    """Whether the example's code may have changed since its key was computed."""
    try:
        return parse(example.path).key != example.key
    except (OSError, SyntaxError, Problem):
        return True


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    examples, problems = load_examples()
    runner = Runner()
    runner.want(examples.values())
    try:
        runner.wait()
    except KeyboardInterrupt:
        runner.stop()
        return 130
    for example in examples.values():
        problems += [problem for _, problem in problems_of(example, runner.outcome(example).result)]
    for problem in problems:
        log.error("%s", problem)
    log.info("%d examples, %d problems", len(examples), len(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
