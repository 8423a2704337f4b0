"""A classifier from a table under `Trainer`: rows, what was cut, and the two measures."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    DistilBertTokenizer,
    EarlyStoppingCallback,
    EvalPrediction,
    Trainer,
    TrainingArguments,
    pipeline,
)

from bertlesson.classification import accuracy_and_f1, encode_table
from bertlesson.heads import SequenceClassificationModel
from bertlesson.tables import Table, read_table
from tests.bertlesson.small_tokenizer import anyone_s, make_foreign_tokenizer, make_tokenizer

TEXTS = ["who was in the green owl ?", "ada was in bergen , at the owl .", "a"]


def table_of(texts: list[str], pairs: list[str] | None = None) -> Table:
    labels = [n % 2 for n in range(len(texts))]
    lines = list(range(2, len(texts) + 2))
    return Table(Path("a.csv"), texts, pairs or [], labels, ("x", "y"), lines)


@pytest.mark.parametrize("kind", ["wordpiece", "byte-level", "xlnet"])
@pytest.mark.parametrize("pairs", [None, ["a", "who was ada ?", "b , b , b"]])
def test_rows_are_the_tokenizers_and_what_is_cut_is_counted(
    kind: str, pairs: list[str] | None
) -> None:
    tokenizer: Any = make_tokenizer() if kind == "wordpiece" else make_foreign_tokenizer(kind)
    table = table_of(TEXTS, pairs)
    rows, truncated, tokens_cut = encode_table(table, tokenizer, 8)
    whole = tokenizer(TEXTS, pairs)["input_ids"]
    # those of no model's class leave out the segments unless asked
    segments = pairs is not None or kind != "byte-level"
    cut = tokenizer(TEXTS, pairs, truncation=True, max_length=8, return_token_type_ids=segments)
    for number, row in enumerate(rows):
        assert row.pop("labels") == number % 2
        assert row == {key: values[number] for key, values in cut.items()}
    assert truncated == [n for n, ids in enumerate(whole) if len(ids) > 8]
    assert truncated
    assert tokens_cut == sum(len(ids) - 8 for ids in whole if len(ids) > 8)
    assert encode_table(table, tokenizer).truncated == []


def test_texts_to_predict_have_no_labels() -> None:
    labelled = encode_table(table_of(TEXTS), make_tokenizer()).rows
    alone = Table(Path("a.csv"), TEXTS, [], [], (), [2, 3, 4])
    rows = encode_table(alone, make_tokenizer()).rows
    assert rows == [{k: v for k, v in row.items() if k != "labels"} for row in labelled]


def test_a_pair_has_its_segments_whoever_trained_the_tokenizer(tmp_path: Path) -> None:
    bert = make_tokenizer()
    expected = encode_table(table_of(TEXTS, TEXTS[::-1]), bert).rows
    assert any(map(any, (row["token_type_ids"] for row in expected)))
    anyone_s(bert).save_pretrained(tmp_path)
    for tokenizer in (anyone_s(bert), AutoTokenizer.from_pretrained(tmp_path)):
        assert "token_type_ids" not in tokenizer(*TEXTS[:2])
        assert encode_table(table_of(TEXTS, TEXTS[::-1]), tokenizer).rows == expected
        assert "token_type_ids" not in encode_table(table_of(TEXTS), tokenizer).rows[0]


def test_who_says_that_there_are_no_segments_gets_none(tmp_path: Path) -> None:
    bert = make_tokenizer()
    said = anyone_s(bert, model_input_names=["input_ids", "attention_mask"])
    said.save_pretrained(tmp_path)
    distilled = DistilBertTokenizer(vocab=bert.get_vocab(), model_max_length=64)
    for tokenizer in (said, AutoTokenizer.from_pretrained(tmp_path), distilled):
        [row, *_] = encode_table(table_of(TEXTS, TEXTS[::-1]), tokenizer).rows
        assert sorted(row) == ["attention_mask", "input_ids", "labels"]


def test_lengths_without_room_or_end_are_refused() -> None:
    table = table_of(TEXTS)
    message = "max_length is {}; expected from {} to 64, the tokenizer's model_max_length$"
    for length in (2, 65):
        with pytest.raises(ValueError, match=message.format(length, 3)):
            encode_table(table, make_tokenizer(), length)
    with pytest.raises(ValueError, match=message.format(3, 4)):
        encode_table(table_of(TEXTS, TEXTS), make_tokenizer(), 3)
    whole = (
        r"^max_length is None and the tokenizer's model_max_length is not set; expected the "
        r"longest row that the model reads: max_length=model\.config\.max_position_embeddings$"
    )
    with pytest.raises(ValueError, match=whole):
        encode_table(table, make_tokenizer(10**30))
    assert len(encode_table(table, make_tokenizer(10**30), 9).rows) == 3
    assert len(encode_table(table, make_tokenizer(512)).rows) == 3


def test_texts_are_cut_without_a_warning_and_what_just_fits_is_not(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    tokenizer = make_tokenizer(9)
    lengths = [len(ids) for ids in make_tokenizer()(TEXTS)["input_ids"]]
    assert lengths == [9, 12, 3]
    assert encode_table(table_of(TEXTS), tokenizer)[1:] == ([1], 3)
    assert encode_table(table_of(TEXTS), tokenizer, 8)[1:] == ([0, 1], 5)
    assert caplog.messages == []


def test_macro_f1_is_scikit_learns() -> None:
    # sklearn.metrics.f1_score(labels, predicted, average="macro"), version 1.9
    labels, predicted = np.array([0, 0, 1, 2, 2, 2, 2]), np.array([0, 1, 1, 2, 0, 4, 2])
    measured = accuracy_and_f1(EvalPrediction(np.eye(5)[predicted], labels))
    assert measured["accuracy"] == pytest.approx(4 / 7)
    assert measured["macro_f1"] == pytest.approx((0.5 + 2 / 3 + 2 / 3 + 0) / 4)
    with_states = EvalPrediction((np.eye(5)[predicted], np.zeros(3)), labels)
    assert accuracy_and_f1(with_states) == measured


def test_predictions_of_another_shape_are_refused() -> None:
    for logits, labels in (
        (np.zeros((3, 4, 2)), np.zeros(3)),
        (np.zeros((3, 2)), np.zeros((3, 2))),
        (np.zeros((0, 2)), np.zeros(0)),
    ):
        with pytest.raises(ValueError, match="expected a score of each class for each row"):
            accuracy_and_f1(EvalPrediction(logits, labels))


def test_labels_and_scores_that_cannot_be_counted_are_refused() -> None:
    for labels in ([0, 1, 3], [0, 1, -100]):
        with pytest.raises(ValueError, match=r"labels go from .*; expected classes from 0 to 2: "):
            accuracy_and_f1(EvalPrediction(np.eye(3), np.array(labels)))
    with pytest.raises(ValueError, match="scores are NaN in 3 of 3 rows, the first is row 0"):
        accuracy_and_f1(EvalPrediction(np.eye(3) * np.nan, np.array([0, 1, 2])))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [SequenceClassificationModel, BertForSequenceClassification])
def test_from_a_file_to_the_pipeline(kind: Any, tmp_path: Path) -> None:
    lines = [f"{place},{stars}\n" for place, stars in (("bergen", 1), ("delft", 5))] * 20
    (tmp_path / "train.csv").write_text("text,stars\n" + "".join(lines))
    (tmp_path / "dev.csv").write_text("text,stars\ndelft,5\nbergen,1\n")
    train = read_table(tmp_path / "train.csv", label="stars")
    dev = read_table(tmp_path / "dev.csv", label="stars", classes=train.classes)
    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_labels=len(train.classes),
        id2label=train.id2label,
        label2id=train.label2id,
        initializer_range=0.1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    trainer = Trainer(
        kind(config),
        TrainingArguments(
            str(tmp_path / "run"),
            num_train_epochs=30,
            learning_rate=1e-2,
            eval_strategy="epoch",
            save_strategy="epoch",
            save_total_limit=1,
            load_best_model_at_end=True,
            metric_for_best_model="macro_f1",
            report_to="none",
            use_cpu=True,
        ),
        train_dataset=encode_table(train, tokenizer).rows,
        eval_dataset=encode_table(dev, tokenizer).rows,
        data_collator=DataCollatorWithPadding(tokenizer),
        processing_class=tokenizer,
        compute_metrics=accuracy_and_f1,
        callbacks=[EarlyStoppingCallback(early_stopping_patience=6)],
    )
    trainer.train()
    assert trainer.state.best_metric == 1.0
    assert trainer.state.epoch < 30  # stopped early
    trainer.save_model(str(tmp_path / "saved"))
    classify = pipeline("text-classification", model=str(tmp_path / "saved"))
    assert [found["label"] for found in classify(["bergen", "delft"])] == ["1", "5"]
