"""A pretraining step timed against transformers' `BertForPreTraining`, on one thread.

Run it as `python benchmarks/pretraining.py`. A step is forward, backward and update. Both models
have the same weights, batches of 32 rows of 128 tokens and optimizer. It fails unless a step with
BERT's vocabulary in a model of two layers is at least 5 times as fast, and one with 8,192 pieces in
a model of four at least 1.5 times. The loss over the larger vocabulary, which transformers takes
from torch, is also timed by itself, forward and backward. It also reads what each side's process
holds at its peak in a step of 256 rows; theirs takes about 14 GB then.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import torch
from sides import Table, row_of
from torch.nn import functional as F  # noqa: N812
from transformers import BertConfig, BertForPreTraining, PreTrainedModel

from bertlesson.heads import mean_loss
from bertlesson.optimization import make_optimizer
from bertlesson.pretraining import PretrainingModel

LENGTH, SELECTED = 128, 0.15  # tokens of a row, and the share of them that carries a loss
SIZES = {(2, 128, 30_522): 5.0, (4, 256, 8_192): 1.5}  # layers, width, vocabulary -> at least
TURNS = 7
LARGE, LEAST_MEMORY = 256, 4.0  # rows; theirs over ours
LEAST_LOSS = 1.5
SIDES = {"theirs": BertForPreTraining, "ours": PretrainingModel}


def make_batch(rows: int, vocabulary: int) -> dict[str, torch.Tensor]:
    """Random ids, with a fixed number of selected positions in each row."""
    input_ids = torch.randint(1000, vocabulary, (rows, LENGTH))
    chosen = torch.rand(rows, LENGTH).argsort(dim=1)[:, : round(SELECTED * LENGTH)]
    labels = torch.full_like(input_ids, -100).scatter(1, chosen, input_ids.gather(1, chosen))
    return {
        "input_ids": input_ids.scatter(1, chosen, 103),
        "attention_mask": torch.ones_like(input_ids),
        "token_type_ids": (torch.arange(LENGTH) >= LENGTH // 2).long().expand(rows, -1),
        "labels": labels,
        "next_sentence_label": torch.randint(2, (rows,)),
    }


def config_of(layers: int, width: int, vocabulary: int) -> BertConfig:
    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
    )


def step(
    model: PreTrainedModel, optimizer: torch.optim.Optimizer, batch: dict[str, torch.Tensor]
) -> None:
    model(**batch).loss.backward()
    optimizer.step()
    optimizer.zero_grad()


def losses(vocabulary: int) -> list[partial[None]]:
    """The loss of the selected tokens of 32 rows, and its gradient, on both sides."""
    rows = round(SELECTED * LENGTH) * 32
    scores = torch.randn(rows, vocabulary, requires_grad=True)
    labels = torch.randint(vocabulary, (rows,))

    def run(loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        torch.autograd.grad(loss(scores, labels), scores)

    return [partial(run, F.cross_entropy), partial(run, mean_loss)]


def measure_memory(side: str) -> None:
    """Print what a step adds to the peak of this process, in GB."""
    config = config_of(*next(iter(SIZES)))
    model = SIDES[side](config).train()
    optimizer = make_optimizer(model)
    step(model, optimizer, make_batch(1, config.vocab_size))  # with the optimizer's own averages
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step(model, optimizer, make_batch(LARGE, config.vocab_size))
    added = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(added / (1024**3 if sys.platform == "darwin" else 1024**2))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", action="store_true", help="for the page")
    parser.add_argument("--memory", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.memory:
        measure_memory(options.memory)
        return 0
    table = Table("pretraining", "transformers", ("torch", "transformers"))
    for size, bar in SIZES.items():
        torch.manual_seed(0)
        config = config_of(*size)
        ours, theirs = PretrainingModel(config).train(), BertForPreTraining(config).train()
        theirs.load_state_dict(ours.state_dict())
        batch = make_batch(32, config.vocab_size)
        table.compare(
            "{} layers of {}, {:,} pieces".format(*size),
            "ms",
            [partial(step, model, make_optimizer(model), batch) for model in (theirs, ours)],
            turns=TURNS,
            at_least=bar,
        )
    vocabulary = max(pieces for _, _, pieces in SIZES)
    table.compare(
        f"the loss alone, {vocabulary:,} pieces",
        "ms",
        losses(vocabulary),
        turns=TURNS,
        at_least=LEAST_LOSS,
    )
    held = []
    for side in SIDES:
        command = [sys.executable, __file__, "--memory", side]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        held.append([float(run.stdout)])
    table.add(row_of(f"memory of {LARGE} rows", "GB", *held), LEAST_MEMORY)
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
