"""Lines about masks that come again: in the next epoch, a worker, a process, after an evaluation.

Used by `bertlesson.diagnosis`; `bertlesson.diagnosis_runs` runs the collator.
"""

from collections.abc import Callable

from .diagnosis_runs import Equal, Repeats
from .diagnosis_table import ALPHA, Line, Verdict

__all__ = ["repeat_lines"]


def repeat_lines(repeats: Repeats, apart: bool) -> list[Line]:
    """Whether masks can be had again, and whether they come again unasked.

    Args:
        repeats: To run the collator again.
        apart: Whether its copies share nothing with it.
    """
    same = _run("same seed", "the same masks", lambda: _same_seed(repeats.runs(), apart))
    epochs = _run("epoch to epoch", "new masks", lambda: _new(
        "epoch to epoch", repeats.epochs(),
        "The masks of an epoch come again in the next: the model sees each text with the same "
        "tokens hidden, and learns them by heart.",
    ))  # fmt: skip
    lines = [same, epochs]
    if epochs.verdict == "wrong":
        later = ("worker to worker", "epochs with workers", "process to process")
        text = "Not compared, since masks repeat in one process already."
        return lines + [Line(name, None, None, "new masks", "look", text) for name in later]
    lines += _worker_lines(repeats)
    lines.append(_run("process to process", "new masks", lambda: _processes(repeats)))
    lines.append(_run("after an evaluation", "as without", lambda: _evaluation(repeats, same)))
    return lines


def _same_seed(equal: Equal, apart: bool) -> Line:
    said = ("same seed", equal.alike / equal.rows, None, "the same masks")
    if equal.alike == equal.rows:
        return Line(*said, "fine", "With the same seeds and the same collator, the same masks.")
    if not apart:
        return Line(
            *said, "look",
            "The masks differ though all seeds are equal: it is a function, which cannot be "
            "copied, and it goes on where it was, or draws from a source of its own.",
        )  # fmt: skip
    return Line(
        *said, "look",
        "The masks differ though all seeds are equal: it draws from a source of its own, so a run "
        "cannot be repeated.",
    )  # fmt: skip


def _new(name: str, equal: Equal, harm: str, verdict: Verdict = "wrong") -> Line:
    """A line for masks that should differ."""
    said = (name, equal.alike / equal.rows, None, "new masks")
    if equal.best > ALPHA:
        return Line(*said, "look", "The texts are too short to see it: give more or longer ones.")
    if equal.chance < ALPHA:
        return Line(*said, verdict, harm)
    return Line(*said, "fine", "No more rows have the same mask than chance gives.")


def _worker_lines(repeats: Repeats) -> list[Line]:
    names = ("worker to worker", "epochs with workers")
    try:
        beside, epochs = repeats.workers()
    except Exception as error:
        return [_failed(name, "new masks", error) for name in names]
    return [
        _new(
            names[0], beside,
            "Two workers of a loader draw the same masks: there are half as many as it seems, and "
            "rows at the same place of neighbouring batches hide the same positions.",
        ),
        _new(
            names[1], epochs,
            "A loader that starts its workers again in each epoch, as is the default, repeats "
            "their masks in each: the model sees each text with the same tokens hidden.",
        ),
    ]  # fmt: skip


def _processes(repeats: Repeats) -> Line:
    return _new(
        "process to process", repeats.processes(),
        "Two processes that are seeded alike, as Trainer seeds them, hide the same positions. On "
        "several GPUs, seed it by the rank.",
        "look",
    )  # fmt: skip


def _evaluation(repeats: Repeats, same: Line) -> Line:
    if same.verdict != "fine":
        text = "Not compared, since the masks cannot be had again."
        return Line("after an evaluation", None, None, "as without", "look", text)
    equal, prepared = repeats.evaluation()
    said = ("after an evaluation", equal.alike / equal.rows, None, "as without")
    where = "under Trainer" if prepared else "in a plain loop"
    if equal.alike == equal.rows:
        return Line(*said, "fine", f"An evaluation in between, {where}, leaves the masks alone.")
    return Line(
        *said, "look",
        f"An evaluation in between, {where}, moves the masks of the training after it: runs that "
        "evaluate at other steps cannot be compared mask by mask.",
    )  # fmt: skip


def _run(name: str, expected: str, judge: Callable[[], Line]) -> Line:
    try:
        return judge()
    except Exception as error:
        return _failed(name, expected, error)


def _failed(name: str, expected: str, error: Exception) -> Line:
    said = f"{type(error).__name__}: {error}".strip().splitlines()
    # a loader puts the trace of its worker in between
    reason = (said[-1] if "in DataLoader worker" in said[0] else said[0])[:200]
    return Line(name, None, None, expected, "look", f"It could not be run this way: {reason}.")
