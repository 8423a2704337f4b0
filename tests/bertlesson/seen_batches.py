"""Batches in which one thing was done on purpose, for the tests of a diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from bertlesson.diagnosis_rows import Form, Rows, observe
from bertlesson.diagnosis_table import Declared, Line, Table
from bertlesson.masking import DEFAULT_RECIPE
from tests.bertlesson.broken_collators import PAD, make_tokenizer

FORM = Form(("input_ids", "attention_mask"), padded=False, tensors=False)
BERTS = Declared(DEFAULT_RECIPE, "BERT's", whole_words=False)
Arrays = dict[str, Any]
Change = Callable[[Arrays, list[dict[str, Any]]], Any]


def untouched(features: list[dict[str, Any]]) -> Arrays:
    """The rows padded on the right, with nothing selected."""
    width = max(len(row["input_ids"]) for row in features)
    ids = np.array([row["input_ids"] + [PAD] * (width - len(row["input_ids"])) for row in features])
    mask = (np.arange(width) < [[len(row["input_ids"])] for row in features]).astype(np.int64)
    return {"input_ids": ids, "attention_mask": mask, "labels": np.full_like(ids, -100)}


def select(arrays: Arrays, row: Any, place: Any, seen: Any = None) -> None:
    """Select tokens; the model sees this there, or the original."""
    arrays["labels"][row, place] = arrays["input_ids"][row, place]
    if seen is not None:
        arrays["input_ids"][row, place] = seen


def table_of(
    texts: Sequence[str],
    *changes: Change,
    declared: Declared = BERTS,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> Table:
    """What is known of one batch of all texts for each change."""
    rows = Rows(tokenizer or make_tokenizer(), texts, 128)

    def changed(change: Change) -> Any:
        def collator(features: list[dict[str, Any]]) -> Arrays:
            arrays = untouched(features)
            change(arrays, features)
            return arrays

        return observe(collator, rows, range(len(texts)), FORM)

    return Table(rows, [changed(change) for change in changes], declared)


def by_name(lines: Sequence[Line]) -> dict[str, Line]:
    return {line.name: line for line in lines}
