"""The pairs of `bertlesson.nsp.create_pairs`, equal to the last draw, from arrays of numbers.

`create_pairs` moves lists of strings, and reads best. Here a document is a stretch of one array of
ids, a sentence and a word are borders in it, and no piece is touched until all pairs are known.
`make_pairs` takes what `create_pairs` takes; `pair_corpus` takes ids, as a tokenizer gives them.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .layout import ROWS, STRUCTURAL, SpecialIds, continuing, flatten, lay_out, quick
from .nsp import IS_NEXT, IS_RANDOM, SentencePairs, create_pairs
from .segments import Documents, check_settings, choose_target_length

__all__ = ["PieceCorpus", "make_pairs", "pair_corpus"]

Ints = NDArray[np.int64]
# of A and B their first piece and the one after their last, the label, and two spans
Found = tuple[int, int, int, int, int, int, int, int, int, int, int]
COLUMNS = 11


class PieceCorpus:
    """Documents as one array of ids, with the borders of sentences and words in it.

    Args:
        ids: ``(pieces,)``, all documents one after the other.
        sentences: The number of pieces in each sentence, each 1 or more.
        documents: The number of sentences in each document.
        continues: ``(vocab,)``, bool: whether a piece continues a word, as ``##ing`` does. A
            sentence begins a word whatever its first piece is.

    Raises:
        ValueError: If fewer than two documents have two sentences or more.
    """

    def __init__(
        self,
        ids: NDArray[Any],
        sentences: list[int],
        documents: list[int],
        continues: NDArray[np.bool_],
    ) -> None:
        self.ids = ids
        borders = list(accumulate(sentences, initial=0))  # of sentences, in pieces
        begins = ~continues[ids]  # (pieces,), a word
        begins[borders[:-1]] = True
        # where each word begins, and after the last one where all ends
        self.words = quick(np.append(np.flatnonzero(begins), len(ids)))
        counts = np.append(0, np.cumsum(begins))[borders].tolist()  # words before each sentence
        stops = list(accumulate(documents, initial=0))  # of documents, in sentences
        spans = list(pairwise(stops))
        # for each document, the borders of its sentences in pieces and in words
        self.pieces_at = [borders[start : stop + 1] for start, stop in spans]
        self.words_at = [counts[start : stop + 1] for start, stop in spans]
        self.partners = [number for number, count in enumerate(documents) if count >= 2]
        if len(self.partners) < 2:
            raise ValueError(
                f"{len(self.partners)} of {len(documents)} documents have two or more sentences; "
                "expected at least 2 such documents, since a random B has to come from another "
                "one: split a long document where its subject changes"
            )
        # equal sentences share a number
        raw, size = ids.tobytes(), ids.itemsize
        numbers: dict[bytes, int] = {}
        flat = [
            numbers.setdefault(raw[size * start : size * stop], len(numbers))
            for start, stop in pairwise(borders)
        ]
        self.sentences = [flat[start:stop] for start, stop in spans]
        # a sentence that is there once has no successor in other documents but one that is repeated
        self.successors = defaultdict[int, set[int]](set)
        if len(numbers) < len(flat):
            repeated = np.bincount(flat) > 1
            for last, first in chain.from_iterable(map(pairwise, self.sentences)):
                if repeated[last] or repeated[first]:
                    self.successors[last].add(first)

    def may_follow(self, a: tuple[int, int, int], b: tuple[int, int, int], room: int) -> bool:
        """See `bertlesson.nsp.Corpus.may_follow`; A and B are of two documents."""
        (of_a, a_start, a_stop), (of_b, b_start, b_stop) = a, b
        if self.successors.keys().isdisjoint(self.sentences[of_a][a_start:a_stop]):
            return False
        pieces_a, pieces_b = self.pieces_at[of_a], self.pieces_at[of_b]
        words_a, words_b = self.words_at[of_a], self.words_at[of_b]
        long = pieces_a[a_stop] - pieces_a[a_start] + pieces_b[b_stop] - pieces_b[b_start]
        drops = max(0, long - room) + 1  # no more words are dropped, and the next one stays
        last = bisect_right(words_a, words_a[a_stop] - drops, a_start, a_stop) - 1
        first = bisect_left(words_b, words_b[b_start] + drops, b_start + 1, b_stop)
        firsts = set(self.sentences[of_b][b_start:first])
        return any(
            each in self.successors and not firsts.isdisjoint(self.successors[each])
            for each in self.sentences[of_a][max(last, a_start) : a_stop]
        )


def make_pairs(
    documents: Documents,
    vocab: Mapping[str, int],
    *,
    max_seq_length: int,
    short_seq_prob: float = 0.1,
    rng: random.Random,
) -> SentencePairs:
    """Make the same pairs as `create_pairs`, and leave `rng` in the same state, in less time.

    Args:
        documents: See `create_pairs`.
        vocab: See `create_pairs`.
        max_seq_length: See `create_pairs`.
        short_seq_prob: See `create_pairs`.
        rng: See `create_pairs`.

    Returns:
        The pairs.

    Raises:
        TypeError: See `create_pairs`.
        ValueError: See `create_pairs`.

    >>> documents = [[["i", "saw", "it"], ["it", "was", "great"]], [["rain"], ["all", "day"]]]
    >>> pieces = ["[PAD]", "[CLS]", "[SEP]", "i", "saw", "it", "was", "great", "rain", "all", "day"]
    >>> vocab = {piece: id for id, piece in enumerate(pieces)}
    >>> pairs = make_pairs(documents, vocab, max_seq_length=9, rng=random.Random(1))
    >>> print(*(pieces[id] for id in pairs.input_ids[0]))
    [CLS] i saw it [SEP] all day [SEP] [PAD]
    """
    corpus = _corpus_of(documents, vocab)
    if corpus is None or not isinstance(rng, random.Random):
        # it says what is wrong, or deals with what is merely unusual
        return create_pairs(
            documents,
            vocab,
            max_seq_length=max_seq_length,
            short_seq_prob=short_seq_prob,
            rng=rng,
        )
    check_settings(max_seq_length, short_seq_prob, rng)
    special = SpecialIds.of(vocab)
    return pair_corpus(corpus, special, max_seq_length, short_seq_prob, rng)


def pair_corpus(
    corpus: PieceCorpus,
    special: SpecialIds,
    max_seq_length: int,
    short_seq_prob: float,
    rng: random.Random,
) -> SentencePairs:
    """Make the pairs of a corpus of ids.

    Args:
        corpus: The documents.
        special: The ids of the special tokens.
        max_seq_length: See `create_pairs`.
        short_seq_prob: See `create_pairs`.
        rng: See `create_pairs`.

    Returns:
        The pairs, in the order of the documents.

    Raises:
        ValueError: If in 150 draws every B also follows A.
    """
    room = max_seq_length - 3
    found = [
        pair
        for number in corpus.partners
        for pair in _pairs_of(corpus, number, room, short_seq_prob, rng)
    ]
    numbers = np.fromiter(chain.from_iterable(found), np.int64, len(found) * COLUMNS)
    table = numbers.reshape(-1, COLUMNS)
    return _to_arrays(table, corpus.ids, special, max_seq_length)


def _corpus_of(documents: Documents, vocab: Mapping[str, int]) -> PieceCorpus | None:
    """The documents by ids; None if anything is out of order."""
    if not isinstance(vocab, Mapping) or not vocab.keys() >= set(STRUCTURAL):
        return None
    try:
        found = flatten(documents, vocab)
        if found is None:
            return None
        ids, lengths, counts = found
        every = np.fromiter(vocab.values(), np.int64, len(vocab))
        if every.min() < 0 or len(set(vocab.values())) < len(vocab) or 0 in lengths:
            return None
        structural, continues = np.zeros((2, every.max() + 1), np.bool_)
        structural[[vocab[piece] for piece in STRUCTURAL]] = True
        continues[every] = continuing(vocab)
        firsts = ids[np.append(0, np.cumsum(lengths)[:-1])]
        if structural[ids].any() or continues[firsts].any():
            return None
        return PieceCorpus(ids, lengths, counts, continues)
    except (TypeError, KeyError, IndexError, AttributeError, ValueError):
        return None


def _below(rng: random.Random) -> Callable[[int], int]:
    """`rng.randrange(n)` without the checks of its arguments; the same draws."""
    if type(rng) is not random.Random:
        return rng.randrange
    bits = rng.getrandbits

    def below(n: int) -> int:
        count = n.bit_length()
        drawn = bits(count)
        while drawn >= n:
            drawn = bits(count)
        return drawn

    return below


def _pairs_of(
    corpus: PieceCorpus, number: int, room: int, short_seq_prob: float, rng: random.Random
) -> Iterator[Found]:
    """See `bertlesson.nsp.pair_sentences`; each pair is truncated, too."""
    below, chance = _below(rng), rng.random
    pieces, words = corpus.pieces_at[number], corpus.words_at[number]
    count = len(pieces) - 1
    target = choose_target_length(room, short_seq_prob, rng)
    start = 0
    while count - start >= 2:
        stop = max(start + 2, min(count, bisect_left(pieces, pieces[start] + target, start + 1)))
        if stop == count - 1:
            stop += 1
        middle = start + 1 + below(stop - 1 - start)
        is_random = chance() < 0.5
        a, b = (number, start, middle), (number, middle, stop)
        if is_random:
            left = target - (pieces[middle] - pieces[start])
            b = _elsewhere(corpus, a, b, left, room, below)
        of_b, b_start, b_stop = b
        pieces_b, words_b = corpus.pieces_at[of_b], corpus.words_at[of_b]
        bounds = (pieces[start], pieces[middle], pieces_b[b_start], pieces_b[b_stop])
        if bounds[1] - bounds[0] + bounds[3] - bounds[2] > room:
            within = (words[start], words[middle], words_b[b_start], words_b[b_stop])
            bounds = _truncate(corpus.words, bounds, within, room, chance)
        yield (*bounds, IS_RANDOM if is_random else IS_NEXT, *a, *b)
        start = middle if is_random else stop


def _elsewhere(
    corpus: PieceCorpus,
    a: tuple[int, int, int],
    true_b: tuple[int, int, int],
    target: int,
    room: int,
    below: Callable[[int], int],
) -> tuple[int, int, int]:
    """See `bertlesson.nsp.draw_elsewhere`."""
    number, start, stop = true_b
    size, closes = stop - start, stop == len(corpus.pieces_at[number]) - 1
    for attempt in range(150):
        partner = corpus.partners[below(len(corpus.partners))]
        pieces = corpus.pieces_at[partner]
        count = len(pieces) - 1
        if closes and attempt < 100:
            start, stop = max(1, count - size), count
            alike = stop - start == size
        else:
            start = 1 + below(count - 1)
            stop = min(count, bisect_left(pieces, pieces[start] + target, start + 1))
            alike = stop < count
        b = (partner, start, stop)
        suitable = partner != number and (alike or attempt >= 50)
        if suitable and not corpus.may_follow(a, b, room):
            return b
    raise ValueError(
        f"no random partner in 150 draws for documents[{number}][{a[2] - 1}]: every B drawn "
        "follows it somewhere; expected documents that differ: remove copies, and sentences that "
        "appear in nearly all of them"
    )


def _truncate(
    words: memoryview,
    bounds: tuple[int, int, int, int],
    within: tuple[int, int, int, int],
    room: int,
    chance: Callable[[], float],
) -> tuple[int, int, int, int]:
    """See `bertlesson.segments.truncate_words`; the bounds are those of A and of B."""
    a, a_end, b, b_end = bounds
    word_a, last_a, word_b, last_b = within  # the first word, and the one after the last
    of_a, of_b = a_end - a, b_end - b
    while of_a + of_b > room:
        if of_b >= of_a:
            if last_b - word_b == 1:
                b_end -= 1  # a single word: keep its beginning
            elif chance() < 0.5:
                word_b += 1
                b = words[word_b]
            else:
                last_b -= 1
                b_end = words[last_b]
            of_b = b_end - b
        else:
            if last_a - word_a == 1:
                a_end -= 1
            elif chance() < 0.5:
                word_a += 1
                a = words[word_a]
            else:
                last_a -= 1
                a_end = words[last_a]
            of_a = a_end - a
    return a, a_end, b, b_end


def _to_arrays(found: Ints, ids: NDArray[Any], special: SpecialIds, length: int) -> SentencePairs:
    input_ids, attention_mask, token_type_ids, special_tokens_mask = (
        np.empty((len(found), length), np.int64) for _ in range(4)
    )
    for first in range(0, len(found), ROWS):
        part = slice(first, first + ROWS)
        layout = lay_out(found[part], length)
        layout.fill(ids, special, input_ids[part])
        attention_mask[part] = layout.present
        token_type_ids[part] = layout.of_b
        structural = special_tokens_mask[part]
        structural[:] = np.arange(length) >= layout.last_sep[:, None]
        structural[:, 0] = 1
        structural[np.arange(len(structural)), layout.first_sep] = 1
    return SentencePairs(
        input_ids=input_ids,
        attention_mask=attention_mask,
        token_type_ids=token_type_ids,
        special_tokens_mask=special_tokens_mask,
        next_sentence_label=found[:, 4].copy(),
        sources=found[:, 5:].reshape(-1, 2, 3).copy(),
    )
