"""Seeded draws: what workers, epochs, processes and copies of a collator draw."""

from __future__ import annotations

import copy
import itertools
import multiprocessing
import os
import pickle
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator, skip_first_batches
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import BatchEncoding, BertTokenizer

from bertlesson import seeding
from bertlesson.collating import MaskingCollator
from bertlesson.seeding import SeededDraws
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


def test_who_comes_late_finds_the_pass(tokenizer: BertTokenizer) -> None:
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


def test_two_that_come_together_find_the_same_pass(
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


# where a batch is, without starting anything


def begun(draws: SeededDraws, batches: int) -> list[int]:
    """What the generators of the next batches are seeded with."""
    return [draws.generator().initial_seed() for _ in range(batches)]


def test_a_batch_is_known_by_its_epoch_and_its_number() -> None:
    draws = SeededDraws(5)
    epochs = []
    for number in range(3):
        draws.begin_epoch(number, 0)
        epochs.append(begun(draws, 4))
    assert len({*itertools.chain(*epochs)}) == 12
    draws.begin_epoch(1, 0)
    assert begun(draws, 4) == epochs[1], "it begins again"
    resumed = SeededDraws(5)
    resumed.begin_epoch(1, first_batch=2)
    assert begun(resumed, 2) == epochs[1][2:]
    resumed.begin_epoch(2, 0)
    assert begun(resumed, 4) == epochs[2]
    other = SeededDraws(6)
    other.begin_epoch(0, 0)
    assert not {*begun(other, 4)} & {*epochs[0]}


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes this process look like a loader's worker; 70 is the seed of the loader's pass."""

    def become(number: int, workers: int, loader_seed: int = 70) -> None:
        worker = SimpleNamespace(id=number, num_workers=workers, seed=loader_seed + number)
        monkeypatch.setattr(seeding, "get_worker_info", lambda: worker)

    return become


@pytest.mark.parametrize("count", [1, 2, 3])
def test_taking_turns_gives_what_one_process_draws(become: Callable[..., None], count: int) -> None:
    draws = SeededDraws(5)
    draws.begin_epoch(1, first_batch=2)
    alone = begun(draws, 12)
    taking_turns = [copy.copy(draws) for _ in range(count)]  # a copy sees what is announced
    for _ in range(2):
        turns = []
        for batch in range(12):
            become(batch % count, count)
            turns += begun(taking_turns[batch % count], 1)
        assert turns == alone
        draws.begin_epoch(1, first_batch=2)  # they outlive the epoch


def test_without_an_epoch_each_pass_has_a_stream_of_its_own(become: Callable[..., None]) -> None:
    def streams(seed: int) -> list[int]:
        """Of two that take turns, in two passes."""
        draws, drawn = SeededDraws(seed), []
        for loader_seed, number in itertools.product((70, 90), (0, 1)):
            become(number, 2, loader_seed)
            drawn += begun(copy.copy(draws), 1)
        return drawn

    assert streams(5) == streams(5)
    assert len({*streams(5), *streams(6)}) == 8


def test_without_an_epoch_the_batches_of_a_process_differ(
    tokenizer: BertTokenizer, become: Callable[..., None]
) -> None:
    for _ in range(2):
        collator = MaskingCollator(tokenizer, seed=5)
        assert_all_differ([collator(SAME)["labels"] for _ in range(4)])
        become(0, 1)  # and of one that works for a loader


def prepared(collator: Any) -> Any:
    return Accelerator(cpu=True).prepare(DataLoader(SAME, 4, collate_fn=collator))  # type: ignore[arg-type]


def test_accelerate_s_loader_knows_where_it_is(tokenizer: BertTokenizer) -> None:
    loader = prepared(MaskingCollator(tokenizer, seed=5))
    whole = [epoch(loader) for _ in range(3)]
    assert_all_differ([*itertools.chain(*whole)])

    collator = MaskingCollator(tokenizer, seed=5)
    collator(SAME)
    resumed = prepared(collator)
    resumed.set_epoch(1)
    assert all(map(torch.equal, epoch(skip_first_batches(resumed, 2)), whole[1][2:]))

    seen, evaluations = [], []
    for batch in resumed:  # with an evaluation after each batch
        seen.append(batch["labels"])
        evaluations.append(epoch(prepared(collator)))
    assert all(map(torch.equal, seen, whole[1]))
    for evaluation in evaluations:
        assert all(map(torch.equal, evaluation, whole[0]))


def test_a_loader_that_was_left_early_decides_nothing(tokenizer: BertTokenizer) -> None:
    collator = MaskingCollator(tokenizer, seed=5)
    left = iter(prepared(collator))  # kept, so that it stays accelerate's active one
    next(left)

    class Other:
        def __iter__(self) -> Iterator[Tensor]:
            for _ in range(2):
                yield collator(SAME)["labels"]

    fresh = MaskingCollator(tokenizer, seed=5)
    expected = [fresh(SAME)["labels"] for _ in range(4)]
    drawn = [collator(SAME)["labels"] for _ in range(2)] + [*Other()]
    assert all(map(torch.equal, drawn, expected))
    del left


def test_a_copy_takes_along_where_the_loader_is(become: Callable[..., None]) -> None:
    """As spawned workers get one, which cannot ask the loader."""
    draws = SeededDraws(5)
    announced = {}
    for number, first in ((1, 2), (3, 0)):
        draws.begin_epoch(number, first)
        announced[number] = begun(draws, 2)

    draws = SeededDraws(5)
    copies = []
    loader = prepared(lambda rows: copies.append(copy.copy(draws)))
    loader.set_epoch(1)
    for _ in skip_first_batches(loader, 2):
        pass
    evaluating, training = copies
    become(0, 1)
    assert begun(evaluating, 2) == announced[1]
    assert not {*begun(evaluating, 2)} & {*announced[1]}, "it goes on"
    draws.end_evaluation()
    draws.begin_epoch(3, 0)  # of the training, whose loader starts no workers now
    assert begun(evaluating, 2) == announced[1]
    training.training_starts = True
    assert begun(training, 2) == announced[3]
    draws.begin_epoch(1, 0)  # a callback does not know how many batches are skipped
    assert begun(training, 2) == announced[1]


def test_the_rank_is_known_before_the_processes_have_met(
    monkeypatch: pytest.MonkeyPatch, become: Callable[..., None]
) -> None:
    drawn, copies = [], []
    for rank in (None, 0, 1, 2):
        monkeypatch.delenv("RANK", raising=False)
        if rank is not None:
            monkeypatch.setitem(os.environ, "RANK", str(rank))
        draws = SeededDraws(5)
        drawn.append(begun(draws, 1))
        draws.begin_epoch(0, 0)
        drawn[-1] += begun(draws, 1)
        copies.append(copy.copy(draws))
    assert drawn[0] == drawn[1], "a process alone is the first of one"
    assert len({*itertools.chain(*drawn[1:])}) == 6

    monkeypatch.delenv("RANK")
    become(0, 1)
    for draws, (_, expected) in zip(copies, drawn, strict=True):
        assert begun(draws, 1) == [expected], "a worker has the rank of the process that started it"


def test_processes_that_have_met_say_their_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "RANK", "1")
    first = begun(SeededDraws(5), 1)
    met = SimpleNamespace(
        is_available=lambda: True, is_initialized=lambda: True, get_rank=lambda: 2
    )
    monkeypatch.setattr(seeding, "distributed", met)
    second = begun(SeededDraws(5), 1)
    monkeypatch.undo()
    monkeypatch.setitem(os.environ, "RANK", "2")
    assert second == begun(SeededDraws(5), 1) != first
