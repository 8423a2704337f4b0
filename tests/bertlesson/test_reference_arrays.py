"""The instances as arrays equal the reference's, and so do the errors."""

from __future__ import annotations

import copy
import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertlesson import mersenne, reference_arrays
from bertlesson.reference import create_pretraining_instances
from bertlesson.reference_arrays import PretrainingInstances, make_pretraining_instances
from tests.bertlesson.small_documents import (
    GOOD,
    PIECES,
    SETTINGS,
    VOCAB,
    SlowWayError,
    any_documents,
    lengths,
    make_documents,
    refuse_the_slow_way,
    seeds,
    unusual,
)

GOLDEN = [
    pytest.param(case, id=f"{path.stem}-{case['seed']}")
    for path in sorted((Path(__file__).parent / "golden").glob("*.json"))
    for case in json.loads(path.read_text())
]


def both(
    documents: Any, vocab: Any = PIECES, seed: int = 0, kind: Any = random.Random, **changes: Any
) -> list[Any]:
    """What the two functions give or raise, and the state in which they leave the generator."""
    seen = []
    for function in (create_pretraining_instances, make_pretraining_instances):
        rng = kind(seed)
        rng.gauss(0, 1)
        try:
            made: Any = function(documents, vocab, **SETTINGS | changes, rng=rng)
            if isinstance(made, PretrainingInstances):
                made = made.in_words(vocab)
        except (TypeError, ValueError) as error:
            made = (type(error), str(error))
        seen.append((made, rng.getstate()))
    return seen


@pytest.mark.parametrize("kind", [list, tuple])
def test_lists_and_tuples_go_the_quick_way(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow way gives the same instances, so that nobody would notice that it was taken."""
    monkeypatch.setattr(reference_arrays, "create_pretraining_instances", refuse_the_slow_way)
    documents = kind(kind(map(kind, document)) for document in make_documents(20))
    given: dict[str, Any] = SETTINGS | {"rng": random.Random(0)}
    assert len(make_pretraining_instances(documents, PIECES, **given).input_ids) > 20
    for other in unusual(documents):
        with pytest.raises(SlowWayError):
            make_pretraining_instances(other, PIECES, **given)


@pytest.mark.slow
@given(
    documents=any_documents,
    seed=seeds,
    length=lengths,
    dupe=st.integers(0, 3),
    short=st.sampled_from([0, 0.1, 1]),
    share=st.sampled_from([0, 0.15, 0.5, 1]),
    most=st.integers(0, 70),
    whole=st.booleans(),
)
def test_instances_of_small_documents_are_the_same(
    documents: Any,
    seed: int,
    length: int,
    dupe: int,
    short: float,
    share: float,
    most: int,
    whole: bool,
) -> None:
    before = copy.deepcopy(documents)
    theirs, ours = both(
        documents,
        seed=seed,
        max_seq_length=length,
        dupe_factor=dupe,
        short_seq_prob=short,
        masked_lm_prob=share,
        max_predictions_per_seq=most,
        whole_word_mask=whole,
    )
    assert ours == theirs
    assert documents == before


@pytest.mark.parametrize("case", GOLDEN)
def test_instances_equal_the_references(case: dict[str, Any]) -> None:
    made = make_pretraining_instances(
        case["documents"], case["vocab"], **case["config"], rng=random.Random(case["seed"])
    )
    expected = case["instances"]
    assert [dataclasses.asdict(each) for each in made.in_words(case["vocab"])] == expected


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("length", [5, 16, 48, 128, 300])
@pytest.mark.parametrize(("sentences", "words"), [((1, 3), (1, 20)), ((2, 12), (1, 60))])
def test_instances_of_many_documents_are_the_same(
    length: int, sentences: tuple[int, int], words: tuple[int, int], whole: bool
) -> None:
    documents = make_documents(200, sentences, words, seed=length)
    theirs, ours = both(
        documents,
        seed=length,
        max_seq_length=length,
        dupe_factor=2,
        max_predictions_per_seq=40,
        whole_word_mask=whole,
    )
    assert ours == theirs
    assert len(ours[0]) > 400


@pytest.mark.slow
@pytest.mark.parametrize("whole", [False, True])
def test_they_are_the_same_wherever_the_words_run_out(
    whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = make_documents(40, (1, 8), (1, 20))
    for first in range(1, 200, 7):
        monkeypatch.setattr(mersenne, "FIRST", first)
        monkeypatch.setattr(mersenne, "LARGEST", first)
        theirs, ours = both(
            documents, seed=first, max_seq_length=64, short_seq_prob=0.5, whole_word_mask=whole
        )
        assert ours == theirs


def test_they_are_the_same_if_hardly_a_word_is_of_one_piece() -> None:
    rng = random.Random(0)
    endings = [piece for piece in PIECES if piece.startswith("##")]

    def word() -> list[str]:
        begin = rng.choice([*endings, "w1", "w2", "w3", "w4"])
        return [begin, *rng.choices(endings, k=rng.choice([0, 1, 2, 3, 4]))]

    documents = [
        [[piece for _ in range(rng.randint(1, 9)) for piece in word()] for _ in range(5)]
        for _ in range(60)
    ]
    for most in (1, 2, 3, 5, 50):
        for share in (0.15, 0.5, 1):
            theirs, ours = both(
                documents,
                seed=most,
                max_seq_length=40,
                dupe_factor=2,
                masked_lm_prob=share,
                max_predictions_per_seq=most,
                whole_word_mask=True,
            )
            assert ours == theirs


@pytest.mark.parametrize("size", [5, 7, 8, 9, 2**17 + 1])
def test_they_are_the_same_for_vocabularies_of_all_sizes(size: int) -> None:
    special = ["[PAD]", "[CLS]", "[SEP]", "[MASK]"]
    vocab = [*special, *(f"v{i}" for i in range(size - 4))]
    documents = [[["v0"] * 9, ["v0"] * 5, ["v0"]] for _ in range(20)]
    theirs, ours = both(documents, vocab, masked_lm_prob=1, max_predictions_per_seq=40)
    assert ours == theirs


class Other(random.Random):
    def getrandbits(self, k: int) -> int:
        return super().getrandbits(k) ^ 1


@pytest.mark.parametrize(
    ("documents", "changes"),
    [
        (make_documents(9), {"kind": Other}),
        (make_documents(9), {"vocab": [*PIECES, "w1"]}),
        (make_documents(9), {"vocab": tuple(PIECES)}),
        ([[["w1", "w2", "w3"] * 1000] * 3] * 3, {"max_seq_length": 4095}),
        ([[["w1", "w2", "w3"] * 1000] * 3] * 3, {"max_seq_length": 5000}),
        (tuple(tuple(map(tuple, document)) for document in make_documents(9)), {}),
        ([[["w1", "[SEP]", "##e1", "w2"], ["w3"]]] * 5, {}),
        ([[["w1", "w2", "[CLS]"], ["w3"]]] * 5, {}),
        ([[["w1", "[SEP]", "##e1", "w2", "[CLS]"], ["w3"]]] * 5, {"whole_word_mask": True}),
        ([[["[PAD]", "[MASK]", "[UNK]"], ["w3"]]] * 5, {}),
        ([[["w1", "w2"]]], {"dupe_factor": 5}),
        ([[["##e1"] * 9]] * 3, {"dupe_factor": 5, "whole_word_mask": True}),
        ([[], [[]], [["w1"], []], []], {}),
        ([[], [[]]], {}),
        ([], {}),
        (GOOD, {"dupe_factor": 0}),
    ],
)
def test_what_is_unusual_is_the_same(documents: Any, changes: dict[str, Any]) -> None:
    theirs, ours = both(documents, **changes)
    assert isinstance(ours[0], list)
    assert ours == theirs


@pytest.mark.parametrize(
    "changes",
    [
        {"documents": "text"},
        {"documents": [["text", "text"]]},
        {"documents": [[[1], [2]], [[3], [4]]]},
        {"documents": [*GOOD, [[["w1"]]]]},
        {"vocab": VOCAB},
        {"vocab": "w1"},
        {"vocab": []},
        {"max_seq_length": 4},
        {"max_seq_length": "8"},
        {"short_seq_prob": 2},
        {"masked_lm_prob": float("nan")},
        {"dupe_factor": -1},
        {"max_predictions_per_seq": -1},
        {"max_predictions_per_seq": 1.5},
    ],
)
def test_what_the_reference_refuses_is_refused_with_the_same_words(changes: dict[str, Any]) -> None:
    theirs, ours = both(**{"documents": GOOD} | changes)
    assert isinstance(ours[0], tuple)
    assert ours == theirs


def test_an_rng_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="rng is of type int"):
        make_pretraining_instances(GOOD, PIECES, **SETTINGS, rng=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("missing", ["w3", "[PAD]", "[CLS]", "[SEP]", "[MASK]"])
def test_what_has_no_id_is_refused(missing: str) -> None:
    vocab = [piece for piece in PIECES if piece != missing]
    for dupe in (0, 1):
        with pytest.raises(ValueError, match="expected every piece of the documents in it") as it:
            make_pretraining_instances(
                GOOD, vocab, **SETTINGS | {"dupe_factor": dupe}, rng=random.Random(0)
            )
        assert f"vocab_words has no {missing};" in str(it.value)


def test_rows_are_what_a_model_takes() -> None:
    made = make_pretraining_instances(make_documents(30), PIECES, **SETTINGS, rng=random.Random(0))
    arrays = dataclasses.asdict(made)
    assert all(array.dtype == np.int64 for array in arrays.values())
    assert {array.shape for array in arrays.values()} == {(len(made),), (len(made), 32)}
    padding = made.attention_mask == 0
    assert padding.any()
    assert (made.input_ids[padding] == VOCAB["[PAD]"]).all()
    assert (made.token_type_ids[padding] == 0).all()
    assert (made.labels[padding] == -100).all()
    batch, row = made[[3, 1]], made[1]
    assert batch.keys() == row.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(batch[name][1], row[name])
        np.testing.assert_array_equal(row[name], array[1])


@pytest.mark.slow
@given(seeds)
def test_two_calls_go_on_where_the_first_left_off(seed: int) -> None:
    documents = make_documents(5)
    theirs, ours = random.Random(seed), random.Random(seed)
    for _ in range(2):
        expected = create_pretraining_instances(documents, PIECES, **SETTINGS, rng=theirs)
        made = make_pretraining_instances(documents, PIECES, **SETTINGS, rng=ours)
        assert made.in_words(PIECES) == expected
