"""The MLM head, whose decoder is the encoder's table of word embeddings.

Parameters have the same names as in transformers, so weights load both ways.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertPreTrainedModel
from transformers import initialization as init
from transformers.activations import ACT2FN

__all__ = ["MLMHead", "MLMHeadTransform", "TiedDecoderModel"]


class MLMHeadTransform(nn.Module):
    """One more layer before the vocabulary: dense, activation, LayerNorm."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = ACT2FN[config.hidden_act]
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """``(..., hidden)`` in and out."""
        transformed: Tensor = self.LayerNorm(self.activation(self.dense(hidden_states)))
        return transformed


class MLMHead(nn.Module):
    """Scores every word of the vocabulary from a token's vector (paper §3.1, task 1).

    The decoder's weight is the table of word embeddings: the score of a word is the dot product of
    its embedding with the transformed vector, plus a bias for that word. The model that contains
    both ties them, see `TiedDecoderModel`; a head by itself has a weight of its own. The same goes
    for the bias, which has two names in checkpoints: the decoder's is the one that is added, and
    the model ties it to the head's.

    >>> head = MLMHead(BertConfig(vocab_size=50, hidden_size=8))
    >>> head(torch.zeros(2, 5, 8)).shape  # (batch, length, vocab)
    torch.Size([2, 5, 50])
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.transform = MLMHeadTransform(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        # A separate parameter, not an alias of the decoder's: `from_pretrained` ties by name.
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden_states: Tensor) -> Tensor:
        """``(..., hidden)`` to ``(..., vocab)``."""
        logits: Tensor = self.decoder(self.transform(hidden_states))
        return logits


class TiedDecoderModel(BertPreTrainedModel):
    """A model whose MLM head, ``cls.predictions``, shares the encoder's word embeddings.

    With ``config.tie_word_embeddings=False`` nothing is shared, as everywhere in transformers, and
    the decoder's bias is separate too. The head's ``bias`` is then unused; it is kept because files
    of transformers' models contain it.
    """

    _tied_weights_keys = {  # noqa: RUF012
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    }

    def get_output_embeddings(self) -> nn.Module:
        """The decoder, which transformers resizes together with the embeddings."""
        return self.get_submodule("cls.predictions.decoder")

    def set_output_embeddings(self, new_embeddings: nn.Linear) -> None:
        """Called by transformers after it has made a decoder of another size."""
        head = self.get_submodule("cls.predictions")
        head.decoder, head.bias = new_embeddings, new_embeddings.bias
        if "cls.predictions.decoder.bias" not in self.all_tied_weights_keys:
            # a shared parameter would be saved under only one of its two names
            head.bias = nn.Parameter(head.bias.detach().clone(), requires_grad=False)

    def tie_weights(self, *args: Any, **kwargs: Any) -> None:
        """As in transformers, but an untied, unused bias gets no gradient.

        `DistributedDataParallel` would wait for it.
        """
        head: Any = self.get_submodule("cls.predictions")
        trained = head.decoder.bias.requires_grad
        super().tie_weights(*args, **kwargs)
        head.bias.requires_grad_(trained and head.bias is head.decoder.bias)

    def _init_weights(self, module: nn.Module) -> None:
        """Called by transformers for weights that are missing from a file."""
        super()._init_weights(module)
        if isinstance(module, MLMHead):
            init.zeros_(module.bias)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """As in torch, but the decoder may be missing, since `save_pretrained` leaves it out."""
        state_dict = copy.copy(state_dict)
        for tied, source in self.all_tied_weights_keys.items():
            if strict and source in state_dict:  # if not strict, the caller wants the missing names
                state_dict.setdefault(tied, state_dict[source])  # type: ignore[attr-defined]
        result = super().load_state_dict(state_dict, strict=strict, assign=assign)
        # assign=True replaces one shared parameter with two
        self.tie_weights(recompute_mapping=False)
        return result
