"""The pairs from arrays equal those of `create_pairs`, and so do the errors."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertlesson import pair_arrays
from bertlesson.layout import SpecialIds
from bertlesson.nsp import create_pairs
from bertlesson.pair_arrays import PieceCorpus, make_pairs, pair_corpus
from tests.bertlesson.small_documents import (
    GOOD,
    PIECES,
    VOCAB,
    SlowWayError,
    distinct_documents,
    lengths,
    make_documents,
    refuse_the_slow_way,
    seeds,
    unusual,
)


def both(documents: Any, vocab: Any = VOCAB, seed: int = 0, **settings: Any) -> list[Any]:
    """What the two functions give or raise, and the state in which they leave the generator."""
    seen = []
    for function in (create_pairs, make_pairs):
        rng = random.Random(seed)
        try:
            made: Any = function(documents, vocab, rng=rng, **settings)
            made = [(each.dtype, each.tolist()) for each in dataclasses.astuple(made)]
        except (TypeError, ValueError) as error:
            made = (type(error), str(error))
        seen.append((made, rng.getstate()))
    return seen


@pytest.mark.slow
@given(distinct_documents, lengths, st.sampled_from([0, 0.1, 1]), seeds)
def test_pairs_of_small_documents_are_the_same(
    documents: Any, length: int, short: float, seed: int
) -> None:
    theirs, ours = both(documents, seed=seed, max_seq_length=length, short_seq_prob=short)
    assert ours == theirs


@pytest.mark.parametrize("length", [5, 16, 48, 128])
@pytest.mark.parametrize("sentences", [(1, 3), (2, 12)])
def test_pairs_of_many_documents_are_the_same(length: int, sentences: tuple[int, int]) -> None:
    documents = make_documents(200, sentences, words=(1, 20), seed=length)
    theirs, ours = both(documents, seed=length, max_seq_length=length)
    assert ours == theirs
    assert len(ours[0][0][1]) > 100


@pytest.mark.parametrize("kind", [list, tuple])
def test_lists_and_tuples_go_the_quick_way(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow way gives the same pairs, so that nobody would notice that it was taken."""
    monkeypatch.setattr(pair_arrays, "create_pairs", refuse_the_slow_way)
    documents = kind(kind(map(kind, document)) for document in make_documents(20))
    settings: dict[str, Any] = {"max_seq_length": 32, "rng": random.Random(0)}
    assert len(make_pairs(documents, VOCAB, **settings)) > 20
    assert len(make_pairs(documents[:2], VOCAB, **settings)) > 1
    for other in unusual(documents):
        with pytest.raises(SlowWayError):
            make_pairs(other, VOCAB, **settings)


def test_a_b_that_would_follow_is_drawn_again_at_the_same_draw() -> None:
    rng = random.Random(0)
    for seed in range(150):
        texts = [[f"w{i}", *rng.choices(["##e0", "w40"], k=rng.randint(0, 4))] for i in range(9)]
        documents = [rng.choices(texts, k=rng.randint(2, 7)) for _ in range(6)]
        theirs, ours = both(documents, seed=seed, max_seq_length=rng.choice([6, 9, 14]))
        assert ours == theirs


@pytest.mark.parametrize(
    "documents",
    [
        [],
        "text",
        ["text", "text"],
        [["text", "text"]] * 2,
        [[[1], [2]], [[3], [4]]],
        [GOOD[0]],
        [*GOOD, [["w1"], []]],
        [[["w1"], [], ["w2"]], *GOOD],
        [*GOOD, [["##e1"], ["w1"]]],
        [*GOOD, [["w1", "xyz"], ["w1"]]],
        [*GOOD, [["w1", "[SEP]"], ["w1"]]],
        [*GOOD, [[["w1"]]]],
        [GOOD[0]] * 5,
        tuple(tuple(map(tuple, document)) for document in GOOD),
    ],
)
def test_what_create_pairs_refuses_is_refused_with_the_same_words(documents: Any) -> None:
    for seed in range(6):
        theirs, ours = both(documents, seed=seed, max_seq_length=9)
        assert ours == theirs


@pytest.mark.parametrize(
    ("vocab", "settings"),
    [
        (PIECES, {"max_seq_length": 9}),
        ({"w1": 0}, {"max_seq_length": 9}),
        (VOCAB, {"max_seq_length": 4}),
        (VOCAB, {"max_seq_length": 9, "short_seq_prob": 2}),
        # two pieces with one id are two pieces still
        (VOCAB | {"w1": 9, "##e1": 9}, {"max_seq_length": 9}),
    ],
)
def test_settings_and_vocabularies_are_judged_alike(vocab: Any, settings: Any) -> None:
    theirs, ours = both(GOOD, vocab, **settings)
    assert ours == theirs


def test_any_random_will_do() -> None:
    class Other(random.Random):
        def getrandbits(self, k: int) -> int:
            return super().getrandbits(k) ^ 1

    documents = make_documents(20)
    theirs, ours = (
        function(documents, VOCAB, max_seq_length=32, rng=Other(3)).input_ids.tolist()
        for function in (create_pairs, make_pairs)
    )
    assert ours == theirs
    with pytest.raises(TypeError, match="rng is of type int"):
        make_pairs(documents, VOCAB, max_seq_length=32, rng=3)  # type: ignore[arg-type]


def test_a_corpus_of_ids_gives_the_same_pairs() -> None:
    documents = make_documents(30)
    ids = np.array([VOCAB[piece] for document in documents for s in document for piece in s])
    corpus = PieceCorpus(
        ids.astype(np.uint16),
        [len(sentence) for document in documents for sentence in document],
        [len(document) for document in documents],
        np.array([piece.startswith("##") for piece in PIECES]),
    )
    special = SpecialIds.of(VOCAB)
    ours = pair_corpus(corpus, special, 24, 0.1, random.Random(5))
    theirs = create_pairs(documents, VOCAB, max_seq_length=24, rng=random.Random(5))
    for one, other in zip(dataclasses.astuple(ours), dataclasses.astuple(theirs), strict=True):
        np.testing.assert_array_equal(one, other)
    assert ours.input_ids.dtype == np.int64
