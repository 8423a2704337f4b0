"""Pairs and instances from arrays, timed against the plain functions that they equal.

Run it as `python benchmarks/instances.py [documents ...]`. Both make the same from the same
documents of made-up words, whose frequencies fall as those of words in a language do (Zipf). They
take turns, in processor time, and everything that a user calls is timed. "From ids" leaves out what
turns strings into ids, as `bertlesson.stored.write_pairs` does, whose tokenizer gives ids.

It shows the middle ratio of all turns, the least and the largest, and the one that is expected. It
fails if the middle one is below that, or if anything differs.
"""

import dataclasses
import random
import sys
from collections.abc import Callable
from functools import partial
from itertools import chain
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from bertlesson.layout import SpecialIds
from bertlesson.nsp import SentencePairs, create_pairs
from bertlesson.pair_arrays import PieceCorpus, make_pairs, pair_corpus
from bertlesson.reference import create_pretraining_instances
from bertlesson.reference_arrays import PretrainingInstances, make_pretraining_instances

LENGTH, TURNS = 128, 7
BARS = {
    "pairs": 1.7,
    "pairs from ids": 3.5,
    "instances, 1 pass": 1.5,
    "whole words, 1 pass": 1.3,
    "instances, 10 passes": 2,
    "whole words, 10 passes": 2,
}
WORDS, ENDINGS = 20_000, 5_000
PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *(f"word{i}" for i in range(WORDS)),
    *(f"##end{i}" for i in range(ENDINGS)),
]
VOCAB = {piece: number for number, piece in enumerate(PIECES)}
SPECIAL = SpecialIds(VOCAB["[CLS]"], VOCAB["[SEP]"], VOCAB["[PAD]"])
CONTINUES = np.array([piece.startswith("##") for piece in PIECES])


def documents(count: int) -> list[list[list[str]]]:
    """Documents of 5 to 30 sentences of 5 to 30 words, a fifth of them in two pieces."""
    rng = np.random.default_rng(0)

    def draw(pieces: list[str], size: int) -> list[str]:
        ranks = (len(pieces) ** rng.random(size)).astype(int) - 1  # Zipf
        return [pieces[rank] for rank in ranks]

    made = []
    for _ in range(count):
        document = []
        for _ in range(rng.integers(5, 31)):
            words = draw(PIECES[5 : 5 + WORDS], rng.integers(5, 31))
            ends = draw(PIECES[5 + WORDS :], len(words))
            split = rng.random(len(words)) < 0.2
            document.append(
                [
                    piece
                    for word, end, two in zip(words, ends, split, strict=True)
                    for piece in ((word, end) if two else (word,))
                ]
            )
        made.append(document)
    return made


def compare(name: str, plain: Callable[[], Any], arrays: Callable[[], Any]) -> bool:
    """Time both, show the ratio, and say whether it is high enough."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(TURNS):
        results = []
        for function, times in zip((plain, arrays), seconds, strict=True):
            start = process_time()
            results.append(function())
            times.append(process_time() - start)
        if not turn and not same(*results):
            print(f"{name}: the results differ", file=sys.stderr)
            return False
        rows = len(results[1])
    ratios = [one / other for one, other in zip(*seconds, strict=True)]
    print(
        f"{name:26} {rows:9,} {1e6 * median(seconds[0]) / rows:7.1f} "
        f"{1e6 * median(seconds[1]) / rows:7.1f} {median(ratios):6.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}), expected {BARS[name]}",
        flush=True,
    )
    return median(ratios) >= BARS[name]


def same(theirs: Any, ours: Any) -> bool:
    if isinstance(ours, PretrainingInstances):
        return bool(ours.in_words(PIECES) == theirs)
    return all(
        np.array_equal(one, other)
        for one, other in zip(*map(dataclasses.astuple, (theirs, ours)), strict=True)
    )


def pairs_from_ids(ids: Any, sentences: list[int], counts: list[int]) -> SentencePairs:
    corpus = PieceCorpus(ids, sentences, counts, CONTINUES)
    return pair_corpus(corpus, SPECIAL, LENGTH, 0.1, random.Random(0))


def compare_all(count: int) -> list[bool]:
    corpus = documents(count)
    sentences = list(chain.from_iterable(corpus))
    ids = np.array([VOCAB[piece] for piece in chain.from_iterable(sentences)], np.int32)
    from_ids = partial(pairs_from_ids, ids, [*map(len, sentences)], [*map(len, corpus)])
    plain, arrays = (
        lambda function=function: function(
            corpus, VOCAB, max_seq_length=LENGTH, rng=random.Random(0)
        )
        for function in (create_pairs, make_pairs)
    )
    fast = [compare("pairs", plain, arrays), compare("pairs from ids", plain, from_ids)]
    # the reference makes ten passes; of many documents, its lists would fill the memory
    for passes in (1, 10) if count < 1000 else (1,):
        for kind in ("instances", "whole words"):
            theirs, ours = (
                partial(
                    function,
                    corpus,
                    PIECES,
                    max_seq_length=LENGTH,
                    dupe_factor=passes,
                    short_seq_prob=0.1,
                    masked_lm_prob=0.15,
                    max_predictions_per_seq=20,
                    whole_word_mask=kind == "whole words",
                )
                for function in (create_pretraining_instances, make_pretraining_instances)
            )
            fast.append(
                compare(
                    f"{kind}, {passes} {'pass' if passes == 1 else 'passes'}",
                    lambda theirs=theirs: theirs(rng=random.Random(0)),
                    lambda ours=ours: ours(rng=random.Random(0)),
                )
            )
    return fast


def main() -> int:
    fast = []
    for count in map(int, sys.argv[1:] or ("300", "3000")):
        print(f"{count:,} documents; rows, microseconds for each (plain, arrays), ratio")
        fast += compare_all(count)
    return 0 if all(fast) else 1


if __name__ == "__main__":
    sys.exit(main())
