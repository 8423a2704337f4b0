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


def test_the_model_is_small_and_without_dropout() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        expected = torch.rand(1)
        torch.manual_seed(5)
        model = train_masked_lm(tokenizer, [batch], steps=1, length=32, seed=0)
        assert torch.rand(1) == expected, "nothing was drawn from the caller's generator"
    config = model.config
    assert config.vocab_size == len(tokenizer)
    assert (config.hidden_size, config.intermediate_size) == (128, 256)
    assert (config.num_hidden_layers, config.num_attention_heads) == (2, 4)
    assert (config.max_position_embeddings, config.initializer_range) == (32, 0.05)
    assert config.hidden_dropout_prob == config.attention_probs_dropout_prob == 0
    assert not model.training


def test_a_few_steps_make_the_selected_tokens_likelier() -> None:
    few = {name: tensor[:4] for name, tensor in batch.items()}
    where = few["labels"] != IGNORE_INDEX
    arguments = {name: few[name] for name in ("input_ids", "attention_mask", "token_type_ids")}
    losses = []
    for steps in (1, 8):
        model = train_masked_lm(tokenizer, [few], steps=steps, length=32, seed=0)
        with torch.no_grad():
            scores = model(**arguments).logits[where]
        losses.append(torch.nn.functional.cross_entropy(scores, few["labels"][where]).item())
    assert losses[1] < 0.8 * losses[0]


def test_accuracy_counts_the_given_places_alone() -> None:
    model = train_masked_lm(tokenizer, [batch], steps=1, length=32, seed=0)
    arguments = {name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids")}
    with torch.no_grad():
        named = model(**arguments).logits.argmax(-1)
    right = truth == named
    assert accuracy(model, batch, named, torch.ones_like(right)) == 1
    assert accuracy(model, batch, truth, ~right) == 0
