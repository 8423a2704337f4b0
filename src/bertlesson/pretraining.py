"""Stage one: both objectives on one encoder.

Follows the paper's §3.1 and google-research/bert, `run_pretraining.py`, which scores the vocabulary
only at the selected positions. `bertlesson.optimization` has the paper's optimizer and schedule,
`bertlesson.training` the loop.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import BertConfig, BertModel
from transformers.utils.generic import ModelOutput, can_return_tuple

from .heads import IGNORE_INDEX, NSPHead, encode, mean_loss
from .mlm_head import MLMHead, TiedDecoderModel

__all__ = ["PretrainingModel", "PretrainingOutput", "select"]

# Outputs that do not have one row per example, which `Trainer` cannot gather across processes.
WITHOUT_ROWS = ("selected_logits", "mlm_loss", "nsp_loss")


@dataclass
class PretrainingOutput(ModelOutput):
    """The output of a `PretrainingModel`; anything not requested is None.

    Under `transformers.Trainer`, ``predictions`` is a tuple of the outputs that have one row per
    example, in the order below: ``seq_relationship_logits``, ``hidden_states`` and ``attentions``
    if the configuration requests them, ``predicted_ids``, ``mlm_row_losses``,
    ``next_sentence_label``. (A single output is not wrapped in a tuple. Rows without labels give
    ``prediction_logits``, then ``seq_relationship_logits``.)

    Attributes:
        loss: ``mlm_loss + nsp_weight * nsp_loss``, or just the term whose labels were given.
        prediction_logits: Vocabulary scores at every position, ``(batch, length, vocab)``; present
            without `labels`, or with ``all_logits=True``.
        seq_relationship_logits: ``(batch, 2)``; 0 = B follows A, 1 = B is random.
        selected_logits: Vocabulary scores at the selected positions, ``(selected, vocab)``, in the
            order of ``labels[labels != -100]``; present with `labels`.
        mlm_loss: Mean over the selected positions, in nats; present with `labels`.
        nsp_loss: Mean over the rows, in nats; present with `next_sentence_label`.
        hidden_states: As in `BertModel`, with ``output_hidden_states=True``.
        attentions: As in `BertModel`, with ``output_attentions=True``.
        predicted_ids: ``(batch, length)``, int64: the id with the highest score at each selected
            position, and -100 elsewhere, as in `labels`. Present with `labels` in eval mode, as is
            ``mlm_row_losses``.
        mlm_row_losses: ``(batch,)``: the sum over the selected positions of each row, in nats.
            Their total divided by the number of labels that are not -100 is the mean over tokens,
            whereas ``eval_loss`` is a mean over batches.
        next_sentence_label: ``(batch,)``, as given; present in eval mode, because `Trainer` treats
            only `labels` as labels, so that rows may come without this one.
    """

    loss: Tensor | None = None
    prediction_logits: Tensor | None = None
    seq_relationship_logits: Tensor | None = None
    selected_logits: Tensor | None = None
    mlm_loss: Tensor | None = None
    nsp_loss: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    predicted_ids: Tensor | None = None
    mlm_row_losses: Tensor | None = None
    next_sentence_label: Tensor | None = None

    def __getitem__(self, key: Any) -> Any:
        if key == "logits":  # `Trainer` reads these for label smoothing, labels withheld
            raise ValueError(
                "logits were requested from the output of a PretrainingModel; expected "
                "prediction_logits, selected_logits or seq_relationship_logits: Trainer's label "
                "smoothing needs logits, but it would replace the model's loss and lose the "
                "selected positions and NSP. Set label_smoothing_factor=0, or take "
                "bertlesson.heads.MaskedLMModel, which has the MLM head only"
            )
        return super().__getitem__(key)


class ForwardForTrainer:
    """``PretrainingModel.forward`` with two signatures, so that `Trainer` needs no NSP labels.

    `Trainer` reads the signature twice. Every parameter of the *class's* ``forward`` with "label"
    in its name counts as a label, and a batch that lacks one of them gets no loss. Columns that the
    *instance's* ``forward`` does not accept are dropped from the data. NSP's label may be missing
    but must not be dropped, so the class's signature omits it and an instance's includes it if the
    model has an NSP head.

    >>> import inspect
    >>> "next_sentence_label" in inspect.signature(PretrainingModel.forward).parameters
    False
    >>> config = BertConfig(vocab_size=9, hidden_size=4, num_attention_heads=1, num_hidden_layers=1)
    >>> for weight in (1, 0):
    ...     forward = PretrainingModel(config, nsp_weight=weight).forward
    ...     print("next_sentence_label" in inspect.signature(forward).parameters)
    True
    False
    """

    def __get__(self, model: PretrainingModel | None, owner: type[PretrainingModel]) -> Any:
        # The methods need names of their own: torch.compile looks a method up by name again.
        if model is None:
            return owner.forward_masked_words
        return model.forward_both if model.has_nsp else model.forward_masked_words


class PretrainingModel(TiedDecoderModel):
    """The encoder with both pretraining heads (paper §3.1), named as in `BertForPreTraining`.

    Only about 15% of the positions carry a loss, so only these are scored against the vocabulary,
    by far the largest matrix product in a small model. The loss and its gradients are the same.

    With ``nsp_weight=0`` the model trains on masked language modelling only, as BERT's successors
    do: it has neither pooler nor NSP head, and accepts no ``next_sentence_label``.

    Under `transformers.Trainer` rows may come with or without ``next_sentence_label``;
    `PretrainingOutput` documents what ``compute_metrics`` receives as ``predictions``. Its
    ``label_ids`` are `labels`, or both labels with
    ``TrainingArguments(label_names=["labels", "next_sentence_label"])``.

    Args:
        config: The encoder's configuration. It is copied, because ``nsp_weight`` is stored in it
            and saved with it.
        nsp_weight: The weight of the NSP loss in the sum of the two. Default: the configuration's
            ``nsp_weight`` if it has one, else 1, the paper's plain sum (A.2). `from_pretrained`
            accepts it too: ``nsp_weight=0.25``.

    Raises:
        ValueError: If the weight is negative or not finite.

    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> model = PretrainingModel(BertConfig(vocab_size=50, **size))
    >>> labels = torch.full((2, 9), -100)  # (batch, length)
    >>> labels[0, 3], labels[1, 5] = 17, 42  # two tokens are selected
    >>> output = model(torch.ones_like(labels), labels=labels)
    >>> output.selected_logits.shape, output.seq_relationship_logits.shape
    (torch.Size([2, 50]), torch.Size([2, 2]))
    """

    # weights in a file that a model without an NSP head does not use
    _keys_to_ignore_on_load_unexpected = {r"(^|\.)pooler\.dense\.", r"cls\.seq_relationship\."}  # noqa: RUF012

    def __init__(self, config: BertConfig, nsp_weight: float | None = None) -> None:
        config = copy.deepcopy(config)
        if nsp_weight is None:
            nsp_weight = getattr(config, "nsp_weight", 1.0)
        config.nsp_weight = checked_nsp_weight(nsp_weight)
        ignored = getattr(config, "keys_to_ignore_at_inference", ["past_key_values"])
        config.keys_to_ignore_at_inference = list(dict.fromkeys([*ignored, *WITHOUT_ROWS]))
        super().__init__(config)
        self.has_nsp = config.nsp_weight > 0
        self.bert = BertModel(config, add_pooling_layer=self.has_nsp)
        self.cls = nn.ModuleDict({"predictions": MLMHead(config)})
        if self.has_nsp:
            self.cls["seq_relationship"] = NSPHead(config)
        self.post_init()

    @property
    def nsp_weight(self) -> float:
        """The weight of the NSP loss, stored in the configuration and saved with it."""
        weight: float = self.config.nsp_weight
        return weight

    @nsp_weight.setter
    def nsp_weight(self, weight: float) -> None:
        weight = checked_nsp_weight(weight)
        if (weight > 0) != self.has_nsp:
            raise ValueError(
                f"nsp_weight is {weight} for a model {'with' if self.has_nsp else 'without'} an "
                f"NSP head; expected {'a weight above 0' if self.has_nsp else '0'}: whether there "
                "is a head is decided when a model is made, so make another with "
                f"PretrainingModel(config, nsp_weight={weight}) or from_pretrained"
            )
        self.config.nsp_weight = weight

    forward = ForwardForTrainer()

    def forward_masked_words(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        num_items_in_batch: Tensor | int | None = None,
        all_logits: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Like `forward_both`, without the NSP labels."""
        return self.forward_both(
            input_ids,
            attention_mask,
            token_type_ids,
            labels,
            num_items_in_batch=num_items_in_batch,
            all_logits=all_logits,
            **kwargs,
        )

    @can_return_tuple  # type: ignore[untyped-decorator]
    def forward_both(
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
        """Encode once and score with both heads.

        Args:
            input_ids: ``(batch, length)``; int64, like all tensors below.
            attention_mask: ``(batch, length)``: 1 = token, 0 = padding.
            token_type_ids: ``(batch, length)``: 0 = segment A, 1 = segment B.
            labels: ``(batch, length)``: the original ids at the selected positions, -100 elsewhere.
            next_sentence_label: ``(batch,)``: 0 = B follows A, 1 = B is random. Not accepted by a
                model without an NSP head.
            num_items_in_batch: The number of selected positions in the larger batch that this one
                is part of; `transformers.Trainer` passes it when it accumulates gradients. The
                loss is then this part's share of the larger batch's loss. For MLM the share is
                exact; for NSP, a mean over rows, only if every part has the same number of
                selected positions.
            all_logits: Score every position as well, even if labels are given.
            kwargs: Passed on to `BertModel`; one that it does not know is a TypeError.

        Returns:
            A `PretrainingOutput`; with ``return_dict=False`` a tuple of its values that are not
            None.

        Raises:
            ValueError: If labels are not int64 or not of the shape stated, or if NSP labels are
                given to a model without an NSP head.
        """
        if next_sentence_label is not None and not self.has_nsp:
            raise ValueError(
                "next_sentence_label was given to a model without an NSP head (nsp_weight=0); "
                "expected none: leave it out of the batch, or make the model with a weight above 0"
            )
        encoded = encode(self.bert, input_ids, attention_mask, token_type_ids, **kwargs)
        hidden = encoded.last_hidden_state  # (batch, length, hidden)
        logits = selected_logits = mlm_loss = nsp_loss = loss = predicted_ids = row_losses = None
        nsp_logits: Any = None
        if self.has_nsp:
            nsp_logits = self.cls["seq_relationship"](encoded.pooler_output)  # (batch, 2)
        if labels is None or all_logits:
            logits = self.cls["predictions"](hidden)  # (batch, length, vocab)
        if labels is not None:
            selected, targets = select(hidden, labels)  # (selected, hidden), (selected,)
            selected_logits = self.cls["predictions"](selected)  # (selected, vocab)
            mlm_loss = mean_loss(selected_logits, targets)
            if not self.training:
                predicted_ids, row_losses = by_row(selected_logits, labels)
        if next_sentence_label is not None:
            nsp_loss = mean_loss(nsp_logits, next_sentence_label)
            loss = self.nsp_weight * nsp_loss
        if mlm_loss is not None:
            loss = mlm_loss if loss is None else mlm_loss + loss
        if loss is not None and self.training and is_one_of_several_processes():
            # DistributedDataParallel waits for a gradient from every head: give one without labels
            # a gradient of zero
            for scores, its_loss in ((logits, mlm_loss), (nsp_logits, nsp_loss)):
                if scores is not None and its_loss is None:
                    loss = loss + (0 * scores[:1, :1]).sum()
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
            predicted_ids=predicted_ids,
            mlm_row_losses=row_losses,
            next_sentence_label=None if self.training else next_sentence_label,
        )


def checked_nsp_weight(weight: float) -> float:
    """The weight as a plain float, which a configuration file can hold.

    Raises:
        ValueError: If it is negative or not finite.
    """
    if not 0 <= weight < math.inf:
        raise ValueError(
            f"nsp_weight is {weight}; expected 0 (no NSP) or more: 1 gives the paper's plain sum"
        )
    return float(weight)


def is_one_of_several_processes() -> bool:
    """Whether this process trains together with others, as when started by `torchrun`."""
    distributed = torch.distributed
    return (
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
    )


def by_row(selected_logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Predictions and losses of the selected positions, put back into their rows.

    Args:
        selected_logits: ``(selected, vocab)``.
        labels: ``(batch, length)``: the original ids at the selected positions, -100 elsewhere.

    Returns:
        The id with the highest score at each selected position, -100 elsewhere,
        ``(batch, length)``; and the sum of each row's losses, in nats, ``(batch,)``.

    >>> predicted_ids, losses = by_row(torch.eye(3), torch.tensor([[-100, 0, 2], [-100, -100, 2]]))
    >>> predicted_ids.tolist(), [f"{loss:.2f}" for loss in losses]
    ([[-100, 0, 1], [-100, -100, 2]], ['2.10', '0.55'])
    """
    rows, columns = (labels != IGNORE_INDEX).nonzero(as_tuple=True)  # (selected,) each
    predicted_ids = torch.full_like(labels, IGNORE_INDEX)
    predicted_ids[rows, columns] = selected_logits.argmax(-1)
    losses = F.cross_entropy(selected_logits.float(), labels[rows, columns], reduction="none")
    return predicted_ids, losses.new_zeros(len(labels)).index_add(0, rows, losses)


def select(hidden: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The vectors and labels of the positions whose label is not -100, row by row.

    Args:
        hidden: ``(batch, length, hidden)``.
        labels: ``(batch, length)``.

    Returns:
        ``(selected, hidden)`` and ``(selected,)``, where ``selected`` is the number of selected
        positions in the whole batch.

    Raises:
        ValueError: If there is not exactly one label per position.

    >>> labels = torch.tensor([[-100, 7, -100], [9, 8, -100]])
    >>> vectors, targets = select(torch.zeros(2, 3, 8), labels)
    >>> vectors.shape, targets
    (torch.Size([3, 8]), tensor([7, 9, 8]))
    """
    if labels.shape != hidden.shape[:2]:
        raise ValueError(
            f"labels have shape {tuple(labels.shape)}; expected one label per position, "
            f"{tuple(hidden.shape[:2])}"
        )
    positions = (labels != IGNORE_INDEX).flatten().nonzero().squeeze(1)  # (selected,)
    return hidden.flatten(0, 1).index_select(0, positions), labels.flatten()[positions]
