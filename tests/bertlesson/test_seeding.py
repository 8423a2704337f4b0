"""Seeded draws: what workers, epochs, processes and copies of a collator draw."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import BatchEncoding, BertTokenizer

from bertlesson.collating import MaskingCollator
from tests.bertlesson.masking_batches import CLS, SEP, assert_all_differ

SAME = [[CLS, *[7] * 62, SEP]] * 16  # equal rows: only the draws can tell batches apart


def epoch(loader: DataLoader[Any]) -> list[Tensor]:
    return [batch["labels"] for batch in loader]


def loader(collator: MaskingCollator, workers: int, **options: Any) -> DataLoader[Any]:
    return DataLoader(SAME, 4, collate_fn=collator, num_workers=workers, **options)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("persistent", [False, True])
def test_every_batch_of_every_epoch_has_new_masks_and_can_be_repeated(
    tokenizer: BertTokenizer, seed: int | None, workers: int, persistent: bool
) -> None:
    runs = []
    for attempt in range(2):
        # a seed of one's own is enough; without one it is torch's that counts
        torch.manual_seed(0 if seed is None else attempt)
        batches = loader(
            MaskingCollator(tokenizer, seed=seed),
            workers,
            persistent_workers=persistent and workers > 0,
        )
        runs.append(epoch(batches) + epoch(batches) + epoch(batches))
        assert_all_differ(runs[-1])
        del batches
    assert all(map(torch.equal, *runs))


def test_different_seeds_mask_differently(tokenizer: BertTokenizer) -> None:
    batches = [MaskingCollator(tokenizer, seed=seed)(SAME)["labels"] for seed in range(5)]
    workers = [epoch(loader(MaskingCollator(tokenizer, seed=seed), 1))[0] for seed in range(2)]
    assert_all_differ(batches + workers)
    assert torch.equal(MaskingCollator(tokenizer, seed=np.int64(4))(SAME)["labels"], batches[4])  # type: ignore[arg-type]


def test_a_seed_leaves_torch_s_own_generator_alone(tokenizer: BertTokenizer) -> None:
    state = torch.get_rng_state()
    MaskingCollator(tokenizer, seed=1)(SAME)
    assert torch.equal(torch.get_rng_state(), state)


class Laggard(MaskingCollator):
    """One with a worker that is slow to begin."""

    slow_worker = -1

    def __call__(self, *features: Any) -> BatchEncoding:
        worker = torch.utils.data.get_worker_info()
        if self._draws._stream is None and worker is not None and worker.id == self.slow_worker:
            time.sleep(0.3)
        return super().__call__(*features)


@pytest.mark.slow
def test_the_order_in_which_workers_begin_does_not_matter(tokenizer: BertTokenizer) -> None:
    runs = []
    for slow_worker in (-1, 0, 1):
        collator = Laggard(tokenizer, seed=5)
        collator.slow_worker = slow_worker
        batches = loader(collator, 2)
        left_early = next(iter(batches))["labels"]
        runs.append([left_early, *epoch(batches), *epoch(batches)])
    assert_all_differ(runs[0])
    for run in runs[1:]:
        assert all(map(torch.equal, run, runs[0]))


def test_a_worker_that_comes_late_finds_its_pass(tokenizer: BertTokenizer) -> None:
    draws = MaskingCollator(tokenizer, seed=5)._draws
    assert draws is not None
    came = [(70, 0), (70, 1), (90, 0), (70, 2), (80, 0), (90, 1)]  # seeds of loaders, workers
    assert [draws._pass(*seed_and_worker) for seed_and_worker in came] == [0, 0, 1, 0, 2, 1]
    # whoever has had a seed meets it in another pass: torch.manual_seed was called in between
    assert [draws._pass(70, worker) for worker in (0, 1, 0)] == [3, 3, 4]
    draws._passes.fill_(1)  # when there is no more room the passes still differ
    assert draws._pass(70, 0) != draws._pass(80, 0)


class Interrupted(np.ndarray[Any, np.dtype[np.int64]]):
    """An array in which somebody else acts whenever it has been compared."""

    act: Callable[[], None]

    def __array_finalize__(self, original: Any) -> None:
        self.act = getattr(original, "act", lambda: None)

    def __eq__(self, other: object) -> Any:
        equal = np.asarray(self) == other
        self.act()
        return equal


def test_workers_that_come_together_find_the_same_pass(
    tokenizer: BertTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = MaskingCollator(tokenizer, seed=5)._draws
    assert draws is not None
    passes = draws._passes
    looked_at = passes.numpy().view(Interrupted)
    looked_at.act = lambda: passes.__setitem__(0, 70)  # worker 0 comes while worker 1 looks
    monkeypatch.setattr(passes, "numpy", lambda: looked_at)
    assert draws._pass(70, worker=1) == 0
    assert passes[:2].tolist() == [70, -1]


def drawn_in_other_processes(*draws: Callable[[], BatchEncoding]) -> list[Tensor]:
    """The labels that each function draws in a forked process of its own."""
    context = multiprocessing.get_context("fork")
    queues = [context.SimpleQueue() for _ in draws]
    for draw, queue in zip(draws, queues, strict=True):

        def put(draw: Any = draw, queue: Any = queue) -> None:
            # as a loader's workers do: OpenMP's threads do not survive a fork
            torch.set_num_threads(1)
            queue.put(draw()["labels"].tolist())

        context.Process(target=put, daemon=True).start()
    return [torch.tensor(queue.get()) for queue in queues]


def test_a_seed_means_the_same_in_every_process(tokenizer: BertTokenizer) -> None:
    collator = MaskingCollator(tokenizer, seed=5)
    fresh = pickle.dumps(collator)
    first = collator(SAME)["labels"]
    used = pickle.dumps(collator)
    second = collator(SAME)["labels"]
    made, unpickled, continued = drawn_in_other_processes(
        lambda: MaskingCollator(tokenizer, seed=5)(SAME),
        lambda: pickle.loads(fresh)(SAME),
        lambda: pickle.loads(used)(SAME),
    )
    assert torch.equal(made, first)
    assert torch.equal(unpickled, first)
    assert torch.equal(continued, second)


@pytest.mark.parametrize("drawn_before", [False, True])
def test_processes_that_are_forked_otherwise_draw_differently(
    tokenizer: BertTokenizer, drawn_before: bool
) -> None:
    collator = MaskingCollator(tokenizer, seed=5)
    if drawn_before:
        collator(SAME)
    drawn = drawn_in_other_processes(lambda: collator(SAME), lambda: collator(SAME))
    assert_all_differ([*drawn, collator(SAME)["labels"]])


def test_copies_go_on_where_the_original_stands(tokenizer: BertTokenizer) -> None:
    collator = MaskingCollator(tokenizer, seed=5)
    collator(SAME)
    copies = [pickle.loads(pickle.dumps(collator)), copy.deepcopy(collator)]
    expected = collator(SAME)["labels"]
    for twin in copies:
        assert torch.equal(twin(SAME)["labels"], expected)
        batches = loader(twin, 2)
        assert_all_differ([expected, *epoch(batches), *epoch(batches)])


@pytest.mark.slow
def test_spawned_workers_draw_new_masks_in_each_epoch(tokenizer: BertTokenizer) -> None:
    batches = loader(MaskingCollator(tokenizer, seed=5), 1, multiprocessing_context="spawn")
    spawned = epoch(batches) + epoch(batches)
    assert_all_differ(spawned)
    batches = loader(MaskingCollator(tokenizer, seed=5), 1)
    assert all(map(torch.equal, spawned, epoch(batches) + epoch(batches)))
