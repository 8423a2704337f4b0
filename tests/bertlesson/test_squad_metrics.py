"""Exact match and F1: what the official script of each version says."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bertlesson.squad import GoldAnswer, SquadQuestion
from bertlesson.squad_metrics import (
    best_null_threshold,
    exact_match,
    f1,
    normalize_answer,
    score_answers,
)


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("The  Cat", "cat"),
        ("an apple a day, the theatre", "apple day theatre"),
        ("the-cat", "thecat"),
        ("a.n. other", "other"),
        ("a\u00a0b\u2009the\tc", "b c"),
        ("“The” Café’s", "“ ” café’s"),
        ("U.S.", "us"),
        ("$5,000.00", "500000"),
        ("a_b _the_", "ab"),
        ("Cafe\u0301 the\u0301", "cafe\u0301 \u0301"),
        ("STRASSE ẞ", "strasse ß"),
        ("東京、the都", "東京、the都"),
        ("a an the", ""),
    ],
)
def test_texts_are_compared_without_case_punctuation_and_articles(
    text: str, normalized: str
) -> None:
    assert normalize_answer(text) == normalized


@pytest.mark.parametrize(
    ("prediction", "golds", "version", "exact", "overlap"),
    [
        ("", [""], "1.1", 1, 0),
        ("", [""], "2.0", 1, 1),
        ("the", ["a"], "1.1", 1, 0),
        ("the", ["a"], "2.0", 1, 1),
        ("", [], "2.0", 1, 1),
        ("the", [], "2.0", 1, 1),
        ("cat", [], "2.0", 0, 0),
        ("", ["cat"], "2.0", 0, 0),
        ("", ["cat", "the"], "2.0", 0, 0),  # "the" is no answer, and left out
        ("", ["cat", "the"], "1.1", 1, 0),
        ("black cat", ["a cat", "the black cat", "dog"], "1.1", 1, 1),
        ("big black cat", ["cat", "black cat"], "2.0", 0, 0.8),
        ("cat cat", ["cat"], "2.0", 0, 2 / 3),
        ("cat cat dog", ["cat cat"], "1.1", 0, 0.8),
        ("Cafe", ["Café"], "2.0", 0, 0),
        ("'Ada'", ["‘Ada’"], "2.0", 0, 0),
    ],
)
def test_each_version_has_its_own_rules(
    prediction: str, golds: list[str], version: Any, exact: float, overlap: float
) -> None:
    assert exact_match(prediction, golds, version) == exact
    assert f1(prediction, golds, version) == pytest.approx(overlap, abs=1e-12)


def test_version_1_has_an_answer_to_each_question() -> None:
    with pytest.raises(ValueError, match="no right answer"):
        f1("x", [], "1.1")


def made(**golds: list[str]) -> list[SquadQuestion]:
    return [
        SquadQuestion(name, "?", "", tuple(GoldAnswer(each, 0) for each in texts), not texts)
        for name, texts in golds.items()
    ]


def test_the_scores_of_version_1() -> None:
    questions = made(a=["cat"], b=["black dog", "dog"], c=["owl"])
    given = {"a": "The cat!", "b": "a brown dog", "c": "hen", "x": "ignored"}
    assert score_answers(questions, given) == {
        "exact_match": pytest.approx(100 / 3),
        "f1": pytest.approx(100 * (1 + 2 / 3) / 3),
    }
    with pytest.warns(UserWarning, match="1 of 3 questions have no prediction, the first is 'b'"):
        missing = score_answers(questions, {"a": "cat", "c": "owl"})
    assert missing["f1"] == pytest.approx(200 / 3)


def test_the_scores_of_version_2() -> None:
    questions = made(a=["cat"], b=["black dog"], c=[], d=[])
    given = {"a": "cat", "b": "dog", "c": "", "d": "hen"}
    expected: dict[str, Any] = {
        "exact": 50.0,
        "f1": pytest.approx(100 * (1 + 2 / 3 + 1) / 4),
        "total": 4,
        "HasAns_exact": 50.0,
        "HasAns_f1": pytest.approx(100 * (1 + 2 / 3) / 2),
        "HasAns_total": 2,
        "NoAns_exact": 50.0,
        "NoAns_f1": 50.0,
        "NoAns_total": 2,
    }
    assert score_answers(questions, given) == expected
    doubt = {"a": 0.1, "b": 0.4, "c": 0.9, "d": 0.8}
    scores = score_answers(questions, given, null_scores=doubt)
    best: dict[str, Any] = {"best_exact": 75.0, "best_exact_thresh": 0.1}
    best |= {"best_f1": pytest.approx(100 * (1 + 2 / 3 + 2) / 4), "best_f1_thresh": 0.4}
    assert scores == expected | best
    strict = score_answers(questions, given, null_scores=doubt, null_threshold=0.3)
    assert (strict["exact"], strict["HasAns_f1"], strict["NoAns_f1"]) == (75.0, 50.0, 100.0)
    at_the_limit = score_answers(questions, given, null_scores=doubt, null_threshold=0.4)
    assert at_the_limit["HasAns_f1"] == expected["HasAns_f1"]  # only what is above is declined
    with pytest.raises(ValueError, match="predictions lack 1 of 4 questions, the first is 'd'"):
        score_answers(questions, {name: given[name] for name in "abc"})
    message = "^null_scores lack 1 of 4 questions, the first is 'c'; expected one for each id"
    with pytest.raises(ValueError, match=message):
        score_answers(questions, given, null_scores=dict.fromkeys("abd", 0.0))
    with pytest.raises(ValueError, match=message):
        best_null_threshold(questions, given, dict.fromkeys("abd", 0.0))
    assert "NoAns_f1" not in score_answers(questions[:2], given, version="2.0")


def test_the_threshold_gives_the_score_that_it_promises() -> None:
    """The official search ends between equal null scores, and at 0.0 if it answers nothing."""
    questions = made(a=["cat"], c=[], d=[])
    wrong = {"a": "dog", "c": "dog", "d": "dog"}
    below = {"a": -3.0, "c": -2.0, "d": -1.0}
    scores = score_answers(questions, wrong, null_scores=below)
    assert scores["best_f1"] == pytest.approx(200 / 3)
    assert scores["best_f1_thresh"] == 0.0
    assert score_answers(questions, wrong, null_scores=below, null_threshold=0.0)["f1"] == 0.0
    threshold, best = best_null_threshold(questions, wrong, below)
    assert threshold == -math.inf
    assert best == pytest.approx(200 / 3)
    found = score_answers(questions, wrong, null_scores=below, null_threshold=threshold)
    assert found["f1"] == best
    right, equal = wrong | {"a": "cat"}, {"a": 0.5, "c": 0.5, "d": 0.5}
    assert score_answers(questions, right, null_scores=equal)["best_exact_thresh"] == 0.5
    assert best_null_threshold(questions, right, equal, metric="exact")[0] == -math.inf


def test_an_answer_of_articles_is_wrong_to_the_official_search_alone() -> None:
    questions = made(a=["cat"], c=[])
    given, doubt = {"a": "cat", "c": "the"}, {"a": 0.2, "c": 0.1}
    scores = score_answers(questions, given, null_scores=doubt)
    assert (scores["exact"], scores["f1"]) == (100.0, 100.0)
    assert (scores["best_f1"], scores["best_f1_thresh"]) == (50.0, 0.0)
    assert best_null_threshold(questions, given, doubt) == (math.inf, 100.0)


def test_where_declining_gains_nothing_no_question_is_declined() -> None:
    """Not even one that is more doubtful than all of the development data."""
    questions = made(a=["cat"], c=["dog"])
    doubt = {"a": -9.0, "c": -8.0}
    assert best_null_threshold(questions, {"a": "cat", "c": "dog"}, doubt) == (math.inf, 100.0)
    # a wrong answer is no worse than none
    assert best_null_threshold(questions, {"a": "cat", "c": "cow"}, doubt) == (math.inf, 50.0)
    mixed, given = made(a=["cat"], c=[]), {"a": "cat", "c": "dog"}
    assert best_null_threshold(mixed, given, doubt) == (-9.0, 100.0)
    decoded = score_answers(questions, {"a": "cat", "c": "dog"}, version="2.0",
                            null_scores=doubt, null_threshold=math.inf)  # fmt: skip
    assert decoded["exact"] == 100.0


def test_a_threshold_is_for_one_metric() -> None:
    questions, given = made(a=["black cat"], c=[]), {"a": "cat", "c": "dog"}
    doubt = {"a": 0.1, "c": 0.2}
    assert best_null_threshold(questions, given, doubt, metric="exact") == (-math.inf, 50.0)
    assert best_null_threshold(questions, given, doubt) == (0.1, pytest.approx(100 * 5 / 6))


def test_no_questions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^questions is empty; expected 1 or more$"):
        score_answers([], {})
    with pytest.raises(ValueError, match=r"^questions is empty; expected 1 or more$"):
        best_null_threshold([], {}, {})


def test_what_would_be_scored_by_mistake_is_refused() -> None:
    """A string of right answers is taken letter by letter, "2" mixes the rules of both versions."""
    ada = SquadQuestion("1", "?", "", (GoldAnswer("Ada", 0),))
    none = SquadQuestion("2", "?", "", (), True)
    with pytest.raises(TypeError, match="golds is the string 'cat'; expected a list"):
        exact_match("c", "cat")
    with pytest.raises(TypeError, match="golds is the string 'cat'; expected a list"):
        f1("cat", "cat")
    version: Any
    for version in ("2", 2.0, "1"):
        with pytest.raises(ValueError, match=rf"version is {version!r}; expected '1.1' or '2.0'"):
            score_answers([ada], {"1": "Ada"}, version=version)
    given: Any
    for given in (None, 7, ("Ada", 0, 3)):
        for score in (exact_match, f1):
            with pytest.raises(TypeError, match=r"a prediction is .*; expected a text"):
                score(given, ["Ada"])
    with pytest.raises(TypeError, match="predictions are a list; expected a text for each"):
        score_answers([ada], ["Ada"])  # type: ignore[arg-type]
    found, nan = {"1": "Ada", "2": "was"}, float("nan")
    with pytest.raises(ValueError, match="null_scores are NaN in 1 of 2 questions, the first is"):
        best_null_threshold([ada, none], found, {"1": nan, "2": 1.0})
    with pytest.raises(ValueError, match="null_scores are NaN"):
        score_answers([ada, none], found, null_scores={"1": nan, "2": 1.0})
    with pytest.raises(ValueError, match=r"null_threshold is 0\.5 without null_scores"):
        score_answers([ada, none], found, null_threshold=0.5)
    with pytest.raises(ValueError, match="metric is 'em'; expected 'exact' or 'f1'"):
        best_null_threshold([ada, none], found, {"1": 0.0, "2": 1.0}, metric="em")  # type: ignore[arg-type]
