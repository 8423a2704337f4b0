"""A tokenizer of a few pieces, for tests of what comes before and after a model."""

from __future__ import annotations

import torch
from transformers import BertTokenizer

from bertlesson.entities import bio_labels

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "who",
    "was",
    "in",
    "the",
    "at",
    ",",
    ".",
    "?",
    "'",
    "ada",
    "greta",
    "##l",
    "##of",
    "green",
    "owl",
    "ber",
    "##gen",
    "delft",
    "a",
    "b",
]
LABELS = bio_labels(["PER", "LOC", "ORG"])


def make_tokenizer(length: int = 64) -> BertTokenizer:
    return BertTokenizer(
        vocab={piece: i for i, piece in enumerate(PIECES)}, model_max_length=length
    )


def pieces_of(tokenizer: BertTokenizer, ids: torch.Tensor) -> list[str]:
    return tokenizer.convert_ids_to_tokens(ids.tolist())
