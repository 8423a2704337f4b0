"""The small mix: its draws, its masks, its probe, and a run that is the same twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from bertlesson.entities import entity_f1
from bertlesson.lesson.corpus import generate_documents
from bertlesson.lesson.labelled import entity_examples
from bertlesson.lesson.small_mix import (
    LABELS,
    MASK,
    SPECIAL_TOKENS,
    Draws,
    Exam,
    Settings,
    batches,
    fit_probe,
    hide,
    make_text,
    new_model,
    page_data,
    tokens_of,
    train,
    vectors_of,
)
from bertlesson.masking import MaskingRecipe
from bertlesson.tags import read_tags

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


def mulberry32(state: int) -> Iterator[float]:
    """As its author wrote it, one number at a time."""
    while True:
        state = (state + 0x6D2B79F5) % 2**32
        mixed = (state ^ state >> 15) * (state | 1) % 2**32
        mixed ^= (mixed + (mixed ^ mixed >> 7) * (mixed | 61)) % 2**32
        yield (mixed ^ mixed >> 14) % 2**32 / 2**32


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_draws_are_those_of_mulberry32(seed: int) -> None:
    draws = Draws(seed)
    parts = np.concatenate([draws.take(5), draws.take(300)])
    assert parts.tolist() == list(itertools.islice(mulberry32(seed), 305))


def test_the_text_is_that_of_the_lesson() -> None:
    text = make_text(SMALL)
    stories = generate_documents(SMALL.stories, seed=0)
    assert [story[3] for story in text.stories] == [
        tokens_of(story.sentences[3].text) for story in stories
    ]
    others = generate_documents(SMALL.held_out, seed=0, split="test")
    assert text.held_out == [
        tokens_of(story.sentences[n % 11].text) + tokens_of(story.sentences[n % 11 + 1].text)
        for n, story in enumerate(others)
    ]
    for split, part, count in (
        ("train", text.labelled, SMALL.labelled),
        ("test", text.tested, SMALL.tested),
    ):
        expected = entity_examples(count, seed=0, split=split)  # type: ignore[arg-type]
        assert part.sentences == [tokens_of(sentence.text) for sentence in expected]
        for sentence, tokens, tags in zip(expected, *part, strict=True):
            names = [
                (kind, tokens_of(sentence.text[start:end]))
                for start, end, kind in sentence.entities
            ]
            assert [(kind, tokens[a:b]) for a, b, kind in read_tags(tags)] == names


def test_each_row_comes_once_before_any_comes_again() -> None:
    """Also where an epoch ends within a batch."""
    size = 25
    assert len(rows) % size
    drawn = batches(text, MaskingRecipe(), seed=0, size=size)
    seen = np.concatenate([next(drawn)[0] for _ in range(6)])
    for epoch in range(2):
        part = seen[epoch * len(rows) : (epoch + 1) * len(rows)]
        assert sorted(part.tolist()) == sorted(rows.tolist())


def test_the_probe_is_scored_by_entity_f1() -> None:
    model = new_model(text, seed=0)
    labelled, tested = (text.encode(part.sentences) for part in (text.labelled, text.tested))
    numbers = np.array([LABELS.index(tag) for tags in text.labelled.tags for tag in tags])
    with torch.no_grad():
        weights = fit_probe(vectors_of(model, labelled), numbers, len(LABELS))
        guesses = iter((vectors_of(model, tested) @ weights).argmax(1).tolist())
        found = [[LABELS[next(guesses)] for _ in tags] for tags in text.tested.tags]
        score = entity_f1(text.tested.tags, found)
        assert 0 < score < 1
        assert Exam(text).probe(model) == pytest.approx(score)


def test_a_page_gets_all_of_the_text() -> None:
    data = page_data(text, SMALL)
    assert data["settings"]["steps"] == SMALL.steps
    assert data["heldOut"][1].split() == text.held_out[1]
    assert data["stories"][2][4].split() == text.stories[2][4]
    for part in ("labelled", "tested"):
        pairs = zip(*getattr(text, part), strict=True)
        expected = [[" ".join(tokens), " ".join(tags)] for tokens, tags in pairs]
        assert data[part] == expected


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
    assert train(text, settings=SMALL)[1:] == train(text, seed=0, settings=SMALL)[1:]
