"""Outputs of `Trainer`: their scores, the order of their rows, and numbers that are none."""

from __future__ import annotations

import re

import numpy as np
import pytest
from transformers import EvalPrediction

from bertlesson.outputs import check_numbers, check_order, check_whole, scores_of

SCORES = np.zeros((2, 3))


def test_the_scores_are_taken_out_of_what_comes_with_them() -> None:
    for predicted in (SCORES, (SCORES, "hidden"), EvalPrediction((SCORES, "hidden"), SCORES)):
        assert scores_of(predicted) is SCORES


@pytest.mark.parametrize("several", [False, True], ids=["labels", "labels of two heads"])
@pytest.mark.parametrize(
    ("labels", "expected", "row"),
    [
        ([1, 0], [1, 0], None),
        ([1, 0], [1, 2], 1),
        ([[4, 5, -100], [6, -100, -100]], [[4, 5], [6]], None),
        ([[4, 5, -100], [6, -100, -100]], [[6], [4, 5]], 0),
        ([1, 0], [], None),  # there are none to compare with
    ],
)
def test_predictions_in_another_order_are_refused(
    labels: list[int], expected: list[int], row: int | None, several: bool
) -> None:
    given = np.array(labels)
    predicted = EvalPrediction(SCORES, (given, SCORES) if several else given)
    if row is None:
        return check_order(predicted, expected)
    message = (
        f"row {row} of the predictions has other labels than row {row} of the data; expected the "
        'same order: set train_sampling_strategy="random" in TrainingArguments, since '
        '"group_by_length" changes it'
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_order(predicted, expected)


def test_predictions_left_in_batches_are_refused() -> None:
    batches = EvalPrediction([SCORES, SCORES[:1]], [np.array([0, 1]), np.array([0])])
    message = (
        "the predictions are in 2 batches; expected one array of all rows: leave out "
        "eval_do_concat_batches=False in TrainingArguments"
    )
    for refuse in (check_whole, scores_of, lambda given: check_order(given, [0, 1, 0])):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            refuse(batches)
    check_whole([SCORES, SCORES])  # rows, from somewhere else


def test_scores_that_are_nan_are_counted() -> None:
    check_numbers(np.array([[0.5, -np.inf], [0.5, np.inf]]))
    check_numbers(np.array([[1, 2]]))
    message = (
        "the scores are NaN in 2 of 3 rows, the first is row 1; expected numbers: check whether "
        "the model's weights or its loss are NaN (from too high a learning rate, or training in "
        "half precision)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_numbers(np.array([[0.5, 0.5], [np.nan, 0.5], [np.nan, np.nan]]))
