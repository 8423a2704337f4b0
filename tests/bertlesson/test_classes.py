"""Heads for one's own classes: what a checkpoint's head knows is found by name and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    AlbertConfig,
    AlbertForTokenClassification,
    AutoModelForSequenceClassification,
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    ModernBertForTokenClassification,
    PreTrainedModel,
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
)

from bertlesson.classes import with_classes
from bertlesson.heads import SequenceClassificationModel, TokenClassificationModel
from tests.bertlesson.small_bert import small_config

IDS = torch.tensor([[5, 6, 7, 8]])
SIZES = {
    "vocab_size": 20,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "pad_token_id": 0,
}
SMALL: list[tuple[type[PreTrainedModel], type[Any], dict[str, int]]] = [
    (BertForSequenceClassification, BertConfig, SIZES),
    (SequenceClassificationModel, BertConfig, SIZES),
    (TokenClassificationModel, BertConfig, SIZES),
    (RobertaForSequenceClassification, RobertaConfig, SIZES),
    (RobertaForTokenClassification, RobertaConfig, SIZES),
    (ElectraForSequenceClassification, ElectraConfig, SIZES | {"embedding_size": 8}),
    (AlbertForTokenClassification, AlbertConfig, SIZES | {"embedding_size": 8}),
    (ModernBertForSequenceClassification, ModernBertConfig, SIZES),
    (ModernBertForTokenClassification, ModernBertConfig, SIZES),
    (
        DistilBertForSequenceClassification,
        DistilBertConfig,
        {"vocab_size": 20, "dim": 8, "n_layers": 1, "n_heads": 2, "hidden_dim": 8},
    ),
]


def named(names: list[str], **more: Any) -> dict[str, Any]:
    return more | {
        "id2label": dict(enumerate(names)),
        "label2id": {name: number for number, name in enumerate(names)},
    }


def scores(model: PreTrainedModel) -> dict[str, Tensor]:
    """The scores of each class by name."""
    with torch.inference_mode():
        logits: Tensor = model.eval()(input_ids=IDS).logits  # (rows, [length,] classes)
    names: Any = model.config.id2label
    return {names[at]: logits[..., at] for at in range(logits.shape[-1])}


@pytest.mark.parametrize(
    ("kind", "config", "sizes"), SMALL, ids=[kind.__name__ for kind, *_ in SMALL]
)
def test_a_class_keeps_its_scores_wherever_it_goes(
    kind: type[Any], config: type[Any], sizes: dict[str, int]
) -> None:
    model = kind(config(**named(["pos", "neg", "other"], **sizes)))
    for parameter in model.parameters():  # a bias too that is not 0
        nn.init.normal_(parameter)
    before = scores(model)
    assert with_classes(model, ["neg", "new", "pos"]) is model
    after = scores(model)
    assert list(after) == ["neg", "new", "pos"]
    for name in ("neg", "pos"):
        assert torch.equal(after[name], before[name])
    assert not any(torch.equal(after["new"], known) for known in before.values())
    assert model.config.label2id == {"neg": 0, "new": 1, "pos": 2}
    assert model.num_labels == model.config.num_labels == 3


def test_a_model_is_trained_saved_and_loaded_with_its_classes(tmp_path: Path) -> None:
    model = with_classes(
        BertForSequenceClassification(small_config(**named(["a", "b"]))), ["c", "b", "a", "d"]
    )
    output = model(input_ids=IDS, labels=torch.tensor([3]))
    output.loss.backward()
    assert model.classifier.weight.grad is not None
    assert output.loss.item() == pytest.approx(-output.logits.log_softmax(-1)[0, 3].item())
    model.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert loaded.config.id2label == {0: "c", 1: "b", 2: "a", 3: "d"}
    assert torch.equal(scores(loaded)["a"], scores(model)["a"])


def test_names_are_the_same_in_capitals_unless_capitals_tell_them_apart() -> None:
    names = ["NEUTRAL", "PER", "per"]
    model = SequenceClassificationModel(small_config(**named(names)))
    neutral, large, small = model.classifier.weight.clone()
    weight = with_classes(model, ["per", "Per", "PER", "neutral"]).classifier.weight
    assert torch.equal(weight[0], small)
    assert torch.equal(weight[2], large)
    assert torch.equal(weight[3], neutral)
    assert not any(torch.equal(weight[1], row) for row in (large, small))


def test_names_that_say_nothing_keep_no_row() -> None:
    torch.manual_seed(0)
    model = SequenceClassificationModel(small_config(num_labels=2, initializer_range=0.5))
    before = model.classifier.weight.clone()
    model.classifier.bias.data.fill_(1)
    with_classes(model, ["LABEL_1", "LABEL_0"])
    after = model.classifier.weight
    assert not any(torch.equal(row, old) for row in after for old in before)
    assert model.classifier.bias.tolist() == [0, 0]
    assert after.requires_grad
    assert 0.25 < after.std().item() < 1  # initializer_range


def test_new_rows_follow_the_seed_the_precision_and_the_range() -> None:
    def weight() -> Tensor:
        torch.manual_seed(3)
        model = TokenClassificationModel(small_config(initializer_range=0.001)).bfloat16()
        return with_classes(model, ["O", "B-PER", "I-PER"]).classifier.weight

    assert torch.equal(weight(), weight())
    assert weight().dtype == torch.bfloat16
    assert 0 < weight().std().item() < 0.01


def test_a_head_without_a_bias_gets_none() -> None:
    sizes: dict[str, Any] = {**SIZES}
    model = ModernBertForTokenClassification(ModernBertConfig(**sizes))
    model.classifier = nn.Linear(8, 2, bias=False)
    assert with_classes(model, ["a", "b", "c"]).classifier.bias is None


@pytest.mark.parametrize("problem", ["regression", "multi_label_classification"])
def test_a_checkpoint_for_scores_is_trained_on_one_class(problem: str) -> None:
    labels = 1 if problem == "regression" else 3
    model = BertForSequenceClassification(small_config(num_labels=labels, problem_type=problem))
    with_classes(model, ["a", "b"])
    output = model(input_ids=IDS, labels=torch.tensor([1]))
    assert output.loss.item() == pytest.approx(-output.logits.log_softmax(-1)[0, 1].item())


def test_a_model_without_such_a_layer_is_refused() -> None:
    with pytest.raises(TypeError, match=r"BertModel has no linear layer of 2 classes behind"):
        with_classes(BertModel(small_config(num_labels=2)), ["a", "b"])


@pytest.mark.parametrize("classes", [[], ["a"], ["a", "a"]])
def test_classes_that_are_none_are_refused(classes: list[str]) -> None:
    model = SequenceClassificationModel(small_config())
    with pytest.raises(ValueError, match="expected two different names or more"):
        with_classes(model, classes)


@pytest.mark.parametrize("classes", ["ab", [1, 2]])
def test_classes_that_are_no_list_of_names_are_refused(classes: Any) -> None:
    model = SequenceClassificationModel(small_config())
    with pytest.raises(TypeError, match=r"^classes is .*; expected a list of names, as strings$"):
        with_classes(model, classes)
