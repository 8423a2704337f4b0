"""Pairs and instances from arrays, timed against the plain functions that they equal.

Run it as `python benchmarks/instances.py [documents]`. Both make the same from the same documents of
made-up words, whose frequencies fall as those of words in a language do (Zipf). They take turns, in
processor time. It shows the middle ratio of all turns and the least and largest, and fails if the
middle one is below 5, or anything differs.
"""

import dataclasses
import random
import sys
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from bertlesson.instances import make_instances
from bertlesson.nsp import create_pairs
from bertlesson.pair_arrays import make_pairs
from bertlesson.reference import PretrainingInstance, create_pretraining_instances

LENGTH, TURNS, BAR = 128, 7, 5.0
WORDS, ENDINGS = 20_000, 5_000
PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *(f"word{i}" for i in range(WORDS)),
    *(f"##end{i}" for i in range(ENDINGS)),
]
VOCAB = {piece: number for number, piece in enumerate(PIECES)}
SETTINGS: dict[str, Any] = {  # the defaults of the reference, but for its dupe_factor of 10
    "max_seq_length": LENGTH,
    "dupe_factor": 1,
    "short_seq_prob": 0.1,
    "masked_lm_prob": 0.15,
    "max_predictions_per_seq": 20,
}


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


def as_the_reference_writes_them(instances: list[PretrainingInstance]) -> list[Any]:
    """The numbers that the reference writes, its `write_instance_to_example_files`."""
    columns: list[Any] = [[] for _ in range(7)]
    most = SETTINGS["max_predictions_per_seq"]
    for each in instances:
        ids = [VOCAB[piece] for piece in each.tokens]
        labels = [VOCAB[piece] for piece in each.masked_lm_labels]
        row, few = [0] * (LENGTH - len(ids)), [0] * (most - len(labels))
        values = (
            ids + row,
            [1] * len(ids) + row,
            each.segment_ids + row,
            int(each.is_random_next),
            each.masked_lm_positions + few,
            labels + few,
            [1.0] * len(labels) + [0.0] * len(few),
        )
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    return columns


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
    fast = [
        compare(
            "pairs",
            lambda: create_pairs(corpus, VOCAB, max_seq_length=LENGTH, rng=random.Random(0)),
            lambda: make_pairs(corpus, VOCAB, max_seq_length=LENGTH, rng=random.Random(0)),
        )
    ]
    for whole in (False, True):
        settings = SETTINGS | {"whole_word_mask": whole}
        fast.append(
            compare(
                "instances" + ", whole words" * whole,
                lambda settings=settings: as_the_reference_writes_them(
                    create_pretraining_instances(corpus, PIECES, **settings, rng=random.Random(0))
                ),
                lambda settings=settings: make_instances(
                    corpus, PIECES, **settings, rng=random.Random(0)
                ),
            )
        )
    return 0 if all(fast) else 1


if __name__ == "__main__":
    sys.exit(main())
