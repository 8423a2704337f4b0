"""Intervals and bounds for counts: how far chance alone takes a share.

Wilson's interval is from E. B. Wilson, Probable Inference, the Law of Succession, and Statistical
Inference, JASA 22 (1927); the design effect from L. Kish, Survey Sampling (1965), §8.2; the bound
for tails from H. Chernoff, A Measure of Asymptotic Efficiency, Ann. Math. Statist. 23 (1952).
"""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["design_effect", "occupied", "tail_bound", "widest_gap_chance", "wilson"]


def wilson(count: float, total: float, alpha: float, effect: float = 1.0) -> tuple[float, float]:
    """Wilson's interval for a share, outside of which it lies with probability `alpha`.

    Args:
        count: How many of them.
        total: How many in all; 0 gives the interval from 0 to 1.
        alpha: The probability of an interval that misses the true share.
        effect: The design effect: how many times the variance is that of independent draws.

    Returns:
        The lower and the upper end, in shares.

    >>> low, high = wilson(15, 100, 0.05)
    >>> round(low, 3), round(high, 3)
    (0.093, 0.233)
    """
    if not total:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(1 - alpha / 2)
    size, share = total / effect, count / total
    centre = share + z * z / (2 * size)
    spread = z * math.sqrt(share * (1 - share) / size + (z / (2 * size)) ** 2)
    scale = 1 + z * z / size
    # at the ends rounding must not exclude the share itself
    low = 0.0 if count == 0 else (centre - spread) / scale
    high = 1.0 if count == total else (centre + spread) / scale
    return max(0.0, low), min(1.0, high)


def design_effect(hits: NDArray[Any], clusters: NDArray[Any]) -> float:
    """How many times the variance of a share exceeds that of independent draws; 1 at least.

    Args:
        hits: ``(draws,)``, true where it is one of them.
        clusters: ``(draws,)``, whole numbers: draws of one number may depend on each other.

    Returns:
        The ratio of the variance estimated from whole clusters to that of single draws.

    >>> import numpy as np
    >>> hits = np.array([True, True, False, False] * 50)
    >>> pairs, each = np.repeat(np.arange(100), 2), np.arange(200)
    >>> round(design_effect(hits, pairs), 1), round(design_effect(hits, each), 1)
    (2.0, 1.0)
    """
    if not len(hits) or hits.all() or not hits.any():
        return 1.0
    share = hits.mean()
    sizes = np.bincount(clusters)
    off = np.bincount(clusters, weights=hits) - share * sizes
    groups = np.count_nonzero(sizes)
    if groups < 2:
        return 1.0
    variance = (off**2).sum() * groups / (groups - 1)
    return max(1.0, float(variance / (share * (1 - share) * len(hits))))


def tail_bound(count: float, total: float, share: float) -> float:
    """An upper bound for the probability that chance gives `count` of `total` or more.

    >>> tail_bound(10, 10, 0.5) == 0.5**10, tail_bound(4, 10, 0.5)
    (True, 1.0)
    """
    if not total or count <= share * total:
        return 1.0
    if share <= 0:
        return 0.0
    seen = count / total
    divergence = seen * math.log(seen / share)
    if seen < 1:
        divergence += (1 - seen) * math.log((1 - seen) / (1 - share))
    return math.exp(-total * divergence)


def widest_gap_chance(gap: int, draws: int, size: int) -> float:
    """A bound for the probability that uniform draws leave a gap as wide somewhere.

    Args:
        gap: How many neighbouring values were not drawn.
        draws: How many draws.
        size: How many values there are.

    >>> widest_gap_chance(0, 100, 50), widest_gap_chance(10, 1_000, 50) < 1e-90
    (1.0, True)
    """
    return min(1.0, (draws + 1) * (1 - gap / size) ** draws)


def occupied(draws: int, size: int) -> tuple[float, float]:
    """How many different values uniform draws hit: the mean and the standard deviation.

    >>> mean, deviation = occupied(100, 100)
    >>> round(mean, 1), round(deviation, 1)
    (63.4, 3.1)
    """
    empty = (1 - 1 / size) ** draws
    both_empty = max(0.0, 1 - 2 / size) ** draws
    variance = size * empty + size * (size - 1) * both_empty - (size * empty) ** 2
    return size * (1 - empty), math.sqrt(max(variance, 1e-9))
