"""Characters: which of a text's characters belong to which piece.

The offsets that a tokenizer keeps need care: some include the space before a word, and characters
that the tokenizer drops (standalone accents, vowel signs, soft hyphens, zero-width spaces) belong
to no piece.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["checked_texts", "has_half_pair", "is_dropped_with", "own_characters"]

SHOWN = 60  # characters of a value that a message shows
SURROGATE = re.compile("[\ud800-\udfff]")


def has_half_pair(text: str) -> bool:
    r"""Whether a text has half of a surrogate pair, which JSON may hold and no tokenizer reads.

    >>> has_half_pair("\ud83d"), has_half_pair("\U0001f600")
    (True, False)
    """
    return not text.isascii() and SURROGATE.search(text) is not None


def checked_texts(name: str, texts: Sequence[str]) -> list[str]:
    r"""The texts as a list, after a check that tokenizers can read each of them.

    Args:
        name: What the messages are to call them.
        texts: A list, or the column of a table.

    Raises:
        TypeError: If one of them is not a string, such as None or NaN for an empty cell.
        ValueError: If one has half of a surrogate pair.

    >>> checked_texts("texts", ["Ada", None])
    Traceback (most recent call last):
    TypeError: texts[1] is None; expected a string
    """
    found: list[Any] = list(texts)
    for number, text in enumerate(found):
        if not isinstance(text, str):
            shown = repr(text)
            shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
            raise TypeError(f"{name}[{number}] is {shown}; expected a string")
        if has_half_pair(text):
            raise ValueError(
                f"{name}[{number}] has half of a surrogate pair; expected whole characters: "
                'text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")'
            )
    return found


def is_dropped_with(char: str) -> bool:
    """Whether a character that is in no piece belongs to the word before it.

    This is true of marks and of invisible characters, but not of punctuation and spaces.
    """
    return char == "\ufffd" or (unicodedata.category(char)[0] in "MC" and not char.isspace())


def own_characters(context: str, offsets: NDArray[Any]) -> NDArray[Any]:
    r"""The characters that belong to each piece, which differ slightly from its offsets.

    Offsets may include the space before a word, which belongs to no piece. They omit characters
    that the tokenizer drops, such as a combining accent or a soft hyphen; these belong to the piece
    directly before them, see `is_dropped_with`. Characters dropped at the beginning of a word
    belong to no piece.

    Args:
        context: The text that was tokenized.
        offsets: For each piece its first character and the one after its last, ``(pieces, 2)``.

    Returns:
        For each piece, ``(pieces, 3)``: its first character, the one after its last, and the one
        after the last character dropped behind it; -1 for pieces of only white space.

    >>> own_characters("Sa\u0303o Paulo", np.array([[0, 2], [3, 4], [4, 10]])).tolist()
    [[0, 2, 3], [3, 4, 4], [5, 10, 10]]
    """
    if context.isascii() and context.isprintable():
        # most texts: no character of these is ever dropped, and a space is the only white space
        space = np.frombuffer(context.encode("ascii"), np.uint8) == ord(" ")  # (size,)
        starts, ends = offsets.T
        if (starts < ends).all() and not (space[starts] | space[ends - 1]).any():
            return offsets[:, [0, 1, 1]]
    size = len(context)
    text = ~np.fromiter(map(str.isspace, context), dtype=bool, count=size)  # (size,)
    starts = _next(np.append(text, True))[offsets[:, 0]]  # (pieces,)
    ends = size - _next(np.append(text[::-1], True))[size - offsets[:, 1]]
    some = starts < ends
    # how many pieces have begun at each character, less those that have ended
    begun = np.bincount(starts[some], minlength=size + 1)
    ended = np.bincount(ends[some], minlength=size + 1)
    dropped = text & ((begun - ended).cumsum()[:size] == 0)
    dropped[dropped] = [is_dropped_with(context[at]) for at in np.flatnonzero(dropped)]
    owned = np.stack([starts, ends, _next(np.append(~dropped, True))[ends]], axis=1)
    owned[~some] = -1
    return owned


def _next(found: NDArray[Any]) -> NDArray[Any]:
    """For each index, the nearest index from there on where `found` is True; the last one is."""
    indices = np.where(found, np.arange(len(found)), len(found))
    return np.minimum.accumulate(indices[::-1])[::-1]
