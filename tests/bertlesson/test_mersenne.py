"""The draws in bulk equal those of `random.Random`."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertlesson import mersenne
from bertlesson.mersenne import (
    MOST,
    Words,
    chances,
    fraction,
    limit_of,
    past_shuffle,
    shuffle_together,
)
from tests.bertlesson.small_documents import seeds

BLOCK = 624  # words that the twister makes at once


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words are made by the hundred, so that more are needed again and again."""
    monkeypatch.setattr(mersenne, "FIRST", 100)
    monkeypatch.setattr(mersenne, "LARGEST", 400)


def begun(seed: int, drawn: int, gauss: bool) -> random.Random:
    """A generator that has drawn so many words, and perhaps holds a number back."""
    rng = random.Random(seed)
    if gauss:
        rng.gauss(0, 1)
    for _ in range(drawn):
        rng.getrandbits(32)
    return rng


def check_words(seed: int, drawn: int, gauss: bool, taken: list[int], rest: int) -> None:
    theirs, ours = begun(seed, drawn, gauss), begun(seed, drawn, gauss)
    before = ours.getstate()
    words = Words(ours)
    words.more(0)
    for count in taken:
        here = min(count, len(words.array))
        expected = [theirs.getrandbits(32) for _ in range(here)]
        assert words.array[:here].tolist() == list(words.view[:here]) == expected
        assert list(map(ord, words.text[:here])) == [word >> 20 for word in expected]
        assert list(words.upper[:here]) == [word >> 31 for word in expected]
        words.more(here)
    assert ours.getstate() == before
    for _ in range(rest):
        theirs.getrandbits(32)
    words.give_back(rest)
    assert ours.getstate() == theirs.getstate()
    assert [ours.gauss(0, 1) for _ in range(3)] == [theirs.gauss(0, 1) for _ in range(3)]


@pytest.mark.slow
@pytest.mark.usefixtures("few")
@given(
    seed=seeds,
    drawn=st.integers(0, 2 * BLOCK + 1),
    gauss=st.booleans(),
    taken=st.lists(st.integers(0, 700), max_size=8),
    rest=st.integers(0, 900),
)
def test_the_words_and_the_state_that_is_given_back(
    seed: int, drawn: int, gauss: bool, taken: list[int], rest: int
) -> None:
    check_words(seed, drawn, gauss, taken, rest)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("drawn", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1])
@pytest.mark.parametrize("taken", [[], [100, 200], [30, 700, 1, 0, 699]])
def test_the_words_in_a_few_cases(drawn: int, taken: list[int]) -> None:
    for rest in (0, 1, 99, 100):
        check_words(3, drawn, drawn > BLOCK, taken, rest)


def test_what_is_kept_can_be_given_back_as_well() -> None:
    theirs, ours = random.Random(1), random.Random(1)
    words = Words(ours)
    words.more(0)
    words.more(len(words.array) - 700)  # these 700 were made before the rest
    words.more(3)
    words.more(3)
    words.give_back(5)
    for _ in range(mersenne.FIRST - 700 + 11):
        theirs.getrandbits(32)
    assert ours.getstate() == theirs.getstate()


def test_as_many_words_as_expected_are_made_at_first_but_not_too_many() -> None:
    for expected, count in [(0, mersenne.FIRST), (20_000, 20_000), (10**9, mersenne.LARGEST)]:
        words = Words(random.Random(0), expected)
        words.more(0)
        assert len(words.array) == count


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 9, 100, 128, 30_522, 2**17 - 1, 2**31, 2**32 - 1])
def test_a_number_below_another(n: int) -> None:
    rng = random.Random(n)
    words = Words(random.Random(n))
    words.more(0)
    at = 0
    for _ in range(500):
        while words.view[at] >= limit_of(n):
            at += 1
        assert words.view[at] >> 32 - n.bit_length() == rng.randrange(n)
        at += 1


def test_fractions() -> None:
    rng = random.Random(5)
    words = Words(random.Random(5))
    words.more(0)
    for at in range(0, 3000, 2):
        drawn = rng.random()
        assert fraction(words.view[at], words.view[at + 1]) == drawn
        assert (words.upper[at] == 0) == (drawn < 0.5)


@pytest.mark.parametrize("share", [0, 1e-9, 0.1, 0.15, 1 / 3, 0.5, 0.8, 0.9, 1 - 2**-53, 1])
def test_chances(share: float) -> None:
    words = Words(random.Random(2))
    words.more(0)
    # few first words say too little, so some are made here
    whole = int(share * 2**53)
    near = [min(max(whole + shift, 0), 2**53 - 1) for shift in (-(2**27), -1, 0, 1, 2**27)]
    made = [part for each in near for part in (each >> 26 << 5, (each & 2**26 - 1) << 6)]
    array = np.append(words.array[:4000], np.array(made, np.uint32))
    expected = [fraction(one, two) < share for one, two in pairwise(array.tolist())]
    assert chances(array, share).tolist() == expected


def past(words: Words, at: int, count: int) -> int:
    found = past_shuffle(count)(words.text, at)
    assert found is not None
    return found.end()


def check_shuffles(seed: int, counts: list[int], places: int) -> None:
    rng = random.Random(seed)
    words = Words(random.Random(seed), 20_000)
    words.more(0)
    at, shuffled, begins = 0, [], []
    for count in counts:
        items = list(range(count))
        rng.shuffle(items)
        shuffled.append(items)
        begins.append(at)
        at = past(words, at, count)
    ours = random.Random(seed)
    given_back = Words(ours)
    given_back.give_back(at)
    assert ours.getstate() == rng.getstate()
    front = shuffle_together(words, np.array(begins, np.int64), np.array(counts, np.int64), places)
    assert front.shape == (places, len(counts))
    for column, items in zip(front.T.tolist(), shuffled, strict=True):
        assert column[: len(items)] == items[:places]


@pytest.mark.slow
@given(
    seed=seeds,
    counts=st.lists(st.integers(0, 300), max_size=20),
    places=st.integers(0, 40),
)
def test_shuffles(seed: int, counts: list[int], places: int) -> None:
    check_shuffles(seed, counts, places)


@pytest.mark.parametrize("counts", [[], [0], [1, 0], [7, 2, 12, 1, 40, 12, 0, 30]])
@pytest.mark.parametrize("places", [0, 1, 5, 40])
def test_shuffles_of_a_few_lists(counts: list[int], places: int) -> None:
    for seed in range(5):
        check_shuffles(seed, counts, places)


@pytest.mark.parametrize("count", [255, 256, 257, 511, 512, 2048, MOST])
def test_long_shuffles(count: int) -> None:
    rng = random.Random(count)
    words = Words(random.Random(count))
    words.more(0)
    items = list(range(count))
    rng.shuffle(items)
    end = past(words, 0, count)
    assert words.view[end] == rng.getrandbits(32)
    front = shuffle_together(words, np.array([0]), np.array([count]), count)
    assert front[:, 0].tolist() == items


def test_words_that_do_not_suffice_are_noticed() -> None:
    words = Words(random.Random(0))
    words.more(0)
    at = len(words.array) - 100
    assert past_shuffle(125)(words.text, at) is None
    with pytest.raises(IndexError):
        shuffle_together(words, np.array([at]), np.array([125]), 19)


def test_other_generators_are_refused() -> None:
    class Other(random.Random):
        pass

    others: list[Any] = [Other(0), random.SystemRandom(), 3]
    for other in others:
        with pytest.raises(TypeError) as refused:
            Words(other)
        assert str(refused.value) == (
            f"rng is of type {type(other).__name__}; expected random.Random itself: a class "
            "derived from it may draw otherwise"
        )
