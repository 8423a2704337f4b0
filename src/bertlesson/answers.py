"""Answers: from the logits of starts and ends to the best span of each question (paper §4.2, 4.3).

`bertlesson.spans` makes the rows that the logits belong to. The logits of all rows of a question
become one answer, in characters.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .spans import Answer, Questions

__all__ = ["Candidate", "Ranking", "decode_answers", "rank_answers"]

ROWS_AT_ONCE = 256  # this many rows and their intermediate results fit into a processor's cache
SPANS_AT_ONCE = 2**20  # a score for each span of each row takes more room


class Candidate(NamedTuple):
    """A span that may be the answer.

    Attributes:
        start: Its first character in the context.
        end: The character after its last.
        score: The logit of its start plus the logit of its end.
    """

    start: int
    end: int
    score: float


class Ranking(NamedTuple):
    """The best spans of a question.

    Attributes:
        candidates: The best first; empty if no span is possible, as in an empty context.
        null_score: The score of "no answer": of ``[CLS]`` in the row where it is lowest.
    """

    candidates: list[Candidate]
    null_score: float

    @property
    def null_odds(self) -> float:
        """By how much "no answer" scores higher than the best span; inf if there is none.

        This is what a null threshold is compared with (``null_odds.json`` of ``run_squad.py``).
        """
        return self.null_score - self.candidates[0].score if self.candidates else math.inf


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
    starts, ends, of_cls = _check_scores(start_logits, end_logits, questions, max_answer_length)
    none = of_cls.tolist()  # [row]
    in_context = questions.characters[..., 0] >= 0  # (rows, length)
    # first each row by itself, a few at a time ...
    spans = [
        _best_spans(starts[rows], ends[rows], in_context[rows], max_answer_length)
        for rows in torch.arange(len(starts)).split(ROWS_AT_ONCE)
    ]
    scores, first, last = (torch.cat(part) for part in zip(*spans, strict=True))  # (rows,)
    every = torch.arange(len(scores))
    begins = questions.characters[every, first, 0].tolist()  # [row]
    stops = questions.characters[every, last, 1].tolist()
    best = scores.tolist()
    # ... then, of all rows of a question, the one that is surest
    answers: list[Answer | None] = []
    for rows in _rows_of_questions(questions.example):
        row = max(rows, key=best.__getitem__)  # the first in a tie
        # a long context lacks an answer only if no row of it has one
        margin = min(none[row] for row in rows) - best[row]
        refused = null_threshold is not None and margin > null_threshold
        answers.append(None if refused or best[row] == -np.inf else (begins[row], stops[row]))
    return answers


def rank_answers(
    start_logits: Tensor,
    end_logits: Tensor,
    questions: Questions,
    *,
    top_k: int = 20,
    max_answer_length: int = 30,
    max_context: bool = True,
) -> list[Ranking]:
    """The best spans for each question with their scores, and the score of "no answer".

    The n-best list of the release's ``run_squad.py``, with two differences. It looks at spans
    between the 20 best starts and ends of each row alone; here all spans are compared. It merges
    spans of the same text; here the same text in two places makes two candidates.

    Args:
        start_logits: See `decode_answers`.
        end_logits: See `decode_answers`.
        questions: See `encode_questions`.
        top_k: Number of candidates, at most (20 in ``run_squad.py``).
        max_answer_length: See `decode_answers`.
        max_context: Of several rows that contain a span, judge it only by the one that has most
            context around its first piece, as ``run_squad.py`` does. If False, its highest score
            counts, as in `decode_answers`.

    Returns:
        A ranking for each question, in their order. Of equal scores, the earlier row comes first,
        then the earlier start, then the shorter span.

    Raises:
        ValueError: See `decode_answers`; also if `top_k` is below 1.
    """
    if top_k < 1:
        raise ValueError(f"top_k is {top_k}; expected 1 or more candidates")
    starts, ends, none = _check_scores(start_logits, end_logits, questions, max_answer_length)
    in_context = questions.characters[..., 0] >= 0  # (rows, length)
    may_start = in_context
    if max_context and questions.max_context is not None:
        may_start = in_context & questions.max_context
    starts = starts.masked_fill(~may_start, -torch.inf)
    ends = ends.masked_fill(~in_context, -torch.inf)
    of_question = _rows_of_questions(questions.example)
    found: list[list[Candidate]] = [[] for _ in of_question]
    pending, wanted = list(range(len(of_question))), top_k
    while pending:
        rows = torch.tensor([row for number in pending for row in of_question[number]])
        spans = _top_spans(starts, ends, questions.characters, rows, wanted, max_answer_length)
        short = []
        for number in pending:
            of_rows = [spans[row] for row in of_question[number]]
            found[number] = best = _merge(of_rows)[:top_k]
            # a span twice in a row, as where a character has several pieces, takes up a place of
            # another; what a row has beyond its list scores less than the last of the list
            lasts = [each[-1].score for each in of_rows if len(each) >= wanted]
            if lasts and (len(best) < top_k or best[-1].score < max(lasts)):
                short.append(number)
        pending, wanted = short, wanted * 8
    lowest = none.tolist()
    return [
        Ranking(candidates, min(lowest[row] for row in rows))
        for candidates, rows in zip(found, of_question, strict=True)
    ]


def _top_spans(
    starts: Tensor, ends: Tensor, characters: Tensor, rows: Tensor, wanted: int, longest: int
) -> dict[int, list[Candidate]]:
    """The best spans of each of the rows, in order; more than `wanted` if there are ties."""
    length = starts.shape[1]
    longest = min(longest, length)
    spans: dict[int, list[Candidate]] = {row: [] for row in rows.tolist()}
    for part in rows.split(max(1, SPANS_AT_ONCE // (length * longest))):
        reach = functional.pad(ends[part], (0, longest - 1), value=-torch.inf)
        # (rows, length * longest), by start and then by length
        scores = (starts[part][:, :, None] + reach.unfold(1, longest, 1)).flatten(1)
        bar = scores.topk(min(wanted, scores.shape[1])).values[:, -1:]
        row, span = ((scores >= bar) & (scores > -torch.inf)).nonzero(as_tuple=True)
        score = scores[row, span]
        first = span // longest
        last = first + span % longest
        row = part[row]
        order = np.lexsort((-score.numpy(), row.numpy()))  # stable
        places = (row, characters[row, first, 0], characters[row, last, 1], score)
        for at, start, end, value in zip(*(each[order].tolist() for each in places), strict=True):
            spans[at].append(Candidate(start, end, value))
    return spans


def _merge(rows: list[list[Candidate]]) -> list[Candidate]:
    """The spans of several rows, the best first, none of them twice."""
    best: dict[Answer, Candidate] = {}
    for candidate in sorted((each for row in rows for each in row), key=lambda c: -c.score):
        best.setdefault((candidate.start, candidate.end), candidate)
    return list(best.values())


def _check_scores(
    start_logits: Tensor, end_logits: Tensor, questions: Questions, longest: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Scores of starts and ends, ``(rows, length)``, and of "no answer", ``(rows,)``."""
    given, rows_read = start_logits.shape, questions.characters.shape[:2]
    if not given == end_logits.shape == rows_read:
        raise ValueError(
            f"start_logits is of shape {tuple(given)} and end_logits of {tuple(end_logits.shape)}; "
            f"expected one of each for every piece of the questions, {tuple(rows_read)}"
        )
    if longest < 1:
        raise ValueError(f"max_answer_length is {longest}; expected 1 or more pieces")
    starts = _as_scores("start_logits", start_logits, questions)
    ends = _as_scores("end_logits", end_logits, questions)
    cls = questions.no_answer
    cls = torch.zeros_like(questions.example) if cls is None else cls
    none = (starts.gather(1, cls[:, None]) + ends.gather(1, cls[:, None])).flatten()
    return starts, ends, none


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
