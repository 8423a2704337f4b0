"""A measure that can be compared: held-out rows whose masks never change, and their perplexity.

`Trainer` measures with the same collator that it trains with, and most collators draw new masks
each time. Its ``eval_loss`` is also a mean over batches, in which a batch with few masked tokens
counts as much as one with many. Here the masks are drawn once, and the mean is over all masked
tokens:

    collator = KeepMasksCollator(tokenizer)
    trainer = Trainer(
        model,
        TrainingArguments(...),
        train_dataset=rows,
        eval_dataset=fixed_masks(held_out_rows, collator),
        data_collator=collator,
        compute_metrics=perplexity,
        preprocess_logits_for_metrics=row_losses,
    )
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import BatchEncoding, DataCollatorForTokenClassification, EvalPrediction

from .collating import MaskingCollator
from .heads import IGNORE_INDEX
from .outputs import check_whole
from .pretraining import by_row

__all__ = ["KeepMasksCollator", "fixed_masks", "perplexity", "row_losses"]


@dataclass
class KeepMasksCollator(MaskingCollator):
    """A `MaskingCollator` that only pads rows which come with `labels`: they are masked already.

    So `Trainer` can use it for training and for rows of `fixed_masks`.

    >>> from transformers import BertTokenizer
    >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] a great film".split()
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> collator = KeepMasksCollator(tokenizer)
    >>> rows = [
    ...     {"input_ids": [2, 4, 6, 3], "labels": [-100, 5, -100, -100]},
    ...     {"input_ids": [2, 4, 3], "labels": [-100, 7, -100]},
    ... ]
    >>> collator(rows)["labels"].tolist()
    [[-100, 5, -100, -100], [-100, 7, -100, -100]]
    """

    def __call__(self, features: Any, return_tensors: str | None = None) -> BatchEncoding:
        """Pad and mask, or only pad."""
        rows = not isinstance(features, (Mapping, Tensor)) and len(features)
        if not rows or not isinstance(features[0], Mapping) or "labels" not in features[0]:
            return super().__call__(features, return_tensors)
        framework = return_tensors or self.return_tensors
        pad = DataCollatorForTokenClassification(
            self.tokenizer, pad_to_multiple_of=self.pad_to_multiple_of, return_tensors=framework
        )
        return BatchEncoding(pad([dict(row) for row in features], framework))


def fixed_masks(
    rows: Iterable[Any], collator: MaskingCollator, seed: int = 0
) -> list[dict[str, list[int]]]:
    """Mask rows once, to measure on them.

    The masks depend on the rows, the recipe and the seed, and on nothing that was drawn before.
    They do not change with the batch size, the number of workers or that of processes.

    Args:
        rows: What the collator takes: dicts with ``input_ids``, or lists of ids.
        collator: Its recipe and its kind of words are used, not its seed.
        seed: Another seed gives other masks.

    Returns:
        For each row its ``input_ids``, ``labels`` and ``attention_mask``, and other keys. A short
        row may have no label.

    Raises:
        ValueError: If there are no rows, or no row has a label.

    >>> from transformers import BertTokenizer
    >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] a great film".split()
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> collator = KeepMasksCollator(tokenizer, seed=7)
    >>> rows = [{"input_ids": [2, 5, 6, 7, 3] * 3}] * 9
    >>> fixed_masks(rows, collator) == fixed_masks(rows, collator)
    True
    """
    # each row by itself, so that neither its batch nor the length of other rows decides
    alone = replace(collator, seed=None, at_least_one=False, pad_to_multiple_of=None)
    masked = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for row in rows:
            if isinstance(row, Mapping):
                row = {key: values for key, values in row.items() if key != "labels"}
            batch = alone([row], "np")
            masked.append({key: values[0].tolist() for key, values in batch.items()})
    if not any(label != IGNORE_INDEX for row in masked for label in row["labels"]):
        raise ValueError(
            f"none of {len(masked)} rows has a masked token; expected some to measure on: "
            "pass more rows, or a recipe that selects more"
        )
    return masked


def row_losses(logits: Any, labels: Any) -> Tensor:
    """The sum of the losses of each row, for `Trainer`'s ``preprocess_logits_for_metrics``.

    It replaces logits, which for all rows together rarely fit into memory.

    Args:
        logits: What a model with an MLM head returns beside its loss: ``(batch, length, vocab)``,
            or ``(selected, vocab)`` as ModernBERT does with ``sparse_prediction=True``, or a tuple
            that begins with either, or the outputs of `bertlesson.pretraining.PretrainingModel`.
        labels: ``(batch, length)``, -100 where there is nothing to predict, or a tuple that begins
            with them.

    Returns:
        Nats, float32, ``(batch,)``.

    Raises:
        ValueError: If the logits are of any other shape.

    >>> labels = torch.tensor([[-100, 1, 1], [0, -100, -100]])
    >>> row_losses(torch.zeros(2, 3, 2), labels)  # log 2 for each label
    tensor([1.3863, 0.6931])
    """
    labels = labels[0] if isinstance(labels, (tuple, list)) else labels
    outputs = logits if isinstance(logits, (tuple, list)) else (logits,)
    for output in outputs:  # the row losses that PretrainingModel has computed
        if isinstance(output, Tensor) and output.is_floating_point() and output.dim() == 1:
            return output
    scores = outputs[0]
    selected = labels != IGNORE_INDEX
    if scores.shape[:-1] == labels.shape:
        scores = scores[selected]
    if scores.dim() != 2 or len(scores) != selected.sum():
        raise ValueError(
            f"logits have shape {tuple(scores.shape)}, labels {tuple(labels.shape)}; expected "
            "scores of the vocabulary at each position, or at each selected one: take a model "
            "with an MLM head, such as AutoModelForMaskedLM"
        )
    return by_row(scores, labels)[1]


def perplexity(prediction: EvalPrediction) -> dict[str, float]:
    """``exp`` of the mean loss over all masked tokens, for `Trainer`'s ``compute_metrics``.

    Needs ``preprocess_logits_for_metrics=row_losses``.

    Args:
        prediction: ``predictions`` are the losses of the rows, ``(rows,)``, and ``label_ids`` the
            labels, ``(rows, length)``, or a tuple that begins with them.

    Returns:
        ``perplexity``; ``mlm_loss``, in nats for each masked token; and ``masked_tokens``, their
        number. Perplexities of models with different tokenizers cannot be compared.

    Raises:
        ValueError: If the predictions are not one loss for each row, or are left in batches, or no
            token is masked.

    >>> labels = np.array([[-100, 1, 1], [0, -100, -100]])
    >>> measured = perplexity(EvalPrediction(np.array([3.0, 3.0]), labels))
    >>> measured["mlm_loss"], measured["masked_tokens"], round(measured["perplexity"], 2)
    (2.0, 3, 7.39)
    """
    check_whole(prediction)
    labels = prediction.label_ids
    labels = np.asarray(labels[0] if isinstance(labels, tuple) else labels)
    losses = prediction.predictions
    if isinstance(losses, tuple) or np.shape(losses) != labels.shape[:1]:
        shapes = [np.shape(p) for p in losses] if isinstance(losses, tuple) else np.shape(losses)
        raise ValueError(
            f"predictions have shape {shapes}; expected one loss for each of {len(labels)} rows: "
            "pass preprocess_logits_for_metrics=row_losses to Trainer"
        )
    count = int(np.count_nonzero(labels != IGNORE_INDEX))
    if not count:
        raise ValueError("no token is masked; expected some: measure on rows of fixed_masks")
    mean = float(np.sum(losses, dtype=np.float64)) / count
    with np.errstate(over="ignore"):
        return {"perplexity": float(np.exp(mean)), "mlm_loss": mean, "masked_tokens": count}
