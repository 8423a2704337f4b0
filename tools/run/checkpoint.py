"""The training of the lesson's small BERT, as a task that examples need."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tools.run.examples import CHECKPOINT, checkpoint_key, checkpoint_parts
from tools.run.process import PYTHON, Job, empty_folder, ending_in_words, log
from tools.run.reasons import why
from tools.run.records import Outcome, Result
from tools.run.schedule import Task
from tools.run.store import LastRun, Store

NAME = "the small BERT"  # of its last run; no example has spaces in its name
TRAIN = (*PYTHON, "-m", f"bertlesson.{CHECKPOINT}")


def training(store: Store, command: Sequence[str] = TRAIN) -> Task:
    """The task.

    Args:
        store: Describes the last training, so that the log can say why there is another one. The
            checkpoint itself is elsewhere.
        command: Trains the checkpoint and saves it, or does nothing if there is one. It uses two
            cores.
    """
    work = partial(_train, store, [*command])
    return Task("the training of the small BERT", checkpoint_key(), work, cores=2)


def _train(store: Store, command: list[str], job: Job) -> Outcome:
    parts, last = checkpoint_parts(), store.last_run(NAME)
    if last is None or last.parts != parts:  # else the command finds what it has made
        log.info("%s %s", job.name, why(last.parts if last else None, parts))
    with empty_folder() as folder:
        code, errors = job.run(
            command,
            folder,
            folder,
            {"PYTHONUNBUFFERED": "1"},
            on_line=log.info,
            on_progress=job.report,
        )
    if code:
        message = f"the small BERT could not be trained: its process {ending_in_words(code)}"
        return Outcome("failed", Result.failed(message, errors))
    store.keep_run(NAME, LastRun(job.seconds or 0.0, parts))
    return Outcome("done")
