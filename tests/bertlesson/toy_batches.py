"""A small pretraining model, and batches to train it on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bertlesson.pretraining import PretrainingModel
from tests.bertlesson.small_bert import CONFIGS, VOCAB, random_inputs, random_labels, small_config

each_config = pytest.mark.parametrize("changes", CONFIGS.values(), ids=CONFIGS.keys())


def random_batch(rows: int, length: int, seed: int = 0) -> dict[str, Tensor]:
    labels = {
        "labels": random_labels((rows, length), VOCAB, seed),
        "next_sentence_label": random_labels((rows,), 2, seed),
    }
    return random_inputs(rows, length, seed) | labels


def toy_batches(dropout: float = 0.0) -> tuple[PretrainingModel, list[dict[str, Tensor]]]:
    """A fresh model and two batches."""
    torch.manual_seed(0)
    model = PretrainingModel(
        small_config(hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
    )
    return model, [random_batch(4, 8, seed) for seed in (1, 2)]
