"""Words: from the pieces of a tokenized text back to the words they came from.

A word is a unit that the tokenizer splits into pieces separately. Its location in the text follows
from the character offsets that the tokenizer keeps for each piece. These need care: some tokenizers
include the space before a word, and characters that a tokenizer drops (standalone accents, vowel
signs, soft hyphens, zero-width spaces) belong to no piece.
"""

from __future__ import annotations

import unicodedata
import warnings
from itertools import pairwise
from typing import NamedTuple

from tokenizers import Encoding
from transformers import BatchEncoding

from .characters import is_dropped_with

__all__ = ["Word", "encodings_of", "find_words", "visible_words"]

SPACE_SIGNS = "Ġ▁Ċĉč"  # white space in the pieces of byte-level and SentencePiece vocabularies
MOST_DROPPED = 2  # if the text is unknown: most characters after a word that count as dropped


class Word(NamedTuple):
    """A word of a tokenized text."""

    piece: int  # where its first piece is in the row
    start: int  # its first character
    end: int  # the character after its last


def find_words(encoded: BatchEncoding, row: int, text: str | None = None) -> list[Word]:
    r"""The words of one row, from left to right, without the spaces around them.

    Dropped characters that follow a word belong to it, as an accent does to its letter.

    Args:
        encoded: The unmodified output of a fast tokenizer.
        row: The index of the text.
        text: That text. Without it, a dropped accent cannot be distinguished from a second space:
            one or two characters between a word's letters and the space before the next word are
            assumed to be dropped ones, with a warning. Any after the last word remain unknown.

    Raises:
        TypeError: If `encoded` is anything else, which does not record where pieces came from.
        ValueError: If the text was given to the tokenizer as words, so that characters are counted
            from 0 in each, or if `text` is not the text that was tokenized.

    >>> from transformers import BertTokenizer
    >>> pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "jo", "##se", "was"]
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> text = "Jose\u0301  was"  # an accent by itself, then two spaces
    >>> for word in find_words(tokenizer([text]), 0, text):
    ...     print(word)
    Word(piece=1, start=0, end=5)
    Word(piece=3, start=7, end=10)
    """
    encoding = encodings_of(encoded)[row]
    groups = _group_pieces(encoding)
    if _count_from_zero(groups):
        raise ValueError(
            f"row {row} was tokenized with is_split_into_words=True, which counts characters "
            "within each word; expected a whole text: for words with tags, use encode_tags and "
            "decode_tags"
        )
    if text is None:
        return _words_without_text(encoding, groups)
    reach = max((group.end for group in groups), default=0)
    if reach > len(text) or any(group.text for group in groups):
        raise ValueError(
            f"the pieces of row {row} come from {reach} characters or from two texts, and the text "
            f"given has {len(text)}; expected the one text that this row was tokenized from"
        )
    words = _visible(encoding, groups, text)
    for at, word in enumerate(words):
        end, until = word.end, words[at + 1].start if at + 1 < len(words) else len(text)
        while end < until and is_dropped_with(text[end]):
            end += 1
        if end > word.end:
            words[at] = word._replace(end=end)
    return words


def visible_words(encoding: Encoding, text: str) -> list[Word]:
    """The words without the spaces and dropped characters around them."""
    return _visible(encoding, _group_pieces(encoding), text)


def encodings_of(encoded: BatchEncoding) -> list[Encoding]:
    """What a fast tokenizer records about each row in addition to the ids of its pieces.

    Raises:
        TypeError: If the tokenizer was not a fast one, or its output has been modified.
    """
    encodings: list[Encoding] | None = getattr(encoded, "encodings", None)
    if encodings is None:
        raise TypeError(
            f"encoded is a {type(encoded).__name__} without word boundaries; expected the "
            "unmodified output of a fast tokenizer"
        )
    return encodings


class _Group(NamedTuple):
    """The pieces of a word."""

    text: int  # the first, or the second
    pieces: list[int]
    start: int
    end: int


def _group_pieces(encoding: Encoding) -> list[_Group]:
    # read once: tokenizers builds a new list on each access
    word_ids, offsets, texts = encoding.word_ids, encoding.offsets, encoding.sequence_ids
    pieces: dict[tuple[int, int], list[int]] = {}
    for piece, word in enumerate(word_ids):
        if word is not None:
            pieces.setdefault((texts[piece] or 0, word), []).append(piece)
    return [
        _Group(text, group, offsets[group[0]][0], offsets[group[-1]][1])
        for (text, _), group in pieces.items()
    ]


def _visible(encoding: Encoding, groups: list[_Group], text: str) -> list[Word]:
    tokens = encoding.tokens
    words = []
    for _, pieces, start, end in groups:
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if start == end:
            continue
        first = start
        if tokens[pieces[0]][0] in SPACE_SIGNS:
            # besides the space, the piece may cover an accent; or the space may be a zero-width one
            while first < end and (_is_shapeless(text[first]) or text[first].isspace()):
                first += 1
        words.append(Word(pieces[0], first if first < end else start, end))
    return words


def _is_shapeless(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Mc", "Me", "Mn")


def _count_from_zero(groups: list[_Group]) -> bool:
    """Whether characters are counted within each word, as in a text that was given as words.

    If so, some word begins before its predecessor ends. In whole texts, words share a character
    only where the tokenizer's normalizer turns one word into several.
    """
    back = [(a, b) for a, b in pairwise(groups) if b.start < a.end and a.text == b.text]
    all_from_zero = len(groups) > 1 and not any(group.start for group in groups)
    return any(b.start < a.end - 1 and b[2:] != a[2:] for a, b in back) or (
        all_from_zero and len(back) > 0
    )


def _words_without_text(encoding: Encoding, groups: list[_Group]) -> list[Word]:
    tokens, offsets = encoding.tokens, encoding.offsets
    starts: list[int | None] = []  # of the visible part; None for nothing but white space
    before = -1
    for group in groups:
        start: int | None = group.start
        if tokens[group.pieces[0]][0] in SPACE_SIGNS:
            shown = next((p for p in group.pieces if tokens[p].strip(SPACE_SIGNS)), None)
            start = None
            if shown is not None:
                spaces = _spaces_counted_in(tokens[shown], *offsets[shown], before)
                start = offsets[shown][0] + spaces
        starts.append(start)
        before = group.end
    words = []
    guessed = False
    for group, start, following in zip(groups, starts, [*starts[1:], None], strict=False):
        if start is None:
            continue
        end = group.end
        dropped = following - 1 - end if following else 0  # the gap without one space
        if 0 < dropped <= MOST_DROPPED and any(map(str.isalnum, tokens[group.pieces[-1]])):
            end += dropped
            guessed = True
        words.append(Word(group.pieces[0], start, end))
    if guessed:
        warnings.warn(
            "find_words assumed that some characters after words were dropped by the tokenizer, as "
            "accents are; without the text it cannot tell them from extra spaces: give it text=...",
            stacklevel=3,
        )
    return words


def _spaces_counted_in(token: str, start: int, end: int, before: int) -> int:
    """How many of a word's first characters are spaces, judging by its first piece.

    Args:
        token: The piece.
        start: Its first character.
        end: The character after its last.
        before: The end of the word before it.
    """
    letters = token.lstrip(SPACE_SIGNS)
    # a byte-level piece is longer than the text it stands for, unless that is ASCII
    counted_in = len(token) <= end - start or (start == before and not letters.isascii())
    return len(token) - len(letters) if counted_in else 0
