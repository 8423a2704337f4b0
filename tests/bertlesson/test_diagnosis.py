"""Each fault is caught by its own line, and what is right is left in peace."""

from __future__ import annotations

import pickle
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
from bertlesson.diagnosis_rows import ORDINARY, PADDING, Batch, Form, Rows, observe
from bertlesson.diagnosis_table import Declared, Line
from bertlesson.masking import DEFAULT_RECIPE, MaskingRecipe
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
    with pytest.raises(ValueError, match=r"expected the tokenizer that the collator masks with$"):
        diagnose(dict, tokenizer, ["word1"])


def test_a_report_as_it_is_printed() -> None:
    lines = (
        Line("labels", 1.0, None, "the originals", "fine", "Not shown."),
        Line("padding", 0.25, (0.1, 0.5), "untouched", "wrong", "word " * 20),
        Line("pickle", None, None, "yes", "look", "Look at this."),
        Line("columns", 0.0, None, "Trainer's", "fine", "Not shown."),
    )
    report = Diagnosis("Right on 3 texts", lines)
    assert str(report).split("\n") == [
        "Right on 3 texts",
        "",
        "                                measured interval          expected",
        "fine   labels                   100%                       the originals",
        "wrong  padding                  25.00%   10.00% to 50.00%  untouched",
        "       word word word word word word word word word word word word word",
        "       word word word word word word word",
        "look   pickle                                              yes",
        "       Look at this.",
        "fine   columns                  0%                         Trainer's",
    ]
    assert not report.fine
    assert report.wrong == lines[1:2]
    assert report.look == lines[2:3]
    assert Diagnosis("", lines[2:]).fine, "what is to be looked at may be right"
    assert report["pickle"] is lines[2]
    with pytest.raises(KeyError) as refused:
        report["pickles"]
    assert refused.value.args == (
        "the line is 'pickles'; expected one of labels, padding, pickle, columns",
    )


class Declares:
    """Says what it does in the words of transformers."""

    def __init__(self, **shares: Any) -> None:
        self.__dict__.update(shares)

    def __call__(self, features: Any) -> Any:
        raise AssertionError("it is not to be run")

    def method(self, features: Any) -> Any:
        raise AssertionError("it is not to be run")


def test_what_a_collator_declares(tokenizer: BertTokenizer) -> None:
    def declared(collator: Any, **given: Any) -> Declared:
        return diagnosis._declared(collator, given.get("expected"), given.get("whole_words"))

    berts = Declared(DEFAULT_RECIPE, "BERT's", whole_words=False)
    assert declared(Declares()) == declared(len) == berts
    shares = {"mlm_probability": 0.3, "mask_replace_prob": 1, "random_replace_prob": 0}
    theirs = Declared(MaskingRecipe(0.3, 1, 0), "declared", whole_words=False)
    assert declared(Declares(**shares)) == theirs
    assert declared(partial(Declares(**shares))) == theirs
    assert declared(Declares(**shares).method) == theirs
    del shares["random_replace_prob"]
    shares["mask_replace_prob"] = 0.7
    half = Declares(**shares, whole_word_mask=True)
    assert declared(half) == Declared(MaskingRecipe(0.3, 0.7, 0.1), "declared", whole_words=True)
    assert declared(half, whole_words=False).whole_words is False
    assert declared(Declares(), whole_words=True).whole_words is True
    own = MaskingRecipe(0.4, 0.5, 0.5)
    assert declared(Declares(recipe=own)) == Declared(own, "declared", whole_words=False)
    assert declared(Declares(recipe="mine")) == berts
    given = declared(Declares(recipe=own, **shares), expected=DEFAULT_RECIPE)
    assert given == Declared(DEFAULT_RECIPE, "expected", whole_words=False)
    # a limit has a meaning in ours alone
    ours = MaskingCollator(tokenizer, max_predictions_per_seq=7, at_least_one=True, recipe=own)
    assert declared(ours) == Declared(own, "declared", False, limit=7, never_empty=True)
    theirs = declared(Declares(max_predictions_per_seq=7, at_least_one=True))
    assert theirs == berts


@pytest.mark.parametrize(
    ("form", "verdict", "sentence"),
    [
        (Form(("input_ids", "labels"), False, False), "fine", "It takes input_ids, labels."),
        (Form(("input_ids",), False, True), "fine", "It takes input_ids, as tensors."),
        (
            Form(("input_ids",), True, True),
            "look",
            "It takes input_ids, padded to one length beforehand, as tensors.",
        ),
        (
            Form(("input_ids", "special_tokens_mask", "word_ids"), True, False),
            "look",
            "It was given input_ids, special_tokens_mask, word_ids, padded to one length "
            "beforehand. Trainer drops special_tokens_mask and word_ids unless "
            "remove_unused_columns=False.",
        ),
        (
            Form(("input_ids", "offset_mapping"), False, False),
            "look",
            "It was given input_ids, offset_mapping. Trainer drops offset_mapping unless "
            "remove_unused_columns=False.",
        ),
    ],
)
def test_the_form_of_its_rows(form: Form, verdict: Any, sentence: str) -> None:
    expected = Line("columns", None, None, "Trainer's", verdict, sentence)
    assert diagnosis._form_line(form) == expected


@pytest.mark.usefixtures("alone")
def test_whether_it_can_be_sent_to_another_process(tokenizer: BertTokenizer) -> None:
    right = broken.Right(tokenizer)
    line = diagnose(right, tokenizer, TEXTS[:20])["pickle"]
    assert line == Line(
        "pickle",
        None,
        None,
        "yes",
        "fine",
        f"It can be sent to workers (pickle {pickle.DEFAULT_PROTOCOL}).",
    )
    line = diagnose(lambda features: right(features), tokenizer, TEXTS[:20])["pickle"]
    assert line == Line(
        "pickle",
        None,
        None,
        "yes",
        "look",
        "It cannot be pickled: workers that are not forked, as by default on macOS and Windows and "
        "from Python 3.14 on, cannot use it.",
    )


class Stops(broken.Right):
    """Fails at a later batch."""

    left = 3

    def begin(self) -> None:
        self.left -= 1
        if not self.left:
            raise RuntimeError("out of luck")


def test_one_that_stops_has_a_report_of_one_line(tokenizer: BertTokenizer) -> None:
    report = diagnose(Stops(tokenizer), tokenizer, TEXTS)
    assert report.title == "Stops on 100 texts"
    assert report.lines == (
        Line(
            "output",
            None,
            None,
            "a row for each row",
            "wrong",
            "It stops: RuntimeError: out of luck.",
        ),
    )
    report = diagnose(broken.DropsARow(tokenizer), tokenizer, TEXTS)
    (line,) = report.lines
    assert line.sentence.startswith("Of 32 rows it makes input_ids of shape (31, ")
    assert line.sentence.endswith("; expected one row for each.")


@pytest.mark.usefixtures("alone")
def test_the_title(tokenizer: BertTokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "TOKENS", 1)
    rows = Rows(tokenizer, TEXTS, 128)
    tokens = sum(int((kinds == ORDINARY).sum()) for kinds in rows.kinds)
    report = diagnose(broken.Right(tokenizer), tokenizer, TEXTS)
    assert report.title == f"Right on 100 texts, {tokens:,} tokens drawn"
    report = diagnose(broken.Right(tokenizer).__call__, tokenizer, TEXTS)
    assert report.title.startswith("Right.__call__ on 100 texts, ")


def test_some_of_many_texts_are_used_and_few_come_again(tokenizer: BertTokenizer) -> None:
    def chosen(count: int) -> list[str]:
        return diagnosis._checked(len, tokenizer, [str(i) for i in range(count)])

    assert chosen(1000) == [str(i) for i in range(1000)]
    assert chosen(1001) == [str(i) for i in range(0, 1001, 2)]
    assert chosen(2001) == [str(i) for i in range(0, 2001, 3)]
    assert chosen(8) == [str(i) for i in range(8)]
    assert chosen(3) == [str(i) for i in range(3)] * 3
    assert chosen(1) == ["0"] * 8


def test_the_rows_of_batches(tokenizer: BertTokenizer) -> None:
    lengths = [5, 1, 9, 3, 7, 2, 8]
    rows = Rows(tokenizer, [" ".join(["word1"] * length) for length in lengths], 128)
    assert diagnosis._batches(rows, 3) == [[0, 1, 2], [3, 4, 5], [6]]
    assert diagnosis._compared([[0], [1], [2]]) == [[0], [1], [2]] * 2 + [[0], [1]]
    assert diagnosis._compared([[i] for i in range(9)]) == [[i] for i in range(8)]
    # the shortest and the longest
    assert diagnosis._ragged(rows, 4) == [1, 5, 6, 2]
    assert diagnosis._ragged(rows, 3) == [1, 6, 2]
    assert diagnosis._ragged(rows, 1) == [2]
    assert sorted(diagnosis._ragged(rows, 32)) == list(range(7))


def test_of_draws_that_come_again_one_is_counted(tokenizer: BertTokenizer) -> None:
    texts = [*broken.make_texts(9, least=25, most=26), "word1"]  # else some would be cut
    rows = Rows(tokenizer, [text.replace("end", " word") for text in texts], 34)
    form = Form(("input_ids",), padded=False, tensors=False)
    numbers = [[0, 1, 2], [3, 4, 5], [6, 7, 8]]

    def seen(kind: type[broken.Right]) -> list[Any]:
        collator = kind(tokenizer)
        return [observe(collator, rows, batch, form) for batch in numbers]

    fresh = seen(broken.Right)
    assert diagnosis._drawn_once(fresh) == fresh
    again = seen(broken.ReseedsEachCall)
    assert diagnosis._drawn_once(again) == again[:1]
    assert diagnosis._drawn_once([again[0], *fresh[1:], again[1]]) == again[:1]
    assert diagnosis._drawn_once(fresh[:1]) == fresh[:1]


def batch_of(kinds: list[int], selected: list[int]) -> Batch:
    """A single row in which these positions have a label."""
    row = np.array([kinds])
    labels = np.full_like(row, -100)
    labels[0, selected] = 1
    ids = np.ones_like(row)
    return Batch((0,), ids, ids, labels, row, None, ("int64", "int64"), "")


def test_draws_are_alike_by_the_tokens_that_both_have() -> None:
    kinds = [ORDINARY] * 20 + [PADDING] * 300
    first = batch_of(kinds, [0, 1, 2])
    longer = batch_of([ORDINARY] * 320, [3, 4, 5])
    assert diagnosis._drawn_once([first, longer]) == [first, longer]
    assert diagnosis._drawn_once([longer, first]) == [longer, first]
    # 19 of 20 are alike: chance may do that
    one_more = batch_of(kinds, [0, 1, 2, 3])
    assert diagnosis._drawn_once([first, one_more]) == [first, one_more]
    same = batch_of(kinds, [0, 1, 2])
    assert diagnosis._drawn_once([first, same]) == [first]


@pytest.mark.parametrize("verdict", ["wrong", "look", "fine"])
@pytest.mark.parametrize("name", ["epoch to epoch", "another line"])
def test_masks_are_counted_once_only_if_they_repeat(
    tokenizer: BertTokenizer, monkeypatch: pytest.MonkeyPatch, name: str, verdict: Any
) -> None:
    compared: list[Any] = []

    def lines(repeats: Any, apart: Any) -> list[Line]:
        compared.append(repeats)
        return [Line(name, None, None, "", verdict, "A sentence.")]

    monkeypatch.setattr(diagnosis, "repeat_lines", lines)
    report = diagnose(broken.Right(tokenizer), tokenizer, TEXTS)
    once = sum(int((kinds == ORDINARY).sum()) for kinds in Rows(tokenizer, TEXTS, 128).kinds)
    drawn = int(report.title.split()[4].replace(",", ""))
    if (name, verdict) == ("epoch to epoch", "wrong"):
        assert drawn == once
    else:
        assert drawn > 2 * once
    (repeats,) = compared
    assert isinstance(repeats.trial.make(), broken.Right)
    assert len(repeats.batches) == 8


class Warns(broken.Right):
    def begin(self) -> None:
        warnings.warn("said at each batch", stacklevel=1)


@pytest.mark.usefixtures("alone")
def test_what_a_collator_warns_of_is_not_repeated(tokenizer: BertTokenizer) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = diagnose(Warns(tokenizer), tokenizer, TEXTS)
    assert wrong(report) == []
