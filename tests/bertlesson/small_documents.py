"""Documents of made-up words, and the pairs and instances made from them."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

from hypothesis import strategies as st

from bertlesson.nsp import SentencePairs, create_pairs
from bertlesson.reference import PretrainingInstance, create_pretraining_instances

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

# What is refused.

GOOD = [[["w1"], ["w2"]], [["w3"], ["w4"]]]


class SlowWayError(Exception):
    """The function in plain Python was called."""


def refuse_the_slow_way(*_: object, **__: object) -> Any:
    raise SlowWayError


def unusual(documents: Any) -> list[Any]:
    """The same documents in something else than lists and tuples, at each of the three levels."""
    return [
        deque(documents),
        [deque(each) for each in documents],
        [[deque(sentence) for sentence in document] for document in documents],
    ]
