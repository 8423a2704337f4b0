"""What a model needs for packed rows: attention that stops at borders, and a pooler for each text.

`bertlesson.packing` makes such rows, and asks here which form of mask a model takes.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import nn
from transformers import PreTrainedModel

from .heads import let_hooks_read

__all__ = [
    "KNOWN",
    "attention_of",
    "first_position",
    "pool_each_text",
    "reads_each_text",
    "window_of",
]

Model = TypeVar("Model", bound=PreTrainedModel)

# The encoders of transformers, by `model_type`, whose logits are the same packed and padded; the
# tests compare them. Others' are not: ConvBERT's convolution crosses borders, FNet mixes the whole
# row.
KNOWN = frozenset(
    {
        "albert",
        "bert",
        "camembert",
        "distilbert",
        "electra",
        "ernie",
        "eurobert",
        "gte",
        "megatron-bert",
        "modernbert",
        "nomic_bert",
        "rembert",
        "roberta",
        "roberta-prelayernorm",
        "xlm-roberta",
    }
)
# Those of them whose pooler can be given each text: ALBERT's is a layer without its tanh, and
# `megatron-bert` does not pass `cls_positions` on.
POOLED = frozenset({"bert", "ernie"})


def pool_each_text(model: Model) -> Model:
    """Let a model's pooler read each text of a packed row, where ``cls_positions`` says.

    Given ``cls_positions``, ``(rows, texts)``, ``pooler_output`` becomes ``(rows, texts, hidden)``,
    and what a head scores from it ``(rows, texts, classes)``; without them, all is as before. Works
    for every head that scores the pooled vector and takes the mean over all labels:
    `bertlesson.pretraining.PretrainingModel` and transformers' `BertForPreTraining` both do.
    Parameters, their names and the configuration stay the same, so checkpoints load both ways.

    Args:
        model: A BERT with a pooler, changed in place. A second call changes nothing.

    Returns:
        The same model.

    Raises:
        ValueError: If it has no pooler, or one that is not called as BERT's is.

    >>> from transformers import BertConfig, BertForPreTraining
    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> model = pool_each_text(BertForPreTraining(BertConfig(vocab_size=50, **size)))
    >>> ids = torch.ones(2, 9, dtype=torch.int64)
    >>> model(ids).seq_relationship_logits.shape
    torch.Size([2, 2])
    >>> positions = torch.tensor([[0, 3, 7], [0, 4, -1]])  # the second row has two texts
    >>> model(ids, cls_positions=positions).seq_relationship_logits.shape
    torch.Size([2, 3, 2])
    """
    encoder = model.base_model
    if getattr(encoder, "pooler", None) is None:
        raise ValueError(
            f"{type(model).__name__} has no pooler; expected one, to score each text by its [CLS]: "
            "without NSP, a model needs no change for packed rows"
        )
    if (kind := model.config.model_type) not in POOLED:
        raise ValueError(
            f"the model is of type {kind!r}; expected one whose pooler is known to read each text, "
            f"{' or '.join(sorted(POOLED))}: for others, use MaskingCollator, which pads"
        )
    if not reads_each_text(model):
        encoder.register_forward_hook(_pool_at_positions, with_kwargs=True)
        let_hooks_read(encoder, "cls_positions")
    return model


def _pool_at_positions(
    encoder: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], output: Any
) -> Any:
    """Replace the vectors pooled from the first position of each row."""
    positions = keywords.get("cls_positions")  # (rows, texts)
    if positions is not None:
        hidden = output.last_hidden_state  # (rows, length, hidden)
        rows = torch.arange(len(hidden), device=hidden.device)[:, None]
        firsts = hidden[rows, positions]  # (rows, texts, hidden)
        # the pooler reads position 0 of each row that it gets
        pooled = encoder.pooler(firsts.flatten(0, 1)[:, None])  # (rows * texts, hidden)
        output["pooler_output"] = pooled.unflatten(0, positions.shape)
    return output


def reads_each_text(model: PreTrainedModel) -> bool:
    """Whether `pool_each_text` has been called for the model."""
    return _pool_at_positions in model.base_model._forward_hooks.values()


def attention_of(model: PreTrainedModel) -> str:
    """Which form of mask the model needs: sdpa, eager or flash.

    Raises:
        ValueError: If the model or its attention is not known to keep packed texts apart.
    """
    name = str(getattr(model.config, "_attn_implementation", None))
    attention = "flash" if "flash" in name else name
    if attention not in ("sdpa", "eager", "flash"):
        raise ValueError(
            f"the model's attention is {name!r}; expected sdpa, eager or flash attention: call "
            "model.set_attn_implementation('sdpa')"
        )
    kind = model.config.model_type
    if kind not in KNOWN:
        raise ValueError(
            f"the model is of type {kind!r}; expected one that is known to keep packed texts "
            f"apart, {', '.join(sorted(KNOWN))}: use MaskingCollator, which pads"
        )
    return attention


def first_position(model: PreTrainedModel) -> int:
    """The number of a text's first position: 0, but 2 in RoBERTa, where padding has one as well."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            return 0 if module.padding_idx is None else module.padding_idx + 1
    return 0


def window_of(model: PreTrainedModel) -> int | None:
    """How many positions to each side ModernBERT's local layers read; None in other encoders.

    A mask for pairs of positions replaces this window, so it has to be part of the mask.
    """
    if model.config.model_type != "modernbert":
        return None
    window: int = model.config.sliding_window
    return window
