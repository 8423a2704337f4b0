"""The pretraining model against the dense one, its optimizer against the formulas, and the loop."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
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
from bertlesson.pretraining import (
    PretrainingModel,
    UncorrectedAdamW,
    endless,
    make_optimizer,
    make_schedule,
    select,
    train,
)
from tests.small_bert import (
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
    with pytest.raises(ValueError, match=f"warmup_steps={warmup} with total_steps={total}"):
        rates(1, warmup_steps=warmup, total_steps=total)
    with pytest.raises(ValueError, match=r"expected a whole number of steps: .* int\(0.1 \* total"):
        rates(1, warmup_steps=0.1, total_steps=10)
    with pytest.raises(ValueError, match="decay_from='end'"):
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
