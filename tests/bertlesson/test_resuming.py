"""Trainings that are killed and resumed, and what a killed one leaves behind."""

from __future__ import annotations

import itertools
import json
import math
import multiprocessing
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from accelerate.data_loader import BatchSamplerShard
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader
from tqdm.auto import tqdm
from transformers import (
    BertForMaskedLM,
    BertTokenizer,
    EarlyStoppingCallback,
    Trainer,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_pt_utils import LengthGroupedSampler
from transformers.trainer_utils import get_last_checkpoint

from bertlesson import resuming
from bertlesson.collating import MaskingCallback, MaskingCollator
from bertlesson.resuming import ExactResume, ShuffledStream, last_whole_checkpoint
from tests.bertlesson.small_bert import small_config

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(32))]
DRAWN = random.Random(0)
ROWS = [
    {"input_ids": [2, *(DRAWN.randrange(5, 37) for _ in range(DRAWN.randrange(6, 14))), 3]}
    for _ in range(22)
]
STEPS = 6  # of 4 rows, in an epoch
FORK = multiprocessing.get_context("fork")

Weights = dict[str, Tensor]


def make_trainer(folder: Path, *, stream: bool = False, **settings: Any) -> Trainer:
    """One with everything that a run can draw: masks, dropout, order."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(PIECES)})
    collator = MaskingCollator(tokenizer, seed=settings.pop("mask_seed", 5), at_least_one=True)
    data: Any = ROWS
    if stream:
        dealt = settings.pop("dealt", 4)  # rows that a worker passes on at a time
        data = ShuffledStream(ROWS, buffer=8, seed=1, batch_size=dealt)
        settings = {"max_steps": 9} | settings
    callbacks: list[Any] = [MaskingCallback(collator)]
    if settings.pop("exact", True):
        callbacks.append(ExactResume(data if stream else None))
    defaults = {
        "num_train_epochs": 2,
        "learning_rate": 1e-2,
        "logging_strategy": "no",
        "save_strategy": "steps",
        "save_steps": 1,
        "per_device_train_batch_size": 4,
    }
    return Trainer(
        BertForMaskedLM(small_config(num_hidden_layers=1)),
        TrainingArguments(
            str(folder),
            use_cpu=True,
            disable_tqdm=True,
            report_to=[],
            dataloader_pin_memory=False,
            **defaults | settings,
        ),
        train_dataset=data,
        eval_dataset=ROWS[:8],  # type: ignore[arg-type]
        data_collator=collator,  # type: ignore[arg-type]
        callbacks=callbacks,
    )


def weights_of(trainer: Trainer) -> Weights:
    return {name: each.detach().clone() for name, each in trainer.model.state_dict().items()}


def same(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def resumed_from(folder: Path, step: int, **settings: Any) -> Weights:
    trainer = make_trainer(folder, **settings | {"save_strategy": "no"})
    trainer.train(resume_from_checkpoint=str(folder / f"checkpoint-{step}"))
    return weights_of(trainer)


PERSISTENT = {"dataloader_num_workers": 2, "dataloader_persistent_workers": True}
BY_LENGTH = {"train_sampling_strategy": "group_by_length"}
EVALUATED = {"eval_strategy": "epoch"}
PLATEAU = {"lr_scheduler_type": "reduce_lr_on_plateau", "metric_for_best_model": "loss"}
BY_STEPS = {"eval_strategy": "steps", "eval_steps": 2}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({}, [STEPS]),
        ({"exact": False}, [STEPS + 2]),
        ({"exact": False, "gradient_accumulation_steps": 2}, [4]),
        ({"gradient_accumulation_steps": 2}, [4]),
        ({"exact": False} | BY_STEPS, [STEPS - 2]),
        (BY_STEPS, [STEPS - 2]),
        ({"dataloader_num_workers": 2}, [STEPS + 2]),
        (PERSISTENT, [3, STEPS]),
        (BY_LENGTH, [STEPS + 2]),
        (EVALUATED, [STEPS]),
        (EVALUATED | PLATEAU, [STEPS]),
        ({"stream": True}, [7]),
        ({"stream": True, "dataloader_num_workers": 2, "gradient_accumulation_steps": 2}, [4]),
        ({"stream": True, "dataloader_num_workers": 2, "dealt": 1}, [3, 6]),
    ],
    ids=str,
)
def test_a_resumed_run_ends_with_the_same_weights(
    tmp_path: Path, settings: dict[str, Any], steps: list[int]
) -> None:
    whole = make_trainer(tmp_path, save_steps=math.gcd(*steps), **settings)
    whole.train()
    for step in steps:
        assert same(resumed_from(tmp_path, step, **settings), weights_of(whole)), step


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "step"),
    [
        ({"mask_seed": None}, 2),
        (PERSISTENT, STEPS),
        (BY_LENGTH, STEPS + 2),
        (EVALUATED, STEPS),
        (EVALUATED | PLATEAU, STEPS),
    ],
    ids=str,
)
def test_without_the_callback_or_the_seed_it_does_not(
    tmp_path: Path, settings: dict[str, Any], step: int
) -> None:
    """If one of these fails, Trainer has become better, and the page can say so."""
    settings = settings | {"exact": False}
    whole = make_trainer(tmp_path, save_steps=step, **settings)
    whole.train()
    assert not same(resumed_from(tmp_path, step, **settings), weights_of(whole))


@pytest.mark.slow
@pytest.mark.parametrize("restored", [True, False])
def test_patience_is_kept_where_the_states_of_callbacks_are_restored(
    tmp_path: Path, restored: bool
) -> None:
    """The last evaluation before the checkpoint was worse than the one before it."""
    settings = BY_STEPS | {
        "num_train_epochs": 3,
        "load_best_model_at_end": True,
        "metric_for_best_model": "score",
        "restore_callback_states_from_checkpoint": restored,
    }

    def run(checkpoint: str | None, scores: Iterator[float]) -> Trainer:
        trainer = make_trainer(tmp_path, **settings | {"save_steps": 2})
        trainer.compute_metrics = lambda _: {"score": next(scores)}
        trainer.add_callback(EarlyStoppingCallback(early_stopping_patience=2))
        trainer.train(resume_from_checkpoint=checkpoint)
        return trainer

    falling = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]  # at steps 2, 4, 6 ...
    whole = run(None, iter(falling))
    assert whole.state.global_step == 6
    resumed = run(str(tmp_path / "checkpoint-4"), iter(falling[2:]))
    assert resumed.state.global_step == (6 if restored else 8)
    assert same(weights_of(resumed), weights_of(whole))  # both are the best, of step 2


# killed


def run_on(folder: Path, before: Callable[[], None] | None, settings: dict[str, Any]) -> None:
    """What each process does: go on from the last whole checkpoint, to the end."""
    # tqdm's own lock is shared with the process that forked this one, which would wait for it for
    # ever if this one were killed while it holds it
    tqdm.set_lock(threading.RLock())
    if before is not None:
        before()
    trainer = make_trainer(folder, **settings)
    trainer.train(resume_from_checkpoint=last_whole_checkpoint(folder))
    torch.save(weights_of(trainer), folder / "weights.pt")


def process(folder: Path, before: Any = None, settings: dict[str, Any] | None = None) -> Any:
    started = FORK.Process(target=run_on, args=(folder, before, settings or {}))
    started.start()
    return started


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """The weights of a run that nobody kills."""
    folder = tmp_path_factory.mktemp("whole")
    process(folder).join()
    return torch.load(folder / "weights.pt")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class AnyMoment:
    """Kills the process in the middle of a step, or of the saving after it.

    The moment is counted in steps: on a machine that is busy now and idle then, seconds miss it.
    """

    def __init__(self, steps: float) -> None:
        self.steps = steps

    def __call__(self) -> None:
        original, begun = Trainer.training_step, list[float]()

        def counted(*args: Any, **kwargs: Any) -> Tensor:
            begun.append(time.monotonic())
            if len(begun) == int(self.steps):  # 2 or more: the last step tells how long this takes
                wait = self.steps % 1 * (begun[-1] - begun[-2])
                threading.Timer(wait, die).start()
            return original(*args, **kwargs)

        Trainer.training_step = counted  # type: ignore[method-assign]


@pytest.mark.slow
def test_killed_at_random_moments(expected: Weights, tmp_path: Path) -> None:
    moments = random.Random()  # others in each run of the tests
    reached = []
    for _ in range(2):
        killed = process(tmp_path, AnyMoment(moments.uniform(2, 5)))
        killed.join()
        assert killed.exitcode == -signal.SIGKILL, reached
        reached.append(last_whole_checkpoint(tmp_path))
    process(tmp_path).join()
    assert same(torch.load(tmp_path / "weights.pt"), expected), reached


class Torn:
    """Makes the fifth saving of something stop in the middle, and the process with it."""

    def __init__(self, file: str) -> None:
        self.file = file

    def __call__(self) -> None:
        owner, name = {
            "model.safetensors": (Trainer, "save_model"),
            "optimizer.pt": (Trainer, "_save_optimizer_and_scheduler"),
            "rng_state.pth": (Trainer, "_save_rng_state"),
            "trainer_state.json": (TrainerState, "save_to_json"),
        }[self.file]
        original = getattr(owner, name)

        def torn(self_: Any, path: str, *args: Any, **kwargs: Any) -> None:
            original(self_, path, *args, **kwargs)
            if "checkpoint-5" in path:
                file = Path(path) if path.endswith(".json") else Path(path, self.file)
                os.truncate(file, file.stat().st_size // 2)
                die()

        setattr(owner, name, torn)


@pytest.mark.slow
@pytest.mark.parametrize(
    "file", ["model.safetensors", "optimizer.pt", "rng_state.pth", "trainer_state.json"]
)
def test_killed_while_it_saves(expected: Weights, tmp_path: Path, file: str) -> None:
    killed = process(tmp_path, Torn(file))
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert Path(get_last_checkpoint(str(tmp_path)) or "").name == "checkpoint-5", "Trainer's choice"
    assert last_whole_checkpoint(tmp_path) == str(tmp_path / "checkpoint-4")
    if file == "optimizer.pt":
        process(tmp_path).join()
        assert same(torch.load(tmp_path / "weights.pt"), expected)


# checkpoints


@pytest.fixture(scope="module")
def two_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    make_trainer(folder, max_steps=10, save_steps=5).train()
    return folder


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 2)  # the last byte of a JSON file is the end of a line


def other_step(path: Path) -> None:
    path.write_text(json.dumps({"global_step": 9}))


@pytest.mark.slow
@pytest.mark.parametrize("harm", [cut, Path.unlink, "empty", "no JSON", other_step])
@pytest.mark.parametrize(
    "name",
    ["model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"],
)
def test_a_checkpoint_with_any_file_harmed_is_passed_over(
    two_checkpoints: Path, tmp_path: Path, name: str, harm: Any
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(two_checkpoints, folder)
    assert last_whole_checkpoint(folder) == str(folder / "checkpoint-10"), "10 is more than 5"
    file = folder / "checkpoint-10" / name
    if callable(harm):
        harm(file)
    else:
        file.write_bytes(b"" if harm == "empty" else b"[1]")
    assert last_whole_checkpoint(folder) == str(folder / "checkpoint-5")


@pytest.mark.slow
def test_each_process_must_have_saved(
    two_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(two_checkpoints, folder)
    assert last_whole_checkpoint(folder, processes=2) is None
    monkeypatch.setenv("WORLD_SIZE", "2")
    for step, ranks in ((5, 2), (10, 1)):
        checkpoint = folder / f"checkpoint-{step}"
        for rank in range(ranks):
            shutil.copy(checkpoint / "rng_state.pth", checkpoint / f"rng_state_{rank}.pth")
    assert last_whole_checkpoint(folder) == str(folder / "checkpoint-5")
    assert last_whole_checkpoint(folder, processes=1) == str(folder / "checkpoint-10")


def make_checkpoint(
    folder: Path,
    step: int,
    *,
    weights: tuple[str, ...] = ("model.safetensors",),
    ranks: Any = ("",),
) -> Path:
    """The files that Trainer leaves, without a training."""
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir()
    for name in weights:
        save_file({"weight": torch.zeros(4)}, checkpoint / name)
    for name in ("optimizer.pt", "scheduler.pt", *(f"rng_state{rank}.pth" for rank in ranks)):
        torch.save({"step": step}, checkpoint / name)
    (checkpoint / "trainer_state.json").write_text(json.dumps({"global_step": step}) + "\n")
    return checkpoint


@pytest.mark.parametrize("harm", [cut, Path.unlink, other_step])
@pytest.mark.parametrize(
    "name",
    ["model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"],
)
def test_the_last_checkpoint_with_all_its_files_is_found(
    tmp_path: Path, name: str, harm: Any
) -> None:
    for step in (8, 9, 10):
        make_checkpoint(tmp_path, step)
    assert last_whole_checkpoint(tmp_path) == str(tmp_path / "checkpoint-10"), "10 is more than 9"
    harm(tmp_path / "checkpoint-10" / name)
    assert last_whole_checkpoint(str(tmp_path)) == str(tmp_path / "checkpoint-9")


@pytest.mark.parametrize("harm", [cut, Path.unlink])
@pytest.mark.parametrize("harmed", [0, 1, 2])
def test_weights_in_several_files_must_all_be_there(tmp_path: Path, harm: Any, harmed: int) -> None:
    parts = ("model-1.safetensors", "model-2.safetensors")
    index = make_checkpoint(tmp_path, 5, weights=parts) / "model.safetensors.index.json"
    assert last_whole_checkpoint(tmp_path) is None, "nobody says which weights there should be"
    index.write_text(json.dumps({"weight_map": dict(zip("abc", parts * 2, strict=False))}) + "\n")
    assert last_whole_checkpoint(tmp_path) == str(index.parent)
    harm([index, *(index.parent / part for part in parts)][harmed])
    assert last_whole_checkpoint(tmp_path) is None


def test_weights_of_an_adapter_alone_will_do(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path, 5, weights=("adapter_model.safetensors",))
    assert last_whole_checkpoint(tmp_path) == str(checkpoint)
    cut(checkpoint / "adapter_model.safetensors")
    assert last_whole_checkpoint(tmp_path) is None


def test_the_random_states_of_each_process_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {
        ranks: str(make_checkpoint(tmp_path, step, ranks=ranks))
        for step, ranks in ((5, ("_0", "_1")), (10, ("_0",)), (15, ("",)))
    }
    assert last_whole_checkpoint(tmp_path) == found["",]
    assert last_whole_checkpoint(tmp_path, processes=2) == found["_0", "_1"]
    assert last_whole_checkpoint(tmp_path, processes=3) is None
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert last_whole_checkpoint(tmp_path) == found["_0", "_1"]
    assert last_whole_checkpoint(tmp_path, processes=1) == found["",]


def test_a_folder_without_checkpoints(tmp_path: Path) -> None:
    assert last_whole_checkpoint(tmp_path / "not there") is None
    (tmp_path / "checkpoint-best").mkdir()
    (tmp_path / "checkpoint-7").write_text("a file")
    assert last_whole_checkpoint(tmp_path) is None
    with pytest.raises(ValueError, match="processes is 0; expected a whole number, 1 or more"):
        last_whole_checkpoint(tmp_path, processes=0)


# what the callback seeds


def settings_of_training(**changes: Any) -> Any:
    settings: dict[str, Any] = {
        "seed": 42,
        "process_index": 0,
        "world_size": 2,
        "train_batch_size": 4,
    }
    settings |= {"gradient_accumulation_steps": 3, "ignore_data_skip": False}
    settings["accelerator_config"] = SimpleNamespace(split_batches=False)
    return SimpleNamespace(**settings | changes)


def drawn_in_step(step: int, callback: ExactResume | None = None, **changes: Any) -> list[float]:
    """What torch, Python and NumPy draw in a step, after something else was drawn."""
    torch.rand(step), random.random(), np.random.rand(3)
    state = SimpleNamespace(global_step=step)
    (callback or ExactResume()).on_step_begin(settings_of_training(**changes), state, None)
    return [torch.rand(()).item(), random.random(), np.random.rand()]


def test_what_a_step_draws_depends_on_the_seed_the_step_and_the_process_alone() -> None:
    first = drawn_in_step(7)
    assert drawn_in_step(7) == first
    assert drawn_in_step(7, ExactResume(seed=42), seed=1) == first
    others = [
        drawn_in_step(8),
        drawn_in_step(7, process_index=1),
        drawn_in_step(7, seed=1),
        drawn_in_step(7, ExactResume(seed=0)),  # a seed too
    ]
    for draws in zip(first, *others, strict=True):
        assert len({*draws}) == 5


@pytest.mark.parametrize("nested", [False, True])
def test_an_order_by_length_follows_from_the_epoch(nested: bool) -> None:
    def order(epoch: float, seed: int = 42) -> list[int]:
        sampler = LengthGroupedSampler(2, lengths=[*range(20)] * 3)
        batches: Any = BatchSampler(sampler, 2, drop_last=False)
        if nested:  # as accelerate divides batches among processes
            batches = BatchSamplerShard(batches, even_batches=False)
        loader = DataLoader(list(range(60)), batch_sampler=batches)  # type: ignore[arg-type]
        state = SimpleNamespace(epoch=epoch)
        torch.rand(3)
        ExactResume().on_epoch_begin(
            settings_of_training(seed=seed), state, None, train_dataloader=loader
        )
        return list(sampler)

    assert order(1) == order(1) == order(1.0)
    assert order(1) != order(2)
    assert order(1) != order(1, seed=1)
    ExactResume().on_epoch_begin(settings_of_training(), SimpleNamespace(epoch=None), None)


def test_a_resumed_run_says_how_many_rows_it_will_skip() -> None:
    stream = ShuffledStream(range(99))
    callback, state = ExactResume(stream), SimpleNamespace(global_step=5)
    callback.on_train_begin(settings_of_training(), state, None)
    assert stream.skipped == (5 * 3, 4, 2)
    assert stream.skipped.rows(0, 1) == 5 * 3 * 4 * 2
    callback.on_step_begin(settings_of_training(), state, None)
    assert stream.skipped.rows(0, 1) == 0, "the loader has them; its next pass skips nothing"
    callback.on_train_begin(settings_of_training(ignore_data_skip=True), state, None)
    assert stream.skipped.rows(0, 1) == 0
    whole = SimpleNamespace(split_batches=True)
    callback.on_train_begin(settings_of_training(accelerator_config=whole), state, None)
    assert stream.skipped.rows(0, 1) == 5 * 3 * 4


@pytest.mark.parametrize(
    ("batches", "processes", "of_each"),
    [
        (3, 1, [8, 4]),  # the first and the third batch, and the second
        (4, 1, [8, 8]),
        (1, 1, [4, 0]),
        (0, 1, [0, 0]),
        # of two processes: two loaders take batches of 8 rows, one loader takes twice as many of 4
        (2, 2, [8, 8]),
        (3, 2, [12, 8]),
    ],
)
def test_no_worker_skips_more_than_is_thrown_away(
    batches: int, processes: int, of_each: list[int]
) -> None:
    stream = ShuffledStream(range(99))
    state = SimpleNamespace(global_step=batches)
    settings = settings_of_training(gradient_accumulation_steps=1, world_size=processes)
    ExactResume(stream).on_train_begin(settings, state, None)
    assert [stream.skipped.rows(worker, 2) for worker in range(2)] == of_each


# streams


class Source:
    """Rows that can be read again, with a place to begin."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.next = self.read = 0

    def __iter__(self) -> Iterator[int]:
        begin, self.next = self.next, 0
        for row in range(begin, self.rows):
            self.next, self.read = row + 1, self.read + 1
            yield row

    def state_dict(self) -> dict[str, int]:
        return {"next": self.next}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.next = state["next"]


SOURCES = [range, Source]


@pytest.mark.parametrize("make", SOURCES)
@pytest.mark.parametrize("buffer", [1, 8, 30, 1000])
def test_each_pass_has_all_rows_in_another_order(make: Any, buffer: int) -> None:
    rows = list(itertools.islice(ShuffledStream(make(30), buffer=buffer, seed=3), 90))
    passes = [rows[:30], rows[30:60], rows[60:]]
    assert all(sorted(each) == list(range(30)) for each in passes)
    assert len(set(map(tuple, passes))) == (1 if buffer == 1 else 3)
    others = list(itertools.islice(ShuffledStream(make(30), buffer=buffer, seed=4), 90))
    assert (others == rows) == (buffer == 1)


def test_the_order_is_even() -> None:
    """With a buffer as large as the source, no place is more likely for a row than another."""
    first = Counter(next(iter(ShuffledStream(range(4), buffer=4, seed=s))) for s in range(4000))
    assert set(first) == {0, 1, 2, 3}


@pytest.mark.parametrize("make", SOURCES)
def test_it_goes_on_after_any_row(make: Any) -> None:
    def stream() -> ShuffledStream:
        return ShuffledStream(make(30), buffer=8, seed=3)

    whole = list(itertools.islice(stream(), 75))
    for taken in range(70):
        killed = stream()
        begun = list(itertools.islice(killed, taken))
        resumed = stream()
        resumed.load_state_dict(json.loads(json.dumps(killed.state_dict())))
        assert resumed.state_dict() == killed.state_dict()
        assert begun + list(itertools.islice(resumed, 75 - taken)) == whole, taken
        assert next(iter(resumed)) == whole[0], "the next pass over the object begins again"


def test_a_source_with_a_state_is_not_read_from_the_beginning() -> None:
    killed = ShuffledStream(Source(1000), buffer=10, seed=3)
    list(itertools.islice(killed, 900))
    source = Source(1000)
    resumed = ShuffledStream(source, buffer=10, seed=3)
    resumed.load_state_dict(killed.state_dict())
    next(iter(resumed))
    assert source.read <= 10


class Columns:
    """As datasets' streams do, it deals its rows out to workers, unless it is asked for batches.

    Its state is the place of the last row that was read, also after it was read for something else.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.next = 0
        self._starting_state_dict: dict[str, int] | None = None

    def __iter__(self) -> Iterator[int]:
        raise AssertionError("a worker would get a part of the rows")

    def iter(self, batch_size: int) -> Iterator[dict[str, list[int]]]:
        assert batch_size == 1
        for row in range((self._starting_state_dict or {"next": 0})["next"], self.rows):
            self.next = row + 1
            yield {"n": [row], "half": [row // 2]}

    def state_dict(self) -> dict[str, int]:
        return {"next": self.next}

    def load_state_dict(self, state: dict[str, int] | None) -> None:
        self._starting_state_dict = state


def columns(rows: Iterable[int]) -> list[dict[str, int]]:
    return [{"n": n, "half": n // 2} for n in rows]


def test_a_source_that_deals_its_rows_out_gives_all_of_them() -> None:
    expected = columns(itertools.islice(ShuffledStream(Source(30), buffer=8, seed=3), 75))
    source = Columns(30)
    next(source.iter(1))  # someone has looked at it
    for taken in range(70):
        killed = ShuffledStream(source, buffer=8, seed=3)
        begun = list(itertools.islice(killed, taken))
        again = ShuffledStream(source, buffer=8, seed=3)  # in the same process
        again.load_state_dict(killed.state_dict())
        begun += itertools.islice(again, 2)
        resumed = ShuffledStream(Columns(30), buffer=8, seed=3)
        resumed.load_state_dict(again.state_dict())
        assert begun + list(itertools.islice(resumed, 73 - taken)) == expected, taken
        assert next(source.iter(1)) == {"n": [0], "half": [0]}, "others may read it"


def test_a_source_of_columns_is_read_again_from_where_it_was_set() -> None:
    source = Columns(30)
    source.load_state_dict({"next": 10})
    rows = itertools.islice(ShuffledStream(source, buffer=8, seed=3), 40)
    assert sorted(row["n"] for row in rows) == sorted([*range(10, 30)] * 2)


def test_all_blocks_but_the_first_are_as_large_as_the_buffer() -> None:
    source = Source(95)
    read = [source.read for _ in itertools.islice(ShuffledStream(source, buffer=10, seed=3), 95)]
    ends = sorted({*read})
    assert 0 < ends[0] <= 10
    assert ends == [*range(ends[0], 95, 10), 95]


def test_a_source_is_read_again_from_where_it_stood() -> None:
    source = Source(30)
    source.load_state_dict({"next": 10})
    rows = list(itertools.islice(ShuffledStream(source, buffer=8, seed=3), 60))
    assert sorted(rows) == sorted([*range(10, 30)] * 3)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_each_of_several_readers_passes_on_the_batches_of_its_turn(
    monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    def rows() -> list[int]:
        stream = ShuffledStream(range(30), buffer=8, seed=3, batch_size=batch_size)
        return list(itertools.islice(stream, 20))

    whole = rows()
    for number in range(2):
        worker = SimpleNamespace(id=number, num_workers=2)
        monkeypatch.setattr(resuming, "get_worker_info", lambda worker=worker: worker)
        turns = [row for at, row in enumerate(whole) if at // batch_size % 2 == number]
        assert rows()[: len(turns)] == turns


def test_of_rows_that_are_skipped_one_is_transformed() -> None:
    calls: list[int] = []

    def stream(skipped: int) -> list[int]:
        calls.clear()
        made = ShuffledStream(
            range(30), buffer=8, seed=3, transform=lambda row: calls.append(row) or row * 10
        )
        state = SimpleNamespace(global_step=skipped // 4)
        settings = settings_of_training(gradient_accumulation_steps=1, world_size=1)
        ExactResume(made).on_train_begin(settings, state, None)
        rows = list(itertools.islice(made, 20))
        assert made.skipped.rows(0, 1) == 0
        return rows

    whole = stream(0)
    assert len(calls) == 20
    assert stream(12)[12:] == whole[12:]
    assert len(calls) == 1 + 8


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_batches_are_the_same_with_any_number_of_workers(workers: int) -> None:
    seen = []
    for number in (0, workers):
        stream = ShuffledStream(range(30), buffer=8, seed=3, batch_size=4)
        batches = itertools.islice(DataLoader(stream, 4, num_workers=number), 20)
        seen.append([batch.tolist() for batch in batches])
    assert seen[0] == seen[1]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_torchdata_s_loader_goes_on_exactly(workers: int) -> None:
    loaders = pytest.importorskip("torchdata.stateful_dataloader")

    def loader() -> Any:
        stream = ShuffledStream(range(30), buffer=8, seed=3, batch_size=4)
        return loaders.StatefulDataLoader(stream, 4, num_workers=workers)

    whole = [batch.tolist() for batch in itertools.islice(loader(), 20)]
    for taken in (1, 7, 13):
        killed = loader()
        begun = [batch.tolist() for batch in itertools.islice(killed, taken)]
        resumed = loader()
        resumed.load_state_dict(killed.state_dict())
        rest = itertools.islice(resumed, 20 - taken)
        assert begun + [batch.tolist() for batch in rest] == whole


@pytest.mark.slow
def test_rows_that_a_resumed_run_skips_are_not_transformed(tmp_path: Path) -> None:
    calls: list[Any] = []

    def run(resume: str | None) -> None:
        trainer = make_trainer(tmp_path, stream=True, save_steps=8)
        stream: Any = trainer.train_dataset
        stream.transform = lambda row: calls.append(row) or row
        calls.clear()
        trainer.train(resume_from_checkpoint=resume)

    run(None)
    assert len(calls) >= 36
    run(str(tmp_path / "checkpoint-8"))
    assert len(calls) <= 9  # the last of nine batches, one to look ahead, one row for the skipped


def test_what_cannot_be_a_stream_is_refused() -> None:
    with pytest.raises(ValueError, match=r"range_iterator, which can be read only once; expected"):
        ShuffledStream(iter(range(3)))
    with pytest.raises(ValueError, match="source, a list, has no rows") as refused:
        next(iter(ShuffledStream([])))
    assert str(refused.value) == (
        "source, a list, has no rows; expected one or more, in each pass: look at what it reads, "
        "and whether it can be read again"
    )
    for name in ("buffer", "batch_size"):
        with pytest.raises(ValueError, match=f"{name} is 0; expected a whole number, 1 or more"):
            ShuffledStream([1], **{name: 0})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="seed is -1"):
        ShuffledStream([1], seed=-1)
    for name in ("buffer", "seed", "batch_size"):
        with pytest.raises(ValueError, match=f"^{name} is None; expected a whole number, "):
            ShuffledStream([1], **{name: None})  # type: ignore[arg-type]
    state = ShuffledStream([1], seed=1).state_dict()
    assert state["batch_size"] == 1
    with pytest.raises(ValueError, match=r"'seed': 1.*expected \{'seed': 2"):
        ShuffledStream([1], seed=2).load_state_dict(state)
    with pytest.raises(TypeError, match="stream is a list; expected a ShuffledStream"):
        ExactResume([1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="seed is -1"):
        ExactResume(seed=-1)
