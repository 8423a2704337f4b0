"""The small models differ in nothing but batches and seed, and their scores count what they say."""

from __future__ import annotations

import pytest
import torch

from bertlesson.collating import MaskingCollator
from bertlesson.heads import IGNORE_INDEX
from bertlesson.lesson import tiny
from bertlesson.lesson.ablation import accuracy, train_masked_lm
from bertlesson.lesson.corpus import generate_documents

documents = generate_documents(40, seed=0)
tokenizer = tiny.make_tokenizer(documents, whole_words=50, max_seq_length=32)
rows = tiny.sentence_pairs(documents, tokenizer, 32, seed=0)[:16]
batch = MaskingCollator(tokenizer, seed=0)(rows)
truth = torch.from_numpy(rows["input_ids"])


@pytest.mark.slow
def test_it_learns_one_batch_by_heart_and_is_the_same_twice() -> None:
    where = batch["labels"] != IGNORE_INDEX
    steps = []
    first, second = (
        train_masked_lm(
            tokenizer, [batch], steps=60, length=32, seed=3, on_step=lambda: steps.append(1)
        )
        for _ in range(2)
    )
    assert len(steps) == 120
    assert accuracy(first, batch, truth, where) > 0.9
    assert all(map(torch.equal, first.state_dict().values(), second.state_dict().values()))


def test_accuracy_counts_the_given_places_alone() -> None:
    model = train_masked_lm(tokenizer, [batch], steps=1, length=32, seed=0)
    arguments = {name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids")}
    with torch.no_grad():
        named = model(**arguments).logits.argmax(-1)
    right = truth == named
    assert accuracy(model, batch, named, torch.ones_like(right)) == 1
    assert accuracy(model, batch, truth, ~right) == 0
