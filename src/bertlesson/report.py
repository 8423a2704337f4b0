"""Reports: precision, recall and F1 over whole entities, for each kind and on average.

The numbers and the printed table are those of seqeval (1.2.2), `classification_report`, which
CoNLL's own script agrees with on micro averages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from .entities import Entity
from .inputs import check_same_number
from .schemes import read_strictly
from .tags import read_tags

__all__ = ["EntityReport", "Score", "entity_report"]


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
    truth: Sequence[Sequence[Entity]] | Sequence[Sequence[str]],
    predicted: Sequence[Sequence[Entity]] | Sequence[Sequence[str]],
    *,
    scheme: str | None = None,
    zero_division: float = 0.0,
) -> EntityReport:
    """Score entities, or tags that spell them, against the true ones.

    An entity is correct if its start, its end and its kind are all correct.

    Args:
        truth: For each text its tags, or its entities in characters or words.
        predicted: The same for what a model found.
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
    right: Counter[str] = Counter()
    true: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for number, (row, guess) in enumerate(zip(truth, predicted, strict=True)):
        if _is_tags(row) and _is_tags(guess) and len(row) != len(guess):
            raise ValueError(
                f"truth[{number}] has {len(row)} tags and predicted[{number}] {len(guess)}; "
                "expected one for each word"
            )
        a, b = set(_entities(row, scheme)), set(_entities(guess, scheme))
        true.update(kind for *_, kind in a)
        found.update(kind for *_, kind in b)
        right.update(kind for *_, kind in a & b)
    kinds = {
        kind: _score(right[kind], true[kind], found[kind], zero_division)
        for kind in sorted(true.keys() | found.keys())
    }
    micro = _score(right.total(), true.total(), found.total(), zero_division)
    return EntityReport(
        kinds,
        micro,
        _mean(kinds, dict.fromkeys(kinds, 1), micro),
        _mean(kinds, true, micro),
    )


def _is_tags(row: Sequence[Entity] | Sequence[str]) -> bool:
    return len(row) > 0 and isinstance(row[0], str)


def _entities(row: Sequence[Entity] | Sequence[str], scheme: str | None) -> list[Entity]:
    if not _is_tags(row):
        if scheme is not None and len(row):
            raise ValueError(f"scheme is {scheme!r} and the first item {row[0]}; expected tags")
        return list(cast(Sequence[Entity], row))
    tags = cast(Sequence[str], row)
    return read_tags(tags) if scheme is None else read_strictly(tags, scheme)


def _score(right: int, true: int, found: int, zero_division: float) -> Score:
    precision = right / found if found else zero_division
    recall = right / true if true else zero_division
    total = precision + recall
    return Score(precision, recall, 2 * precision * recall / total if total else 0.0, true)


def _mean(kinds: dict[str, Score], weights: dict[str, int], micro: Score) -> Score:
    total = sum(weights[kind] for kind in kinds)
    if not total:  # there is nothing to find, so micro has the shares for that
        return micro
    shares = [
        sum(weights[kind] * score[share] for kind, score in kinds.items()) / total
        for share in range(3)
    ]
    return Score(*shares, micro.support)
