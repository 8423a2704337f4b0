"""Masks that never change, and perplexity over all masked tokens, under `Trainer`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812
from transformers import (
    AutoModelForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    EvalPrediction,
    ModernBertConfig,
    ModernBertForMaskedLM,
    Trainer,
    TrainingArguments,
)

from bertlesson.collating import MaskingCollator
from bertlesson.heads import MaskedLMModel
from bertlesson.heldout import KeepMasksCollator, fixed_masks, perplexity, row_losses
from bertlesson.masking import MaskingRecipe
from bertlesson.pretraining import PretrainingModel
from bertlesson.rows import TokenRows, encode_rows
from tests.bertlesson.small_tokenizer import make_tokenizer

TEXTS = [
    "who was in the green owl in bergen ?",
    "ada was",
    "greta loflof was at the owl , in delft .",
    "a",
    "b , a , b , a , b .",
] * 3


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return make_tokenizer(16)


@pytest.fixture(scope="module")
def rows(tokenizer: BertTokenizer) -> TokenRows:
    return TokenRows(encode_rows(TEXTS, tokenizer, 16, join=False))


def size(tokenizer: BertTokenizer) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 16,
    }


def models(tokenizer: BertTokenizer) -> dict[str, Any]:
    torch.manual_seed(0)
    config = BertConfig(**size(tokenizer), initializer_range=0.5)
    modern = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "initializer_range": 0.5}
    modern |= {"bos_token_id": 2, "eos_token_id": 3}
    return {
        "BertForMaskedLM": BertForMaskedLM(config),
        "MaskedLMModel": MaskedLMModel(config),
        "PretrainingModel": PretrainingModel(config),
        "PretrainingModel without NSP": PretrainingModel(config, nsp_weight=0),
        "ModernBertForMaskedLM": ModernBertForMaskedLM(
            ModernBertConfig(**size(tokenizer) | modern)
        ),
        "ModernBertForMaskedLM, sparse": ModernBertForMaskedLM(
            ModernBertConfig(**size(tokenizer) | modern, sparse_prediction=True)
        ),
    }


def losses_one_by_one(model: Any, masked: list[dict[str, list[int]]]) -> list[float]:
    """The loss of each masked token, a row at a time."""
    model.eval()
    losses: list[float] = []
    for row in masked:
        with torch.inference_mode():
            output = model(input_ids=torch.tensor([row["input_ids"]]))
        logits = output[0][0]  # the first output without labels, (length, vocab)
        labels = torch.tensor(row["labels"])
        chosen = labels != -100
        losses += F.cross_entropy(logits[chosen], labels[chosen], reduction="none").tolist()
    return losses


@pytest.mark.parametrize("name", list(models(make_tokenizer(16))))
@pytest.mark.parametrize("batch_size", [2, 4])
def test_perplexity_under_trainer_is_over_all_masked_tokens(
    name: str, batch_size: int, tokenizer: BertTokenizer, rows: TokenRows, tmp_path: Path
) -> None:
    model = models(tokenizer)[name]
    collator = KeepMasksCollator(tokenizer, MaskingRecipe(select=0.4), seed=5)
    masked = fixed_masks(rows, collator)
    losses = losses_one_by_one(model, masked)
    trainer = Trainer(
        model,
        TrainingArguments(
            str(tmp_path), report_to="none", use_cpu=True, per_device_eval_batch_size=batch_size
        ),
        train_dataset=rows,
        eval_dataset=masked,
        data_collator=collator,
        compute_metrics=perplexity,
        preprocess_logits_for_metrics=row_losses,
    )
    measured = trainer.evaluate()
    assert measured["eval_masked_tokens"] == len(losses) > 20
    assert measured["eval_mlm_loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert measured["eval_perplexity"] == pytest.approx(math.exp(np.mean(losses)), rel=1e-5)
    again = trainer.evaluate()
    assert again["eval_perplexity"] == measured["eval_perplexity"]


@pytest.mark.slow
def test_a_run_under_trainer_trains_on_new_masks_and_is_saved(
    tokenizer: BertTokenizer, rows: TokenRows, tmp_path: Path
) -> None:
    seen: list[bytes] = []

    class Recording(KeepMasksCollator):
        def __call__(self, features: Any, return_tensors: str | None = None) -> Any:
            batch = super().__call__(features, return_tensors)
            if "labels" not in features[0]:
                seen.append(np.asarray(batch["labels"]).tobytes())
            return batch

    model = models(tokenizer)["PretrainingModel without NSP"]
    collator = Recording(tokenizer, MaskingRecipe(select=0.4), seed=5)
    trainer = Trainer(
        model,
        TrainingArguments(
            str(tmp_path / "run"),
            num_train_epochs=8,
            learning_rate=1e-2,
            per_device_train_batch_size=16,
            eval_strategy="epoch",
            report_to="none",
            use_cpu=True,
        ),
        train_dataset=rows,
        eval_dataset=fixed_masks(rows, collator),
        data_collator=collator,
        processing_class=tokenizer,
        compute_metrics=perplexity,
        preprocess_logits_for_metrics=row_losses,
    )
    seen.clear()
    before = trainer.evaluate()["eval_perplexity"]
    trainer.train()
    assert trainer.evaluate()["eval_perplexity"] < before / 2
    assert len(set(seen)) == 8
    trainer.save_model(str(tmp_path / "saved"))
    loaded = AutoModelForMaskedLM.from_pretrained(tmp_path / "saved").eval()
    ids = torch.tensor([[2, 4, 6, 3]])
    assert torch.allclose(loaded(ids).logits, model.eval()(ids).prediction_logits, atol=1e-5)


def test_masks_depend_on_rows_recipe_and_seed_alone(
    tokenizer: BertTokenizer, rows: TokenRows
) -> None:
    recipe = MaskingRecipe(select=0.4)
    collator = MaskingCollator(tokenizer, recipe, seed=3, at_least_one=True, pad_to_multiple_of=16)
    first = fixed_masks(rows, collator)
    collator([row["input_ids"] for row in rows])
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    assert fixed_masks(iter(rows), collator) == first
    assert torch.equal(torch.random.get_rng_state(), state)
    assert fixed_masks(list(rows)[:4], collator) == first[:4]
    assert fixed_masks([row["input_ids"] for row in rows], collator) == first
    assert fixed_masks(first, collator) != first  # labels in the input are not kept
    assert fixed_masks(rows, collator, seed=1) != first
    for row, masked in zip(rows, first, strict=True):
        labels = masked["labels"]
        assert len(labels) == len(row["input_ids"]) == len(masked["input_ids"])
        original = [
            i if label == -100 else label
            for i, label in zip(masked["input_ids"], labels, strict=True)
        ]
        assert original == row["input_ids"]


def test_masked_rows_are_padded_as_the_collator_pads(
    tokenizer: BertTokenizer, rows: TokenRows
) -> None:
    collator = KeepMasksCollator(tokenizer, seed=0, pad_to_multiple_of=8)
    masked = fixed_masks(rows, collator)
    for framework in ("pt", "np"):
        batch = collator(masked, framework)
        plain = collator(list(rows), framework)
        assert set(batch) == set(plain)
        for key in batch:
            assert batch[key].shape == plain[key].shape == (len(rows), 16)
            assert batch[key].dtype == plain[key].dtype
        assert (batch["attention_mask"] == plain["attention_mask"]).all()
        for row, labels, ids in zip(masked, batch["labels"], batch["input_ids"], strict=True):
            size = len(row["labels"])
            assert labels.tolist() == row["labels"] + [-100] * (16 - size)
            assert ids.tolist() == row["input_ids"] + [tokenizer.pad_token_id] * (16 - size)
    assert isinstance(collator(list(rows)), type(MaskingCollator(tokenizer)(list(rows))))


def test_what_cannot_be_measured_is_refused(tokenizer: BertTokenizer, rows: TokenRows) -> None:
    collator = MaskingCollator(tokenizer, MaskingRecipe(select=0))
    message = (
        "none of 15 rows has a masked token; expected some to measure on: pass more rows, or a "
        "recipe that selects more$"
    )
    with pytest.raises(ValueError, match=message):
        fixed_masks(rows, collator)
    with pytest.raises(ValueError, match="none of 0 rows"):
        fixed_masks([], collator)
    labels = np.full((2, 3), -100)
    message = (
        r"shape \(2, 3, 9\); expected one loss for each of 2 rows: pass "
        r"preprocess_logits_for_metrics=row_losses to Trainer$"
    )
    with pytest.raises(ValueError, match="no token is masked; expected some"):
        perplexity(EvalPrediction(np.zeros(2), labels))
    with pytest.raises(ValueError, match=message):
        perplexity(EvalPrediction(np.zeros((2, 3, 9)), labels))
    with pytest.raises(ValueError, match=r"^the predictions are in 2 batches; expected one array"):
        perplexity(EvalPrediction([np.zeros(2), np.zeros(1)], [labels, labels[:1]]))
    with pytest.raises(ValueError, match=r"\[\(2, 9\), \(2,\)\]; expected one loss"):
        perplexity(EvalPrediction((np.zeros((2, 9)), np.zeros(2)), labels))
    message = (
        r"logits have shape \(2, 5\), labels \(2, 3\); expected scores of the vocabulary at each "
        r"position, or at each selected one: take a model with an MLM head, such as "
        r"AutoModelForMaskedLM$"
    )
    with pytest.raises(ValueError, match=message):
        row_losses(torch.zeros(2, 5), torch.zeros(2, 3, dtype=torch.int64))


def test_losses_are_those_of_the_selected_positions() -> None:
    scores = torch.randn(2, 3, 9, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[-100, 1, 8], [0, 5, 2]])
    chosen = labels != -100
    losses = F.cross_entropy(scores[chosen], labels[chosen], reduction="none")
    expected = torch.stack([losses[:2].sum(), losses[2:].sum()])
    for given in (scores, scores[chosen], (scores, None)):  # at each position, or selected ones
        torch.testing.assert_close(row_losses(given, labels), expected)


def test_what_is_not_masked_yet_is_masked_in_any_form(tokenizer: BertTokenizer) -> None:
    ids = [[2, 5, 6, 7, 3], [2, 5, 5, 5, 3]]
    forms: list[Any] = [{"input_ids": ids}, torch.tensor(ids), ids, [{"input_ids": i} for i in ids]]
    for form in forms:
        keeping, masking = (
            kind(tokenizer, seed=0) for kind in (KeepMasksCollator, MaskingCollator)
        )
        assert torch.equal(keeping(form)["labels"], masking(form)["labels"])


def test_labels_may_be_one_of_several_and_a_large_loss_is_infinite() -> None:
    labels = np.array([[7, -100]])
    measured = perplexity(EvalPrediction(np.array([800.0]), (labels, np.array([1]))))
    assert measured == {"perplexity": math.inf, "mlm_loss": 800.0, "masked_tokens": 1}
    both = (torch.tensor([[1, -100]]), torch.tensor([0]))
    assert row_losses((torch.zeros(1, 2, 4),), both).tolist() == pytest.approx([math.log(4)])
