"""What holds for the reference's instances and for the pairs alike: time, and what is refused."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest

from bertlesson.nsp import create_pairs
from bertlesson.reference import create_pretraining_instances, truncate_pieces
from bertlesson.segments import check_share, grow, truncate_words
from tests.bertlesson.small_documents import (
    ENDINGS,
    GOOD,
    PIECES,
    SETTINGS,
    VOCAB,
    WORDS,
    instances,
    make_documents,
    pairs_of,
)

# Time in proportion to the text.


class Counted(str):
    """A piece that counts how often anything looks at it."""

    looks = 0

    def startswith(self, *args: Any) -> bool:
        Counted.looks += 1
        return super().startswith(*args)

    def __hash__(self) -> int:
        Counted.looks += 1
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        Counted.looks += 1
        return super().__eq__(other)


class CountedList(list[str]):
    """A list that counts how many of its pieces are read, copied or moved."""

    looks = 0

    def __getitem__(self, place: Any) -> Any:
        self.looks += len(range(*place.indices(len(self)))) if isinstance(place, slice) else 1
        return super().__getitem__(place)

    def __iter__(self) -> Iterator[str]:
        self.looks += len(self)
        return super().__iter__()

    def pop(self, place: Any = -1) -> str:
        self.looks += 1 if place == -1 else len(self)
        return super().pop(place)


def make_sentence(pieces: int, endings: float) -> list[str]:
    """One of so many pieces, and of them the share that goes on with a word."""
    rng = random.Random(pieces)
    rest = (rng.choice(ENDINGS if rng.random() < endings else WORDS) for _ in range(pieces - 1))
    return [rng.choice(WORDS), *rest]


def count_looks(make: Callable[..., Any], documents: list[list[list[str]]]) -> int:
    """How often `make` looks at a piece of the documents."""
    counted = [[list(map(Counted, sentence)) for sentence in document] for document in documents]
    before = Counted.looks
    for seed in range(5):
        make(counted, seed)
    return Counted.looks - before


# what grows, as documents of `times` the text
GROWING: dict[str, Callable[[int], list[list[list[str]]]]] = {
    "documents": lambda times: make_documents(40 * times),
    "sentences": lambda times: make_documents(4, (50 * times, 50 * times)),
    "words": lambda times: [[make_sentence(100 * times, 0.3)] * 4, [["w0"], ["w1"]] * 2] * 10,
    "a word": lambda times: [[make_sentence(100 * times, 1)] * 4, [["w0"], ["w1"]] * 2] * 10,
}


@pytest.mark.parametrize("growing", GROWING)
@pytest.mark.parametrize("make", [instances, pairs_of])
def test_no_piece_is_looked_at_more_often_in_a_longer_text(
    growing: str, make: Callable[..., Any]
) -> None:
    short, long = (count_looks(make, GROWING[growing](times)) for times in (1, 4))
    assert long <= 4.5 * short


def test_no_piece_is_looked_at_more_often_in_a_longer_row() -> None:
    # all of the small sentences may be dropped, and each of A's may come to meet each of B's
    def looks(times: int) -> int:
        small = [[w, v] for w, v in product(WORDS[:20], WORDS[20:40])]
        documents = [
            [*small[i : i + 20 * times], [*small[i], *make_sentence(200 * times, 0)]]
            for i in range(0, 400, 80)
        ]
        return count_looks(partial(pairs_of, length=50 * times), documents)

    assert looks(4) <= 4.5 * looks(1)


@pytest.mark.parametrize("endings", [0, 0.3, 1])
@pytest.mark.parametrize("truncation", [truncate_pieces, truncate_words])
def test_truncation_reads_and_moves_each_piece_a_few_times(
    truncation: Callable[..., None], endings: float
) -> None:
    a, b = (CountedList(make_sentence(pieces, endings)) for pieces in (1000, 2000))
    truncation(a, b, 29, random.Random(0))
    assert len(a) + len(b) <= 29
    assert a.looks + b.looks <= 5 * 3000


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ("a text", r"documents is the string 'a text'; expected documents -> sentences -> pieces"),
        (["a text"], r"documents\[0\] is the string"),
        (
            [GOOD[0], ["w1 w2"]],
            r"documents\[1\]\[0\] is the string 'w1 w2'; expected documents",
        ),
        (iter(GOOD), "documents is of type list_iterator"),
        ([[None]], r"documents\[0\]\[0\] is of type NoneType"),
        ([[["w1"], [7, 8]]], r"documents\[0\]\[1\] holds something other than strings"),
    ],
)
def test_documents_of_another_shape_are_refused_by_both(documents: Any, expected: str) -> None:
    with pytest.raises(TypeError, match=expected):
        instances(documents)
    with pytest.raises(TypeError, match=expected):
        pairs_of(documents)


@pytest.mark.parametrize(
    ("changes", "error", "expected"),
    [
        ({"max_seq_length": 4}, ValueError, "max_seq_length is 4; expected 5 or more"),
        ({"max_seq_length": 16.0}, TypeError, "float"),
        ({"short_seq_prob": -0.1}, ValueError, r"short_seq_prob is -0.1; expected a share"),
        ({"short_seq_prob": float("nan")}, ValueError, "short_seq_prob is nan"),
        ({"rng": 5}, TypeError, r"rng is of type int; expected random.Random\(seed\)"),
        ({"rng": np.random.RandomState(5)}, TypeError, "rng is of type RandomState"),
    ],
)
def test_settings_out_of_range_are_refused_by_both(
    changes: dict[str, Any], error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=expected):
        create_pairs(GOOD, VOCAB, **{"max_seq_length": 16, "rng": random.Random(0)} | changes)
    with pytest.raises(error, match=expected):
        create_pretraining_instances(GOOD, PIECES, **SETTINGS | {"rng": random.Random(0)} | changes)


class Draws(random.Random):
    """Draws that are given: below a half drops at the beginning."""

    def __init__(self, draws: list[float]) -> None:
        super().__init__()
        self.draws = draws

    def random(self) -> float:
        return self.draws.pop(0)


def test_a_chunk_grows_until_it_is_long_enough() -> None:
    document = [["a", "b"], ["c", "d", "e"], ["f"], ["g", "h"]]
    assert [grow(document, 0, target) for target in (1, 2, 3, 5, 6, 7, 8, 9)] == [
        *(1, 1, 2, 2, 3, 4, 4, 4)
    ]
    assert [grow(document, 2, target) for target in (0, 1, 2, 3)] == [3, 3, 4, 4]


def test_pieces_are_dropped_from_the_longer_one_at_the_end_that_is_drawn() -> None:
    a, b = list("abcd"), list("vwxyz")
    rng = Draws([0.1, 0.9, 0.5, 0.49])
    truncate_pieces(a, b, 5, rng)  # b, then b in the tie, then a, then b in the tie
    assert (a, b) == (["a", "b", "c"], ["x", "y"])
    assert rng.draws == []
    truncate_pieces(a, b, 5, rng)  # they fit: nothing is drawn
    assert (a, b) == (["a", "b", "c"], ["x", "y"])


def test_words_are_dropped_whole_and_a_single_one_at_its_end() -> None:
    b = ["un", "##want", "##ed", "gift", "play", "##s"]
    truncate_words([], b, 4, Draws([0.9]))
    assert b == ["un", "##want", "##ed", "gift"]
    truncate_words([], b, 3, Draws([0.1]))
    assert b == ["gift"]
    short = ["a", "b", "c"]
    truncate_words([], short, 2, Draws([0.9]))
    assert short == ["a", "b"]
    word = ["un", "##want", "##ed"]
    truncate_words([], word, 2, Draws([]))  # nothing to draw
    assert word == ["un", "##want"]
    last = ["a", "un", "##want", "##ed"]
    truncate_words([], last, 2, Draws([0.0]))
    assert last == ["un", "##want"]


@pytest.mark.parametrize("share", [-0.01, 1.01, 2, math.nan])
def test_a_share_is_from_0_to_1(share: float) -> None:
    with pytest.raises(ValueError, match=f"^it is {share}; expected a share from 0 to 1$"):
        check_share("it", share)
    check_share("it", 0)
    check_share("it", 1)
