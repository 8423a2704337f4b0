"""Seeded draws: a generator for each batch, set by its position and not by what was drawn before.

The position is the epoch, the batch's number in it, and the rank of the process. So the same masks
are drawn whatever the number of workers, after evaluations, and in a run that resumes.
"""

import os
import sys
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import distributed
from torch.utils.data import get_worker_info

__all__ = ["SeededDraws"]


class SeededDraws:
    """A generator for each batch, determined by the batch's position, not by earlier draws.

    In a loop that does not announce its position, there is one generator for each process and each
    pass over a loader. What the main process knows is kept in shared memory: workers started in
    each epoch get a copy of its state, and persistent ones would never see it change.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        # whether the loader now starting its workers is the training loader
        self.training_starts = False
        # how often an epoch was announced, the epoch, its first batch, evaluations finished
        self._announced = torch.zeros(4, dtype=torch.int64).share_memory_()
        # the seeds that loaders hand to their workers, one per pass, in order of arrival; and for
        # each worker number the index of the last pass that it took part in
        self._passes = torch.full((2**16,), -1).share_memory_()
        self._latest = torch.full((2**10,), -1).share_memory_()
        self._stream: torch.Generator | None = None
        self._drawn_by: tuple[int, bool] | None = None  # process, and is it a loader's worker?
        # rank and progress of the process that pickled this for a worker
        self._pickled: tuple[int | None, tuple[int, int] | None] = (None, None)
        self._forget()

    def _forget(self) -> None:
        """Reset what applies to this process only."""
        self._home = os.getpid()
        self._counts: WeakKeyDictionary[Any, tuple[Any, int]] = WeakKeyDictionary()

    def __getstate__(self) -> dict[str, Any]:
        """Give a loader's spawned workers what they could not find out by themselves."""
        state = self.__dict__ | {"_pickled": (_rank(), _progress(_running_loader()))}
        del state["_counts"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Let a copy continue where the original is, in whichever process it is unpickled."""
        self.__dict__.update(state)
        self._forget()
        self._drawn_by = (self._home, False)
        for shared in (self._announced, self._passes, self._latest):
            if not shared.is_shared():
                shared.share_memory_()

    def begin_epoch(self, epoch: int, first_batch: int) -> None:
        """The next batch is this one of this epoch."""
        self._announced[1], self._announced[2] = epoch, first_batch
        self._announced[0] += 1

    def end_evaluation(self) -> None:
        """The next evaluation begins at its first batch again."""
        self._announced[3] += 1

    def generator(self) -> torch.Generator:
        """The generator for the next batch."""
        rank = _rank()
        if rank is None and get_worker_info() is not None:
            rank = self._pickled[0]
        position = self._position()
        if position is None:
            return self._of_pass(rank or 0)
        return _generator(np.random.SeedSequence(self.seed, spawn_key=(0, rank or 0, *position)))

    def _position(self) -> tuple[int, int] | None:
        """Epoch and number of the next batch; None in a loop that does not announce them."""
        worker, loader = get_worker_info(), _running_loader()
        progress = _progress(loader)
        times_announced, epoch, first, evaluations = self._announced.tolist()
        if worker is None:
            if progress is not None:  # accelerate's loader knows
                return progress[0], progress[1] + self._count(loader, progress[0])
            if times_announced:
                return epoch, first + self._count(SeededDraws, times_announced)
            return None

        progress = progress or self._pickled[1]  # as it was when the worker was started
        if times_announced and (progress is None or self.training_starts):
            first = progress[1] if progress and progress[0] == epoch else first
            began = times_announced
        elif progress is not None:
            (epoch, first), began = progress, evaluations
        else:
            return None
        # workers take turns, so the batch has the number it would have without workers
        count = self._count(SeededDraws, (os.getpid(), began))
        return epoch, first + worker.id + worker.num_workers * count

    def _count(self, loader: Any, began: Any) -> int:
        """How many batches of this loader the process has drawn since the event `began`."""
        known, count = self._counts.get(loader, (None, 0))
        count = count if known == began else 0
        self._counts[loader] = began, count + 1
        return count

    def _of_pass(self, rank: int) -> torch.Generator:
        """The stream of this process, or of this worker in this pass over its loader."""
        process, worker = os.getpid(), get_worker_info()
        if self._stream is None or self._drawn_by != (process, worker is not None):
            if worker is None:
                key = (self.seed, 0, 0 if process == self._home else process)
            else:
                key = (self.seed, worker.id + 1, self._pass(worker.seed - worker.id, worker.id))
            spawn_key = (rank,) if rank else ()
            self._stream = _generator(np.random.SeedSequence(key, spawn_key=spawn_key))
            self._drawn_by = (process, worker is not None)
        return self._stream

    def _pass(self, loader_seed: int, worker: int) -> int:
        """Number the seeds that loaders hand to their workers in order of arrival: 0, 1, 2, ...

        Workers of one pass that arrive together write the same seed into the same slot; one that
        arrives late, in a pass left early, finds it there. A seed that a worker has seen before
        marks another pass: `torch.manual_seed` may be called in each epoch.
        """
        seeds = self._passes.numpy().copy()  # others write meanwhile: look once, then decide
        latest = self._latest.numpy()[worker : worker + 1]
        known = seeds == loader_seed
        known[: int(latest.max(initial=-1)) + 1] = False
        slots = np.flatnonzero(known | (seeds < 0))
        if not len(slots):
            return loader_seed
        self._passes[slots[0]] = loader_seed
        latest[:] = slots[0]
        return int(slots[0])


def _generator(entropy: np.random.SeedSequence) -> torch.Generator:
    return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0]))


def _rank() -> int | None:
    """The rank of this process among those that train together; None if it trains alone."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank()
    rank = os.environ.get("RANK")  # as torchrun sets it
    return int(rank) if rank else None


def _running_loader() -> Any:
    """The loader of accelerate, and so of `Trainer`, that is being iterated over, if any."""
    accelerate = sys.modules.get("accelerate.state")
    loader = accelerate.GradientState().active_dataloader if accelerate else None
    # A training that stops within an epoch leaves its loader behind as the active one. A batch is
    # drawn for it only within its own iteration, from which workers are started as well.
    frame = None if loader is None else sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "__iter__" and frame.f_locals.get("self") is loader:
            return loader
        frame = frame.f_back
    return None


def _progress(loader: Any) -> tuple[int, int] | None:
    """The epoch of accelerate's loader and how many of its batches a resumed run skips."""
    epoch = getattr(loader, "iteration", None)
    if epoch is None:
        return None
    samplers = (loader.batch_sampler, loader.sampler)
    return epoch, max(getattr(sampler, "skip_batches", 0) for sampler in samplers)
