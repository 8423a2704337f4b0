"""Tests of the loss over a large vocabulary: torch's own is what it is held to."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from bertlesson import cross_entropy
from bertlesson.cross_entropy import LARGE, summed_cross_entropy
from bertlesson.heads import IGNORE_INDEX, mean_loss

CLASSES = 30_522
ROWS = LARGE // CLASSES + 1


def in_one_pass(logits: Tensor, labels: Tensor) -> Tensor:
    divisor = (labels != IGNORE_INDEX).sum().clamp(min=1)
    loss = summed_cross_entropy(logits, labels, divisor, IGNORE_INDEX)
    assert "InOnePass" in type(loss.grad_fn).__name__
    return loss


def made(rows: int = ROWS, ignored: int = 0) -> tuple[Tensor, Tensor]:
    """Scores that are a gradient's leaf, and labels, of which some are ignored."""
    generator = torch.Generator().manual_seed(rows)
    logits = 3 * torch.randn(rows, CLASSES, generator=generator)
    labels = torch.randint(CLASSES, (rows,), generator=generator)
    labels[:2] = torch.tensor([0, CLASSES - 1])  # the first class and the last
    labels[torch.randperm(rows, generator=generator)[:ignored]] = IGNORE_INDEX
    return logits.requires_grad_(), labels


def loss_and_gradient(
    function: Callable[[Tensor, Tensor], Tensor], logits: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    loss = function(logits, labels)
    (gradient,) = torch.autograd.grad(loss, logits)
    return loss, gradient


@pytest.mark.parametrize("ignored", [0, 1, ROWS - 1])
@pytest.mark.parametrize("rows", [ROWS, 2 * ROWS + 3])
def test_loss_and_gradient_are_torch_s(rows: int, ignored: int) -> None:
    logits, labels = made(rows, ignored)
    found, expected = (
        loss_and_gradient(function, logits, labels) for function in (in_one_pass, F.cross_entropy)
    )
    torch.testing.assert_close(found[0], expected[0], rtol=1e-6, atol=0)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-5, atol=1e-9)
    assert (found[1][labels == IGNORE_INDEX] == 0).all()


def test_it_is_as_exact_as_torch_s() -> None:
    logits, labels = made(4 * ROWS)
    exact = loss_and_gradient(F.cross_entropy, logits.detach().double().requires_grad_(), labels)

    def error(function: Callable[[Tensor, Tensor], Tensor]) -> float:
        return (loss_and_gradient(function, logits, labels)[1] - exact[1]).norm().item()

    assert error(in_one_pass) < 1.5 * error(F.cross_entropy)


@pytest.mark.parametrize(
    "scores",
    [
        torch.linspace(-500, 500, CLASSES),
        torch.linspace(500, -500, CLASSES),
        torch.full((CLASSES,), -1e30),
        torch.full((CLASSES,), 1e30),
        torch.zeros(CLASSES).index_fill(0, torch.tensor([5, 9]), -torch.inf),
    ],
    ids=["rising", "falling", "far below", "far above", "forbidden"],
)
def test_extreme_scores(scores: Tensor) -> None:
    logits, labels = made()
    with torch.no_grad():
        logits[3] = scores
    labels[3] = 7
    found, expected = (
        loss_and_gradient(function, logits, labels) for function in (in_one_pass, F.cross_entropy)
    )
    assert torch.isfinite(expected[0])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-9)


def test_nan_stays_nan() -> None:
    logits, labels = made()
    with torch.no_grad():
        logits[3, 8] = torch.nan
    assert in_one_pass(logits, labels).isnan()


def test_without_labels_the_loss_and_its_gradient_are_zero() -> None:
    logits, labels = made(ignored=ROWS)
    loss, gradient = loss_and_gradient(in_one_pass, logits, labels)
    assert loss == 0
    assert (gradient == 0).all()


@pytest.mark.parametrize(("label", "span"), [(CLASSES, "\\d+ to 30522"), (-1, "-1 to \\d+")])
def test_a_label_that_is_no_class(label: int, span: str) -> None:
    logits, labels = made()
    labels[2] = label
    with pytest.raises(
        IndexError,
        match=rf"^labels hold {span}; expected class numbers from 0 to 30521: do they come from "
        r"another tokenizer\?$",
    ):
        in_one_pass(logits, labels)


def test_a_larger_loss_has_a_larger_gradient_each_time() -> None:
    logits, labels = made()
    loss = in_one_pass(logits, labels)
    (once,) = torch.autograd.grad(loss, logits, retain_graph=True)
    for factor in (3, 0.5):
        (again,) = torch.autograd.grad(factor * loss, logits, retain_graph=True)
        torch.testing.assert_close(again, factor * once)


def test_neither_scores_nor_labels_change() -> None:
    logits, labels = made(ignored=4)
    before = logits.detach().clone(), labels.clone()
    loss_and_gradient(in_one_pass, logits, labels)
    assert torch.equal(logits, before[0])
    assert torch.equal(labels, before[1])


def test_it_can_be_differentiated_twice() -> None:
    logits, labels = made(ignored=4)
    direction = torch.randn(logits.shape, generator=torch.Generator().manual_seed(0))

    def curvature(function: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        (gradient,) = torch.autograd.grad(function(logits, labels), logits, create_graph=True)
        return torch.autograd.grad((gradient * direction).sum(), logits)[0]

    torch.testing.assert_close(curvature(in_one_pass), curvature(F.cross_entropy))


def test_the_gradients_of_single_examples() -> None:
    logits, labels = made(2 * ROWS)
    pair = logits.detach().reshape(2, ROWS, CLASSES), labels.reshape(2, ROWS)
    each = torch.func.vmap(torch.func.grad(mean_loss))(*pair)
    for found, *example in zip(each, *pair, strict=True):
        (expected,) = loss_and_gradient(mean_loss, example[0].requires_grad_(), example[1])[1:]
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "context"),
    [
        (lambda logits: logits[:-2], nullcontext()),
        (lambda logits: logits.double(), nullcontext()),
        (lambda logits: logits.bfloat16(), nullcontext()),
        (lambda logits: logits.detach(), nullcontext()),
        (lambda logits: logits, torch.no_grad()),
    ],
    ids=["few", "double", "bfloat16", "constant", "no_grad"],
)
def test_the_rest_is_left_to_torch(
    change: Callable[[Tensor], Tensor], context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Tensor) -> None:
        raise AssertionError("in one pass")

    logits, labels = made()
    monkeypatch.setattr(cross_entropy, "_loss_and_gradient", refuse)
    with pytest.raises(AssertionError, match="in one pass"):
        mean_loss(logits, labels)
    with context:
        other = change(logits)
        loss = mean_loss(other, labels[: len(other)])
    expected = F.cross_entropy(other, labels[: len(other)])
    torch.testing.assert_close(loss, expected, check_dtype=False)


def test_the_docstring_example() -> None:
    assert doctest.testmod(cross_entropy).failed == 0
