"""The draws of a `random.Random` in bulk, the same to the last bit.

`random.Random` is the Mersenne Twister MT19937. It makes words of 32 bits, of which each draw takes
some (CPython, `Lib/random.py` and `Modules/_randommodule.c`):

- ``random()`` takes two: the upper 27 bits of the first, and the upper 26 of the second.
- ``randrange(n)`` takes more until the upper ``n.bit_length()`` bits of one are less than n.
- ``shuffle(x)`` draws ``randrange(n)`` for each n from ``len(x)`` down to 2.

NumPy has the same generator and makes words by the thousand. If it is known which words a draw
takes, its value can wait until those of many draws are computed at once.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache
from math import ceil
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST", "Words", "chances", "past_shuffle", "shuffle_together"]

BITS = 12  # of a word that are its character
MOST = 2**BITS - 1  # items that may be shuffled
FIRST, LARGEST = 2**14, 2**20  # words that are made at once
Ints = NDArray[np.int64]


class Words:
    """The words that a generator is going to use, made in advance.

    The generator itself stays as it is until `give_back`.

    Args:
        rng: The generator, a `random.Random` itself: a class derived from it may draw otherwise.
        expected: About how many words will be used.

    Attributes:
        array: ``(words,)``, uint32.
        view: The same words, quicker to take one by one.
        chars: ``(words,)``, uint16: the upper `BITS` bits of each word.
        text: The same as characters.
        upper: A byte for each word, its highest bit: 0 where ``random() < 0.5``.

    Raises:
        TypeError: If `rng` is anything else.

    >>> rng = random.Random(3)
    >>> words = Words(rng)
    >>> words.more(0)
    >>> words.view[0] >> 31, words.view[1] >> 28  # getrandbits(1), then getrandbits(4)
    (0, 9)
    >>> words.give_back(2)
    >>> rng.getrandbits(32) == words.view[2]
    True
    """

    def __init__(self, rng: random.Random, expected: int = 0) -> None:
        if type(rng) is not random.Random:
            raise TypeError(
                f"rng is of type {type(rng).__name__}; expected random.Random itself: a class "
                "derived from it may draw otherwise"
            )
        self._rng = rng
        state = rng.getstate()[1]
        self._twister = np.random.MT19937()
        self._twister.state = {
            "bit_generator": "MT19937",
            "state": {"key": np.array(state[:-1], np.uint32), "pos": state[-1]},
        }
        self._count = min(max(expected, FIRST), LARGEST)
        # where words were made, and the twister's state before that
        self._made: list[tuple[int, Any]] = [(0, self._twister.state)]
        self._set(np.empty(0, np.uint32))

    def more(self, at: int) -> None:
        """Make more words; the one at `at` becomes the first, and those before it are dropped."""
        kept = self.array[at:]
        self._made = [(place - at, state) for place, state in self._made]
        self._made.append((len(kept), self._twister.state))
        while len(self._made) > 1 and self._made[1][0] <= 0:
            del self._made[0]
        count = max(self._count, len(kept))
        self._count = min(2 * count, LARGEST)
        words = np.empty(len(kept) + count, np.uint32)
        words[: len(kept)] = kept
        for start in range(len(kept), len(words), FIRST):  # what stays in the cache
            part = words[start : start + FIRST]
            part[:] = self._twister.random_raw(len(part))
        self._set(words)

    def give_back(self, at: int) -> None:
        """Leave the generator as if it had drawn all words before the one at `at`."""
        place, before = [made for made in self._made if made[0] <= at][-1]
        self._twister.state = before
        self._twister.random_raw(at - place, output=False)
        state: dict[str, Any] = cast(Any, self._twister.state)["state"]
        version, _, gauss_next = self._rng.getstate()
        words = (*state["key"].tolist(), int(state["pos"]))
        self._rng.setstate((version, words, gauss_next))

    def _set(self, words: NDArray[np.uint32]) -> None:
        self.array = words
        self.view = memoryview(cast(Any, words))
        self.chars = (words >> (32 - BITS)).astype(np.uint16)
        # none is above 2**12, so none is half of a surrogate pair
        self.text = self.chars.astype("<u2", copy=False).tobytes().decode("utf-16-le")
        self.upper = (words >> 31).astype(np.uint8).tobytes()


def limit_of(n: int) -> int:
    """The first word that is too large for ``randrange(n)``, which then tries the next one.

    >>> limit_of(6) == 6 << 29  # the upper three bits of a word are less than 6
    True
    """
    return n << (32 - n.bit_length())


def fraction(first: int, second: int) -> float:
    """What ``random()`` makes of two words."""
    return ((first >> 5) * 2**26 + (second >> 6)) / 2**53


def chances(words: NDArray[np.uint32], share: float) -> NDArray[np.bool_]:
    """Whether ``random() < share``, had it begun at each word but the last."""
    upper, lower = divmod(ceil(share * 2**53), 2**26)
    first = words[:-1] >> 5
    below = first < upper
    for tie in np.flatnonzero(first == upper):  # hardly ever
        below[tie] = words[tie + 1] >> 6 < lower
    return below


@cache
def past_shuffle(count: int) -> Callable[[str, int], re.Match[str] | None]:
    """A function that matches the words of a shuffle of so many items, in `Words.text`.

    A regular expression is the quickest to go through them one by one. Making it takes as long as
    hundreds of shuffles, so use few numbers.

    >>> words = Words(random.Random(0))
    >>> words.more(0)
    >>> found = past_shuffle(4)(words.text, 0)
    >>> found.end()  # three draws, and three words that are too large for theirs
    6
    """
    limits = (limit_of(n) >> (32 - BITS) for n in range(count, 1, -1))
    # those that are rejected, and the one that is not
    return re.compile("".join(f"[\\u{limit:04x}-\\u{MOST:04x}]*+." for limit in limits), re.S).match


def shuffle_together(words: Words, at: Ints, counts: Ints, places: int) -> NDArray[np.int16]:
    """What `random.shuffle` does to ``list(range(count))``, for many lists at once.

    Args:
        words: All words.
        at: ``(lists,)``, the first word of each shuffle.
        counts: ``(lists,)``, the number of items of each, at most `MOST`.
        places: How many places at the front are wanted.

    Returns:
        ``(places, lists)``, the items at the front; where there are fewer, any number.
    """
    order = np.argsort(-counts, kind="stable")
    most = int(counts.max(initial=0))
    # (items, lists), and the longer lists first: those with n items are the first so many
    depth, lists = max(most, places), len(at)
    item = np.empty((depth, lists), np.uint8 if depth <= 256 else np.int16)
    item[:] = np.arange(depth)[:, None]
    flat, column = item.reshape(-1), np.arange(lists)
    live = np.searchsorted(-counts[order], -np.arange(most + 1), "right").tolist()
    taken = at[order]
    for n in range(most, 1, -1):
        next_word = taken[: live[n]]
        drawn = words.chars.take(next_word)
        shift = BITS - n.bit_length()
        rejected = np.flatnonzero(drawn >= n << shift)
        while len(rejected):
            next_word[rejected] = again = next_word.take(rejected) + 1
            drawn[rejected] = others = words.chars.take(again)
            rejected = rejected[others >= n << shift]
        next_word += 1
        drawn >>= shift
        place = drawn * np.intp(lists)
        place += column[: live[n]]
        last = item[n - 1, : live[n]]
        if n <= places:
            last[:], flat[place] = flat[place], last.copy()
        else:  # what comes there is not moved again
            flat[place] = last
    front = np.empty((places, lists), np.int16)
    front[:, order] = item[:places]
    return front
