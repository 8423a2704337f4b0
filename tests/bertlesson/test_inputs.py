"""Inputs that suit a model pass, whatever their form; test_finetuning.py has those that do not."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import BertForMultipleChoice, BertForSequenceClassification, BertModel

from bertlesson.inputs import check_features
from tests.bertlesson.small_bert import LENGTH, small_config

IDS = torch.ones(3, 4, dtype=torch.int64)


def test_of_several_choices_each_must_fit() -> None:
    model = BertForMultipleChoice(small_config())
    check_features(model, {"input_ids": torch.ones(3, 2, LENGTH, dtype=torch.int64)})
    with pytest.raises(ValueError, match=f"rows have {LENGTH + 1} pieces; expected at most"):
        check_features(model, {"input_ids": torch.ones(3, 2, LENGTH + 1, dtype=torch.int64)})


def test_embeddings_without_a_table_take_any_piece() -> None:
    model = BertModel(small_config())
    with pytest.raises(ValueError, match="input_ids go from 99 to 99"):
        check_features(model, {"input_ids": 99 * IDS})
    model.set_input_embeddings(nn.Identity())
    check_features(model, {"input_ids": 99 * IDS})


@pytest.mark.parametrize("problem", ["regression", "multi_label_classification"])
def test_numbers_that_are_no_classes_may_be_of_any_size(problem: str) -> None:
    features = {"input_ids": IDS, "labels": torch.tensor([7, -9, 2])}
    check_features(BertForSequenceClassification(small_config(problem_type=problem)), features)
    with pytest.raises(ValueError, match="labels go from -9 to 7; expected classes from 0 to 2"):
        check_features(BertForSequenceClassification(small_config()), features)


def test_advice_is_given_to_its_end() -> None:
    model = BertModel(small_config())
    long = torch.ones(3, LENGTH + 1, dtype=torch.int64)
    with pytest.raises(
        ValueError, match=r"encode_questions splits long contexts into rows of that length$"
    ):
        check_features(model, {"input_ids": long})
    message = (
        r"with a row for each example: tokenize with padding=True and return_tensors='pt', turn "
        r"class numbers into a tensor with torch\.tensor\(\.\.\.\), and leave out columns of text$"
    )
    with pytest.raises(TypeError, match=message):
        check_features(model, {"input_ids": IDS, "text": ["a"] * 3})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="expected segments from 0 to 1: leave them out"):
        check_features(model, {"input_ids": IDS, "token_type_ids": 2 * IDS})
