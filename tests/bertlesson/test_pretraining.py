"""The pretraining model against the dense one, its optimizer against the formulas, and the loop."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import (
    BertForPreTraining,
    Trainer,
    TrainingArguments,
    get_linear_schedule_with_warmup,
)

from bertlesson.heads import MaskedLMModel, NextSentencePredictionModel
from bertlesson.optimization import (
    UncorrectedAdamW,
    make_optimizer,
    make_schedule,
    spared_parameters,
)
from bertlesson.pretraining import PretrainingModel, select
from bertlesson.training import endless, train
from tests.bertlesson.small_bert import (
    CONFIGS,
    LENGTH,
    VOCAB,
    gradients,
    random_inputs,
    random_labels,
    small_config,
    with_random_weights,
)

each_config = pytest.mark.parametrize("changes", CONFIGS.values(), ids=CONFIGS.keys())


def random_batch(rows: int, length: int, seed: int = 0) -> dict[str, Tensor]:
    labels = {
        "labels": random_labels((rows, length), VOCAB, seed),
        "next_sentence_label": random_labels((rows,), 2, seed),
    }
    return random_inputs(rows, length, seed) | labels


def toy_batches(dropout: float = 0.0) -> tuple[PretrainingModel, list[dict[str, Tensor]]]:
    """A fresh model and two batches."""
    torch.manual_seed(0)
    model = PretrainingModel(
        small_config(hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
    )
    return model, [random_batch(4, 8, seed) for seed in (1, 2)]


# The selected positions alone


@each_config
@settings(max_examples=15)
@given(rows=st.integers(1, 5), length=st.integers(1, LENGTH), seed=st.integers(0, 999))
def test_loss_and_gradients_are_those_of_the_dense_model(
    changes: dict[str, Any], rows: int, length: int, seed: int
) -> None:
    config = small_config(**changes)
    dense = with_random_weights(BertForPreTraining(config), seed)
    model = PretrainingModel(config).double().eval()
    model.load_state_dict(dense.state_dict())
    batch = random_batch(rows, length, seed)

    output, expected = model(**batch), dense(**batch)

    close = {"rtol": 1e-10, "atol": 1e-10}
    torch.testing.assert_close(output.loss, expected.loss, **close)
    torch.testing.assert_close(output.loss, output.mlm_loss + output.nsp_loss, **close)
    torch.testing.assert_close(
        output.seq_relationship_logits, expected.seq_relationship_logits, **close
    )
    selected = expected.prediction_logits[batch["labels"] != -100]
    torch.testing.assert_close(output.selected_logits, selected, **close)
    assert output.prediction_logits is None
    found, wanted = gradients(model, output.loss), gradients(dense, expected.loss)
    assert found.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-9, atol=1e-10, msg=name)


def test_single_precision_agrees_as_stated() -> None:
    torch.manual_seed(0)
    dense = BertForPreTraining(small_config()).eval()
    model = PretrainingModel(small_config()).eval()
    model.load_state_dict(dense.state_dict())
    batch = random_batch(8, LENGTH)
    output, expected = model(**batch), dense(**batch)
    torch.testing.assert_close(output.loss, expected.loss, rtol=0, atol=1e-6)
    found, wanted = gradients(model, output.loss), gradients(dense, expected.loss)
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=0, atol=1e-8, msg=name)


def test_all_logits_come_on_request_and_without_labels() -> None:
    dense = with_random_weights(BertForPreTraining(small_config()))
    model = PretrainingModel(small_config()).double().eval()
    model.load_state_dict(dense.state_dict())
    batch = random_batch(3, 7)
    inputs = random_inputs(3, 7)
    expected = dense(**inputs)

    plain = model(**inputs)
    assert plain.keys() == expected.keys()
    assert plain.loss is None
    both = model(**batch, all_logits=True)
    for output in (plain, both):
        torch.testing.assert_close(output.prediction_logits, expected.prediction_logits)
        torch.testing.assert_close(plain[1], expected.seq_relationship_logits)
    torch.testing.assert_close(
        both.selected_logits, both.prediction_logits[batch["labels"] != -100]
    )
    torch.testing.assert_close(both.loss, model(**batch).loss)
    assert both[0] is both.loss, "Trainer and tuples take the loss first"


def test_next_sentences_may_count_less() -> None:
    plain = with_random_weights(PretrainingModel(small_config()))
    quarter = with_random_weights(PretrainingModel(small_config(), nsp_weight=0.25))
    batch = random_batch(3, 7)
    output, expected = quarter(**batch), plain(**batch)
    for name in ("mlm_loss", "nsp_loss"):
        torch.testing.assert_close(output[name], expected[name])
    torch.testing.assert_close(output.loss, expected.mlm_loss + expected.nsp_loss / 4)


def test_the_weight_of_next_sentences_is_saved(tmp_path: Path) -> None:
    config = small_config()
    model = with_random_weights(PretrainingModel(config, nsp_weight=0.25))
    assert not hasattr(config, "nsp_weight"), "another model may be made from it"
    assert PretrainingModel(config).nsp_weight == 1
    assert PretrainingModel(model.config).nsp_weight == 0.25
    assert PretrainingModel(model.config, nsp_weight=2).nsp_weight == 2
    batch = random_batch(3, 7)
    model.save_pretrained(tmp_path)
    again = PretrainingModel.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(again(**batch).loss, model(**batch).loss)
    other = PretrainingModel.from_pretrained(tmp_path, nsp_weight=0.5).eval()
    expected = model(**batch)
    torch.testing.assert_close(other(**batch).loss, expected.mlm_loss + expected.nsp_loss / 2)
    assert copy.deepcopy(other).nsp_weight == 0.5
    other.nsp_weight = 3.0  # as a schedule may
    assert (other.nsp_weight, other.config.nsp_weight, model.nsp_weight) == (3, 3, 0.25)


def test_a_file_without_the_weight_takes_one_as_well(tmp_path: Path) -> None:
    BertForPreTraining(small_config()).save_pretrained(tmp_path)
    assert PretrainingModel.from_pretrained(tmp_path).nsp_weight == 1
    assert PretrainingModel.from_pretrained(tmp_path, nsp_weight=0.25).nsp_weight == 0.25


@pytest.mark.parametrize("weight", [-0.1, math.nan, math.inf, -math.inf])
def test_impossible_weights_are_refused(weight: float, tmp_path: Path) -> None:
    model = PretrainingModel(small_config())
    model.save_pretrained(tmp_path)
    config = small_config(nsp_weight=weight)
    with pytest.raises(ValueError, match=f"nsp_weight is {weight}; expected 0 .*or more"):
        PretrainingModel(config)
    with pytest.raises(ValueError, match=f"nsp_weight is {weight}; expected 0 .*or more"):
        PretrainingModel(small_config(), nsp_weight=weight)
    with pytest.raises(ValueError, match=f"nsp_weight is {weight}; expected 0 .*or more"):
        PretrainingModel.from_pretrained(tmp_path, nsp_weight=weight)
    with pytest.raises(ValueError, match=f"nsp_weight is {weight}; expected 0 .*or more"):
        model.nsp_weight = weight
    assert model.nsp_weight == 1


def test_masked_words_alone_are_a_form_without_pooler(tmp_path: Path) -> None:
    full = with_random_weights(PretrainingModel(small_config()))
    full.save_pretrained(tmp_path / "full")
    model, report = PretrainingModel.from_pretrained(
        tmp_path / "full", nsp_weight=0, output_loading_info=True
    )
    assert not any(report.values()), "what the form has no use for is not complained of"
    model.eval()
    names = [name for name, _ in model.named_parameters()]
    assert names == [
        name for name, _ in full.named_parameters() if "pooler" not in name and "seq_" not in name
    ]
    batch = random_batch(3, 7)
    pairs = batch.pop("next_sentence_label")
    output = model(**batch)
    torch.testing.assert_close(output.loss, full(**batch).mlm_loss)
    assert output.seq_relationship_logits is output.nsp_loss is None
    with pytest.raises(
        ValueError, match=r"without an NSP head \(nsp_weight=0\); expected none: leave"
    ):
        model(**batch, next_sentence_label=pairs)

    model.save_pretrained(tmp_path / "form")
    again = PretrainingModel.from_pretrained(tmp_path / "form").eval()
    assert not again.has_nsp
    torch.testing.assert_close(again(**batch).loss, output.loss)
    masked = MaskedLMModel.from_pretrained(tmp_path / "form").eval()
    torch.testing.assert_close(masked(**batch).loss, output.loss)
    grown, report = PretrainingModel.from_pretrained(
        tmp_path / "form", nsp_weight=1, output_loading_info=True
    )
    assert grown.has_nsp
    assert report["missing_keys"] == {
        f"{layer}.{kind}"
        for layer in ("bert.pooler.dense", "cls.seq_relationship")
        for kind in ("weight", "bias")
    }
    for changed, weight in ((model, 0.5), (full, 0)):
        with pytest.raises(ValueError, match=f"nsp_weight is {float(weight)} for a model with"):
            changed.nsp_weight = weight


def test_the_configuration_keeps_what_it_has() -> None:
    ignored = ["hidden_states", "mlm_loss"]
    model = PretrainingModel(small_config(keys_to_ignore_at_inference=ignored))
    expected = [*ignored, "selected_logits", "nsp_loss"]
    assert model.config.keys_to_ignore_at_inference == expected
    again = PretrainingModel(model.config)
    assert again.config.keys_to_ignore_at_inference == expected
    # what Trainer leaves out where a configuration is silent, it leaves out here as well
    plain = PretrainingModel(small_config())
    assert plain.config.keys_to_ignore_at_inference[0] == "past_key_values"


def test_one_objective_is_enough() -> None:
    model = with_random_weights(PretrainingModel(small_config()))
    weights = model.state_dict()
    mlm, nsp = MaskedLMModel(small_config()).double(), NextSentencePredictionModel(small_config())
    mlm.load_state_dict({name: weights[name] for name in mlm.state_dict()})
    nsp.double().load_state_dict({name: weights[name] for name in nsp.state_dict()})
    batch = random_batch(4, 8)
    inputs = random_inputs(4, 8)

    output = model(**inputs, labels=batch["labels"])
    assert output.nsp_loss is None
    expected = mlm.eval()(**inputs, labels=batch["labels"]).loss
    torch.testing.assert_close(output.loss, expected)
    torch.testing.assert_close(output.mlm_loss, expected)

    output = model(**inputs, next_sentence_label=batch["next_sentence_label"])
    assert output.mlm_loss is None
    expected = nsp.eval()(**inputs, labels=batch["next_sentence_label"]).loss
    torch.testing.assert_close(output.loss, expected)
    torch.testing.assert_close(output.nsp_loss, expected)


def test_nothing_selected_is_a_loss_of_zero() -> None:
    model = with_random_weights(PretrainingModel(small_config()))
    batch = random_batch(3, 7)
    batch["labels"].fill_(-100)
    output = model(**batch)
    assert output.mlm_loss.item() == 0
    assert output.selected_logits.shape == (0, VOCAB)
    assert torch.equal(output.loss, output.nsp_loss)
    alone = model(**random_inputs(3, 7), labels=batch["labels"])
    assert all(not each.any() for each in gradients(model, alone.loss).values())


@each_config
def test_zero_selected_rows_keep_every_gradient_finite(changes: dict[str, Any]) -> None:
    model = PretrainingModel(small_config(**changes)).train()
    batch = random_batch(2, 4)
    batch["labels"].fill_(-100)
    for name, gradient in gradients(model, model(**batch, num_items_in_batch=0).loss).items():
        assert not gradient.any(), name


def test_select_keeps_the_order_of_the_text() -> None:
    hidden = torch.arange(12.0).reshape(2, 3, 2)
    labels = torch.tensor([[-100, 7, 5], [9, -100, 0]])
    vectors, targets = select(hidden, labels)
    assert vectors.tolist() == [[2, 3], [4, 5], [6, 7], [10, 11]]
    assert targets.tolist() == [7, 5, 9, 0]


def test_what_was_predicted_stands_in_its_row() -> None:
    model = with_random_weights(PretrainingModel(small_config()))
    batch = random_batch(4, 9)
    batch["labels"][2].fill_(-100)
    output = model(**batch, all_logits=True)
    selected = batch["labels"] != -100
    best = output.prediction_logits.argmax(-1)
    assert torch.equal(output.predicted_ids, best.masked_fill(~selected, -100))
    losses = nn.functional.cross_entropy(
        output.prediction_logits.flatten(0, 1), batch["labels"].flatten(), reduction="none"
    )
    torch.testing.assert_close(output.mlm_row_losses.double(), losses.view(4, 9).sum(1))
    mean = output.mlm_row_losses.double().sum() / selected.sum()
    torch.testing.assert_close(mean, output.mlm_loss)
    assert torch.equal(output.next_sentence_label, batch["next_sentence_label"])

    nothing = model(**batch | {"labels": torch.full_like(batch["labels"], -100)})
    assert (nothing.predicted_ids == -100).all()
    assert nothing.mlm_row_losses.tolist() == [0] * 4
    by_row_alone = {"predicted_ids", "mlm_row_losses", "next_sentence_label"}
    assert by_row_alone.isdisjoint(model.train()(**batch)), "training pays nothing for it"


def test_output_in_half_precision_sums_in_single() -> None:
    model = PretrainingModel(small_config()).to(torch.bfloat16).eval()
    output = model(**random_batch(4, 9))
    assert output.mlm_row_losses.dtype == torch.float32
    assert output.predicted_ids.dtype == torch.int64


def test_labels_of_another_shape_are_refused() -> None:
    model = PretrainingModel(small_config())
    batch = random_batch(4, 8)
    batch["labels"] = batch["labels"].T
    with pytest.raises(ValueError, match=r"shape \(8, 4\); expected .* \(4, 8\)"):
        model(**batch)
    batch = random_batch(4, 8)
    batch["next_sentence_label"] = batch["next_sentence_label"].float()
    with pytest.raises(ValueError, match=r"torch\.float32"):
        model(**batch)


# A part of a larger batch


def test_parts_add_up_to_the_whole() -> None:
    model = with_random_weights(PretrainingModel(small_config()))
    whole = random_batch(8, 6)
    parts = [{name: each[row : row + 2] for name, each in whole.items()} for row in (0, 2, 4, 6)]
    counts = [int((part["labels"] != -100).sum()) for part in parts]
    assert len(set(counts)) > 1, "parts of different sizes are meant"
    for total in (sum(counts), torch.tensor(sum(counts))):
        found = sum(
            gradients(model, model(**part, num_items_in_batch=total).loss)[
                "cls.predictions.transform.dense.weight"
            ]
            for part in parts
        )
        expected = gradients(model, model(**whole).mlm_loss)
        torch.testing.assert_close(found, expected["cls.predictions.transform.dense.weight"])


def test_accumulated_batches_are_one_large_batch(tmp_path: Path) -> None:
    model, _ = toy_batches()
    batch = random_inputs(8, 6)
    batch["labels"] = torch.full((8, 6), -100)
    batch["labels"][:, 1:3] = torch.randint(VOCAB, (8, 2))  # equally many in each row
    batch["next_sentence_label"] = torch.randint(2, (8,))
    data = [{name: each[row] for name, each in batch.items()} for row in range(8)]
    start = model.state_dict()
    after = []
    for rows, parts in ((8, 1), (2, 4)):
        trained = PretrainingModel(model.config)
        trained.load_state_dict(start)
        arguments = TrainingArguments(
            output_dir=str(tmp_path),
            per_device_train_batch_size=rows,
            gradient_accumulation_steps=parts,
            max_steps=1,
            learning_rate=1.0,
            lr_scheduler_type="constant",
            max_grad_norm=0.0,
            optim="sgd",
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
            save_strategy="no",
        )
        Trainer(trained, arguments, train_dataset=data).train()
        after.append(trained.state_dict())
    for name, expected in after[0].items():
        torch.testing.assert_close(after[1][name], expected, rtol=1e-4, atol=1e-6, msg=name)
    moved = max((after[0][name] - start[name]).abs().max().item() for name in start)
    assert moved > 1e-3


# Optimizer and schedule


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
    with pytest.raises(ValueError, match=f"warmup_steps is {warmup} and total_steps is {total}"):
        rates(1, warmup_steps=warmup, total_steps=total)
    with pytest.raises(ValueError, match=r"expected a whole number of steps: .* int\(0.1 \* total"):
        rates(1, warmup_steps=0.1, total_steps=10)
    with pytest.raises(ValueError, match="decay_from is 'end'"):
        rates(1, warmup_steps=1, total_steps=10, decay_from="end")


# The loop


def run(steps: int, dropout: float = 0.0, **settings: Any) -> tuple[Any, dict[str, list[float]]]:
    model, batches = toy_batches(dropout)
    optimizer = make_optimizer(model, 1e-2)
    schedule = make_schedule(optimizer, warmup_steps=5, total_steps=steps)
    arguments = {"progress": False} | settings
    return model, train(model, batches, optimizer, schedule, steps=steps, **arguments)


def test_training_learns_both_objectives() -> None:
    _, history = run(120)
    for losses in history.values():
        assert len(losses) == 120
        assert sum(losses[-2:]) < 0.3 * sum(losses[:2])
    expected = [
        mlm + nsp for mlm, nsp in zip(history["mlm_loss"], history["nsp_loss"], strict=True)
    ]
    assert history["loss"] == pytest.approx(expected, rel=1e-5)


def test_training_is_the_same_to_the_bit() -> None:
    model, history = run(6, dropout=0.1)
    again, same = run(6, dropout=0.1)
    assert history == same
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_training_takes_a_model_that_gives_tuples() -> None:
    model, batches = toy_batches()
    model.config.return_dict = False
    optimizer = make_optimizer(model)
    schedule = make_schedule(optimizer, warmup_steps=0, total_steps=2)
    history = train(model, batches, optimizer, schedule, steps=2, progress=False)
    assert [len(losses) for losses in history.values()] == [2, 2, 2]


def test_a_step_is_what_it_says() -> None:
    """One step of the loop, beside the same written out."""
    model, batches = toy_batches()
    by_hand = PretrainingModel(model.config).train()
    by_hand.load_state_dict(model.state_dict())

    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    schedule = make_schedule(optimizer, warmup_steps=0, total_steps=4)
    train(model, batches, optimizer, schedule, steps=2, max_grad_norm=0.1, progress=False)

    for batch, rate in zip(batches, (0.5, 0.375), strict=True):
        found = gradients(by_hand, by_hand(**batch).loss)
        norm = torch.stack([each.norm() for each in found.values()]).norm()
        assert norm > 0.1, "clipping is meant to show"
        with torch.no_grad():
            for name, parameter in by_hand.named_parameters():
                parameter -= rate * found[name] * 0.1 / norm
    for name, value in by_hand.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], value, rtol=1e-4, atol=1e-6, msg=name)


def test_the_caller_may_evaluate_in_between() -> None:
    model, batches = toy_batches(dropout=0.1)
    modes: list[tuple[int, bool]] = []

    def evaluate(step: int) -> None:
        modes.append((step, model.training))
        model.eval()

    optimizer = make_optimizer(model)
    schedule = make_schedule(optimizer, warmup_steps=0, total_steps=3)
    train(model, batches, optimizer, schedule, steps=3, on_step=evaluate, progress=False)
    assert modes == [(1, True), (2, True), (3, True)]


def test_an_objective_without_labels_has_no_history() -> None:
    model, batches = toy_batches()
    for batch in batches:
        del batch["next_sentence_label"]
    optimizer = make_optimizer(model)
    schedule = make_schedule(optimizer, warmup_steps=0, total_steps=3)
    history = train(model, batches, optimizer, schedule, steps=3, progress=False)
    assert {name: len(losses) for name, losses in history.items()} == {
        "loss": 3,
        "mlm_loss": 3,
        "nsp_loss": 0,
    }
    with pytest.raises(ValueError, match="expected labels or next_sentence_label"):
        train(model, [random_inputs(2, 3)], optimizer, schedule, steps=1, progress=False)


def test_batches_are_passed_over_anew_and_must_last() -> None:
    class Batches:
        passes = 0

        def __iter__(self) -> Iterator[dict[str, Tensor]]:
            self.passes += 1
            yield {"pass": torch.tensor(self.passes)}
            yield {"pass": torch.tensor(self.passes)}

    stream = endless(Batches())
    assert [int(next(stream)["pass"]) for _ in range(5)] == [1, 1, 2, 2, 3]

    model, batches = toy_batches()
    optimizer = make_optimizer(model)
    schedule = make_schedule(optimizer, warmup_steps=0, total_steps=3)
    for unfit in (iter(batches), []):
        with pytest.raises(ValueError, match="no batches left before the last step"):
            train(model, unfit, optimizer, schedule, steps=3, progress=False)


def test_progress_shows_the_loss(capsys: pytest.CaptureFixture[str]) -> None:
    _, history = run(6, progress=True)
    bar = capsys.readouterr().err
    assert "pretraining" in bar
    assert "6/6" in bar
    assert f"loss={history['loss'][-1]:.3f}" in bar
    run(6)
    assert capsys.readouterr().err == ""
