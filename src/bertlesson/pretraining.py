"""Stage one: both objectives on one encoder, the paper's optimizer and schedule, and the loop.

Follows the paper's appendix A.2 and google-research/bert: `run_pretraining.py`, which scores the
vocabulary at the selected positions alone, and `optimization.py`. Left out: everything about
several machines, mixed precision and checkpoints; `transformers.Trainer` takes the same model.

>>> from transformers import BertConfig
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
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from tqdm.auto import tqdm
from transformers import BertConfig, BertModel
from transformers.utils.generic import ModelOutput, can_return_tuple

from bertlesson.heads import IGNORE_INDEX, MLMHead, NSPHead, TiedDecoderModel, mean_loss

Batch = Mapping[str, Tensor]


@dataclass
class PretrainingOutput(ModelOutput):
    """What a `PretrainingModel` returns; what was not asked for is None.

    Attributes:
        loss: ``mlm_loss + nsp_weight * nsp_loss``, or the one of them whose labels were given.
        prediction_logits: Scores of the vocabulary at every position, ``(batch, length, vocab)``;
            there without `labels`, or with ``all_logits=True``.
        seq_relationship_logits: ``(batch, 2)``; 0 = B follows A, 1 = B is random.
        selected_logits: Scores of the vocabulary at the selected positions, ``(selected, vocab)``,
            in the order of ``labels[labels != -100]``; there with `labels`.
        mlm_loss: Mean over the selected positions, in nats; there with `labels`.
        nsp_loss: Mean over the rows, in nats; there with `next_sentence_label`.
        hidden_states: As in `BertModel`, with ``output_hidden_states=True``.
        attentions: As in `BertModel`, with ``output_attentions=True``.
    """

    loss: Tensor | None = None
    prediction_logits: Tensor | None = None
    seq_relationship_logits: Tensor | None = None
    selected_logits: Tensor | None = None
    mlm_loss: Tensor | None = None
    nsp_loss: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class PretrainingModel(TiedDecoderModel):
    """The encoder with both pretraining heads (paper §3.1); names of `BertForPreTraining`.

    Only about 15% of the positions carry loss, so only they are scored against the vocabulary, by
    far the largest product of a small model. The loss and its gradients stay the same.

    Args:
        config: Of the encoder.
        nsp_weight: What NSP's loss counts in the sum of the two; the paper's sum is plain (A.2).

    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> model = PretrainingModel(BertConfig(vocab_size=50, **size))
    >>> labels = torch.full((2, 9), -100)  # (batch, length)
    >>> labels[0, 3], labels[1, 5] = 17, 42  # two tokens are selected
    >>> output = model(torch.ones_like(labels), labels=labels)
    >>> output.selected_logits.shape, output.seq_relationship_logits.shape
    (torch.Size([2, 50]), torch.Size([2, 2]))
    """

    def __init__(self, config: BertConfig, nsp_weight: float = 1.0) -> None:
        super().__init__(config)
        self.nsp_weight = nsp_weight
        self.bert = BertModel(config)
        self.cls = nn.ModuleDict(
            {"predictions": MLMHead(config), "seq_relationship": NSPHead(config)}
        )
        self.post_init()

    @can_return_tuple  # type: ignore[untyped-decorator]
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        next_sentence_label: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        all_logits: bool = False,
        **kwargs: Any,
    ) -> PretrainingOutput:
        """Encode once, and score with both heads.

        Args:
            input_ids: ``(batch, length)``, int64, as are all that follow.
            attention_mask: ``(batch, length)``: 1 = token, 0 = padding.
            token_type_ids: ``(batch, length)``: 0 = segment A, 1 = segment B.
            labels: ``(batch, length)``: the original ids at the selected positions, -100 elsewhere.
            next_sentence_label: ``(batch,)``: 0 = B follows A, 1 = B is random.
            num_items_in_batch: The number of selected positions in the larger batch that this one
                is a part of; `transformers.Trainer` passes it when it accumulates gradients. The
                loss is then this part's share of the larger batch's: exactly for MLM, and for
                NSP, a mean over rows, where every part selects equally many.
            all_logits: Score every position too, though labels are given.
            kwargs: For `BertModel`.

        Returns:
            A `PretrainingOutput`; with ``return_dict=False`` a tuple of what in it is not None.

        Raises:
            ValueError: If labels are not int64 or have another shape than stated.
        """
        encoded = self.bert(input_ids, attention_mask, token_type_ids, return_dict=True, **kwargs)
        hidden = encoded.last_hidden_state  # (batch, length, hidden)
        nsp_logits = self.cls["seq_relationship"](encoded.pooler_output)  # (batch, 2)
        logits = selected_logits = mlm_loss = nsp_loss = loss = None
        if labels is None or all_logits:
            logits = self.cls["predictions"](hidden)  # (batch, length, vocab)
        if labels is not None:
            selected, targets = select(hidden, labels)  # (selected, hidden), (selected,)
            selected_logits = self.cls["predictions"](selected)  # (selected, vocab)
            mlm_loss = mean_loss(selected_logits, targets)
        if next_sentence_label is not None:
            nsp_loss = mean_loss(nsp_logits, next_sentence_label)
            loss = self.nsp_weight * nsp_loss
        if mlm_loss is not None:
            loss = mlm_loss if loss is None else mlm_loss + loss
        if loss is not None and num_items_in_batch is not None:
            items = len(hidden) if labels is None else len(targets)
            loss = loss * items / torch.as_tensor(num_items_in_batch, device=loss.device).clamp(1)
        return PretrainingOutput(
            loss=loss,
            prediction_logits=logits,
            seq_relationship_logits=nsp_logits,
            selected_logits=selected_logits,
            mlm_loss=mlm_loss,
            nsp_loss=nsp_loss,
            hidden_states=encoded.hidden_states,
            attentions=encoded.attentions,
        )


def select(hidden: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The vectors and labels of the positions whose label is not -100, row by row.

    Args:
        hidden: ``(batch, length, hidden)``.
        labels: ``(batch, length)``.

    Returns:
        ``(selected, hidden)`` and ``(selected,)``, where ``selected`` counts the whole batch.

    Raises:
        ValueError: If there is not one label for each position.

    >>> labels = torch.tensor([[-100, 7, -100], [9, 8, -100]])
    >>> vectors, targets = select(torch.zeros(2, 3, 8), labels)
    >>> vectors.shape, targets
    (torch.Size([3, 8]), tensor([7, 9, 8]))
    """
    if labels.shape != hidden.shape[:2]:
        raise ValueError(
            f"labels have the shape {tuple(labels.shape)}; expected one label for each position, "
            f"{tuple(hidden.shape[:2])}"
        )
    positions = (labels != IGNORE_INDEX).flatten().nonzero().squeeze(1)  # (selected,)
    return hidden.flatten(0, 1).index_select(0, positions), labels.flatten()[positions]


class UncorrectedAdamW(Optimizer):
    """Adam as in the BERT release: without the correction of the first steps' averages.

    Both averages start at zero and are not scaled up for it, so early steps are larger than
    Adam's: the first one about three times (``0.1 / sqrt(0.001)``). Weight decay is decoupled, as
    in `torch.optim.AdamW`. Follows google-research/bert, `optimization.py`,
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
            closure: Called first, if given; computes the loss and its gradients.

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
    """Adam with weight decay on everything but biases and LayerNorm.

    The defaults are the paper's (A.2); epsilon 1e-6 and what the decay leaves out are from the
    release's `optimization.py`.

    Args:
        model: Any model with BERT's parameter names.
        learning_rate: The highest one, reached at the end of the warm-up.
        betas: How much Adam keeps at each step of its averages of gradients and of their squares.
            RoBERTa takes 0.98 for the second (Liu et al. 2019, §3.1).
        weight_decay: Share of a weight that is taken off at each step, times the learning rate.
        bias_correction: False is the release's Adam, see `UncorrectedAdamW`.

    >>> from transformers import BertConfig
    >>> config = BertConfig(vocab_size=9, hidden_size=4, num_attention_heads=1, num_hidden_layers=1)
    >>> optimizer = make_optimizer(PretrainingModel(config))
    >>> [group["weight_decay"] for group in optimizer.param_groups]
    [0.01, 0.0]
    """
    decayed: list[nn.Parameter] = []
    spared: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (spared if "LayerNorm" in name or name.endswith("bias") else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]
    if bias_correction:
        return AdamW(groups, lr=learning_rate, betas=betas, eps=1e-6, fused=True)
    return UncorrectedAdamW(groups, lr=learning_rate, betas=betas, eps=1e-6)


def make_schedule(
    optimizer: Optimizer,
    *,
    warmup_steps: int,
    total_steps: int,
    decay_from: Literal["warmup", "start"] = "warmup",
) -> LambdaLR:
    """The learning rate rises linearly from zero, then falls linearly to zero (paper A.2).

    Args:
        optimizer: Its learning rate is the highest one.
        warmup_steps: Steps of the rise; 10,000 in the paper.
        total_steps: Steps of both; 1,000,000 in the paper.
        decay_from: Where the falling line starts at its full height: at the end of the warm-up, or
            ("start") at step 0, where the warm-up hides its beginning, as in the release's
            `optimization.py`. Then the rate drops a little as the warm-up ends.

    Raises:
        ValueError: If the warm-up is negative, no whole number, or does not end before the last
            step.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    >>> rate = make_schedule(optimizer, warmup_steps=2, total_steps=10).lr_lambdas[0]
    >>> [round(rate(step), 3) for step in range(0, 11, 2)]
    [0.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(
            f"warmup_steps={warmup_steps} with total_steps={total_steps}; the warm-up must end "
            "before the last step"
        )
    if warmup_steps != int(warmup_steps):
        raise ValueError(
            f"warmup_steps={warmup_steps}; expected a whole number of steps: a share of them is "
            f"int({warmup_steps} * total_steps)"
        )
    if decay_from not in ("warmup", "start"):
        raise ValueError(f'decay_from={decay_from!r}; expected "warmup" or "start"')
    full = warmup_steps if decay_from == "warmup" else 0

    def factor(step: int) -> float:
        if step < warmup_steps:
            return step / warmup_steps
        return max(0.0, (total_steps - step) / (total_steps - full))

    return LambdaLR(optimizer, factor)


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
    """Train for a number of steps, passing over the batches as often as that takes.

    The result depends on torch's seed (dropout), on the batches, and on the number of threads:
    with the same three it is the same to the bit.

    Args:
        model: Trained in place.
        batches: A `DataLoader` or a list; each batch holds the arguments of the model.
        optimizer: See `make_optimizer`.
        schedule: See `make_schedule`; its `total_steps` are to be these `steps`.
        steps: How many updates.
        max_grad_norm: Longer gradients are shortened to this (1.0 in the release).
        on_step: Called after each step with its number, from 1; a place to evaluate or to save.
        progress: Show a bar with the loss and the time left.

    Returns:
        ``"loss"``, ``"mlm_loss"`` and ``"nsp_loss"``, in nats, one number a step; the list of an
        objective without labels is empty.

    Raises:
        ValueError: If the batches hold no labels, or run out before the last step.
    """
    history: dict[str, list[float]] = {"loss": [], "mlm_loss": [], "nsp_loss": []}
    stream = endless(batches)
    bar = tqdm(range(1, steps + 1), desc="pretraining", unit="step", disable=not progress)
    for step in bar:
        model.train()  # on_step may have left it in eval mode
        batch = {name: tensor.to(model.device) for name, tensor in next(stream).items()}
        output = model(**batch, return_dict=True)
        if output.loss is None:
            raise ValueError(f"a batch of {list(batch)}; expected labels or next_sentence_label")
        output.loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        for name, losses in history.items():
            if name in output:
                losses.append(output[name].item())
        bar.set_postfix(loss=f"{history['loss'][-1]:.3f}", refresh=False)
        if on_step is not None:
            on_step(step)
    return history


def endless(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Pass over the batches again and again; a collator masks them anew each time."""
    while True:
        empty = True
        for batch in batches:
            empty = False
            yield batch
        if empty:
            raise ValueError(
                "no batches left before the last step; give a DataLoader or a list, which can be "
                "passed over again, or ask for fewer steps"
            )
