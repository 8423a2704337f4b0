"""Which seeds are found in code."""

from __future__ import annotations

import pytest

from tools.weave.seeds import seeds


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("torch.manual_seed(252)", [252]),
        ("torch.Generator().manual_seed(4)", [4]),
        ("set_seed(3)", [3]),
        ("np.random.default_rng(5)\nrandom.Random(2)", [2, 5]),
        ("f(x, seed=9)", [9]),
        ("def f(x, seed=6, *, y=1): ...", [6]),
        ("def f(x, /, a, *, random_state=8, y): ...", [8]),
        ("lambda x=1, seed=2: x", [2]),
        ("SEED = 7", [7]),
        ("SEEDS = 3", [0, 1, 2]),
        ("SEEDS = [3]\nseed = other\nf(seed=seed)", []),
        ("f(seed=True)\nf(3)\nx = 3\nmanual_seed(n)\nf(x, 0, 'test')", []),
        ("seeds[0](4)\nf()()", []),
        ("", []),
    ],
)
def test_seeds_that_are_written_out_are_found(code: str, found: list[int]) -> None:
    assert seeds((code,)) == found


def test_all_cells_are_read_and_each_seed_is_named_once() -> None:
    assert seeds(("f(seed=2)", "f(seed=0)", "f(seed=2)")) == [0, 2]
