"""Spans: questions with contexts become rows, and answers a start and an end in them (paper §4.2).

A long context is split into several rows. The characters of an answer become a start and an end
position in the row that contains it. `bertlesson.answers` reads the answers from a model's logits.
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

from .characters import own_characters
from .inputs import Features, check_same_number

__all__ = ["Answer", "Questions", "encode_questions"]

Answer = tuple[int, int]  # its first character in the context, and the one after its last
NOT_SET = 10**20  # a model_max_length above this means none, as in transformers
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
    """Rows of ``[CLS] question [SEP] context [SEP]``, with the position of each answer.

    An answer consists of the pieces that overlap it: if it begins inside a piece, it begins with
    that piece. White space at its ends makes no difference, nor do characters that the tokenizer
    drops.

    A context too long for one row is split into several, each repeating the last `stride` pieces of
    the one before. If a row does not contain the whole answer, both positions are that of
    ``[CLS]``, which means "no answer", as in the release's `run_squad.py`.

    Args:
        tokenizer: A fast tokenizer; its ``model_max_length`` is the longest row. It may pad on
            either side and put ``[CLS]`` anywhere; if it has no ``[CLS]``, a row's first token
            takes its role.
        questions: One for each context.
        contexts: The texts to find the answers in.
        answers: The first character of each answer in its context and the one after the last, or
            None if the context has no answer. Omit them to make rows for prediction.
        stride: Number of pieces of the context that a row shares with the next.

    Raises:
        ValueError: If an answer is not within its context or overlaps none of its pieces, or if a
            question leaves no room for its context.
        TypeError: If an answer is not two whole numbers, or a string is given instead of a list.

    Warns:
        UserWarning: If rows are longer than BERT's and the tokenizer has no ``model_max_length``.
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
        # if a row has no room for the repeated pieces, every context fits: see _check_room
        **({"truncation": "only_second", "stride": stride} if limited and stride < longest else {}),
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_tensors="pt",
    )
    length = encoded["input_ids"].shape[1]
    if not limited and length > RELEASED_LENGTH:
        warnings.warn(
            f"rows of {length} pieces, uncut because the tokenizer has no model_max_length; "
            f"expected no more than the model reads, which is {RELEASED_LENGTH} for BERT: set "
            "tokenizer.model_max_length to the model's config.max_position_embeddings",
            stacklevel=3,
        )
    return encoded


def _segments(encoded: BatchEncoding) -> NDArray[Any]:
    """0 for pieces of the question, 1 for the context, -1 for all others; ``(rows, length)``."""
    number = {None: -1, 0: 0, 1: 1}
    rows = encoded.encodings or []
    return np.array([[number[segment] for segment in row.sequence_ids] for row in rows])


def _find_cls(
    tokenizer: PreTrainedTokenizerFast, encoded: BatchEncoding, segments: NDArray[Any]
) -> Tensor:
    """The position of ``[CLS]`` in each row, or else of its first token, ``(rows,)``."""
    real = np.array([row.attention_mask for row in encoded.encodings or []]) == 1  # (rows, length)
    is_cls = encoded["input_ids"].numpy() == tokenizer.cls_token_id
    cls = is_cls & real & (segments < 0)  # a "[CLS]" written in a text is part of that text
    return torch.from_numpy(np.where(cls.any(1), cls.argmax(1), real.argmax(1)))


def _find_answers(
    tokenizer: PreTrainedTokenizerFast,
    contexts: Sequence[str],
    answers: Sequence[Answer | None],
    example: NDArray[Any],
    owned: NDArray[Any],
) -> list[Tensor]:
    """The first and the last piece that overlap the answer, each ``(rows,)``.

    Both are -1 in rows that do not contain all of the overlapping pieces.
    """
    # (questions, 2); -9 if there is no answer, since no piece overlaps that
    wanted = np.array([answer or (-9, -9) for answer in answers])
    overlaps = _overlaps(owned, wanted[example][:, None])  # (rows, length)
    held = overlaps.sum(1)  # (rows,)
    starts, ends = _first_and_last(overlaps)
    # a row is sure to have all of an answer's pieces if there are others before and after them, or
    # if it is the only row; otherwise only the whole context shows whether some were cut off
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
                "overlaps no piece of its context, as it is white space or dropped by the "
                "tokenizer; expected at least one word, or None for no answer"
            )
    complete = (held > 0) & (held == needed[example])
    return [torch.from_numpy(np.where(complete, found, -1)) for found in (starts, ends)]


def _first_and_last(found: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The first and last True of each row of ``(rows, length)``, each ``(rows,)``."""
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


def _check_room(
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[str],
    contexts: Sequence[str],
    stride: int,
) -> None:
    """Reject rows too short for a context, in which `stride` leaves no room for new pieces.

    `tokenizers` would panic.
    """
    if stride < 0:
        raise ValueError(f"stride is {stride}; expected 0 or more pieces")
    longest = tokenizer.model_max_length - tokenizer.num_special_tokens_to_add(pair=True)
    asked = tokenizer(list(questions), add_special_tokens=False)["input_ids"]
    for question, context, pieces in zip(questions, contexts, asked, strict=True):
        room = longest - len(pieces)
        if room <= stride and room < len(tokenizer.tokenize(context)):
            raise ValueError(
                f"the question {question!r} leaves room for {max(room, 0)} pieces of its context "
                f"in a row of {tokenizer.model_max_length}; expected more than stride={stride}: "
                "use a smaller stride, or a tokenizer with a larger model_max_length"
            )
