"""Configurations, weights and batches that the tests of the heads and of pretraining share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig

VOCAB = 37
LENGTH = 16  # at most

CONFIGS = {
    "as released": {},
    "own classifier dropout": {"classifier_dropout": 0.4, "num_labels": 5},
    "relu, eager, wide": {
        "hidden_act": "relu",
        "attn_implementation": "eager",
        "layer_norm_eps": 1e-3,
        "hidden_size": 24,
        "num_hidden_layers": 1,
        "num_labels": 2,
    },
}


def small_config(**changes: Any) -> BertConfig:
    """A BERT of a few thousand weights."""
    settings: dict[str, Any] = {
        "vocab_size": VOCAB,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": LENGTH,
        "num_labels": 3,
    }
    return BertConfig(**(settings | changes))


def with_random_weights(model: nn.Module, seed: int = 0) -> Any:
    """The model in eval mode and double precision, no weight zero: a lost bias must show."""
    generator = torch.Generator().manual_seed(seed)
    model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.3, generator=generator)
    return model


def random_inputs(rows: int, length: int, seed: int = 0) -> dict[str, Tensor]:
    """Ids, segments, and padding on the right of all rows but the first."""
    generator = torch.Generator().manual_seed(seed)
    real = torch.randint(1, length + 1, (rows, 1), generator=generator)
    real[0] = length
    return {
        "input_ids": torch.randint(VOCAB, (rows, length), generator=generator),
        "attention_mask": (torch.arange(length) < real).long(),
        "token_type_ids": torch.randint(2, (rows, length), generator=generator),
    }


def random_labels(shape: tuple[int, ...], classes: int, seed: int = 0) -> Tensor:
    """Labels of which some are -100, but not the first."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, shape, generator=generator)
    ignored = torch.rand(shape, generator=generator) < 0.4
    ignored.view(-1)[0] = False
    return labels.masked_fill(ignored, -100)


def gradients(model: nn.Module, loss: Tensor) -> dict[str, Tensor]:
    """The gradient of every parameter, by its first name; zeros where there is none."""
    model.zero_grad()
    loss.backward()
    return {
        name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()
        for name, parameter in model.named_parameters()
    }
