"""What `Trainer` returns from ``predict``: scores, checked before anything is read from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["check_numbers", "check_order", "check_whole", "scores_of"]


def check_whole(predicted: Any) -> None:
    """Reject what `Trainer` has left in batches.

    Args:
        predicted: A `PredictionOutput` or `EvalPrediction`; anything else is not checked.

    Raises:
        ValueError: If its predictions are a list of batches.

    >>> from transformers import EvalPrediction
    >>> check_whole(EvalPrediction([np.zeros((2, 3)), np.zeros((1, 3))], np.zeros(3)))
    Traceback (most recent call last):
    ValueError: the predictions are in 2 batches; expected one array of all rows: leave out \
eval_do_concat_batches=False in TrainingArguments
    """
    batches = getattr(predicted, "predictions", None)
    if isinstance(batches, list):
        raise ValueError(
            f"the predictions are in {len(batches)} batches; expected one array of all rows: "
            "leave out eval_do_concat_batches=False in TrainingArguments"
        )


def scores_of(predicted: Any) -> Any:
    """The scores in what `Trainer` returns.

    Args:
        predicted: A `PredictionOutput` or `EvalPrediction`, their ``predictions``, or a tuple that
            begins with the scores, as models return it that return hidden states as well.

    Raises:
        ValueError: See `check_whole`.

    >>> scores_of(([[0.5]], "hidden states"))
    [[0.5]]
    """
    check_whole(predicted)
    scores = getattr(predicted, "predictions", predicted)
    return scores[0] if isinstance(scores, tuple) else scores


def check_order(predicted: Any, expected: Sequence[int] | Sequence[Sequence[int]]) -> None:
    """Reject predictions that come in another order than the rows.

    `Trainer` predicts in another order with ``train_sampling_strategy="group_by_length"``, and
    tells by nothing but the labels that it returns beside the predictions.

    Args:
        predicted: See `scores_of`. Predictions without labels are not checked.
        expected: The label of each row, or those of its pieces; empty if there are none.

    Raises:
        ValueError: If the labels are those of other rows, or see `check_whole`.

    >>> from transformers import EvalPrediction
    >>> check_order(EvalPrediction(np.zeros((2, 3)), np.array([1, 0])), [1, 0])
    >>> check_order(EvalPrediction(np.zeros((2, 3)), np.array([1, 0])), [0, 1])
    Traceback (most recent call last):
    ValueError: row 0 of the predictions has other labels than row 0 of the data; expected the \
same order: set train_sampling_strategy="random" in TrainingArguments, since "group_by_length" \
changes it
    """
    check_whole(predicted)
    labels = getattr(predicted, "label_ids", None)
    labels = labels[0] if isinstance(labels, tuple) else labels
    if labels is None or len(labels) != len(expected):
        return  # how many there are is checked with the scores
    for row, (given, wanted) in enumerate(zip(np.asarray(labels), expected, strict=True)):
        right = np.asarray(wanted)
        if not np.array_equal(given[: len(right)] if right.ndim else given, right):
            raise ValueError(
                f"row {row} of the predictions has other labels than row {row} of the data; "
                'expected the same order: set train_sampling_strategy="random" in '
                'TrainingArguments, since "group_by_length" changes it'
            )


def check_numbers(scores: NDArray[Any]) -> None:
    """Reject scores that are NaN, of which the first class would count as the best.

    Args:
        scores: A row for each text, ``(rows, ...)``.

    Raises:
        ValueError: If one of them is NaN.

    >>> check_numbers(np.array([[0.5, -np.inf], [np.nan, 0.5]]))
    Traceback (most recent call last):
    ValueError: the scores are NaN in 1 of 2 rows, the first is row 1; expected numbers: check \
whether the model's weights or its loss are NaN (from too high a learning rate, or training in \
half precision)
    """
    if scores.dtype.kind != "f":
        return
    wrong = np.isnan(scores).any(axis=tuple(range(1, scores.ndim)))
    if wrong.any():
        raise ValueError(
            f"the scores are NaN in {wrong.sum()} of {len(wrong)} rows, the first is row "
            f"{wrong.argmax()}; expected numbers: check whether the model's weights or its loss "
            "are NaN (from too high a learning rate, or training in half precision)"
        )
