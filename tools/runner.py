"""Execute each example once, side by side, and keep what it showed under its key.

One `Runner` serves both commands: ``mkdocs build`` wants all examples and waits; ``mkdocs serve``
wants them, goes on, and is told when one is done. What is wanted may change at any time: a job
whose example has been edited meanwhile is stopped and started anew.

    python -m tools.runner        run what has not been run, with progress
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from tools.examples import ROOT, Example, Problem, load_examples

CACHE = ROOT / ".cache" / "examples"
RECORD = ROOT / "tools" / "record.py"
CHECKPOINT = "checkpoint"
KEPT_PER_EXAMPLE = 8  # so that going back to an earlier text of an example runs nothing
REPORT_EVERY = 5.0  # seconds between two lines of progress

log = logging.getLogger("mkdocs.examples")


@dataclass
class Job:
    """A running process: an example, or the training of the checkpoint."""

    name: str
    key: str
    cores: int
    process: subprocess.Popen[bytes] | None = None
    progress: str = "starting"
    reported: float = 0.0
    cancelled: bool = False


@dataclass
class Outcome:
    """What is known of an example: its result, or how far its execution has come."""

    state: str  # "done", "failed", "running" or "waiting"
    result: dict[str, Any] = field(default_factory=dict)
    progress: str = ""


class Runner:
    """Runs what is wanted on the given number of cores."""

    def __init__(
        self,
        cache: Path = CACHE,
        cores: int | None = None,
        on_done: Callable[[str], None] = lambda name: None,
        checkpoint_command: Iterable[str] = (sys.executable, "-P", "-m", "bertlesson.tiny"),
    ) -> None:
        self.cache = cache
        self.cores = cores or os.cpu_count() or 1
        self.on_done = on_done
        self.checkpoint_command = list(checkpoint_command)
        self._change = threading.Condition()
        self._wanted: dict[str, Example] = {}
        self._jobs: dict[str, Job] = {}
        self._failures: dict[str, dict[str, Any]] = {}  # by key: shown, and not tried again
        self._checkpoint_ready = False
        cache.mkdir(parents=True, exist_ok=True)

    # What others call

    def want(self, examples: Iterable[Example]) -> None:
        """From now on, these are the examples to have results of."""
        with self._change:
            self._wanted = {example.name: example for example in examples}
            for job in self._jobs.values():
                wanted = self._wanted.get(job.name)
                if job.name != CHECKPOINT and (wanted is None or wanted.key != job.key):
                    _stop(job)
            self._start_what_fits()

    def wait(self) -> None:
        """Return when everything wanted is done or has failed."""
        with self._change:
            self._change.wait_for(lambda: not self._jobs and not self._waiting())

    def stop(self) -> None:
        """Stop all jobs; what they were doing leaves no trace."""
        with self._change:
            self._wanted = {}
            for job in self._jobs.values():
                _stop(job)
            self._change.wait_for(lambda: not self._jobs, timeout=10)

    def outcome(self, example: Example) -> Outcome:
        """What is known of this example right now."""
        if example.key in self._failures:
            return Outcome("failed", self._failures[example.key])
        if (kept := self._read(example)) is not None:
            return Outcome("done", kept)
        job = self._jobs.get(example.name)
        if job and job.key == example.key:
            return Outcome("running", progress=job.progress)
        checkpoint = self._jobs.get(CHECKPOINT)
        if checkpoint and example.needs_checkpoint:
            return Outcome("waiting", progress=f"training the checkpoint: {checkpoint.progress}")
        return Outcome("waiting", progress="waiting for its turn")

    # What is kept

    def _folder(self, example: Example) -> Path:
        return self.cache / f"{example.name}-{example.key}.json"

    def _read(self, example: Example) -> dict[str, Any] | None:
        try:
            result: dict[str, Any] = json.loads(self._folder(example).read_text("utf-8"))
        except (OSError, ValueError):
            return None  # not there, or damaged: it runs (again)
        return result

    def _keep(self, example: Example, text: str) -> None:
        part = self._folder(example).with_suffix(f".{os.getpid()}.part")
        part.write_text(text, "utf-8")
        part.replace(self._folder(example))
        kept = sorted(
            self.cache.glob(f"{example.name}-*.json"), key=lambda path: path.stat().st_mtime
        )
        for old in kept[:-KEPT_PER_EXAMPLE]:
            old.unlink(missing_ok=True)

    # What runs

    def _waiting(self) -> list[Example]:
        return [
            example
            for example in self._wanted.values()
            if example.name not in self._jobs
            and example.key not in self._failures
            and self._read(example) is None
        ]

    def _start_what_fits(self) -> None:
        """Start waiting examples while cores are free. Called with the lock held."""
        waiting = self._waiting()
        needs_checkpoint = [example for example in waiting if example.needs_checkpoint]
        if needs_checkpoint and not self._checkpoint_ready and CHECKPOINT not in self._jobs:
            # It uses both cores of a small machine, and the longest examples wait for it.
            self._start(Job(CHECKPOINT, "", cores=min(2, self.cores)), self._train)
        for example in waiting:
            if example.needs_checkpoint and not self._checkpoint_ready:
                continue
            self._start(Job(example.name, example.key, cores=1), lambda job, e=example: self._run(e, job))
        self._change.notify_all()

    def _start(self, job: Job, work: Callable[[Job], None]) -> None:
        busy = sum(other.cores for other in self._jobs.values())
        if busy + job.cores > self.cores:
            return
        self._jobs[job.name] = job

        def target() -> None:
            try:
                work(job)
            except Exception as error:  # of the runner itself: shown like the example's own
                log.exception("running %s", job.name)
                self._failures[job.key] = _failure(f"the runner failed: {error}", "")
            with self._change:
                del self._jobs[job.name]
                self._start_what_fits()
            self.on_done(job.name)

        threading.Thread(target=target, name=f"run {job.name}", daemon=True).start()

    def _train(self, job: Job) -> None:
        with tempfile.TemporaryDirectory(prefix="bertlesson-") as folder:
            code, errors = self._follow(job, self.checkpoint_command, folder, {})
        if job.cancelled:
            return
        self._checkpoint_ready = code == 0
        if code:
            failure = _failure(f"the checkpoint could not be trained (exit {code})", errors)
            for example in self._wanted.values():
                if example.needs_checkpoint and self._read(example) is None:
                    self._failures[example.key] = failure

    def _run(self, example: Example, job: Job) -> None:
        with (
            FileLock(self.cache / f"{example.name}.lock"),  # another build may be running it
            tempfile.TemporaryDirectory(prefix="bertlesson-") as folder,
        ):
            if job.cancelled or self._read(example) is not None:
                return
            began = time.monotonic()
            room = Path(folder) / "room"  # the empty folder that a reader starts in
            room.mkdir()
            cells, script, result = Path(folder) / "cells", room / example.path.name, Path(folder) / "result"
            cells.write_text(json.dumps([asdict(cell) for cell in example.cells]), "utf-8")
            shutil.copyfile(example.path, script)
            command = [sys.executable, "-P", str(RECORD), str(cells), str(script), str(result)]
            # One thread each: results do not depend on the machine, and two run side by side.
            code, errors = self._follow(job, command, str(room), {"OMP_NUM_THREADS": "1"})
            if job.cancelled:
                return
            if not result.exists():
                message = f"its process ended with exit code {code} and no result"
                self._failures[example.key] = _failure(message, errors)
                return
            text = result.read_text("utf-8").replace(str(script), f"examples/{example.path.name}")
            recorded = json.loads(text)
            if recorded["error"] or not all(claim["passed"] for claim in recorded["claims"]):
                self._failures[example.key] = recorded
            else:
                self._keep(example, text)
            log.info("examples/%s ran in %.0f s", example.path.name, time.monotonic() - began)

    def _follow(
        self, job: Job, command: list[str], folder: str, environment: dict[str, str]
    ) -> tuple[int, str]:
        """Start the process and keep its progress up to date; returns exit code and last words."""
        environment = os.environ | environment | {
            "MATPLOTLIBRC": str(ROOT / "tools" / "matplotlibrc"),
            "HF_HUB_OFFLINE": "1",
            "PYTHONUNBUFFERED": "1",
        }
        job.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if job.cancelled:
            job.process.kill()
        words: list[str] = []
        reader = threading.Thread(target=self._read_errors, args=(job, words), daemon=True)
        reader.start()
        assert job.process.stdout is not None
        for line in job.process.stdout:
            if line.startswith(b'{"cell"'):
                event = json.loads(line)
                title = f" ({event['cell']})" if event["cell"] else ""
                self._progress(job, f"cell {event['done'] + 1} of {event['of']}{title}")
        code = job.process.wait()
        reader.join()
        return code, "\n".join(words[-30:])

    def _read_errors(self, job: Job, words: list[str]) -> None:
        assert job.process is not None and job.process.stderr is not None
        # newline="" keeps the carriage returns with which progress bars end their lines.
        stream = io.TextIOWrapper(job.process.stderr, "utf-8", "replace", newline="")
        for line in _lines(stream):
            words.append(line)
            del words[:-30]
            if re.search(r"\d+%\|", line):
                self._progress(job, line)

    def _progress(self, job: Job, text: str) -> None:
        job.progress = text
        if time.monotonic() - job.reported > REPORT_EVERY:
            job.reported = time.monotonic()
            what = "the checkpoint" if job.name == CHECKPOINT else f"examples/{job.name}.py"
            log.info("%s: %s", what, text)


def _lines(stream: io.TextIOWrapper) -> Iterator[str]:
    """Lines as they come, ended by a newline or a carriage return; empty ones are left out."""
    line = ""
    while character := stream.read(1):
        if character not in "\r\n":
            line += character
        elif line:
            yield line.strip()
            line = ""
    if line:
        yield line


def _stop(job: Job) -> None:
    job.cancelled = True
    if job.process and job.process.poll() is None:
        job.process.kill()


def _failure(message: str, errors: str) -> dict[str, Any]:
    error = {"line": 1, "message": message, "traceback": errors}
    return {"outputs": {}, "claims": [], "values": {}, "error": error}


def problems_of(example: Example, outcome: Outcome) -> list[Problem]:
    """What in this outcome must not be published."""
    problems = []
    if error := outcome.result.get("error"):
        problems.append(Problem(example.path, error["line"], error["message"]))
    for claim in outcome.result.get("claims", []):
        if not claim["passed"]:
            text = f"claim is false: {claim['sentence']} ({describe_claim(claim)})"
            problems.append(Problem(example.path, claim["line"], text))
    return problems


def describe_claim(claim: dict[str, Any]) -> str:
    """The comparison with its measured values, as in "kept - never_kept = 0.31 > 0.2"."""
    parts = []
    for index, (source, value) in enumerate(zip(claim["sources"], claim["values"], strict=True)):
        if index:
            parts.append(claim["signs"][index - 1])
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        parts.append(source if source == shown else f"{source} = {shown}")
    return " ".join(parts)


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
        problems += problems_of(example, runner.outcome(example))
    for problem in problems:
        log.error("%s", problem)
    log.info("%d examples, %d problems", len(examples), len(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
