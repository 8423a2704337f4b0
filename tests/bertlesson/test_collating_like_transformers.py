"""What transformers' own tests promise of its masking collator, held by ours.

They are the MLM parts of ``tests/trainer/test_data_collator.py``. Ours is stricter in one place: an
id outside the vocabulary is refused. Theirs masks it, and the model fails on it later. Their own
tests use the ids 0 to 9 with a vocabulary of five; here the vocabulary is large enough.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertTokenizer, DataCollatorForLanguageModeling

from bertlesson.collating import MaskingCollator
from bertlesson.masking import MaskingRecipe

FIVE = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
ENDINGS = ["##s"]
ONLY_MASKS = MaskingRecipe(select=0.5, mask=1, random=0)


def tokenizer_of(words: int = 15) -> BertTokenizer:
    pieces = [*FIVE, *(f"w{number}" for number in range(words)), *ENDINGS[:words]]
    return BertTokenizer(vocab={piece: number for number, piece in enumerate(pieces)})


def rows_of(form: Any, *lengths: int) -> list[Any]:
    return [form(list(range(5, 5 + length))) for length in lengths]


def as_dict(ids: list[int]) -> dict[str, list[int]]:
    return {"input_ids": ids}


FORMS = {
    "dicts": as_dict,
    "lists": list,
    "arrays": np.array,
    "tensors": torch.tensor,
    "dicts of arrays": lambda ids: {"input_ids": np.array(ids)},
    "dicts of tensors": lambda ids: {"input_ids": torch.tensor(ids)},
}


@pytest.mark.parametrize("whole_words", [False, True])
@pytest.mark.parametrize("multiple", [None, 8])
@pytest.mark.parametrize("lengths", [(10, 10), (5, 10)])
@pytest.mark.parametrize("form", FORMS)
def test_rows_of_each_form_become_one_batch_with_labels_at_masks_alone(
    form: str, lengths: tuple[int, int], multiple: int | None, whole_words: bool
) -> None:
    collator = MaskingCollator(
        tokenizer_of(), ONLY_MASKS, 0, whole_words, pad_to_multiple_of=multiple
    )
    batch = collator(rows_of(FORMS[form], *lengths))
    width = 16 if multiple else 10
    assert {key: tuple(value.shape) for key, value in batch.items()} == {
        "input_ids": (2, width),
        "attention_mask": (2, width),
        "labels": (2, width),
    }
    assert all(value.dtype == torch.int64 for value in batch.values())
    masked = batch["input_ids"] == 4
    assert masked.any()
    assert torch.equal(batch["labels"] != -100, masked)
    assert batch["attention_mask"].sum(1).tolist() == list(lengths)
    assert not batch["labels"][batch["attention_mask"] == 0].ne(-100).any()


@pytest.mark.parametrize("key", ["next_sentence_label", "sentence_order_label"])
@pytest.mark.parametrize(("multiple", "width"), [(None, 5), (8, 8)])
@pytest.mark.parametrize("form", [list, torch.tensor])
def test_a_label_for_each_pair_comes_through(
    key: str, multiple: int | None, width: int, form: Any
) -> None:
    rows = [
        {"input_ids": form([1, 5, 6, 7, 2]), "token_type_ids": form([0, 0, 1, 1, 1]), key: number}
        for number in range(2)
    ]
    batch = MaskingCollator(tokenizer_of(), pad_to_multiple_of=multiple)(rows)
    for name in ("input_ids", "token_type_ids", "labels"):
        assert batch[name].shape == (2, width)
    assert batch[key].tolist() == [0, 1]


@pytest.mark.parametrize("multiple", [None, 8])
@pytest.mark.parametrize("form", ["dicts", "dicts of arrays", "dicts of tensors"])
def test_the_rows_stay_as_they_were(form: str, multiple: int | None) -> None:
    rows = rows_of(FORMS[form], 5, 10)
    before = copy.deepcopy(rows)
    MaskingCollator(tokenizer_of(), pad_to_multiple_of=multiple)(rows)
    for row, old in zip(rows, before, strict=True):
        assert row.keys() == old.keys()
        assert list(row["input_ids"]) == list(old["input_ids"])


def test_rows_of_one_length_need_no_padding_token_and_others_say_so() -> None:
    tokenizer = tokenizer_of()
    tokenizer.pad_token = None
    collator = MaskingCollator(tokenizer, ONLY_MASKS)
    assert collator(rows_of(as_dict, 10, 10))["input_ids"].shape == (2, 10)
    with pytest.raises(ValueError, match="no pad token"):
        collator(rows_of(as_dict, 5, 10))


def test_a_tokenizer_without_a_mask_token_is_refused() -> None:
    tokenizer = tokenizer_of()
    tokenizer.mask_token = None
    with pytest.raises(ValueError, match="mask token"):
        MaskingCollator(tokenizer)


def test_numpy_is_returned_where_it_is_asked_for() -> None:
    rows = rows_of(as_dict, 5, 10)
    batch = MaskingCollator(tokenizer_of(), return_tensors="np")(rows)
    assert {type(value) for value in batch.values()} == {np.ndarray}


def test_a_seed_repeats_the_masks_and_another_seed_has_others() -> None:
    rows = rows_of(as_dict, *[15] * 50)
    first, again, other = (
        MaskingCollator(tokenizer_of(), seed=seed)(rows)["labels"] for seed in (42, 42, 43)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_stricter_ids_outside_the_vocabulary_are_refused() -> None:
    rows = rows_of(as_dict, 10, 10)
    assert DataCollatorForLanguageModeling(tokenizer_of(0))(rows)["input_ids"].shape == (2, 10)
    with pytest.raises(ValueError, match="expected 0 to 4"):
        MaskingCollator(tokenizer_of(0))(rows)


def test_special_tokens_are_never_selected() -> None:
    rows = [{"input_ids": [1, 0, 4, 5, 2]}] * 200
    labels = MaskingCollator(tokenizer_of(), MaskingRecipe(select=1))(rows)["labels"]
    assert labels.tolist() == [[-100, -100, -100, 5, -100]] * 200
