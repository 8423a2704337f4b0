"""What `test_pretraining_trainer.py` runs on one process and on two, to compare what comes of it.

    python -m torch.distributed.run --nproc_per_node=2 tests/trainer_worker.py FILE

writes to the file what rank 0 found.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from transformers import EvalPrediction, Trainer, TrainingArguments, default_data_collator

from bertlesson.heads import MaskedLMModel
from bertlesson.optimization import make_optimizer
from bertlesson.pretraining import PretrainingModel
from tests.bertlesson.small_bert import VOCAB, small_config

LENGTH = 12
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
COUNTS: dict[str, list[int]] = {  # selected positions of each row
    "unequal": [3, 1, 2, 4, 2],
    "equal": [2, 2, 2, 2, 2],
    "many, some none": [row * 7 % 5 for row in range(23)],
}


def make_rows(counts: list[int], *, pairs: bool = True) -> list[dict[str, Any]]:
    """Rows of growing lengths, so that batches differ in it."""
    generator = torch.Generator().manual_seed(0)
    rows = []
    for number, count in enumerate(counts):
        ids = torch.randint(5, VOCAB, (LENGTH,), generator=generator)
        labels = torch.full_like(ids, -100)
        labels[1 : 1 + count] = ids[1 : 1 + count]
        row: dict[str, Any] = {"input_ids": ids.tolist(), "labels": labels.tolist()}
        if pairs:
            row["next_sentence_label"] = number % 2
        rows.append(row)
    return rows


def shorter_batches(rows: list[dict[str, Any]]) -> dict[str, Tensor]:
    """Batches of different lengths: from the end is cut what the rows' sum of ids says."""
    batch: dict[str, Tensor] = default_data_collator(rows)
    length = LENGTH - int(batch["input_ids"][0, 0]) % 4
    for name in ("input_ids", "labels"):
        batch[name] = batch[name][:, :length]
    return batch


def make_trainer(model: Any, **settings: Any) -> Trainer:
    settings = {"per_device_eval_batch_size": 2, "per_device_train_batch_size": 2} | settings
    compute_metrics = settings.pop("compute_metrics", None)
    collator = settings.pop("data_collator", shorter_batches)
    train_dataset = settings.pop("train_dataset", None)
    eval_dataset = settings.pop("eval_dataset", None)
    arguments = TrainingArguments(
        tempfile.mkdtemp(),
        use_cpu=True,
        disable_tqdm=True,
        report_to="none",
        save_strategy="no",
        **settings,
    )
    return Trainer(
        model,
        arguments,
        data_collator=collator,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        compute_metrics=compute_metrics,
    )


def new_model(**settings: Any) -> PretrainingModel:
    torch.manual_seed(0)
    return PretrainingModel(small_config(**NO_DROPOUT), **settings)


def predict() -> dict[str, Any]:
    """What `Trainer.predict` gives, for each of the counts."""
    found = {}
    for name, counts in COUNTS.items():
        output = make_trainer(new_model()).predict(make_rows(counts))
        found[name] = [torch.from_numpy(each) for each in (*output.predictions, output.label_ids)]
    return found


def losses_and_accuracies(given: EvalPrediction) -> dict[str, float]:
    """As a user would write it, from the order that `PretrainingOutput` states."""
    scores, predicted_ids, row_losses, next_sentence = given.predictions
    labels = given.label_ids
    selected = labels != -100
    return {
        "mlm_loss": row_losses.sum() / selected.sum(),
        "mlm_accuracy": (predicted_ids == labels)[selected].mean(),
        "nsp_accuracy": (scores.argmax(-1) == next_sentence).mean(),
        "rows": len(scores),
    }


def evaluate() -> dict[str, Any]:
    """What `Trainer.evaluate` reports with `compute_metrics`, for each of the counts."""
    return {
        name: make_trainer(
            new_model(),
            eval_dataset=make_rows(counts),
            compute_metrics=losses_and_accuracies,
        ).evaluate()
        for name, counts in COUNTS.items()
    }


FORMS: dict[str, dict[str, Any]] = {
    "pairs": {"pairs": True, "nsp_weight": 1},
    "masked words": {"pairs": False, "nsp_weight": 1},
    "masked words, the form": {"pairs": False, "nsp_weight": 0},
}


def train() -> dict[str, Any]:
    """The losses of three steps by `Trainer`, and the weights after them, for each form."""
    found = {}
    for name, form in FORMS.items():
        rows = make_rows(COUNTS["many, some none"], pairs=form["pairs"])
        model = new_model(nsp_weight=form["nsp_weight"])
        trainer = make_trainer(
            model,
            train_dataset=rows,
            eval_dataset=rows,
            max_steps=3,
            logging_steps=1,
            learning_rate=0.05,
            optim="sgd",
            weight_decay=0.0,
            eval_strategy="steps",
            eval_steps=3,
            data_collator=default_data_collator,
            ddp_find_unused_parameters=False,
        )
        trainer.train()
        history = trainer.state.log_history
        found[name] = {
            "losses": [entry["loss"] for entry in history if "loss" in entry],
            "eval_loss": [entry["eval_loss"] for entry in history if "eval_loss" in entry],
            "weights": {name: each.detach() for name, each in model.named_parameters()},
        }
    return found


def plain_loop() -> dict[str, Any]:
    """`DistributedDataParallel` as it is by default, which waits for all gradients, three steps.

    A single process that takes each step on all rows at once is its measure.
    """
    rank = int(os.environ.get("RANK", "0"))
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes > 1 and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("gloo")
    batch = default_data_collator(make_rows([2] * 8))
    part = {name: each.chunk(processes)[rank] for name, each in batch.items()}
    untied = small_config(tie_word_embeddings=False, **NO_DROPOUT)
    torch.manual_seed(0)
    models: dict[str, tuple[Any, tuple[str, ...]]] = {
        "pairs": (new_model(), ("labels", "next_sentence_label")),
        "masked words": (new_model(), ("labels",)),
        "masked words, the form": (new_model(nsp_weight=0), ("labels",)),
        "next sentence": (new_model(), ("next_sentence_label",)),
        "untied": (PretrainingModel(untied), ("labels",)),
        "untied MaskedLMModel": (MaskedLMModel(untied), ("labels",)),
    }
    found = {}
    for name, (model, labels) in models.items():
        model.train()
        given = {key: part[key] for key in ("input_ids", *labels)}
        optimizer = make_optimizer(model, 1e-2, weight_decay=0.0)
        wrapped = DistributedDataParallel(model) if processes > 1 else model
        losses = []
        for _ in range(3):
            loss = wrapped(**given).loss
            losses.append(loss.item())
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        found[name] = {
            "losses": losses,
            "weights": {name: each.detach() for name, each in model.named_parameters()},
        }
    return found


def everything() -> dict[str, Any]:
    return {job.__name__: job() for job in (predict, evaluate, train, plain_loop)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    result = everything()
    if os.environ["RANK"] == "0":
        torch.save(result, sys.argv[1])
    torch.distributed.destroy_process_group()
