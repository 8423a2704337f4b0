"""Ranked answers: as the n-best list of run_squad.py, found in plain loops over all spans."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from transformers import BertTokenizer, PreTrainedTokenizerFast

from bertlesson import contexts
from bertlesson.answers import Ranking, decode_answers, rank_answers
from bertlesson.spans import Questions, encode_questions, thin_rows
from tests.bertlesson.small_tokenizer import make_foreign_tokenizer, make_tokenizer

CONTEXTS = [
    "Ada was in Bergen, Greta in Delft. " * 3,
    "the owl. ",
    "",
    "Gretalof \u6771\u4eac \U0001f600 .",
]


def make(
    kind: str, side: str = "right", count: int = 12
) -> tuple[PreTrainedTokenizerFast, Questions]:
    tokenizer = make_tokenizer() if kind == "bert" else make_foreign_tokenizer(kind)
    tokenizer.truncation_side = side
    asked = ["Who was in?", "Who?", "the owl?"] * count
    contexts = (CONTEXTS * count)[: len(asked)]
    return tokenizer, encode_questions(tokenizer, asked, contexts, stride=5, max_length=26)


def max_context(spans: list[range], own: int, position: int) -> bool:
    """_check_is_max_context of run_squad.py, for positions in the whole context."""
    scores = [
        min(position - span.start, span.stop - 1 - position) + 0.01 * len(span)
        if position in span
        else -math.inf
        for span in spans
    ]
    return scores.index(max(scores)) == own


def by_loops(starts: Any, ends: Any, made: Questions, number: int, longest: int) -> Any:
    """All candidates of a question, the best first."""
    found = []
    for row in (made.example == number).nonzero().flatten().tolist():
        for first in range(starts.shape[1]):
            if made.max_context is not None and not made.max_context[row, first]:
                continue
            for last in range(first, min(first + longest, starts.shape[1])):
                begin, past = made.characters[row, first, 0], made.characters[row, last, 1]
                if min(begin, made.characters[row, last, 0]) >= 0:
                    score = float(starts[row, first] + ends[row, last])
                    found.append((int(begin), int(past), score))
    found.sort(key=lambda each: -each[2])
    return found


@pytest.mark.parametrize("kind", ["bert", "byte-level", "trimmed", "metaspace", "xlnet"])
@pytest.mark.parametrize(("top_k", "longest"), [(1, 30), (20, 4), (7, 1)])
def test_the_best_spans_are_those_that_loops_find(kind: str, top_k: int, longest: int) -> None:
    _, made = make(kind, count=2)
    generator = torch.Generator().manual_seed(top_k)
    shape = made.features["input_ids"].shape
    starts, ends = (torch.randn(shape, generator=generator) for _ in range(2))
    ranked = rank_answers(starts, ends, made, top_k=top_k, max_answer_length=longest)
    for number, ranking in enumerate(ranked):
        everything = by_loops(starts, ends, made, number, longest)
        seen: dict[Any, Any] = {}
        for each in everything:
            seen.setdefault(each[:2], each)
        assert [tuple(each) for each in ranking.candidates] == list(seen.values())[:top_k]
        rows = (made.example == number).nonzero().flatten()
        assert made.no_answer is not None
        cls = made.no_answer[rows]
        assert ranking.null_score == float((starts[rows, cls] + ends[rows, cls]).min())


def test_characters_of_several_pieces_take_no_place_of_another() -> None:
    """The first two pieces are one character, so the best two spans of that row are the same."""
    characters = torch.tensor(
        [
            [[-1, -1], [0, 1], [0, 1], [1, 2], [2, 3]],
            [[-1, -1], [3, 4], [4, 5], [5, 6], [6, 7]],
        ]
    )
    made = Questions({"input_ids": torch.zeros(2, 5).long()}, torch.tensor([0, 0]), characters)
    starts = torch.tensor([[0, 10, 9.5, 9, 8], [0, 7, 6, 5, 4]])
    [ranking] = rank_answers(starts, 0 * starts, made, top_k=2, max_answer_length=1)
    assert [tuple(each) for each in ranking.candidates] == [(0, 1, 10.0), (1, 2, 9.0)]
    [ranking] = rank_answers(starts, 0 * starts, made, top_k=5, max_answer_length=1)
    assert [each.start for each in ranking.candidates] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("kind", ["bert", "byte-level", "xlnet"])
def test_a_piece_is_judged_where_it_has_most_context(kind: str, side: str) -> None:
    tokenizer, made = make(kind, side)
    assert made.max_context is not None
    best = made.max_context
    for number, context in enumerate((CONTEXTS * 12)[:36]):
        rows = (made.example == number).nonzero().flatten().tolist()
        offsets = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True)
        total = len(offsets["offset_mapping"])
        held = [int((made.characters[row, :, 0] >= 0).sum()) for row in rows]
        if total != sum(map(int, [held[0]])) and len(rows) > 1 and kind == "bert":
            step = held[0] - 5
            spans = [range(at * step, at * step + size) for at, size in enumerate(held)]
            if side == "left":
                spans = [range(total - span.stop, total - span.start) for span in spans]
            for own, (row, span) in enumerate(zip(rows, spans, strict=True)):
                inside = (made.characters[row, :, 0] >= 0).nonzero().flatten().tolist()
                for column, position in zip(inside, span, strict=True):
                    expected = max_context(spans, own, position)
                    assert bool(best[row, column]) == expected
        assert sum(int(best[row].sum()) for row in rows) == total


def test_the_best_is_that_of_decode_answers_if_all_rows_count() -> None:
    _, made = make("bert")
    generator = torch.Generator().manual_seed(0)
    shape = made.features["input_ids"].shape
    starts, ends = (torch.randn(shape, generator=generator) for _ in range(2))
    ranked = rank_answers(starts, ends, made, top_k=3, max_context=False)
    best = [(c[0].start, c[0].end) if (c := each.candidates) else None for each in ranked]
    assert best == decode_answers(starts, ends, made)
    odds = [each.null_odds for each in ranked]
    declined = decode_answers(starts, ends, made, null_threshold=0.5)
    assert [answer is None for answer in declined] == [odd > 0.5 for odd in odds]
    assert Ranking([], 1.0).null_odds == math.inf
    assert math.inf in odds


def test_equal_spans_come_in_the_order_of_the_text() -> None:
    _, made = make("bert", count=1)
    zeros = torch.zeros(made.features["input_ids"].shape)
    ranking = rank_answers(zeros, zeros, made, top_k=4, max_answer_length=2)[0]
    assert [each[:2] for each in ranking.candidates] == [(0, 3), (0, 7), (4, 7), (4, 10)]
    with pytest.raises(ValueError, match="top_k is 0"):
        rank_answers(zeros, zeros, made, top_k=0)
    with pytest.raises(ValueError, match="are nan at piece 0"):
        rank_answers(zeros * math.nan, zeros, made)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("kind", ["bert", "byte-level", "trimmed", "metaspace", "xlnet"])
def test_contexts_that_are_tokenized_once_give_the_same_rows(
    kind: str, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, plain = make(kind, side)
    monkeypatch.setattr(contexts, "REPEATED", 1)
    monkeypatch.setattr(contexts, "AT_ONCE", 5)
    called: list[Any] = []
    copy = contexts._copy_without_ends

    def watch(*given: Any) -> Any:
        called.append(copy(*given))
        return called[0]

    monkeypatch.setattr(contexts, "_copy_without_ends", watch)
    _, shared = make(kind, side)
    assert called[0] is not None
    for name, tensor in plain.features.items():
        assert torch.equal(tensor, shared.features[name]), name
    for ours, theirs in zip(plain[1:], shared[1:], strict=True):
        assert ours is not None
        assert theirs is not None
        assert torch.equal(ours, theirs)


def test_a_tokenizer_that_changes_texts_in_python_is_asked_for_each_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What its part in Rust does alone is something else."""

    class Own(BertTokenizer):
        def __call__(self, text: Any, text_pair: Any = None, **settings: Any) -> Any:
            pairs = text_pair and [each.replace("Ada", "owl") for each in text_pair]
            return super().__call__(text, pairs, **settings)

    asked, texts = ["Who?", "Who was in Delft?"] * 3, [CONTEXTS[0], "Ada was."] * 3
    tokenizer = Own(vocab=make_tokenizer().get_vocab())
    plain = encode_questions(tokenizer, asked, texts, stride=5, max_length=20)
    monkeypatch.setattr(contexts, "REPEATED", 1)
    shared = encode_questions(tokenizer, asked, texts, stride=5, max_length=20)
    assert tokenizer.convert_tokens_to_ids("ada") not in shared.features["input_ids"]
    assert torch.equal(plain.features["input_ids"], shared.features["input_ids"])
    assert torch.equal(plain.example, shared.example)


def test_rows_without_an_answer_are_thinned() -> None:
    context = "Ada was in Bergen, Greta in Delft. " * 6
    made = encode_questions(
        make_tokenizer(), ["Who?"] * 20, [context] * 20, [(0, 3)] * 20, stride=5, max_length=20
    )
    answered = made.features["start_positions"] > 0
    assert 0 < int(answered.sum()) < len(answered) // 3
    thin = thin_rows(made, 0.5)
    assert len(thin.example) == 2 * int(answered.sum())
    assert int((thin.features["start_positions"] > 0).sum()) == int(answered.sum())
    assert thin.example.tolist() == sorted(thin.example.tolist())
    # numbered, so that the rows of a question, which are alike, can be told apart
    numbered = made._replace(example=torch.arange(len(made.example)))
    thin = thin_rows(numbered, 0.5)
    rows = thin.example
    assert rows.tolist() == sorted(rows.tolist())
    assert made.no_answer is not None
    assert made.max_context is not None
    parts = [(made.characters, thin.characters), (made.no_answer, thin.no_answer)]
    parts += [(made.max_context, thin.max_context)]
    parts += [(made.features[name], thin.features[name]) for name in made.features]
    for whole, part in parts:
        assert part is not None
        assert torch.equal(whole[rows], part)
    assert torch.equal(thin.features["input_ids"], thin_rows(made, 0.5).features["input_ids"])
    other = thin_rows(numbered, 0.5, seed=1)
    assert not torch.equal(thin.example, other.example)
    assert not made.no_answer.any()  # so it may be left out
    unsaid = thin_rows(made._replace(no_answer=None), 0.5)
    for name, tensor in thin_rows(made, 0.5).features.items():
        assert torch.equal(tensor, unsaid.features[name])
    assert len(thin_rows(made, 0.0).example) == int(answered.sum())
    assert len(thin_rows(made, 1.0).example) == len(made.example)
    with pytest.raises(ValueError, match=r"^share is 1\.5; expected 0\.0 to 1\.0 of the rows$"):
        thin_rows(made, 1.5)
    never = encode_questions(make_tokenizer(), ["Who?"] * 2, ["Ada."] * 2, [None, None])
    with pytest.raises(ValueError, match="none of 2 rows has an answer; expected some to learn"):
        thin_rows(never)
    assert len(thin_rows(never, 1.0).example) == 2
    with pytest.raises(
        ValueError, match=r"expected start_positions among them: pass answers to encode_questions$"
    ):
        thin_rows(encode_questions(make_tokenizer(), ["Who?"], ["Ada."]))


def test_an_answer_within_a_piece_causes_one_warning() -> None:
    with pytest.warns(UserWarning, match=r"1 of 2 answers .* the first is 'd', \(1, 2\) of ex"):
        encode_questions(make_tokenizer(), ["Who?"] * 2, ["Ada."] * 2, [(0, 3), (1, 2)])
