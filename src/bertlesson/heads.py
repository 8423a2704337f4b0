"""The heads that sit on BERT's encoder: two for pretraining, three for fine-tuning.

The encoder, `transformers.BertModel`, gives one vector a token and one more for the whole input
(the pooled ``[CLS]``). A head is what turns these vectors into answers:

====================================  ===================  ====================================
head                                  reads                answers
====================================  ===================  ====================================
`MLMHead`                             every token          which word stood here
`NSPHead`                             the pooled [CLS]     does B follow A
`SequenceClassificationModel`         the pooled [CLS]     which class the whole input has
`TokenClassificationModel`            every token          which class each token has
`QuestionAnsweringModel`              every token          where the answer starts and ends
====================================  ===================  ====================================

Parameters carry the names they have in transformers, so weights load both ways, and logits and
losses are the same. Two things differ: labels of -100 alone give a loss of zero where
transformers' is NaN, and ``num_items_in_batch`` is used, so that accumulating the gradients of
four batches under `transformers.Trainer` equals one batch four times the size.

This file needs torch and transformers and nothing else: copy it into your project as it stands.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import BertConfig, BertModel, BertPreTrainedModel
from transformers.activations import ACT2FN
from transformers.modeling_outputs import (
    MaskedLMOutput,
    NextSentencePredictorOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)

IGNORE_INDEX = -100


def mean_loss(
    logits: Tensor, labels: Tensor, num_items_in_batch: Tensor | int | None = None
) -> Tensor:
    """The mean cross-entropy over the labels that are not -100, in nats.

    Args:
        logits: Scores of any float type, ``(..., classes)``.
        labels: Class numbers, int64, of the logits' shape without the classes; -100 is left out.
        num_items_in_batch: What to divide the sum by, where these labels are one part of a larger
            batch: the number of labels in the whole of it. `transformers.Trainer` passes it when
            it accumulates gradients. Default: the number of labels here.

    Returns:
        One number with a gradient. With nothing but -100 it is zero, and so is its gradient.

    Raises:
        ValueError: If the labels are not int64 or do not have the shape of the logits.

    >>> logits = torch.tensor([[0.0, 0.0], [0.0, 9.0]])
    >>> print(f"{mean_loss(logits, torch.tensor([0, -100])):.4f}")  # log 2: no idea which of two
    0.6931
    >>> print(mean_loss(logits, torch.tensor([-100, -100])).item())
    0.0
    """
    if labels.dtype != torch.int64 or labels.shape != logits.shape[:-1]:
        raise ValueError(
            f"labels are {labels.dtype} of shape {tuple(labels.shape)}; expected class numbers, "
            f"torch.int64, of shape {tuple(logits.shape[:-1])}, with {IGNORE_INDEX} where there is "
            "no answer to learn"
        )
    total = F.cross_entropy(
        logits.flatten(0, -2), labels.flatten(), ignore_index=IGNORE_INDEX, reduction="sum"
    )
    if num_items_in_batch is None:
        num_items_in_batch = (labels != IGNORE_INDEX).sum()
    # With nothing to learn from, 0 / 1 and not 0 / 0.
    return total / torch.as_tensor(num_items_in_batch, device=total.device).clamp(min=1)


class MLMHeadTransform(nn.Module):
    """One more layer before the vocabulary: dense, activation, LayerNorm."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = ACT2FN[config.hidden_act]
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """``(..., hidden)`` in and out."""
        hidden_states = self.activation(self.dense(hidden_states))
        return self.LayerNorm(hidden_states)  # type: ignore[no-any-return]


class MLMHead(nn.Module):
    """Scores for every word of the vocabulary, from the vector of a token (paper §3.1, task 1).

    The decoder's weight is the table of word embeddings: the score of a word is the product of its
    embedding with the transformed vector, plus a bias of the word's own. The model that owns the
    embeddings ties the two (see `TiedDecoderModel`).

    >>> from transformers import BertConfig
    >>> config = BertConfig(vocab_size=50, hidden_size=8)
    >>> MLMHead(config)(torch.zeros(2, 5, 8)).shape  # (batch, length, vocab)
    torch.Size([2, 5, 50])
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.transform = MLMHeadTransform(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.bias = self.decoder.bias  # one parameter under the two names it has in checkpoints

    def forward(self, hidden_states: Tensor) -> Tensor:
        """``(..., hidden)`` to ``(..., vocab)``."""
        return self.decoder(self.transform(hidden_states))  # type: ignore[no-any-return]


class NSPHead(nn.Linear):
    """Two scores from the pooled ``[CLS]``: 0 = B follows A, 1 = B is random (§3.1, task 2).

    >>> from transformers import BertConfig
    >>> NSPHead(BertConfig(hidden_size=8))(torch.zeros(3, 8)).shape  # (batch, 2)
    torch.Size([3, 2])
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config.hidden_size, 2)


class TiedDecoderModel(BertPreTrainedModel):
    """What a model needs whose MLM head, ``cls.predictions``, shares the encoder's embeddings."""

    _tied_weights_keys = {  # noqa: RUF012
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    }
    cls: nn.ModuleDict

    def get_output_embeddings(self) -> nn.Module:
        """The decoder; transformers resizes it along with the embeddings."""
        return self.get_submodule("cls.predictions.decoder")

    def set_output_embeddings(self, new_embeddings: nn.Linear) -> None:
        """Called by transformers when it has made a decoder of another size."""
        head = self.get_submodule("cls.predictions")
        head.decoder = new_embeddings
        head.bias = new_embeddings.bias

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """As in torch, and a state dict may leave out the decoder, as `save_pretrained` does."""
        state_dict = copy.copy(state_dict)
        for tied, source in self._tied_weights_keys.items():
            if source in state_dict:
                state_dict.setdefault(tied, state_dict[source])  # type: ignore[attr-defined]
        result = super().load_state_dict(state_dict, strict=strict, assign=assign)
        self.tie_weights()  # `assign` has put two parameters where there was one
        return result


class MaskedLMModel(TiedDecoderModel):
    """The encoder with the MLM head, scoring every position; names of `BertForMaskedLM`.

    `bertlesson.pretraining` has the one to train with: it scores the selected positions alone.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.cls = nn.ModuleDict({"predictions": MLMHead(config)})
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **kwargs: Any,
    ) -> MaskedLMOutput:
        """Logits ``(batch, length, vocab)``; labels are the original ids, -100 elsewhere."""
        encoded = self.bert(input_ids, attention_mask, token_type_ids, **kwargs)
        logits = self.cls["predictions"](encoded.last_hidden_state)  # (batch, length, vocab)
        loss = None if labels is None else mean_loss(logits, labels, num_items_in_batch)
        return MaskedLMOutput(loss, logits, encoded.hidden_states, encoded.attentions)


class NextSentencePredictionModel(BertPreTrainedModel):
    """The encoder with the NSP head; names of `BertForNextSentencePrediction`."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        self.cls = nn.ModuleDict({"seq_relationship": NSPHead(config)})
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **kwargs: Any,
    ) -> NextSentencePredictorOutput:
        """Logits ``(batch, 2)``; labels ``(batch,)``: 0 = B follows A, 1 = B is random."""
        encoded = self.bert(input_ids, attention_mask, token_type_ids, **kwargs)
        logits = self.cls["seq_relationship"](encoded.pooler_output)  # (batch, 2)
        loss = None if labels is None else mean_loss(logits, labels, num_items_in_batch)
        return NextSentencePredictorOutput(loss, logits, encoded.hidden_states, encoded.attentions)


class SequenceClassificationModel(BertPreTrainedModel):
    """One class for the whole input, from the pooled ``[CLS]`` (paper §4.1).

    Names of `BertForSequenceClassification`. Classes only: for regression or several labels at
    once take transformers' own.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        self.dropout = classifier_dropout(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)  # type: ignore[arg-type]
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **kwargs: Any,
    ) -> SequenceClassifierOutput:
        """Logits ``(batch, num_labels)``; labels ``(batch,)``."""
        encoded = self.bert(input_ids, attention_mask, token_type_ids, **kwargs)
        logits = self.classifier(self.dropout(encoded.pooler_output))  # (batch, num_labels)
        loss = None if labels is None else mean_loss(logits, labels, num_items_in_batch)
        return SequenceClassifierOutput(loss, logits, encoded.hidden_states, encoded.attentions)


class TokenClassificationModel(BertPreTrainedModel):
    """One class for each token, as in named-entity recognition (paper §5.3).

    Names of `BertForTokenClassification`. Label the first piece of a word and give the others
    -100.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.dropout = classifier_dropout(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)  # type: ignore[arg-type]
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **kwargs: Any,
    ) -> TokenClassifierOutput:
        """Logits ``(batch, length, num_labels)``; labels ``(batch, length)``."""
        encoded = self.bert(input_ids, attention_mask, token_type_ids, **kwargs)
        logits = self.classifier(self.dropout(encoded.last_hidden_state))  # (batch, length, labels)
        loss = None if labels is None else mean_loss(logits, labels, num_items_in_batch)
        return TokenClassifierOutput(loss, logits, encoded.hidden_states, encoded.attentions)


class QuestionAnsweringModel(BertPreTrainedModel):
    """Where the answer starts and where it ends: two scores for each token (paper §4.2).

    Names of `BertForQuestionAnswering`, as `Trainer` finds the labels by that word in the name of
    the class. An answer outside of the window (-100, or a position past the end) is left out of
    the loss.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **kwargs: Any,
    ) -> QuestionAnsweringModelOutput:
        """Start and end logits, each ``(batch, length)``; positions ``(batch,)``."""
        encoded = self.bert(input_ids, attention_mask, token_type_ids, **kwargs)
        logits = self.qa_outputs(encoded.last_hidden_state)  # (batch, length, 2)
        start_logits, end_logits = logits.unbind(-1)  # each (batch, length)
        loss = None
        if start_positions is not None and end_positions is not None:
            length = logits.shape[1]  # the "classes" are the positions
            start_positions = start_positions.masked_fill(start_positions >= length, IGNORE_INDEX)
            end_positions = end_positions.masked_fill(end_positions >= length, IGNORE_INDEX)
            start_loss = mean_loss(start_logits, start_positions, num_items_in_batch)
            end_loss = mean_loss(end_logits, end_positions, num_items_in_batch)
            loss = (start_loss + end_loss) / 2
        return QuestionAnsweringModelOutput(
            loss, start_logits, end_logits, encoded.hidden_states, encoded.attentions
        )


def classifier_dropout(config: BertConfig) -> nn.Dropout:
    """Before a classifier, BERT drops as much as in its layers unless the configuration differs."""
    rate = config.classifier_dropout
    return nn.Dropout(config.hidden_dropout_prob if rate is None else rate)
