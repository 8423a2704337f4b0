"""The pretraining model against the dense one."""

from __future__ import annotations

import copy
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import BertForPreTraining, Trainer, TrainingArguments

from bertlesson.heads import MaskedLMModel, NextSentencePredictionModel
from bertlesson.pretraining import PretrainingModel, select
from tests.bertlesson.small_bert import (
    LENGTH,
    VOCAB,
    gradients,
    random_inputs,
    small_config,
    with_random_weights,
)
from tests.bertlesson.toy_batches import each_config, random_batch, toy_batches

# The selected positions alone


@pytest.mark.slow
@each_config
@settings(max_examples=15)
@given(rows=st.integers(1, 5), length=st.integers(1, LENGTH), seed=st.integers(0, 999))
def test_loss_and_gradients_are_those_of_the_dense_model(
    changes: dict[str, Any], rows: int, length: int, seed: int
) -> None:
    config = small_config(**changes)
    dense = with_random_weights(BertForPreTraining(config), seed)
    model = PretrainingModel(config).double().eval()
    model.load_state_dict(dense.state_dict())
    batch = random_batch(rows, length, seed)

    output, expected = model(**batch), dense(**batch)

    close = {"rtol": 1e-10, "atol": 1e-10}
    torch.testing.assert_close(output.loss, expected.loss, **close)
    torch.testing.assert_close(output.loss, output.mlm_loss + output.nsp_loss, **close)
    torch.testing.assert_close(
        output.seq_relationship_logits, expected.seq_relationship_logits, **close
    )
    selected = expected.prediction_logits[batch["labels"] != -100]
    torch.testing.assert_close(output.selected_logits, selected, **close)
    assert output.prediction_logits is None
    found, wanted = gradients(model, output.loss), gradients(dense, expected.loss)
    assert found.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-9, atol=1e-10, msg=name)


def test_single_precision_agrees_as_stated() -> None:
    torch.manual_seed(0)
    dense = BertForPreTraining(small_config()).eval()
    model = PretrainingModel(small_config()).eval()
    model.load_state_dict(dense.state_dict())
    batch = random_batch(8, LENGTH)
    output, expected = model(**batch), dense(**batch)
    torch.testing.assert_close(output.loss, expected.loss, rtol=0, atol=1e-6)
    found, wanted = gradients(model, output.loss), gradients(dense, expected.loss)
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=0, atol=1e-8, msg=name)


def test_all_logits_come_on_request_and_without_labels() -> None:
    dense = with_random_weights(BertForPreTraining(small_config()))
    model = PretrainingModel(small_config()).double().eval()
    model.load_state_dict(dense.state_dict())
    batch = random_batch(3, 7)
    inputs = random_inputs(3, 7)
    expected = dense(**inputs)

    plain = model(**inputs)
    assert plain.keys() == expected.keys()
    assert plain.loss is None
    both = model(**batch, all_logits=True)
    for output in (plain, both):
        torch.testing.assert_close(output.prediction_logits, expected.prediction_logits)
        torch.testing.assert_close(plain[1], expected.seq_relationship_logits)
    torch.testing.assert_close(
        both.selected_logits, both.prediction_logits[batch["labels"] != -100]
    )
    torch.testing.assert_close(both.loss, model(**batch).loss)
    assert both[0] is both.loss, "Trainer and tuples take the loss first"


def test_next_sentences_may_count_less() -> None:
    plain = with_random_weights(PretrainingModel(small_config()))
    quarter = with_random_weights(PretrainingModel(small_config(), nsp_weight=0.25))
    batch = random_batch(3, 7)
    output, expected = quarter(**batch), plain(**batch)
    for name in ("mlm_loss", "nsp_loss"):
        torch.testing.assert_close(output[name], expected[name])
    torch.testing.assert_close(output.loss, expected.mlm_loss + expected.nsp_loss / 4)


def test_the_weight_of_next_sentences_is_saved(tmp_path: Path) -> None:
    config = small_config()
    model = with_random_weights(PretrainingModel(config, nsp_weight=0.25))
    assert not hasattr(config, "nsp_weight"), "another model may be made from it"
    assert PretrainingModel(config).nsp_weight == 1
    assert PretrainingModel(model.config).nsp_weight == 0.25
    assert PretrainingModel(model.config, nsp_weight=2).nsp_weight == 2
    batch = random_batch(3, 7)
    model.save_pretrained(tmp_path)
    again = PretrainingModel.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(again(**batch).loss, model(**batch).loss)
    other = PretrainingModel.from_pretrained(tmp_path, nsp_weight=0.5).eval()
    expected = model(**batch)
    torch.testing.assert_close(other(**batch).loss, expected.mlm_loss + expected.nsp_loss / 2)
    assert copy.deepcopy(other).nsp_weight == 0.5
    other.nsp_weight = 3.0  # as a schedule may
    assert (other.nsp_weight, other.config.nsp_weight, model.nsp_weight) == (3, 3, 0.25)


def test_a_file_without_the_weight_takes_one_as_well(tmp_path: Path) -> None:
    BertForPreTraining(small_config()).save_pretrained(tmp_path)
    assert PretrainingModel.from_pretrained(tmp_path).nsp_weight == 1
    assert PretrainingModel.from_pretrained(tmp_path, nsp_weight=0.25).nsp_weight == 0.25


@pytest.mark.parametrize("weight", [-0.1, math.nan, math.inf, -math.inf])
def test_impossible_weights_are_refused(weight: float, tmp_path: Path) -> None:
    model = PretrainingModel(small_config())
    model.save_pretrained(tmp_path)
    config = small_config(nsp_weight=weight)
    with pytest.raises(ValueError, match=f"nsp_weight is {weight}; expected 0 .*or more"):
        PretrainingModel(config)
    with pytest.raises(ValueError, match=f"nsp_weight is {weight}; expected 0 .*or more"):
        PretrainingModel(small_config(), nsp_weight=weight)
    with pytest.raises(ValueError, match=f"nsp_weight is {weight}; expected 0 .*or more"):
        PretrainingModel.from_pretrained(tmp_path, nsp_weight=weight)
    with pytest.raises(ValueError, match=f"nsp_weight is {weight}; expected 0 .*or more"):
        model.nsp_weight = weight
    assert model.nsp_weight == 1


def test_masked_words_alone_are_a_form_without_pooler(tmp_path: Path) -> None:
    full = with_random_weights(PretrainingModel(small_config()))
    full.save_pretrained(tmp_path / "full")
    model, report = PretrainingModel.from_pretrained(
        tmp_path / "full", nsp_weight=0, output_loading_info=True
    )
    assert not any(report.values()), "what the form has no use for is not complained of"
    model.eval()
    names = [name for name, _ in model.named_parameters()]
    assert names == [
        name for name, _ in full.named_parameters() if "pooler" not in name and "seq_" not in name
    ]
    batch = random_batch(3, 7)
    pairs = batch.pop("next_sentence_label")
    output = model(**batch)
    torch.testing.assert_close(output.loss, full(**batch).mlm_loss)
    assert output.seq_relationship_logits is output.nsp_loss is None
    with pytest.raises(
        ValueError, match=r"without an NSP head \(nsp_weight=0\); expected none: leave"
    ):
        model(**batch, next_sentence_label=pairs)

    model.save_pretrained(tmp_path / "form")
    again = PretrainingModel.from_pretrained(tmp_path / "form").eval()
    assert not again.has_nsp
    torch.testing.assert_close(again(**batch).loss, output.loss)
    masked = MaskedLMModel.from_pretrained(tmp_path / "form").eval()
    torch.testing.assert_close(masked(**batch).loss, output.loss)
    grown, report = PretrainingModel.from_pretrained(
        tmp_path / "form", nsp_weight=1, output_loading_info=True
    )
    assert grown.has_nsp
    assert report["missing_keys"] == {
        f"{layer}.{kind}"
        for layer in ("bert.pooler.dense", "cls.seq_relationship")
        for kind in ("weight", "bias")
    }
    for changed, weight in ((model, 0.5), (full, 0)):
        with pytest.raises(ValueError, match=f"nsp_weight is {float(weight)} for a model with"):
            changed.nsp_weight = weight


def test_the_configuration_keeps_what_it_has() -> None:
    ignored = ["hidden_states", "mlm_loss"]
    model = PretrainingModel(small_config(keys_to_ignore_at_inference=ignored))
    expected = [*ignored, "selected_logits", "nsp_loss"]
    assert model.config.keys_to_ignore_at_inference == expected
    again = PretrainingModel(model.config)
    assert again.config.keys_to_ignore_at_inference == expected
    # what Trainer leaves out where a configuration is silent, it leaves out here as well
    plain = PretrainingModel(small_config())
    usual = getattr(small_config(), "keys_to_ignore_at_inference", ["past_key_values"])
    assert plain.config.keys_to_ignore_at_inference[: len(usual)] == usual


def test_one_objective_is_enough() -> None:
    model = with_random_weights(PretrainingModel(small_config()))
    weights = model.state_dict()
    mlm, nsp = MaskedLMModel(small_config()).double(), NextSentencePredictionModel(small_config())
    mlm.load_state_dict({name: weights[name] for name in mlm.state_dict()})
    nsp.double().load_state_dict({name: weights[name] for name in nsp.state_dict()})
    batch = random_batch(4, 8)
    inputs = random_inputs(4, 8)

    output = model(**inputs, labels=batch["labels"])
    assert output.nsp_loss is None
    expected = mlm.eval()(**inputs, labels=batch["labels"]).loss
    torch.testing.assert_close(output.loss, expected)
    torch.testing.assert_close(output.mlm_loss, expected)

    output = model(**inputs, next_sentence_label=batch["next_sentence_label"])
    assert output.mlm_loss is None
    expected = nsp.eval()(**inputs, labels=batch["next_sentence_label"]).loss
    torch.testing.assert_close(output.loss, expected)
    torch.testing.assert_close(output.nsp_loss, expected)


def test_nothing_selected_is_a_loss_of_zero() -> None:
    model = with_random_weights(PretrainingModel(small_config()))
    batch = random_batch(3, 7)
    batch["labels"].fill_(-100)
    output = model(**batch)
    assert output.mlm_loss.item() == 0
    assert output.selected_logits.shape == (0, VOCAB)
    assert torch.equal(output.loss, output.nsp_loss)
    alone = model(**random_inputs(3, 7), labels=batch["labels"])
    assert all(not each.any() for each in gradients(model, alone.loss).values())


@each_config
def test_zero_selected_rows_keep_every_gradient_finite(changes: dict[str, Any]) -> None:
    model = PretrainingModel(small_config(**changes)).train()
    batch = random_batch(2, 4)
    batch["labels"].fill_(-100)
    for name, gradient in gradients(model, model(**batch, num_items_in_batch=0).loss).items():
        assert not gradient.any(), name


def test_select_keeps_the_order_of_the_text() -> None:
    hidden = torch.arange(12.0).reshape(2, 3, 2)
    labels = torch.tensor([[-100, 7, 5], [9, -100, 0]])
    vectors, targets = select(hidden, labels)
    assert vectors.tolist() == [[2, 3], [4, 5], [6, 7], [10, 11]]
    assert targets.tolist() == [7, 5, 9, 0]


def test_what_was_predicted_stands_in_its_row() -> None:
    model = with_random_weights(PretrainingModel(small_config()))
    batch = random_batch(4, 9)
    batch["labels"][2].fill_(-100)
    output = model(**batch, all_logits=True)
    selected = batch["labels"] != -100
    best = output.prediction_logits.argmax(-1)
    assert torch.equal(output.predicted_ids, best.masked_fill(~selected, -100))
    losses = nn.functional.cross_entropy(
        output.prediction_logits.flatten(0, 1), batch["labels"].flatten(), reduction="none"
    )
    torch.testing.assert_close(output.mlm_row_losses.double(), losses.view(4, 9).sum(1))
    mean = output.mlm_row_losses.double().sum() / selected.sum()
    torch.testing.assert_close(mean, output.mlm_loss)
    assert torch.equal(output.next_sentence_label, batch["next_sentence_label"])

    nothing = model(**batch | {"labels": torch.full_like(batch["labels"], -100)})
    assert (nothing.predicted_ids == -100).all()
    assert nothing.mlm_row_losses.tolist() == [0] * 4
    by_row_alone = {"predicted_ids", "mlm_row_losses", "next_sentence_label"}
    assert by_row_alone.isdisjoint(model.train()(**batch)), "training pays nothing for it"


def test_output_in_half_precision_sums_in_single() -> None:
    model = PretrainingModel(small_config()).to(torch.bfloat16).eval()
    output = model(**random_batch(4, 9))
    assert output.mlm_row_losses.dtype == torch.float32
    assert output.predicted_ids.dtype == torch.int64


def test_labels_of_another_shape_are_refused() -> None:
    model = PretrainingModel(small_config())
    batch = random_batch(4, 8)
    batch["labels"] = batch["labels"].T
    with pytest.raises(ValueError, match=r"shape \(8, 4\); expected .* \(4, 8\)"):
        model(**batch)
    batch = random_batch(4, 8)
    batch["next_sentence_label"] = batch["next_sentence_label"].float()
    with pytest.raises(ValueError, match=r"torch\.float32"):
        model(**batch)


# A part of a larger batch


def test_parts_add_up_to_the_whole() -> None:
    model = with_random_weights(PretrainingModel(small_config()))
    whole = random_batch(8, 6)
    parts = [{name: each[row : row + 2] for name, each in whole.items()} for row in (0, 2, 4, 6)]
    counts = [int((part["labels"] != -100).sum()) for part in parts]
    assert len(set(counts)) > 1, "parts of different sizes are meant"
    for total in (sum(counts), torch.tensor(sum(counts))):
        found = sum(
            gradients(model, model(**part, num_items_in_batch=total).loss)[
                "cls.predictions.transform.dense.weight"
            ]
            for part in parts
        )
        expected = gradients(model, model(**whole).mlm_loss)
        torch.testing.assert_close(found, expected["cls.predictions.transform.dense.weight"])


def test_accumulated_batches_are_one_large_batch(tmp_path: Path) -> None:
    model, _ = toy_batches()
    batch = random_inputs(8, 6)
    batch["labels"] = torch.full((8, 6), -100)
    batch["labels"][:, 1:3] = torch.randint(VOCAB, (8, 2))  # equally many in each row
    batch["next_sentence_label"] = torch.randint(2, (8,))
    data = [{name: each[row] for name, each in batch.items()} for row in range(8)]
    start = model.state_dict()
    after = []
    for rows, parts in ((8, 1), (2, 4)):
        trained = PretrainingModel(model.config)
        trained.load_state_dict(start)
        arguments = TrainingArguments(
            output_dir=str(tmp_path),
            per_device_train_batch_size=rows,
            gradient_accumulation_steps=parts,
            max_steps=1,
            learning_rate=1.0,
            lr_scheduler_type="constant",
            max_grad_norm=0.0,
            optim="sgd",
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
            save_strategy="no",
        )
        Trainer(trained, arguments, train_dataset=data).train()
        after.append(trained.state_dict())
    for name, expected in after[0].items():
        torch.testing.assert_close(after[1][name], expected, rtol=1e-4, atol=1e-6, msg=name)
    moved = max((after[0][name] - start[name]).abs().max().item() for name in start)
    assert moved > 1e-3


def test_what_has_no_single_logits_says_which_there_are() -> None:
    output = PretrainingModel(small_config()).eval()(torch.ones(2, 5, dtype=torch.int64))
    assert output["prediction_logits"].shape == (2, 5, small_config().vocab_size)
    message = (
        "logits were requested from the output of a PretrainingModel; expected prediction_logits, "
        "selected_logits or seq_relationship_logits: Trainer's label smoothing needs logits, but "
        "it would replace the model's loss and lose the selected positions and NSP. Set "
        "label_smoothing_factor=0, or take bertlesson.heads.MaskedLMModel, which has the MLM head "
        "only"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        output["logits"]


def test_a_model_without_nsp_scores_all_positions_if_asked_to() -> None:
    model = PretrainingModel(small_config(), nsp_weight=0).eval()
    ids = torch.arange(10).reshape(2, 5)
    labels = torch.full_like(ids, -100)
    labels[0, 3] = 7
    given = {"attention_mask": torch.ones_like(ids), "token_type_ids": torch.zeros_like(ids)}
    with torch.inference_mode():
        some = model(ids, labels=labels, **given)
        every = model(ids, labels=labels, all_logits=True, **given)
        shared = model(ids, labels=labels, num_items_in_batch=4, **given)
    assert some.prediction_logits is None
    torch.testing.assert_close(every.prediction_logits[0, 3], some.selected_logits[0])
    torch.testing.assert_close(shared.loss, some.loss / 4)
