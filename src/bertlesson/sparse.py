"""Any model's own MLM head, at the selected positions alone.

transformers' MLM heads score the vocabulary at every position, though the loss reads about 15% of
them. Here the head is given the vectors of these alone, whatever it is made of: the encoder's
output is cut on its way to the head. The loss and its gradients are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import MaskedLMOutput

from .heads import mean_loss
from .pretraining import select

__all__ = ["score_selected"]


def score_selected(
    model: nn.Module,
    batch: Mapping[str, Tensor],
    num_items_in_batch: Tensor | int | None = None,
) -> MaskedLMOutput:
    """Run a model of ``AutoModelForMaskedLM``, with its head at the selected positions alone.

    Use it in place of ``model(**batch)``: in a loop, or in `Trainer.compute_loss`. The encoder,
    the head, the weights and their names stay those of the model.

    Args:
        model: A model with an MLM head of any family whose encoder is its ``base_model``, or that
            model with adapters of peft, or in `DistributedDataParallel`.
        batch: The model's arguments with ``labels``, int64, ``(batch, length)``: the original ids
            at the selected positions, -100 elsewhere, as from `MaskingCollator`.
        num_items_in_batch: See `mean_loss`; `Trainer.compute_loss` is given it.

    Returns:
        ``loss``, in nats; and ``logits`` of shape ``(selected, vocab)``, in the order of
        ``labels[labels != -100]``.

    Raises:
        ValueError: If the batch has no labels, or if they are not int64 or not of the shape of the
            encoder's output. If the model has a decoder of its own, as BART has, or if its head
            does not follow its encoder.

    >>> from transformers import DistilBertConfig, DistilBertForMaskedLM
    >>> model = DistilBertForMaskedLM(
    ...     DistilBertConfig(vocab_size=50, dim=8, hidden_dim=8, n_heads=1, n_layers=1)
    ... ).eval()
    >>> ids = torch.arange(18).reshape(2, 9)
    >>> labels = torch.full_like(ids, -100)
    >>> labels[0, 3], labels[1, 5] = 3, 14  # two tokens are selected
    >>> output = score_selected(model, {"input_ids": ids, "labels": labels})
    >>> output.logits.shape
    torch.Size([2, 50])
    >>> torch.allclose(output.loss, model(input_ids=ids, labels=labels).loss)
    True
    """
    if "labels" not in batch:
        raise ValueError(
            f"the batch has {sorted(batch)}; expected labels among them: take it from a "
            "MaskingCollator"
        )
    inputs = dict(batch)
    labels = inputs.pop("labels")
    inner = without_wrappers(model)
    encoder = inner.base_model
    if encoder is inner:
        raise ValueError(
            f"{type(inner).__name__} is an encoder without a head; expected a model of "
            "AutoModelForMaskedLM"
        )
    targets: list[Tensor] = []

    def cut(_module: nn.Module, _arguments: Any, output: Any) -> Any:
        hidden = output["last_hidden_state"]  # (batch, length, hidden)
        if labels.dtype != torch.int64 or labels.shape != hidden.shape[:2]:
            raise ValueError(
                f"labels are {labels.dtype} of shape {tuple(labels.shape)}; expected the original "
                f"ids, torch.int64, of shape {tuple(hidden.shape[:2])}, as the input_ids"
            )
        selected, found = select(hidden, labels)
        targets.append(found)
        output["last_hidden_state"] = selected[None]  # (1, selected, hidden)
        return output

    hook = encoder.register_forward_hook(cut)
    try:
        logits: Tensor = model(**inputs, return_dict=True).logits
    finally:
        hook.remove()
    if not targets or logits.shape[:2] != (1, len(targets[0])):
        raise ValueError(
            f"{type(inner).__name__} returned logits of shape {tuple(logits.shape)}; expected a "
            "head that scores the encoder's vectors one by one: this model is not supported"
        )
    loss = mean_loss(logits[0], targets[0], num_items_in_batch)
    return MaskedLMOutput(loss=loss, logits=logits[0])


def without_wrappers(model: Any) -> Any:
    """The model of transformers within `DistributedDataParallel` or one of peft.

    Raises:
        ValueError: If it is an encoder and a decoder.
    """
    inner = model.module if isinstance(model, nn.parallel.DistributedDataParallel) else model
    if hasattr(inner, "get_base_model"):  # peft's
        inner = inner.get_base_model()
    if getattr(inner.config, "is_encoder_decoder", False):
        raise ValueError(
            f"{type(inner).__name__} makes its decoder's inputs from the labels; expected an "
            "encoder with an MLM head: pass all labels to this model itself"
        )
    return inner
