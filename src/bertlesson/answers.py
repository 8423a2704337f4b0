"""Answers: from the logits of starts and ends to the best span of each question (paper §4.2, 4.3).

`bertlesson.spans` makes the rows that the logits belong to. The logits of all rows of a question
become one answer, in characters.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .spans import Answer, Questions

__all__ = ["decode_answers"]

ROWS_AT_ONCE = 256  # this many rows and their intermediate results fit into a processor's cache


def decode_answers(
    start_logits: Tensor,
    end_logits: Tensor,
    questions: Questions,
    *,
    max_answer_length: int = 30,
    null_threshold: float | None = None,
) -> list[Answer | None]:
    """The best span for each question (paper §4.2).

    The best span has the highest start + end score of those whose end is not before their start.

    Args:
        start_logits: ``(rows, length)``, of any float type (half precision is added up in float32)
            and on any device. A piece with -inf is never chosen.
        end_logits: The same for ends; both from a model that read ``questions.features``.
        questions: See `encode_questions`.
        max_answer_length: The longest span to consider, in pieces (30 in `run_squad.py`).
        null_threshold: Return "no answer" if the score of ``[CLS]`` exceeds the best span's by more
            than this, as in `run_squad.py`. Default: always return a span.

    Returns:
        For each question the first character of its answer in the context and the one after the
        last; None means "no answer", also if the context has no piece that could be part of one.
        Characters dropped after the last piece belong to the answer, see `own_characters`.

    Raises:
        ValueError: If the logits do not match the rows, if they are NaN or +inf, if a question has
            no row, or if `max_answer_length` is below 1.
    """
    given, rows_read = start_logits.shape, questions.characters.shape[:2]
    if not given == end_logits.shape == rows_read:
        raise ValueError(
            f"start_logits is of shape {tuple(given)} and end_logits of {tuple(end_logits.shape)}; "
            f"expected one of each for every piece of the questions, {tuple(rows_read)}"
        )
    if max_answer_length < 1:
        raise ValueError(f"max_answer_length is {max_answer_length}; expected 1 or more pieces")
    starts = _as_scores("start_logits", start_logits, questions)  # (rows, length)
    ends = _as_scores("end_logits", end_logits, questions)  # (rows, length)
    in_context = questions.characters[..., 0] >= 0  # (rows, length)
    # first each row by itself, a few at a time ...
    spans = [
        _best_spans(starts[rows], ends[rows], in_context[rows], max_answer_length)
        for rows in torch.arange(len(starts)).split(ROWS_AT_ONCE)
    ]
    best, first, last = (torch.cat(part).tolist() for part in zip(*spans, strict=True))  # [row]
    cls = questions.no_answer
    cls = torch.zeros_like(questions.example) if cls is None else cls
    # (rows,), the score of "no answer"
    none = (starts.gather(1, cls[:, None]) + ends.gather(1, cls[:, None])).flatten().tolist()
    # ... then, of all rows of a question, the one that is surest
    answers: list[Answer | None] = []
    for rows in _rows_of_questions(questions.example):
        row = max(rows, key=best.__getitem__)  # the first in a tie
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

    In a tie, the span that starts first wins, and of these the shortest. If a row has no piece in
    the context, its score is -inf.
    """
    length = starts.shape[1]
    starts, ends = (scores.masked_fill(~in_context, -torch.inf) for scores in (starts, ends))
    # the best end among the next `reach` pieces: the better of two shorter stretches side by side
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
    """Logits in a precision that can be added and compared, on the questions' device."""
    precise = torch.promote_types(logits.dtype, torch.float32)
    scores = logits.detach().to(questions.characters.device, precise)
    wrong = ~(scores < torch.inf)  # NaN is not less than anything
    if wrong.any():
        row, piece = wrong.nonzero()[0].tolist()
        raise ValueError(
            f"{name} of row {row}, question {int(questions.example[row])}, are "
            f"{scores[row, piece].item()} at piece {piece}, in {int(wrong.any(1).sum())} of "
            f"{len(wrong)} rows; expected numbers, or -inf for pieces to exclude: check whether "
            "the model's weights or its loss are NaN (from too high a learning rate, or training "
            "in half precision)"
        )
    return scores


def _rows_of_questions(example: Tensor) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(int(example.max()) + 1)]
    for row, number in enumerate(example.tolist()):
        rows[number].append(row)
    if [] in rows:
        raise ValueError(
            f"question {rows.index([])} of 0 to {len(rows) - 1} has no row; expected one or more "
            "for each"
        )
    return rows
