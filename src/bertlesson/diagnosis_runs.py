"""Run a masking collator again: in another epoch, worker, process, or after an evaluation.

Used by `bertlesson.diagnosis`, to see whether it hides the same tokens again. Runs that are to be
compared start from the same seeds and the same state of the collator.
"""

import importlib
import importlib.util
import math
import multiprocessing
import os
import pickle
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader

from .diagnosis_rows import Form, Rows, observe, seed_everything
from .intervals import tail_bound
from .masking import Bools, Ints

__all__ = ["Equal", "Repeats", "Trial"]

PATIENCE = 60  # seconds for workers and processes, on a machine that is busy
Masks = list[Bools]  # for each batch (batch, width): where a token is selected


class Equal(NamedTuple):
    """How many rows have the same tokens selected in two runs.

    Attributes:
        alike: How many.
        rows: Of how many.
        chance: A bound for the probability that chance alone gives as many.
        best: The bound if all were equal; if this is not small, too few tokens were compared.
    """

    alike: int
    rows: int
    chance: float
    best: float


class Trial(NamedTuple):
    """How to call the collator: what is fixed in all runs."""

    make: Callable[[], Any]
    pickled: bytes | None
    rows: Rows
    form: Form
    seed: int


class Repeats:
    """Compares runs of one collator.

    Args:
        trial: How to call it.
        batches: The rows of some batches of an epoch.
        share: The share of tokens that it selects.
        units: For each row how many tokens, or words, it selects by draws of their own.
        words: For each row how many tokens each word has, if words are drawn.
    """

    def __init__(
        self,
        trial: Trial,
        batches: Sequence[Sequence[int]],
        share: float,
        units: Sequence[float],
        words: Sequence[Ints] | None = None,
    ) -> None:
        self.trial, self.batches, self.share, self.units = trial, batches, share, units
        self.words = words

    def epochs(self) -> Equal:
        """Two passes over the batches, in one process."""
        seed_everything(self.trial.seed)
        collator = self.trial.make()
        first, second = (self._pass(collator, epoch) for epoch in range(2))
        return self._equal(first, second, self.batches)

    def runs(self) -> Equal:
        """Two passes that start from the same seeds and the same collator."""
        passes = []
        for _ in range(2):
            seed_everything(self.trial.seed)
            passes.append(self._pass(self.trial.make(), 0))
        return self._equal(passes[0], passes[1], self.batches)

    def workers(self) -> tuple[Equal, Equal]:
        """Two epochs in a loader with two workers, each batch with the same rows.

        Returns:
            Worker against worker, and epoch against epoch.
        """
        rows = [*max(self.batches, key=lambda batch: sum(self.units[i] for i in batch))]
        seed_everything(self.trial.seed)
        collator = self.trial.make()
        recorder = _Recorder(collator, self.trial.rows, self.trial.form)
        loader: DataLoader[Any] = DataLoader(
            rows * 4,  # type: ignore[arg-type]
            len(rows),
            collate_fn=recorder,
            num_workers=2,
            multiprocessing_context=_context(),
            timeout=PATIENCE,
        )
        first: Masks = []
        second: Masks = []
        for epoch, masks in enumerate((first, second)):
            _announce(collator, epoch)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
                masks.extend(loader)
        beside = self._equal([first[0], first[2]], [first[1], first[3]], [rows] * 2)
        return beside, self._equal(first, second, [rows] * 4)

    def processes(self) -> Equal:
        """Two processes with ranks 0 and 1, seeded alike, as Trainer seeds them."""
        context = multiprocessing.get_context(_context())
        answers, children = [], []
        for rank in range(2):
            receiver, sender = context.Pipe(duplex=False)
            job = (sender, rank, self.trial.seed, self.trial.pickled, self)
            child = context.Process(target=_draw_as, args=job)  # type: ignore[attr-defined]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                child.start()
            sender.close()
            answers.append(receiver)
            children.append(child)
        try:
            drawn = []
            for receiver in answers:
                if not receiver.poll(PATIENCE):
                    raise TimeoutError(f"a process was silent for {PATIENCE} s; expected its masks")
                drawn.append(receiver.recv())
        except EOFError:
            raise RuntimeError("a process ended; expected its masks") from None
        finally:
            for child in children:
                child.join(1)
                if child.is_alive():
                    child.kill()
        for problem in drawn:
            if isinstance(problem, str):
                raise RuntimeError(f"{problem}")
        return self._equal(drawn[0], drawn[1], self.batches)

    def evaluation(self) -> tuple[Equal, bool]:
        """A pass with an evaluation after the first batch, and one without.

        Returns:
            How many of the later rows are equal; whether it ran in accelerate's loader, as under
            Trainer, or else in a plain loop.
        """
        without, prepared = self._training(evaluate=False)
        with_one, _ = self._training(evaluate=True)
        # accelerate's loader is one batch ahead of the loop
        return self._equal(without[2:], with_one[2:], self.batches[2:]), prepared

    def _training(self, *, evaluate: bool) -> tuple[Masks, bool]:
        seed_everything(self.trial.seed)
        recorder = _Recorder(self.trial.make(), self.trial.rows, self.trial.form)
        kind: Any = DataLoader
        if importlib.util.find_spec("accelerate") is not None:
            kind = importlib.import_module("accelerate.data_loader").DataLoaderShard
        batches = [*self.batches]
        loaders = [
            kind(_Listed(each), batch_size=None, collate_fn=recorder)
            for each in (batches, batches[:2])
        ]
        masks = []
        for number, drawn in enumerate(loaders[0]):
            masks.append(drawn)
            if evaluate and number == 0:
                list(loaders[1])
        return masks, kind is not DataLoader

    def _pass(self, collator: Any, epoch: int) -> Masks:
        _announce(collator, epoch)
        recorder = _Recorder(collator, self.trial.rows, self.trial.form)
        return [recorder(batch) for batch in self.batches]

    def _equal(self, first: Masks, second: Masks, batches: Sequence[Sequence[int]]) -> Equal:
        """Compare row by row, and with what chance would do."""
        count, chances = 0, []
        for one, other, numbers in zip(first, second, batches, strict=True):
            alike = one.shape == other.shape
            for line, number in enumerate(numbers):
                count += alike and bool((one[line] == other[line]).all())
                chances.append(self._chance(number, int(one[line].sum())))
        mean = sum(chances) / len(chances)
        rows = len(chances)
        return Equal(count, rows, tail_bound(count, rows, mean), tail_bound(rows, rows, mean))

    def _chance(self, number: int, tokens: int) -> float:
        """How likely two draws select the same of a row, if one of them selects so many tokens."""
        units = max(1, round(self.units[number]))
        # draws of their own, or one draw of this many
        apart = (1 - 2 * self.share * (1 - self.share)) ** units
        if self.words is None:
            return max(apart, 1 / math.comb(units, min(units, tokens)))
        return max(apart, same_words(tuple(self.words[number].tolist()), tokens))


@cache
def same_words(sizes: tuple[int, ...], tokens: int) -> float:
    """How likely two draws of whole words are the same, from 200 draws of them.

    As in the reference, words are taken in random order, and one that no longer fits is passed
    over. So few of them may be possible that the same ones come again and again.

    Args:
        sizes: The tokens of each word.
        tokens: How many there is room for.

    >>> round(same_words((1, 1), 1), 1)
    0.5
    >>> same_words((1, 1, 4), 2)  # the long one never fits
    1.0
    """
    if not sizes:
        return 1.0
    draws = 200
    order = np.random.default_rng(0).random((draws, len(sizes))).argsort(axis=1)
    room = np.full(draws, tokens)
    taken = np.zeros((draws, len(sizes)), bool)
    for words in order.T:  # (draws,): the next word of each
        needed = np.array(sizes)[words]
        fits = needed <= room
        room -= needed * fits
        taken[np.arange(draws), words] = fits
    _, times = np.unique(taken, axis=0, return_counts=True)
    pairs = draws * (draws - 1)
    return float(max(1, (times * (times - 1)).sum()) / pairs)


class _Recorder:
    """A collate function for numbers of rows: it gives where the collator selects."""

    def __init__(self, collator: Any, rows: Rows, form: Form) -> None:
        self.collator, self.rows, self.form = collator, rows, form

    def __call__(self, numbers: Sequence[int]) -> Bools:
        return observe(self.collator, self.rows, numbers, self.form).selected


class _Listed:
    """A data set of whole batches, which are lists of numbers."""

    def __init__(self, batches: Sequence[Sequence[int]]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int) -> Sequence[int]:
        return self.batches[number]


def _announce(collator: Any, epoch: int) -> None:
    if callable(set_epoch := getattr(collator, "set_epoch", None)):
        set_epoch(epoch)


def _context() -> str:
    """Forked workers need no pickle; where there is no fork, spawned ones."""
    return "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"


def _draw_as(sender: Any, rank: int, seed: int, pickled: bytes | None, repeats: Repeats) -> None:
    """In a process of its own: draw as one of two ranks."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
    # as in a process that was started from a command line; transformers' collator looks at it
    multiprocessing.current_process().name = "MainProcess"
    try:
        torch.set_num_threads(1)  # OpenMP's threads do not survive a fork
        seed_everything(seed)
        # unpickled here, as if it had been made here
        collator = repeats.trial.make() if pickled is None else pickle.loads(pickled)
        sender.send(repeats._pass(collator, 0))
    except Exception as error:
        sender.send(f"{type(error).__name__}: {error}")
    finally:
        sender.close()
