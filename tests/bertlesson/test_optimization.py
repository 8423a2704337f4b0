"""The optimizer against the formulas, and the schedule against that of transformers."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn
from transformers import Trainer, TrainingArguments, get_linear_schedule_with_warmup

from bertlesson.optimization import (
    UncorrectedAdamW,
    make_optimizer,
    make_schedule,
    spared_parameters,
)
from bertlesson.pretraining import PretrainingModel
from tests.bertlesson.small_bert import small_config
from tests.bertlesson.toy_batches import toy_batches


def test_decay_spares_biases_and_layer_norms() -> None:
    model = PretrainingModel(small_config(num_hidden_layers=1))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    decayed, spared = make_optimizer(model, 3e-4, weight_decay=0.05).param_groups
    assert {names[id(each)] for each in spared["params"]} == {
        name for name in names.values() if "LayerNorm" in name or name.endswith("bias")
    }
    assert len(decayed["params"]) + len(spared["params"]) == len(names)
    assert "bert.embeddings.word_embeddings.weight" in {names[id(e)] for e in decayed["params"]}
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.05, 0.0)
    for group in (decayed, spared):
        assert (group["lr"], group["betas"], group["eps"]) == (3e-4, (0.9, 0.999), 1e-6)


SIZE = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "pad_token_id": 0,
}

OTHERS: dict[str, Callable[[], nn.Module]] = {
    "BERT": lambda: transformers.BertForPreTraining(transformers.BertConfig(**SIZE)),
    "RoBERTa": lambda: transformers.RobertaForMaskedLM(transformers.RobertaConfig(**SIZE)),
    "DistilBERT": lambda: transformers.DistilBertForMaskedLM(
        transformers.DistilBertConfig(vocab_size=40, dim=16, n_layers=1, n_heads=2, hidden_dim=32)
    ),
    "ELECTRA": lambda: transformers.ElectraForPreTraining(
        transformers.ElectraConfig(**SIZE, embedding_size=8)
    ),
    "ALBERT": lambda: transformers.AlbertForPreTraining(
        transformers.AlbertConfig(**SIZE | {"num_hidden_layers": 3}, embedding_size=8)
    ),
    "DeBERTa": lambda: transformers.DebertaForMaskedLM(
        transformers.DebertaConfig(**SIZE, relative_attention=True, pos_att_type=["c2p", "p2c"])
    ),
    "ModernBERT": lambda: transformers.ModernBertForMaskedLM(
        transformers.ModernBertConfig(
            **SIZE, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2
        )
    ),
    "Llama": lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZE)),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_decay_spares_in_any_model_what_trainer_spares(kind: str, tmp_path: Path) -> None:
    model = OTHERS[kind]()
    names = {id(each): name for name, each in model.named_parameters()}
    groups = make_optimizer(model).param_groups
    decayed, spared = ([names[id(each)] for each in group["params"]] for group in groups)
    assert sorted(decayed + spared) == sorted(names.values()), "each once, tied ones too"
    order = list(names.values())
    assert decayed == sorted(decayed, key=order.index)
    assert spared == sorted(spared, key=order.index)
    arguments = TrainingArguments(str(tmp_path), use_cpu=True, report_to="none")
    trainer = Trainer(model, arguments)  # type: ignore[arg-type]
    assert set(decayed) == set(trainer.get_decay_parameter_names(model)) & set(order)


def test_decay_spares_the_norm_of_robertas_head_and_of_transformers_own_kinds() -> None:
    spared = spared_parameters(OTHERS["RoBERTa"]())
    assert {"lm_head.layer_norm.weight", "lm_head.layer_norm.bias", "lm_head.bias"} <= spared
    assert "model.norm.weight" in spared_parameters(OTHERS["Llama"]())
    assert {"deberta.embeddings.LayerNorm.weight"} <= spared_parameters(OTHERS["DeBERTa"]())

    class Other(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv1d(2, 2, 1)
            self.first = nn.BatchNorm1d(2)
            self.second = nn.GroupNorm(1, 2)
            self.third = nn.RMSNorm(2)
            self.fourth = nn.InstanceNorm1d(2, affine=True)
            self.norm_of_text = nn.Linear(2, 2)  # by its name, not by its kind
            self.memory = nn.LSTM(2, 2, 1)
            self.attention = nn.MultiheadAttention(2, 1, add_bias_kv=True)

    assert spared_parameters(Other()) == {
        "convolution.bias",
        *(
            f"{name}.{kind}"
            for name in ("first", "second", "fourth")
            for kind in ("weight", "bias")
        ),
        "third.weight",
        "norm_of_text.bias",
        "memory.bias_ih_l0",
        "memory.bias_hh_l0",
        "attention.in_proj_bias",
        "attention.bias_k",
        "attention.bias_v",
        "attention.out_proj.bias",
    }


@pytest.mark.parametrize("beta2", [0.999, 0.98])
@pytest.mark.parametrize("bias_correction", [True, False])
def test_updates_follow_the_formulas(bias_correction: bool, beta2: float) -> None:
    model = nn.Linear(1, 1).double()
    with torch.no_grad():
        model.weight.fill_(2.0)
        model.bias.fill_(-1.0)
    optimizer = make_optimizer(
        model, 0.01, betas=(0.9, beta2), weight_decay=0.1, bias_correction=bias_correction
    )
    values = {"weight": 2.0, "bias": -1.0}
    means, squares = dict.fromkeys(values, 0.0), dict.fromkeys(values, 0.0)
    for step, gradient in enumerate([0.5, -0.25, 3.0, 0.0], start=1):
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, gradient)
        optimizer.step()
        for name in values:
            means[name] = 0.9 * means[name] + 0.1 * gradient
            squares[name] = beta2 * squares[name] + (1 - beta2) * gradient**2
            mean, square = means[name], squares[name]
            if bias_correction:
                mean /= 1 - 0.9**step
                square /= 1 - beta2**step
            decay = 0.1 * values[name] if name == "weight" else 0.0
            values[name] -= 0.01 * (mean / (math.sqrt(square) + 1e-6) + decay)
            assert model.get_parameter(name).item() == pytest.approx(values[name], rel=1e-12)


def test_uncorrected_is_torch_with_its_correction_taken_back() -> None:
    generator = torch.Generator().manual_seed(0)
    ours = nn.Parameter(torch.randn(5, dtype=torch.float64, generator=generator))
    theirs = nn.Parameter(ours.detach().clone())
    uncorrected = UncorrectedAdamW([ours], lr=0.01, eps=0.0, weight_decay=0.0)
    adam = torch.optim.AdamW([theirs], lr=0.01, eps=0.0, weight_decay=0.0)
    for step in range(1, 8):
        ours.grad = torch.randn(5, dtype=torch.float64, generator=generator)
        theirs.grad = ours.grad.clone()
        adam.param_groups[0]["lr"] = 0.01 * (1 - 0.9**step) / math.sqrt(1 - 0.999**step)
        uncorrected.step()
        adam.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0)


def test_uncorrected_saves_its_state_and_skips_what_has_no_gradient() -> None:
    model, (batch, _) = toy_batches()
    model(**batch).mlm_loss.backward()  # the NSP head gets no gradient
    optimizer = make_optimizer(model, bias_correction=False)
    before = model.cls["seq_relationship"].weight.detach().clone()
    optimizer.step()
    assert torch.equal(model.cls["seq_relationship"].weight, before)
    again = make_optimizer(model, bias_correction=False)
    again.load_state_dict(optimizer.state_dict())
    assert again.state_dict()["state"].keys() == optimizer.state_dict()["state"].keys()


@pytest.mark.parametrize("optimizer_type", [UncorrectedAdamW, torch.optim.AdamW])
def test_a_closure_is_called_before_the_step(optimizer_type: Any) -> None:
    weight = nn.Parameter(torch.tensor([2.0]))
    optimizer = optimizer_type([weight], lr=0.1, weight_decay=0.0)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4
    assert weight.item() < 2
    assert optimizer.step() is None


def rates(steps: int, **settings: Any) -> list[float]:
    """The learning rate of each step, out of 1."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make_schedule(optimizer, **settings)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize(("warmup", "total"), [(0, 10), (4, 10), (1, 2), (9, 10)])
def test_schedule_is_the_linear_one_of_transformers(warmup: int, total: int) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    factor = get_linear_schedule_with_warmup(optimizer, warmup, total).lr_lambdas[0]
    expected = [factor(step) for step in range(total + 3)]
    assert rates(total + 3, warmup_steps=warmup, total_steps=total) == pytest.approx(expected)


def test_schedule_may_decay_from_the_start() -> None:
    found = rates(12, warmup_steps=4, total_steps=10, decay_from="start")
    expected = [0, 0.25, 0.5, 0.75, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0, 0]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("warmup", "total"), [(10, 10), (11, 10), (-1, 10), (0, 0)])
def test_impossible_schedules_are_refused(warmup: int, total: int) -> None:
    with pytest.raises(
        ValueError,
        match=f"^warmup_steps is {warmup} and total_steps is {total}; expected a warm-up of 0 or "
        "more steps that ends before the last step$",
    ):
        rates(1, warmup_steps=warmup, total_steps=total)
    with pytest.raises(
        ValueError,
        match=r"^warmup_steps is 0.1; expected a whole number of steps: for a share of all steps "
        r"use int\(0.1 \* total_steps\)$",
    ):
        rates(1, warmup_steps=0.1, total_steps=10)
    with pytest.raises(
        ValueError, match=r"""^decay_from is .end.; expected "warmup" or "start"$"""
    ):
        rates(1, warmup_steps=1, total_steps=10, decay_from="end")


def test_the_defaults_are_the_paper_s_with_the_release_s_epsilon() -> None:
    for correction in (True, False):
        decayed, spared = make_optimizer(nn.Linear(2, 2), bias_correction=correction).param_groups
        for group in (decayed, spared):
            assert (group["lr"], group["betas"], group["eps"]) == (1e-4, (0.9, 0.999), 1e-6)
        assert (decayed["weight_decay"], spared["weight_decay"]) == (0.01, 0)
    (group,) = UncorrectedAdamW(nn.Linear(2, 2).parameters()).param_groups
    assert (group["lr"], group["betas"], group["eps"]) == (1e-4, (0.9, 0.999), 1e-6)
    assert group["weight_decay"] == 0.01


class ScaledNorm(nn.Module):
    """A normalization layer with another layer in it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.inner = nn.Linear(2, 2)


def test_what_is_inside_a_norm_or_under_a_name_with_bias_is_decayed() -> None:
    model = nn.ModuleDict({"bias_net": nn.Linear(2, 2), "norm": ScaledNorm()})
    assert spared_parameters(model) == {"bias_net.bias", "norm.weight", "norm.inner.bias"}
