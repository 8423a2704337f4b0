"""Spans: questions with contexts become rows, and answers a start and an end in them (paper §4.2).

A long context is split into several rows. The characters of an answer become a start and an end
position in the row that contains it. `bertlesson.answers` reads the answers from a model's logits.
"""

from __future__ import annotations

import itertools
import operator
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from .characters import checked_texts
from .contexts import NOT_SET, Window, find_max_context, split_contexts
from .inputs import Features, check_same_number, input_names

__all__ = ["Answer", "Questions", "encode_questions", "thin_rows"]

Answer = tuple[int, int]  # its first character in the context, and the one after its last
RELEASED_LENGTH = 512  # the longest row of the released BERT


class Questions(NamedTuple):
    """Tokenized questions with their contexts.

    Attributes:
        features: The model's arguments, each int64: ``input_ids``, ``token_type_ids`` and
            ``attention_mask`` of shape ``(rows, length)``, and, if answers were given,
            ``start_positions`` and ``end_positions`` of shape ``(rows,)``.
        example: The index of each row's question, ``(rows,)``.
        characters: Each piece's first character in the context, and the one after the last that
            belongs to it, ``(rows, length, 2)``, see `own_characters`; -1 for pieces at which no
            answer can begin or end, because they are outside the context or only white space.
        no_answer: The position of ``[CLS]``, which means "no answer", in each row, ``(rows,)``;
            None if it comes first in all of them.
        max_context: Whether this is the row in which the piece has most context on both sides, of
            all rows that contain it, ``(rows, length)``, bool; None if no context is split.
    """

    features: Features
    example: Tensor
    characters: Tensor
    no_answer: Tensor | None = None
    max_context: Tensor | None = None


def encode_questions(
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[str],
    contexts: Sequence[str],
    answers: Sequence[Answer | None] | None = None,
    stride: int = 16,
    *,
    max_length: int | None = None,
) -> Questions:
    """Rows of ``[CLS] question [SEP] context [SEP]``, with the position of each answer.

    An answer consists of the pieces that overlap it: if it begins inside a piece, it begins with
    that piece. White space at its ends makes no difference, nor do characters that the tokenizer
    drops.

    A context too long for one row is split into several, each repeating the last `stride` pieces of
    the one before. If a row does not contain the whole answer, both positions are that of
    ``[CLS]``, which means "no answer", as in the release's `run_squad.py`.

    Args:
        tokenizer: A fast tokenizer. It may pad on either side and put ``[CLS]`` anywhere; if it has
            no ``[CLS]``, a row's first token takes its role.
        questions: One for each context.
        contexts: The texts to find the answers in.
        answers: The first character of each answer in its context and the one after the last, or
            None if the context has no answer. Omit them to make rows for prediction.
        stride: Number of pieces of the context that a row shares with the next.
        max_length: The longest row, in pieces; 384 in ``run_squad.py``, where `stride` is 128.
            Default: the tokenizer's ``model_max_length``.

    Raises:
        ValueError: If an answer is not within its context or overlaps none of its pieces, if a
            question leaves no room for its context, or if the tokenizer cannot pad.
        TypeError: If an answer is not two whole numbers, if a question or context is not a string,
            or if a string is given instead of a list.

    Warns:
        UserWarning: If answers begin or end inside a piece, or if rows are longer than BERT's and
            the tokenizer has no ``model_max_length``.
    """
    check_same_number(questions=questions, contexts=contexts)
    questions = checked_texts("questions", questions)
    contexts = checked_texts("contexts", contexts)
    if answers is not None:
        check_same_number(contexts=contexts, answers=answers)
        answers = _check_answers(contexts, answers)
    longest = tokenizer.model_max_length if max_length is None else max_length
    windows: list[Window] = []
    places: list[tuple[int, int]] = []  # of the answer, in each window
    widened: list[int] = []
    split = split_contexts(tokenizer, questions, contexts, stride, longest)
    for number, of_question in enumerate(split):
        windows += of_question
        if answers is not None:
            answer, owned = answers[number], of_question[0].owned
            found = _find_answer(contexts[number], answer, owned, number)
            places += [_place(window, found) for window in of_question]
            if answer and (owned[found[0], 0] < answer[0] or answer[1] < owned[found[1], 1]):
                widened.append(number)
    if longest >= NOT_SET:
        _warn_of_length(max(len(window.ids) for window in windows))
    if answers is not None and widened:
        _warn_of_widened(contexts, answers, widened)
    return _pad(tokenizer, windows, places)


def thin_rows(questions: Questions, share: float = 0.5, *, seed: int = 0) -> Questions:
    """Leave out rows without an answer, for training.

    A context in ten rows has its answer in one or two of them. In all others the model is to say
    "no answer"; if these are most of what it sees, it may learn to say nothing else. The release's
    ``run_squad.py`` keeps them all.

    Args:
        questions: Encoded with answers, see `encode_questions`.
        share: The largest share of the rows that may be without an answer. Rows to leave out are
            drawn at random; those with an answer are all kept.
        seed: Of the draw.

    Returns:
        The rows that are left, in their order. A question may be without any, so these are not for
        `decode_answers`.

    Raises:
        ValueError: If the share is not from 0 to 1, or if there are no answers, or none in any row.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; expected 0.0 to 1.0 of the rows")
    if "start_positions" not in questions.features:
        raise ValueError(
            f"features are {list(questions.features)}; expected start_positions among them: pass "
            "answers to encode_questions"
        )
    cls = questions.no_answer
    cls = torch.zeros_like(questions.example) if cls is None else cls
    answered = questions.features["start_positions"] != cls  # (rows,)
    empty = (~answered).nonzero().flatten().numpy()
    kept = len(empty)
    if share < 1:
        # floating-point errors must not take a row: 0.1 / 0.9 * 9 is less than 1
        kept = min(kept, int(share / (1 - share) * int(answered.sum()) + 1e-6))
    if not kept and not answered.any():
        raise ValueError(
            f"none of {len(empty)} rows has an answer; expected some to learn from, or share=1"
        )
    answered[np.random.default_rng(seed).choice(empty, kept, replace=False)] = True
    rows = answered.nonzero().flatten()
    cut = {name: tensor[rows] for name, tensor in questions.features.items()}
    best = questions.max_context
    return Questions(
        cut,
        questions.example[rows],
        questions.characters[rows],
        cls[rows],
        None if best is None else best[rows],
    )


def _pad(
    tokenizer: PreTrainedTokenizerFast, windows: list[Window], places: list[tuple[int, int]]
) -> Questions:
    """Rows of one length; with start and end positions, if there are places of answers."""
    shape = (len(windows), max(len(window.ids) for window in windows))
    features = {
        "input_ids": torch.full(shape, _padding_id(tokenizer, windows)),
        "token_type_ids": torch.full(shape, tokenizer.pad_token_type_id),
        "attention_mask": torch.zeros(shape, dtype=torch.int64),
    }
    ids, segments, mask = (tensor.numpy() for tensor in features.values())
    characters = np.full((*shape, 2), -1, dtype=np.int32)
    left = tokenizer.padding_side == "left"
    shifts = [shape[1] - len(window.ids) if left else 0 for window in windows]
    for row, (window, shift) in enumerate(zip(windows, shifts, strict=True)):
        real = slice(shift, shift + len(window.ids))
        ids[row, real], segments[row, real], mask[row, real] = window.ids, window.segments, 1
        first, past = window.first + shift, window.first + shift + window.size
        owned = window.owned[window.start : window.start + window.size, ::2]
        characters[row, first:past] = owned
    no_answer = torch.tensor([window.cls for window in windows]) + torch.tensor(shifts)
    inputs = input_names(tokenizer, (window.segments for window in windows))
    features = {name: tensor for name, tensor in features.items() if name in inputs}
    names = ("start_positions", "end_positions") if places else ()
    for name, found in zip(names, zip(*places, strict=True), strict=True):
        position = torch.tensor(found)
        features[name] = torch.where(position < 0, no_answer, position + torch.tensor(shifts))
    example = torch.tensor([window.example for window in windows])
    max_context = _find_max_context(windows, shifts, shape)
    return Questions(features, example, torch.from_numpy(characters), no_answer, max_context)


def _padding_id(tokenizer: PreTrainedTokenizerFast, windows: list[Window]) -> int:
    if tokenizer.pad_token_id is None and len({len(window.ids) for window in windows}) > 1:
        raise ValueError(
            "the tokenizer has no pad_token; expected one, since rows differ in length: set "
            "tokenizer.pad_token, such as to its eos_token"
        )
    return tokenizer.pad_token_id or 0


def _find_max_context(
    windows: list[Window], shifts: list[int], shape: tuple[int, int]
) -> Tensor | None:
    """Which pieces each row is to judge, ``(rows, length)``; None if no context is split."""
    if windows[-1].example == len(windows) - 1:
        return None
    found = np.zeros(shape, dtype=bool)
    row = 0
    for _, group in itertools.groupby(windows, key=operator.attrgetter("example")):
        part = list(group)
        starts, counts = [each.start for each in part], [each.size for each in part]
        best = find_max_context(starts, counts) if len(part) > 1 else [True]
        for window, is_best in zip(part, best, strict=True):
            first = window.first + shifts[row]
            found[row, first : first + window.size] = is_best
            row += 1
    return torch.from_numpy(found)


def _find_answer(
    context: str, answer: Answer | None, owned: NDArray[np.int32], number: int
) -> tuple[int, int]:
    """The first and the last piece of the context that overlap the answer; -1 if there is none."""
    if answer is None:
        return -1, -1
    pieces = np.flatnonzero((owned[:, 0] < answer[1]) & (answer[0] < owned[:, 1]))
    if not len(pieces):
        raise ValueError(
            f"answer {answer} of example {number}, {context[slice(*answer)]!r}, "
            "overlaps no piece of its context, as it is white space or dropped by the "
            "tokenizer; expected at least one word, or None for no answer"
        )
    return int(pieces[0]), int(pieces[-1])


def _place(window: Window, found: tuple[int, int]) -> tuple[int, int]:
    """The answer's first and last piece in the row; -1 if the window does not have all of it."""
    first, last = (piece - window.start for piece in found)
    if found[0] < 0 or first < 0 or last >= window.size:
        return -1, -1
    return window.first + first, window.first + last


def _warn_of_length(length: int) -> None:
    if length > RELEASED_LENGTH:
        warnings.warn(
            f"rows of {length} pieces, uncut because the tokenizer has no model_max_length; "
            f"expected no more than the model reads, which is {RELEASED_LENGTH} for BERT: pass "
            "max_length, the model's config.max_position_embeddings",
            stacklevel=3,
        )


def _warn_of_widened(
    contexts: Sequence[str], answers: Sequence[Answer | None], widened: list[int]
) -> None:
    number = widened[0]
    given = contexts[number][slice(*(answers[number] or ()))]
    warnings.warn(
        f"{len(widened)} of {len(answers)} answers begin or end within a piece, the first is "
        f"{given!r}, {answers[number]} of example {number}; expected whole pieces: the model "
        "learns the pieces that contain them",
        stacklevel=3,
    )


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
                f"answer of example {number} is {answer!r}; expected its first character in the "
                "context and the one after its last, such as (start, start + len(text)), or None"
            ) from None
        if not 0 <= start < end <= len(context):
            raise ValueError(
                f"answer {answer} of example {number} is not in its {len(context)} characters; "
                "expected its first character and the one after its last"
            )
        checked.append((start, end))
    return checked
