"""Each fault is caught by its own line, and what is right is left in peace."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertTokenizer, DataCollatorForLanguageModeling

from bertlesson import diagnosis
from bertlesson.collating import MaskingCollator
from bertlesson.diagnosis import Diagnosis, diagnose
from bertlesson.masking import MaskingRecipe
from tests.bertlesson import broken_collators as broken
from tests.bertlesson.small_tokenizer import make_tokenizer as make_tiny_tokenizer

TEXTS = broken.make_texts(100)
QUICK = 30_000  # tokens


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return broken.make_tokenizer()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "TOKENS", QUICK)
    monkeypatch.setattr(diagnosis, "MOST_BATCHES", 200)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without loaders and processes, where the fault is seen without them."""
    monkeypatch.setattr(diagnosis, "repeat_lines", lambda repeats, apart: [])


def wrong(report: Diagnosis) -> list[str]:
    return [line.name for line in report.wrong]


FAULTS: dict[type[broken.Right], list[str]] = {
    broken.SelectsCls: ["special tokens"],
    broken.SelectsPadding: ["padding"],
    broken.SelectsAFifth: ["selected"],
    broken.TenthOfTheRest: ["random", "kept"],
    broken.RandomFromASlice: ["random ids"],
    broken.OddRandomIds: ["random ids"],
    broken.RandomOutside: ["random ids"],
    broken.LabelsOneOff: ["labels"],
    broken.LabelsAfterMasking: ["labels"],
    broken.LabelsMinusOne: ["labels"],
    broken.LabelsInInt32: ["types"],
    broken.NoTargetInShortRows: ["rows without a target"],
    broken.WholeWordsTorn: ["words torn"],
    broken.ChangesItsInput: ["input rows"],
    broken.ChangesWithoutALabel: ["without a label"],
    broken.AttendsToPadding: ["attention mask"],
    broken.DropsARow: ["output"],
}


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
@pytest.mark.usefixtures("alone")
def test_each_fault_is_caught_by_its_line(
    tokenizer: BertTokenizer, kind: type[broken.Right]
) -> None:
    report = diagnose(kind(tokenizer), tokenizer, TEXTS)
    assert wrong(report) == FAULTS[kind]
    assert not report.fine


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        (broken.SameInEachEpoch, ["epoch to epoch"]),
        (broken.ReseedsEachCall, ["epoch to epoch"]),
        (broken.WorkersRepeat, ["worker to worker", "epochs with workers"]),
        (broken.WorkersRepeatInEachEpoch, ["epochs with workers"]),
    ],
)
def test_masks_that_repeat_are_caught(
    tokenizer: BertTokenizer, kind: type[broken.Right], lines: list[str]
) -> None:
    assert wrong(diagnose(kind(tokenizer), tokenizer, TEXTS)) == lines


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_a_hundredth_is_seen_in_400_000_tokens(
    tokenizer: BertTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "TOKENS", 400_000)
    monkeypatch.setattr(diagnosis, "MOST_BATCHES", 1_500)
    texts = broken.make_texts(150, least=100, most=120)
    report = diagnose(broken.EightyOneTenNine(tokenizer), tokenizer, texts)
    assert set(wrong(report)) <= {"masked", "kept"}
    assert not report.fine
    assert diagnose(broken.Right(tokenizer), tokenizer, texts).fine


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("kind", [broken.ByItsCount, broken.Spans, broken.OneFateForARow])
def test_other_right_ways_are_not_called_wrong(
    tokenizer: BertTokenizer, kind: type[broken.Right]
) -> None:
    assert wrong(diagnose(kind(tokenizer), tokenizer, TEXTS)) == []


MakeCollator = Callable[[BertTokenizer], Any]
OURS: list[MakeCollator] = [
    lambda tokenizer: MaskingCollator(tokenizer, seed=1),
    partial(MaskingCollator, seed=1, whole_word_mask=True),
    partial(MaskingCollator, seed=1, max_predictions_per_seq=20),
    partial(MaskingCollator, recipe=MaskingRecipe(0.3, 0.5, 0.5), at_least_one=True),
    partial(MaskingCollator, return_tensors="np"),
]


@pytest.mark.slow
def test_ours_is_fine_in_every_line(tokenizer: BertTokenizer) -> None:
    report = diagnose(MaskingCollator(tokenizer, seed=1), tokenizer, TEXTS)
    assert {line.name: line.sentence for line in (*report.wrong, *report.look)} == {}
    assert len(report.lines) == 23


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("make", OURS)
def test_ours_keeps_what_it_declares(tokenizer: BertTokenizer, make: MakeCollator) -> None:
    report = diagnose(make(tokenizer), tokenizer, TEXTS)
    assert wrong(report) == []
    assert report["selected"].verdict == "fine"
    assert "declared" in report["selected"].expected


@pytest.mark.slow
def test_the_collator_of_transformers(tokenizer: BertTokenizer) -> None:
    report = diagnose(DataCollatorForLanguageModeling(tokenizer), tokenizer, TEXTS)
    assert wrong(report) == []
    assert [line.name for line in report.look] == ["process to process", "after an evaluation"]
    seeded = diagnose(DataCollatorForLanguageModeling(tokenizer, seed=0), tokenizer, TEXTS)
    assert wrong(seeded) == ["epochs with workers"]
    assert seeded["process to process"].value == 1


@pytest.mark.usefixtures("alone")
def test_whole_words_of_transformers_take_in_what_touches(tokenizer: BertTokenizer) -> None:
    texts = [text.replace(" ", "-") for text in TEXTS[:50]] + TEXTS[50:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collator = DataCollatorForLanguageModeling(tokenizer, whole_word_mask=True)
    report = diagnose(collator, tokenizer, texts)
    assert wrong(report) == []
    assert report["columns"].verdict == report["words joined"].verdict == "look"
    ours = diagnose(MaskingCollator(tokenizer, whole_word_mask=True), tokenizer, texts)
    assert ours["words joined"].verdict == ours["words torn"].verdict == "fine"


@pytest.mark.usefixtures("alone")
def test_the_shares_can_be_given(tokenizer: BertTokenizer) -> None:
    fifth = broken.SelectsAFifth(tokenizer)
    assert diagnose(fifth, tokenizer, TEXTS, expected=MaskingRecipe(0.2)).fine
    assert wrong(diagnose(broken.Right(tokenizer), tokenizer, TEXTS, whole_words=True)) == [
        "words torn"
    ]


@pytest.mark.slow
def test_a_report_can_be_repeated_and_leaves_everything_as_it_was(
    tokenizer: BertTokenizer,
) -> None:
    collator = broken.WorkersRepeat(tokenizer)
    state = collator.generator.bit_generator.state
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # type: ignore[index]
    reports = [diagnose(collator, tokenizer, TEXTS[:40], seed=3) for _ in range(2)]
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # type: ignore[index]
    assert before == after
    assert collator.generator.bit_generator.state == state
    assert reports[0] == reports[1]
    other = diagnose(collator, tokenizer, TEXTS[:40], seed=4)
    assert str(other) != str(reports[0]) or other.lines != reports[0].lines


@pytest.mark.slow
def test_what_cannot_be_run_is_a_line_and_no_error(tokenizer: BertTokenizer) -> None:
    right = broken.Right(tokenizer)

    def own_function(features: Any) -> Any:
        if torch.utils.data.get_worker_info() is not None:
            raise RuntimeError("not in a worker")
        return right(features)

    report = diagnose(own_function, tokenizer, TEXTS[:60])
    assert report["pickle"].verdict == "look"
    assert report["worker to worker"].verdict == "look"
    assert "not in a worker" in report["worker to worker"].sentence
    assert report.fine
    assert report["selected"].expected == "0.15 (BERT's)"


def in_tensors(right: broken.Right, features: Any) -> Any:
    return right([{"input_ids": row["input_ids"].tolist()} for row in features])


def in_columns(right: broken.Right, features: Any) -> Any:
    assert all(row["special_tokens_mask"] for row in features)
    return right(features)


@pytest.mark.usefixtures("alone")
def test_rows_come_in_the_form_that_the_collator_takes(tokenizer: BertTokenizer) -> None:
    right = broken.Right(tokenizer)
    report = diagnose(partial(in_tensors, right), tokenizer, TEXTS)
    assert report.fine
    assert "as tensors" in report["columns"].sentence
    report = diagnose(partial(in_columns, right), tokenizer, TEXTS)
    assert report["columns"].verdict == "look"
    assert "Trainer drops special_tokens_mask" in report["columns"].sentence
    given = diagnose(right, tokenizer, TEXTS, columns=["input_ids"])
    assert given["columns"].sentence == "It takes input_ids."


@pytest.mark.usefixtures("alone")
def test_padding_may_be_on_the_left(tokenizer: BertTokenizer) -> None:
    left = broken.make_tokenizer()
    left.padding_side = "left"
    assert diagnose(MaskingCollator(left), left, TEXTS).fine
    # and on the other side than the tokenizer's
    assert diagnose(broken.Right(left), left, TEXTS).fine


@pytest.mark.usefixtures("alone")
def test_padding_is_seen_though_all_texts_are_equally_long(tokenizer: BertTokenizer) -> None:
    texts = broken.make_texts(20, least=130, most=140)
    report = diagnose(broken.SelectsPadding(tokenizer), tokenizer, texts)
    assert wrong(report) == ["padding"]


@pytest.mark.usefixtures("alone")
def test_short_texts_and_small_batches() -> None:
    tokenizer = make_tiny_tokenizer()
    texts = ["who was in delft?", "ada", "the owl", "greta, in bergen."]
    report = diagnose(MaskingCollator(tokenizer), tokenizer, texts, batch_size=2)
    assert wrong(report) == ["batches without a target"]
    assert "NaN" in report["batches without a target"].sentence
    sure = MaskingCollator(tokenizer, at_least_one=True)
    assert diagnose(sure, tokenizer, texts, batch_size=2).fine


@pytest.mark.slow
def test_too_little_text_is_said() -> None:
    tokenizer = make_tiny_tokenizer()
    report = diagnose(MaskingCollator(tokenizer, at_least_one=True), tokenizer, ["ada"])
    assert report["epoch to epoch"].verdict == "look"
    assert "too short" in report["epoch to epoch"].sentence


@pytest.mark.usefixtures("alone")
def test_a_slow_collator_is_stopped(tokenizer: BertTokenizer) -> None:
    report = diagnose(broken.Right(tokenizer), tokenizer, TEXTS, seconds=0.001)
    assert report.title.endswith("stopped after 0.001 s")


@pytest.mark.usefixtures("alone")
def test_the_table(tokenizer: BertTokenizer) -> None:
    report = diagnose(broken.SelectsCls(tokenizer), tokenizer, TEXTS)
    lines = str(report).splitlines()
    assert lines[0].startswith("SelectsCls on 100 texts, ")
    at = next(i for i, line in enumerate(lines) if line.startswith("wrong  special tokens"))
    assert " to " in lines[at]
    assert lines[at].endswith("never selected")
    assert lines[at + 1].startswith("       [CLS] is selected in 1")
    assert max(map(len, lines)) <= 74
    with pytest.raises(KeyError, match="expected one of columns, types"):
        report["speed"]


@pytest.mark.parametrize(
    ("collator", "texts", "error", "message"),
    [
        (3, ["a"], TypeError, "collator is 3; expected a callable"),
        (dict, "a text", TypeError, "texts is str; expected a list of strings"),
        (dict, [1], TypeError, "texts is list; expected a list of strings"),
        (dict, [], ValueError, "texts is empty; expected"),
        (dict, [" "], ValueError, "texts is empty; expected"),
        (int, ["word1"], ValueError, "stopped at rows in every form with TypeError"),
    ],
)
def test_bad_input_is_refused(
    tokenizer: BertTokenizer, collator: Any, texts: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        diagnose(collator, tokenizer, texts)


def test_a_tokenizer_without_a_mask_is_refused() -> None:
    tokenizer = broken.make_tokenizer()
    tokenizer.mask_token = None
    with pytest.raises(ValueError, match="BertTokenizer has no mask token; expected"):
        diagnose(dict, tokenizer, ["word1"])
