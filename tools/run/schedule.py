"""Run tasks once each, several in parallel, the longest first, each after what it needs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tools.run.process import Job, log
from tools.run.records import Outcome, Result

EDITED = Result.failed("it was edited while it ran; the next build runs it again")


@dataclass(frozen=True, eq=False)
class Task:
    """Something to run once for its key.

    Attributes:
        name: As the log shows it, such as "examples/mix.py".
        key: Equal keys mean equal outcomes.
        work: Runs it in the calling thread. If the job is stopped, what it returns is ignored.
        kept: The result of an earlier run, which makes another one unnecessary.
        needs: The tasks that must be done before. They run only if a task that waits needs them.
        cores: How many cores it uses.
        seconds: How long it will take, as far as is known.
    """

    name: str
    key: str
    work: Callable[[Job], Outcome]
    kept: Callable[[], Result | None] = lambda: None
    needs: tuple[Task, ...] = ()
    cores: int = 1
    seconds: float = float("inf")


class Scheduler:
    """Runs the requested tasks on the given number of cores.

    Requests may change at any time: a job whose key is no longer requested is stopped.

    Args:
        cores: How many cores the jobs may use. Default: all of the machine's.
        on_done: Called with a task's name when its job has ended, from a separate thread.
    """

    def __init__(self, cores: int | None, on_done: Callable[[str], None]) -> None:
        self.cores = cores or os.cpu_count() or 1
        self.on_done = on_done
        self.jobs: dict[str, Job] = {}
        self._change = threading.Condition()  # held while any of these changes
        self._wanted: dict[str, Task] = {}
        self._ended: dict[
            str, Outcome
        ] = {}  # by key; failures are shown; only for a new task, what it needs is tried again

    def want(self, tasks: Iterable[Task]) -> None:
        """Request outcomes of these tasks, in place of those requested before."""
        with self._change:
            self._wanted = {task.name: task for task in tasks}
            for key in [key for key, outcome in self._ended.items() if outcome.result is EDITED]:
                del self._ended[key]
            keys = {task.key for wanted in self._wanted.values() for task in _all_of(wanted)}
            for job in self.jobs.values():
                if job.key not in keys:
                    job.stop()
            self._start_what_fits()

    def wait(self) -> None:
        """Block until every requested task is done or has failed."""
        with self._change:
            self._change.wait_for(lambda: not self.jobs and not self._waiting())

    def stop(self) -> None:
        """Stop all jobs; they leave nothing behind."""
        with self._change:
            self._wanted = {}
            for job in self.jobs.values():
                job.stop()
            self._change.wait_for(lambda: not self.jobs, timeout=10)

    def outcome(self, task: Task) -> Outcome:
        """What is currently known about this task."""
        if ended := self._ended.get(task.key):
            return ended
        if (kept := task.kept()) is not None:
            return Outcome("done", kept)
        job = self.jobs.get(task.name)
        if job and job.key == task.key:
            return Outcome("running", progress=job.progress)
        for need in task.needs:
            if job := self.jobs.get(need.name):
                return Outcome("waiting", progress=f"{need.name}: {job.progress}")
        return Outcome("waiting", progress="waiting for its turn")

    def _waiting(self) -> list[Task]:
        """The tasks that have to run and are not running, longest first."""
        waiting = [
            task
            for task in self._wanted.values()
            if task.name not in self.jobs and self.outcome(task).state == "waiting"
        ]
        return sorted(waiting, key=lambda task: -task.seconds)

    def _missing(self, task: Task) -> Iterator[Task]:
        """The tasks that must be done before this one and are not."""
        for need in task.needs:
            if self.outcome(need).state != "done":
                yield from self._missing(need)
                yield need

    def _start_what_fits(self) -> None:
        """Start waiting tasks while cores are free. Called with the lock held."""
        waiting = self._waiting()
        # What others need starts at once, whatever else is running: the longest may wait for it.
        for need in [need for task in waiting for need in self._missing(task)]:
            if need.name not in self.jobs and not [*self._missing(need)]:
                self._start(need)
        for task in waiting:
            busy = sum(job.cores for job in self.jobs.values())
            if busy < self.cores and not [*self._missing(task)]:
                self._start(task)
        self._change.notify_all()

    def _start(self, task: Task) -> None:
        job = Job(task.name, task.key, min(task.cores, self.cores))
        self.jobs[task.name] = job
        arguments = (task, job)
        name = f"run {task.name}"
        threading.Thread(target=self._run, args=arguments, name=name, daemon=True).start()

    def _run(self, task: Task, job: Job) -> None:
        try:
            outcome = task.work(job)
        except Exception as error:  # an error of the runner is shown like the task's own
            log.exception("running %s", task.name)
            outcome = Outcome("failed", Result.failed(f"the runner failed: {error}"))
        with self._change:
            if not job.cancelled:
                self._end(task, job, outcome)
            del self.jobs[task.name]
            self._start_what_fits()
        if not job.cancelled:
            self.on_done(task.name)

    def _end(self, task: Task, job: Job, outcome: Outcome) -> None:
        """Record an outcome; a failure is recorded for each task that waits for this one."""
        ended = [task]
        if outcome.state == "failed":
            needing = [
                other
                for other in self._wanted.values()
                if task.key in [need.key for need in self._missing(other)]
            ]
            ended = needing or ended
        self._ended |= {each.key: outcome for each in ended}
        if job.seconds is not None:
            how = "failed after" if outcome.state == "failed" else "done in"
            settled = [t for t in self._wanted.values() if not self.outcome(t).pending]
            counts = len(settled), len(self._wanted)
            log.info("%s: %s %.0f s (%d of %d)", task.name, how, job.seconds, *counts)


def _all_of(task: Task) -> Iterator[Task]:
    """The task and all that it needs."""
    yield task
    for need in task.needs:
        yield from _all_of(need)
