"""Spans: where an answer starts and ends, and back from the logits to characters (paper §4.2, 4.3).

A long context is given as several rows; an answer's characters become a start and an end in the
row that holds it, and the logits of all rows one answer again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from bertlesson.inputs import Features, check_same_number


class Questions(NamedTuple):
    """Tokenized questions with their contexts.

    Attributes:
        features: The model's arguments, each int64: ``input_ids``, ``token_type_ids`` and
            ``attention_mask`` of shape ``(rows, length)``, and, where answers were given,
            ``start_positions`` and ``end_positions`` of shape ``(rows,)``.
        example: Which question each row belongs to, ``(rows,)``.
        characters: The first character in the context of each piece, and the one after its last,
            ``(rows, length, 2)``; -1 for pieces that are not of the context.
    """

    features: Features
    example: Tensor
    characters: Tensor


def encode_questions(
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[str],
    contexts: Sequence[str],
    answers: Sequence[tuple[int, int] | None] | None = None,
    stride: int = 16,
) -> Questions:
    """Rows of ``[CLS] question [SEP] context [SEP]``, and the pieces where each answer lies.

    A context too long for one row is given as several, each of which repeats `stride` pieces of the
    one before. In a row that does not hold the whole answer both positions are 0: ``[CLS]`` stands
    for "no answer", as in the release's `run_squad.py`.

    Args:
        tokenizer: A fast one; its ``model_max_length`` is the longest row.
        questions: One for each context.
        contexts: Where the answers are looked for.
        answers: Their first character in the context and the one after the last; None where the
            context has no answer. Left out: rows to predict on.
        stride: How many pieces of the context one row shares with the next.

    Raises:
        ValueError: If an answer does not lie within its context, or a question leaves no room for
            the context beside it.
    """
    check_same_number(questions=questions, contexts=contexts)
    _check_room(tokenizer, questions, contexts, stride)
    encoded = tokenizer(
        list(questions),
        list(contexts),
        padding=True,
        truncation="only_second",
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_tensors="pt",
    )
    example = encoded.pop("overflow_to_sample_mapping")  # (rows,)
    characters = encoded.pop("offset_mapping")  # (rows, length, 2)
    segments = [encoded.sequence_ids(row) for row in range(len(example))]
    characters[torch.tensor([[segment != 1 for segment in row] for row in segments])] = -1
    features = dict(encoded)
    if answers is not None:
        check_same_number(contexts=contexts, answers=answers)
        for context, answer in zip(contexts, answers, strict=True):
            if answer is not None and not 0 <= answer[0] < answer[1] <= len(context):
                raise ValueError(
                    f"answer {answer} in a context of {len(context)} characters; expected its "
                    "first character and the one after its last"
                )
        # (rows, 2); no piece reaches these characters where there is no answer
        wanted = torch.tensor([answers[row] or (-9, -9) for row in example.tolist()])
        starts = (characters[..., 0] <= wanted[:, :1]) & (wanted[:, :1] < characters[..., 1])
        ends = (characters[..., 0] < wanted[:, 1:]) & (wanted[:, 1:] <= characters[..., 1])
        whole = starts.any(1) & ends.any(1)  # (rows,)
        features["start_positions"] = starts.long().argmax(1) * whole
        features["end_positions"] = ends.long().argmax(1) * whole
    return Questions(features, example, characters)


def decode_answers(
    start_logits: Tensor,
    end_logits: Tensor,
    questions: Questions,
    *,
    max_answer_length: int = 30,
    null_threshold: float | None = None,
) -> list[tuple[int, int] | None]:
    """The best span for each question: the highest start + end score with the end not before the
    start (paper §4.2).

    Args:
        start_logits: ``(rows, length)``, as are `end_logits`.
        end_logits: From a model that read ``questions.features``.
        questions: See `encode_questions`.
        max_answer_length: In pieces; longer spans are not looked at (30 in `run_squad.py`).
        null_threshold: Say "no answer" if the score of ``[CLS]`` exceeds the best span's by more
            than this (paper §4.3). Default: always give a span.

    Returns:
        For each question the first character of its answer in the context and the one after the
        last; None is "no answer", also where the context has no piece that could be one.

    Raises:
        ValueError: If the logits are of other rows, or no span may be one piece long.
    """
    given, rows_read = start_logits.shape, questions.characters.shape[:2]
    if not given == end_logits.shape == rows_read:
        raise ValueError(
            f"start_logits {tuple(given)} and end_logits {tuple(end_logits.shape)}; expected one "
            f"of each for every piece of the questions, {tuple(rows_read)}"
        )
    if max_answer_length < 1:
        raise ValueError(f"max_answer_length={max_answer_length}; expected pieces, 1 or more")
    length = start_logits.shape[1]
    span = torch.ones(length, length, dtype=torch.bool).triu().tril(max_answer_length - 1)
    in_context = questions.characters[..., 0] >= 0  # (rows, length)
    allowed = span & in_context[:, :, None] & in_context[:, None]  # (rows, start, end)
    scores = start_logits[:, :, None] + end_logits[:, None]  # (rows, start, end)
    best, where = scores.masked_fill(~allowed, -torch.inf).flatten(1).max(dim=1)  # (rows,)
    none = start_logits[:, 0] + end_logits[:, 0]  # (rows,)
    answers: list[tuple[int, int] | None] = []
    for number in range(int(questions.example.max()) + 1):
        rows = (questions.example == number).nonzero().flatten()
        row = rows[best[rows].argmax()]
        start, end = divmod(int(where[row]), length)
        found = int(questions.characters[row, start, 0]), int(questions.characters[row, end, 1])
        # a long context lacks an answer only if no row of it has one
        margin = none[rows].min() - best[row]
        refused = null_threshold is not None and margin > null_threshold
        answers.append(None if refused or best[row] == -torch.inf else found)
    return answers


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
