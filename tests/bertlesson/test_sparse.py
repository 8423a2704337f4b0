"""Any model's own head at the selected positions: the loss and gradients of the whole row."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn
from transformers import (
    AutoModelForMaskedLM,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    BertModel,
)
from transformers.modeling_outputs import MaskedLMOutput

from bertlesson.sparse import score_selected
from tests.bertlesson.test_fixed_counts import SMALL_BART, Wrapper

SIZE: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "pad_token_id": 0,
}
NARROW = SIZE | {"embedding_size": 8}
ENDS = {"bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2}
FAMILIES: dict[str, dict[str, Any]] = {
    "Albert": NARROW,
    "Bert": SIZE,
    "Camembert": SIZE,
    "ConvBert": SIZE | {"embedding_size": 16},
    "Deberta": SIZE,
    "DebertaV2": SIZE,
    "DistilBert": {"vocab_size": 60, "dim": 16, "hidden_dim": 32, "n_heads": 2, "n_layers": 2},
    "Electra": NARROW,
    "MPNet": SIZE,
    "MobileBert": NARROW | {"intra_bottleneck_size": 16},
    "ModernBert": SIZE | ENDS,
    "RoFormer": SIZE | {"embedding_size": 16},
    "Roberta": SIZE,
    "XLMRoberta": SIZE,
}


def model_of(family: str = "Bert") -> Any:
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**FAMILIES[family])
    return AutoModelForMaskedLM.from_config(config).eval()  # type: ignore[no-untyped-call]


def batch_of(rows: int = 3, length: int = 8) -> dict[str, Tensor]:
    draws = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 60, (rows, length), generator=draws)
    mask = torch.ones_like(ids)
    mask[0, length - 2 :] = 0
    chosen = (torch.rand(rows, length, generator=draws) < 0.3) & (mask == 1)
    labels = ids.where(chosen, torch.tensor(-100))
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def gradients(model: nn.Module, loss: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    found = model.named_parameters()
    return {name: weight.grad.clone() for name, weight in found if weight.grad is not None}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_and_each_gradient_are_those_of_the_whole_row(family: str) -> None:
    model, batch = model_of(family), batch_of()
    whole = model(**batch)
    expected = gradients(model, whole.loss)
    sparse: Any = score_selected(model, batch)
    torch.testing.assert_close(sparse.loss, whole.loss, atol=1e-5, rtol=0)
    chosen = batch["labels"] != -100
    torch.testing.assert_close(sparse.logits, whole.logits[chosen], atol=1e-5, rtol=0)
    torch.testing.assert_close(gradients(model, sparse.loss), expected, atol=1e-5, rtol=0)


def test_the_model_stays_as_it_was() -> None:
    model, batch = model_of(), batch_of()
    before = copy.deepcopy(batch)
    score_selected(model, batch)
    assert model(**batch).logits.shape == (3, 8, 60)
    assert batch.keys() == before.keys()
    with pytest.raises(ValueError, match="labels are"):
        score_selected(model, batch | {"labels": batch["labels"][:, :-1]})
    assert model(**batch).logits.shape == (3, 8, 60)


def test_a_model_that_returns_tuples_by_default_is_scored_too() -> None:
    model, batch = model_of(), batch_of()
    expected: Any = score_selected(model, batch)
    model.config.return_dict = False
    assert isinstance(model(**batch), tuple)
    found: Any = score_selected(model, batch)
    assert torch.equal(found.loss, expected.loss)


def test_parts_of_a_batch_add_up_to_it() -> None:
    model, batch = model_of(), batch_of()
    items = (batch["labels"] != -100).sum()
    parts = [{key: value[rows] for key, value in batch.items()} for rows in ([0], [1, 2])]
    outputs: list[Any] = [score_selected(model, part, items) for part in parts]
    total = sum(output.loss for output in outputs)
    torch.testing.assert_close(total, model(**batch).loss)


def test_a_batch_with_nothing_selected_has_no_loss() -> None:
    batch = batch_of()
    nothing = torch.full_like(batch["labels"], -100)
    output: Any = score_selected(model_of(), batch | {"labels": nothing})
    assert output.loss.item() == 0
    assert output.logits.shape == (0, 60)


def test_a_model_with_adapters_is_scored_through_them() -> None:
    model, batch = model_of(), batch_of()
    expected = score_selected(model, batch)
    found = score_selected(Wrapper(model), batch)
    assert torch.equal(found.logits, expected.logits)
    assert found.loss is not None
    assert found.loss == expected.loss


def test_what_cannot_be_scored_is_refused() -> None:
    batch = batch_of()
    message = "expected labels among them: take it from a MaskingCollator$"
    with pytest.raises(ValueError, match=message):
        score_selected(model_of(), {"input_ids": batch["input_ids"]})
    with pytest.raises(ValueError, match=r"labels are torch\.int32"):
        score_selected(model_of(), batch | {"labels": batch["labels"].int()})
    without = "BertModel is an encoder without a head; expected a model of AutoModelForMaskedLM$"
    with pytest.raises(ValueError, match=without):
        score_selected(BertModel(BertConfig(**SIZE)), batch)

    bart = BartForConditionalGeneration(SMALL_BART)
    message = (
        "^BartForConditionalGeneration makes its decoder's inputs from the labels; expected an "
        "encoder with an MLM head: pass all labels to this model itself$"
    )
    with pytest.raises(ValueError, match=message):
        score_selected(bart, batch)

    class Elsewhere(BertForMaskedLM):  # type: ignore[no-untyped-call]
        def forward(self, input_ids: Tensor, attention_mask: Any = None, **_: Any) -> Any:
            return MaskedLMOutput(logits=self.cls(self.bert.embeddings(input_ids)))

    message = (
        r"Elsewhere returned logits of shape \(3, 8, 60\); expected a head that scores the "
        r"encoder's vectors one by one: this model is not supported$"
    )
    with pytest.raises(ValueError, match=message):
        score_selected(Elsewhere(BertConfig(**SIZE)), batch)
