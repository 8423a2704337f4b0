"""The training loop, and the one step that every loop of the package takes.

Multi-machine training, mixed precision and checkpointing are left out; `transformers.Trainer`
accepts the same models.

>>> import torch
>>> from transformers import BertConfig
>>> from bertlesson.optimization import make_optimizer, make_schedule
>>> from bertlesson.pretraining import PretrainingModel
>>> _ = torch.manual_seed(0)
>>> model = PretrainingModel(
...     BertConfig(vocab_size=30, hidden_size=16, num_attention_heads=2, num_hidden_layers=1)
... )
>>> input_ids = torch.randint(5, 30, (4, 12))  # (batch, length)
>>> labels = torch.full_like(input_ids, -100)
>>> labels[:, 3] = input_ids[:, 3]
>>> input_ids[:, 3] = 4  # [MASK]
>>> batch = {"input_ids": input_ids, "labels": labels, "next_sentence_label": torch.arange(4) % 2}
>>> optimizer = make_optimizer(model, learning_rate=1e-2)
>>> schedule = make_schedule(optimizer, warmup_steps=5, total_steps=50)
>>> history = train(model, [batch], optimizer, schedule, steps=50, progress=False)
>>> history["loss"][-1] < history["loss"][0] / 2
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from tqdm.auto import tqdm

from .inputs import check_precision, to_device
from .pretraining import PretrainingModel

__all__ = ["Batch", "endless", "take_step", "train"]

Batch = Mapping[str, Tensor]


def take_step(
    model: nn.Module,
    loss: Tensor,
    optimizer: Optimizer,
    schedule: LRScheduler,
    *,
    max_grad_norm: float = 1.0,
) -> None:
    """Update the weights once, against the gradient of this loss.

    Args:
        model: The model that the loss comes from.
        loss: A scalar with a gradient.
        optimizer: See `bertlesson.optimization.make_optimizer`; holds the model's parameters.
        schedule: The optimizer's learning rate, advanced by one step.
        max_grad_norm: Gradients are clipped to this norm (1.0 in the release).
    """
    loss.backward()  # each weight's gradient: how the loss changes with it
    # a rare batch with a huge gradient would otherwise undo the work of many steps
    nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
    optimizer.step()
    schedule.step()  # after the optimizer, so that the first update has the rate of step 0
    optimizer.zero_grad()  # backward() adds to what is there


def train(
    model: PretrainingModel,
    batches: Iterable[Batch],
    optimizer: Optimizer,
    schedule: LRScheduler,
    *,
    steps: int,
    max_grad_norm: float = 1.0,
    on_step: Callable[[int], None] | None = None,
    progress: bool = True,
) -> dict[str, list[float]]:
    """Train for a number of steps, iterating over the batches as many times as needed.

    The result depends on torch's seed (for dropout), on the batches, and on the number of threads.
    If all three are the same, so is the result, bit for bit.

    Args:
        model: The model to train, in place.
        batches: A `DataLoader` or a list; each batch holds the arguments of the model.
        optimizer: See `bertlesson.optimization.make_optimizer`.
        schedule: See `bertlesson.optimization.make_schedule`; its `total_steps` should equal
            `steps`.
        steps: Number of updates.
        max_grad_norm: Gradients are clipped to this norm (1.0 in the release).
        on_step: Called after each step with its number, counted from 1, for example to evaluate or
            save.
        progress: Whether to show a bar with the loss and the time left.

    Returns:
        ``"loss"``, ``"mlm_loss"`` and ``"nsp_loss"``, in nats, one number per step; the list of an
        objective without labels is empty.

    Raises:
        ValueError: If the batches hold no labels, if they run out before the last step, or if the
            model's weights are in half precision.
    """
    check_precision(model)
    history: dict[str, list[float]] = {"loss": [], "mlm_loss": [], "nsp_loss": []}
    stream = endless(batches)
    bar = tqdm(range(1, steps + 1), desc="pretraining", unit="step", disable=not progress)
    for step in bar:
        model.train()  # on_step may have left it in eval mode
        batch = to_device(next(stream), model)
        output = model(**batch, return_dict=True)  # the sum of the losses whose labels are there
        if output.loss is None:
            raise ValueError(
                f"a batch has {list(batch)}; expected labels or next_sentence_label among them"
            )
        take_step(model, output.loss, optimizer, schedule, max_grad_norm=max_grad_norm)
        for name, losses in history.items():
            if name in output:
                losses.append(output[name].item())
        bar.set_postfix(loss=f"{history['loss'][-1]:.3f}", refresh=False)
        if on_step is not None:
            on_step(step)
    return history


def endless(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Iterate over the batches again and again; a collator draws new masks each time."""
    while True:
        empty = True
        for batch in batches:
            empty = False
            yield batch
        if empty:
            raise ValueError(
                "no batches left before the last step; expected batches that can be iterated over "
                "again: pass a DataLoader or a list, or train for fewer steps"
            )
