"""Small models trained on masked language modelling alone, to compare ways of masking.

All are trained from scratch in the same way; only the batches and the seed differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from transformers import BertConfig, BertTokenizer

from ..heads import MaskedLMModel, mean_loss
from ..optimization import make_optimizer, make_schedule
from ..pretraining import select
from ..training import Batch, endless, take_step

__all__ = ["accuracy", "train_masked_lm"]

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
        hidden = model.bert(**{name: batch[name] for name in ARGUMENTS}).last_hidden_state
        selected, targets = select(hidden, batch["labels"])  # only these need scores
        loss = mean_loss(model.cls["predictions"](selected), targets)
        take_step(model, loss, optimizer, schedule)
        on_step()
    return model.eval()  # type: ignore[no-any-return]  # torch says Any


def accuracy(model: MaskedLMModel, batch: Batch, truth: Tensor, where: Tensor) -> float:
    """The share of positions at which the model predicts the original token.

    Args:
        model: A model from `train_masked_lm`.
        batch: The model's inputs, ``(rows, length)`` each.
        truth: ``(rows, length)``, the ids before masking.
        where: ``(rows, length)``, True at the positions that count.
    """
    named = []
    with torch.inference_mode():
        for part in zip(*(batch[name].split(256) for name in ARGUMENTS), strict=True):
            logits = model(**dict(zip(ARGUMENTS, part, strict=True))).logits
            named.append(logits.argmax(-1))
    return (torch.cat(named) == truth)[where].float().mean().item()
