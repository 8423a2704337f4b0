"""The small mix: its draws, its masks, its probe, and a run that is the same twice."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bertlesson.lesson.small_mix import (
    MASK,
    SPECIAL_TOKENS,
    Draws,
    Exam,
    Settings,
    fit_probe,
    hide,
    make_text,
    new_model,
    train,
)
from bertlesson.masking import MaskingRecipe

SMALL = Settings(steps=6, every=4, stories=6, held_out=12, labelled=20, tested=20)
text = make_text(SMALL)
rows = text.encode(text.rows)


def test_draws_are_uniform_and_go_on_where_they_stopped() -> None:
    draws = Draws(5)
    parts = np.concatenate([draws.take(n) for n in (0, 3, 5_000, 14_997)])
    assert np.array_equal(parts, Draws(5).take(20_000))
    shares, _ = np.histogram(parts, bins=10, range=(0, 1))
    assert np.abs(shares / 2_000 - 1).max() < 0.15  # five standard errors
    assert not np.array_equal(parts[:10], Draws(6).take(10))


@pytest.mark.parametrize(("mask", "random"), [(0.8, 0.1), (0.0, 0.6), (0.0, 0.0)])
def test_hidden_tokens_have_the_recipes_shares(mask: float, random: float) -> None:
    many = np.tile(rows, (20, 1))
    recipe = MaskingRecipe(select=0.3, mask=mask, random=random)
    seen, selected = hide(many, len(text.pieces), recipe, Draws(1))
    words = many >= len(SPECIAL_TOKENS)
    assert np.array_equal(seen[~selected], many[~selected])
    assert not (selected & ~words).any()
    count = selected.sum()
    assert count / words.sum() == pytest.approx(0.3, abs=0.02)
    assert (seen[selected] == MASK).mean() == pytest.approx(mask, abs=0.03)
    changed = seen[selected] != many[selected]
    assert changed.mean() == pytest.approx(mask + random, abs=0.03)


def test_all_recipes_select_the_same_tokens() -> None:
    one, other = (
        hide(rows, len(text.pieces), MaskingRecipe(mask=mask, random=0.0), Draws(2))[1]
        for mask in (1.0, 0.2)
    )
    assert one.any()
    assert np.array_equal(one, other)


def test_a_row_is_two_neighbouring_sentences_and_no_name_is_in_both_parts_of_the_probe() -> None:
    assert len(text.rows) == 6 * 11
    assert text.rows[0] == text.stories[0][0] + text.stories[0][1]
    names = [
        {
            word
            for sentence, tags in zip(*part, strict=True)
            for word, tag in zip(sentence, tags, strict=True)
            if tag != "O" and word != "the"
        }
        for part in (text.labelled, text.tested)
    ]
    assert all(names)
    assert not names[0] & names[1]


def test_the_probe_comes_close_to_the_lowest_loss() -> None:
    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal(size=(200, 6)), np.ones((200, 1))], axis=1)
    numbers = (vectors @ rng.normal(size=(7, 3)) + rng.normal(size=(200, 3))).argmax(1)
    steepness = []
    for start in (np.zeros((7, 3)), fit_probe(vectors, numbers, 3)):
        weights = torch.tensor(start, requires_grad=True)
        scores = torch.from_numpy(vectors) @ weights
        loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(numbers), reduction="sum")
        (loss + weights.square().sum() / 2).backward()
        assert weights.grad is not None
        steepness.append(weights.grad.norm().item())
    assert steepness[1] < 1e-3 * steepness[0]


def test_new_weights_have_the_spread_and_nothing_is_known_yet() -> None:
    model = new_model(text, seed=0)
    table = model.bert.embeddings.word_embeddings.weight
    assert table.std().item() == pytest.approx(0.1, rel=0.05)
    assert max(Exam(text).scores(model)[:3]) < 0.1


def test_a_run_is_measured_on_its_way_and_the_same_twice() -> None:
    one, other = (train(text, seed=1, settings=SMALL) for _ in range(2))
    assert [point.step for point in one] == [0, 4, 6]
    assert one[1:] == other[1:]
    assert np.isnan(one[0].loss)
    rarely = train(text, seed=1, settings=SMALL, every=6)
    assert rarely[1:] == one[2:], "measuring less often changes nothing"
    assert train(text, seed=2, settings=SMALL)[1:] != one[1:]
