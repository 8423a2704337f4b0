"""Documents, and the segments that pairs are made of: runs of whole sentences.

Documents are documents -> sentences -> pieces. A "sentence" is any stretch of text that pairs
should not cut through. A segment is held as its location (`Span`) until its pieces are needed. The
steps here are those that `bertlesson.nsp` and `bertlesson.reference` share.
"""

import operator
import random
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

__all__ = [
    "Document",
    "Documents",
    "Kept",
    "SegmentPair",
    "Span",
    "check_count",
    "check_documents",
    "check_list",
    "check_settings",
    "check_share",
    "choose_target_length",
    "grow",
    "truncate",
    "truncate_words",
]

DOCUMENTS_EXPECTED = (
    "expected documents -> sentences -> pieces, each a list: split documents into sentences, and "
    "each sentence with tokenizer.tokenize(sentence)"
)
Document = Sequence[Sequence[str]]
Documents = Sequence[Document]


class Span(NamedTuple):
    """The sentences `start` to ``stop - 1`` of one document."""

    document: int
    start: int
    stop: int

    def pieces(self, documents: Documents) -> list[str]:
        """The pieces of these sentences, in order."""
        return list(chain.from_iterable(documents[self.document][self.start : self.stop]))

    def length(self, documents: Documents) -> int:
        """The number of pieces in these sentences."""
        return sum(map(len, documents[self.document][self.start : self.stop]))


class SegmentPair(NamedTuple):
    """Where the two segments of a pair come from, before they are truncated to fit."""

    a: Span
    b: Span
    is_random_next: bool


def choose_target_length(max_num_tokens: int, short_seq_prob: float, rng: random.Random) -> int:
    """How many pieces a pair should have: usually as many as fit, sometimes a random number.

    The short pairs prepare the model for fine-tuning on short inputs. A random number is at least
    2.
    """
    if rng.random() < short_seq_prob:
        return rng.randint(2, max_num_tokens)
    return max_num_tokens


def grow(document: Document, start: int, target_length: int) -> int:
    """Take whole sentences until they hold `target_length` pieces; return where they stop.

    >>> grow([["a", "film"], ["i", "liked", "it"], ["go"]], start=0, target_length=4)
    2
    """
    length, stop = 0, start
    while stop == start or (length < target_length and stop < len(document)):
        length += len(document[stop])
        stop += 1
    return stop


class Kept:
    """What remains of a segment while pieces are dropped from its ends.

    Only the bounds move, and the list is cut once at the end: each ``pop(0)`` would shift all the
    other pieces.
    """

    def __init__(self, pieces: list[str]) -> None:
        self.pieces, self.start, self.stop = pieces, 0, len(pieces)

    def drop(self, rng: random.Random) -> int:
        """Drop a piece at either end; return how many were dropped."""
        if rng.random() < 0.5:
            self.start += 1
        else:
            self.stop -= 1
        return 1

    def cut(self) -> None:
        """Remove the dropped pieces from the list."""
        self.pieces[:] = self.pieces[self.start : self.stop]


def truncate(a: Kept, b: Kept, max_num_tokens: int, rng: random.Random) -> None:
    """Drop pieces from the longer of the two (B in a tie) until they fit."""
    of_a, of_b = len(a.pieces), len(b.pieces)
    while of_a + of_b > max_num_tokens:
        if of_b >= of_a:
            of_b -= b.drop(rng)
        else:
            of_a -= a.drop(rng)
    a.cut()
    b.cut()


class KeptWords(Kept):
    """What remains of a segment while words are dropped from its ends."""

    def __init__(self, pieces: list[str]) -> None:
        super().__init__(pieces)
        self.starts = (i for i in range(1, len(pieces)) if not pieces[i].startswith("##"))
        self.second = next(self.starts, self.stop)  # where the second word begins

    def drop(self, rng: random.Random) -> int:
        """Drop a word at either end, or the last piece if only one word is left."""
        before = self.stop - self.start
        if self.second >= self.stop:
            self.stop -= 1  # a single word: keep its beginning
        elif rng.random() < 0.5:
            self.start, self.second = self.second, next(self.starts, len(self.pieces))
        else:
            self.stop -= 1
            while self.pieces[self.stop].startswith("##"):
                self.stop -= 1
        return before - (self.stop - self.start)


def truncate_words(a: list[str], b: list[str], max_num_tokens: int, rng: random.Random) -> None:
    """Drop words from either end of the longer of the two (B in a tie), in place, until they fit.

    >>> a, b = ["an", "un", "##want", "##ed", "gift"], ["oh"]
    >>> truncate_words(a, b, 4, random.Random(1))
    >>> a, b
    (['un', '##want', '##ed'], ['oh'])
    """
    truncate(KeptWords(a), KeptWords(b), max_num_tokens, rng)


def check_documents(documents: Documents) -> None:
    """Raise a TypeError unless these are documents -> sentences -> pieces."""
    check_list("documents", documents, DOCUMENTS_EXPECTED)
    for i, document in enumerate(documents):
        check_list(f"documents[{i}]", document, DOCUMENTS_EXPECTED)
        for j, sentence in enumerate(document):
            check_list(f"documents[{i}][{j}]", sentence, DOCUMENTS_EXPECTED)
            if not all(issubclass(kind, str) for kind in set(map(type, sentence))):
                raise TypeError(
                    f"documents[{i}][{j}] holds something other than strings; {DOCUMENTS_EXPECTED}"
                )


def check_list(name: str, value: Any, expected: str) -> None:
    """Raise a TypeError unless the value is a sequence other than a string."""
    if isinstance(value, str):
        raise TypeError(f"{name} is the string {value[:20]!r}; {expected}")
    if not isinstance(value, Sequence):
        raise TypeError(f"{name} is of type {type(value).__name__}; {expected}")


def check_settings(max_seq_length: int, short_seq_prob: float, rng: random.Random) -> None:
    """Check the settings that every kind of pair has."""
    if not isinstance(rng, random.Random):
        raise TypeError(f"rng is of type {type(rng).__name__}; expected random.Random(seed)")
    if operator.index(max_seq_length) < 5:
        raise ValueError(
            f"max_seq_length is {max_seq_length}; expected 5 or more: [CLS], [SEP] and [SEP] "
            "plus a piece of A and one of B"
        )
    check_share("short_seq_prob", short_seq_prob)


def check_share(name: str, share: float) -> None:
    """Raise a ValueError unless the share is from 0 to 1."""
    # written so that NaN, for which every comparison is false, is rejected as well
    if not 0 <= share <= 1:
        raise ValueError(f"{name} is {share}; expected a share from 0 to 1")


def check_count(name: str, count: int) -> None:
    """Raise a ValueError if the count is negative."""
    if operator.index(count) < 0:
        raise ValueError(f"{name} is {count}; expected a whole number, 0 or more")
