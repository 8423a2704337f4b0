"""The paper's optimizer and its schedule: Adam with weight decay, warm-up, then a linear fall.

Follows the paper's appendix A.2 and google-research/bert, `optimization.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

__all__ = ["UncorrectedAdamW", "make_optimizer", "make_schedule"]


class UncorrectedAdamW(Optimizer):
    """Adam as in the BERT release, without bias correction.

    Both running averages start at zero and are not scaled up to compensate, so early steps are
    larger than Adam's: the first about three times as large (``0.1 / sqrt(0.001)``). Weight decay
    is decoupled, as in `torch.optim.AdamW`. Follows google-research/bert, `optimization.py`,
    `AdamWeightDecayOptimizer`.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> weight.grad = torch.tensor([0.5])
    >>> UncorrectedAdamW([weight], lr=0.01, weight_decay=0.0).step()
    >>> print(f"{weight.item():.4f}")  # 1 - 0.01 * (0.1 * 0.5) / (sqrt(0.001 * 0.25) + 1e-6)
    0.9684
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        )

    @torch.no_grad()
    def step(  # type: ignore[override]
        self, closure: Callable[[], float] | None = None
    ) -> float | None:
        """Update every parameter that has a gradient.

        Args:
            closure: If given, called first to compute the loss and its gradients.

        Returns:
            The loss that the closure returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            lr, (beta1, beta2) = group["lr"], group["betas"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["exp_avg"] = torch.zeros_like(parameter)
                    state["exp_avg_sq"] = torch.zeros_like(parameter)
                mean, square = state["exp_avg"], state["exp_avg_sq"]
                mean.lerp_(parameter.grad, 1 - beta1)
                square.mul_(beta2).addcmul_(parameter.grad, parameter.grad, value=1 - beta2)
                parameter.mul_(1 - lr * group["weight_decay"])
                parameter.addcdiv_(mean, square.sqrt().add_(group["eps"]), value=-lr)
        return loss


def make_optimizer(
    model: nn.Module,
    learning_rate: float = 1e-4,
    *,
    betas: tuple[float, float] = (0.9, 0.999),
    weight_decay: float = 0.01,
    bias_correction: bool = True,
) -> Optimizer:
    """Adam with weight decay on everything but biases and normalization layers.

    The defaults are the paper's (A.2); the epsilon of 1e-6 and the exceptions from weight decay
    come from the release's `optimization.py`.

    Args:
        model: Any model; `spared_parameters` determines what is exempt from weight decay.
        learning_rate: The peak learning rate, reached at the end of the warm-up.
        betas: The decay rates of Adam's running averages of the gradients and of their squares.
            RoBERTa uses 0.98 for the second (Liu et al. 2019, §3.1).
        weight_decay: The share of each weight removed per step, multiplied by the learning rate.
        bias_correction: If False, use the release's Adam, see `UncorrectedAdamW`.

    >>> from transformers import BertConfig
    >>> from bertlesson.pretraining import PretrainingModel
    >>> config = BertConfig(vocab_size=9, hidden_size=4, num_attention_heads=1, num_hidden_layers=1)
    >>> optimizer = make_optimizer(PretrainingModel(config))
    >>> [group["weight_decay"] for group in optimizer.param_groups]
    [0.01, 0.0]
    """
    spared_names = spared_parameters(model)
    decayed: list[nn.Parameter] = []
    spared: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (spared if name in spared_names else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]
    if bias_correction:
        return AdamW(groups, lr=learning_rate, betas=betas, eps=1e-6, fused=True)
    return UncorrectedAdamW(groups, lr=learning_rate, betas=betas, eps=1e-6)


def spared_parameters(model: nn.Module) -> set[str]:
    """The names of the parameters exempt from weight decay: biases and normalization layers.

    A bias is a parameter with "bias" in its own name (``q_bias``), not just in its module's. A
    normalization layer is one of torch's, or any module whose class name ends in "Norm", such as
    the RMSNorm classes in transformers.

    >>> sorted(spared_parameters(nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))))
    ['0.bias', '1.bias', '1.weight']
    """
    kinds = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.modules.batchnorm._NormBase)
    spared = set()
    for prefix, module in model.named_modules():
        normalizes = isinstance(module, kinds) or type(module).__name__.endswith("Norm")
        for name, _ in module.named_parameters(prefix, recurse=False):
            if normalizes or "bias" in name.rpartition(".")[2]:
                spared.add(name)
    return spared


def make_schedule(
    optimizer: Optimizer,
    *,
    warmup_steps: int,
    total_steps: int,
    decay_from: Literal["warmup", "start"] = "warmup",
) -> LambdaLR:
    """A learning rate that rises linearly from zero, then falls linearly to zero (paper A.2).

    Args:
        optimizer: Its learning rate is the peak.
        warmup_steps: Number of steps of the rise; 10,000 in the paper.
        total_steps: Number of steps of rise and fall together; 1,000,000 in the paper.
        decay_from: Where the falling line is at its peak: at the end of the warm-up ("warmup"), or
            at step 0 ("start"), as in the release's `optimization.py`. With "start" the rate drops
            slightly as the warm-up ends, since the line has been falling since step 0.

    Raises:
        ValueError: If the warm-up is negative, is not a whole number, or does not end before the
            last step.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    >>> rate = make_schedule(optimizer, warmup_steps=2, total_steps=10).lr_lambdas[0]
    >>> [round(rate(step), 3) for step in range(0, 11, 2)]
    [0.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(
            f"warmup_steps is {warmup_steps} and total_steps is {total_steps}; expected a warm-up "
            "of 0 or more steps that ends before the last step"
        )
    if warmup_steps != int(warmup_steps):
        raise ValueError(
            f"warmup_steps is {warmup_steps}; expected a whole number of steps: for a share of all "
            f"steps use int({warmup_steps} * total_steps)"
        )
    if decay_from not in ("warmup", "start"):
        raise ValueError(f'decay_from is {decay_from!r}; expected "warmup" or "start"')
    full = warmup_steps if decay_from == "warmup" else 0

    def factor(step: int) -> float:
        if step < warmup_steps:
            return step / warmup_steps
        return max(0.0, (total_steps - step) / (total_steps - full))

    return LambdaLR(optimizer, factor)
