"""The draws of `bertlesson.reference`, found in the words of the generator.

With which word a draw begins depends on all draws before it, so `draw_pairs` goes from pair to
pair. It finds no more than it must: where a pair's pieces are, and the words with which its shuffle
and its replacing begin. `Block` finds what these words mean, for thousands of pairs at once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import chain, pairwise, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .layout import SpecialIds, lay_out, quick
from .mersenne import Words, chances, fraction, limit_of, past_shuffle, shuffle_together

__all__ = ["draw_pairs"]

KEPT = -1  # in place of the new id
STEP = 16  # `past_shuffle` is for multiples of it, and for the most items
Ints = NDArray[np.int64]


class Corpus(NamedTuple):
    """Documents as one array of ids, without empty ones.

    Attributes:
        ids: ``(pieces,)``.
        borders: Of the sentences, in pieces.
        spans: For each document its first sentence, and the one after its last.
        begins: ``(pieces,)``, bool: whether a piece begins a word.
        special: The ids around and behind a pair.
        mask: The id of ``[MASK]``.
        size: The number of pieces in the vocabulary.
    """

    ids: Ints
    borders: list[int]
    spans: list[tuple[int, int]]
    begins: NDArray[np.bool_]
    special: SpecialIds
    mask: int
    size: int


class Task(NamedTuple):
    """The settings; `wanted` is the number of predictions for each number of pieces."""

    room: int
    dupe_factor: int
    short_seq_prob: float
    wanted: list[int]
    whole_word_mask: bool


# of a pair: A's first piece and the one after its last, B's, whether B is random, the words with
# which the shuffle and the replacing begin, and how many pieces are selected
COLUMNS = 8


def draw_pairs(
    corpus: Corpus, task: Task, words: Words
) -> Iterator[tuple[Ints, NDArray[np.uint8]]]:
    """Find the pairs and the words that they use.

    Args:
        corpus: The documents, in the order in which they are passed over.
        task: The settings.
        words: The generator's words. In the end they are given back.

    Yields:
        As many pairs as the words suffice for, ``(pairs, COLUMNS)``, and what `_replacing_steps`
        gives for these words, which are there until the next pairs are asked for.
    """
    borders, spans = corpus.borders, corpus.spans
    room, wanted = task.room, task.wanted
    longest = max([room, *(last - first for first, last in spans)])
    limits = [0, *map(limit_of, range(1, longest + 1))]
    shifts = [32 - n.bit_length() for n in range(longest + 1)]
    documents = len(spans)
    document_limit, document_shift = limit_of(documents), 32 - documents.bit_length()
    counter = WordCounter(corpus) if task.whole_word_mask else None
    rows: list[int] = []
    at = 0
    words.more(0)
    view, text, upper, size = words.view, words.text, words.upper, len(words.array)
    steps = _replacing_steps(words, corpus.size)
    step = steps.tobytes()
    for number in chain.from_iterable(repeat(range(documents), task.dupe_factor)):
        first, last = spans[number]
        start = first
        while start < last:
            begin = at
            try:
                # see bertlesson.segments.choose_target_length
                if start == first:
                    target = room
                    at += 2
                    if fraction(view[at - 2], view[at - 1]) < task.short_seq_prob:
                        limit = limit_of(room - 1)
                        while (word := view[at]) >= limit:
                            at += 1
                        at += 1
                        target = 2 + (word >> 32 - (room - 1).bit_length())
                # see bertlesson.reference.cut_document
                a = borders[start]
                stop = bisect_left(borders, a + target, start + 1, last)
                middle, is_random = stop, True
                if n := stop - start - 1:
                    limit = limits[n]
                    while (word := view[at]) >= limit:
                        at += 1
                    middle = start + 1 + (word >> shifts[n])
                    is_random = not upper[at + 1]
                    at += 3
                a_end = borders[middle]
                if is_random:
                    # see bertlesson.reference.draw_anywhere
                    other = number
                    for _ in range(10):
                        while (word := view[at]) >= document_limit:
                            at += 1
                        at += 1
                        other = word >> document_shift
                        if other != number:
                            break
                    b_first, b_last = spans[other]
                    limit = limits[n := b_last - b_first]
                    while (word := view[at]) >= limit:
                        at += 1
                    at += 1
                    b_first += word >> shifts[n]
                    b = borders[b_first]
                    b_end = b + target - (a_end - a)
                    b_end = borders[bisect_left(borders, b_end, b_first + 1, b_last)]
                else:
                    b, b_end = a_end, borders[stop]
                # see bertlesson.segments.truncate
                pieces = a_end - a + b_end - b
                if pieces > room:
                    behind = at + 2 * (pieces - room)
                    if behind > size:
                        raise IndexError
                    a, a_end, b, b_end = _truncate(a, a_end, b, b_end, upper[at:behind:2])
                    pieces, at = room, behind
                # see bertlesson.reference.mask_pieces
                items = selected = pieces
                if counter:
                    items, single = counter.count(a, a_end, b, b_end)
                shuffle = at
                while 1 < items < room and items % STEP:
                    while view[at] >= limits[items]:
                        at += 1
                    at += 1
                    items -= 1
                if items > 1:
                    found = past_shuffle(items)(text, at)
                    if found is None:
                        raise IndexError
                    at = found.end()
                if selected > wanted[pieces]:
                    selected = wanted[pieces]
                if counter and single < selected:
                    selected = counter.select(a, a_end, b, b_end, view, shuffle, selected)
                replace = at
                for _ in range(selected):
                    at += step[at]
                if at > size:
                    raise IndexError
            except IndexError:
                yield np.fromiter(rows, np.int64, len(rows)).reshape(-1, COLUMNS), steps
                rows, at = [], 0
                words.more(begin)
                view, text, upper, size = words.view, words.text, words.upper, len(words.array)
                steps = _replacing_steps(words, corpus.size)
                step = steps.tobytes()
                continue
            rows += (a, a_end, b, b_end, is_random, shuffle, replace, selected)
            start = middle if is_random else stop
    yield np.fromiter(rows, np.int64, len(rows)).reshape(-1, COLUMNS), steps
    words.give_back(at)


def _replacing_steps(words: Words, size: int) -> NDArray[np.uint8]:
    """How many words `bertlesson.reference.replace_piece` takes, had it begun at each word.

    They are 2 for ``[MASK]``, 4 if a piece is kept, and 5 or more if one is drawn, with the last
    of them. A hundred that are all rejected do not occur.
    """
    steps = 4 - 2 * chances(words.array, 0.8).view(np.uint8)
    drawn = (steps[:-1] == 4) & np.frombuffer(words.upper, np.bool_)[2:]
    steps[:-1] += drawn
    too_large = words.array >= limit_of(size)
    rejected = np.flatnonzero(drawn[:-2] & too_large[4:])
    while len(rejected):
        steps[rejected] += 1
        last = rejected + steps[rejected] - 1
        rejected = rejected[too_large.take(last, mode="clip") & (last < len(too_large))]
    return steps


def _truncate(a: int, a_end: int, b: int, b_end: int, coins: bytes) -> tuple[int, int, int, int]:
    """See `bertlesson.segments.truncate`; a coin for each piece that is dropped, 0 at the front."""
    longer = (b_end - b) - (a_end - a)
    # the longer one loses pieces until it is the shorter one, or as long if it is A
    first = longer + 1 if longer >= 0 else -longer
    turns = coins[first:]
    of_a, of_b = turns[::2], coins[:first] + turns[1::2]
    if longer < 0:
        of_a, of_b = of_b, of_a
    front_a, front_b = of_a.count(0), of_b.count(0)
    return a + front_a, a_end - len(of_a) + front_a, b + front_b, b_end - len(of_b) + front_b


class WordCounter:
    """Counts the words of a pair, as `bertlesson.reference.group_words` makes them."""

    def __init__(self, corpus: Corpus) -> None:
        begins = corpus.begins
        self.begins = begins.tobytes()
        # before each piece: words that begin, and words of one piece
        self.words = quick(np.append(0, np.cumsum(begins)))
        self.single = quick(np.append(0, np.cumsum(begins[:-1] & begins[1:])))

    def count(self, a: int, a_end: int, b: int, b_end: int) -> tuple[int, int]:
        """The number of words in a pair, and how many of them are of one piece."""
        begins, words, single = self.begins, self.words, self.single
        count = 1 + words[a_end] - words[a + 1] + words[b_end] - words[b]
        # A's first piece begins a word; what comes after A is B's first piece, after B nothing
        alone = begins[b]
        if a_end - a > 1:
            alone = begins[a + 1] + (begins[a_end - 1] & begins[b])
            alone += single[a_end - 1] - single[a + 1]
        alone += single[b_end - 1] - single[b] + begins[b_end - 1]
        return count, alone

    def select(
        self, a: int, a_end: int, b: int, b_end: int, view: memoryview, at: int, wanted: int
    ) -> int:
        """How many pieces are selected if there are too few words of one piece."""
        rest = self.begins[a + 1 : a_end] + self.begins[b:b_end]
        starts = [0, *(place for place, begins in enumerate(rest, 1) if begins), len(rest) + 1]
        sizes = [stop - start for start, stop in pairwise(starts)]
        for n in range(len(sizes), 1, -1):
            limit = limit_of(n)
            while (word := view[at]) >= limit:
                at += 1
            at += 1
            other = word >> 32 - n.bit_length()
            sizes[n - 1], sizes[other] = sizes[other], sizes[n - 1]
        selected = 0
        for size in sizes:
            if selected + size <= wanted:
                selected += size
        return selected


class Block(NamedTuple):
    """Pairs with what is selected in them.

    Attributes:
        found: ``(pairs, COLUMNS)``, from `draw_pairs`.
        columns: ``(pairs, most)``, int16: the places of the selected pieces in the row, then -1.
        new: ``(pairs, most)``, int32: the ids that the model sees there, or `KEPT`.
    """

    found: Ints
    columns: NDArray[np.int16]
    new: NDArray[np.int32]

    @classmethod
    def of(
        cls, found: Ints, steps: NDArray[np.uint8], corpus: Corpus, task: Task, words: Words
    ) -> Block:
        """Compute what the words of these pairs mean."""
        most = max(task.wanted)
        if task.whole_word_mask:
            columns = _select_words(found, corpus, task, words, most)
        else:
            columns = _select_pieces(found, words, most)
        return cls(found, columns, _replace(found, steps, corpus, words, most))


def _select_pieces(found: Ints, words: Words, most: int) -> NDArray[np.int16]:
    a, a_end, b, b_end = found[:, :4].T
    front = shuffle_together(words, found[:, 5], a_end - a + b_end - b, most)
    front += front >= a_end - a  # the [SEP] between A and B
    front += 1  # [CLS]
    front[np.arange(most)[:, None] >= found[:, 7]] = -1
    return np.ascontiguousarray(front.T)


def _select_words(
    found: Ints, corpus: Corpus, task: Task, words: Words, most: int
) -> NDArray[np.int16]:
    length = task.room + 3
    layout = lay_out(found, length)
    first_sep, last_sep = layout.first_sep, layout.last_sep
    # (pairs, length), where words begin
    begins = corpus.begins.take(layout.at, mode="clip")
    begins[:, 0] = False
    begins[:, 1] = True
    begins &= np.arange(length) < last_sep[:, None]
    begins[np.arange(len(found)), first_sep] = False
    rows, starts = begins.nonzero()
    counts = begins.sum(axis=1)
    offsets = np.cumsum(counts) - counts
    stops = np.append(starts[1:], 0)
    stops[offsets + counts - 1] = last_sep
    sizes = stops - starts - ((starts < first_sep[rows]) & (first_sep[rows] < stops))

    order = shuffle_together(words, found[:, 5], counts, int(counts.max(initial=0)))
    columns = np.full((len(found), most), -1, np.int16)
    selected = np.zeros(len(found), np.intp)
    wanted = np.array(task.wanted)[last_sep - 2]
    for place in range(len(order)):
        open = np.flatnonzero((counts > place) & (selected < wanted))
        if not len(open):
            break
        word = offsets[open] + order[place, open]
        fits = selected[open] + sizes[word] <= wanted[open]
        open, word = open[fits], word[fits]
        for piece in range(sizes[word].max(initial=0)):
            some = sizes[word] > piece
            row, column = open[some], starts[word[some]] + piece
            # a word that goes on in B is interrupted by [SEP]
            column += (starts[word[some]] < first_sep[row]) & (column >= first_sep[row])
            columns[row, selected[row] + piece] = column
        selected[open] += sizes[word]
    return columns


def _replace(
    found: Ints, steps: NDArray[np.uint8], corpus: Corpus, words: Words, most: int
) -> NDArray[np.int32]:
    """See `bertlesson.reference.replace_piece`."""
    shift = 32 - corpus.size.bit_length()
    new = np.empty((most, len(found)), np.int32)
    at = found[:, 6].copy()
    for row in new:
        step = steps.take(at, mode="clip")
        at += step
        row[:] = np.where(step == 2, corpus.mask, KEPT)
        drawn = np.flatnonzero(step > 4)
        row[drawn] = words.array.take(at[drawn] - 1, mode="clip") >> shift
    return np.ascontiguousarray(new.T)
