"""A compiled pretraining step timed against an eager one, with a fixed count and without.

Run it as `python benchmarks/compiling.py`; torch's compiler needs a C++ compiler. A step is both
losses, gradients and update, on batches of one shape that are masked beforehand. "Selected" scores
as many positions as each batch has, "fixed" the same number in each row. "One graph" is
``fullgraph=True``. As in the reference's data, nine rows in ten are full and the others of any
length. The forms take turns and only the fastest of each form's turns counts, so other load on the
machine matters little. Compilations are counted over 50 batches. It fails unless a fixed count
compiles once.
"""

import sys
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch._dynamo.utils import counters
from transformers import BertConfig, BertTokenizer

from bertlesson.collating import MaskingCollator
from bertlesson.fixed_counts import FixedCountCollator, score_at_positions
from bertlesson.optimization import make_optimizer, make_schedule
from bertlesson.pretraining import PretrainingModel
from bertlesson.training import take_step

LENGTH, BATCH, COUNT, BATCHES, TURNS = 128, 16, 20, 50, 3
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"word{i}" for i in range(8187)]
SIZE = {"hidden_size": 128, "num_attention_heads": 2, "num_hidden_layers": 2}
DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
FORMS: dict[str, tuple[bool, dict[str, Any] | None]] = {
    "eager, selected": (False, None),
    "eager, fixed": (True, None),
    "compiled, selected": (False, {}),
    "compiled, fixed, one graph": (True, {"fullgraph": True}),
}


def batches(*, fixed: bool) -> list[Any]:
    """The same texts with the same masks in both forms, all rows padded to LENGTH."""
    tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(PIECES)})
    masking = MaskingCollator(
        tokenizer, seed=0, max_predictions_per_seq=COUNT, pad_to_multiple_of=LENGTH
    )
    collator = FixedCountCollator(masking, COUNT, LENGTH) if fixed else masking
    rng = np.random.default_rng(0)
    made = []
    for _ in range(BATCHES):
        rows = [
            {"input_ids": [2, *rng.integers(5, len(PIECES), length - 2).tolist(), 3]}
            for length in np.where(rng.random(BATCH) < 0.9, LENGTH, rng.integers(8, LENGTH, BATCH))
        ]
        batch = collator(rows)
        batch["next_sentence_label"] = torch.arange(BATCH) % 2
        made.append(batch)
    return made


def main() -> int:
    forms: dict[str, Any] = {}
    for name, (fixed, options) in FORMS.items():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(PIECES), intermediate_size=512, max_position_embeddings=LENGTH, **SIZE
        )
        config.update(DROPOUT)
        model = PretrainingModel(config).train()
        if fixed:
            score_at_positions(model)
        optimizer = make_optimizer(model, learning_rate=1e-6)
        schedule = make_schedule(optimizer, warmup_steps=1, total_steps=10**6)
        called: Any = model if options is None else torch.compile(model, **options)
        forms[name] = called, model, optimizer, schedule, batches(fixed=fixed)

    graphs, first, seconds = {}, {}, {name: [] for name in forms}
    for turn in range(TURNS):
        for name, (called, model, optimizer, schedule, made) in forms.items():
            if turn == 0:
                counters.clear()
                start = perf_counter()
                take_step(model, called(**made[0]).loss, optimizer, schedule)
                first[name] = perf_counter() - start
                for batch in made[1:]:
                    take_step(model, called(**batch).loss, optimizer, schedule)
                graphs[name] = counters["stats"]["unique_graphs"]
            for batch in made[:10]:
                start = perf_counter()
                take_step(model, called(**batch).loss, optimizer, schedule)
                seconds[name].append(perf_counter() - start)
    threads = torch.get_num_threads()
    print(f"{'':30} compilations  first step  steps a second   ({threads} threads)")
    base = min(seconds["eager, selected"])
    for name in forms:
        fastest = min(seconds[name])
        print(
            f"{name:30} {graphs[name]:12} {first[name]:9.1f} s {1 / fastest:15.1f} "
            f"({base / fastest:.2f})"
        )
    if graphs["compiled, fixed, one graph"] != 1:
        print("a fixed count was compiled more than once", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
