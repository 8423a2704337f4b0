"""Masking and collating timed against `transformers`: in µs, and as a ratio.

Run it as `python benchmarks/masking.py`. It fails unless masking a batch of 256 rows of 128 tokens
is at least 5 times as fast, and collating 256 lists of 128 ids at least 10 times. The two sides
take turns of ten calls, and only the fastest turn of each counts, so other load on the machine
affects neither. For masking, both are given the special tokens mask.
"""

import sys
from collections.abc import Callable
from time import perf_counter

import torch
from transformers import BertTokenizer, DataCollatorForLanguageModeling

from bertlesson.collating import MaskingCollator
from bertlesson.masking import mask_tokens

SHAPES = [(32, 128), (256, 128), (32, 512)]  # (batch, length)
BARS = {("mask", 256, 128): 5, ("collate", 256, 128): 10}
VOCAB_SIZE = 30522
ROUNDS = {"mask": 40, "collate": 20}
CALLS = 10  # per round


def fastest(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> list[float]:
    """The time per call of each side in its fastest round, in µs."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for run, kept in zip((ours, theirs), times, strict=True):
            start = perf_counter()
            for _ in range(CALLS):
                run()
            kept.append((perf_counter() - start) / CALLS)
    return [min(kept) * 1e6 for kept in times]


def main() -> int:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = special + [f"word{i}" for i in range(VOCAB_SIZE - len(special))]
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    mask_token_id = tokenizer.mask_token_id
    collator, reference = MaskingCollator(tokenizer), DataCollatorForLanguageModeling(tokenizer)

    missed = []
    print("step      batch  length  threads  transformers   ours  ratio")
    for threads in sorted({1, torch.get_num_threads()}):
        torch.set_num_threads(threads)
        for batch, length in SHAPES:
            input_ids = torch.randint(len(special), VOCAB_SIZE, (batch, length))
            input_ids[:, 0], input_ids[:, -1] = tokenizer.cls_token_id, tokenizer.sep_token_id
            special_tokens_mask = (input_ids < len(special)).long()
            rows, scratch = input_ids.tolist(), input_ids.clone()  # theirs modifies its argument

            def mask(ids=input_ids, special_mask=special_tokens_mask):
                mask_tokens(ids, special_mask, mask_token_id=mask_token_id, vocab_size=VOCAB_SIZE)

            def reference_mask(ids=scratch, special_mask=special_tokens_mask):
                reference.torch_mask_tokens(ids, special_tokens_mask=special_mask)

            pairs = {
                "mask": (mask, reference_mask),
                "collate": (lambda rows=rows: collator(rows), lambda rows=rows: reference(rows)),
            }
            for step, (ours, theirs) in pairs.items():
                our_time, their_time = fastest(ours, theirs, ROUNDS[step])
                ratio, bar = their_time / our_time, BARS.get((step, batch, length), 0)
                print(
                    f"{step:8} {batch:6} {length:7} {threads:8} {their_time:13.0f} {our_time:6.0f} "
                    f"{ratio:6.1f}{f'  (at least {bar})' if bar else ''}"
                )
                if ratio < bar:
                    missed.append(f"{step} {batch}x{length}: {ratio:.1f}, expected {bar}")
    for line in missed:
        print("too slow:", line, file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
