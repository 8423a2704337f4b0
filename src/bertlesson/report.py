"""Reports: precision, recall and F1 over whole entities, for each kind and on average.

The numbers and the printed table are those of seqeval (1.2.2), `classification_report`, which
CoNLL's own script agrees with on micro averages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from .entities import Entity, bare
from .inputs import check_same_number
from .schemes import read_strictly
from .tag_counts import Counts, are_tags, count_tags

__all__ = ["EntityReport", "Score", "entity_report"]

_Tags = Sequence[Sequence[str]]
_Entities = Sequence[Sequence[Entity]]


class Score(NamedTuple):
    """How well entities were found; each share is from 0 to 1."""

    precision: float  # correct / found
    recall: float  # correct / true
    f1: float  # 2 · precision · recall / (precision + recall)
    support: int  # number of true entities


@dataclass(frozen=True)
class EntityReport:
    """The scores of each kind and their averages; ``print`` shows them as seqeval does.

    Attributes:
        kinds: By kind, in alphabetical order; kinds that were found but never true included.
        micro: Over all entities, whatever their kind. This is the F1 that papers report.
        macro: The mean over kinds: a rare kind counts as much as a frequent one.
        weighted: The mean over kinds, each weighted by its support.
    """

    kinds: dict[str, Score]
    micro: Score
    macro: Score
    weighted: Score

    def as_text(self, digits: int = 2) -> str:
        """The table, with this number of decimal places."""
        rows = self.rows()
        width = max(map(len, rows))
        heads = "".join(f" {head:>9}" for head in ("precision", "recall", "f1-score", "support"))
        lines = [f"{'':{width}} {heads}", ""]
        for name, (precision, recall, f1, support) in rows.items():
            if name == "micro avg" and self.kinds:
                lines.append("")
            shares = "".join(f" {share:>9.{digits}f}" for share in (precision, recall, f1))
            lines.append(f"{name:>{width}} {shares} {support:>9}")
        return "\n".join([*lines, ""])

    def rows(self) -> dict[str, Score]:
        """All scores by the names that seqeval gives them, as its ``output_dict=True`` has."""
        return {
            **self.kinds,
            "micro avg": self.micro,
            "macro avg": self.macro,
            "weighted avg": self.weighted,
        }

    def __str__(self) -> str:
        return self.as_text()


def entity_report(
    truth: _Tags | _Entities,
    predicted: _Tags | _Entities,
    *,
    scheme: str | None = None,
    zero_division: float = 0.0,
) -> EntityReport:
    """Score entities, or tags that spell them, against the true ones.

    An entity is correct if its start, its end and its kind are all correct.

    Args:
        truth: For each text its tags, or its entities in characters or words.
        predicted: The same for what a model found; that of `bertlesson.finding.find_entities` is
            taken without its scores.
        scheme: The tags' scheme, to leave out entities that break its rules, as seqeval does with
            ``mode="strict"``, see `bertlesson.schemes.read_strictly`. By default tags are read as
            by CoNLL's script, see `bertlesson.tags.read_tags`.
        zero_division: A share of which nothing is known: the precision of a kind that was not
            found, the recall of one that is never true.

    Raises:
        ValueError: If the two do not cover the same texts, if a tag belongs to no scheme or not to
            this one, or if a scheme is given for entities that are not tags.

    >>> truth = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-LOC"]]
    >>> predicted = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "I-LOC"]]
    >>> report = entity_report(truth, predicted)
    >>> report.micro.f1 == 2 / 3, report.kinds["LOC"].support
    (True, 2)
    >>> print(report)
                  precision    recall  f1-score   support
    <BLANKLINE>
             LOC       0.50      0.50      0.50         2
             PER       1.00      1.00      1.00         1
    <BLANKLINE>
       micro avg       0.67      0.67      0.67         3
       macro avg       0.75      0.75      0.75         3
    weighted avg       0.67      0.67      0.67         3
    <BLANKLINE>
    """
    check_same_number(truth=truth, predicted=predicted)
    if are_tags(truth) or are_tags(predicted):
        tags = cast(_Tags, truth), cast(_Tags, predicted)
        right, true, found = count_tags(*tags)  # checks both of them
        if scheme is not None:
            strict = [[read_strictly(row, scheme) for row in rows] for rows in tags]
            right, true, found = _count(*strict)
    elif scheme is not None and any(truth):
        raise ValueError(f"scheme is {scheme!r} with entities; expected tags, or scheme=None")
    else:
        right, true, found = _count(cast(_Entities, truth), cast(_Entities, predicted))
    kinds = {
        kind: _score(right.get(kind, 0), true.get(kind, 0), found.get(kind, 0), zero_division)
        for kind in sorted(true.keys() | found.keys())
    }
    totals = [sum(counts.values()) for counts in (right, true, found)]
    micro = _score(totals[0], totals[1], totals[2], zero_division)
    return EntityReport(
        kinds,
        micro,
        _mean(kinds, dict.fromkeys(kinds, 1), micro),
        _mean(kinds, true, micro),
    )


def _count(truth: _Entities, predicted: _Entities) -> Counts:
    pairs = [(bare(a), bare(b)) for a, b in zip(truth, predicted, strict=True)]
    right = Counter(kind for a, b in pairs for *_, kind in a & b)
    true = Counter(kind for a, _ in pairs for *_, kind in a)
    found = Counter(kind for _, b in pairs for *_, kind in b)
    return Counts(right, true, found)


def _score(right: int, true: int, found: int, zero_division: float) -> Score:
    precision = right / found if found else zero_division
    recall = right / true if true else zero_division
    total = precision + recall
    return Score(precision, recall, 2 * precision * recall / total if total else 0.0, true)


def _mean(kinds: dict[str, Score], weights: dict[str, int], micro: Score) -> Score:
    total = sum(weights.get(kind, 0) for kind in kinds)
    if not total:  # there is nothing to find, so micro has the shares for that
        return micro
    precision, recall, f1 = (
        sum(weights.get(kind, 0) * score[share] for kind, score in kinds.items()) / total
        for share in range(3)
    )
    return Score(precision, recall, f1, micro.support)
