"""Progress and endings in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Workshop
from tests.tools.run.helpers import until
from tools.run.process import BAR, bar_in_words, ending_in_words


@pytest.mark.parametrize(
    ("bar", "words"),
    [
        (" 17%|█▋        | 2/12 [00:02<00:10,  1.00s/it]", "2 of 12, 10 s left"),
        ("seed 1:  50%|█████     | 50/100 [01:05<01:05,  1.3s/it]",
         "seed 1: 50 of 100, 1 min 5 s left"),
        ("train: 75%|███| 1.2k/1.6k [2:01:00<1:00:03, 8.2it/s, mlm=2.31, nsp=0.52]",
         "train: 1.2k of 1.6k, 60 min 3 s left, mlm=2.31, nsp=0.52"),
        ("  0%|          | 0/12 [00:00<?, ?it/s]", "0 of 12"),
        ("100%|██████████| 12/12 [00:02<00:00,  5.9it/s]", "12 of 12, 0 s left"),
    ],
)  # fmt: skip
def test_a_progress_bar_in_words(bar: str, words: str) -> None:
    found = BAR.search(bar)
    assert found
    assert bar_in_words(found) == words


def test_the_bars_that_tqdm_draws_are_understood(workshop: Workshop, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    text = f"""
    # %% train it
    import os, time
    from tqdm import tqdm

    bar = tqdm(range(4), desc="seed 1", mininterval=0)
    for step in bar:
        bar.set_postfix(loss=0.5)
        while step == 2 and not os.path.exists({str(gate)!r}):
            time.sleep(0.02)
    """
    example = workshop.example("one", text)
    runner = workshop.runner()
    runner.want([example])
    wanted = ("cell 1 of 1 (train it): seed 1: 2 of 4", "loss=0.5")
    until(lambda: all(part in runner.outcome(example).progress for part in wanted))
    gate.touch()
    runner.wait()
    assert runner.outcome(example).state == "done"


def test_endings_are_said_in_words() -> None:
    assert ending_in_words(139) == "was ended by SIGSEGV"
    assert ending_in_words(3) == "ended with exit code 3 and without a result"
