"""The reference's instances, draw by draw; then what the lesson's own pairs promise."""

from __future__ import annotations

import copy
import dataclasses
import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch.utils.data import DataLoader
from transformers import BertTokenizer

from bertlesson import nsp
from bertlesson.collating import MaskingCollator
from bertlesson.heads import IGNORE_INDEX
from bertlesson.nsp import IS_NEXT, IS_RANDOM, SentencePairs, create_pairs, truncate_words
from bertlesson.reference import (
    PretrainingInstance,
    create_pretraining_instances,
    cut_document,
    draw_anywhere,
    group_words,
    mask_pieces,
    truncate_pieces,
)
from bertlesson.segments import Span

GOLDEN = [
    pytest.param(case, id=f"{path.stem}-{case['seed']}")
    for path in sorted((Path(__file__).parent / "golden").glob("*.json"))
    for case in json.loads(path.read_text())
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [f"w{i}" for i in range(42)]
ENDINGS = [f"##e{i}" for i in range(5)]
PIECES = SPECIAL + WORDS + ENDINGS + ["open", "close"]
VOCAB = {piece: i for i, piece in enumerate(PIECES)}
SETTINGS: dict[str, Any] = {
    "max_seq_length": 32,
    "dupe_factor": 1,
    "short_seq_prob": 0.1,
    "masked_lm_prob": 0.15,
    "max_predictions_per_seq": 5,
    "whole_word_mask": False,
}


def instances(documents: Any, seed: int = 0, **changes: Any) -> list[PretrainingInstance]:
    return create_pretraining_instances(
        documents, PIECES, **SETTINGS | changes, rng=random.Random(seed)
    )


def pairs_of(documents: Any, seed: int = 0, length: int = 32, **changes: Any) -> SentencePairs:
    return create_pairs(documents, VOCAB, max_seq_length=length, rng=random.Random(seed), **changes)


def make_documents(
    count: int, sentences: tuple[int, int] = (6, 6), words: tuple[int, int] = (3, 9), seed: int = 0
) -> list[list[list[str]]]:
    """Documents whose first and last sentences can be told from the rest."""
    rng = random.Random(seed)
    documents = []
    for _ in range(count):
        document = []
        for _ in range(rng.randint(*sentences)):
            sentence: list[str] = []
            for _ in range(rng.randint(*words)):
                sentence += [rng.choice(WORDS), *rng.choices(ENDINGS, k=rng.random() < 0.3)]
            document.append(sentence)
        document[0][0], document[-1][-1] = "open", "close"
        documents.append(document)
    return documents


# a sentence is words, and a word may go on with ## pieces
words = st.tuples(st.sampled_from(WORDS), st.lists(st.sampled_from(ENDINGS), max_size=3))
sentences = st.lists(words, min_size=1, max_size=12).map(
    lambda several: [piece for word, endings in several for piece in (word, *endings)]
)
any_documents = st.lists(st.lists(sentences, max_size=7), max_size=6)
# two documents at least that can be paired, and no sentence twice
distinct_documents = any_documents.filter(
    lambda documents: sum(len(document) >= 2 for document in documents) >= 2
).map(
    lambda documents: [
        [[WORDS[7 * i + j], *sentence] for j, sentence in enumerate(document)]
        for i, document in enumerate(documents)
    ]
)
seeds = st.integers(0, 2**32)
lengths = st.integers(5, 60)


# The reference's form.


@pytest.mark.parametrize("case", GOLDEN)
def test_instances_equal_the_references(case: dict[str, Any]) -> None:
    got = create_pretraining_instances(
        case["documents"], case["vocab"], **case["config"], rng=random.Random(case["seed"])
    )
    assert [dataclasses.asdict(instance) for instance in got] == case["instances"]


def test_all_golden_cases_are_here() -> None:
    assert len(GOLDEN) == 6


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


def test_ten_tries_for_another_document_and_then_the_same_one() -> None:
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


def test_every_position_stands_the_same_chance() -> None:
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


# The lesson's form.


def segments(pairs: SentencePairs, row: int) -> tuple[list[str], list[str]]:
    """The pieces of A and of B, after a look at everything around them."""
    length = int(pairs.attention_mask[row].sum())
    pieces = [PIECES[i] for i in pairs.input_ids[row]]
    a_end = pieces.index("[SEP]")
    b_end = pieces.index("[SEP]", a_end + 1)
    columns = range(len(pieces))
    assert pieces[0] == "[CLS]"
    assert b_end == length - 1
    assert pieces[length:] == ["[PAD]"] * (len(pieces) - length)
    assert pairs.attention_mask[row].tolist() == [int(i < length) for i in columns]
    assert pairs.token_type_ids[row].tolist() == [int(a_end < i < length) for i in columns]
    assert pairs.special_tokens_mask[row].tolist() == [
        int(piece in ("[CLS]", "[SEP]", "[PAD]")) for piece in pieces
    ]
    return pieces[1:a_end], pieces[a_end + 1 : b_end]


def split_words(pieces: list[str]) -> list[list[str]]:
    starts = [i for i, piece in enumerate(pieces) if not piece.startswith("##")]
    return [pieces[i:j] for i, j in zip(starts, [*starts[1:], None], strict=True)]


@given(distinct_documents, lengths, st.sampled_from([0, 0.1, 1]), seeds)
def test_pairs_are_well_formed(documents: Any, length: int, short: float, seed: int) -> None:
    before = copy.deepcopy(documents)
    pairs = pairs_of(documents, seed, length, short_seq_prob=short)
    assert documents == before
    assert len(pairs) >= sum(len(document) >= 2 for document in documents)
    for array in dataclasses.astuple(pairs):
        assert array.dtype == np.int64
        assert len(array) == len(pairs)
    assert pairs.input_ids.shape == (len(pairs), length)
    for row in range(len(pairs)):
        a, b = (Span(*span) for span in pairs.sources[row].tolist())
        if pairs.next_sentence_label[row] == IS_NEXT:
            assert (b.document, b.start) == (a.document, a.stop)
        else:
            assert b.document != a.document
        assert b.start > 0
        for segment, span in zip(segments(pairs, row), (a, b), strict=True):
            # nothing but whole words of the sentences, unless one word is all there is
            source, got = split_words(span.pieces(documents)), split_words(segment)
            assert segment
            assert not segment[0].startswith("##")
            whole = any(source[i : i + len(got)] == got for i in range(len(source)))
            beginning = len(got) == 1 and any(word[: len(segment)] == segment for word in source)
            assert whole or beginning
        if sum(len(span.pieces(documents)) for span in (a, b)) <= length - 3:
            assert segments(pairs, row) == (a.pieces(documents), b.pieces(documents))


def test_zero_means_that_b_follows() -> None:
    assert (IS_NEXT, IS_RANDOM) == (0, 1)
    pairs = pairs_of(make_documents(50))
    a, b = pairs.sources[:, 0], pairs.sources[:, 1]  # (pairs, 3)
    follows = (a[:, 0] == b[:, 0]) & (a[:, 2] == b[:, 1])  # (pairs,)
    assert pairs.next_sentence_label.tolist() == [0 if each else 1 for each in follows]
    assert 0 < follows.sum() < len(pairs)


@pytest.mark.parametrize("sentences", [(6, 6), (2, 15)], ids=["alike", "varied"])
@pytest.mark.parametrize("length", [24, 48, 128])
def test_only_what_b_says_tells_the_label(sentences: tuple[int, int], length: int) -> None:
    pairs = pairs_of(make_documents(3000, sentences), length=length)
    random_next = pairs.next_sentence_label == IS_RANDOM  # (pairs,)
    assert abs(random_next.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(pairs))

    in_b = pairs.token_type_ids == 1  # (pairs, length)
    clues = {
        "pieces of A": (pairs.attention_mask - pairs.token_type_ids).sum(axis=1),
        "pieces of B": in_b.sum(axis=1),
        "pieces in all": pairs.attention_mask.sum(axis=1),
        "B opens": ((pairs.input_ids == VOCAB["open"]) & in_b).any(axis=1),
        "B closes": ((pairs.input_ids == VOCAB["close"]) & in_b).any(axis=1),
        "A opens": ((pairs.input_ids == VOCAB["open"]) & ~in_b).any(axis=1),
        "A closes": ((pairs.input_ids == VOCAB["close"]) & ~in_b).any(axis=1),
    }
    for name, clue in clues.items():
        spread = clue.std() * np.sqrt(1 / random_next.sum() + 1 / (~random_next).sum())
        difference = abs(clue[random_next].mean() - clue[~random_next].mean())
        assert difference <= 4.5 * spread, name
    assert not clues["B opens"].any()


def test_partners_are_drawn_evenly_from_the_other_documents() -> None:
    documents = make_documents(12)
    partners = Counter[int]()
    for seed in range(400):
        sources = pairs_of(documents, seed).sources
        of_first = sources[(sources[:, 0, 0] == 0) & (sources[:, 1, 0] != 0)]
        partners.update(of_first[:, 1, 0].tolist())
    assert sorted(partners) == list(range(1, 12))
    assert chisquare(list(partners.values())).pvalue > 1e-4


def test_every_sentence_but_the_first_can_begin_a_random_b() -> None:
    documents = make_documents(30)
    starts = set()
    for seed in range(30):
        pairs = pairs_of(documents, seed, length=16)
        starts.update(pairs.sources[pairs.next_sentence_label == IS_RANDOM, 1, 1].tolist())
    assert starts == {1, 2, 3, 4, 5}


def test_short_targets_cut_documents_into_more_pairs() -> None:
    documents = make_documents(200)
    assert len(pairs_of(documents, short_seq_prob=1)) > 1.1 * len(
        pairs_of(documents, short_seq_prob=0)
    )
    assert pairs_of(documents).sources.tolist() == (
        pairs_of(documents, short_seq_prob=0.1).sources.tolist()
    )


def test_no_text_is_left_out_but_a_sentence_alone() -> None:
    documents = make_documents(60, sentences=(2, 12))
    pairs = pairs_of(documents)
    ends: dict[int, int] = {}  # how far each document has been cut
    for (a, b), label in zip(pairs.sources.tolist(), pairs.next_sentence_label, strict=True):
        assert a[1] == ends.get(a[0], 0)
        # what a random B displaced is put back
        ends[a[0]] = a[2] if label == IS_RANDOM else b[2]
    left = [len(document) - ends[number] for number, document in enumerate(documents)]
    assert set(left) == {0, 1}
    # a sentence is left alone only by a random B: else the chunk before would have taken it
    last_labels = {
        a: label
        for (a, _, _), label in zip(
            pairs.sources[:, 0].tolist(), pairs.next_sentence_label.tolist(), strict=True
        )
    }
    assert all(last_labels[number] == int(count) for number, count in enumerate(left))


def test_a_pair_takes_sentences_until_the_row_is_full_and_no_more() -> None:
    documents = make_documents(200, sentences=(10, 20))
    pairs = pairs_of(documents, length=48, short_seq_prob=0)
    seen = 0
    for a, b in (map(Span._make, spans) for spans in pairs.sources.tolist()):
        if b.stop < len(documents[b.document]):
            *all_but_last, last = documents[b.document][b.start : b.stop]
            before = len(a.pieces(documents)) + sum(map(len, all_but_last))
            # alone, a sentence of B is always taken
            assert before < 45 or not all_but_last
            assert before + len(last) >= 45
            seen += 1
    assert seen > 100


def test_no_copy_of_what_follows_is_called_random() -> None:
    original, *others = make_documents(4)
    documents = [original, copy.deepcopy(original), copy.deepcopy(original), *others]
    shortened = [*original[:2], *original[3:]]  # there, another sentence follows the second one
    documents.append(shortened)
    for seed in range(100):
        pairs = pairs_of(documents, seed)
        for (a, b), label in zip(pairs.sources.tolist(), pairs.next_sentence_label, strict=True):
            last, b_first = documents[a[0]][a[2] - 1], documents[b[0]][b[1]]
            if label == IS_RANDOM:
                assert [last, b_first] not in [d[i : i + 2] for d in documents for i in range(6)]


def spoken(*documents: list[str]) -> tuple[list[list[list[str]]], dict[str, int]]:
    """Documents of plain words, and a vocabulary for them."""
    split = [[sentence.split() for sentence in document] for document in documents]
    words = {word for document in split for sentence in document for word in sentence}
    return split, {piece: i for i, piece in enumerate([*SPECIAL, *sorted(words)])}


def false_negatives(
    pairs: SentencePairs, documents: list[list[list[str]]], vocab: dict[str, int]
) -> list[str]:
    """Rows called random in which a sentence is followed by the one that does follow it."""
    pieces = {i: piece for piece, i in vocab.items()}
    successions = [(s, t) for document in documents for s, t in pairwise(document)]
    found = []
    for ids in pairs.input_ids[pairs.next_sentence_label == IS_RANDOM].tolist():
        row = [pieces[i] for i in ids]
        a, b, _ = " ".join(row).split(" [SEP]")
        ends, begins = a.split(), b.split()
        if any(ends[-len(s) :] == s and begins[: len(t)] == t for s, t in successions):
            found.append(" ".join(row))
    return found


def test_what_is_cut_off_does_not_make_a_random_b_follow() -> None:
    documents, vocab = spoken(
        [
            "we all went to town",
            "yes",
            "it rained all day",
            "we left at nine",
            "she wrote a letter",
            "nobody ever read it",
        ],
        ["hello", "we all went to town", "it shut", "so we walked home", "good night all"],
        ["first of all", "the sun rose", "birds sang", "nobody cared much", "night fell again"],
    )
    for seed in range(400):  # 245 drew "we all went to town [yes]" and "it shut"
        pairs = create_pairs(documents, vocab, max_seq_length=10, rng=random.Random(seed))
        assert not false_negatives(pairs, documents, vocab), seed


@pytest.mark.parametrize("length", [8, 12, 20])
def test_no_row_called_random_shows_what_follows(length: int) -> None:
    rng = random.Random(0)
    seen = 0
    for seed in range(300):
        # no sentence begins or ends as another does, and words of several pieces are dropped whole
        texts = [
            [f"w{i}", *rng.choices(["##e0", "##e1", "w40"], k=rng.randint(0, 4)), f"w{i + 20}"]
            for i in range(20)
        ]
        documents = [rng.choices(texts, k=rng.randint(4, 7)) for _ in range(6)]
        pairs = pairs_of(documents, seed, length)
        assert not false_negatives(pairs, documents, VOCAB), seed
        seen += int((pairs.next_sentence_label == IS_RANDOM).sum())
    assert seen > 1000


def test_what_stays_between_two_sentences_keeps_them_apart() -> None:
    # in the second document "w5" follows "w1", but here "w2" stays between them
    documents = [[["w1"], ["w2"], ["w3"]], [["w4"], ["w1"], ["w5"]]]
    seen = set()
    for seed in range(50):
        pairs = pairs_of(documents, seed)
        for row in np.flatnonzero(pairs.next_sentence_label == IS_RANDOM):
            a, b = segments(pairs, int(row))
            seen.add((*a, "|", *b))
    assert ("w1", "w2", "|", "w5") in seen
    assert ("w1", "|", "w5") not in seen


def test_a_b_that_closes_gives_way_where_all_others_follow() -> None:
    documents, vocab = spoken(
        ["how are you", "well", "it rained all day", "we left"],
        ["hello", "how are you", "fine thanks", "and you too", "goodbye"],
        ["hello", "fine thanks", "no more tea", "bye now"],
    )
    for seed in range(200):  # in 57 of them there was "no random partner"
        pairs = create_pairs(documents, vocab, max_seq_length=16, rng=random.Random(seed))
        assert not false_negatives(pairs, documents, vocab), seed


def test_words_are_dropped_whole_from_both_ends_of_the_longer_segment() -> None:
    seen = set()
    for seed in range(50):
        a, b = ["w1", "##e1", "w2", "w3", "##e3"], ["w4", "##e4"]
        truncate_words(a, b, 5, random.Random(seed))
        assert b == ["w4", "##e4"]
        seen.add(tuple(a))
    assert seen == {("w2", "w3", "##e3"), ("w1", "##e1", "w2")}


def test_a_word_alone_keeps_its_beginning() -> None:
    a, b = ["w1", *["##e1"] * 9], ["w2", *["##e2"] * 9]
    truncate_words(a, b, 5, random.Random(0))
    assert (a, b) == (["w1", "##e1", "##e1"], ["w2", "##e2"])


def test_of_two_alike_b_is_truncated() -> None:
    a, b = ["w1", "w2"], ["w3", "w4"]
    truncate_words(a, b, 3, random.Random(0))
    assert a == ["w1", "w2"]
    assert len(b) == 1


def test_the_same_rng_makes_the_same_pairs_and_then_others() -> None:
    documents = make_documents(30)
    rng = random.Random(7)
    first, second, again = (
        create_pairs(documents, VOCAB, max_seq_length=32, rng=each)
        for each in (rng, rng, random.Random(7))
    )
    for one, other in zip(dataclasses.astuple(first), dataclasses.astuple(again), strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.sources.tolist() != second.sources.tolist()


def test_ten_thousand_documents_take_seconds() -> None:
    documents = make_documents(10_000)
    begin = time.perf_counter()
    pairs = pairs_of(documents, length=64)
    assert len(pairs) > 10_000
    assert time.perf_counter() - begin < 10  # well under one on an idle machine


# Time in proportion to the text.


class Counted(str):
    """A piece that counts how often anything looks at it."""

    looks = 0

    def startswith(self, *args: Any) -> bool:
        Counted.looks += 1
        return super().startswith(*args)

    def __hash__(self) -> int:
        Counted.looks += 1
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        Counted.looks += 1
        return super().__eq__(other)


class CountedList(list[str]):
    """A list that counts how many of its pieces are read, copied or moved."""

    looks = 0

    def __getitem__(self, place: Any) -> Any:
        self.looks += len(range(*place.indices(len(self)))) if isinstance(place, slice) else 1
        return super().__getitem__(place)

    def __iter__(self) -> Iterator[str]:
        self.looks += len(self)
        return super().__iter__()

    def pop(self, place: Any = -1) -> str:
        self.looks += 1 if place == -1 else len(self)
        return super().pop(place)


def make_sentence(pieces: int, endings: float) -> list[str]:
    """One of so many pieces, and of them the share that goes on with a word."""
    rng = random.Random(pieces)
    rest = (rng.choice(ENDINGS if rng.random() < endings else WORDS) for _ in range(pieces - 1))
    return [rng.choice(WORDS), *rest]


def count_looks(make: Callable[..., Any], documents: list[list[list[str]]]) -> int:
    """How often `make` looks at a piece of the documents."""
    counted = [[list(map(Counted, sentence)) for sentence in document] for document in documents]
    before = Counted.looks
    for seed in range(5):
        make(counted, seed)
    return Counted.looks - before


# what grows, as documents of `times` the text
GROWING: dict[str, Callable[[int], list[list[list[str]]]]] = {
    "documents": lambda times: make_documents(40 * times),
    "sentences": lambda times: make_documents(4, (50 * times, 50 * times)),
    "words": lambda times: [[make_sentence(100 * times, 0.3)] * 4, [["w0"], ["w1"]] * 2] * 10,
    "a word": lambda times: [[make_sentence(100 * times, 1)] * 4, [["w0"], ["w1"]] * 2] * 10,
}


@pytest.mark.parametrize("growing", GROWING)
@pytest.mark.parametrize("make", [instances, pairs_of])
def test_no_piece_is_looked_at_more_often_in_a_longer_text(
    growing: str, make: Callable[..., Any]
) -> None:
    short, long = (count_looks(make, GROWING[growing](times)) for times in (1, 4))
    assert long <= 4.5 * short


def test_no_piece_is_looked_at_more_often_in_a_longer_row() -> None:
    # all of the small sentences may be dropped, and each of A's may come to meet each of B's
    def looks(times: int) -> int:
        small = [[w, v] for w, v in product(WORDS[:20], WORDS[20:40])]
        documents = [
            [*small[i : i + 20 * times], [*small[i], *make_sentence(200 * times, 0)]]
            for i in range(0, 400, 80)
        ]
        return count_looks(partial(pairs_of, length=50 * times), documents)

    assert looks(4) <= 4.5 * looks(1)


@pytest.mark.parametrize("endings", [0, 0.3, 1])
@pytest.mark.parametrize("truncation", [truncate_pieces, truncate_words])
def test_truncation_reads_and_moves_each_piece_a_few_times(
    truncation: Callable[..., None], endings: float
) -> None:
    a, b = (CountedList(make_sentence(pieces, endings)) for pieces in (1000, 2000))
    truncation(a, b, 29, random.Random(0))
    assert len(a) + len(b) <= 29
    assert a.looks + b.looks <= 5 * 3000


def test_rows_are_masked_anew_in_each_epoch() -> None:
    tokenizer = BertTokenizer(vocab=VOCAB)
    pairs = pairs_of(make_documents(20))
    loader = DataLoader(
        pairs,  # type: ignore[arg-type]
        batch_size=len(pairs),
        collate_fn=MaskingCollator(tokenizer, seed=0),
    )
    epochs = [next(iter(loader)) for _ in range(3)]
    epochs.append(MaskingCollator(tokenizer, seed=1)(pairs[:]))
    assert len({str(epoch["labels"].tolist()) for epoch in epochs}) == 4
    for batch in epochs:
        assert batch.keys() == {
            "input_ids",
            "attention_mask",
            "token_type_ids",
            "labels",
            "next_sentence_label",
        }
        selected = batch["labels"] != IGNORE_INDEX
        assert selected.any()
        assert not (selected.numpy() & (pairs.special_tokens_mask == 1)).any()
        batch["input_ids"][selected] = batch["labels"][selected]
        for key in ("input_ids", "attention_mask", "token_type_ids", "next_sentence_label"):
            np.testing.assert_array_equal(batch[key].numpy(), pairs[:][key])


def test_one_row_and_several() -> None:
    pairs = pairs_of(make_documents(5))
    assert pairs[3]["input_ids"].shape == (32,)
    assert pairs[[0, 3]]["input_ids"].tolist()[1] == pairs[3]["input_ids"].tolist()
    assert sum(1 for _ in pairs) == len(pairs)  # type: ignore[attr-defined]


# What is refused.

GOOD = [[["w1"], ["w2"]], [["w3"], ["w4"]]]


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ("a text", r"documents is the string 'a text'; expected documents -> sentences -> pieces"),
        (["a text"], r"documents\[0\] is the string"),
        ([GOOD[0], ["w1 w2"]], r"documents\[1\]\[0\] is the string 'w1 w2'"),
        (iter(GOOD), "documents is of type list_iterator"),
        ([[None]], r"documents\[0\]\[0\] is of type NoneType"),
        ([[["w1"], [7, 8]]], r"documents\[0\]\[1\] holds something other than strings"),
    ],
)
def test_documents_of_another_shape_are_refused_by_both(documents: Any, expected: str) -> None:
    with pytest.raises(TypeError, match=expected):
        instances(documents)
    with pytest.raises(TypeError, match=expected):
        pairs_of(documents)


@pytest.mark.parametrize(
    ("changes", "error", "expected"),
    [
        ({"max_seq_length": 4}, ValueError, "max_seq_length is 4; expected 5 or more"),
        ({"max_seq_length": 16.0}, TypeError, "float"),
        ({"short_seq_prob": -0.1}, ValueError, r"short_seq_prob is -0.1; expected a share"),
        ({"short_seq_prob": float("nan")}, ValueError, "short_seq_prob is nan"),
        ({"rng": 5}, TypeError, r"rng is of type int; expected random.Random\(seed\)"),
        ({"rng": np.random.RandomState(5)}, TypeError, "rng is of type RandomState"),
    ],
)
def test_settings_out_of_range_are_refused_by_both(
    changes: dict[str, Any], error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=expected):
        create_pairs(GOOD, VOCAB, **{"max_seq_length": 16, "rng": random.Random(0)} | changes)
    with pytest.raises(error, match=expected):
        create_pretraining_instances(GOOD, PIECES, **SETTINGS | {"rng": random.Random(0)} | changes)


@pytest.mark.parametrize(
    ("changes", "error", "expected"),
    [
        ({"masked_lm_prob": 15}, ValueError, "masked_lm_prob is 15; expected a share"),
        ({"dupe_factor": -1}, ValueError, "dupe_factor is -1"),
        ({"max_predictions_per_seq": -1}, ValueError, "max_predictions_per_seq is -1"),
        ({"vocab_words": []}, ValueError, "vocab_words is empty"),
        ({"vocab_words": VOCAB}, TypeError, r"vocab_words is of type dict.*key=vocab.get"),
        ({"vocab_words": "w1"}, TypeError, "vocab_words is the string 'w1'"),
    ],
)
def test_more_settings_out_of_range_are_refused(
    changes: dict[str, Any], error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=expected):
        create_pretraining_instances(
            **{"documents": GOOD, "vocab_words": PIECES, **SETTINGS} | changes,
            rng=random.Random(0),
        )


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([], "0 of 0 documents have two or more sentences"),
        ([GOOD[0]], "1 of 1 documents.*another one: split a long document"),
        ([GOOD[0], [["w3"]], []], "1 of 3 documents"),
        ([GOOD[0]] * 5, r"no random partner .* for documents\[\d\]\[0\].*remove copies"),
        ([*GOOD, [["w1"], []]], r"documents\[2\]\[1\] is empty"),
        ([*GOOD, [["##e1"], ["w1"]]], r"documents\[2\]\[0\] begins with '##e1'"),
        ([*GOOD, [["w1", "xyz"], ["w1"]]], r"documents\[2\]\[0\] holds 'xyz'"),
        ([*GOOD, [["w1", "[SEP]"], ["w1"]]], r"documents\[2\]\[0\] holds '\[SEP\]'"),
    ],
)
def test_pairs_that_cannot_be_made_are_refused(documents: Any, expected: str) -> None:
    # of a document of two sentences, as all of these are, one in two seeds makes a random pair
    with pytest.raises(ValueError, match=expected):
        [pairs_of(documents, seed) for seed in range(20)]


@pytest.mark.parametrize(
    ("vocab", "error", "expected"),
    [
        (PIECES, TypeError, r"vocab is of type list.*tokenizer.get_vocab\(\)"),
        ({"w1": 0, "[PAD]": 1, "[CLS]": 2}, ValueError, r"vocab has no \[SEP\]"),
    ],
)
def test_other_vocabularies_are_refused(vocab: Any, error: type[Exception], expected: str) -> None:
    with pytest.raises(error, match=expected):
        create_pairs(GOOD, vocab, max_seq_length=16, rng=random.Random(0))


def test_the_file_works_where_it_and_its_segments_are_copied_to(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("nsp.py", "segments.py"):
        shutil.copy(Path(nsp.__file__).with_name(name), folder)
    code = (
        "import random, sys; sys.path.insert(0, '.'); from mine import nsp\n"
        "vocab = {p: i for i, p in enumerate('[PAD] [CLS] [SEP] a b c d'.split())}\n"
        "documents = [[['a'], ['b']], [['c'], ['d']]]\n"
        "pairs = nsp.create_pairs(documents, vocab, max_seq_length=8, rng=random.Random(0))\n"
        "assert len(pairs) == 2\n"
        "assert not [name for name in sys.modules if name.startswith('bertlesson')]\n"
        "print(nsp.__file__)\n"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert Path(run.stdout.strip()).resolve().parent == folder.resolve()
