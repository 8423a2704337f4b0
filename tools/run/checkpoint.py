"""The training of the lesson's small BERT, as a task that examples need."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tools.run.examples import CHECKPOINT, checkpoint_key
from tools.run.process import PYTHON, Job, empty_folder, ending_in_words, log
from tools.run.records import Outcome, Result
from tools.run.schedule import Task

TRAIN = (*PYTHON, "-m", f"bertlesson.{CHECKPOINT}")


def training(command: Sequence[str] = TRAIN) -> Task:
    """The task.

    Args:
        command: Trains the checkpoint and saves it, or does nothing if there is one. It uses two
            cores.
    """
    work = partial(_train, [*command])
    return Task("the training of the small BERT", checkpoint_key(), work, cores=2)


def _train(command: list[str], job: Job) -> Outcome:
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
    return Outcome("done")
