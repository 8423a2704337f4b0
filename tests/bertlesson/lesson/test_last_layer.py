"""Skipping positions in the last layer changes neither what a head reads nor any gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel, PreTrainedModel

from bertlesson.heads import SequenceClassificationModel, TokenClassificationModel
from bertlesson.lesson.last_layer import hidden_at, read_first_only, read_labelled_only
from bertlesson.pretraining import PretrainingModel

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


@pytest.mark.parametrize("kind", [PretrainingModel, TokenClassificationModel])
@pytest.mark.parametrize("padded", [True, False])
def test_a_model_that_reads_labelled_positions_keeps_losses_gradients_and_names(
    kind: type[PreTrainedModel], padded: bool
) -> None:
    torch.manual_seed(0)
    batch = a_batch()
    inputs = batch if padded else {"input_ids": batch["input_ids"]}
    labels = torch.where(torch.rand(4, 9) < 0.3, torch.randint(2, (4, 9)), -100)
    labels[1] = -100  # a row without any
    targets = {"labels": labels}
    if kind is PretrainingModel:
        targets["next_sentence_label"] = torch.tensor([0, 1, 1, 0])
    model, whole = kind(CONFIG), kind(CONFIG)
    whole.load_state_dict(model.state_dict())
    model = read_labelled_only(model)
    for each in (model, whole):
        each.train()
        for dropout in (module for module in each.modules() if isinstance(module, nn.Dropout)):
            dropout.p = 0.0
    expected, found = (each(**inputs, **targets).loss for each in (whole, model))
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients(model, found), gradients(whole, expected))
    assert list(model.state_dict()) == list(whole.state_dict())
    # without labels every position is read
    scores = "prediction_logits" if kind is PretrainingModel else "logits"
    without, whole_scores = (each(**inputs)[scores] for each in (model, whole))
    torch.testing.assert_close(without, whole_scores)


def test_positions_without_a_label_cost_nothing_in_the_last_layer() -> None:
    torch.manual_seed(0)
    model = read_labelled_only(TokenClassificationModel(CONFIG))
    rows: list[int] = []
    last = model.bert.encoder.layer[-1].intermediate
    last.register_forward_hook(lambda layer, given, made: rows.append(made[..., 0].numel()))
    batch = a_batch()
    labels = torch.full_like(batch["input_ids"], -100)
    labels[:2, 3] = 1
    model(**batch, labels=labels)
    assert rows == [4 + 2]  # each row's first position, and the two labels


@pytest.mark.parametrize("replace", [read_first_only, read_labelled_only])
def test_an_optimizer_made_before_still_has_all_parameters(replace: Any) -> None:
    model = TokenClassificationModel(CONFIG)
    before = dict(model.named_parameters())
    after = dict(replace(model).named_parameters())
    assert [*after] == [*before]
    assert all(after[name] is parameter for name, parameter in before.items())
