"""How many labels does it take? Fine-tuning from the pretrained encoder and from a random start.

The lesson's three fine-tuning examples ask the same question about three heads, so they share this
module: both starts get the same sizes, seeds, numbers of updates and tuning of the learning rate,
and all three draw the same chart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm.auto import tqdm

__all__ = ["STARTS", "TUNING_SEED", "LearningCurve", "draw", "measure"]

STARTS = ("pretrained", "random")
TUNING_SEED = 1_000  # not the seed of any reported run


class LearningCurve(NamedTuple):
    """Scores by start, number of labels and seed.

    Attributes:
        sizes: Numbers of labelled examples.
        scores: For each of `STARTS`, ``(sizes, seeds)``, from 0 to 1.
        rates: The learning rate chosen for each start.
    """

    sizes: tuple[int, ...]
    scores: dict[str, NDArray[np.float64]]
    rates: dict[str, float]

    def mean(self, start: str, size: int) -> float:
        """The mean over the seeds."""
        return float(self.scores[start][self.sizes.index(size)].mean())

    @property
    def gaps(self) -> dict[int, float]:
        """The mean lead of the pretrained start over the random one, by number of labels."""
        return {
            size: self.mean(STARTS[0], size) - self.mean(STARTS[1], size) for size in self.sizes
        }

    def summary(self, spec: str = ".1%") -> str:
        """A table of the means by number of labels, with the learning rates in its last row.

        Args:
            spec: The format of a score, as in an f-string.
        """
        rows = [("labels", *(f"{start} start" for start in STARTS))]
        for size in self.sizes:
            ahead, behind = (f"{self.mean(start, size):{spec}}" for start in STARTS)
            rows.append((f"{size:6}", ahead, behind))
        ahead, behind = (f"{self.rates[start]:g}" for start in STARTS)
        rows.append(("learning rate", ahead, behind))
        return "\n".join(f"{name:13}{ahead:>18}{behind:>14}" for name, ahead, behind in rows)


def measure(
    train: Callable[[bool, int, int, float], Any],
    score: Callable[[Any, str], float],
    *,
    sizes: Sequence[int],
    seeds: int,
    rates: Sequence[float],
    tuning_size: int,
    progress: bool = True,
) -> LearningCurve:
    """Train from both starts at every size with every seed, and score on the test data.

    The learning rate of each start is chosen first: the one that scores best on development data
    after training on `tuning_size` labels with a separate seed.

    Args:
        train: Called with ``(pretrained, size, seed, rate)``; returns a model trained on `size`
            labels. The seed determines which labels, and everything else that is random.
        score: Called with ``(model, split)``, where the split is "dev" or "test"; returns a score
            from 0 to 1.
        sizes: Numbers of labelled examples, in ascending order.
        seeds: Number of runs at each size.
        rates: Learning rates to choose from.
        tuning_size: Number of labels used to choose the learning rate.
        progress: Whether to show a progress bar.

    >>> def train(pretrained, size, seed, rate):
    ...     return 1 - (1 if pretrained else 8) / size - rate
    >>> curve = measure(
    ...     train, lambda model, split: model, sizes=(16, 32), seeds=2, rates=(0.1, 0.0),
    ...     tuning_size=16, progress=False,
    ... )
    >>> curve.rates["random"], curve.mean("random", 32), curve.gaps[16]
    (0.0, 0.75, 0.4375)
    """
    runs = len(STARTS) * (len(rates) + len(sizes) * seeds)
    scores = {start: np.zeros((len(sizes), seeds)) for start in STARTS}
    chosen: dict[str, float] = {}
    with tqdm(total=runs, desc="fine-tuning", unit="run", disable=not progress) as bar:
        for start in STARTS:
            pretrained = start == STARTS[0]
            tried: dict[float, float] = {}
            for rate in rates:
                tried[rate] = score(train(pretrained, tuning_size, TUNING_SEED, rate), "dev")
                bar.update()
            chosen[start] = max(tried, key=lambda rate: tried[rate])
            for row, size in enumerate(sizes):
                for seed in range(seeds):
                    model = train(pretrained, size, seed, chosen[start])
                    scores[start][row, seed] = score(model, "test")
                    bar.update()
    return LearningCurve(tuple(sizes), scores, chosen)


def draw(curve: LearningCurve, *, title: str, unit: str, labels: str) -> Figure:
    """Draw the means as lines, the range over the seeds as bands, with a text alternative.

    Args:
        curve: A curve from `measure`.
        title: The title, which states what the chart shows.
        unit: What the scores are, for the vertical axis.
        labels: What the sizes count, for the horizontal axis.
    """
    fig, ax = plt.subplots()
    for number, start in enumerate(STARTS):
        scores, colour = curve.scores[start], f"C{number}"
        ax.fill_between(curve.sizes, scores.min(1), scores.max(1), color=colour, alpha=0.2, lw=0)
        ax.plot(curve.sizes, scores.mean(1), color=colour, marker="os"[number])
    ax.set_xscale("log", base=2)
    ax.set_xticks(curve.sizes, [f"{size:,}" for size in curve.sizes])
    ax.set_xticks([], minor=True)
    ax.set_ylim(-0.03, 1.03)
    # each name is at the end of its line, where no line can cross it
    for number, start in enumerate(STARTS):
        ax.annotate(
            f"{start} start",
            (curve.sizes[-1], curve.mean(start, curve.sizes[-1])),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=f"C{number}",
        )
    ax.set_title(title)
    ax.set_xlabel(f"{labels} (band: from the worst seed to the best)")
    ax.set_ylabel(unit)
    seeds = len(curve.scores[STARTS[0]][0])
    ahead, behind = (curve.scores[start].mean(axis=1) for start in STARTS)
    told = "; ".join(
        f"with {size:,}, {a:.0%} against {b:.0%}"
        for size, a, b in zip(curve.sizes, ahead, behind, strict=True)
    )
    fig.set_label(
        f"Line chart of {unit} by number of {labels}, means of {seeds} seeds with the range "
        f"between the worst and the best, from the pretrained and from a random start: {told}."
    )
    return fig
