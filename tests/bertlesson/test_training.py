"""The training loop: it learns, repeats itself to the bit, and takes the steps that it states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from bertlesson.optimization import make_optimizer, make_schedule
from bertlesson.pretraining import PretrainingModel
from bertlesson.training import endless, take_step, train
from tests.bertlesson.small_bert import gradients, random_inputs
from tests.bertlesson.toy_batches import toy_batches


def run(steps: int, dropout: float = 0.0, **settings: Any) -> tuple[Any, dict[str, list[float]]]:
    model, batches = toy_batches(dropout)
    optimizer = make_optimizer(model, 1e-2)
    schedule = make_schedule(optimizer, warmup_steps=5, total_steps=steps)
    arguments = {"progress": False} | settings
    return model, train(model, batches, optimizer, schedule, steps=steps, **arguments)


@pytest.mark.slow
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


@pytest.mark.parametrize("written_out", [False, True])
def test_gradients_are_clipped_to_the_norm_of_the_release(written_out: bool) -> None:
    model, (batch, *_) = toy_batches()
    model.config.nsp_weight = 1_000.0  # for a gradient that is far too large
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = make_schedule(optimizer, warmup_steps=0, total_steps=4)
    if written_out:
        take_step(model.train(), model(**batch).loss, optimizer, schedule)
    else:
        train(model, [batch], optimizer, schedule, steps=1, progress=False)
    moved = [(value - before[name]).norm() for name, value in model.named_parameters()]
    assert torch.stack(moved).norm().item() == pytest.approx(1.0, rel=1e-3)


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


def test_batches_are_repeated_and_must_not_run_out() -> None:
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
        message = (
            "^no batches left before the last step; expected batches that can be iterated over "
            "again: pass a DataLoader or a list, or train for fewer steps$"
        )
        with pytest.raises(ValueError, match=message):
            train(model, unfit, optimizer, schedule, steps=3, progress=False)


def test_progress_shows_the_loss(capsys: pytest.CaptureFixture[str]) -> None:
    _, history = run(6, progress=True)
    bar = capsys.readouterr().err
    assert "\rpretraining: " in bar
    assert "6/6" in bar
    assert re.search(r"[ \d?](step/s|s/step)", bar)
    assert f"loss={history['loss'][-1]:.3f}" in bar
    run(6)
    assert capsys.readouterr().err == ""
