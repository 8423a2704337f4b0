"""A training step on packed rows timed against one on padded rows, on one thread.

Run it as `python benchmarks/packing.py`. A step is collating, both losses, gradients and update, of
the same texts with the same masks. Packed rows are as long as the batch's longest text, or four
times as long as the longest text that there can be. It fails unless the first are at least 1.3
times as fast on uniform lengths, 1.8 times on skewed ones, and no slower than 0.9 times where there
is nothing to gain.
"""

import random
import sys
from functools import partial
from typing import Any

import numpy as np
import torch
from sides import Table
from transformers import BertConfig, BertTokenizer

from bertlesson.collating import MaskingCollator
from bertlesson.nsp import create_pairs
from bertlesson.optimization import make_optimizer, make_schedule
from bertlesson.packing import PackingCollator, pool_each_text
from bertlesson.pretraining import PretrainingModel
from bertlesson.training import take_step

LENGTH, BATCH = 128, 32  # tokens of the longest text, texts of a batch
BARS = {("uniform", None): 1.3, ("skewed", None): 1.8, ("full", None): 0.9}
TURNS = 7
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"word{i}" for i in range(8187)]
WIDE = 4 * LENGTH
SIZE = {"hidden_size": 256, "num_attention_heads": 4, "num_hidden_layers": 2}
DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def texts_of(lengths: Any) -> list[dict[str, Any]]:
    """Texts of so many random tokens, as pairs of two segments."""
    rng = np.random.default_rng(1)
    return [
        {
            "input_ids": [2, *rng.integers(5, len(PIECES), length - 2).tolist(), 3],
            "token_type_ids": [0] * (length // 2) + [1] * (length - length // 2),
            "next_sentence_label": number % 2,
        }
        for number, length in enumerate(lengths.tolist())
    ]


def pairs() -> list[dict[str, Any]]:
    """Sentence pairs as the reference makes them, a tenth of them cut to a random length."""
    rng = random.Random(0)
    documents = [
        [rng.choices(PIECES[5:], k=rng.randint(5, 30)) for _ in range(rng.randint(4, 20))]
        for _ in range(60)
    ]
    vocab = {piece: i for i, piece in enumerate(PIECES)}
    made = create_pairs(documents, vocab, max_seq_length=LENGTH, rng=rng)
    columns = made[rng.sample(range(len(made)), BATCH)]
    lengths = columns.pop("attention_mask").sum(axis=1)  # without the padding that pairs come with
    del columns["special_tokens_mask"]
    return [
        {key: each[i][:length] if each.ndim > 1 else each[i] for key, each in columns.items()}
        for i, length in enumerate(lengths)
    ]


def rows_by_kind() -> dict[str, list[dict[str, Any]]]:
    rng = np.random.default_rng(0)
    skewed = rng.lognormal(np.log(LENGTH / 4) - 0.7**2 / 2, 0.7, BATCH)  # a mean of LENGTH / 4
    return {
        "uniform": texts_of(rng.integers(8, LENGTH + 1, BATCH)),
        "skewed": texts_of(np.clip(skewed, 8, LENGTH).astype(int)),
        "nsp": pairs(),
        "full": texts_of(np.full(BATCH, LENGTH)),
    }


def main() -> int:
    torch.set_num_threads(1)
    tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(PIECES)})
    config = BertConfig(
        vocab_size=len(PIECES), intermediate_size=1024, max_position_embeddings=LENGTH, **SIZE
    )
    config.update(DROPOUT)
    torch.manual_seed(0)
    model = pool_each_text(PretrainingModel(config)).train()
    optimizer = make_optimizer(model, learning_rate=1e-6)
    schedule = make_schedule(optimizer, warmup_steps=1, total_steps=10**6)

    def step(collator: Any, rows: list[dict[str, Any]]) -> None:
        take_step(model, model(**collator(rows)).loss, optimizer, schedule)

    table = Table("packing", "padded", ("torch", "transformers"))
    for kind, rows in rows_by_kind().items():
        for name, max_length in (("the longest", None), (WIDE, WIDE)):
            padded, masking = (MaskingCollator(tokenizer, seed=0) for _ in range(2))
            packed = PackingCollator(masking, model, max_length)
            table.compare(
                f"{kind}, packed into rows of {name}",
                "ms",
                [partial(step, collator, rows) for collator in (padded, packed)],
                turns=TURNS,
                at_least=BARS.get((kind, max_length), 0),
            )
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
