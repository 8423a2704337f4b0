"""Why this guess? What each token of a text adds to it, and in which layer it appears.

Both questions are put to any model of ``AutoModelForMaskedLM`` whose encoder is its ``base_model``:
the model's own head is given vectors, whichever they are. All answers are in log-odds,
``log(p / (1 - p))``. Probabilities near 0 or 1 hardly move; log-odds do, by as much as the evidence
that was taken away.

The second follows "interpreting GPT: the logit lens" (nostalgebraist 2020), for an encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput

__all__ = ["cover", "log_odds", "read_layers"]

ROWS = 16  # in one pass, so that memory does not grow with the text


# --8<-- [start:log-odds]
def log_odds(logits: Tensor) -> Tensor:
    """``log(p / (1 - p))`` of each class, ``(..., classes)`` in and out, float64.

    >>> log_odds(torch.tensor([0.75, 0.25]).log())  # odds of 3 to 1, and 1 to 3
    tensor([ 1.0986, -1.0986], dtype=torch.float64)
    """
    log_p = logits.double().log_softmax(-1)
    log_rest = (-log_p.expm1()).log()  # log(1 - p)
    # 1 - p of the most likely class may be too small for that, so it is summed up from the others
    best = log_p.argmax(-1, keepdim=True)
    rest_of_best = log_p.scatter(-1, best, -torch.inf).logsumexp(-1, keepdim=True)
    return log_p - log_rest.scatter(-1, best, rest_of_best)


# --8<-- [end:log-odds]


@torch.no_grad()
def cover(
    model: nn.Module,
    inputs: Mapping[str, Tensor],
    position: int,
    mask_token_id: int,
    token_id: int | None = None,
) -> Tensor:
    """How the log-odds of the guess at a position change if each token is covered in turn.

    Args:
        model: A model of ``AutoModelForMaskedLM``, in eval mode.
        inputs: Its arguments for one text: ``input_ids``, int64, ``(1, length)``, and others of
            that shape.
        position: Where it guesses. The token there is hidden in every row.
        mask_token_id: What covers a token.
        token_id: The guess; None for the model's own, its most likely token.

    Returns:
        ``(length)``, float64: below 0 where covering a token makes the guess less likely, and 0 at
        the position itself.

    Raises:
        ValueError: If there is not exactly one text, if the position is outside it, or if the model
            is an encoder without a head.

    >>> from transformers import BertConfig, BertForMaskedLM
    >>> config = BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=2)
    >>> inputs = {"input_ids": torch.tensor([[2, 5, 4, 6, 3]])}
    >>> changes = cover(BertForMaskedLM(config).eval(), inputs, position=2, mask_token_id=4)
    >>> changes.shape, changes[2].item()
    (torch.Size([5]), 0.0)
    """
    _check(model, inputs, position)
    # --8<-- [start:cover]
    length = inputs["input_ids"].shape[1]
    rows = {name: given.repeat(length, 1) for name, given in inputs.items()}
    ids = rows["input_ids"]  # (length, length)
    ids[:, position] = mask_token_id
    ids.fill_diagonal_(mask_token_id)  # row n is the text with token n covered

    def at_position(output: Any) -> Tensor:
        vectors: Tensor = output.last_hidden_state[:, position]
        return vectors  # (rows, hidden)

    parts = [
        _score(model, {name: given[at : at + ROWS] for name, given in rows.items()}, at_position)
        for at in range(0, length, ROWS)
    ]
    scores = log_odds(torch.cat(parts))  # (length, vocab)
    whole = scores[position]  # in this row no other token is covered
    guess = whole.argmax() if token_id is None else token_id
    return scores[:, guess] - whole[guess]
    # --8<-- [end:cover]


@torch.no_grad()
def read_layers(model: nn.Module, inputs: Mapping[str, Tensor], position: int) -> Tensor:
    """What the MLM head makes of each layer's vector at a position, not only of the last one's.

    The head was trained on the last layer alone. A layer before it may hold what the head cannot
    read. In models that normalize *before* each layer, such as ModernBERT, this is the rule.

    Args:
        model: A model of ``AutoModelForMaskedLM``, in eval mode.
        inputs: Its arguments for one text, see `cover`.
        position: Where it guesses, usually that of a mask token.

    Returns:
        Log-odds of each token, float64, ``(layers + 1, vocab)``: from the embeddings, then from
        each layer. The last row is the model's guess.

    Raises:
        ValueError: See `cover`.

    >>> from transformers import BertConfig, BertForMaskedLM
    >>> config = BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=3, num_attention_heads=2)
    >>> inputs = {"input_ids": torch.tensor([[2, 5, 4, 6, 3]])}
    >>> read_layers(BertForMaskedLM(config).eval(), inputs, position=2).shape
    torch.Size([4, 9])
    """
    _check(model, inputs, position)

    # --8<-- [start:layers]
    def in_each_layer(output: Any) -> Tensor:
        return torch.cat(output.hidden_states)[:, position]  # (layers + 1, hidden)

    return log_odds(_score(model, {**inputs, "output_hidden_states": True}, in_each_layer))
    # --8<-- [end:layers]


# --8<-- [start:score]
def _score(model: nn.Module, inputs: Mapping[str, Any], pick: Callable[[Any], Tensor]) -> Tensor:
    """The scores of the model's own head, for these of the encoder's vectors.

    Families build and name their heads differently. But each head is given what the encoder
    returns, so that is where other vectors are put in its place: ``(n, hidden)``.
    """
    encoder: Any = model.base_model

    def replace(_module: nn.Module, _arguments: Any, output: Any) -> BaseModelOutput:
        return BaseModelOutput(last_hidden_state=pick(output)[None])  # (1, n, hidden)

    hook = encoder.register_forward_hook(replace)
    try:
        logits: Tensor = model(**inputs, return_dict=True).logits
    finally:
        hook.remove()
    return logits[0]  # (n, vocab)


# --8<-- [end:score]


def _check(model: nn.Module, inputs: Mapping[str, Tensor], position: int) -> None:
    if model.base_model is model:
        raise ValueError(
            f"{type(model).__name__} is an encoder without a head; expected a model of "
            "AutoModelForMaskedLM"
        )
    rows, length = inputs["input_ids"].shape
    if rows != 1:
        raise ValueError(f"input_ids have {rows} rows; expected one text, of shape (1, length)")
    if not 0 <= position < length:
        raise ValueError(
            f"position is {position}, and the text has {length} tokens; expected a position from "
            f"0 to {length - 1}"
        )
