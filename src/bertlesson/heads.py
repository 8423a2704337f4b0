"""The heads that sit on BERT's encoder: two for pretraining, three for fine-tuning.

The encoder, `transformers.BertModel`, returns one vector for each token and one for the whole input
(the pooled ``[CLS]``). A head turns vectors into scores:

| Model                         | Its head reads   | and scores                             |
| ----------------------------- | ---------------- | -------------------------------------- |
| `MaskedLMModel`               | every token      | which word was here                    |
| `NextSentencePredictionModel` | the pooled [CLS] | whether B follows A                    |
| `SequenceClassificationModel` | the pooled [CLS] | which class the whole input has        |
| `TokenClassificationModel`    | every token      | which class each token has             |
| `QuestionAnsweringModel`      | every token      | where the answer starts, where it ends |

Parameters have the same names as in transformers, so weights load both ways. Logits and losses are
the same too, with these exceptions:

- If all labels are -100, the loss is zero; in transformers it is NaN.
- ``num_items_in_batch`` is used; transformers' BERT heads ignore it. Four batches accumulated under
  `transformers.Trainer` are therefore equivalent to one batch of four times the size.
- A negative start or end of an answer is left out of the loss; transformers treats it as 0.
- Labels must have the shape stated; transformers flattens others.
- `SequenceClassificationModel` supports only single-label classification with two or more classes.
- `QuestionAnsweringModel` has two scores for each token, whatever ``config.num_labels`` is.
- Pass arguments after ``token_type_ids`` by name: here the labels come next, and ``position_ids``
  and ``inputs_embeds`` are accepted only by name.

This file, `mlm_head` and `cross_entropy` need only torch and transformers: you can copy all three
into a folder of your project unchanged.
"""

from __future__ import annotations

from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel, BertPreTrainedModel
from transformers.modeling_outputs import (
    MaskedLMOutput,
    NextSentencePredictorOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from transformers.utils.generic import TransformersKwargs, can_return_tuple

from .cross_entropy import summed_cross_entropy
from .mlm_head import MLMHead, TiedDecoderModel

__all__ = [
    "IGNORE_INDEX",
    "MaskedLMModel",
    "NSPHead",
    "NextSentencePredictionModel",
    "QuestionAnsweringModel",
    "SequenceClassificationModel",
    "TokenClassificationModel",
    "mean_loss",
]

IGNORE_INDEX = -100
# what BertModel reads besides the ids and their masks
KNOWN = frozenset([*signature(BertModel.forward).parameters, *TransformersKwargs.__annotations__])
KNOWN -= {"self", "kwargs", "input_ids", "attention_mask", "token_type_ids"}


def mean_loss(
    logits: Tensor, labels: Tensor, num_items_in_batch: Tensor | int | None = None
) -> Tensor:
    """The mean cross-entropy over the labels that are not -100, in nats.

    Args:
        logits: Scores of any float type, ``(..., classes)``.
        labels: Class numbers, int64, ``(...)``; -100 is ignored.
        num_items_in_batch: If these labels are part of a larger batch, the number of labels in all
            of it, to divide the sum by. `transformers.Trainer` passes it when it accumulates
            gradients. Default: the number of labels here.

    Returns:
        A scalar with a gradient. If all labels are -100, both are zero.

    Raises:
        ValueError: If the labels are not int64 or their shape does not match the logits.

    >>> logits = torch.tensor([[0.0, 0.0], [0.0, 9.0]])
    >>> print(f"{mean_loss(logits, torch.tensor([0, -100])):.4f}")  # log 2: no idea which of two
    0.6931
    >>> mean_loss(logits, torch.tensor([-100, -100])).item()
    0.0
    """
    if labels.dtype != torch.int64 or labels.shape != logits.shape[:-1]:
        raise ValueError(
            f"labels are {labels.dtype} of shape {tuple(labels.shape)}; expected class numbers, "
            f"torch.int64, of shape {tuple(logits.shape[:-1])}: put {IGNORE_INDEX} where there is "
            "nothing to learn"
        )
    if num_items_in_batch is None:
        num_items_in_batch = (labels != IGNORE_INDEX).sum()
    # With nothing to learn from, the loss is 0 / 1 instead of 0 / 0.
    items = torch.as_tensor(num_items_in_batch, device=logits.device).clamp(min=1)
    return summed_cross_entropy(logits.flatten(0, -2), labels.flatten(), items, IGNORE_INDEX)


def let_hooks_read(encoder: Any, name: str) -> None:
    """Have `encode` pass this argument on, which a hook of the encoder reads."""
    encoder.read_by_hooks = getattr(encoder, "read_by_hooks", frozenset()) | {name}


def encode(
    encoder: BertModel,
    input_ids: Tensor | None,
    attention_mask: Tensor | None,
    token_type_ids: Tensor | None,
    **kwargs: Any,
) -> Any:
    """Run the encoder, but refuse what it would take and ignore: any name that it does not know.

    Raises:
        TypeError: If it does not know one.
    """
    known = KNOWN | getattr(encoder, "read_by_hooks", frozenset())
    if encoder.pooler is None:
        known |= {"cls_positions"}  # which packed rows have for a pooler
    for name in kwargs:
        if name not in known:
            hint = ": for packed rows, pool_each_text(model)" if name == "cls_positions" else ""
            raise TypeError(
                f"forward() got {name}, which BertModel takes and ignores; expected the model's "
                f"arguments or one of {', '.join(sorted(known))}{hint}"
            )
    return encoder(input_ids, attention_mask, token_type_ids, return_dict=True, **kwargs)


class NSPHead(nn.Linear):
    """Two scores from the pooled ``[CLS]``: 0 = B follows A, 1 = B is random (§3.1, task 2).

    >>> NSPHead(BertConfig(hidden_size=8))(torch.zeros(3, 8)).shape  # (batch, 2)
    torch.Size([3, 2])
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config.hidden_size, 2)


class BertWithHead(BertPreTrainedModel):
    """The encoder with a head on top. Subclasses implement `score`."""

    output_type: type[Any]

    def __init__(self, config: BertConfig, *, pooled: bool) -> None:
        super().__init__(config)
        self.num_labels: int = config.num_labels  # type: ignore[assignment]
        self.bert = BertModel(config, add_pooling_layer=pooled)

    def score(self, encoded: Any) -> Tensor:
        """The logits, from `BertModel`'s ``last_hidden_state`` or ``pooler_output``."""
        raise NotImplementedError

    @can_return_tuple  # type: ignore[untyped-decorator]
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **kwargs: Any,
    ) -> Any:
        """Encode and score, and compute the loss if there are labels.

        Args:
            input_ids: ``(batch, length)``; int64, like all tensors below.
            attention_mask: ``(batch, length)``: 1 = token, 0 = padding.
            token_type_ids: ``(batch, length)``: 0 = segment A, 1 = segment B.
            labels: The shape of the logits without their last axis; -100 is ignored by the loss.
            num_items_in_batch: See `mean_loss`.
            kwargs: Passed on to `BertModel`, such as ``output_hidden_states=True``; one that it
                does not know is a TypeError.

        Returns:
            transformers' output for this task: ``loss`` (None without labels), ``logits``, and, if
            requested, ``hidden_states`` and ``attentions``. With ``return_dict=False`` a tuple of
            the values that are not None.
        """
        encoded = encode(self.bert, input_ids, attention_mask, token_type_ids, **kwargs)
        logits = self.score(encoded)
        loss = None if labels is None else mean_loss(logits, labels, num_items_in_batch)
        return self.output_type(
            loss=loss,
            logits=logits,
            hidden_states=encoded.hidden_states,
            attentions=encoded.attentions,
        )


class MaskedLMModel(TiedDecoderModel, BertWithHead):
    """Scores ``(batch, length, vocab)`` for labels ``(batch, length)``: the ids before masking.

    Named as in `BertForMaskedLM`. For pretraining, `bertlesson.pretraining` has a faster model,
    which scores only the selected positions.

    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> model = MaskedLMModel(BertConfig(vocab_size=50, **size))
    >>> model.cls.predictions.decoder.weight is model.bert.embeddings.word_embeddings.weight
    True
    """

    output_type = MaskedLMOutput

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config, pooled=False)
        self.cls = nn.ModuleDict({"predictions": MLMHead(config)})
        self.post_init()

    def score(self, encoded: Any) -> Tensor:
        """A score for each word of the vocabulary at each position."""
        logits: Tensor = self.cls["predictions"](encoded.last_hidden_state)
        return logits  # (batch, length, vocab)


class NextSentencePredictionModel(BertWithHead):
    """Scores ``(batch, 2)`` for labels ``(batch,)``: 0 = B follows A, 1 = B is random.

    Named as in `BertForNextSentencePrediction`.

    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> model = NextSentencePredictionModel(BertConfig(vocab_size=50, **size))
    >>> model(torch.ones(3, 5, dtype=torch.int64)).logits.shape
    torch.Size([3, 2])
    """

    output_type = NextSentencePredictorOutput

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config, pooled=True)
        self.cls = nn.ModuleDict({"seq_relationship": NSPHead(config)})
        self.post_init()

    def score(self, encoded: Any) -> Tensor:
        """The scores of "B follows A" and "B is random"."""
        logits: Tensor = self.cls["seq_relationship"](encoded.pooler_output)
        return logits  # (batch, 2)


class SequenceClassificationModel(BertWithHead):
    """Scores ``(batch, num_labels)`` for labels ``(batch,)``: a class for the input (paper §4.1).

    Named as in `BertForSequenceClassification`, which also supports regression and multi-label
    classification; this class does not.

    Raises:
        ValueError: If the configuration requires either, or has fewer than two classes.

    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> model = SequenceClassificationModel(BertConfig(vocab_size=50, num_labels=4, **size))
    >>> model(torch.ones(3, 5, dtype=torch.int64)).logits.shape
    torch.Size([3, 4])
    """

    output_type = SequenceClassifierOutput

    def __init__(self, config: BertConfig) -> None:
        # With one class the loss would always be zero, and nothing would be learned.
        kinds = (None, "single_label_classification")
        if config.num_labels < 2 or config.problem_type not in kinds:  # type: ignore[operator]
            raise ValueError(
                f"num_labels is {config.num_labels} and problem_type is {config.problem_type!r}; "
                "expected 2 classes or more, and one class per input: for regression and for "
                "several labels at once take transformers.BertForSequenceClassification"
            )
        super().__init__(config, pooled=True)
        self.dropout = classifier_dropout(config)
        self.classifier = nn.Linear(config.hidden_size, self.num_labels)
        self.post_init()

    def score(self, encoded: Any) -> Tensor:
        """A score for each class."""
        logits: Tensor = self.classifier(self.dropout(encoded.pooler_output))
        return logits  # (batch, num_labels)


class TokenClassificationModel(BertWithHead):
    """Scores ``(batch, length, num_labels)`` for labels ``(batch, length)`` (paper §5.3).

    Label the first piece of each word, and set the label of all other pieces and special tokens to
    -100. Named as in `BertForTokenClassification`.

    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> model = TokenClassificationModel(BertConfig(vocab_size=50, num_labels=4, **size))
    >>> model(torch.ones(3, 5, dtype=torch.int64)).logits.shape
    torch.Size([3, 5, 4])
    """

    output_type = TokenClassifierOutput

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config, pooled=False)
        self.dropout = classifier_dropout(config)
        self.classifier = nn.Linear(config.hidden_size, self.num_labels)
        self.post_init()

    def score(self, encoded: Any) -> Tensor:
        """A score for each class at each position."""
        logits: Tensor = self.classifier(self.dropout(encoded.last_hidden_state))
        return logits  # (batch, length, num_labels)


class QuestionAnsweringModel(BertWithHead):
    """Where an answer starts and ends: two scores for each token (paper §4.2).

    Named as in `BertForQuestionAnswering`. From "QuestionAnswering" in the class name, `Trainer`
    infers that the labels are called ``start_positions`` and ``end_positions``. `Trainer`'s label
    smoothing only looks for ``labels``, so it smooths nothing here or in transformers' own class.

    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> model = QuestionAnsweringModel(BertConfig(vocab_size=50, **size))
    >>> output = model(torch.ones(3, 5, dtype=torch.int64))
    >>> output.start_logits.shape, output.end_logits.shape
    (torch.Size([3, 5]), torch.Size([3, 5]))
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config, pooled=False)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.post_init()

    def score(self, encoded: Any) -> Tensor:
        """Each position's scores as a start and as an end."""
        logits: Tensor = self.qa_outputs(encoded.last_hidden_state)
        return logits  # (batch, length, 2)

    @can_return_tuple  # type: ignore[untyped-decorator]
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
        """Start and end logits, each ``(batch, length)``, for positions ``(batch,)``.

        The loss is the mean of the two losses. A position that is negative (unknown) or past the
        end of the input (the answer was cut off) is ignored.
        """
        encoded = encode(self.bert, input_ids, attention_mask, token_type_ids, **kwargs)
        start_logits, end_logits = self.score(encoded).unbind(-1)  # each (batch, length)
        loss = None
        if start_positions is not None and end_positions is not None:
            length = start_logits.shape[1]  # here the classes are the positions
            starts, ends = (
                positions.masked_fill((positions < 0) | (positions >= length), IGNORE_INDEX)
                for positions in (start_positions, end_positions)
            )
            start_loss = mean_loss(start_logits, starts, num_items_in_batch)
            end_loss = mean_loss(end_logits, ends, num_items_in_batch)
            loss = (start_loss + end_loss) / 2
        return QuestionAnsweringModelOutput(
            loss=loss,
            start_logits=start_logits,
            end_logits=end_logits,
            hidden_states=encoded.hidden_states,
            attentions=encoded.attentions,
        )


def classifier_dropout(config: BertConfig) -> nn.Dropout:
    """The dropout before a classifier; defaults to the hidden layers' dropout rate."""
    rate = config.classifier_dropout
    return nn.Dropout(config.hidden_dropout_prob if rate is None else rate)
