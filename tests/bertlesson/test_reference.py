"""The reference's instances, draw by draw."""

from __future__ import annotations

import copy
import dataclasses
import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from bertlesson.reference import (
    create_pretraining_instances,
    cut_document,
    draw_anywhere,
    group_words,
    mask_pieces,
    truncate_pieces,
)
from bertlesson.segments import Span
from tests.bertlesson.small_documents import (
    GOOD,
    PIECES,
    SETTINGS,
    VOCAB,
    WORDS,
    any_documents,
    instances,
    lengths,
    make_documents,
    pairs_of,
    seeds,
)

GOLDEN = [
    pytest.param(case, id=f"{path.stem}-{case['seed']}")
    for path in sorted((Path(__file__).parent / "golden").glob("*.json"))
    for case in json.loads(path.read_text())
]


@pytest.mark.parametrize("case", GOLDEN)
def test_instances_equal_the_references(case: dict[str, Any]) -> None:
    got = create_pretraining_instances(
        case["documents"], case["vocab"], **case["config"], rng=random.Random(case["seed"])
    )
    assert [dataclasses.asdict(instance) for instance in got] == case["instances"]


def test_all_golden_cases_are_here() -> None:
    assert len(GOLDEN) == 6


@pytest.mark.slow
@given(
    documents=any_documents,
    length=lengths,
    share=st.sampled_from([0, 0.1, 0.25, 0.5, 1]),
    most=st.integers(0, 8),
    whole_word_mask=st.booleans(),
    seed=seeds,
)
def test_instances_are_well_formed(
    documents: Any, length: int, share: float, most: int, whole_word_mask: bool, seed: int
) -> None:
    before = copy.deepcopy(documents)
    made = instances(
        documents,
        seed,
        max_seq_length=length,
        masked_lm_prob=share,
        max_predictions_per_seq=most,
        whole_word_mask=whole_word_mask,
        dupe_factor=2,
    )
    assert documents == before
    assert bool(made) == any(documents)
    texts = [[piece for sentence in document for piece in sentence] for document in documents]
    for instance in made:
        tokens = list(instance.tokens)
        assert len(tokens) <= length
        assert len(instance.masked_lm_positions) == len(instance.masked_lm_labels)
        for position, label in zip(
            instance.masked_lm_positions, instance.masked_lm_labels, strict=True
        ):
            assert tokens[position] == "[MASK]" or tokens[position] in PIECES
            tokens[position] = label
        end_of_a = tokens.index("[SEP]")
        assert tokens[0] == "[CLS]"
        assert tokens[-1] == "[SEP]"
        assert instance.segment_ids == [int(i > end_of_a) for i in range(len(tokens))]
        for segment in (tokens[1:end_of_a], tokens[end_of_a + 1 : -1]):
            assert segment  # and it is a stretch of some document
            assert any(
                segment == text[i : i + len(segment)] for text in texts for i in range(len(text))
            )
        positions = instance.masked_lm_positions
        wanted = min(most, max(1, round(len(tokens) * share)))
        assert positions == sorted(set(positions))
        assert not {0, end_of_a, len(tokens) - 1} & set(positions)
        if whole_word_mask:
            assert len(positions) <= wanted
        else:
            assert len(positions) == min(wanted, len(tokens) - 3)


def test_empty_documents_and_sentences_are_passed_over() -> None:
    documents = make_documents(6)
    with_empty = [[], documents[0] + [[]], *documents[1:], [[], []], []]
    assert instances(with_empty, dupe_factor=3) == instances(documents, dupe_factor=3)
    assert instances([]) == instances([[], [[]]]) == instances(documents, dupe_factor=0) == []


def test_tuples_do_as_well_as_lists() -> None:
    documents = make_documents(4)
    as_tuples = tuple(tuple(tuple(s) for s in document) for document in documents)
    assert instances(as_tuples) == instances(documents)
    assert pairs_of(as_tuples).input_ids.tolist() == pairs_of(documents).input_ids.tolist()


def test_each_pass_makes_other_instances() -> None:
    documents = make_documents(1, sentences=(1, 1), words=(20, 20))
    made = instances(documents, dupe_factor=5)
    assert len(made) == 5
    assert len({tuple(instance.masked_lm_positions) for instance in made}) > 1


def test_more_than_half_of_the_references_pairs_are_random() -> None:
    made = instances(make_documents(2000), max_seq_length=64)
    share = sum(instance.is_random_next for instance in made) / len(made)
    assert share > 0.55


def test_a_random_b_leaves_the_rest_of_the_chunk_to_the_next_pair() -> None:
    documents = make_documents(40, sentences=(2, 12))
    rng = random.Random(0)
    seen = Counter[bool]()
    for number in range(len(documents)):
        pairs = list(cut_document(documents, number, 29, 0.1, rng))
        # whatever the labels, A and the B that follows it cover the document without a gap
        expected_start = 0
        for pair in pairs:
            assert pair.a.start == expected_start < pair.a.stop
            expected_start = pair.a.stop if pair.is_random_next else pair.b.stop
            if not pair.is_random_next:
                assert pair.b.document == number
                assert pair.b.start == pair.a.stop < pair.b.stop
            seen[pair.is_random_next] += 1
        assert expected_start == len(documents[number])
    assert min(seen.values()) > 20


class Scripted(random.Random):
    """Draws of whole numbers that are told beforehand."""

    def __init__(self, numbers: list[int]) -> None:
        super().__init__(0)
        self.numbers = numbers

    def randrange(self, *args: Any) -> int:
        return self.numbers.pop(0)


def test_after_ten_tries_for_another_document_b_comes_from_the_same_one() -> None:
    documents = make_documents(2)
    tenth = Scripted([0] * 9 + [1, 3])
    assert draw_anywhere(documents, 0, 1, tenth) == Span(1, 3, 4)
    none = Scripted([0] * 10 + [3])
    assert draw_anywhere(documents, 0, 1, none) == Span(0, 3, 4)
    assert tenth.numbers == none.numbers == []


def test_a_lone_document_gives_a_random_b_that_is_its_own() -> None:
    (instance,) = instances([[["w1", "w2"]]], max_predictions_per_seq=0)
    assert instance.is_random_next
    assert instance.tokens == ["[CLS]", "w1", "w2", "[SEP]", "w1", "w2", "[SEP]"]


def test_truncation_takes_from_both_ends_of_the_longer_one_and_from_b_if_alike() -> None:
    fronts = 0
    for seed in range(2000):
        a, b = ["a0", "a1"], ["b0", "b1"]
        truncate_pieces(a, b, 3, random.Random(seed))
        assert a == ["a0", "a1"]
        assert b in (["b0"], ["b1"])
        fronts += b == ["b1"]
    assert abs(fronts - 1000) < 4 * np.sqrt(500)
    a, b = [f"a{i}" for i in range(9)], ["b"]
    truncate_pieces(a, b, 4, random.Random(0))
    assert (len(a), b) == (3, ["b"])


def mask(tokens: list[str], seed: int = 0, **changes: Any) -> tuple[list[str], list[int]]:
    wanted = {"masked_lm_prob": 1, "max_predictions_per_seq": 10**6, "whole_word_mask": False}
    masked, positions, _ = mask_pieces(tokens, PIECES, **wanted | changes, rng=random.Random(seed))
    return masked, positions


def test_half_a_prediction_is_rounded_to_the_even_number() -> None:
    for length, count in [(10, 2), (14, 4), (2, 1)]:  # 2.5, 3.5, 0.5
        assert len(mask(["w1"] * length, masked_lm_prob=0.25)[1]) == count


def test_the_count_includes_the_special_tokens() -> None:
    tokens = ["[CLS]", *["w1"] * 7, "[SEP]", "[SEP]"]
    assert len(mask(tokens, masked_lm_prob=0.4)[1]) == 4


def test_shares_of_masked_kept_and_random_pieces() -> None:
    masked, positions = mask(["w1"] * 40_000)
    assert positions == list(range(40_000))
    seen = Counter(masked)
    drawn = 0.1 / len(PIECES)  # the whole vocabulary, special tokens and the original included
    expected = dict.fromkeys(PIECES, drawn)
    expected["[MASK]"] += 0.8
    expected["w1"] += 0.1
    assert seen.keys() <= expected.keys()
    counts = [seen[piece] for piece in PIECES]
    assert chisquare(counts, [40_000 * expected[piece] for piece in PIECES]).pvalue > 1e-4


def test_every_position_is_equally_likely_to_be_selected() -> None:
    tokens = ["[CLS]", *WORDS[:12], "[SEP]"]
    seen = Counter[int]()
    for seed in range(2000):
        seen.update(mask(tokens, seed, masked_lm_prob=0.2)[1])
    assert sorted(seen) == list(range(1, 13))
    assert chisquare(list(seen.values())).pvalue > 1e-4


def test_whole_words_go_together_and_a_word_that_is_too_long_is_skipped() -> None:
    tokens = ["[CLS]", "w1", "##e1", "##e2", "w2", "w3", "##e3", "[SEP]"]
    word_of = {1: "w1", 2: "w1", 3: "w1", 4: "w2", 5: "w3", 6: "w3"}
    seen = Counter[tuple[int, ...]]()
    for seed in range(200):
        _, positions = mask(tokens, seed, max_predictions_per_seq=2, whole_word_mask=True)
        seen[tuple(positions)] += 1
        for word in {word_of[position] for position in positions}:
            assert {p for p, w in word_of.items() if w == word} <= set(positions)
    # two single words fill the two places, or one word of two; the one of three never fits
    assert set(seen) == {(4,), (5, 6)}


def test_whole_words_join_across_sep_as_in_the_reference() -> None:
    tokens = ["[CLS]", "##e0", "w1", "[SEP]", "##e1", "##e2", "w2", "[SEP]"]
    assert group_words(tokens, whole_word_mask=True) == [[1], [2, 4, 5], [6]]
    assert group_words(tokens, whole_word_mask=False) == [[1], [2], [4], [5], [6]]


IN_ORDER = "expected a list of pieces in the order of their ids: sorted(vocab, key=vocab.get)"


@pytest.mark.parametrize(
    ("changes", "error", "expected"),
    [
        ({"masked_lm_prob": 15}, ValueError, "masked_lm_prob is 15; expected a share from 0 to 1"),
        ({"dupe_factor": -1}, ValueError, "dupe_factor is -1"),
        ({"max_predictions_per_seq": -1}, ValueError, "max_predictions_per_seq is -1"),
        ({"vocab_words": []}, ValueError, f"vocab_words is empty; {IN_ORDER}"),
        ({"vocab_words": VOCAB}, TypeError, f"vocab_words is of type dict; {IN_ORDER}"),
        ({"vocab_words": "w1"}, TypeError, f"vocab_words is the string 'w1'; {IN_ORDER}"),
    ],
)
def test_more_settings_out_of_range_are_refused(
    changes: dict[str, Any], error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(expected)}"):
        create_pretraining_instances(
            **{"documents": GOOD, "vocab_words": PIECES, **SETTINGS} | changes,
            rng=random.Random(0),
        )
