"""Windows: questions with contexts become rows of the model, several where a context is long.

Contexts come back often: SQuAD asks about five questions of each paragraph. So each of them is
split into pieces once, and joined with every question by the tokenizer's own rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from transformers import PreTrainedTokenizerFast

from .characters import own_characters

__all__ = ["Window", "check_room", "find_max_context", "split_contexts"]

AT_ONCE = 256  # questions: their rows in the form of `tokenizers` take ten times the memory of ours
REPEATED = 256  # so many contexts must come again to make up for a copy of the tokenizer
SHOWN = 60  # characters of a question that a message shows
NOT_SET = 10**20  # a model_max_length above this means none, as in transformers


class Window(NamedTuple):
    """One row, without padding.

    Attributes:
        example: The index of its question.
        ids: Of its pieces, ``(length,)``, int32.
        segments: Their token types, ``(length,)``, int8.
        cls: The position of ``[CLS]``, or 0.
        first: The position of the first piece of the context.
        start: The number of that piece, counted over the whole context.
        size: The number of pieces of the context.
        owned: The characters of all pieces of the whole context, ``(pieces, 3)``, int32, see
            `own_characters`. The windows of a context share it.
    """

    example: int
    ids: NDArray[np.int32]
    segments: NDArray[np.int8]
    cls: int
    first: int
    start: int
    size: int
    owned: NDArray[np.int32]


def split_contexts(
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[str],
    contexts: Sequence[str],
    stride: int,
    longest: int,
) -> Iterator[list[Window]]:
    """The windows of each question, in the order in which the tokenizer makes them.

    Args:
        tokenizer: See `encode_questions`.
        questions: One for each context.
        contexts: The texts to split.
        stride: Number of pieces of the context that a window shares with the next.
        longest: The longest row. Above 10**20, contexts are not split.

    Raises:
        ValueError: See `check_room`.
    """
    bare = _copy_without_ends(tokenizer, contexts)
    side = tokenizer.truncation_side
    seen: dict[str, NDArray[np.int32]] = {}  # what is known of the contexts of this part
    for begin in range(0, len(questions), AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        rows = _join(tokenizer, bare, questions[part], contexts[part], stride, longest)
        seen = {context: seen[context] for context in set(contexts[part]) if context in seen}
        for number, (context, encodings) in enumerate(zip(contexts[part], rows, strict=True)):
            places = [_find_parts(row, tokenizer.cls_token_id) for row in encodings]
            starts = _starts([count for _, _, count in places], stride, side)
            if context not in seen:
                seen[context] = _own(context, encodings, starts, places)
            windows: list[Window] = []
            for row, start, (cls, first, count) in zip(encodings, starts, places, strict=True):
                segments = np.array(row.type_ids, dtype=np.int8)
                # in the rows after the first, post_process does not set the context's type
                if windows and count:
                    segments[first : first + count] = windows[0].segments[windows[0].first]
                ids = np.array(row.ids, dtype=np.int32)
                owned = seen[context]
                windows.append(
                    Window(begin + number, ids, segments, cls, first, start, count, owned)
                )
            yield windows


def check_room(
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[str],
    contexts: Sequence[str],
    stride: int,
    longest: int,
    counts: Sequence[int] | None = None,
) -> None:
    """Reject rows too short for a context, in which `stride` leaves no room for new pieces.

    `tokenizers` would panic.

    Args:
        tokenizer: See `encode_questions`.
        questions: One for each context.
        contexts: The texts to split.
        stride: Number of pieces that a row shares with the next.
        longest: The longest row.
        counts: The number of pieces of each question, if it is known.

    Raises:
        ValueError: If a question has no room, or the stride is negative.
    """
    if stride < 0:
        raise ValueError(f"stride is {stride}; expected 0 or more pieces")
    if counts is None:
        asked = tokenizer(list(questions), add_special_tokens=False, verbose=False)["input_ids"]
        counts = list(map(len, asked))
    longest_text = longest - tokenizer.num_special_tokens_to_add(pair=True)
    for question, context, count in zip(questions, contexts, counts, strict=True):
        room = longest_text - count
        if room > stride:
            continue
        pieces = tokenizer(context, add_special_tokens=False, verbose=False)["input_ids"]
        if room < len(pieces):
            shown = question if len(question) <= SHOWN else f"{question[:SHOWN]}…"
            raise ValueError(
                f"the question {shown!r} leaves room for {max(room, 0)} pieces of its context "
                f"in a row of {longest}; expected more than stride={stride}: use a smaller stride, "
                "or longer rows, with max_length or a tokenizer with a larger model_max_length"
            )


def find_max_context(starts: Sequence[int], counts: Sequence[int]) -> list[NDArray[np.bool_]]:
    """Which pieces have the most context in each window, among all windows that contain them.

    A piece's score in a window is the lesser number of pieces to its left and right, plus 0.01 for
    each piece of the window. Of equal ones the first window counts (``_check_is_max_context`` in
    the release's ``run_squad.py``).

    Args:
        starts: The number of each window's first piece in the context.
        counts: The number of each window's pieces.

    >>> find_max_context([0, 2], [6, 6])[1].astype(int)
    array([0, 0, 1, 1, 1, 1])
    """
    total = max(start + count for start, count in zip(starts, counts, strict=True))
    best = np.full(total, -np.inf)
    winner = np.zeros(total, dtype=int)
    for number, (start, count) in enumerate(zip(starts, counts, strict=True)):
        place = np.arange(count)
        score = np.minimum(place, place[::-1]) + 0.01 * count
        better = score > best[start : start + count]
        best[start : start + count][better] = score[better]
        winner[start : start + count][better] = number
    return [
        winner[start : start + count] == number
        for number, (start, count) in enumerate(zip(starts, counts, strict=True))
    ]


def _copy_without_ends(
    tokenizer: PreTrainedTokenizerFast, contexts: Sequence[str]
) -> Tokenizer | None:
    """The same tokenizer without special tokens and limits; None if it is not worth its time."""
    backend = tokenizer.backend_tokenizer
    if len(contexts) - len(set(contexts)) < REPEATED or backend.post_processor is None:
        return None
    try:
        bare = Tokenizer.from_str(backend.to_str())
    except Exception:  # parts that are written in Python cannot be copied
        return None
    bare.post_processor = None
    bare.no_truncation()
    bare.no_padding()
    bare.encode_special_tokens = backend.encode_special_tokens
    return bare


def _join(
    tokenizer: PreTrainedTokenizerFast,
    bare: Tokenizer | None,
    questions: Sequence[str],
    contexts: Sequence[str],
    stride: int,
    longest: int,
) -> list[list[Encoding]]:
    """The rows of each question."""
    room = longest - tokenizer.num_special_tokens_to_add(pair=True)
    limits: dict[str, Any] = {}
    # if a row has no room for the repeated pieces, every context fits: see check_room
    if longest < NOT_SET and stride < room:
        limits = {"truncation": "only_second", "stride": stride, "max_length": longest}
    if bare is None:
        check_room(tokenizer, questions, contexts, stride, longest)
        return _tokenize(tokenizer, questions, contexts, limits)
    asked = bare.encode_batch(list(questions), add_special_tokens=False)
    check_room(tokenizer, questions, contexts, stride, longest, list(map(len, asked)))
    # this also tells the tokenizer its limits, which post_process then keeps
    [known] = _tokenize(tokenizer, questions[:1], contexts[:1], limits)
    unique = list(dict.fromkeys(contexts))
    pieces = dict(zip(unique, bare.encode_batch(unique, add_special_tokens=False), strict=True))
    rows: list[list[Encoding]] = []
    for question, context in zip(asked, contexts, strict=True):
        row = tokenizer.backend_tokenizer.post_process(question, pieces[context], True)
        rows.append([row, *row.overflowing])
    if [(row.ids, row.offsets) for row in rows[0]] != [(row.ids, row.offsets) for row in known]:
        return _tokenize(tokenizer, questions, contexts, limits)
    return rows


def _tokenize(
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[str],
    contexts: Sequence[str],
    limits: dict[str, Any],
) -> list[list[Encoding]]:
    encoded = tokenizer(
        list(questions),
        list(contexts),
        padding=False,
        return_overflowing_tokens=True,
        verbose=False,
        **limits,
    )
    rows: list[list[Encoding]] = [[] for _ in questions]
    numbers = encoded["overflow_to_sample_mapping"]
    for number, row in zip(numbers, encoded.encodings or [], strict=True):
        rows[number].append(row)
    return rows


def _starts(counts: Sequence[int], stride: int, side: str) -> list[int]:
    """The number of each window's first piece. All windows but the last are equally long."""
    step = counts[0] - stride
    if side == "right":
        return [number * step for number in range(len(counts))]
    total = counts[-1] + step * (len(counts) - 1)  # the last window is the beginning
    return [total - number * step - count for number, count in enumerate(counts)]


def _find_parts(row: Encoding, cls_id: int | None) -> tuple[int, int, int]:
    """The position of ``[CLS]``, or 0; of the first piece of the context; and their number."""
    parts = row.sequence_ids
    count = parts.count(1)
    cls = 0
    ids = row.ids
    # a "[CLS]" written in a text is part of that text
    if cls_id is not None and (ids[0] != cls_id or parts[0] is not None):
        pieces = enumerate(zip(ids, parts, strict=True))
        cls = next((at for at, (i, part) in pieces if i == cls_id and part is None), 0)
    return cls, parts.index(1) if count else 0, count


def _own(
    context: str,
    rows: Sequence[Encoding],
    starts: Sequence[int],
    places: Sequence[tuple[int, int, int]],
) -> NDArray[np.int32]:
    """The characters of all pieces of a context, see `own_characters`."""
    total = max(start + count for start, (_, _, count) in zip(starts, places, strict=True))
    offsets = np.zeros((total, 2), dtype=np.int32)
    for row, start, (_, first, count) in zip(rows, starts, places, strict=True):
        if count:
            offsets[start : start + count] = row.offsets[first : first + count]
    return own_characters(context, offsets).astype(np.int32)
