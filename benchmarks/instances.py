"""Pairs and instances from arrays, timed against the plain functions that they equal.

Run it as `python benchmarks/instances.py`. Both make the same from the same documents of made-up
words, whose frequencies fall as those of words in a language do (Zipf). Everything that a user
calls is timed, for each pair. "From ids" leaves out what turns strings into ids, as
`bertlesson.stored.write_pairs` does, whose tokenizer gives ids. It fails if a ratio is lower than
expected, or anything differs.
"""

import dataclasses
import random
import sys
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from sides import Table, row_of, take_turns

from bertlesson.layout import SpecialIds
from bertlesson.nsp import SentencePairs, create_pairs
from bertlesson.pair_arrays import PieceCorpus, make_pairs, pair_corpus
from bertlesson.reference import create_pretraining_instances
from bertlesson.reference_arrays import PretrainingInstances, make_pretraining_instances

DOCUMENTS = (300, 3_000)
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
SPECIAL = SpecialIds.of(VOCAB)
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


def compare(
    table: Table, name: str, count: int, plain: Callable[[], Any], arrays: Callable[[], Any]
) -> None:
    """Add a row with the microseconds for each pair; a difference in the results ends it all."""
    theirs, ours = plain(), arrays()
    if not same(theirs, ours):
        sys.exit(f"{name} of {count:,} documents: the results differ")
    sides = [
        [1e6 * seconds / len(ours) for seconds in side]
        for side in take_turns((plain, arrays), turns=TURNS)
    ]
    table.add(row_of(f"{name}, {count:,} documents", "µs", *sides), BARS[name])


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


def compare_all(table: Table, count: int) -> None:
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
    compare(table, "pairs", count, plain, arrays)
    compare(table, "pairs from ids", count, plain, from_ids)
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
            compare(
                table,
                f"{kind}, {passes} {'pass' if passes == 1 else 'passes'}",
                count,
                lambda theirs=theirs: theirs(rng=random.Random(0)),
                lambda ours=ours: ours(rng=random.Random(0)),
            )


def main() -> int:
    table = Table("instances", "plain Python", ("numpy",))
    for count in DOCUMENTS:
        compare_all(table, count)
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
