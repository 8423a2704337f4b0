"""Masking and collating timed against `transformers`, on one thread.

Run it as `python benchmarks/masking.py`. It fails unless masking a batch of 256 rows of 128 tokens
is at least 5 times as fast, and collating 256 lists of 128 ids at least 10 times. For masking, both
are given the special tokens mask. The limit is what is left if everything else is free: drawing as
many random bits from torch's generator, making both arrays that are returned, and for lists turning
them into numbers.
"""

import struct
import sys

import torch
from sides import Table
from transformers import BertTokenizer, DataCollatorForLanguageModeling

from bertlesson.collating import MaskingCollator
from bertlesson.masking import mask_tokens

SHAPES = [(32, 128), (256, 128), (32, 512)]  # (batch, length)
BARS = {("mask", 256, 128): 5, ("collate", 256, 128): 10}
VOCAB_SIZE = 30522
TURNS, CALLS = 40, 10  # calls in a turn


def draw(bits: int) -> torch.Tensor:
    """As many random bits, 64 at a time."""
    return torch.empty(-(-bits // 64), dtype=torch.int64).random_(-(2**63), None)


def main() -> int:
    torch.set_num_threads(1)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = special + [f"word{i}" for i in range(VOCAB_SIZE - len(special))]
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    mask_token_id = tokenizer.mask_token_id
    collator, reference = MaskingCollator(tokenizer), DataCollatorForLanguageModeling(tokenizer)

    table = Table("masking", "transformers", ("torch", "transformers", "numpy"))
    for batch, length in SHAPES:
        input_ids = torch.randint(len(special), VOCAB_SIZE, (batch, length))
        input_ids[:, 0], input_ids[:, -1] = tokenizer.cls_token_id, tokenizer.sep_token_id
        special_tokens_mask = (input_ids < len(special)).long()
        rows, scratch = input_ids.tolist(), input_ids.clone()  # theirs modifies its argument
        pack = struct.Struct(f"{length}q").pack
        size = input_ids.numel()

        def mask(ids=input_ids, special_mask=special_tokens_mask):
            mask_tokens(ids, special_mask, mask_token_id=mask_token_id, vocab_size=VOCAB_SIZE)

        def reference_mask(ids=scratch, special_mask=special_tokens_mask):
            reference.torch_mask_tokens(ids, special_tokens_mask=special_mask)

        def least(ids=input_ids, size=size):
            draw(16 * size)  # for each token, whether it is selected
            draw(32 * round(0.15 * size))  # for each of these, its fate
            return ids.clone(), torch.full_like(ids, -100)

        def least_from_lists(rows=rows, pack=pack, least=least):
            return bytearray().join([pack(*row) for row in rows]), least()

        for step, sides in {
            "mask": (reference_mask, mask, least),
            "collate": (
                lambda rows=rows: reference(rows),
                lambda rows=rows: collator(rows),
                least_from_lists,
            ),
        }.items():
            table.compare(
                f"{step}, {batch} × {length}",
                "µs",
                sides,
                turns=TURNS,
                calls=CALLS,
                at_least=BARS.get((step, batch, length), 0),
            )
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
