"""Packed rows timed against padded ones: real tokens per second of a training step, as a ratio.

Run it as `python benchmarks/packing.py`. A step is collating, both losses, gradients and update, of
the same texts with the same masks. The forms take turns and only the fastest turn of each counts,
so other load on the machine affects neither. It fails unless packing is at least 1.3 times as fast
on uniform lengths, twice on skewed ones, and no slower than 0.9 times where there is nothing to
gain.

"Rows of" is the length of a packed row: that of the batch's longest text, or four times the longest
text that there can be. "Full" is the share of the positions that hold a token.
"""

import random
import sys
from time import perf_counter
from typing import Any

import numpy as np
import torch
from transformers import BertConfig, BertTokenizer

from bertlesson.collating import MaskingCollator
from bertlesson.nsp import create_pairs
from bertlesson.optimization import make_optimizer, make_schedule
from bertlesson.packing import PackingCollator, pool_each_text
from bertlesson.pretraining import PretrainingModel
from bertlesson.training import take_step

LENGTH, BATCH = 128, 32  # tokens of the longest text, texts of a batch
BARS = {("uniform", None): 1.3, ("skewed", None): 2.0, ("full", None): 0.9}
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
    tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(PIECES)})
    config = BertConfig(
        vocab_size=len(PIECES), intermediate_size=1024, max_position_embeddings=LENGTH, **SIZE
    )
    config.update(DROPOUT)
    torch.manual_seed(0)
    model = pool_each_text(PretrainingModel(config)).train()
    optimizer = make_optimizer(model, learning_rate=1e-6)
    schedule = make_schedule(optimizer, warmup_steps=1, total_steps=10**6)

    missed = []
    print(
        f"texts    full  rows of  rows  full  padded  packed  ratio   ({torch.get_num_threads()}",
        end="",
    )
    print(" threads; tokens per second)")
    for kind, rows in rows_by_kind().items():
        tokens = sum(len(row["input_ids"]) for row in rows)
        forms: dict[Any, Any] = {"padded": MaskingCollator(tokenizer, seed=0)}
        for max_length in (None, WIDE):
            masking = MaskingCollator(tokenizer, seed=0)
            forms[max_length] = PackingCollator(masking, model, max_length)
        seconds: dict[Any, list[float]] = {form: [] for form in forms}
        shapes = {}
        for _ in range(TURNS):
            for form, collator in forms.items():
                start = perf_counter()
                batch = collator(rows)
                take_step(model, model(**batch).loss, optimizer, schedule)
                seconds[form].append(perf_counter() - start)
                shapes[form] = batch["input_ids"].shape
        padded = tokens / min(seconds["padded"])
        fill = tokens / shapes["padded"].numel()
        for form in (None, WIDE):
            packed = tokens / min(seconds[form])
            ratio, bar = packed / padded, BARS.get((kind, form), 0)
            print(
                f"{kind:8} {fill:4.0%} {form or 'longest':>8} {shapes[form][0]:5} "
                f"{tokens / shapes[form].numel():5.0%} {padded:7.0f} {packed:7.0f} {ratio:6.2f}"
                f"{f'  (at least {bar})' if bar else ''}",
                flush=True,
            )
            if ratio < bar:
                missed.append(f"{kind}, rows of {form or 'longest'}: {ratio:.2f}, expected {bar}")
    for line in missed:
        print("too slow:", line, file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
