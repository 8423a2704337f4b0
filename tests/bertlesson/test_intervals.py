"""Intervals and bounds hold against what can be counted out or solved."""

from __future__ import annotations

import itertools
import math
import warnings
from statistics import NormalDist

import numpy as np
import pytest

from bertlesson.intervals import design_effect, occupied, tail_bound, widest_gap_chance, wilson


@pytest.mark.parametrize("alpha", [0.5, 0.05, 1e-6])
@pytest.mark.parametrize(("count", "total"), [(1, 10), (5, 10), (9, 10), (15, 100), (0.5, 7)])
def test_from_each_end_the_share_is_just_as_far_as_alpha_allows(
    count: float, total: float, alpha: float
) -> None:
    """Wilson's interval has the true shares from which what was seen is z deviations away."""
    z = NormalDist().inv_cdf(1 - alpha / 2)
    low, high = wilson(count, total, alpha)
    assert low < count / total < high
    for end in (low, high):
        away = abs(count / total - end) / math.sqrt(end * (1 - end) / total)
        assert away == pytest.approx(z, rel=1e-6)


@pytest.mark.parametrize("total", [1, 3, 49, 1000])
def test_the_interval_ends_at_what_was_seen_if_that_is_none_or_all(total: int) -> None:
    low, high = wilson(0, total, 0.01)
    assert low == 0 < high < 1
    assert wilson(total, total, 0.01) == pytest.approx((1 - high, 1))
    assert wilson(total, total, 0.01)[1] == 1


def test_without_a_draw_any_share_is_possible() -> None:
    assert wilson(0, 0, 0.05) == (0, 1)


@pytest.mark.parametrize("effect", [1, 2.5, 40])
def test_dependent_draws_count_as_fewer(effect: float) -> None:
    assert wilson(30, 200, 0.05, effect) == pytest.approx(wilson(30 / effect, 200 / effect, 0.05))


def test_the_design_effect_of_clusters_of_one_kind_is_their_size() -> None:
    drawn = np.random.default_rng(0).random(40) < 0.3
    assert drawn.any()
    for size in (1, 2, 5):
        hits, clusters = np.repeat(drawn, size), np.repeat(np.arange(40), size)
        # 40 clusters, of which the mean takes one degree of freedom
        assert design_effect(hits, clusters) == pytest.approx(size * 40 / 39)
        # numbers that nobody has are no clusters
        assert design_effect(hits, clusters * 3 + 1) == pytest.approx(size * 40 / 39)


def test_the_design_effect_of_clusters_of_different_sizes() -> None:
    hits = np.array([True, True, True, False, False, True])
    clusters = np.array([0, 0, 0, 1, 1, 2])
    # beyond what a share of 2/3 lets expect, they have 1, -4/3 and 1/3
    variance = (1 + 16 / 9 + 1 / 9) * 3 / 2
    assert design_effect(hits, clusters) == pytest.approx(variance / (2 / 9 * 6))


def test_the_design_effect_is_1_where_nothing_depends() -> None:
    even = np.array([True, False] * 10)
    assert design_effect(even, np.repeat(np.arange(10), 2)) == 1, "all clusters are alike"
    assert design_effect(even, np.zeros(20, int)) == 1, "of one cluster nothing can be said"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is divided by 0
        for hits in (np.ones(6, bool), np.zeros(6, bool), np.zeros(0, bool)):
            assert design_effect(hits, np.arange(len(hits)) // 2) == 1


def at_least(count: int, total: int, share: float) -> float:
    """The probability itself, added up."""
    return sum(
        math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(count, total + 1)
    )


@pytest.mark.parametrize("share", [0.001, 0.15, 0.5, 0.9])
@pytest.mark.parametrize("total", [1, 10, 60])
def test_the_bound_of_a_tail_is_above_it_and_no_further_than_it_need_be(
    total: int, share: float
) -> None:
    for count in range(total + 1):
        bound = tail_bound(count, total, share)
        exact = at_least(count, total, share)
        assert bound >= exact * (1 - 1e-9)
        if count > share * total:
            # (total + 1) such terms make 1 at most, so that each is at least its share of the bound
            assert bound <= exact * (total + 1)
        else:
            assert bound == 1


def test_the_bound_of_a_tail_at_its_ends() -> None:
    assert tail_bound(7, 7, 0.25) == pytest.approx(0.25**7)
    assert tail_bound(1, 7, 0) == 0
    assert tail_bound(0, 7, 0) == tail_bound(0, 0, 0.5) == tail_bound(7, 7, 1) == 1


DRAWS, SIZE = 4, 5
ALL = list(itertools.product(range(SIZE), repeat=DRAWS))  # each sequence of draws, equally likely


@pytest.mark.parametrize("gap", range(SIZE + 1))
def test_the_chance_of_a_gap_is_at_most_the_bound(gap: int) -> None:
    somewhere = sum(
        any(not {*range(at, at + gap)} & {*drawn} for at in range(SIZE - gap + 1)) for drawn in ALL
    )
    here = sum(not {*range(gap)} & {*drawn} for drawn in ALL)
    bound = widest_gap_chance(gap, DRAWS, SIZE)
    assert somewhere / len(ALL) <= bound
    # a gap begins at the start or after a draw, of which each begins one with the same chance
    assert bound == pytest.approx(min(1, (DRAWS + 1) * here / len(ALL)))


@pytest.mark.parametrize(("draws", "size"), [(DRAWS, SIZE), (1, 3), (2, 2), (3, 1), (0, 4)])
def test_how_many_values_are_hit(draws: int, size: int) -> None:
    counts = [len({*drawn}) for drawn in itertools.product(range(size), repeat=draws)]
    mean, deviation = occupied(draws, size)
    assert mean == pytest.approx(np.mean(counts))
    assert deviation == pytest.approx(np.std(counts), abs=1e-4)
