"""Small models trained on masked language modelling alone, to compare ways of masking.

All are trained from scratch in the same way; only the batches and the seed differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from transformers import BertConfig, BertTokenizer

from ..heads import IGNORE_INDEX, MaskedLMModel, mean_loss
from ..optimization import make_optimizer, make_schedule
from ..training import Batch, endless, take_step
from .last_layer import hidden_at

__all__ = ["accuracy", "restore", "train_masked_lm"]

ARGUMENTS = ("input_ids", "attention_mask", "token_type_ids")


def train_masked_lm(
    tokenizer: BertTokenizer,
    batches: Iterable[Batch],
    *,
    steps: int,
    length: int,
    seed: int,
    learning_rate: float = 3e-3,
    on_step: Callable[[], object] = lambda: None,
) -> MaskedLMModel:
    """Train a model with two layers of width 128, without dropout.

    Args:
        tokenizer: Determines the size of the vocabulary.
        batches: Batches from `bertlesson.collating.MaskingCollator`; additional keys are ignored.
        steps: Number of updates. The learning rate rises for the first tenth, then falls to zero.
        length: The longest row, in tokens.
        seed: Seed for the initial weights.
        learning_rate: The peak learning rate.
        on_step: Called after each step, for example to advance a progress bar.

    Returns:
        The model, in eval mode.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MaskedLMModel(
            BertConfig(
                vocab_size=len(tokenizer),
                hidden_size=128,
                num_hidden_layers=2,
                num_attention_heads=4,
                intermediate_size=256,
                max_position_embeddings=length,
                initializer_range=0.05,
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
            )
        )
    optimizer = make_optimizer(model, learning_rate, betas=(0.9, 0.98))
    schedule = make_schedule(optimizer, warmup_steps=steps // 10, total_steps=steps)
    for _, batch in zip(range(steps), endless(batches), strict=False):
        where = batch["labels"] != IGNORE_INDEX  # only these need scores
        selected = hidden_at(model.bert, batch, where)  # (selected, hidden)
        loss = mean_loss(model.cls["predictions"](selected), batch["labels"][where])
        take_step(model, loss, optimizer, schedule)
        on_step()
    return model.eval()  # type: ignore[no-any-return]  # torch says Any


@torch.inference_mode()
def restore(model: MaskedLMModel, batch: Batch, where: Tensor) -> Tensor:
    """Replace the tokens at some positions by those that the model predicts there.

    Args:
        model: A model from `train_masked_lm`.
        batch: The model's inputs, ``(rows, length)`` each.
        where: ``(rows, length)``, True at the positions to predict.

    Returns:
        ``(rows, length)``, ids.
    """
    named = []
    inputs = {name: batch[name].split(128) for name in ARGUMENTS}
    for number, asked in enumerate(where.split(128)):
        part = {name: parts[number] for name, parts in inputs.items()}
        named.append(model.cls["predictions"](hidden_at(model.bert, part, asked)).argmax(-1))
    return batch["input_ids"].masked_scatter(where, torch.cat(named))


def accuracy(model: MaskedLMModel, batch: Batch, truth: Tensor, where: Tensor) -> float:
    """The share of positions at which the model predicts the original token.

    Args:
        model: A model from `train_masked_lm`.
        batch: The model's inputs, ``(rows, length)`` each.
        truth: ``(rows, length)``, the ids before masking.
        where: ``(rows, length)``, True at the positions that count.
    """
    return (restore(model, batch, where) == truth)[where].float().mean().item()
