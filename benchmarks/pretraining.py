"""A pretraining step timed against transformers': forward, backward and update, on this machine.

    python benchmarks/pretraining.py

Both models have the same weights, batches and optimizer. They take turns on one thread, so other
load on the machine affects both alike. Fails if the speed-up is below the bar.
"""

from __future__ import annotations

import sys
import time

import torch
from transformers import BertConfig, BertForPreTraining, PreTrainedModel

from bertlesson.optimization import make_optimizer
from bertlesson.pretraining import PretrainingModel

BATCH, LENGTH, VOCAB = 32, 128, 30_522
SELECTED = 0.15  # share of the positions that carry a loss
STEPS = 6  # of each model; the fastest counts
BAR = 3.0  # at least this many times as fast


def make_batch() -> dict[str, torch.Tensor]:
    """Random ids, with a fixed number of selected positions in each row."""
    input_ids = torch.randint(1000, VOCAB, (BATCH, LENGTH))
    chosen = torch.rand(BATCH, LENGTH).argsort(dim=1)[:, : round(SELECTED * LENGTH)]
    labels = torch.full_like(input_ids, -100).scatter(1, chosen, input_ids.gather(1, chosen))
    return {
        "input_ids": input_ids.scatter(1, chosen, 103),
        "attention_mask": torch.ones_like(input_ids),
        "token_type_ids": (torch.arange(LENGTH) >= LENGTH // 2).long().expand(BATCH, -1),
        "labels": labels,
        "next_sentence_label": torch.randint(2, (BATCH,)),
    }


def step_time(
    model: PreTrainedModel, optimizer: torch.optim.Optimizer, batch: dict[str, torch.Tensor]
) -> float:
    """The duration of one step, in seconds."""
    start = time.perf_counter()
    model(**batch).loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return time.perf_counter() - start


def main() -> int:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=VOCAB,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=512,
    )
    ours, theirs = PretrainingModel(config).train(), BertForPreTraining(config).train()
    theirs.load_state_dict(ours.state_dict())
    optimizers = {model: make_optimizer(model) for model in (ours, theirs)}
    times: dict[PreTrainedModel, list[float]] = {ours: [], theirs: []}
    for _ in range(STEPS):
        batch = make_batch()
        for model, optimizer in optimizers.items():
            times[model].append(step_time(model, optimizer, batch))
    ratio = min(times[theirs]) / min(times[ours])
    print(f"one step, {BATCH}x{LENGTH}, 2 layers / 128 / {VOCAB}, one thread")
    for model in (theirs, ours):
        print(f"  {type(model).__name__:<20}{min(times[model]) * 1000:8.0f} ms")
    print(f"  {ratio:.2f} times as fast (expected at least {BAR:g})")
    return 0 if ratio >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
