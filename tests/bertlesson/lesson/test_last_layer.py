"""Skipping positions in the last layer changes neither what a head reads nor any gradient."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import BertConfig, BertModel

from bertlesson.heads import SequenceClassificationModel
from bertlesson.lesson.last_layer import hidden_at, read_first_only

CONFIG = BertConfig(
    vocab_size=30,
    hidden_size=16,
    num_attention_heads=2,
    num_hidden_layers=3,
    intermediate_size=24,
    max_position_embeddings=12,
    initializer_range=0.3,
)


def a_batch() -> dict[str, Tensor]:
    """Rows of different lengths, padded to 9 pieces."""
    real = (torch.arange(9) < torch.tensor([9, 4, 7, 6])[:, None]).long()
    ids = torch.randint(1, 30, real.shape) * real
    segments = (torch.arange(9) > 3).long() * real
    return {"input_ids": ids, "attention_mask": real, "token_type_ids": segments}


def gradients(model: torch.nn.Module, vectors: Tensor) -> dict[str, Tensor]:
    """By parameter, of a sum in which each vector counts differently."""
    model.zero_grad()
    (vectors * torch.linspace(-1, 1, vectors.numel()).view_as(vectors)).sum().backward()
    named = model.named_parameters()
    return {name: own.grad.clone() for name, own in named if own.grad is not None}


def test_the_chosen_positions_get_the_vectors_and_gradients_of_the_whole_encoder() -> None:
    torch.manual_seed(0)
    bert, batch = BertModel(CONFIG, add_pooling_layer=False).eval(), a_batch()
    where = (torch.rand(4, 9) < 0.4) & (batch["attention_mask"] == 1)
    where[1] = False  # a row that asks nowhere
    assert len(set(where.sum(1).tolist())) > 2
    expected = bert(**batch).last_hidden_state[where]
    found = hidden_at(bert, batch, where)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients(bert, found), gradients(bert, expected))


def test_a_model_that_reads_the_first_position_keeps_logits_gradients_and_names() -> None:
    torch.manual_seed(0)
    batch = a_batch()
    model = SequenceClassificationModel(CONFIG).eval()
    names = list(model.state_dict())
    for inputs in (batch, {"input_ids": batch["input_ids"]}):  # with padding, and without a mask
        whole = SequenceClassificationModel(CONFIG).eval()
        whole.load_state_dict(model.state_dict())
        expected = whole(**inputs).logits
        found = read_first_only(model)(**inputs).logits
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(gradients(model, found), gradients(whole, expected))
    assert list(model.state_dict()) == names
