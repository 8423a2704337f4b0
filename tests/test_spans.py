"""Spans: answers become the right pieces, and come back as the right characters."""

from __future__ import annotations

import math

import pytest
import torch

from bertlesson.spans import Questions, decode_answers, encode_questions
from tests.small_tokenizer import make_tokenizer, pieces_of


def test_answers_are_marked_by_their_pieces() -> None:
    tokenizer = make_tokenizer()
    context = "Ada was in Bergen, Greta in Delft."
    questions = ["Who was in Bergen?"] * 3
    made = encode_questions(tokenizer, questions, [context] * 3, [(0, 3), (11, 24), None])
    pieces = pieces_of(tokenizer, made.features["input_ids"][0])
    starts = made.features["start_positions"].tolist()
    ends = made.features["end_positions"].tolist()
    assert pieces[starts[0] : ends[0] + 1] == ["ada"]
    assert pieces[starts[1] : ends[1] + 1] == ["ber", "##gen", ",", "greta"]
    assert (starts[2], ends[2]) == (0, 0)
    assert made.example.tolist() == [0, 1, 2]
    outside = made.characters[0, :, 0] == -1  # the question, too, has a Bergen
    assert outside.tolist() == [True] * (pieces.index("[SEP]") + 1) + [False] * (
        len(pieces) - pieces.index("[SEP]") - 2
    ) + [True]


def test_a_long_context_takes_several_rows() -> None:
    tokenizer = make_tokenizer(12)
    context = "the owl was at the green owl in the green Bergen, Ada was in Delft."
    answer = (context.index("Ada"), context.index("Ada") + 3)
    made = encode_questions(tokenizer, ["Who was?"], [context], [answer], stride=3)
    assert len(made.example) > 2
    assert set(made.example.tolist()) == {0}
    holding = 0
    for row, ids in enumerate(made.features["input_ids"]):
        start, end = (int(made.features[f"{side}_positions"][row]) for side in ("start", "end"))
        pieces = pieces_of(tokenizer, ids)
        assert ("ada" in pieces) == (start > 0)
        if start:
            assert pieces[start : end + 1] == ["ada"]
            holding += 1
    assert holding
    # the row that is surest of a span gives the answer
    shape = made.features["input_ids"].shape
    scores = torch.zeros(shape)
    row = made.features["start_positions"].nonzero()[0].item()
    scores[row, made.features["start_positions"][row]] = 5.0
    assert decode_answers(scores, scores, made) == [answer]


@pytest.mark.parametrize("answer", [(3, 3), (5, 2), (-1, 3), (0, 99)])
def test_answers_outside_of_their_context_are_refused(answer: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="in a context of 8 characters"):
        encode_questions(make_tokenizer(), ["Who?"], ["Ada was."], [answer])


@pytest.mark.parametrize(
    ("question", "context", "settings", "message"),
    [
        ("Who was in?", "Ada was in Bergen, Greta in Delft.", {"stride": 5}, "for 5 pieces"),
        ("the owl " * 9, "Ada was in Delft.", {"stride": 0}, "leaves room for 0 pieces"),
        ("Who?", "Ada was.", {"stride": -1}, "stride=-1"),
    ],
)
def test_a_row_without_room_for_the_context_is_refused(
    question: str, context: str, settings: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        encode_questions(make_tokenizer(12), [question], [context], **settings)


def test_a_context_that_fits_needs_no_room_to_repeat_anything() -> None:
    made = encode_questions(make_tokenizer(12), ["Who was in?"], ["Ada was in Delft."], stride=5)
    assert made.example.tolist() == [0]


def test_examples_and_what_belongs_to_them_are_counted() -> None:
    tokenizer = make_tokenizer()
    with pytest.raises(ValueError, match="1 questions and 2 contexts"):
        encode_questions(tokenizer, ["Who?"], ["Ada.", "Greta."])
    with pytest.raises(ValueError, match="1 contexts and 2 answers"):
        encode_questions(tokenizer, ["Who?"], ["Ada."], [None, None])
    with pytest.raises(ValueError, match="no questions"):
        encode_questions(tokenizer, [], [])


@pytest.mark.parametrize("threshold", [None, 0.0, -99.0])
def test_an_empty_context_has_no_answer(threshold: float | None) -> None:
    made = encode_questions(make_tokenizer(), ["Who was?", "Who?"], ["", "Ada."])
    scores = torch.zeros(made.features["input_ids"].shape)
    scores[:, 0] = -9.0
    expected = None if threshold == -99.0 else (0, 3)
    found = decode_answers(scores, scores, made, null_threshold=threshold)
    assert found == [None, expected]


def test_logits_of_other_rows_are_refused() -> None:
    made = encode_questions(make_tokenizer(), ["Who?"], ["Ada."])
    scores = torch.zeros(made.features["input_ids"].shape)
    with pytest.raises(ValueError, match="expected one of each for every piece"):
        decode_answers(scores[:, 1:], scores[:, 1:], made)
    with pytest.raises(ValueError, match="expected one of each for every piece"):
        decode_answers(scores, scores[:, 1:], made)
    with pytest.raises(ValueError, match="max_answer_length=0"):
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
