"""The encoder's last layer, computed only at the positions that a head reads.

A position of the last layer reads all others, but no position reads it. So where a head reads only
a few, such as the selected positions or ``[CLS]``, the others need no queries and no feed-forward
part there, only keys and values. What the head reads, and all gradients, stay the same. In an
encoder with two layers this saves about a third of the work of a pretraining step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import BertModel, PreTrainedModel
from transformers.models.bert.modeling_bert import BertLayer

from ..heads import IGNORE_INDEX

__all__ = ["hidden_at", "read_first_only", "read_labelled_only"]

Model = TypeVar("Model", bound=PreTrainedModel)
Layer = TypeVar("Layer", bound=BertLayer)


def hidden_at(bert: BertModel, batch: Mapping[str, Tensor], where: Tensor) -> Tensor:
    """Encode, and return the vectors of some positions, row by row.

    Args:
        bert: The encoder.
        batch: ``input_ids``, ``attention_mask`` and ``token_type_ids``, ``(rows, length)`` each;
            additional keys are ignored.
        where: ``(rows, length)``, True at these positions.

    Returns:
        ``(positions, hidden)``, as in ``bert(...).last_hidden_state[where]``.

    >>> import torch
    >>> from transformers import BertConfig
    >>> bert = BertModel(BertConfig(hidden_size=8, num_attention_heads=2, num_hidden_layers=2))
    >>> ids = torch.ones(3, 5, dtype=torch.int64)
    >>> batch = {"input_ids": ids, "attention_mask": ids, "token_type_ids": 0 * ids}
    >>> hidden_at(bert.eval(), batch, torch.eye(3, 5, dtype=torch.bool)).shape
    torch.Size([3, 8])
    """
    layers: Any = bert.encoder.layer
    *lower, last = layers
    may_read = batch["attention_mask"].bool()[:, None, None]  # (rows, 1, 1, length)
    hidden = bert.embeddings(batch["input_ids"], batch["token_type_ids"])
    for layer in lower:
        hidden = layer(hidden, may_read)  # (rows, length, hidden)
    return _at(last, hidden, may_read, where)


def read_first_only(model: Model) -> Model:
    """Replace the last layer of a model whose head reads only the first position, ``[CLS]``.

    Args:
        model: A model whose encoder is named ``bert``, with a head on its pooler.

    Returns:
        The same model, with the same parameters under the same names. The length of
        ``last_hidden_state`` is 1.

    >>> import torch
    >>> from transformers import BertConfig
    >>> from bertlesson.heads import SequenceClassificationModel
    >>> size = {"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 2}
    >>> model = SequenceClassificationModel(BertConfig(vocab_size=9, **size)).eval()
    >>> ids = torch.tensor([[1, 5, 2]])
    >>> before = model(ids).logits
    >>> torch.allclose(read_first_only(model)(ids).logits, before, atol=1e-6)
    True
    """
    _replace_last(model, _FirstPosition)
    return model


def read_labelled_only(model: Model) -> Model:
    """Replace the last layer of a model whose loss reads only labelled positions and the first.

    Args:
        model: A model whose encoder is named ``bert`` and that is called with ``labels`` by name,
            ``(rows, length)``, -100 where there is none: one for masked language modelling, with or
            without NSP, or for tokens.

    Returns:
        The same model, with the same parameters under the same names. Called with labels, its
        losses and gradients stay the same, but its scores at the other positions mean nothing;
        called without, everything stays the same.

    >>> import torch
    >>> from transformers import BertConfig
    >>> from bertlesson.heads import MaskedLMModel
    >>> size = {"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 2}
    >>> model = MaskedLMModel(BertConfig(vocab_size=9, **size)).eval()
    >>> ids, labels = torch.tensor([[1, 4, 2]]), torch.tensor([[-100, 5, -100]])
    >>> before = model(ids, labels=labels).loss
    >>> torch.allclose(read_labelled_only(model)(ids, labels=labels).loss, before)
    True
    """
    last = _replace_last(model, _LabelledPositions)

    def tell(_: Any, args: tuple[Any, ...], inputs: dict[str, Any]) -> None:
        labels = inputs.get("labels")
        last.where = None
        if labels is not None:
            last.where = labels != IGNORE_INDEX  # (rows, length)
            last.where[:, 0] = True  # the pooler reads it

    model.register_forward_pre_hook(tell, with_kwargs=True)
    return model


def _replace_last(model: PreTrainedModel, kind: type[Layer]) -> Layer:
    """Make the last layer one of this kind, with the same parameters.

    An optimizer that has been made already goes on updating them.
    """
    layers: Any = model.get_submodule("bert.encoder.layer")
    last = kind(model.config, layer_idx=len(layers) - 1).train(layers[-1].training)
    for name, part in layers[-1].named_children():
        setattr(last, name, part)
    layers[-1] = last
    return last


class _LabelledPositions(BertLayer):
    """A layer that returns zeros at the positions that nothing reads, ``(rows, length, hidden)``.

    Attributes:
        where: ``(rows, length)``, True where something reads; None = everywhere.
    """

    where: Tensor | None = None

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Tensor:
        if self.where is None:
            everywhere: Tensor = super().forward(hidden_states, attention_mask, *args, **kwargs)
            return everywhere
        if attention_mask is not None:
            attention_mask = attention_mask[:, :, :1]  # (rows, 1, 1, length)
        vectors = _at(self, hidden_states, attention_mask, self.where)
        return torch.zeros_like(hidden_states).masked_scatter(self.where[..., None], vectors)


class _FirstPosition(BertLayer):
    """A layer that returns only the vector of the first position, ``(rows, 1, hidden)``."""

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Tensor:
        if attention_mask is not None:
            attention_mask = attention_mask[:, :, :1]  # (rows, 1, 1, length)
        first = hidden_states[:, :1]
        return _finish(self, _attend(self, first, hidden_states, attention_mask), first)


def _at(layer: BertLayer, hidden: Tensor, may_read: Tensor | None, where: Tensor) -> Tensor:
    """A layer's vectors at some positions, row by row, ``(positions, hidden)``.

    Args:
        layer: A layer of `BertModel`.
        hidden: The vectors that the layer reads, ``(rows, length, hidden)``.
        may_read: A mask for ``(rows, heads, asked, length)``; True = read it.
        where: ``(rows, length)``, True at these positions.
    """
    # rows ask at different numbers of positions; shorter ones are filled up with some of the rest
    most = int(where.sum(1).max())
    asked = where.int().argsort(dim=1, descending=True, stable=True)[:, :most]  # (rows, most)
    states = hidden.gather(1, asked[..., None].expand(-1, -1, hidden.shape[-1]))
    context = _attend(layer, states, hidden, may_read)  # (rows, most, hidden)
    wanted = where.gather(1, asked).flatten().nonzero().squeeze(1)  # (positions,)
    context, states = (part.flatten(0, 1).index_select(0, wanted) for part in (context, states))
    return _finish(layer, context, states)


def _attend(layer: BertLayer, states: Tensor, source: Tensor, may_read: Tensor | None) -> Tensor:
    """Attention from some positions to all.

    Args:
        layer: A layer of `BertModel`.
        states: The vectors of the positions that ask, ``(rows, asked, hidden)``.
        source: The vectors of all positions, ``(rows, length, hidden)``.
        may_read: A mask for ``(rows, heads, asked, length)``; True = read it.

    Returns:
        ``(rows, asked, hidden)``.
    """
    own = layer.attention.self
    query, key, value = (  # (rows, heads, asked or length, hidden / heads)
        project(vectors).unflatten(-1, (own.num_attention_heads, -1)).transpose(1, 2)
        for project, vectors in ((own.query, states), (own.key, source), (own.value, source))
    )
    dropout = own.dropout.p if layer.training else 0.0
    context = scaled_dot_product_attention(query, key, value, attn_mask=may_read, dropout_p=dropout)
    return context.transpose(1, 2).flatten(2)


def _finish(layer: BertLayer, context: Tensor, states: Tensor) -> Tensor:
    """What follows attention in a layer: ``(..., hidden)`` in and out."""
    answers: Tensor = layer.feed_forward_chunk(layer.attention.output(context, states))
    return answers
