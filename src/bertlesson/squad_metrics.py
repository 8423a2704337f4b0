"""Exact match and F1 of answers, as SQuAD's official scripts compute them.

Each version has a script of its own, ``evaluate-v1.1.py`` and ``evaluate-v2.0.py``, and they differ
in details. `bertlesson.squad` reads the questions.
"""

from __future__ import annotations

import re
import string
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, get_args

from .squad import SquadQuestion

__all__ = ["best_null_threshold", "exact_match", "f1", "normalize_answer", "score_answers"]

Version = Literal["1.1", "2.0"]
Scores = dict[str, float]  # of each question, by its id
ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)  # ASCII alone: curly quotes stay


def normalize_answer(text: str) -> str:
    """The text as both scripts compare it.

    In lower case, without ASCII punctuation, without the words a, an and the, with single spaces.
    Nothing takes the place of punctuation, and accents stay.

    >>> normalize_answer("The  U.S. Café"), normalize_answer("the-cat"), normalize_answer("“Ada”")
    ('us café', 'thecat', '“ada”')
    """
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


def exact_match(prediction: str, golds: Sequence[str], version: Version = "2.0") -> float:
    """1.0 if the prediction is one of the right answers once both are normalized, else 0.0.

    Args:
        prediction: The answer; "" for "no answer".
        golds: The right answers. In version 2.0, none of them stands for "no answer".
        version: Of the script. Version 2.0 leaves out answers of which nothing remains.

    Raises:
        ValueError: If there is no right answer in version 1.1, or no such version.
        TypeError: If the prediction is not a text, or one text is given for all right answers.

    >>> exact_match("cat", ["dog", "The cat."]), exact_match("the cats", ["cat"])
    (1.0, 0.0)
    """
    _check_prediction(prediction)
    found = normalize_answer(prediction)
    return float(any(found == normalize_answer(gold) for gold in _golds(golds, version)))


def f1(prediction: str, golds: Sequence[str], version: Version = "2.0") -> float:
    """The harmonic mean of precision and recall in words, from the right answer nearest to it.

    Args:
        prediction: See `exact_match`.
        golds: See `exact_match`.
        version: Two texts of which nothing remains share no word, so they have 0.0 in version 1.1;
            in version 2.0 they have 1.0.

    Raises:
        ValueError: See `exact_match`.
        TypeError: See `exact_match`.

    >>> f1("the black cat", ["cat"]), f1("", [""], "1.1"), f1("", [""], "2.0")
    (0.6666666666666666, 0.0, 1.0)
    """
    _check_prediction(prediction)
    return max(_word_f1(prediction, gold, version) for gold in _golds(golds, version))


def score_answers(
    questions: Sequence[SquadQuestion],
    predictions: Mapping[str, str],
    *,
    version: Version | None = None,
    null_scores: Mapping[str, float] | None = None,
    null_threshold: float | None = None,
) -> dict[str, float]:
    """Exact match and F1 in percent, under the names that the official script gives them.

    Args:
        questions: See `read_squad`.
        predictions: The answer to each question by its id; "" for "no answer". Other ids are
            ignored.
        version: Whose script to follow. Default: "2.0" if a question has no answer, else "1.1".
        null_scores: For version 2.0: how sure each question's "no answer" is, by id, such as
            `Ranking.null_odds`. Adds ``best_exact`` and ``best_f1``, what a threshold would give.
        null_threshold: Take "" for questions whose null score is above this.

    Returns:
        ``exact_match`` and ``f1`` for version 1.1. For version 2.0 ``exact``, ``f1`` and
        ``total``, and the same for questions that have an answer (``HasAns_``) and that have none
        (``NoAns_``).

    Raises:
        ValueError: If there are no questions, no such version, a threshold without null scores, a
            null score that is NaN; or if a prediction or null score is missing in version 2.0,
            where the script fails.
        TypeError: If predictions are not texts by id.

    Warns:
        UserWarning: If a prediction is missing in version 1.1. It counts as wrong.

    >>> from bertlesson.squad import GoldAnswer, SquadQuestion
    >>> ada = SquadQuestion("7", "Who?", "was Ada.", (GoldAnswer("Ada", 4),))
    >>> score_answers([ada], {"7": "Ada"})
    {'exact_match': 100.0, 'f1': 100.0}
    """
    if not questions:
        raise ValueError("questions is empty; expected 1 or more")
    if null_threshold is not None and null_scores is None:
        raise ValueError(
            f"null_threshold is {null_threshold} without null_scores; expected both: "
            "Ranking.null_odds of each question, by id"
        )
    if version is None:
        version = "1.1" if all(question.answers for question in questions) else "2.0"
    exact, overlap = _score_each(questions, predictions, version)
    if version == "1.1":
        return {"exact_match": _percent(exact, exact), "f1": _percent(overlap, overlap)}
    answerable = {question.id: bool(question.answers) for question in questions}
    raw = {"exact": exact, "f1": overlap}
    kept = raw
    if null_scores is not None:
        _check_ids(null_scores, questions, "null_scores")
        if null_threshold is not None:
            none = [name for name in exact if null_scores[name] > null_threshold]
            kept = {
                metric: scores | {name: float(not answerable[name]) for name in none}
                for metric, scores in raw.items()
            }
    result: dict[str, float] = {}
    parts = {"": True, "HasAns_": True, "NoAns_": False}
    for prefix, wanted in parts.items():
        names = [name for name, has in answerable.items() if not prefix or has == wanted]
        if names:
            result |= {f"{prefix}{metric}": _percent(kept[metric], names) for metric in kept}
            result[f"{prefix}total"] = len(names)
    if null_scores is not None:
        for metric, scores in raw.items():
            threshold, best = _sweep(scores, predictions, null_scores, answerable, official=True)
            result |= {f"best_{metric}": best, f"best_{metric}_thresh": threshold}
    return result


def best_null_threshold(
    questions: Sequence[SquadQuestion],
    predictions: Mapping[str, str],
    null_scores: Mapping[str, float],
    *,
    metric: Literal["exact", "f1"] = "f1",
) -> tuple[float, float]:
    """The threshold for "no answer" that scores best, for development data (paper §4.3).

    It is the one of ``find_best_thresh`` in ``evaluate-v2.0.py`` wherever that one keeps what it
    promises. It does not where declining every question is best, for which it returns 0.0; where
    declining none is, for which it returns the highest null score; where it ends between two
    questions with the same null score; and where an answer consists of articles.

    Args:
        questions: See `read_squad`.
        predictions: The best answer that is not "no answer" to each question, by id.
        null_scores: See `score_answers`.
        metric: What to make as high as possible.

    Returns:
        The threshold, for `decode_answers` and `answer_questions`, and the score that it gives in
        percent. -inf declines every question; inf declines none, where nothing is gained by
        declining, as on questions that all have an answer.

    Raises:
        ValueError: See `score_answers`; also if there is no such metric.
        TypeError: See `score_answers`.

    >>> from bertlesson.squad import GoldAnswer, SquadQuestion
    >>> ada = SquadQuestion("1", "Who?", "was Ada.", (GoldAnswer("Ada", 4),))
    >>> none = SquadQuestion("2", "When?", "was Ada.", (), True)
    >>> best_null_threshold([ada, none], {"1": "Ada", "2": "was"}, {"1": -3.5, "2": 0.5})
    (-3.5, 100.0)
    """
    if not questions:
        raise ValueError("questions is empty; expected 1 or more")
    if metric not in ("exact", "f1"):
        raise ValueError(f"metric is {metric!r}; expected 'exact' or 'f1'")
    _check_ids(null_scores, questions, "null_scores")
    exact, overlap = _score_each(questions, predictions, "2.0")
    answerable = {question.id: bool(question.answers) for question in questions}
    scores = exact if metric == "exact" else overlap
    threshold, best = _sweep(scores, predictions, null_scores, answerable, official=False)
    # the doubt of the last one answered is no bar for new questions, which may be more doubtful
    if all(answerable.values()) or threshold == max(null_scores[name] for name in answerable):
        threshold = float("inf")
    return threshold, best


def _check_prediction(prediction: str) -> None:
    if not isinstance(prediction, str):
        raise TypeError(
            f"a prediction is {prediction!r:.60}; expected a text, '' for no answer: of what "
            "answer_questions finds, the text of the first answer"
        )


def _golds(golds: Sequence[str], version: Version) -> list[str]:
    if isinstance(golds, str):
        raise TypeError(f"golds is the string {golds!r:.60}; expected a list of one or more")
    if version not in get_args(Version):
        raise ValueError(f"version is {version!r}; expected '1.1' or '2.0'")
    if version == "1.1":
        if not golds:
            raise ValueError("no right answer; expected 1 or more in version 1.1: use version 2.0")
        return list(golds)
    return [gold for gold in golds if normalize_answer(gold)] or [""]


def _word_f1(prediction: str, gold: str, version: Version) -> float:
    found, right = normalize_answer(prediction).split(), normalize_answer(gold).split()
    if version == "2.0" and not (found and right):
        return float(found == right)
    shared = sum((Counter(found) & Counter(right)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(found), shared / len(right)
    return 2 * precision * recall / (precision + recall)


def _score_each(
    questions: Sequence[SquadQuestion], predictions: Mapping[str, str], version: Version
) -> tuple[Scores, Scores]:
    """Exact match and F1 of each question, in their order."""
    if not isinstance(predictions, Mapping):
        raise TypeError(
            f"predictions are a {type(predictions).__name__}; expected a text for each question's "
            "id: dict(zip(ids, texts))"
        )
    if version == "2.0":
        _check_ids(predictions, questions, "predictions")
    missing = [question.id for question in questions if question.id not in predictions]
    if missing:
        warnings.warn(
            f"{len(missing)} of {len(questions)} questions have no prediction, the first is "
            f"{missing[0]!r}; expected one for each: they count as wrong, as in evaluate-v1.1.py",
            stacklevel=3,
        )
    exact, overlap = dict.fromkeys(missing, 0.0), dict.fromkeys(missing, 0.0)
    for question in questions:
        if question.id in predictions:
            golds = [gold.text for gold in question.answers]
            given = predictions[question.id]
            exact[question.id] = exact_match(given, golds, version)
            overlap[question.id] = f1(given, golds, version)
    return exact, overlap


def _check_ids(given: Mapping[str, object], questions: Sequence[SquadQuestion], name: str) -> None:
    missing = [question.id for question in questions if question.id not in given]
    unclear = [key for key, score in given.items() if score != score]  # NaN
    if unclear:
        raise ValueError(
            f"{name} are NaN in {len(unclear)} of {len(given)} questions, the first is "
            f"{unclear[0]!r}; expected numbers: check whether the model's logits are NaN"
        )
    if missing:
        raise ValueError(
            f"{name} lack {len(missing)} of {len(questions)} questions, the first is "
            f"{missing[0]!r}; expected one for each id, as evaluate-v2.0.py does"
        )


def _percent(scores: Scores, names: Collection[str]) -> float:
    return 100.0 * sum(scores[name] for name in names) / len(names)


def _sweep(
    scores: Scores,
    predictions: Mapping[str, str],
    null_scores: Mapping[str, float],
    answerable: Mapping[str, bool],
    *,
    official: bool,
) -> tuple[float, float]:
    """The threshold at which the scores are highest, and their mean there in percent."""
    # decline all questions, then answer one more at a time, the least doubtful first
    current = best = float(sum(not has for has in answerable.values()))
    threshold = 0.0 if official else -float("inf")
    order = sorted((name for name in null_scores if name in scores), key=null_scores.__getitem__)
    for name, after in zip(order, [*order[1:], None], strict=True):
        if answerable[name] or not official:
            current += scores[name] - (not answerable[name])
        elif predictions[name]:  # "the" counts as wrong here, though it scores as "no answer"
            current -= 1
        between = after is not None and null_scores[after] == null_scores[name]
        if current > best and (official or not between):
            best, threshold = current, null_scores[name]
    return threshold, 100.0 * best / len(scores)
