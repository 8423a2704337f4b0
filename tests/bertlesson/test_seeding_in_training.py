"""Masks with a seed, where a run is long: epochs, workers, evaluations, resuming, processes."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import GradientState
from torch import Tensor, distributed
from torch.utils.data import DataLoader, IterableDataset
from transformers import BertConfig, BertForMaskedLM, BertTokenizer, Trainer, TrainingArguments

from bertlesson.collating import MaskingCallback, MaskingCollator

pytestmark = pytest.mark.slow

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(55))]
ROWS = [{"input_ids": [2, *range(5, 43), 3]}] * 16  # equal rows: only the draws tell them apart
STEPS = 4  # of 4 rows, in an epoch

Masks = list[list[list[int]]]  # [step][row][place]: what the model read


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer(vocab={piece: i for i, piece in enumerate(PIECES)})


class Watching(Trainer):
    """Keeps what the model reads, in training and in evaluations."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.trained: Masks = []
        self.evaluated: Masks = []

    def training_step(self, model: Any, inputs: Any, *args: Any) -> Tensor:
        self.trained.append(inputs["input_ids"].tolist())
        return super().training_step(model, inputs, *args)

    def prediction_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        self.evaluated.append(inputs["input_ids"].tolist())
        return super().prediction_step(model, inputs, *args, **kwargs)


def make_trainer(
    tokenizer: BertTokenizer,
    folder: Path,
    data: Any = ROWS,
    callback: bool = False,
    workers: int = 0,
    persistent: bool = False,
    **arguments: Any,
) -> Watching:
    torch.manual_seed(0)
    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    collator = MaskingCollator(tokenizer, seed=5, at_least_one=True)
    settings = {
        "num_train_epochs": 3,
        "save_strategy": "no",
        "logging_strategy": "no",
        "train_sampling_strategy": "sequential",
    }
    return Watching(
        BertForMaskedLM(BertConfig(vocab_size=len(PIECES), intermediate_size=8, **shape)),
        TrainingArguments(
            str(folder),
            use_cpu=True,
            disable_tqdm=True,
            report_to=[],
            per_device_train_batch_size=4,
            per_device_eval_batch_size=4,
            dataloader_pin_memory=False,
            dataloader_num_workers=workers,
            dataloader_persistent_workers=persistent,
            **settings | arguments,
        ),
        train_dataset=data,
        eval_dataset=ROWS[:8],
        data_collator=collator,  # type: ignore[arg-type]
        callbacks=[MaskingCallback(collator)] if callback else [],
    )


def assert_all_differ(masks: Masks) -> None:
    assert len({str(batch) for batch in masks}) == len(masks)


LOADERS = [
    {"workers": 0},
    {"workers": 2},
    {"workers": 2, "callback": True},
    {"workers": 2, "callback": True, "persistent": True},
]


@pytest.fixture(scope="module")
def expected(tokenizer: BertTokenizer, tmp_path_factory: pytest.TempPathFactory) -> Masks:
    """What a run without workers or evaluations trains on."""
    trainer = make_trainer(tokenizer, tmp_path_factory.mktemp("run"))
    trainer.train()
    assert len(trainer.trained) == 3 * STEPS
    assert_all_differ(trainer.trained)
    return trainer.trained


@pytest.mark.parametrize("loaders", LOADERS)
def test_evaluations_change_nothing_and_see_the_same_masks(
    tokenizer: BertTokenizer, tmp_path: Path, expected: Masks, loaders: dict[str, Any]
) -> None:
    trainer = make_trainer(
        tokenizer, tmp_path, eval_strategy="steps", eval_steps=2, eval_on_start=True, **loaders
    )
    trainer.train()
    trainer.evaluate()
    assert trainer.trained == expected
    evaluations = [trainer.evaluated[i : i + 2] for i in range(0, len(trainer.evaluated), 2)]
    assert len(evaluations) == 1 + 3 * STEPS // 2 + 1
    assert evaluations == [evaluations[0]] * len(evaluations)
    assert evaluations[0][0] != evaluations[0][1]


@pytest.mark.parametrize("fresh", [True, False], ids=["another collator", "the same collator"])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_that_stopped_within_an_epoch_is_over(
    tokenizer: BertTokenizer, tmp_path: Path, workers: int, fresh: bool
) -> None:
    """accelerate keeps its loader as the active one, though nobody iterates over it any more."""
    trainer = make_trainer(tokenizer, tmp_path, max_steps=STEPS - 1)
    trainer.train()
    assert GradientState().active_dataloader is not None
    collator: Any = trainer.data_collator
    if fresh:
        collator = MaskingCollator(tokenizer, seed=5, at_least_one=True)
    loader: Any = DataLoader(ROWS, batch_size=4, collate_fn=collator, num_workers=workers)
    assert_all_differ([batch["input_ids"].tolist() for _ in range(2) for batch in loader])


def test_a_trainer_that_only_evaluates_sees_the_same_masks_each_time(
    tokenizer: BertTokenizer, tmp_path: Path
) -> None:
    trainer = make_trainer(tokenizer, tmp_path)
    losses = [trainer.evaluate()["eval_loss"] for _ in range(3)]
    losses.append(trainer.predict(ROWS[:8]).metrics["test_loss"])  # type: ignore[arg-type]
    assert losses == [losses[0]] * 4


@pytest.mark.parametrize(
    ("stop", "loaders"), [(4, LOADERS[0]), (4, LOADERS[3]), *((6, loaders) for loaders in LOADERS)]
)
def test_a_resumed_run_goes_on_with_the_masks_that_it_would_have_had(
    tokenizer: BertTokenizer, tmp_path: Path, expected: Masks, stop: int, loaders: dict[str, Any]
) -> None:
    settings = {"save_strategy": "steps", "save_steps": stop, **loaders}
    make_trainer(tokenizer, tmp_path, **settings).train()
    resumed = make_trainer(tokenizer, tmp_path, **settings)
    resumed.train(resume_from_checkpoint=str(tmp_path / f"checkpoint-{stop}"))
    assert resumed.trained == expected[stop:]


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(ROWS)


class EndlessStream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return itertools.cycle(ROWS)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("data", [Stream(), EndlessStream()])
def test_streams_repeat_nothing_and_can_be_resumed(
    tokenizer: BertTokenizer, tmp_path: Path, data: IterableDataset[Any], workers: int
) -> None:
    settings = {"max_steps": 12, "save_strategy": "steps", "save_steps": 6, "workers": workers}
    whole = make_trainer(tokenizer, tmp_path, data, **settings)
    whole.train()
    assert len(whole.trained) == 12
    assert_all_differ(whole.trained)
    resumed = make_trainer(tokenizer, tmp_path, data, **settings)
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-6"))
    if isinstance(data, EndlessStream):  # of others Trainer does not know where an epoch ends
        assert resumed.trained == whole.trained[6:]


def test_accumulating_gradients_changes_no_mask(
    tokenizer: BertTokenizer, tmp_path: Path, expected: Masks
) -> None:
    trainer = make_trainer(tokenizer, tmp_path, gradient_accumulation_steps=2)
    trainer.train()
    assert trainer.trained == expected


def test_spawned_workers_know_the_epoch(tokenizer: BertTokenizer) -> None:
    """Where workers are not forked they get it with the collator."""
    seen = []
    for context, workers in ((None, 0), ("spawn", 1)):
        loader = Accelerator(cpu=True).prepare(
            DataLoader(
                ROWS,  # type: ignore[arg-type]
                8,
                collate_fn=MaskingCollator(tokenizer, seed=5),
                num_workers=workers,
                multiprocessing_context=context,
            )
        )
        seen.append([batch["input_ids"].tolist() for _ in range(2) for batch in loader])
    assert_all_differ(seen[0])
    assert seen[0] == seen[1]


# loops of one's own


def epoch(loader: Any) -> Masks:
    return [batch["input_ids"].tolist() for batch in loader]


def plain_loader(collator: MaskingCollator, workers: int, **more: Any) -> DataLoader[Any]:
    return DataLoader(ROWS, 4, collate_fn=collator, num_workers=workers, **more)  # type: ignore[arg-type]


def test_a_loop_that_announces_its_epochs_can_be_resumed_with_any_workers(
    tokenizer: BertTokenizer,
) -> None:
    runs = []
    for workers, persistent in ((0, False), (2, False), (2, True), (1, False)):
        collator = MaskingCollator(tokenizer, seed=5)
        loader = plain_loader(collator, workers, persistent_workers=persistent)
        run: Masks = []
        for number in range(3):
            collator.set_epoch(number)
            run += epoch(loader)
        runs.append(run)
    assert_all_differ(runs[0])
    assert runs == [runs[0]] * len(runs)

    collator = MaskingCollator(tokenizer, seed=5)
    collator.set_epoch(1, first_batch=2)
    rest = DataLoader(ROWS[8:], 4, collate_fn=collator)  # type: ignore[arg-type]
    assert epoch(rest) == runs[0][6:8]


@pytest.mark.parametrize("name", ["epoch", "first_batch"])
def test_epochs_are_counted(tokenizer: BertTokenizer, name: str) -> None:
    place = {"epoch": 0, "first_batch": 0} | {name: -1}
    with pytest.raises(ValueError, match=f"{name} is -1; expected a whole number, 0 or more"):
        MaskingCollator(tokenizer, seed=5).set_epoch(**place)


def test_torch_s_seed_set_in_each_epoch_repeats_nothing(tokenizer: BertTokenizer) -> None:
    for workers in (0, 2):
        loader = plain_loader(MaskingCollator(tokenizer, seed=5), workers)
        masks: Masks = []
        for _ in range(3):
            torch.manual_seed(0)
            masks += epoch(loader)
        assert_all_differ(masks)


# processes that train together


def masks_of_rank(tokenizer: BertTokenizer, rank: int, folder: Path, queue: Any) -> None:
    torch.set_num_threads(1)
    store = f"file://{folder}/store"
    distributed.init_process_group("gloo", store, rank=rank, world_size=2)
    collator = MaskingCollator(tokenizer, seed=5)
    rows = [row["input_ids"] for row in ROWS]
    masks = [collator(rows)["input_ids"].tolist()]
    collator.set_epoch(0)
    masks.append(collator(rows)["input_ids"].tolist())
    queue.put((rank, masks + epoch(plain_loader(MaskingCollator(tokenizer, seed=5), 1))))


def test_processes_draw_differently_with_one_seed(tokenizer: BertTokenizer, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    processes = [
        context.Process(target=masks_of_rank, args=(tokenizer, rank, tmp_path, queue))
        for rank in range(2)
    ]
    for process in processes:
        process.start()
    masks = dict(queue.get() for _ in processes)
    for process in processes:
        process.join()
    assert_all_differ(masks[0] + masks[1])
