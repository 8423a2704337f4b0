"""Execute each example once, several in parallel, and store its output under its key.

One `Runner` serves both commands: ``mkdocs build`` requests all examples and waits; ``mkdocs
serve`` requests them, continues, and is notified when one is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from tempfile import gettempdir

from filelock import FileLock, Timeout

from tools.run.cells import ROOT, Problem
from tools.run.checkpoint import training
from tools.run.examples import CHECKPOINT, Example, parse
from tools.run.execution import execute
from tools.run.problems import problems_of
from tools.run.process import Job, empty_folder, log
from tools.run.reasons import why
from tools.run.records import Outcome, Result
from tools.run.schedule import EDITED, Scheduler, Task
from tools.run.store import LastRun, Store

CACHE = ROOT / ".cache" / "examples"
NEEDED: Mapping[str, Callable[[Store], Task]] = {CHECKPOINT: training}


class Runner:
    """Runs the requested examples, and what they need, on the given number of cores.

    Args:
        cache: The folder of the stored results.
        cores: How many examples run in parallel. Default: the machine's number of cores.
        on_done: Called with a task's name when its job has ended, from a separate thread.
        needed: Makes the tasks that examples need, by the names that they use.
    """

    def __init__(
        self,
        cache: Path = CACHE,
        cores: int | None = None,
        on_done: Callable[[str], None] = lambda name: None,
        needed: Mapping[str, Callable[[Store], Task]] = NEEDED,
    ) -> None:
        self.store = Store(cache)
        self.scheduler = Scheduler(cores, on_done)
        self.needed = needed
        self._needs: dict[str, Task] = {}  # of the requested examples

    def want(self, examples: Iterable[Example]) -> None:
        """Request results of these examples, in place of those requested before.

        A job whose example has been edited in the meantime is stopped and restarted.
        """
        examples = [*examples]
        names = {name for example in examples for name in example.needs}
        self._needs = {name: self.needed[name](self.store) for name in names}
        self.scheduler.want([self._task(example) for example in examples])

    def wait(self) -> None:
        """Block until every requested example is done or has failed."""
        self.scheduler.wait()

    def stop(self) -> None:
        """Stop all jobs; they leave nothing behind."""
        self.scheduler.stop()

    def outcome(self, example: Example) -> Outcome:
        """What is currently known about this example."""
        return self.scheduler.outcome(self._task(example))

    def _task(self, example: Example) -> Task:
        needs = self._needs  # `want` puts another in its place
        return Task(
            name=f"examples/{example.path.name}",
            key=example.key,
            work=partial(self._run, example),
            kept=partial(self.store.read, example),
            needs=tuple(needs[name] for name in example.needs if name in needs),
            seconds=self.store.seconds(example),
        )

    def _run(self, example: Example, job: Job) -> Outcome:
        try:
            return self._executed(example, job)
        except OSError as error:
            said = f"{error.strerror or error} ({error.filename or 'no file is named'})"
            rooms = f"{self.store.folder} and in {gettempdir()}"
            words = f"the runner failed: {said}; it needs room for some megabytes in {rooms}"
            return Outcome("failed", Result.failed(words))

    def _executed(self, example: Example, job: Job) -> Outcome:
        lock = FileLock(self.store.folder / f"{example.name}.lock")
        job.progress = "another build is running it"
        try:
            held = lock.acquire(cancel_check=lambda: job.cancelled)
        except Timeout:
            return Outcome("failed")  # cancelled
        with held, empty_folder() as folder:
            if (kept := self.store.read(example)) is not None:
                return Outcome("done", kept)
            parts, last = example.parts, self.store.last_run(example.name)
            log.info("%s %s", job.name, why(last.parts if last else None, parts))
            result, left = execute(example, job, folder)
            if job.cancelled:
                return Outcome("failed")
            if _changed(example):
                result = EDITED
            if problems := problems_of(example, result):
                for _, problem in problems:  # at once: other examples may take many minutes
                    log.info("%s", problem)
                return Outcome("failed", result)
            run = LastRun(job.seconds or 0.0, parts)
            return Outcome("done", self.store.keep(example, result, run, left))


def _changed(example: Example) -> bool:
    """Whether the example's code may have changed since its key was computed."""
    try:
        return parse(example.path).key != example.key
    except (OSError, SyntaxError, Problem):
        return True
