"""Spans: where an answer starts and ends, and back from the logits to characters (paper §4.2, 4.3).

A long context is given as several rows; an answer's characters become a start and an end in the
row that holds it, and the logits of all rows one answer again.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import BatchEncoding, PreTrainedTokenizerFast

from bertlesson.inputs import Features, check_same_number

Answer = tuple[int, int]  # its first character in the context, and the one after its last

NOT_SET = 10**20  # a model_max_length above this stands for none, as in transformers
RELEASED_LENGTH = 512  # the longest row of BERT as released
ROWS_AT_ONCE = 256  # so many, with what is made of them, fit into a processor's cache


class Questions(NamedTuple):
    """Tokenized questions with their contexts.

    Attributes:
        features: The model's arguments, each int64: ``input_ids``, ``token_type_ids`` and
            ``attention_mask`` of shape ``(rows, length)``, and, where answers were given,
            ``start_positions`` and ``end_positions`` of shape ``(rows,)``.
        example: Which question each row belongs to, ``(rows,)``.
        characters: The first character in the context of each piece, and the one after the last
            that belongs to it, ``(rows, length, 2)``, see `own_characters`; -1 where no answer
            begins or ends: for pieces that are not of the context, or of white space alone.
        no_answer: Where each row has ``[CLS]``, which stands for "no answer", ``(rows,)``; None:
            it comes first in all of them.
    """

    features: Features
    example: Tensor
    characters: Tensor
    no_answer: Tensor | None = None


def encode_questions(
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[str],
    contexts: Sequence[str],
    answers: Sequence[Answer | None] | None = None,
    stride: int = 16,
) -> Questions:
    """Rows of ``[CLS] question [SEP] context [SEP]``, and the pieces where each answer lies.

    An answer's pieces are those that overlap it: if it begins within a piece, it begins with that
    piece. White space at its ends makes no difference, nor do characters that the tokenizer drops.

    A context too long for one row is given as several, each of which repeats `stride` pieces of the
    one before. In a row that does not hold the whole answer both positions are those of ``[CLS]``,
    which stands for "no answer", as in the release's `run_squad.py`.

    Args:
        tokenizer: A fast one; its ``model_max_length`` is the longest row. It may pad on either
            side and have its ``[CLS]`` in any place; if it has none, a row's first token is taken.
        questions: One for each context.
        contexts: Where the answers are looked for.
        answers: Their first character in the context and the one after the last; None where the
            context has no answer. Left out: rows to predict on.
        stride: How many pieces of the context one row shares with the next.

    Raises:
        ValueError: If an answer does not lie within its context or overlaps none of its pieces, or
            a question leaves no room for the context beside it.
        TypeError: If an answer is not two whole numbers, or a string stands where a list should.

    Warns:
        UserWarning: If rows are longer than BERT's, and the tokenizer does not know the longest.
    """
    check_same_number(questions=questions, contexts=contexts)
    if answers is not None:
        check_same_number(contexts=contexts, answers=answers)
        answers = _check_answers(contexts, answers)
    encoded = _encode_rows(tokenizer, questions, contexts, stride)
    example = encoded.pop("overflow_to_sample_mapping")  # (rows,)
    offsets = encoded.pop("offset_mapping").numpy()  # (rows, length, 2)
    segments = _segments(encoded)  # (rows, length)
    in_context = segments == 1
    owned = np.full((*in_context.shape, 3), -1)  # (rows, length, 3), see own_characters
    bounds = np.searchsorted(example.numpy(), np.arange(len(contexts) + 1))  # the first row of each
    for context, first, past in zip(contexts, bounds, bounds[1:], strict=False):
        pieces = in_context[first:past]
        owned[first:past][pieces] = own_characters(context, offsets[first:past][pieces])
    no_answer = _find_cls(tokenizer, encoded, segments)
    features = dict(encoded)
    if answers is not None:
        positions = _find_answers(tokenizer, contexts, answers, example.numpy(), owned)
        for name, position in zip(("start_positions", "end_positions"), positions, strict=True):
            features[name] = torch.where(position < 0, no_answer, position)
    return Questions(features, example, torch.from_numpy(owned[..., ::2].copy()), no_answer)


def own_characters(context: str, offsets: NDArray[Any]) -> NDArray[Any]:
    """The characters that belong to each piece, which are not quite those of its offsets.

    Offsets may take in the space before a word: it belongs to no piece. They leave out what the
    tokenizer drops, such as a combining accent or a soft hyphen: it belongs to the piece before it,
    if nothing is between the two. What was dropped at the beginning of a word belongs to no piece.

    Args:
        context: What the pieces are of.
        offsets: For each piece its first character and the one after its last, ``(pieces, 2)``.

    Returns:
        For each piece, ``(pieces, 3)``: its first character, the one after its last, and the one
        after the last of those dropped behind it; -1 for pieces of white space alone.

    >>> own_characters("Sa\\u0303o Paulo", np.array([[0, 2], [3, 4], [4, 10]])).tolist()
    [[0, 2, 3], [3, 4, 4], [5, 10, 10]]
    """
    size = len(context)
    text = ~np.fromiter(map(str.isspace, context), dtype=bool, count=size)  # (size,)
    starts = _next(np.append(text, True))[offsets[:, 0]]  # (pieces,)
    ends = size - _next(np.append(text[::-1], True))[size - offsets[:, 1]]
    some = starts < ends
    # how many pieces have begun at each character, less those that have ended
    begun = np.bincount(starts[some], minlength=size + 1)
    ended = np.bincount(ends[some], minlength=size + 1)
    dropped = text & ((begun - ended).cumsum()[:size] == 0)
    owned = np.stack([starts, ends, _next(np.append(~dropped, True))[ends]], axis=1)
    owned[~some] = -1
    return owned


def _next(found: NDArray[Any]) -> NDArray[Any]:
    """The nearest place that is found, from each place on; the last place is one."""
    places = np.where(found, np.arange(len(found)), len(found))
    return np.minimum.accumulate(places[::-1])[::-1]


def decode_answers(
    start_logits: Tensor,
    end_logits: Tensor,
    questions: Questions,
    *,
    max_answer_length: int = 30,
    null_threshold: float | None = None,
) -> list[Answer | None]:
    """The best span for each question: the highest start + end score with the end not before the
    start (paper §4.2).

    Args:
        start_logits: ``(rows, length)``, as are `end_logits`; of any float type (half precision is
            added up in float32), on any device. -inf marks a piece that is not to be taken.
        end_logits: From a model that read ``questions.features``.
        questions: See `encode_questions`.
        max_answer_length: In pieces; longer spans are not looked at (30 in `run_squad.py`).
        null_threshold: Say "no answer" if the score of ``[CLS]`` exceeds the best span's by more
            than this (paper §4.3). Default: always give a span.

    Returns:
        For each question the first character of its answer in the context and the one after the
        last; None is "no answer", also where the context has no piece that could be one. What the
        tokenizer dropped behind the last piece is part of the answer, see `own_characters`.

    Raises:
        ValueError: If the logits are of other rows, NaN or infinite, a question has no row, or no
            span may be one piece long.
    """
    given, rows_read = start_logits.shape, questions.characters.shape[:2]
    if not given == end_logits.shape == rows_read:
        raise ValueError(
            f"start_logits {tuple(given)} and end_logits {tuple(end_logits.shape)}; expected one "
            f"of each for every piece of the questions, {tuple(rows_read)}"
        )
    if max_answer_length < 1:
        raise ValueError(f"max_answer_length={max_answer_length}; expected pieces, 1 or more")
    starts = _as_scores("start_logits", start_logits, questions)
    ends = _as_scores("end_logits", end_logits, questions)
    in_context = questions.characters[..., 0] >= 0  # (rows, length)
    spans = [
        _best_spans(starts[rows], ends[rows], in_context[rows], max_answer_length)
        for rows in torch.arange(len(starts)).split(ROWS_AT_ONCE)
    ]
    best, first, last = (torch.cat(part).tolist() for part in zip(*spans, strict=True))  # [row]
    cls = questions.no_answer
    cls = torch.zeros_like(questions.example) if cls is None else cls
    none = (starts.gather(1, cls[:, None]) + ends.gather(1, cls[:, None])).flatten().tolist()
    answers: list[Answer | None] = []
    for rows in _rows_of_questions(questions.example):
        row = max(rows, key=best.__getitem__)  # the first of those that are best
        span = questions.characters[row, first[row], 0], questions.characters[row, last[row], 1]
        # a long context lacks an answer only if no row of it has one
        margin = min(none[row] for row in rows) - best[row]
        refused = null_threshold is not None and margin > null_threshold
        answers.append(None if refused or best[row] == -np.inf else (int(span[0]), int(span[1])))
    return answers


def _best_spans(
    starts: Tensor, ends: Tensor, in_context: Tensor, longest: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The score of each row's best span and its first and last piece, each ``(rows,)``.

    Of equal spans the one that starts first is taken, and of these the shortest. Without a piece
    that is in the context the score is -inf.
    """
    length = starts.shape[1]
    starts, ends = (scores.masked_fill(~in_context, -torch.inf) for scores in (starts, ends))
    # the best end among the next `reach` pieces: from those of two such stretches, side by side
    best_end, reach = ends, 1
    while reach < min(longest, length):
        step = min(reach, longest - reach)
        joined = torch.maximum(best_end[:, :-step], best_end[:, step:])
        best_end = torch.cat([joined, best_end[:, -step:]], dim=1)  # (rows, length)
        reach += step
    best, first = (starts + best_end).max(dim=1)  # (rows,)
    after = torch.arange(length, device=starts.device) - first[:, None]  # (rows, length)
    equal = starts.gather(1, first[:, None]) + ends == best[:, None]
    last = (equal & (after >= 0)).int().argmax(dim=1)  # the first one is within reach
    return best, first, last


def _as_scores(name: str, logits: Tensor, questions: Questions) -> Tensor:
    """Logits that can be added and compared, where the questions are."""
    precise = torch.promote_types(logits.dtype, torch.float32)
    scores = logits.detach().to(questions.characters.device, precise)
    wrong = ~(scores < torch.inf)  # NaN is not less than anything
    if wrong.any():
        row, piece = wrong.nonzero()[0].tolist()
        raise ValueError(
            f"{name} of row {row}, question {int(questions.example[row])}, are "
            f"{scores[row, piece].item()} at piece {piece}, in {int(wrong.any(1).sum())} of "
            f"{len(wrong)} rows; expected numbers, or -inf for what is not to be taken: see "
            "whether the model's weights or its loss are NaN (a learning rate too high, or "
            "training in half precision)"
        )
    return scores


def _rows_of_questions(example: Tensor) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(int(example.max()) + 1)]
    for row, number in enumerate(example.tolist()):
        rows[number].append(row)
    if [] in rows:
        raise ValueError(
            f"no row is of question {rows.index([])}, the last one is {len(rows) - 1}; expected "
            "one or more for each"
        )
    return rows


def _encode_rows(
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[str],
    contexts: Sequence[str],
    stride: int,
) -> BatchEncoding:
    _check_room(tokenizer, questions, contexts, stride)
    longest = tokenizer.model_max_length - tokenizer.num_special_tokens_to_add(pair=True)
    limited = tokenizer.model_max_length < NOT_SET
    encoded: BatchEncoding = tokenizer(
        list(questions),
        list(contexts),
        padding=True,
        # where a row has no room for what is repeated, every context fits: see _check_room
        **({"truncation": "only_second", "stride": stride} if limited and stride < longest else {}),
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_tensors="pt",
    )
    length = encoded["input_ids"].shape[1]
    if not limited and length > RELEASED_LENGTH:
        warnings.warn(
            f"rows of {length} pieces: the tokenizer has no model_max_length, so no context was "
            f"cut; BERT reads {RELEASED_LENGTH}, a model its config.max_position_embeddings: set "
            "tokenizer.model_max_length to it",
            stacklevel=3,
        )
    return encoded


def _segments(encoded: BatchEncoding) -> NDArray[Any]:
    """0 for pieces of the question, 1 for those of the context, -1 for others; (rows, length)."""
    number = {None: -1, 0: 0, 1: 1}
    rows = encoded.encodings or []
    return np.array([[number[segment] for segment in row.sequence_ids] for row in rows])


def _find_cls(
    tokenizer: PreTrainedTokenizerFast, encoded: BatchEncoding, segments: NDArray[Any]
) -> Tensor:
    """Where each row has its ``[CLS]``, or else its first token, ``(rows,)``."""
    real = np.array([row.attention_mask for row in encoded.encodings or []]) == 1  # (rows, length)
    is_cls = encoded["input_ids"].numpy() == tokenizer.cls_token_id
    cls = is_cls & real & (segments < 0)  # one that is written in a text is part of that text
    return torch.from_numpy(np.where(cls.any(1), cls.argmax(1), real.argmax(1)))


def _find_answers(
    tokenizer: PreTrainedTokenizerFast,
    contexts: Sequence[str],
    answers: Sequence[Answer | None],
    example: NDArray[Any],
    owned: NDArray[Any],
) -> list[Tensor]:
    """The first and the last piece that overlap the answer, each ``(rows,)``.

    Both are -1 in rows that do not hold all of the pieces that do.
    """
    # (questions, 2); no piece reaches these characters where there is no answer
    wanted = np.array([answer or (-9, -9) for answer in answers])
    overlaps = _overlaps(owned, wanted[example][:, None])  # (rows, length)
    held = overlaps.sum(1)  # (rows,)
    starts, ends = _first_and_last(overlaps)
    # a row knows all of an answer's pieces if others stand before and behind them, or if it is the
    # only one; else it takes the whole context to tell whether some were cut off
    first, last = _first_and_last(owned[..., 0] >= 0)
    knows = (held > 0) & (first < starts) & (ends < last) | (np.bincount(example)[example] == 1)
    needed = np.full(len(answers), -1)  # how many pieces each answer has
    needed[example[knows]] = held[knows]
    cut = [number for number, answer in enumerate(answers) if answer and needed[number] < 0]
    if cut:
        texts = [contexts[number] for number in cut]
        whole = tokenizer(
            texts, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        for number, text, offsets in zip(cut, texts, whole["offset_mapping"], strict=True):
            pieces = own_characters(text, np.array(offsets))
            needed[number] = _overlaps(pieces, wanted[number]).sum()
    for number, answer in enumerate(answers):
        if answer and not needed[number]:
            raise ValueError(
                f"answer {answer} of example {number}, {contexts[number][slice(*answer)]!r}, "
                "overlaps no piece of its context: it is white space, or what the tokenizer drops; "
                "expected at least one word, or None for no answer"
            )
    complete = (held > 0) & (held == needed[example])
    return [torch.from_numpy(np.where(complete, places, -1)) for places in (starts, ends)]


def _first_and_last(found: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Where in each row, ``(rows, length)``, the first and the last is found, ``(rows,)`` each."""
    return found.argmax(1), found.shape[1] - 1 - found[:, ::-1].argmax(1)


def _overlaps(owned: NDArray[Any], answers: NDArray[Any]) -> NDArray[Any]:
    """Whether pieces, ``(..., 2 or 3)``, have a character in common with answers, ``(..., 2)``."""
    shared: NDArray[Any] = (owned[..., 0] < answers[..., 1]) & (answers[..., 0] < owned[..., 1])
    return shared


def _check_answers(
    contexts: Sequence[str], answers: Sequence[Answer | None]
) -> list[Answer | None]:
    checked: list[Answer | None] = []
    for number, (context, answer) in enumerate(zip(contexts, answers, strict=True)):
        if answer is None:
            checked.append(None)
            continue
        try:
            start, end = map(operator.index, answer)
        except (TypeError, ValueError):
            raise TypeError(
                f"answer {answer!r} of example {number}; expected its first character in the "
                "context and the one after its last, such as (start, start + len(text)), or None"
            ) from None
        if not 0 <= start < end <= len(context):
            raise ValueError(
                f"answer {answer} of example {number} in a context of {len(context)} characters; "
                "expected its first character and the one after its last"
            )
        checked.append((start, end))
    return checked


def _check_room(
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[str],
    contexts: Sequence[str],
    stride: int,
) -> None:
    """Refuse what `tokenizers` would panic about: a context cut to no more than is repeated."""
    if stride < 0:
        raise ValueError(f"stride={stride}; expected a number of pieces, 0 or more")
    longest = tokenizer.model_max_length - tokenizer.num_special_tokens_to_add(pair=True)
    asked = tokenizer(list(questions), add_special_tokens=False)["input_ids"]
    for question, context, pieces in zip(questions, contexts, asked, strict=True):
        room = longest - len(pieces)
        if room <= stride and room < len(tokenizer.tokenize(context)):
            raise ValueError(
                f"the question {question!r} leaves room for {max(room, 0)} pieces of its context "
                f"in a row of {tokenizer.model_max_length}; expected more than stride={stride}: "
                "take a smaller stride, or a tokenizer with a larger model_max_length"
            )
