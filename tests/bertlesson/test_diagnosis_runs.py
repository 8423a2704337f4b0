"""Runs of a collator are compared as they were meant: same seeds, same state, one thing changed."""

from __future__ import annotations

import importlib.util
import math
import multiprocessing
import os
import pickle
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bertlesson import diagnosis_runs
from bertlesson.collating import MaskingCollator
from bertlesson.diagnosis_rows import Form, Rows
from bertlesson.diagnosis_runs import Equal, Repeats, Trial, same_words
from bertlesson.intervals import tail_bound
from tests.bertlesson import broken_collators as broken

FORM = Form(("input_ids",), padded=False, tensors=False)
TOKENIZER = broken.make_tokenizer()
# long enough that two draws hardly ever are alike
ROWS = Rows(TOKENIZER, broken.make_texts(24, least=30), 128)
BATCHES = [list(range(start, start + 4)) for start in range(0, 24, 4)]


def repeats(collator: Any, seed: int = 3) -> Repeats:
    pickled = pickle.dumps(collator)
    trial = Trial(lambda: pickle.loads(pickled), pickled, ROWS, FORM, seed)
    return Repeats(trial, BATCHES, 0.15, [len(ids) - 2.0 for ids in ROWS.ids])


def all_alike(equal: Equal, rows: int = 24) -> bool:
    """Whether all are, which chance does not give."""
    assert equal.rows == rows
    assert equal.best < 1e-6
    return equal.alike == rows and equal.chance < 1e-6


def hardly_alike(equal: Equal, rows: int = 24) -> bool:
    assert equal.rows == rows
    return equal.alike <= 1


RIGHT = broken.Right(TOKENIZER)
OURS = MaskingCollator(TOKENIZER, seed=5)


class OwnSource(broken.Right):
    """Draws what no seed decides."""

    def rand(self, shape: Any) -> torch.Tensor:
        random = np.random.default_rng().random(tuple(shape), dtype=np.float32)
        return torch.from_numpy(random)


class ByEpoch(broken.Right):
    """Draws the same in an epoch each time, and knows which it is."""

    epoch = -1
    drawn = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch, self.drawn = epoch, 0

    def rand(self, shape: Any) -> torch.Tensor:
        self.drawn += 1
        source = torch.Generator().manual_seed(1000 * self.epoch + self.drawn)
        return torch.rand(shape, generator=source)


def test_two_epochs() -> None:
    assert hardly_alike(repeats(RIGHT).epochs())
    assert hardly_alike(repeats(OURS).epochs())
    assert hardly_alike(repeats(ByEpoch(TOKENIZER)).epochs())
    assert all_alike(repeats(broken.SameInEachEpoch(TOKENIZER)).epochs())


def test_two_runs_with_the_same_seeds() -> None:
    for collator in (RIGHT, OURS, ByEpoch(TOKENIZER), broken.WorkersRepeat(TOKENIZER)):
        assert all_alike(repeats(collator).runs())
    assert hardly_alike(repeats(OwnSource(TOKENIZER)).runs())


def masks_of(one: Repeats, name: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is compared in a run."""
    compared: list[Any] = []
    with monkeypatch.context() as patched:
        patched.setattr(one, "_equal", lambda *masks: compared.extend(masks))
        getattr(one, name)()
    return [mask.tolist() for masks in compared[:2] for mask in masks]


@pytest.mark.parametrize("name", ["epochs", "runs", "evaluation"])
def test_the_seed_decides(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random.seed(), np.random.seed(), torch.seed()
    first = masks_of(repeats(RIGHT), name, monkeypatch)
    random.seed(), np.random.seed(), torch.seed()
    assert masks_of(repeats(RIGHT), name, monkeypatch) == first
    assert masks_of(repeats(RIGHT, seed=4), name, monkeypatch) != first
    epoch = masks_of(repeats(ByEpoch(TOKENIZER)), "runs", monkeypatch)
    expected = ByEpoch(TOKENIZER)
    expected.set_epoch(0)
    batch = expected(ROWS.features(BATCHES[0], FORM))
    assert epoch[0] == (batch["labels"] >= 0).tolist(), "both are the first epoch"


@pytest.mark.parametrize("accelerate", [True, False])
def test_an_evaluation_in_between(accelerate: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not accelerate:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    moved, prepared = repeats(RIGHT).evaluation()
    assert prepared == accelerate
    # the first two batches come before it, or may
    assert hardly_alike(moved, rows=16)
    own = broken.SameInEachEpoch(TOKENIZER)
    assert all_alike(repeats(own).evaluation()[0], rows=16)
    ours, _ = repeats(OURS).evaluation()
    assert all_alike(ours, rows=16) if accelerate else hardly_alike(ours, rows=16)


def test_two_readers_of_a_loader() -> None:
    beside, epochs = repeats(broken.WorkersRepeatInEachEpoch(TOKENIZER)).workers()
    assert hardly_alike(beside, rows=8)
    assert all_alike(epochs, rows=16)
    beside, epochs = repeats(ByEpoch(TOKENIZER)).workers()
    assert all_alike(beside, rows=8)
    assert hardly_alike(epochs, rows=16), "it was told of the second"


def test_in_a_loader_the_batch_with_the_most_draws_is_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = repeats(RIGHT)
    compared: list[Any] = []
    one.units = [1.0] * 24
    one.units[5] = 2.0
    monkeypatch.setattr(one, "_equal", lambda first, second, batches: compared.append(batches))
    one.workers()
    assert compared == [[[4, 5, 6, 7]] * 2, [[4, 5, 6, 7]] * 4]


def test_where_there_is_no_fork_processes_are_spawned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert diagnosis_runs._context() == "fork"
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert diagnosis_runs._context() == "spawn"


def test_two_processes() -> None:
    assert all_alike(repeats(RIGHT).processes())
    assert hardly_alike(repeats(OURS).processes()), "ours looks at the rank"
    assert hardly_alike(repeats(OwnSource(TOKENIZER)).processes())


class Does(broken.Right):
    """Does something else first."""

    act: Callable[[], Any]

    def begin(self) -> None:
        self.act()


def refuse() -> None:
    rank = [os.environ[name] for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE")]
    raise ValueError(f"not as {' '.join(rank)}")


def doing(act: Callable[[], Any]) -> Repeats:
    collator = Does(TOKENIZER)
    collator.act = act
    return repeats(collator)


def end() -> None:
    os._exit(1)


def sleep() -> None:
    time.sleep(30)


def test_processes_that_fail_say_why() -> None:
    with pytest.raises(RuntimeError, match=r"^ValueError: not as 0 0 2$"):
        doing(refuse).processes()
    with pytest.raises(RuntimeError, match=r"^a process ended; expected its masks$"):
        doing(end).processes()


@pytest.mark.slow
def test_processes_that_are_silent_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis_runs, "PATIENCE", 0.2)
    begun = time.monotonic()
    with pytest.raises(TimeoutError, match=r"^a process was silent for 0\.2 s; expected its masks"):
        doing(sleep).processes()
    assert time.monotonic() - begun < 25


def test_few_sets_of_words_are_possible_in_short_rows() -> None:
    assert same_words((), 3) == 1
    assert same_words((5, 4), 3) == 1, "none fits"
    assert same_words((1, 1, 4), 2) == 1, "the long one never fits"
    assert same_words((1, 2, 4), 7) == 1, "all fit"
    for sizes, tokens, expected in (
        ((1, 1, 1, 1), 1, 1 / 4),
        ((2, 2, 2), 2, 1 / 3),
        # the long one first, and no room; or it comes second and is passed over
        ((2, 1, 1), 2, (1 / 3) ** 2 + (2 / 3) ** 2),
        ((1,) * 6, 3, 1 / math.comb(6, 3)),
    ):
        assert same_words(sizes, tokens) == pytest.approx(expected, rel=0.15)
    assert 0 < same_words((1,) * 40, 20) < 1e-4


def test_words_are_compared_with_what_chance_would_do() -> None:
    one = np.zeros((2, 12), bool)
    one[0, :2] = one[1, 2:4] = True
    trial = Trial(lambda: None, None, ROWS, FORM, 0)
    words = [np.array([1, 1, 4, 4]), np.array([2, 2, 2])]
    made = Repeats(trial, [], 0.15, [4.0, 3.0], words)._equal([one], [one], [[0, 1]])
    apart = 0.15**2 + 0.85**2
    mean = (1.0 + max(apart**3, same_words((2, 2, 2), 2))) / 2
    assert made == pytest.approx(Equal(2, 2, tail_bound(2, 2, mean), tail_bound(2, 2, mean)))


def test_rows_are_compared_with_what_chance_would_do() -> None:
    units = [10.0, 2.6, 0.2, 6.0]
    one = np.zeros((4, 12), bool)
    one[0, [2, 5]] = one[1, 1] = one[3, :6] = True
    other = one.copy()
    other[0, 2], other[0, 3] = False, True
    trial = Trial(lambda: None, None, ROWS, FORM, 0)
    made = Repeats(trial, [[0, 1, 2, 3]], 0.15, units)._equal([one], [other], [[0, 1, 2, 3]])

    def apart(units: int) -> float:
        """Each selected in both or in neither."""
        return (0.15**2 + 0.85**2) ** units

    # of 10 two, of 3 one, of 1 none, of 6 all
    chances = [
        max(apart(10), 1 / math.comb(10, 2)),
        max(apart(3), 1 / 3),
        1.0,
        1.0,
    ]
    mean = sum(chances) / 4
    expected = Equal(3, 4, tail_bound(3, 4, mean), tail_bound(4, 4, mean))
    assert made == pytest.approx(expected)
    # rows of another width have no mask in common
    wider = np.pad(one, ((0, 0), (0, 1)))
    assert Repeats(trial, [], 0.15, units)._equal([one], [wider], [[0, 1, 2, 3]]).alike == 0
