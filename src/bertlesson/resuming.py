"""A training under `transformers.Trainer` that is killed and resumed ends with the same weights.

`Trainer` saves weights, optimizer, schedule and random states. What it leaves to others:

- A training that is killed while it saves leaves a checkpoint of which a part is missing, and
  ``resume_from_checkpoint=True`` picks that one. `last_whole_checkpoint` finds the last usable one.
- Evaluations and persistent workers draw from torch's generator, and a resumed run does not draw
  the same numbers again. `ExactResume` makes dropout depend on the step alone.
- Streams begin at their first row again. `ShuffledStream` is a shuffled stream that can be resumed
  by `Trainer`, by accelerate, and by torchdata's ``StatefulDataLoader``.

The masks are the business of `bertlesson.collating.MaskingCollator`, which needs a seed for it.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
import random
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch.utils.data import IterableDataset, get_worker_info
from transformers import TrainerCallback
from transformers.trainer_pt_utils import LengthGroupedSampler

from .masking import check_whole_number

__all__ = ["ExactResume", "ShuffledStream", "last_whole_checkpoint"]

_WEIGHTS = ("model.safetensors", "adapter_model.safetensors")
_INDEX = "model.safetensors.index.json"


def last_whole_checkpoint(
    folder: str | os.PathLike[str], *, processes: int | None = None
) -> str | None:
    """The newest checkpoint under a folder from which `Trainer` can resume exactly.

    A checkpoint is whole if its weights, its optimizer, its schedule, its random states and its
    ``trainer_state.json`` are there and not cut short. Give the result to
    ``trainer.train(resume_from_checkpoint=...)``; None makes it begin at the first step.

    Args:
        folder: `Trainer`'s ``output_dir``. It need not exist yet.
        processes: How many processes train together, each of which saves its random states.
            Default: torchrun's ``WORLD_SIZE``, or 1.

    Returns:
        The checkpoint's folder, or None if there is no whole one.

    Raises:
        ValueError: If `processes` is no whole number, or 0.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torn = Path(folder, "checkpoint-10")  # killed before it had weights
    ...     torn.mkdir()
    ...     print(last_whole_checkpoint(folder))
    None
    """
    check_whole_number("processes", processes, least=1)
    processes = processes or int(os.environ.get("WORLD_SIZE", "1"))
    found = {}
    for path in Path(folder).glob("checkpoint-*"):
        if (name := re.fullmatch(r"checkpoint-(\d+)", path.name)) and path.is_dir():
            found[int(name[1])] = path
    for step, path in sorted(found.items(), reverse=True):
        if _is_whole(path, step, processes):
            return str(path)
    return None


def _is_whole(checkpoint: Path, step: int, processes: int) -> bool:
    try:
        # written last, so the other files are checked for what else can befall them
        state = json.loads((checkpoint / "trainer_state.json").read_text("utf-8"))
        if state["global_step"] != step:
            return False
        weights = [checkpoint / name for name in _WEIGHTS if (checkpoint / name).exists()]
        if (checkpoint / _INDEX).exists():
            index = json.loads((checkpoint / _INDEX).read_text("utf-8"))
            weights = [checkpoint / name for name in set(index["weight_map"].values())]
        for path in weights:
            with safe_open(path, "pt"):  # compares the file's length with its header
                pass
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return False
    ranks = [""] if processes == 1 else [f"_{rank}" for rank in range(processes)]
    saved = ["optimizer.pt", "scheduler.pt", *(f"rng_state{rank}.pth" for rank in ranks)]
    return bool(weights) and all(zipfile.is_zipfile(checkpoint / name) for name in saved)


class ExactResume(TrainerCallback):
    """Make the random numbers of each step depend on the seed and the step's number alone.

    Dropout then draws the same, whatever was drawn before the step: in evaluations, by workers that
    are started again, or in a run that was killed. Needed wherever `Trainer` evaluates per epoch
    but saves per step, or keeps its workers (``dataloader_persistent_workers``); harmless
    elsewhere. Masks must come from a collator with a seed.

    Args:
        stream: A `ShuffledStream` that is the training data. A resumed run then does not process
            the rows that it skips.
        seed: A whole number, 0 or more. Default: `Trainer`'s own ``seed``.

    Raises:
        ValueError: If the seed is negative or no whole number.
        TypeError: If `stream` is something else.

    >>> callback = ExactResume()  # Trainer(..., callbacks=[callback])
    """

    def __init__(self, stream: ShuffledStream | None = None, seed: int | None = None) -> None:
        if stream is not None and not isinstance(stream, ShuffledStream):
            raise TypeError(
                f"stream is a {type(stream).__name__}; expected a ShuffledStream or nothing: other "
                "data need not be named here"
            )
        check_whole_number("seed", seed, least=0)
        self.stream = stream
        self.seed = seed

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The rows of the steps that are done already need no work."""
        if self.stream is not None:
            batches = state.global_step * args.gradient_accumulation_steps
            whole = args.accelerator_config.split_batches  # one batch for all processes
            self.stream.skipped = _Skipped(
                0 if args.ignore_data_skip else batches,
                args.train_batch_size,
                1 if whole else args.world_size,
            )

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """An order by length follows from the epoch, not from torch's generator."""
        sampler = kwargs.get("train_dataloader")
        while (inner := getattr(sampler, "batch_sampler", None)) is not None:
            sampler = inner
        sampler = getattr(sampler, "sampler", None)
        if isinstance(sampler, LengthGroupedSampler):
            sampler.generator = torch.Generator()
            sampler.generator.manual_seed(self._seeds(args, int(state.epoch or 0))[0])

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Seed Python, NumPy and torch, on every device, for this step and process."""
        if self.stream is not None:
            self.stream.skipped = _Skipped()  # the loader has what it needs
        torch_seed, numpy_seed = self._seeds(args, state.global_step, args.process_index)
        torch.manual_seed(torch_seed)
        random.seed(numpy_seed)
        np.random.seed(numpy_seed % 2**32)

    def _seeds(self, args: Any, *key: int) -> list[int]:
        seed = np.random.SeedSequence(args.seed if self.seed is None else self.seed, spawn_key=key)
        return [int(each) for each in seed.generate_state(2, np.uint64)]


class ShuffledStream(IterableDataset[Any]):
    """An endless shuffled stream over rows that are read in order, and that can be resumed exactly.

    Rows are read in blocks, each block is shuffled, and after the last row the source is read from
    the beginning, in another order. The order follows from the seed, the pass and the number of the
    block, so no buffer has to be saved: a resumed stream reads the last block again. The border of
    the first block is drawn for each pass, so that rows meet others in the next pass.

    Under `Trainer`, set ``max_steps``. A resumed run reads through the rows that it has seen; with
    ``ExactResume(stream)`` it reads without calling `transform`. ``state_dict`` and
    ``load_state_dict`` are those that torchdata's ``StatefulDataLoader`` calls. They jump, if the
    source has both too, as a `datasets.IterableDataset` has. It must not be shuffled itself,
    as its own buffer would be lost.

    Each worker of a loader reads all rows and passes on the batches that are its turn.

    Args:
        source: Anything that can be read from the beginning repeatedly: a list, an object with
            ``__iter__``, a `datasets.IterableDataset` that is not shuffled.
        buffer: Rows in a block, which are in memory at the same time.
        seed: A whole number, 0 or more.
        transform: Called with each row that is passed on, after shuffling: tokenize here.
        batch_size: Rows of a batch. With it, the batches are the same for any number of workers.

    Raises:
        ValueError: If `buffer`, `seed` or `batch_size` is out of range, or if the source is empty
            or can be read only once.

    >>> from itertools import islice
    >>> stream = ShuffledStream(range(6), buffer=3, seed=1)
    >>> first = list(islice(stream, 8))
    >>> sorted(first[:6])
    [0, 1, 2, 3, 4, 5]
    >>> stream = ShuffledStream(range(6), buffer=3, seed=1)
    >>> rows = iter(stream)
    >>> begun, state = [next(rows) for _ in range(5)], stream.state_dict()
    >>> stream = ShuffledStream(range(6), buffer=3, seed=1)
    >>> stream.load_state_dict(state)
    >>> begun + list(islice(stream, 3)) == first
    True
    """

    def __init__(
        self,
        source: Iterable[Any],
        *,
        buffer: int = 10_000,
        seed: int = 0,
        transform: Callable[[Any], Any] | None = None,
        batch_size: int = 1,
    ) -> None:
        for name, value, least in (
            ("buffer", buffer, 1),
            ("seed", seed, 0),
            ("batch_size", batch_size, 1),
        ):
            if value is None:  # without a seed, a resumed stream would draw another order
                raise ValueError(f"{name} is None; expected a whole number, {least} or more")
            check_whole_number(name, value, least=least)
        if isinstance(source, Iterator):
            raise ValueError(
                f"source is a {type(source).__name__}, which can be read only once; expected "
                "something to read from the beginning in each pass: a list, or an object whose "
                "__iter__ opens the file"
            )
        self.source = source
        self.buffer = buffer
        self.seed = seed
        self.transform = transform
        self.batch_size = batch_size
        self.skipped = _Skipped()  # what the loader will throw away
        # where the source begins, to read it again
        if hasattr(source, "iter"):  # the state of datasets' streams is where they were read last
            self._start = getattr(source, "_starting_state_dict", None)
        else:
            self._start = source.state_dict() if hasattr(source, "state_dict") else None
        self._state: dict[str, Any] = _beginning()
        self._loaded = False

    def state_dict(self) -> dict[str, Any]:
        """Where the stream is: a few numbers, and the source's state if it has one."""
        return self._state | self._settings()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The next pass over this object continues there.

        Raises:
            ValueError: If the state is not that of a `ShuffledStream`, or of one with another seed,
                buffer or batch size.
        """
        expected = self._settings()
        given = {name: state.get(name) for name in expected}
        if given != expected:
            raise ValueError(
                f"the state is that of {given}; expected {expected}: make the stream with the "
                "settings that it was saved with"
            )
        self._state = {name: value for name, value in state.items() if name not in expected}
        self._loaded = True

    def _settings(self) -> dict[str, int]:
        return {"seed": self.seed, "buffer": self.buffer, "batch_size": self.batch_size}

    def __iter__(self) -> Iterator[Any]:
        """The rows that are this process's or worker's turn, without an end."""
        worker = get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        at = dict(self._state) if self._loaded else _beginning()
        skipped, self.skipped, self._loaded = self.skipped.rows(number, workers), _Skipped(), False
        own = (
            content
            for row, content in self._shuffled(at)
            if row // self.batch_size % workers == number
        )
        if skipped:  # one row stands for all that are thrown away
            unread = self._transformed(next(own))
            yield unread
            for _ in itertools.islice(own, skipped - 1):
                yield unread
        yield from map(self._transformed, own)

    def _transformed(self, row: Any) -> Any:
        return row if self.transform is None else self.transform(row)

    def _shuffled(self, at: dict[str, Any]) -> Iterator[tuple[int, Any]]:
        """All rows with their numbers; `at` is where to begin, and is moved on."""
        while True:
            rows = self._open(at)
            while True:
                size, shuffling = self._plan(at["pass"], at["block"])
                block = list(itertools.islice(rows, size))
                if not block:
                    break
                following = None  # where the next block begins
                if hasattr(self.source, "state_dict"):
                    following = copy.deepcopy(self.source.state_dict())
                for place in shuffling.permutation(len(block))[at["taken"] :]:
                    at["row"], at["taken"] = at["row"] + 1, at["taken"] + 1
                    self._state = dict(at)
                    yield at["row"] - 1, block[place]
                at["block"], at["taken"], at["read"] = at["block"] + 1, 0, at["read"] + len(block)
                at["source"] = following
            if not at["read"]:
                raise ValueError(
                    f"source, a {type(self.source).__name__}, has no rows; expected one or more, "
                    "in each pass: look at what it reads, and whether it can be read again"
                )
            at |= {"pass": at["pass"] + 1, "block": 0, "read": 0, "source": None}

    def _plan(self, number: int, block: int) -> tuple[int, np.random.Generator]:
        """The size of a block, and the generator that shuffles it."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(number, block)))
        return (self.buffer if block else int(rng.integers(1, self.buffer + 1))), rng

    def _open(self, at: dict[str, Any]) -> Iterator[Any]:
        """The source's rows, from the first one of the block."""
        source: Any = self.source
        if not hasattr(source, "load_state_dict"):
            return itertools.islice(source, at["read"], None)
        source.load_state_dict(copy.deepcopy(self._start if at["source"] is None else at["source"]))
        if not hasattr(source, "iter"):
            return iter(source)
        # unlike iter(), `iter` of a datasets.IterableDataset does not divide it among workers
        rows = ({key: column[0] for key, column in row.items()} for row in source.iter(1))
        first = list(itertools.islice(rows, 1))
        source.load_state_dict(copy.deepcopy(self._start))  # for those who read it next
        return itertools.chain(first, rows)


class _Skipped(NamedTuple):
    """What a loader reads and throws away, to go on in the middle of an epoch.

    Attributes:
        batches: How many of each process.
        size: Rows in one.
        processes: How many processes share the stream.
    """

    batches: int = 0
    size: int = 0
    processes: int = 1

    def rows(self, worker: int, workers: int) -> int:
        """How many of a worker's rows are thrown away, at the least."""
        # A loader in each process reads the rows of all processes; one loader for all reads a batch
        # at a time. Either takes its batches from the workers in turn.
        own = max(0, -(-(self.batches - worker) // workers)) * self.processes
        shared = max(0, -(-(self.batches * self.processes - worker) // workers))
        return self.size * min(own, shared)


def _beginning() -> dict[str, Any]:
    return {"pass": 0, "block": 0, "taken": 0, "row": 0, "read": 0, "source": None}
