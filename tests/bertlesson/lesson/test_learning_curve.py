"""Both starts get the same runs, and the chart says what was measured."""

from __future__ import annotations

import numpy as np
import pytest

from bertlesson.lesson.learning_curve import TUNING_SEED, LearningCurve, draw, measure

Run = tuple[bool, int, int, float]


def test_both_starts_get_the_same_runs_and_each_the_rate_that_suits_it() -> None:
    runs: list[tuple[Run, str]] = []

    def train(*run: object) -> object:
        return run

    def score(run: Run, split: str) -> float:
        runs.append((run, split))
        pretrained, size, seed, rate = run
        best = 0.1 if pretrained else 0.2
        return 1 - abs(rate - best) - 1 / size - seed / 100_000

    curve = measure(
        train,
        score,
        sizes=(10, 20),
        seeds=3,
        rates=(0.1, 0.2, 0.4),
        tuning_size=20,
        progress=False,
    )
    assert curve.rates == {"pretrained": 0.1, "random": 0.2}
    for pretrained, rate in ((True, 0.1), (False, 0.2)):
        own = [(run, split) for run, split in runs if run[0] == pretrained]
        assert own == [
            *(((pretrained, 20, TUNING_SEED, tried), "dev") for tried in (0.1, 0.2, 0.4)),
            *(((pretrained, size, seed, rate), "test") for size in (10, 20) for seed in range(3)),
        ]
    assert curve.scores["random"].tolist() == [
        [pytest.approx(1 - 1 / size - seed / 100_000) for seed in range(3)] for size in (10, 20)
    ]


CURVE = LearningCurve(
    (16, 64),
    {
        "pretrained": np.array([[0.8, 0.6], [0.9, 0.9]]),
        "random": np.array([[0.4, 0.2], [0.95, 0.95]]),
    },
    {"pretrained": 3e-4, "random": 1e-2},
)


def test_means_and_gaps() -> None:
    assert CURVE.mean("pretrained", 16) == pytest.approx(0.7)
    assert CURVE.gaps == {16: pytest.approx(0.4), 64: pytest.approx(-0.05)}


def test_the_summary_has_a_line_for_each_size_and_the_rates() -> None:
    assert CURVE.summary(".2f").split("\n") == [
        "labels         pretrained start  random start",
        "    16                     0.70          0.30",
        "    64                     0.90          0.95",
        "learning rate            0.0003          0.01",
    ]


def test_the_chart_tells_its_numbers_in_words() -> None:
    figure = draw(CURVE, title="A title", unit="accuracy", labels="labelled sentences")
    told = figure.get_label()
    assert "with 16, 70% against 30%; with 64, 90% against 95%" in told
    assert "means of 2 seeds" in told
    (axes,) = figure.axes
    assert axes.get_title() == "A title"
    assert [line.get_ydata().tolist() for line in axes.lines] == [
        pytest.approx([0.7, 0.9]),
        pytest.approx([0.3, 0.95]),
    ]


def test_the_chart_shows_each_start_in_its_own_way() -> None:
    """The band is from the worst seed to the best, and a name stands at the end of its line."""
    (axes,) = draw(CURVE, title="A title", unit="F1", labels="labels").axes
    for number, (band, line, name) in enumerate(
        zip(axes.collections, axes.lines, axes.texts, strict=True)
    ):
        scores = CURVE.scores[("pretrained", "random")[number]]
        corners = {tuple(corner) for corner in band.get_paths()[0].vertices.tolist()}
        ends = [
            *zip(CURVE.sizes, scores.min(1), strict=True),
            *zip(CURVE.sizes, scores.max(1), strict=True),
        ]
        assert corners == set(ends)
        assert band.get_linewidth().tolist() == [0]
        assert (line.get_color(), line.get_marker()) == (f"C{number}", "os"[number])
        assert (name.get_color(), name.get_position()) == (f"C{number}", (8, 0))
        assert name.xy == (64, scores.mean(1)[-1])
        assert name.anncoords == "offset points"
    assert [name.get_text() for name in axes.texts] == ["pretrained start", "random start"]


def test_the_bar_counts_runs(capsys: pytest.CaptureFixture[str]) -> None:
    measure(lambda *run: run, lambda *_: 1.0, sizes=(4,), seeds=2, rates=(0.1,), tuning_size=4)
    told = capsys.readouterr().err
    assert told.strip().startswith("fine-tuning")
    assert "6/6" in told
