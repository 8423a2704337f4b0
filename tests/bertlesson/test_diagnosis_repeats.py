"""The lines about masks that come again: their verdicts, and what they say of the harm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bertlesson.diagnosis_repeats import repeat_lines
from bertlesson.diagnosis_runs import Equal
from bertlesson.diagnosis_table import ALPHA, Line

SAME = Equal(alike=8, rows=8, chance=0.0, best=0.0)
NEW = Equal(alike=0, rows=8, chance=1.0, best=0.0)
SOME = Equal(alike=2, rows=8, chance=0.5, best=0.0)
SHORT = Equal(alike=8, rows=8, chance=1.0, best=2 * ALPHA)
NAMES = [
    "same seed",
    "epoch to epoch",
    "worker to worker",
    "epochs with workers",
    "process to process",
    "after an evaluation",
]


def stops(message: str) -> Callable[[], Any]:
    def stop() -> Any:
        raise RuntimeError(message)

    return stop


@dataclass
class Runs:
    """What the runs of a collator would show; a right one, unless told otherwise."""

    of_runs: Any = SAME
    of_epochs: Any = NEW
    of_workers: Any = (NEW, NEW)
    of_processes: Any = NEW
    of_evaluation: Any = (SAME, True)
    asked: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[[], Any]:
        def answer() -> Any:
            self.asked.append(name)
            found = getattr(self, f"of_{name}")
            return found() if callable(found) else found

        return answer


def lines_of(apart: bool = True, **found: Any) -> dict[str, Line]:
    lines = repeat_lines(Runs(**found), apart)  # type: ignore[arg-type]
    assert [line.name for line in lines] == NAMES[: len(lines)]
    assert all(line.interval is None for line in lines)
    return {line.name: line for line in lines}


def test_masks_that_are_right() -> None:
    fresh = "No more rows have the same mask than chance gives."
    assert [
        (line.value, line.expected, line.verdict, line.sentence) for line in lines_of().values()
    ] == [
        (1, "the same masks", "fine", "With the same seeds and the same collator, the same masks."),
        (0, "new masks", "fine", fresh),
        (0, "new masks", "fine", fresh),
        (0, "new masks", "fine", fresh),
        (0, "new masks", "fine", fresh),
        (
            1,
            "as without",
            "fine",
            "An evaluation in between, under Trainer, leaves the masks alone.",
        ),
    ]
    line = lines_of(of_evaluation=(SAME, False))["after an evaluation"]
    assert line.sentence == "An evaluation in between, in a plain loop, leaves the masks alone."


def test_a_few_that_are_alike_by_chance_are_fine() -> None:
    line = lines_of(of_epochs=SOME)["epoch to epoch"]
    assert (line.value, line.verdict) == (0.25, "fine")


@pytest.mark.parametrize(
    ("apart", "why"),
    [
        (True, "it draws from a source of its own, so a run cannot be repeated."),
        (
            False,
            "it is a function, which cannot be copied, and it goes on where it was, or draws from "
            "a source of its own.",
        ),
    ],
)
def test_masks_that_cannot_be_had_again(apart: bool, why: str) -> None:
    lines = lines_of(apart, of_runs=SOME)
    assert lines["same seed"] == Line(
        "same seed",
        0.25,
        None,
        "the same masks",
        "look",
        "The masks differ though all seeds are equal: " + why,
    )
    assert lines["after an evaluation"] == Line(
        "after an evaluation",
        None,
        None,
        "as without",
        "look",
        "Not compared, since the masks cannot be had again.",
    )


def test_masks_that_come_again_in_the_next_epoch() -> None:
    runs = Runs(of_epochs=SAME)
    first, epochs, *others = repeat_lines(runs, True)  # type: ignore[arg-type]
    assert first.verdict == "fine"
    assert epochs == Line(
        "epoch to epoch",
        1,
        None,
        "new masks",
        "wrong",
        "The masks of an epoch come again in the next: the model sees each text with the same "
        "tokens hidden, and learns them by heart.",
    )
    text = "Not compared, since masks repeat in one process already."
    assert others == [Line(name, None, None, "new masks", "look", text) for name in NAMES[2:5]]
    assert runs.asked == ["runs", "epochs"], "nothing else is run"


def test_masks_that_come_again_in_a_loader() -> None:
    lines = lines_of(of_workers=(SAME, NEW))
    assert lines["worker to worker"].verdict == "wrong"
    assert lines["worker to worker"].sentence == (
        "Two workers of a loader draw the same masks: there are half as many as it seems, and rows "
        "at the same place of neighbouring batches hide the same positions."
    )
    assert lines["epochs with workers"].verdict == "fine"
    lines = lines_of(of_workers=(NEW, SAME))
    assert lines["worker to worker"].verdict == "fine"
    assert lines["epochs with workers"].verdict == "wrong"
    assert lines["epochs with workers"].sentence == (
        "A loader that starts its workers again in each epoch, as is the default, repeats their "
        "masks in each: the model sees each text with the same tokens hidden."
    )


def test_masks_that_two_processes_share() -> None:
    line = lines_of(of_processes=SAME)["process to process"]
    assert (line.value, line.verdict) == (1, "look")
    assert line.sentence == (
        "Two processes that are seeded alike, as Trainer seeds them, hide the same positions. On "
        "several GPUs, seed it by the rank."
    )


@pytest.mark.parametrize(
    ("prepared", "where"), [(True, "under Trainer"), (False, "in a plain loop")]
)
def test_masks_that_an_evaluation_moves(prepared: bool, where: str) -> None:
    line = lines_of(of_evaluation=(SOME, prepared))["after an evaluation"]
    assert (line.value, line.expected, line.verdict) == (0.25, "as without", "look")
    assert line.sentence == (
        f"An evaluation in between, {where}, moves the masks of the training after it: runs that "
        "evaluate at other steps cannot be compared mask by mask."
    )


def test_texts_that_are_too_short_to_tell() -> None:
    line = lines_of(of_epochs=SHORT)["epoch to epoch"]
    assert (line.value, line.verdict) == (1, "look")
    assert line.sentence == "The texts are too short to see it: give more or longer ones."
    enough = SHORT._replace(best=ALPHA, chance=ALPHA)
    assert lines_of(of_epochs=enough)["epoch to epoch"].verdict == "fine"
    certain = enough._replace(chance=ALPHA * 0.99)
    assert lines_of(of_epochs=certain)["epoch to epoch"].verdict == "wrong"


def test_what_cannot_be_run_says_why() -> None:
    lines = lines_of(
        of_runs=stops("one\ntwo"),
        of_epochs=stops("x" * 300),
        of_workers=stops("Caught KeyError in DataLoader worker process 0.\nTrace\nKeyError: 'a'\n"),
        of_processes=stops("three"),
    )
    said = "It could not be run this way: "
    assert [(line.value, line.verdict) for line in lines.values()] == [(None, "look")] * 6
    assert [line.expected for line in lines.values()] == [
        "the same masks",
        *["new masks"] * 4,
        "as without",
    ]
    assert [line.sentence for line in lines.values()] == [
        said + "RuntimeError: one.",
        said + f"RuntimeError: {'x' * 186}.",
        said + "KeyError: 'a'.",
        said + "KeyError: 'a'.",
        said + "RuntimeError: three.",
        "Not compared, since the masks cannot be had again.",
    ]
    line = lines_of(of_evaluation=stops("four"))["after an evaluation"]
    assert (line.expected, line.sentence) == ("as without", said + "RuntimeError: four.")
