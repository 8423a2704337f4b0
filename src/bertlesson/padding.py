"""Padding: rows of different lengths become arrays of one shape, ``(batch, length)``.

Takes what loaders hand to a collator: lists, arrays or tensors of ids, dicts of these, or a whole
batch. Everything that comes one per token is padded together with the ids.
"""

import struct
from collections.abc import Iterable, Mapping
from itertools import starmap
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from .masking import IGNORE_INDEX, Bools, Ints, to_array

__all__ = ["columns_of", "lengths_of", "pad"]


def columns_of(features: Any) -> dict[str, list[Any]]:
    """Turn rows, dicts or a whole batch into ``{key: [one value per row]}``."""
    if isinstance(features, Mapping):
        columns = dict(features)
    elif len(features) and isinstance(features[0], Mapping):
        try:
            columns = {key: [row[key] for row in features] for key in features[0]}
        except KeyError as missing:
            raise ValueError(
                f"a row has no {missing}; expected the same keys as in the first row"
            ) from None
    else:
        columns = {"input_ids": features}
    if "input_ids" not in columns:
        raise ValueError(f"the batch has {sorted(columns)}; expected input_ids among them")
    for key, values in columns.items():
        columns[key] = list(to_array(values) if isinstance(values, Tensor) else values)
    if not columns["input_ids"]:
        raise ValueError("the batch is empty; expected at least one row")
    if "word_ids" in columns:
        columns["word_ids"] = [_word_numbers(row) for row in columns["word_ids"]]
    return columns


def _word_numbers(row: Any) -> NDArray[Any]:
    """A row of word ids, with -1 at special tokens, where a tokenizer's ``word_ids()`` has None."""
    if isinstance(row, (list, tuple)):
        row = [-1 if word is None else word for word in row]
    numbers = to_array(row)
    if numbers.dtype == object:  # as datasets returns them in NumPy format
        numbers = _word_numbers(numbers.tolist())
    elif numbers.dtype.kind == "f":  # in torch format None has become NaN
        whole: Ints = np.nan_to_num(numbers, nan=-1.0).astype(np.int64)
        if (whole != numbers)[~np.isnan(numbers)].any():
            raise ValueError(f"word_ids holds {row}; expected whole numbers, None or NaN")
        numbers = whole
    return numbers


def pad(
    key: str, values: list[Any], lengths: Ints, present: Bools, fills: dict[str, int]
) -> NDArray[Any]:
    """Pad values that come one per token to ``(batch, length)``; stack those of equal shape."""
    if len(values) != len(lengths):
        raise ValueError(f"{key} has {len(values)} rows; expected {len(lengths)}, as in input_ids")
    own = lengths_of(values)
    if own is not None and (own == lengths).all():
        flat = _numbers(key, _flatten(values))
        if len(flat) == present.size:  # nothing to pad
            return flat.reshape(present.shape + flat.shape[1:])
        fill = fills.get(key, IGNORE_INDEX if "label" in key else 0)
        padded = np.full(present.shape + flat.shape[1:], fill, dtype=flat.dtype)
        padded[present] = flat
        return padded
    arrays = [np.asarray(value) for value in values]
    if len({array.shape for array in arrays}) > 1:
        raise ValueError(
            f"{key} differs in length between rows and from input_ids; expected one value per "
            "token, or the same shape in every row"
        )
    return _numbers(key, np.stack(arrays))


def lengths_of(values: list[Any]) -> Ints | None:
    """The length of each value, ``(batch,)``; None for single numbers and strings."""
    if isinstance(values[0], str):
        return None
    try:
        return np.fromiter(map(len, values), np.int64, len(values))
    except TypeError:
        return None


def _flatten(rows: list[Any]) -> NDArray[Any]:
    """Join the rows end to end."""
    if isinstance(rows[0], (list, tuple)):
        try:
            # the fastest way from Python integers to an array; struct refuses anything else
            pack = {length: struct.Struct(f"{length}q").pack for length in set(map(len, rows))}
            packed: Iterable[bytes] = (pack[len(row)](*row) for row in rows)
            if len(pack) == 1:
                packed = starmap(pack.popitem()[1], rows)
            # an array over bytes would be read-only
            return np.frombuffer(bytearray().join(packed), np.int64)
        except struct.error:
            pass
    return np.concatenate([np.asarray(row) for row in rows if len(row)] or [np.zeros(0, int)])


def _numbers(key: str, array: NDArray[Any]) -> NDArray[Any]:
    """Integers in int64 and floats in float32, as `transformers` makes them from lists."""
    kinds = {"i": np.int64, "u": np.int64, "f": np.float32, "b": np.bool_}
    if array.dtype.kind not in kinds:
        raise TypeError(
            f"{key} holds {array.dtype}; expected numbers: drop the key, or encode its values"
        )
    return array.astype(kinds[array.dtype.kind], copy=False)
