"""A fixed number of predictions a row, so that every batch has the same shapes.

A model that scores only the selected positions gets another number of them with each batch.
`torch.compile` compiles for shapes, so it compiles again, or leaves the graph where the shape
depends on the data. The reference fills each row up to ``max_predictions_per_seq`` instead, with
predictions of weight 0 (google-research/bert, `create_pretraining_data.py` and
`run_pretraining.py`, ``gather_indexes``). So does this module, for any masking collator and any
encoder of transformers with an MLM head.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor
from transformers import BatchEncoding, PreTrainedModel

from .heads import IGNORE_INDEX, mean_loss
from .masking import check_whole_number
from .pretraining import is_one_of_several_processes
from .sparse import without_wrappers

__all__ = ["FixedCountCollator", "Predictions", "gather_predictions", "score_at_positions"]

Model = TypeVar("Model", bound=PreTrainedModel)


class Predictions(NamedTuple):
    """The predictions of a batch, named as in the reference's records without ``masked_lm_``.

    Attributes:
        positions: ``(batch, count)``, int64: from left to right, then 0.
        ids: ``(batch, count)``, int64: the ids before masking, then 0.
        weights: ``(batch, count)``, float32: 1 for a prediction, then 0.
    """

    positions: Tensor
    ids: Tensor
    weights: Tensor


def gather_predictions(labels: Tensor, count: int) -> Predictions:
    """The positions and ids that are to be predicted, the same number in each row.

    Call it outside of what is compiled, as `FixedCountCollator` does: it reads how many there are.

    Args:
        labels: ``(batch, length)``, int64: the ids before masking at the selected positions, -100
            elsewhere.
        count: Predictions a row, 1 or more.

    Returns:
        `Predictions`, on the device of the labels. Rows with fewer predictions are filled up with
        position 0, id 0 and weight 0.

    Raises:
        ValueError: If a row has more predictions than that, or the labels are not int64 in two
            dimensions.

    >>> found = gather_predictions(torch.tensor([[-100, 7, -100, 9], [-100, -100, 8, -100]]), 2)
    >>> found.positions.tolist(), found.ids.tolist(), found.weights.tolist()
    ([[1, 3], [2, 0]], [[7, 9], [8, 0]], [[1.0, 1.0], [1.0, 0.0]])
    """
    check_whole_number("count", count, least=1)
    if labels.dtype != torch.int64 or labels.ndim != 2:
        raise ValueError(
            f"labels are {labels.dtype} of shape {tuple(labels.shape)}; expected torch.int64 of "
            f"shape (batch, length): put {IGNORE_INDEX} where nothing is predicted"
        )
    selected = labels != IGNORE_INDEX
    found = selected.sum(dim=1)  # (batch,)
    if len(labels) and found.max() > count:
        row = int((found > count).nonzero()[0])
        raise ValueError(
            f"row {row} of the batch has {int(found[row])} predictions; expected at most {count}: "
            f"give the masking collator max_predictions_per_seq={count}, or raise the count"
        )
    rows, columns = selected.nonzero(as_tuple=True)
    slots = selected.cumsum(dim=1)[rows, columns] - 1
    positions = labels.new_zeros(len(labels), count)
    positions[rows, slots] = columns
    weights = torch.zeros(positions.shape, device=labels.device)
    weights[rows, slots] = 1.0
    ids = labels.gather(1, positions).masked_fill(weights == 0, 0)
    return Predictions(positions, ids, weights)


class FixedCountCollator:
    """Turn a masking collator's labels into a fixed number of predictions a row.

    The batch gets ``masked_lm_positions``, and its ``labels`` become ``(batch, count)``: the ids
    before masking, -100 where a row is filled up. Everything else stays as it is. The model reads
    both after `score_at_positions`. Under `transformers.Trainer`, the labels still say how many
    predictions there are when gradients are accumulated.

    Args:
        collator: Any that returns ``input_ids`` and ``labels`` as tensors, `MaskingCollator` or
            `transformers.DataCollatorForLanguageModeling`.
        count: Predictions a row. `MaskingCollator` keeps to it with
            ``max_predictions_per_seq=count``.
        length: What every row must be padded to. Both collators do so for rows of at most this
            length with ``pad_to_multiple_of=length``. None accepts every length, and a compiled
            model then compiles for more than one.

    Raises:
        ValueError: When called, if a row has more predictions, or the rows another length.

    >>> def collator(rows):  # a MaskingCollator(..., max_predictions_per_seq=2)
    ...     ids = torch.tensor(rows)
    ...     return {"input_ids": ids, "labels": torch.where(ids == 7, ids, -100)}
    >>> batch = FixedCountCollator(collator, count=2)([[2, 7, 7, 3], [2, 7, 8, 3]])
    >>> batch["masked_lm_positions"].tolist(), batch["labels"].tolist()
    ([[1, 2], [1, 0]], [[7, 7], [7, -100]])
    """

    def __init__(
        self, collator: Callable[[Any], Any], count: int, length: int | None = None
    ) -> None:
        check_whole_number("count", count, least=1)
        check_whole_number("length", length, least=1)
        self.collator = collator
        self.count = count
        self.length = length

    def set_epoch(self, epoch: int) -> None:
        """Pass the epoch on to the masking collator, if it has one."""
        if callable(set_epoch := getattr(self.collator, "set_epoch", None)):
            set_epoch(epoch)

    def __call__(self, features: Any) -> BatchEncoding:
        """Collate and gather.

        Args:
            features: What the wrapped collator takes.

        Returns:
            Its batch, with `masked_lm_positions` and `labels`, both ``(batch, count)`` and int64.
        """
        batch = dict(self.collator(features))
        labels = batch.get("labels")
        if not isinstance(labels, Tensor):
            raise ValueError(
                f"the collator's labels are {type(labels).__name__}; expected a tensor of shape "
                "(batch, length): wrap a collator that masks, with return_tensors='pt'"
            )
        if self.length is not None and labels.shape[1] != self.length:
            raise ValueError(
                f"the batch's rows have {labels.shape[1]} positions; expected {self.length}: give "
                f"the masking collator pad_to_multiple_of={self.length}, and cut rows to that "
                "length"
            )
        positions, ids, weights = gather_predictions(labels, self.count)
        batch["masked_lm_positions"] = positions
        batch["labels"] = ids.masked_fill(weights == 0, IGNORE_INDEX)
        return BatchEncoding(batch)


def score_at_positions(model: Model) -> Model:
    """Let a model's MLM head score only the positions that it is given.

    Given ``masked_lm_positions``, ``(batch, count)``, the head reads the vectors there, and its
    scores are ``(batch, count, vocab)``. ``labels`` are then ``(batch, count)`` too, and the loss
    is the mean over those that are not -100, plus that of ``next_sentence_label``, times the
    model's ``nsp_weight`` if it has one. No shape depends on the data, so `torch.compile` has one
    graph for all batches of one shape, with ``fullgraph=True`` as well. Without positions, all is
    as before. Parameters, their names and the configuration stay the same, so checkpoints load
    both ways.

    The loss is `bertlesson.heads.mean_loss`, with its ``num_items_in_batch``. A batch without
    predictions has a loss of zero; in transformers it is NaN. ``predicted_ids`` and
    ``mlm_row_losses`` of `bertlesson.pretraining.PretrainingModel` are absent; its
    ``prediction_logits`` are those at the positions.

    Args:
        model: An encoder of transformers with an MLM head, changed in place, or such a model with
            adapters of peft. Call it before `torch.compile` and on each process. A second call
            changes nothing.

    Returns:
        The same model.

    Raises:
        ValueError: If it has no head, or is an encoder and a decoder. When it is called: if its
            head does not read the encoder's last vectors, or rows are packed.

    >>> from transformers import BertConfig, BertForMaskedLM
    >>> size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    >>> model = score_at_positions(BertForMaskedLM(BertConfig(vocab_size=50, **size)))
    >>> ids = torch.ones(2, 9, dtype=torch.int64)
    >>> positions = torch.tensor([[1, 5, 7], [4, 0, 0]])
    >>> labels = torch.tensor([[7, 8, 9], [7, -100, -100]])
    >>> model(ids, masked_lm_positions=positions, labels=labels).logits.shape
    torch.Size([2, 3, 50])
    """
    inner = without_wrappers(model)
    encoder = inner.base_model
    if encoder is inner:
        raise ValueError(
            f"{type(inner).__name__} has no head; expected an encoder with an MLM head: load it "
            "with AutoModelForMaskedLM.from_pretrained"
        )
    if _gather_vectors not in encoder._forward_hooks.values():
        encoder.register_forward_hook(_gather_vectors)
        # No hook here: torch.compile makes a graph of its own of each hook of the whole model.
        inner.forward = _ForwardWithPositions(inner)
    return model


class _ForwardWithPositions:
    """The model's forward, with the loss at the positions that are given.

    The encoder's hook finds them at the encoder, as not every model passes its arguments on. An
    object, not a function, so that it goes with the model when that is copied or pickled.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        self.own = type(model).forward

    @property
    def __signature__(self) -> inspect.Signature:
        """What `Trainer` reads to see which columns the model takes."""
        own = inspect.getattr_static(type(self.model), "forward")
        return inspect.signature(own.__get__(self.model, type(self.model)))

    def __call__(
        self,
        *arguments: Any,
        masked_lm_positions: Tensor | None = None,
        labels: Tensor | None = None,
        next_sentence_label: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **keywords: Any,
    ) -> Any:
        positions, model = masked_lm_positions, self.model
        if arguments and arguments[0] is model:  # accelerate has bound it once more
            arguments = arguments[1:]
        if positions is None:
            given = {
                "labels": labels,
                "next_sentence_label": next_sentence_label,
                "num_items_in_batch": num_items_in_batch,
            }
            keywords |= {name: value for name, value in given.items() if value is not None}
            return self.own(model, *arguments, **keywords)
        _refuse_packed(keywords)
        encoder: Any = model.base_model
        encoder.positions_to_score = positions
        try:
            output: Any = self.own(model, *arguments, **keywords | {"return_dict": True})
        finally:
            encoder.positions_to_score = None
        # (batch, count, vocab), and (batch, 2) or None
        scores = output.get("prediction_logits", output.get("logits"))
        nsp_scores = output.get("seq_relationship_logits")
        _check_scores(model, scores, positions, nsp_scores, next_sentence_label)
        losses = {}
        if labels is not None:
            losses["mlm_loss"] = losses["loss"] = mean_loss(scores, labels)
        if next_sentence_label is not None:
            losses["nsp_loss"] = mean_loss(nsp_scores, next_sentence_label)
            weighted = getattr(model.config, "nsp_weight", 1.0) * losses["nsp_loss"]
            losses["loss"] = losses["loss"] + weighted if "loss" in losses else weighted
        elif losses and nsp_scores is not None and is_one_of_several_processes():
            # DistributedDataParallel waits for a gradient from every head
            losses["loss"] = losses["loss"] + 0 * nsp_scores.sum()
        if losses and num_items_in_batch is not None:
            here = len(scores) if labels is None else (labels != IGNORE_INDEX).sum()
            total = torch.as_tensor(num_items_in_batch, device=scores.device).clamp(min=1)
            losses["loss"] = losses["loss"] * here / total
        known = type(output).__dataclass_fields__
        found = {name: loss for name, loss in losses.items() if name in known}
        return type(output)(**{**output, **found})


def _gather_vectors(encoder: Any, _arguments: Any, output: Any) -> Any:
    """Replace the encoder's vectors by those at the positions, ``(batch, count, hidden)``."""
    positions = getattr(encoder, "positions_to_score", None)
    if positions is not None:
        hidden = output.last_hidden_state  # (batch, length, hidden)
        index = positions[:, :, None].expand(-1, -1, hidden.shape[2])
        output["last_hidden_state"] = hidden.gather(1, index)
    return output


def _refuse_packed(keywords: dict[str, Any]) -> None:
    if keywords.get("cls_positions") is not None:
        raise ValueError(
            "cls_positions were given with masked_lm_positions; expected one of them: packed rows "
            "differ in shape from batch to batch, so take the masking collator without packing"
        )


def _check_scores(
    model: PreTrainedModel,
    scores: Tensor | None,
    positions: Tensor,
    nsp_scores: Tensor | None,
    nsp_label: Tensor | None,
) -> None:
    if scores is None or scores.shape[:2] != positions.shape:
        raise ValueError(
            f"{type(model).__name__} has no scores for masked_lm_positions of shape "
            f"{tuple(positions.shape)}; expected an MLM head that reads the encoder's last "
            "vectors: score all positions of this model, with labels alone"
        )
    if nsp_label is not None and nsp_scores is None:
        raise ValueError(
            f"next_sentence_label was given to a {type(model).__name__} without an NSP head; "
            "expected none: leave it out of the batch"
        )
