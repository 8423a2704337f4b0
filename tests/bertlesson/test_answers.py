"""Answers: the best span of each question, as plain loops find it."""

from __future__ import annotations

import math
import re
import subprocess
import sys

import pytest
import torch

from bertlesson.answers import decode_answers
from bertlesson.spans import Questions, encode_questions
from tests.bertlesson.small_tokenizer import make_tokenizer


def test_logits_of_other_rows_are_refused() -> None:
    made = encode_questions(make_tokenizer(), ["Who?"], ["Ada."])
    scores = torch.zeros(made.features["input_ids"].shape)
    with pytest.raises(ValueError, match="expected one of each for every piece"):
        decode_answers(scores[:, 1:], scores[:, 1:], made)
    with pytest.raises(ValueError, match="expected one of each for every piece"):
        decode_answers(scores, scores[:, 1:], made)
    with pytest.raises(ValueError, match="max_answer_length is 0"):
        decode_answers(scores, scores, made, max_answer_length=0)


def naive_answer(
    starts: list[float], ends: list[float], made: Questions, row: int, longest: int
) -> tuple[float, tuple[int, int]]:
    """All spans in two loops."""
    best = (-math.inf, (0, 0))
    for i, s in enumerate(starts):
        for j, e in enumerate(ends):
            (first, _), (inside, last) = (
                made.characters[row, i].tolist(),
                made.characters[row, j].tolist(),
            )
            if min(first, inside) >= 0 and i <= j < i + longest and s + e > best[0]:
                best = (s + e, (first, last))
    return best


@pytest.mark.parametrize("longest", [1, 3, 30])
@pytest.mark.parametrize("threshold", [None, 0.0, 1.5])
def test_the_best_span_is_the_one_that_loops_find(longest: int, threshold: float | None) -> None:
    tokenizer = make_tokenizer(16)
    contexts = ["Ada was in Bergen, Greta in Delft.", "the owl was at the green owl in Bergen."] * 8
    made = encode_questions(tokenizer, ["Who was in?"] * 16, contexts, stride=2)
    generator = torch.Generator().manual_seed(longest)
    shape = made.features["input_ids"].shape
    starts, ends = (torch.randn(shape, generator=generator) for _ in range(2))
    starts[:, 0] += 2.0  # so that some answers are none
    found = decode_answers(starts, ends, made, max_answer_length=longest, null_threshold=threshold)
    for number in range(16):
        rows = [row for row, example in enumerate(made.example.tolist()) if example == number]
        score, span = max(
            naive_answer(starts[row].tolist(), ends[row].tolist(), made, row, longest)
            for row in rows
        )
        null = min((starts[row, 0] + ends[row, 0]).item() for row in rows)
        none = threshold is not None and null - score > threshold
        assert found[number] == (None if none else span)
    if threshold == 0.0:
        assert None in found
    if threshold is None:
        assert None not in found


def random_rows(rows: int, length: int, seed: int = 0) -> tuple[Questions, torch.Generator]:
    """Rows of a third of as many questions, in which half of the pieces are of the context."""
    generator = torch.Generator().manual_seed(seed)
    characters = torch.stack([torch.arange(length), torch.arange(length) + 1], -1)
    characters = characters.repeat(rows, 1, 1)  # (rows, length, 2)
    characters[torch.rand(rows, length, generator=generator) < 0.5] = -1
    return Questions({}, torch.arange(rows) // 3, characters), generator


def check_against_loops(
    starts: torch.Tensor, ends: torch.Tensor, made: Questions, longest: int
) -> None:
    found = decode_answers(starts, ends, made, max_answer_length=longest)
    spans = [
        naive_answer(starts[row].tolist(), ends[row].tolist(), made, row, longest)
        for row in range(len(starts))
    ]
    for number, answer in enumerate(found):
        score, span = max(
            (spans[row] for row in range(len(starts)) if made.example[row] == number),
            key=lambda each: each[0],  # the first of those that are best
        )
        assert answer == (None if score == -math.inf else span)


@pytest.mark.parametrize("longest", [1, 2, 3, 4, 7, 8, 9, 11, 12, 13, 10**6])
def test_the_first_of_equal_spans_is_taken(longest: int) -> None:
    made, generator = random_rows(90, 12)
    starts, ends = (torch.randint(3, (90, 12), generator=generator).float() for _ in range(2))
    check_against_loops(starts, ends, made, longest)


def test_masked_pieces_and_rows_are_not_taken() -> None:
    made, generator = random_rows(60, 9)
    starts, ends = (torch.randn(60, 9, generator=generator) for _ in range(2))
    starts[torch.rand(60, 9, generator=generator) < 0.6] = -torch.inf
    ends[torch.rand(60, 9, generator=generator) < 0.6] = -torch.inf
    starts[:9] = -torch.inf
    check_against_loops(starts, ends, made, 4)
    assert decode_answers(starts, ends, made)[:3] == [None] * 3


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_scores_are_added_without_loss(dtype: torch.dtype) -> None:
    """In half precision many spans would score as much as the best one."""
    made, generator = random_rows(90, 12)
    starts, ends = (
        (40 + torch.randn(90, 12, generator=generator)).to(dtype).requires_grad_() for _ in range(2)
    )
    check_against_loops(starts, ends, made, 5)


def test_more_rows_than_are_looked_at_at_once() -> None:
    made, generator = random_rows(600, 6)
    starts, ends = (torch.randn(600, 6, generator=generator) for _ in range(2))
    check_against_loops(starts, ends, made, 3)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("side", ["start", "end"])
def test_logits_that_cannot_be_compared_are_refused(value: float, side: str) -> None:
    made, _ = random_rows(9, 5)
    scores = {"start_logits": torch.zeros(9, 5), "end_logits": torch.zeros(9, 5)}
    scores[f"{side}_logits"][4, 2] = scores[f"{side}_logits"][7, 0] = value
    message = (
        f"{side}_logits of row 4, question 1, are {value} at piece 2, in 2 of 9 rows; expected "
        "numbers, or -inf for pieces to exclude: check whether the model's weights or its loss are "
        "NaN (from too high a learning rate, or training in half precision)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        decode_answers(**scores, questions=made)


def test_a_question_without_a_row_is_refused() -> None:
    made, _ = random_rows(3, 5)
    made = made._replace(example=torch.tensor([0, 2, 2]))
    with pytest.raises(ValueError, match="question 1 of 0 to 2 has no row"):
        decode_answers(torch.zeros(3, 5), torch.zeros(3, 5), made)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a second device")
def test_logits_may_be_on_another_device() -> None:
    made, generator = random_rows(90, 12)
    starts, ends = (torch.randn(90, 12, generator=generator) for _ in range(2))
    assert decode_answers(starts.cuda(), ends.cuda(), made) == decode_answers(starts, ends, made)
    moved = made._replace(characters=made.characters.cuda(), example=made.example.cuda())
    assert decode_answers(starts, ends, moved) == decode_answers(starts, ends, made)


DECODE_SQUAD = """
import resource, sys, torch
from bertlesson.answers import decode_answers
from bertlesson.spans import Questions
rows, length = 12_000, 384
ends = torch.arange(length)
characters = torch.stack([ends, ends + 1], -1).repeat(rows, 1, 1)
questions = Questions({}, torch.arange(rows), characters)
start, end = torch.randn(rows, length), torch.randn(rows, length)
few = Questions({}, torch.zeros(1, dtype=torch.int64), characters[:1])
decode_answers(start[:1], end[:1], few)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for longest in (30, 999):
    decode_answers(start, end, questions, max_answer_length=longest)
more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(more / (1024**2 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.slow
def test_a_whole_development_set_is_decoded_in_little_memory() -> None:
    """SQuAD 2.0's has about 12,000 rows: all pairs of pieces of all of them take 14 GB."""
    pytest.importorskip("resource")
    run = subprocess.run([sys.executable, "-c", DECODE_SQUAD], capture_output=True, text=True)
    assert not run.returncode, run.stderr
    assert float(run.stdout) < 200  # MB
