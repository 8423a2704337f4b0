"""What goes into a collator and what comes out is matched, position by position."""

from __future__ import annotations

import contextlib
import functools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bertlesson.diagnosis_rows import (
    COLUMNS,
    LAYOUTS,
    ORDINARY,
    OTHER,
    PADDING,
    SPECIAL,
    Batch,
    Form,
    Rows,
    Unreadable,
    copier,
    find_form,
    observe,
    seed_everything,
    states_kept,
)
from tests.bertlesson import broken_collators as broken
from tests.bertlesson.broken_collators import CLS, MASK, PAD, SEP, UNK, make_tokenizer
from tests.bertlesson.seen_batches import Arrays, untouched

TEXTS = ["word0 start1end2, word3", "word4", "word5 word6"]
IDS = [[CLS, 5, 406, 457, UNK, 8, SEP], [CLS, 9, SEP], [CLS, 10, 11, SEP]]
FORM = Form(("input_ids",), padded=False, tensors=False)
ALL = ("input_ids", "attention_mask", "special_tokens_mask", "offset_mapping", "word_ids")


def rows_of(texts: list[str] | None = None, length: int = 128, side: str = "right") -> Rows:
    tokenizer = make_tokenizer()
    tokenizer.padding_side = side
    return Rows(tokenizer, texts or TEXTS, length)


def test_tokens_their_kinds_and_their_words() -> None:
    rows = rows_of()
    assert [ids.tolist() for ids in rows.ids] == IDS
    S, N, X = SPECIAL, ORDINARY, OTHER  # noqa: N806
    assert [kinds.tolist() for kinds in rows.kinds] == [
        [S, N, N, N, X, N, S],
        [S, N, S],
        [S, N, N, S],
    ]
    assert rows.words is not None
    assert [words.tolist() for words in rows.words] == [
        [-1, 0, 1, 1, 2, 3, -1],
        [-1, 0, -1],
        [-1, 0, 1, -1],
    ]
    assert rows.touching is not None
    for stretches, expected in zip(
        rows.touching, ["-ABBBC-", "-A-", "-AB-"], strict=True
    ):  # the comma touches its word
        assert (stretches == -1).tolist() == [letter == "-" for letter in expected]
        letters = dict(zip(stretches.tolist(), expected, strict=True))
        assert [letters[number] for number in stretches.tolist()] == list(expected)


class Slow:
    """A tokenizer without a fast backend, which cannot say where words begin."""

    is_fast = False
    padding_side = "right"

    def __init__(self, pieces: list[str]) -> None:
        self.fast = make_tokenizer()
        self.pieces = pieces

    def __call__(self, texts: Any, **options: Any) -> Any:
        assert not options.pop("return_offsets_mapping")
        return self.fast(texts, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fast, name)

    def get_vocab(self) -> dict[str, int]:
        return {piece: id for piece, id in self.fast.get_vocab().items() if piece in self.pieces}


def test_a_slow_tokenizer_says_it_by_its_pieces_or_not_at_all() -> None:
    slow: Any = Slow(broken.PIECES)
    rows = Rows(slow, TEXTS, 128)
    assert rows.touching is None
    assert rows.words is not None
    words = rows.words[0]
    assert words[[0, 6]].tolist() == [-1, -1]
    assert words[2] == words[3]
    assert len({*words.tolist()}) == 5
    other: Any = Slow([piece for piece in broken.PIECES if not piece.startswith("##")])
    assert Rows(other, TEXTS, 128).words is None


def test_long_rows_are_cut() -> None:
    text = " ".join(["word1"] * 300)
    assert [len(ids) for ids in rows_of([text, "word1"]).ids] == [128, 3]
    assert [len(ids) for ids in rows_of([text, "word1"], length=20).ids] == [20, 3]
    tokenizer = make_tokenizer()
    tokenizer.model_max_length = 10
    assert len(Rows(tokenizer, [text, "word1"], 20).ids[0]) == 10


def test_if_all_are_equally_long_every_eighth_is_halved() -> None:
    text = "word1 word2 word3 word4 word5 word6 word7"  # 9 with [CLS] and [SEP]
    rows = rows_of([text] * 17)
    assert [len(ids) for ids in rows.ids] == [4, *[9] * 7] * 2 + [4]
    assert rows.ids[8].tolist() == [CLS, 6, 7, SEP]
    for name in ALL:
        assert [len(values) for values in rows.columns[name]] == [len(ids) for ids in rows.ids]
    assert [len(ids) for ids in rows_of(["word1 word2 word3 word4 word5 word6"] * 9).ids] == [
        4,
        *[8] * 7,
        4,
    ]
    assert [len(ids) for ids in rows_of(["word1 word2 word3 word4 word5"] * 9).ids] == [7] * 9
    assert [len(ids) for ids in rows_of([text]).ids] == [9]
    assert len(rows_of([text] * 2).ids[0]) == 4


def test_rows_in_every_form() -> None:
    rows = rows_of()
    assert rows.features([2], Form((*ALL, "not there"), padded=False, tensors=False)) == [
        {
            "input_ids": IDS[2],
            "attention_mask": [1] * 4,
            "special_tokens_mask": [1, 0, 0, 1],
            "offset_mapping": [(0, 0), (0, 5), (6, 11), (0, 0)],
            "word_ids": [None, 0, 1, None],
        }
    ]
    padded = Form(ALL, padded=True, tensors=False)
    assert rows.features([1, 2], padded)[0] == {
        "input_ids": [*IDS[1], PAD],
        "attention_mask": [1, 1, 1, 0],
        "special_tokens_mask": [1, 0, 1, 1],
        "offset_mapping": [(0, 0), (0, 5), (0, 0), (0, 0)],
        "word_ids": [None, 0, None, None],
    }
    assert rows_of(side="left").features([1, 2], padded)[0]["input_ids"] == [PAD, *IDS[1]]
    made = rows.features([0], Form(ALL, padded=False, tensors=True))[0]
    assert made.pop("word_ids") == [None, 0, 1, 1, 2, 3, None]
    assert all(type(values) is torch.Tensor for values in made.values())
    assert made["input_ids"].tolist() == IDS[0]
    made["input_ids"][1] = MASK
    assert rows.features([0], FORM)[0]["input_ids"] == IDS[0], "each call has rows of its own"


def seen(
    change: Callable[[Arrays, list[dict[str, Any]]], Any],
    *,
    rows: Rows | None = None,
    form: Form = FORM,
    numbers: Any = (0, 1),
) -> Batch:
    def collator(features: list[dict[str, Any]]) -> Any:
        arrays = untouched(features)
        other = change(arrays, features)
        return arrays if other is None else other

    return observe(collator, rows or rows_of(), numbers, form)


def test_what_a_collator_did() -> None:
    def change(arrays: Arrays, features: Any) -> None:
        arrays["labels"][0, [0, 1, 4]] = IDS[0][0], IDS[0][1], IDS[0][4]
        arrays["labels"][1, [1, 5]] = 0
        arrays["input_ids"][0, 1] = MASK

    batch = seen(change, form=Form(("input_ids", "attention_mask"), padded=False, tensors=False))
    assert batch.numbers == (0, 1)
    assert batch.original.tolist() == [IDS[0], [*IDS[1], *[PAD] * 4]]
    assert batch.seen.tolist() == [[CLS, MASK, *IDS[0][2:]], [*IDS[1], *[PAD] * 4]]
    assert batch.labels[1].tolist() == [-100, 0, -100, -100, -100, 0, -100]
    assert batch.kinds[1].tolist() == [SPECIAL, ORDINARY, SPECIAL, *[PADDING] * 4]
    assert np.argwhere(batch.selected).tolist() == [[0, 1], [1, 1]], "0 is a label, too"
    assert batch.attended is not None
    assert batch.attended.tolist() == [[1] * 7, [1, 1, 1, 0, 0, 0, 0]]
    assert batch.types == ("int64", "int64")
    assert batch.changed == ""
    assert {each.dtype for each in (batch.original, batch.seen, batch.labels, batch.kinds)} == {
        np.dtype(np.int64)
    }


def test_tensors_of_any_kind() -> None:
    def change(arrays: Arrays, features: Any) -> Any:
        made: Any = {name: torch.tensor(array) for name, array in arrays.items()}
        made["input_ids"] = made["input_ids"].int()
        made["labels"] = made["labels"].float().requires_grad_()
        del made["attention_mask"]
        return made

    batch = seen(change)
    assert batch.types == ("int32", "float32")
    assert batch.labels.dtype == np.int64
    assert batch.attended is None


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("padded", ["left", "right"])
def test_padding_on_either_side(side: str, padded: str) -> None:
    def change(arrays: Arrays, features: Any) -> None:
        if padded == "left":
            arrays["input_ids"][1] = [*[PAD] * 4, *IDS[1]]

    batch = seen(change, rows=rows_of(side=side), numbers=[0, 1])
    assert (batch.original == batch.seen).all()
    place = slice(4, None) if padded == "left" else slice(3)
    assert batch.kinds[1, place].tolist() == [SPECIAL, ORDINARY, SPECIAL]
    assert (batch.kinds[1] == PADDING).sum() == 4


def test_a_tokenizer_without_padding_has_none_to_compare() -> None:
    tokenizer = make_tokenizer()
    rows = Rows(tokenizer, TEXTS, 128)
    tokenizer.pad_token = None
    batch = observe(untouched, rows, (0, 1), FORM)
    assert batch.original[1, 3:].tolist() == [-1] * 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda arrays, features: arrays["labels"],
            "it returns ndarray; expected a dict with input_ids and labels",
        ),
        (
            lambda arrays, features: {"labels": 1, "ids": 2},
            r"it returns \['ids', 'labels'\]; expected a dict with input_ids and labels",
        ),
        (
            lambda arrays, features: {name: each[1:] for name, each in arrays.items()},
            r"of 2 rows it makes input_ids of shape \(1, 7\) and labels of shape \(1, 7\); "
            "expected one row for each",
        ),
        (
            lambda arrays, features: arrays | {"labels": arrays["labels"][:, 1:]},
            r"input_ids of shape \(2, 7\) and labels of shape \(2, 6\); ",
        ),
        (
            lambda arrays, features: {name: each[:, :, None] for name, each in arrays.items()},
            r"input_ids of shape \(2, 7, 1\) and labels of shape \(2, 7, 1\); ",
        ),
        (
            lambda arrays, features: {name: each[:, :6] for name, each in arrays.items()},
            "it cuts rows of 7 tokens to 6; expected all of them",
        ),
        (
            lambda arrays, features: arrays | {"labels": np.array([[1], None], object)},
            "its rows differ in length; expected a batch of one length",
        ),
    ],
)
def test_what_is_no_batch_of_these_rows(change: Any, message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        seen(change)


TENSORS = Form(("input_ids",), padded=False, tensors=True)
BOTH = Form(("input_ids", "attention_mask"), padded=False, tensors=False)


@pytest.mark.parametrize(
    ("harm", "form", "changed"),
    [
        (lambda features: features.pop(), FORM, "keys"),
        (lambda features: features[1].pop("attention_mask"), BOTH, "keys"),
        (lambda features: features[1].update(more=1), FORM, "keys"),
        (lambda features: features[1]["input_ids"].append(PAD), FORM, "values"),
        (lambda features: features[1].update(input_ids=[CLS, MASK, SEP]), FORM, "values"),
        (lambda features: features[0].update(input_ids=torch.tensor(IDS[0])), FORM, ""),
        (lambda features: features[0]["attention_mask"].insert(0, 0), BOTH, "values"),
        (lambda features: features[1].update(input_ids=np.array(IDS[1])), FORM, ""),
    ],
)
def test_what_a_collator_does_to_its_rows(harm: Any, form: Form, changed: str) -> None:
    assert seen(lambda arrays, features: harm(features) and None, form=form).changed == changed


@pytest.mark.parametrize("written", [False, True])
def test_a_tensor_that_is_written_into_or_made_a_list(written: bool) -> None:
    def collator(features: Any) -> Any:
        for row in features:
            row["input_ids"] = row["input_ids"] if written else row["input_ids"].tolist()
        arrays = untouched([{"input_ids": list(map(int, row["input_ids"]))} for row in features])
        if written:
            features[1]["input_ids"][1] = MASK
        return arrays

    changed = observe(collator, rows_of(), (0, 1), TENSORS).changed
    assert changed == ("values" if written else "")


class Takes(broken.Right):
    """Takes rows of one form alone."""

    def __init__(self, form: Form) -> None:
        super().__init__(make_tokenizer())
        self.form = form
        self.tried: list[Any] = []

    def __call__(self, features: list[dict[str, Any]]) -> Any:
        padded = len({len(row["input_ids"]) for row in features}) == 1
        tensors = isinstance(features[0]["input_ids"], torch.Tensor)
        form = Form(tuple(features[0]), padded, tensors)
        self.tried.append(form)
        if form != self.form:
            raise KeyError(len(self.tried))
        return untouched([{"input_ids": list(map(int, row["input_ids"]))} for row in features])


FORMS = [
    Form(tuple(name for name in names if name != "token_type_ids"), padded, tensors)
    for names in COLUMNS
    for padded, tensors in LAYOUTS
]


@pytest.mark.parametrize("number", range(len(FORMS)))
def test_the_first_form_that_it_takes_is_found(number: int) -> None:
    collator = Takes(FORMS[number])
    tokenizer = make_tokenizer()
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    found = find_form(lambda: collator, Rows(tokenizer, TEXTS, 128), (0, 1), None)
    assert found[1:] == FORMS[number][1:]
    assert tuple(name for name in found.columns if name != "token_type_ids") == FORMS[number][0]
    assert collator.tried[: number + 1] == FORMS[: number + 1]


def test_columns_that_are_given_are_taken() -> None:
    form = Form(("input_ids", "word_ids"), padded=True, tensors=False)
    found = find_form(lambda: Takes(form), rows_of(), (0, 1), ["input_ids", "word_ids"])
    assert found == form


def test_without_padding_rows_are_not_padded() -> None:
    rows = rows_of()
    rows.tokenizer.pad_token = None
    collator = Takes(Form(("nothing",), padded=False, tensors=False))
    with pytest.raises(ValueError, match="the collator is Takes") as refused:
        find_form(lambda: collator, rows, (0, 1), None)
    assert not any(form.padded for form in collator.tried)
    assert len(collator.tried) == 2 * len(COLUMNS)
    assert str(refused.value) == (
        "the collator is Takes, which stopped at rows in every form with KeyError: 1; expected one "
        "that takes a list of dicts with input_ids: name other columns by columns=…"
    )


def test_a_form_is_taken_whatever_comes_of_it() -> None:
    assert find_form(lambda: len, rows_of(), (0, 1), None) == Form(COLUMNS[0], False, False)


class Counts:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, features: Any) -> int:
        self.calls += 1
        return self.calls


class Unpickled(Counts):
    def __reduce__(self) -> Any:
        raise TypeError("no pickle")

    def __deepcopy__(self, memory: Any) -> Any:
        made = Unpickled()
        made.calls = self.calls
        return made


class Uncopied(Counts):
    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("neither pickle nor copy")


@pytest.mark.parametrize(
    ("collator", "has_pickle", "apart"),
    [
        (Counts(), True, True),
        (functools.partial(Counts()), True, True),
        (Unpickled(), False, True),
        (Uncopied(), False, False),
    ],
)
def test_copies_of_a_collator(collator: Any, has_pickle: bool, apart: bool) -> None:
    collator([])
    make, pickled, said = copier(collator)
    assert (pickled is not None, said) == (has_pickle, apart)
    assert make()([]) == 2
    assert make()([]) == (2 if apart else 3)
    assert collator([]) == (2 if apart else 4)
    assert make()([]) == (2 if apart else 5), "a copy is in the state of the beginning"


def at_module_level(features: Any) -> int:
    return 1


def test_a_function_is_not_copied() -> None:
    make, pickled, apart = copier(at_module_level)
    assert make() is at_module_level
    assert pickled is not None
    assert not apart
    make, pickled, apart = copier(lambda features: 2)
    assert make()([]) == 2
    assert pickled is None
    assert not apart


def drawn() -> list[float]:
    return [random.random(), np.random.rand(), torch.rand(()).item()]


def test_generators_are_seeded_and_left_as_they_were() -> None:
    seed_everything(2**32 + 5)
    first = drawn()
    seed_everything(2**32 + 5)
    assert drawn() == first
    expected = drawn()
    seed_everything(2**32 + 5)
    drawn()
    with contextlib.suppress(KeyError), states_kept():
        seed_everything(1)
        assert not {*drawn()} & {*first, *expected}
        raise KeyError
    assert drawn() == expected
