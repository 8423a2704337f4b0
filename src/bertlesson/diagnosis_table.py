"""What a masking collator did to a few hundred thousand tokens, and lines about its output.

Used by `bertlesson.diagnosis`; `bertlesson.diagnosis_shares` has the lines about its draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .diagnosis_rows import ORDINARY, OTHER, PADDING, SPECIAL, Batch, Rows
from .intervals import design_effect, wilson
from .masking import IGNORE_INDEX, Ints, MaskingRecipe

__all__ = ["ALPHA", "MANY", "Declared", "Line", "Said", "Table", "Verdict"]

Verdict = Literal["fine", "look", "wrong"]
# the first four of a line: its name, value, interval, and what was expected
Said = tuple[str, float | None, tuple[float, float] | None, str]
FAMILY = 0.001  # the probability that chance alone makes any line of a report wrong
ALPHA = FAMILY / 12  # of each comparison with chance; a report has eleven
MANY = 20  # of fewer words or random tokens nothing is concluded


@dataclass(frozen=True)
class Line:
    """One check and what came of it.

    Attributes:
        name: What was checked.
        value: What was measured, as a share from 0 to 1; None if it is no share.
        interval: Where the true share is, with 99.9% certainty for all lines of a report together;
            None if nothing was drawn at random.
        expected: What it should be, in words.
        verdict: "fine"; "look" if it depends on you, or could not be checked; "wrong" if it harms
            training.
        sentence: What was found, and what it will do to training.
    """

    name: str
    value: float | None
    interval: tuple[float, float] | None
    expected: str
    verdict: Verdict
    sentence: str


@dataclass(frozen=True)
class Declared:
    """What a collator should do.

    Attributes:
        recipe: The shares.
        source: Where they are from, as in "declared".
        whole_words: Whether it should select whole words.
        limit: Its `max_predictions_per_seq`.
        never_empty: Whether it selects something in every batch.
    """

    recipe: MaskingRecipe
    source: str
    whole_words: bool
    limit: int | None = None
    never_empty: bool = False


class Table:
    """What happened at every position of all batches, in flat arrays, and what to think of it.

    Args:
        rows: The rows that were collated.
        batches: What became of them.
        declared: What should have.
    """

    def __init__(self, rows: Rows, batches: Sequence[Batch], declared: Declared) -> None:
        self.rows, self.batches, self.declared = rows, batches, declared
        self.shift = _shift(batches[:20])
        self.original = _flat([batch.original for batch in batches])
        self.seen = _flat([batch.seen for batch in batches])
        self.label = _flat([_shifted(batch.labels, self.shift) for batch in batches])
        self.kind = _flat([batch.kinds for batch in batches])
        lines = [np.full(batch.seen.shape, i) for i, batch in enumerate(batches)]
        self.batch = _flat(lines)
        # running numbers of rows: the same text in another pass is another row
        starts = np.cumsum([0, *(len(batch.numbers) for batch in batches)])
        self.row = _flat(
            [
                np.repeat(np.arange(a, a + len(batch.seen)), batch.seen.shape[1])
                for a, batch in zip(starts[:-1], batches, strict=True)
            ]
        )
        self.number = np.array([number for batch in batches for number in batch.numbers])
        self.row_batch = np.repeat(np.arange(len(batches)), [len(b.numbers) for b in batches])
        self.ordinary = self.kind == ORDINARY
        self.has_label = self.label >= 0
        self.selected = self.ordinary & self.has_label
        tokenizer = rows.tokenizer
        self.mask_id = tokenizer.mask_token_id
        ids = np.array(sorted(tokenizer.get_vocab().values()))
        self.vocab_size = int(ids[-1]) + 1
        self.special_ids = np.array(sorted(tokenizer.all_special_ids))
        self.plain_ids = np.setdiff1d(ids, self.special_ids)
        self.words, self.touching = self._placed(rows.words), self._placed(rows.touching)
        torn, self.several = self._torn()
        self.torn = torn
        self.by_words = declared.whole_words or (not torn and self.several >= MANY)
        self.joined = self._joined() if self.by_words else None
        self.share = float(self.selected.sum() / max(1, self.ordinary.sum()))
        self.effect = design_effect(self.selected[self.ordinary], self.row[self.ordinary])
        self.words_of = self._words_of()
        self.units = self._units()

    def lines(self) -> list[Line]:
        """What comes out of the collator, apart from its draws."""
        return [
            self._types(),
            self._input(),
            self._attention(),
            self._labels(),
            self._unlabelled(),
            self._special(),
            self._padding(),
        ]

    def _types(self) -> Line:
        types = sorted({batch.types for batch in self.batches})
        labels = {name for _, name in types}
        text = " and ".join(f"input_ids {i}, labels {j}" for i, j in types)
        if labels == {"int64"} and {i for i, _ in types} <= {"int32", "int64"}:
            return Line("types", None, None, "int64", "fine", f"{text}.")
        return Line(
            "types", None, None, "int64", "wrong",
            f"{text}: torch's cross-entropy takes labels in int64 alone and stops at others.",
        )  # fmt: skip

    def _input(self) -> Line:
        changed = {batch.changed for batch in self.batches}
        said = ("input rows", None, None, "unchanged")
        if "values" in changed:
            return Line(
                *said, "wrong",
                "It writes into the rows it is given: rows kept in memory are masked again in "
                "each epoch, until little of the text is left.",
            )  # fmt: skip
        if "keys" in changed:
            return Line(
                *said, "look",
                "It takes keys out of the rows it is given, or adds some: rows kept in memory "
                "lack them in the next epoch.",
            )  # fmt: skip
        return Line(*said, "fine", "It leaves the rows it is given as they are.")

    def _attention(self) -> Line:
        padded = bool((self.kind == PADDING).any())
        wrong = missing = 0
        for batch in self.batches:
            if batch.attended is None:
                missing += 1
            elif batch.attended.shape == batch.kinds.shape:
                wrong += int(((batch.attended != 0) != (batch.kinds != PADDING)).sum())
        said = ("attention mask", None, None, "0 at padding")
        if wrong:
            return Line(
                *said, "wrong",
                f"At {wrong:,} positions it is not 1 for tokens and 0 for padding: the model "
                "reads padding, or not all of the text.",
            )  # fmt: skip
        if missing and padded:
            return Line(
                *said, "look",
                "It is missing though rows are padded: unless the model makes one by itself, it "
                "reads the padding as text.",
            )  # fmt: skip
        return Line(*said, "fine", "It hides the padding." if padded else "Nothing is padded.")

    def _labels(self) -> Line:
        where = self.selected
        right = int((self.label == self.original)[where].sum())
        total = int(where.sum())
        other = int(((self.label < 0) & (self.label != IGNORE_INDEX)).sum())
        said = ("labels", right / total if total else None, None, "the originals")
        if self.shift:
            side = "right" if self.shift > 0 else "left"
            said = ("labels", 0.0, None, "the originals")
            return Line(
                *said, "wrong",
                f"They are one position too far to the {side}: the model learns to predict a "
                "neighbour. (All other lines are about the labels put back.)",
            )  # fmt: skip
        if other:
            return Line(
                *said, "wrong",
                f"{other:,} are negative and not {IGNORE_INDEX}, the only label that torch's loss "
                "ignores: it stops at them, or reads outside the vocabulary.",
            )  # fmt: skip
        if right < total:
            wrong = int(np.argmax(where & (self.label != self.original)))
            pair = self.pieces([self.label[wrong], self.original[wrong]])
            return Line(
                *said, "wrong",
                f"{total - right:,} of {total:,} do not hold the original, as {pair[0]} for "
                f"{pair[1]}: the model learns wrong answers.",
            )  # fmt: skip
        return Line(*said, "fine", f"All {total:,} hold the original token.")

    def _unlabelled(self) -> Line:
        where = ~self.has_label & (self.kind != PADDING)
        changed = int((where & (self.seen != self.original)).sum())
        said = ("without a label", changed / max(1, int(where.sum())), None, "unchanged")
        if changed:
            return Line(
                *said, "wrong",
                f"{changed:,} tokens are changed though they have no label: the text is "
                "damaged, and nothing is learned from it.",
            )  # fmt: skip
        return Line(*said, "fine", "Tokens without a label are unchanged.")

    def _special(self) -> Line:
        where = self.has_label & (self.kind == SPECIAL)
        touched = len(np.unique(self.row[where]))
        rows = len(self.number)
        said = ("special tokens", touched / rows, wilson(touched, rows, ALPHA), "never selected")
        if not touched:
            names = " and ".join(self.pieces(np.unique(self.original[self.kind == SPECIAL])))
            return Line(*said, "fine", f"{names or 'Special tokens'} are never selected.")
        found = []
        for number in np.unique(self.original[where]).tolist():
            share = len(np.unique(self.row[where & (self.original == number)])) / rows
            found.append(f"{self.pieces([number])[0]} is selected in {share:.1%} of the rows")
        return Line(
            *said, "wrong",
            f"{' and '.join(found)}: the model is trained to predict what is always there, and "
            "loses the tokens that heads rely on.",
        )  # fmt: skip

    def _padding(self) -> Line:
        padding = self.kind == PADDING
        total = int(padding.sum())
        labelled = int((padding & self.has_label).sum())
        changed = int((padding & ~self.has_label & (self.seen != self.original)).sum())
        if not total:
            return Line("padding", None, None, "untouched", "fine", "No row was padded here.")
        touched = labelled + changed
        said = ("padding", touched / total, wilson(touched, total, ALPHA), "untouched")
        if labelled:
            return Line(
                *said, "wrong",
                f"{labelled / total:.1%} of the padding has a label: the model is trained to "
                "predict padding, which is easy, so that the loss looks better than it is.",
            )  # fmt: skip
        if changed:
            return Line(
                *said, "wrong",
                f"{changed / total:.1%} of the padding is not the tokenizer's pad token: the "
                "model may read it as text.",
            )  # fmt: skip
        return Line(*said, "fine", "Padding is never selected or changed.")

    def _torn(self) -> tuple[int, int]:
        """Selected words of several pieces: how many are torn, and how many there are."""
        if self.words is None:
            return 0, 0
        where = self.ordinary & (self.words >= 0)
        key = self.row[where] * (int(self.words.max()) + 1) + self.words[where]
        _, word = np.unique(key, return_inverse=True)
        sizes, hits = np.bincount(word), np.bincount(word, weights=self.selected[where])
        several = (sizes > 1) & (hits > 0)
        return int((several & (hits < sizes)).sum()), int(several.sum())

    def _joined(self) -> tuple[int, int] | None:
        """Neighbouring words that touch: how often both are selected, and how often either."""
        if self.words is None or self.touching is None:
            return None
        here, there = slice(None, -1), slice(1, None)
        inside = (self.kind == ORDINARY) | (self.kind == OTHER)
        chosen = inside & self.has_label
        pairs = (self.row[here] == self.row[there]) & inside[here] & inside[there]
        pairs &= (self.words[here] != self.words[there]) & (
            self.touching[here] == self.touching[there]
        )
        one, other = chosen[here][pairs], chosen[there][pairs]
        either = int((one | other).sum())
        return (int((one & other).sum()), either) if either >= MANY else None

    def _words_of(self) -> list[Ints] | None:
        """For each row of the sample how many tokens each word has, if words are drawn."""
        if not self.by_words:
            return None
        together = self.joined is not None and self.joined[0] > 0.9 * self.joined[1]
        groups = self.rows.touching if together else self.rows.words
        if groups is None:  # the tokenizer does not tell
            return None
        sizes = []
        for number, kinds in enumerate(self.rows.kinds):
            _, counts = np.unique(groups[number][kinds == ORDINARY], return_counts=True)
            sizes.append(counts.astype(np.int64))
        return sizes

    def _units(self) -> list[float]:
        """For each row of the sample, how many tokens or words have a draw of their own."""
        if self.words_of is not None:
            return [float(len(sizes)) for sizes in self.words_of]
        return [float((kinds == ORDINARY).sum() / self.effect) for kinds in self.rows.kinds]

    def _placed(self, rows: list[Ints] | None) -> Ints | None:
        """A number for each token of the rows, in the order of the flat arrays; -1 at padding."""
        if rows is None:
            return None
        flat = np.full(len(self.row), -1)
        flat[self.kind != PADDING] = np.concatenate([rows[number] for number in self.number])
        return flat

    def pieces(self, ids: Any) -> list[str]:
        """The pieces of these ids."""
        return list(self.rows.tokenizer.convert_ids_to_tokens([int(i) for i in ids]))


def _flat(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([array.reshape(-1) for array in arrays])


def _shifted(labels: Ints, shift: int) -> Ints:
    """Labels moved back by this many positions."""
    if not shift:
        return labels
    moved = np.full_like(labels, IGNORE_INDEX)
    if shift > 0:
        moved[:, :-shift] = labels[:, shift:]
    else:
        moved[:, -shift:] = labels[:, :shift]
    return moved


def _shift(batches: Sequence[Batch]) -> int:
    """By how many positions labels are off to the right; 0 unless that explains most misses."""
    right, left = _misses(batches, 1), _misses(batches, -1)
    least = min(right, left)
    if least >= 0.2 * _misses(batches, 0):
        return 0
    return 1 if least == right else -1


def _misses(batches: Sequence[Batch], shift: int) -> int:
    """How many labels do not hold the original when moved back by this many positions."""
    total = 0
    for batch in batches:
        labels = _shifted(batch.labels, shift)
        total += int(((labels >= 0) & (labels != batch.original)).sum())
    return total
