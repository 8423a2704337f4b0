"""Pairs from arrays, timed against the plain function that they equal.

Run it as `python benchmarks/instances.py [documents]`. Both make the same from the same documents
of made-up words, whose frequencies fall as those of words in a language do (Zipf). They take turns,
in processor time. It shows the middle ratio of all turns and the least and largest, and fails if
the middle one is below 1.3, or anything differs.
"""

import dataclasses
import random
import sys
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from bertlesson.nsp import create_pairs
from bertlesson.pair_arrays import make_pairs

LENGTH, TURNS, BAR = 128, 7, 1.3
WORDS, ENDINGS = 20_000, 5_000
PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *(f"word{i}" for i in range(WORDS)),
    *(f"##end{i}" for i in range(ENDINGS)),
]
VOCAB = {piece: number for number, piece in enumerate(PIECES)}


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
    results: list[Any] = []
    for _ in range(TURNS):
        results = []
        for function, times in zip((plain, arrays), seconds, strict=True):
            start = process_time()
            results.append(function())
            times.append(process_time() - start)
    for one, other in zip(*map(columns_of, results), strict=True):
        if not np.array_equal(one, other):
            print(f"{name}: the results differ", file=sys.stderr)
            return False
    ratios = [one / other for one, other in zip(*seconds, strict=True)]
    rows = len(columns_of(results[1])[0])
    print(
        f"{name:30} {1e6 * median(seconds[0]) / rows:7.1f} {1e6 * median(seconds[1]) / rows:7.1f} "
        f"{median(ratios):6.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        flush=True,
    )
    return median(ratios) >= BAR


def columns_of(made: Any) -> Any:
    return dataclasses.astuple(made) if dataclasses.is_dataclass(made) else made  # type: ignore[arg-type]


def main() -> int:
    corpus = documents(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
    print(f"{len(corpus):,} documents; microseconds for each row of {LENGTH}: plain, arrays, ratio")
    fast = compare(
        "pairs",
        lambda: create_pairs(corpus, VOCAB, max_seq_length=LENGTH, rng=random.Random(0)),
        lambda: make_pairs(corpus, VOCAB, max_seq_length=LENGTH, rng=random.Random(0)),
    )
    return 0 if fast else 1


if __name__ == "__main__":
    sys.exit(main())
