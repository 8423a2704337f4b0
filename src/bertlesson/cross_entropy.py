"""The cross-entropy over a large vocabulary, with its gradient made in the same pass.

BERT's vocabulary has 30,522 pieces, so the scores of a batch's selected tokens are tens of
megabytes. PyTorch's own loss takes them through memory again and again: for the logarithms of the
softmax, for a gradient of zeros, and for the gradient. Here a few rows at a time stay in the
processor's cache until both the loss and the gradient, the softmax minus 1 at the truth, are made.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

__all__ = ["summed_cross_entropy"]

LARGE = 2**20  # scores from which on torch's loss waits for memory
CACHED = 2**18  # scores that are worked on at a time


def summed_cross_entropy(
    logits: Tensor, labels: Tensor, divisor: Tensor, ignore_index: int
) -> Tensor:
    """The sum of the rows' cross-entropies, in nats, over a divisor.

    Args:
        logits: ``(rows, classes)``, of any float type.
        labels: ``(rows,)``, int64: class numbers.
        divisor: A scalar without a gradient.
        ignore_index: The label of rows that are left out.

    Returns:
        A scalar, equal to torch's ``cross_entropy(..., reduction="sum") / divisor`` up to rounding.
        Its gradient may be differentiated again.

    Raises:
        IndexError: If a label is no class. (On a GPU the error is torch's.)

    >>> logits = torch.zeros(3, 8, requires_grad=True)
    >>> labels = torch.tensor([5, 1, -100])
    >>> loss = summed_cross_entropy(logits, labels, torch.tensor(2), ignore_index=-100)
    >>> print(f"{loss.item():.4f}")  # log 8: no idea which of eight
    2.0794
    """
    if _is_slow_in_torch(logits):
        loss: Tensor = _InOnePass.apply(logits, labels, divisor, ignore_index)
        return loss
    total = F.cross_entropy(logits, labels, ignore_index=ignore_index, reduction="sum")
    return total / divisor


def _is_slow_in_torch(logits: Tensor) -> bool:
    return (
        logits.numel() >= LARGE
        and logits.device.type == "cpu"
        and logits.dtype == torch.float32
        and torch.is_grad_enabled()
        and logits.requires_grad
        # a compiler joins the passes itself, and torch.func has rules for torch's own functions
        and not torch.compiler.is_compiling()
        and torch.func.debug_unwrap(logits) is logits
    )


class _InOnePass(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, labels: Tensor, divisor: Tensor, ignore_index: int
    ) -> Tensor:
        kept = (labels != ignore_index).nonzero().squeeze(1)  # (kept,)
        if len(kept) == len(labels):
            loss, gradient = _loss_and_gradient(logits, labels, divisor)
        else:
            loss, own = _loss_and_gradient(logits.index_select(0, kept), labels[kept], divisor)
            gradient = torch.zeros_like(logits).index_copy_(0, kept, own)
        ctx.save_for_backward(logits, labels, divisor, gradient)
        ctx.ignore_index = ignore_index
        return loss

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, None, None, None]:
        logits, labels, divisor, gradient = ctx.saved_tensors
        if torch.is_grad_enabled():  # it will be differentiated again
            total = F.cross_entropy(logits, labels, ignore_index=ctx.ignore_index, reduction="sum")
            (gradient,) = torch.autograd.grad(total / divisor, logits, create_graph=True)
        return gradient if outer == 1 else gradient * outer, None, None, None


def _loss_and_gradient(logits: Tensor, labels: Tensor, divisor: Tensor) -> tuple[Tensor, Tensor]:
    """A scalar, and ``(rows, classes)``."""
    rows, classes = logits.shape
    if rows and not 0 <= labels.min() <= labels.max() < classes:
        raise IndexError(
            f"labels hold {labels.min()} to {labels.max()}; expected class numbers from 0 to "
            f"{classes - 1}: do they come from another tokenizer?"
        )
    gradient = torch.empty_like(logits)
    losses = [logits.new_zeros(0)]
    few = max(1, CACHED // classes)
    for scores, truth, softmax in zip(
        logits.split(few), labels[:, None].split(few), gradient.split(few), strict=True
    ):
        torch.softmax(scores, -1, out=softmax)
        # from the highest score, whose probability is never too small for a float
        behind = scores.amax(-1, keepdim=True) - scores.gather(1, truth)  # (few, 1)
        losses.append((behind - softmax.amax(-1, keepdim=True).log()).squeeze(1))
        softmax.scatter_add_(1, truth, torch.full_like(behind, -1))
        softmax.div_(divisor)
    return torch.cat(losses).sum() / divisor, gradient
