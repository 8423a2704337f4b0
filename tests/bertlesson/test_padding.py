"""Rows of different lengths become arrays of one shape."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from bertlesson.padding import columns_of, lengths_of, pad

LENGTHS = np.array([3, 1])
PRESENT = np.arange(3) < LENGTHS[:, None]  # (batch, length)


def padded(key: str, values: list[Any], fills: dict[str, int] | None = None) -> Any:
    return pad(key, values, LENGTHS, PRESENT, fills or {})


@pytest.mark.parametrize(
    ("key", "fills", "fill"),
    [
        ("input_ids", {"input_ids": 7}, 7),
        ("token_type_ids", {"input_ids": 7, "token_type_ids": 2}, 2),
        ("attention_mask", {"input_ids": 7}, 0),
        ("ner_labels", {"input_ids": 7}, -100),
        ("labels", {"labels": 3}, 3),
    ],
)
def test_what_comes_one_per_token_is_filled_by_its_name(
    key: str, fills: dict[str, int], fill: int
) -> None:
    made = padded(key, [[1, 2, 3], [4]], fills)
    assert made.tolist() == [[1, 2, 3], [4, fill, fill]]
    assert made.dtype == np.int64


def test_axes_after_the_tokens_stay() -> None:
    made = padded("boxes", [[[1.5, 2], [3, 4], [5, 6]], [[7, 8]]])
    assert made.tolist() == [[[1.5, 2], [3, 4], [5, 6]], [[7, 8], [0, 0], [0, 0]]]
    assert made.dtype == np.float32
    even = pad(
        "boxes", [np.ones((2, 4)), np.zeros((2, 4))], np.array([2, 2]), np.ones((2, 2)) > 0, {}
    )
    assert even.shape == (2, 2, 4)


@pytest.mark.parametrize("row", [[], (), np.array([]), np.array([], dtype=np.int32)])
def test_rows_without_a_token_are_whole_numbers(row: Any) -> None:
    nothing = np.zeros((2, 0)) > 0
    made = pad("input_ids", [row, row], np.array([0, 0]), nothing, {})
    assert made.shape == (2, 0)
    assert made.dtype == np.int64
    beside = pad(
        "a", [row, np.array([5, 6])], np.array([0, 2]), np.arange(2) < [[0], [2]], {"a": 9}
    )
    assert beside.tolist() == [[9, 9], [5, 6]]
    assert beside.dtype == np.int64


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.array([[1], [2]], dtype=np.uint8), np.int64),
        (np.array([[1.5], [2]], dtype=np.float64), np.float32),
        (np.array([[True], [False]]), np.bool_),
    ],
)
def test_numbers_are_stored_as_transformers_does(values: Any, dtype: Any) -> None:
    made = pad("a", list(values), np.array([2, 2]), np.ones((2, 2)) > 0, {})  # stacked: one a row
    assert made.dtype == dtype
    assert made.tolist() == values.tolist()


def test_word_ids_have_a_number_below_zero_where_there_is_no_word() -> None:
    rows: list[Any] = [[None, 0, 1, None], (None, 2), np.array([np.nan, 3.0]), torch.tensor([4, 5])]
    rows.append(np.array([None, 6], dtype=object))
    columns = columns_of({"input_ids": [[1]] * 5, "word_ids": rows})
    assert [row.tolist() for row in columns["word_ids"]] == [
        [-1, 0, 1, -1],
        [-1, 2],
        [-1, 3],
        [4, 5],
        [-1, 6],
    ]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([{"input_ids": [7], "a": 1}, {"input_ids": [7]}], "a row has no 'a'; expected the same "
         "keys as in the first row"),
        ([{"text": "x", "b": 1}], "the batch has ['b', 'text']; expected input_ids among them"),
        ([], "the batch is empty; expected at least one row"),
        ({"input_ids": [[7]], "word_ids": [np.array([0.5])]},
         "word_ids holds [0.5]; expected whole numbers, None or NaN"),
    ],
)  # fmt: skip
def test_columns_are_refused(features: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        columns_of(features)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([[1, 2, 3]], ValueError, "a has 1 rows; expected 2, as in input_ids"),
        (
            [[1, 2], [3]],
            ValueError,
            "a differs in length between rows and from input_ids; expected one value per token, "
            "or the same shape in every row",
        ),
        (
            ["x", "y"],
            TypeError,
            "a holds <U1; expected numbers: drop the key, or encode its values",
        ),
    ],
)
def test_values_are_refused(values: list[Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        padded("a", values)


def test_single_values_have_no_length() -> None:
    assert lengths_of([1, 2]) is None
    assert lengths_of(["ab", "c"]) is None
    found = lengths_of([[1, 2], []])
    assert found is not None
    assert found.tolist() == [2, 0]
