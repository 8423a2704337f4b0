"""What the pairs that one trains with promise."""

from __future__ import annotations

import copy
import dataclasses
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
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
from bertlesson.nsp import IS_NEXT, IS_RANDOM, SentencePairs, create_pairs
from bertlesson.segments import Span, truncate_words
from tests.bertlesson.small_documents import (
    GOOD,
    PIECES,
    SPECIAL,
    VOCAB,
    distinct_documents,
    lengths,
    make_documents,
    pairs_of,
    seeds,
)


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_ten_thousand_documents_take_seconds() -> None:
    documents = make_documents(10_000)
    begin = time.process_time()
    pairs = pairs_of(documents, length=64)
    assert len(pairs) > 10_000
    assert time.process_time() - begin < 10  # well under one on an idle machine


def test_each_epoch_has_new_masks() -> None:
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


FEW = (
    "documents have two or more sentences; expected at least 2 such documents, since a random B "
    "has to come from another one: split a long document where its subject changes$"
)
OTHERS = (
    r"expected pieces of the vocabulary other than \[PAD\], \[CLS\] and \[SEP\], which are added "
    "here$"
)


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([], f"0 of 0 {FEW}"),
        ([GOOD[0]], f"1 of 1 {FEW}"),
        ([GOOD[0], [["w3"]], []], f"1 of 3 {FEW}"),
        (
            [GOOD[0]] * 5,
            r"no random partner in 150 draws for documents\[\d\]\[0\]: every B drawn follows it "
            "somewhere; expected documents that differ: remove copies, and sentences that appear "
            "in nearly all of them$",
        ),
        (
            [*GOOD, [["w1"], []]],
            r"documents\[2\]\[1\] is empty; expected at least one piece: leave it out$",
        ),
        (
            [*GOOD, [["##e1"], ["w1"]]],
            r"documents\[2\]\[0\] begins with '##e1', which continues a word; expected sentences "
            "of whole words: cut the text between words$",
        ),
        ([*GOOD, [["w1", "xyz"], ["w1"]]], rf"documents\[2\]\[0\] holds 'xyz'; {OTHERS}"),
        ([*GOOD, [["w1", "[SEP]"], ["w1"]]], rf"documents\[2\]\[0\] holds '\[SEP\]'; {OTHERS}"),
    ],
)
def test_pairs_that_cannot_be_made_are_refused(documents: Any, expected: str) -> None:
    # of a document of two sentences, as all of these are, one in two seeds makes a random pair
    with pytest.raises(ValueError, match=f"^{expected}"):
        [pairs_of(documents, seed) for seed in range(20)]


@pytest.mark.parametrize(
    ("vocab", "error", "expected"),
    [
        (
            PIECES,
            TypeError,
            r"vocab is of type list; expected a mapping of pieces to ids: tokenizer.get_vocab\(\)",
        ),
        (
            {"w1": 0, "[PAD]": 1, "[CLS]": 2},
            ValueError,
            r"vocab has no \[SEP\]; expected \[PAD\], \[CLS\] and \[SEP\] in it",
        ),
    ],
)
def test_other_vocabularies_are_refused(vocab: Any, error: type[Exception], expected: str) -> None:
    with pytest.raises(error, match=f"^{expected}$"):
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
