"""Call any masking collator on tokenized texts and note what it did at each position.

Used by `bertlesson.diagnosis`. Each call gets rows of its own, so a collator that writes into its
input is seen doing it and spoils nothing.
"""

import copy
import pickle
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from .masking import Bools, Ints

__all__ = [
    "Batch",
    "Form",
    "Rows",
    "Unreadable",
    "copier",
    "find_form",
    "observe",
    "seed_everything",
    "states_kept",
]

ORDINARY, SPECIAL, PADDING, OTHER = range(4)  # OTHER: special tokens within a text, as [UNK]
BASE = ("input_ids", "token_type_ids", "attention_mask")
COLUMNS = (
    BASE,  # what Trainer leaves of a row
    (*BASE, "special_tokens_mask"),
    (*BASE, "special_tokens_mask", "offset_mapping"),
    (*BASE, "special_tokens_mask", "word_ids"),
    ("input_ids",),
)
LAYOUTS = ((False, False), (False, True), (True, False), (True, True))  # padded, tensors


class Unreadable(Exception):  # noqa: N818
    """What came out of a collator cannot be matched with what went in; the text says why."""


class Form(NamedTuple):
    """In what form the collator takes its rows."""

    columns: tuple[str, ...]
    padded: bool  # to one length, beforehand
    tensors: bool  # instead of lists


class Rows:
    """Tokenized texts.

    Args:
        tokenizer: Any of transformers.
        texts: The texts.
        max_length: Longer rows are cut.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int
    ) -> None:
        self.tokenizer = tokenizer
        length = min(max_length, tokenizer.model_max_length)
        self.columns = self._encode(texts, length)
        lengths = {len(ids) for ids in self.columns["input_ids"]}
        if len(lengths) == 1 and len(texts) > 1 and (shorter := lengths.pop() // 2) >= 4:
            # so that there is padding to see, some rows are cut shorter
            for name, values in self._encode(texts[::8], shorter).items():
                self.columns[name][::8] = values
        self.ids = [np.array(ids, dtype=np.int64) for ids in self.columns["input_ids"]]
        others = set(tokenizer.all_special_ids)
        self.kinds = [
            np.where(mask, SPECIAL, [OTHER if i in others else ORDINARY for i in ids])
            for ids, mask in zip(
                self.columns["input_ids"], self.columns["special_tokens_mask"], strict=True
            )
        ]
        self.words: list[Ints] | None = None  # for each position the number of its word, or -1
        self.touching: list[Ints] | None = None  # the same, words without a space as one
        if tokenizer.is_fast:
            self.words = [
                np.array([-1 if word is None else word for word in row])
                for row in self.columns["word_ids"]
            ]
            self.touching = [
                _touching(np.array(offsets).reshape(-1, 2), kinds == SPECIAL)
                for offsets, kinds in zip(self.columns["offset_mapping"], self.kinds, strict=True)
            ]
        elif any(piece.startswith("##") for piece in tokenizer.get_vocab()):
            pieces = [tokenizer.convert_ids_to_tokens(row.tolist()) for row in self.ids]
            begins = [np.array([not p.startswith("##") for p in row], dtype=int) for row in pieces]
            self.words = [
                np.where(kinds == SPECIAL, -1, np.cumsum(row))
                for row, kinds in zip(begins, self.kinds, strict=True)
            ]

    def _encode(self, texts: Sequence[str], length: int) -> dict[str, list[Any]]:
        fast = self.tokenizer.is_fast
        encoded = self.tokenizer(
            list(texts),
            truncation=True,
            max_length=length,
            return_special_tokens_mask=True,
            return_attention_mask=True,
            return_offsets_mapping=fast,
        )
        columns: dict[str, list[Any]] = dict(encoded)
        if fast:
            columns["word_ids"] = [encoded.word_ids(i) for i in range(len(texts))]
        return columns

    def features(self, numbers: Sequence[int], form: Form) -> list[dict[str, Any]]:
        """Rows for the collator, made for this call alone."""
        width = max(len(self.ids[number]) for number in numbers)
        names = [name for name in form.columns if name in self.columns]
        rows = []
        for number in numbers:
            row: dict[str, Any] = {name: list(self.columns[name][number]) for name in names}
            if form.padded:
                row = {name: self._padded(name, values, width) for name, values in row.items()}
            if form.tensors:
                row = {
                    name: values if name == "word_ids" else torch.tensor(values)
                    for name, values in row.items()
                }
            rows.append(row)
        return rows

    def _padded(self, name: str, values: list[Any], width: int) -> list[Any]:
        fills = {"input_ids": self.tokenizer.pad_token_id, "special_tokens_mask": 1}
        fills |= {"offset_mapping": (0, 0), "word_ids": None}
        padding = [fills.get(name, 0)] * (width - len(values))
        return padding + values if self.left else values + padding

    @property
    def left(self) -> bool:
        """Whether the tokenizer pads on the left."""
        return bool(self.tokenizer.padding_side == "left")


@dataclass(frozen=True, eq=False)
class Batch:
    """What a collator did with one batch; the arrays are ``(batch, width)``.

    Attributes:
        numbers: Which rows they are.
        original: The ids before.
        seen: The ids that came out.
        labels: The labels that came out.
        kinds: ORDINARY, SPECIAL, PADDING or OTHER.
        attended: The attention mask that came out; None if there was none.
        types: The types of `input_ids` and `labels`.
        changed: What the collator changed in its input: "", "keys" or "values".
    """

    numbers: tuple[int, ...]
    original: Ints
    seen: Ints
    labels: Ints
    kinds: Ints
    attended: NDArray[Any] | None
    types: tuple[str, str]
    changed: str

    @property
    def selected(self) -> Bools:
        """Where an ordinary token has a label."""
        chosen: Bools = (self.labels >= 0) & (self.kinds == ORDINARY)
        return chosen


def observe(collator: Any, rows: Rows, numbers: Sequence[int], form: Form) -> Batch:
    """Call the collator once.

    Raises:
        Unreadable: If what comes out is no batch of these rows.
    """
    features = rows.features(numbers, form)
    before = rows.features(numbers, form)
    out = collator(features)
    if not isinstance(out, Mapping) or not {"input_ids", "labels"} <= set(out):
        found = sorted(out) if isinstance(out, Mapping) else type(out).__name__
        raise Unreadable(f"it returns {found}; expected a dict with input_ids and labels")
    seen, seen_type = _array(out["input_ids"])
    labels, labels_type = _array(out["labels"])
    longest = max(len(rows.ids[number]) for number in numbers)
    if seen.shape != labels.shape or seen.ndim != 2 or len(seen) != len(numbers):
        raise Unreadable(
            f"of {len(numbers)} rows it makes input_ids of shape {seen.shape} and labels of "
            f"shape {labels.shape}; expected one row for each"
        )
    if seen.shape[1] < longest:
        raise Unreadable(
            f"it cuts rows of {longest} tokens to {seen.shape[1]}; expected all of them"
        )

    # the padding is on the tokenizer's side, unless the other fits better
    original, kinds = _placed(rows, numbers, seen.shape[1], rows.left)
    fits = np.count_nonzero(original == seen)
    if fits < 0.8 * seen.size:
        others = _placed(rows, numbers, seen.shape[1], not rows.left)
        if np.count_nonzero(others[0] == seen) > fits:
            original, kinds = others
    mask = out.get("attention_mask")
    return Batch(
        numbers=tuple(numbers),
        original=original,
        seen=seen,
        labels=labels,
        kinds=kinds,
        attended=None if mask is None else _array(mask)[0],
        types=(seen_type, labels_type),
        changed=_changed(before, features),
    )


def find_form(
    make: Callable[[], Any], rows: Rows, numbers: Sequence[int], columns: Sequence[str] | None
) -> Form:
    """Find the form of rows that the collator takes, Trainer's first.

    Args:
        make: Returns the collator, or a copy.
        rows: The rows.
        numbers: Which of them to try on.
        columns: The columns of a row, if they are known.

    Raises:
        ValueError: If it takes none.
    """
    problem: Exception | None = None
    for names in [tuple(columns)] if columns else COLUMNS:
        for padded, tensors in LAYOUTS:
            form = Form(names, padded, tensors)
            if padded and rows.tokenizer.pad_token_id is None:
                continue
            try:
                observe(make(), rows, numbers, form)
            except Unreadable:
                return form  # it takes them, and what it makes of them is another matter
            except Exception as error:
                problem = problem or error
            else:
                return form
    raise ValueError(
        f"the collator is {type(make()).__name__}, which stopped at rows in every form with "
        f"{type(problem).__name__}: {problem}; expected one that takes a list of dicts with "
        "input_ids: name other columns by columns=…"
    ) from problem


def copier(collator: Any) -> tuple[Callable[[], Any], bytes | None, bool]:
    """How to copy a collator.

    Returns:
        A function that returns a copy in the state it is in now; its pickle, if it has one;
        whether the copies share nothing with the original. A function of Python cannot be copied:
        what it keeps in variables outside is shared.
    """
    try:
        pickled = pickle.dumps(collator)
        pickle.loads(pickled)
    except Exception:
        pickled = None
    function = callable(collator) and hasattr(collator, "__code__")
    if pickled is not None and not function:
        return lambda: pickle.loads(pickled), pickled, True
    try:
        kept = copy.deepcopy(collator)
        return lambda: copy.deepcopy(kept), pickled, not function
    except Exception:
        return lambda: collator, pickled, False


def seed_everything(seed: int) -> None:
    """Seed Python's, numpy's and torch's own generators."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextmanager
def states_kept() -> Iterator[None]:
    """Leave the generators of Python, numpy and torch as they were, those of GPUs included."""
    python, arrays = random.getstate(), np.random.get_state()
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(arrays)


def _placed(rows: Rows, numbers: Sequence[int], width: int, left: bool) -> tuple[Ints, Ints]:
    """The ids and the kinds of these rows as they are in a padded batch, ``(batch, width)``."""
    pad = rows.tokenizer.pad_token_id
    ids = np.full((len(numbers), width), -1 if pad is None else pad, dtype=np.int64)
    kinds = np.full((len(numbers), width), PADDING, dtype=np.int64)
    for line, number in enumerate(numbers):
        length = len(rows.ids[number])
        start = width - length if left else 0
        ids[line, start : start + length] = rows.ids[number]
        kinds[line, start : start + length] = rows.kinds[number]
    return ids, kinds


def _array(values: Any) -> tuple[Ints, str]:
    """The values in int64, and the type that they had."""
    array = values.numpy(force=True) if isinstance(values, torch.Tensor) else np.asarray(values)
    if array.dtype == object:
        raise Unreadable("its rows differ in length; expected a batch of one length")
    return array.astype(np.int64), str(array.dtype)


def _changed(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> str:
    if len(before) != len(after) or any(set(b) != set(a) for b, a in zip(before, after)):  # noqa: B905
        return "keys"
    for old, new in zip(before, after, strict=True):
        for name, values in old.items():
            # lists by their values, whatever a collator has made of them
            if type(values) is type(new[name]) is list:
                same = values == new[name]
            else:
                same = np.array_equal(np.asarray(values), np.asarray(new[name]))
            if not same:
                return "values"
    return ""


def _touching(offsets: Ints, special: Bools) -> Ints:
    """Number the stretches of a row between spaces; -1 at special tokens."""
    begins = np.ones(len(offsets), dtype=bool)
    begins[1:] = (offsets[1:, 0] != offsets[:-1, 1]) | special[:-1]
    return np.where(special, -1, np.cumsum(begins))
