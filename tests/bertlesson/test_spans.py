"""Spans: answers become the right pieces, and come back as the right characters."""

from __future__ import annotations

import random
import re
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertTokenizer, PreTrainedTokenizerFast

from bertlesson.answers import decode_answers
from bertlesson.spans import Questions, encode_questions
from tests.bertlesson.small_tokenizer import (
    anyone_s,
    make_foreign_tokenizer,
    make_tokenizer,
    pieces_of,
)

FOREIGN = ["byte-level", "trimmed", "metaspace", "xlnet"]


def positions(made: Questions, row: int = 0) -> tuple[int, int]:
    start, end = (int(made.features[f"{side}_positions"][row]) for side in ("start", "end"))
    return start, end


def decode_positions(made: Questions) -> list[tuple[int, int] | None]:
    """What a model that has learned the labels by heart answers."""
    starts, ends = (
        torch.nn.functional.one_hot(
            made.features[f"{side}_positions"], made.features["input_ids"].shape[1]
        ).float()
        for side in ("start", "end")
    )
    return decode_answers(starts, ends, made, max_answer_length=999, null_threshold=0.0)


@pytest.mark.parametrize("side", ["right", "left"])
def test_rows_are_those_of_the_tokenizer(side: str) -> None:
    tokenizer = make_tokenizer()
    tokenizer.padding_side = side
    questions, contexts = (
        ["Who?", "Who was in Bergen?"],
        ["Ada was in Bergen.", "Greta was in Delft, too."],
    )
    features = encode_questions(tokenizer, questions, contexts).features
    theirs = tokenizer(questions, contexts, padding=True, return_tensors="pt")
    assert features.keys() == theirs.keys()
    assert not features["attention_mask"].all()
    for name, tensor in features.items():
        assert torch.equal(tensor, theirs[name]), name


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


DROPPED = "\u0301\u00ad\u200b\u200d\ufe0f\u064e\x00\ufffd"  # by BERT's tokenizer


@pytest.mark.parametrize(
    ("context", "answer", "pieces", "found"),
    [
        ("Ada was in Delft. ", (11, 18), ["delft", "."], (11, 17)),
        ("Ada was in Delft. ", (10, 16), ["delft"], (11, 16)),
        ("Ada was in\nDelft\t.", (10, 17), ["delft"], (11, 16)),
        ("Ada\u00a0\u2003was.", (0, 5), ["ada"], (0, 3)),
        *((f"was Ada{c}.", (4, 8), ["ada"], (4, 8)) for c in DROPPED),
        *((f"was Ada{c}.", (4, 7), ["ada"], (4, 8)) for c in DROPPED),
        *((f"was A{c}da.", (4, 8), ["ada"], (4, 8)) for c in DROPPED),
        *((f"was {c}Ada.", (4, 8), ["ada"], (5, 8)) for c in DROPPED),
        *((f"was Ada {c}.", (4, 9), ["ada"], (4, 7)) for c in DROPPED),
        (f"was Ada{DROPPED} in", (4, 12), ["ada"], (4, 7 + len(DROPPED))),
        ("was Ad\u00e1 in", (4, 7), ["ada"], (4, 7)),  # one character
        ("was Ada\u0301\u200b \u0301in", (4, 10), ["ada"], (4, 9)),
        ("Ada", (1, 2), ["ada"], (0, 3)),  # within a piece
        ("was a\u0301b in", (4, 6), ["[UNK]"], (4, 7)),
        ("Gretal\u00adof.", (0, 9), ["greta", "##l", "##of"], (0, 9)),
        ("Gretal\u00adof.", (0, 6), ["greta", "##l"], (0, 7)),
        ("\u6771\ufe00\u4eac", (0, 1), ["[UNK]"], (0, 2)),
    ],
)
def test_an_answer_is_the_pieces_that_overlap_it(
    context: str, answer: tuple[int, int], pieces: list[str], found: tuple[int, int]
) -> None:
    tokenizer = make_tokenizer()
    made = encode_questions(tokenizer, ["Who?"], [context], [answer])
    start, end = positions(made)
    assert pieces_of(tokenizer, made.features["input_ids"][0])[start : end + 1] == pieces
    assert decode_positions(made) == [found]


@pytest.mark.parametrize("length", [64, 12])
@pytest.mark.parametrize(
    ("context", "answer"),
    [
        ("Ada  was in Delft, Greta in Bergen.", (3, 5)),
        ("Ada\u0301 was in Delft, Greta in Bergen.", (3, 4)),
        ("Ada \u200b\u00ad was in Delft, Greta in Bergen.", (3, 7)),
    ],
)
def test_an_answer_without_a_piece_is_refused(
    context: str, answer: tuple[int, int], length: int
) -> None:
    message = (
        f"answer {answer} of example 1, {context[slice(*answer)]!r}, overlaps no piece of its "
        "context, as it is white space or dropped by the tokenizer; expected at least one word, or "
        "None for no answer"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        encode_questions(
            make_tokenizer(length), ["Who?"] * 2, [context] * 2, [(0, 3), answer], stride=2
        )


def overlapping(
    tokenizer: PreTrainedTokenizerFast, context: str, answer: tuple[int, int]
) -> list[tuple[tuple[int, int], bool]]:
    """The offsets of all pieces of a context, and whether they share text with the answer."""
    encoded = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True)
    return [
        (
            (start, end),
            any(not context[i].isspace() for i in range(start, end) if i in range(*answer)),
        )
        for start, end in encoded["offset_mapping"]
    ]


def windows(count: int, room: int, stride: int, side: str) -> list[range]:
    """Which pieces each row holds, in the order of the rows."""
    if count <= room:
        return [range(count)]
    rows = [range(0, room)]
    while rows[-1].stop < count:
        start = rows[-1].start + room - stride
        rows.append(range(start, min(start + room, count)))
    return rows if side == "right" else [range(count - r.stop, count - r.start) for r in rows]


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("kind", ["bert", *FOREIGN])
def test_random_answers_follow_the_overlap_rule(kind: str, side: str) -> None:
    rng = random.Random(0)
    made_of = ["Ada", "was", "Bergen", "gretalof", "owl", "q", "\U0001f600", "\u6771", ",", "."]
    between = [" ", " ", "  ", "\n", "\u00ad", "\u0301 ", "\u200b", "", "\u00a0"]
    contexts, answers = [], []
    for _ in range(385):
        words = rng.choices(made_of, k=rng.randint(1, 14))
        contexts.append("".join(word + rng.choice(between) for word in words))
        start = rng.randrange(len(contexts[-1]))
        answers.append((start, rng.randint(start + 1, len(contexts[-1]))))
    tokenizer = make_tokenizer() if kind == "bert" else make_foreign_tokenizer(kind)
    tokenizer.truncation_side = side
    room, stride = 9, 4
    asked = len(tokenizer("Who?", add_special_tokens=False)["input_ids"])
    tokenizer.model_max_length = room + asked + 3
    found = [overlapping(tokenizer, *each) for each in zip(contexts, answers, strict=True)]
    for number, pieces in enumerate(found):
        if not any(taken for _, taken in pieces):
            with pytest.raises(ValueError, match="overlaps no piece"):
                encode_questions(
                    tokenizer, ["Who?"], [contexts[number]], [answers[number]], stride=stride
                )
            answers[number] = None
    made = encode_questions(tokenizer, ["Who?"] * 385, contexts, answers, stride=stride)
    row, whole, parts = 0, 0, 0
    for pieces, answer in zip(found, answers, strict=True):
        taken = [place for place, (_, shares) in enumerate(pieces) if shares and answer]
        for held in windows(len(pieces), room, stride, side):
            ids = made.features["input_ids"][row].tolist()
            (cls,) = (i for i, number in enumerate(ids) if number == tokenizer.cls_token_id)
            # the context begins behind the question and its [SEP]
            first = ids.index(tokenizer.sep_token_id) + 1
            expected = (cls, cls)
            if taken and set(taken) <= set(held):
                expected = tuple(first + at - held.start for at in (taken[0], taken[-1]))
                whole += 1
            parts += bool(set(taken) & set(held)) and expected == (cls, cls)
            assert positions(made, row) == expected
            row += 1
    assert row == len(made.example)
    assert whole > 200
    assert parts > 20
    assert int(made.no_answer.max()) == (room + asked + 2 if kind == "xlnet" else 0)


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize(
    ("context", "answer"),
    [
        ("Ada was in Bergen.", "Bergen"),
        ("Ada was  in Bergen ", "in Bergen"),
        ("Ada\n was in the\n\nowl", "owl"),
        ("\u6771\u4eac Ada \U0001f600!", "\U0001f600"),
        ("was Andre\u0301 in", "Andre\u0301"),
        ("\u00a0Ada was", "Ada"),
    ],
)
def test_the_space_before_a_word_is_not_part_of_an_answer(
    kind: str, context: str, answer: str
) -> None:
    start = context.index(answer)
    end = start + len(answer)
    tokenizer = make_foreign_tokenizer(kind)
    for given in ((start, end), (max(start - 1, 0), end), (start, min(end + 1, len(context)))):
        if context[given[0] : given[1]].strip() == answer:
            made = encode_questions(tokenizer, ["Who?"], [context], [given])
            assert decode_positions(made) == [(start, end)]


@pytest.mark.parametrize("kind", ["byte-level", "trimmed", "metaspace"])
def test_no_answer_begins_or_ends_with_a_piece_of_white_space(kind: str) -> None:
    context = "Ada  was\n\nin  Bergen "
    made = encode_questions(make_foreign_tokenizer(kind), ["Who?"], [context])
    shape = made.features["input_ids"].shape
    generator = torch.Generator().manual_seed(0)
    for _ in range(100):
        starts, ends = (torch.randn(shape, generator=generator) for _ in range(2))
        (found,) = decode_answers(starts, ends, made)
        assert found is not None
        text = context[slice(*found)]
        assert text
        assert text == text.strip()


# Where [CLS] is


@pytest.mark.parametrize(
    ("kind", "settings", "place"),
    [
        ("trimmed", {}, "first"),
        ("trimmed", {"padding_side": "left"}, "first"),
        ("xlnet", {}, "last"),
        ("xlnet", {"padding_side": "right"}, "last"),
    ],
)
def test_no_answer_is_where_cls_is(kind: str, settings: dict[str, Any], place: str) -> None:
    tokenizer = make_foreign_tokenizer(kind, **settings)
    contexts = ["Ada.", "Ada was in [CLS] Delft, the owl in Bergen.", "Ada was [SEP]"]
    made = encode_questions(
        tokenizer, ["[CLS] who?", "Who?", "Who?"], contexts, [None, None, (0, 3)]
    )
    ids, real = made.features["input_ids"], made.features["attention_mask"].bool()
    for row in range(3):
        tokens = real[row].nonzero().flatten().tolist()
        expected = tokens[0] if place == "first" else tokens[-1]
        assert ids[row, expected] == tokenizer.cls_token_id
        assert int(made.no_answer[row]) == expected
        if row < 2:
            assert positions(made, row) == (expected, expected)
    sure = torch.zeros(ids.shape)
    sure[torch.arange(3), made.no_answer] = 9.0
    assert decode_answers(sure, sure, made, null_threshold=0.0) == [None] * 3
    assert decode_positions(made) == [None, None, (0, 3)]


def test_without_a_cls_the_first_token_stands_for_no_answer() -> None:
    tokenizer = make_foreign_tokenizer("byte-level", padding_side="left")
    tokenizer.cls_token = None
    made = encode_questions(tokenizer, ["Who?"] * 2, ["Ada was.", "a"], [None, None])
    first = made.features["attention_mask"].argmax(1)
    assert first.tolist()[1] > 0
    assert torch.equal(made.no_answer, first)
    assert torch.equal(made.features["start_positions"], first)


@pytest.mark.parametrize("answer", [(3, 3), (5, 2), (-1, 3), (0, 99)])
def test_answers_outside_of_their_context_are_refused(answer: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is not in its 8 characters"):
        encode_questions(make_tokenizer(), ["Who?"], ["Ada was."], [answer])


@pytest.mark.parametrize(
    ("question", "context", "settings", "message"),
    [
        (
            "Who was in?",
            "Ada was in Bergen, Greta in Delft.",
            {"stride": 5},
            "'Who was in\\?' .*for 5 pieces",
        ),
        ("the owl " * 9, "Ada was in Delft.", {"stride": 0}, "leaves room for 0 pieces"),
        ("Who?", "Ada was.", {"stride": -1}, "stride is -1"),
    ],
)
def test_a_row_without_room_for_the_context_is_refused(
    question: str, context: str, settings: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        encode_questions(make_tokenizer(12), [question], [context], **settings)


@pytest.mark.parametrize("length", range(4, 12))
@pytest.mark.parametrize("stride", [0, 1, 5, 16, 999])
def test_a_context_that_fits_needs_no_room_to_repeat_anything(length: int, stride: int) -> None:
    context = "Ada " * (length - 4)
    made = encode_questions(make_tokenizer(length), ["a"], [context], stride=stride)
    assert made.example.tolist() == [0]
    with pytest.raises(ValueError, match="expected more than stride="):
        encode_questions(
            make_tokenizer(length), ["a"], [context + "b"], stride=max(stride, length - 4)
        )


def test_of_a_long_question_nothing_is_cut() -> None:
    """Only its context is, though the question is the longer of the two."""
    tokenizer = make_tokenizer(16)
    question, context = "was in the green owl " * 2, "Ada Greta Delft Bergen"
    made = encode_questions(tokenizer, [question], [context], stride=1)
    asked = question.split()
    for ids in made.features["input_ids"]:
        assert pieces_of(tokenizer, ids)[1 : len(asked) + 2] == [*asked, "[SEP]"]
    assert made.example.tolist() == [0, 0]


def test_short_and_long_contexts_share_a_stride() -> None:
    made = encode_questions(
        make_tokenizer(12), ["Who was in?", "a"], ["Ada was in Delft.", "Ada " * 20], stride=5
    )
    assert made.example.tolist() == [0, 1, 1, 1, 1, 1, 1][: len(made.example)]
    assert len(made.example) > 3


@pytest.mark.parametrize(("words", "warned"), [(9, False), (508, False), (509, True)])
def test_rows_longer_than_berts_cause_a_warning(words: int, warned: bool) -> None:
    """A tokenizer that is made at home knows no longest row."""
    tokenizer = BertTokenizer(vocab=make_tokenizer().get_vocab())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = encode_questions(tokenizer, ["a"], ["Ada " * words], [(0, 3)])
    assert made.features["input_ids"].shape == (1, words + 4)
    messages = [str(warning.message) for warning in caught]
    assert all(
        m.endswith("pass max_length, the model's config.max_position_embeddings") for m in messages
    )
    assert ["the tokenizer has no model_max_length; expected" in m for m in messages] == [
        True
    ] * warned


@pytest.mark.parametrize(
    "answer", [("Ada", 0), {"text": ["Ada"], "answer_start": [0]}, (0,), (0, 1, 2), 3, (0.0, 3.0)]
)
def test_answers_that_are_not_two_characters_are_refused(answer: Any) -> None:
    message = (
        f"answer of example 1 is {answer!r}; expected its first character in the context and the "
        "one after its last, such as (start, start + len(text)), or None"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        encode_questions(make_tokenizer(), ["Who?"] * 2, ["Ada was."] * 2, [(0, 3), answer])


def test_answers_may_be_lists_and_arrays() -> None:
    answers: Any = [[0, 3], np.array([0, 3]), torch.tensor([0, 3])]
    made = encode_questions(make_tokenizer(), ["Who?"] * 3, ["Ada was."] * 3, answers)
    assert decode_positions(made) == [(0, 3)] * 3


def test_one_string_is_not_a_list_of_letters() -> None:
    with pytest.raises(TypeError, match="questions is the string 'Who\\?'; expected a list"):
        encode_questions(make_tokenizer(), "Who?", ["Ada."])
    with pytest.raises(TypeError, match="contexts is the string"):
        encode_questions(make_tokenizer(), ["Who?"], "A")


def test_what_is_no_text_is_refused() -> None:
    given: Any
    for given in (None, float("nan"), 7):
        with pytest.raises(TypeError, match=rf"questions\[1\] is {given}; expected a string"):
            encode_questions(make_tokenizer(), ["Who?", given], ["Ada."] * 2)
    with pytest.raises(ValueError, match=r"contexts\[0\] has half of a surrogate pair"):
        encode_questions(make_tokenizer(), ["Who?"], ["Ada \ud83d."])


def test_examples_and_what_belongs_to_them_are_counted() -> None:
    tokenizer = make_tokenizer()
    with pytest.raises(ValueError, match="1 questions and 2 contexts"):
        encode_questions(tokenizer, ["Who?"], ["Ada.", "Greta."])
    with pytest.raises(ValueError, match="1 contexts and 2 answers"):
        encode_questions(tokenizer, ["Who?"], ["Ada."], [None, None])
    with pytest.raises(ValueError, match="questions is empty"):
        encode_questions(tokenizer, [], [])


@pytest.mark.parametrize("threshold", [None, 0.0, -99.0])
def test_an_empty_context_has_no_answer(threshold: float | None) -> None:
    made = encode_questions(make_tokenizer(), ["Who was?", "Who?"], ["", "Ada."])
    scores = torch.zeros(made.features["input_ids"].shape)
    scores[:, 0] = -9.0
    expected = None if threshold == -99.0 else (0, 3)
    found = decode_answers(scores, scores, made, null_threshold=threshold)
    assert found == [None, expected]


@pytest.mark.parametrize("answer", [(1, 3), (0, 2), (1, 2), (1, 7), (0, 6)])
def test_an_answer_inside_a_piece_is_told(answer: tuple[int, int]) -> None:
    told = r"^1 of 2 answers begin .*: the model learns the pieces that contain them$"
    with pytest.warns(UserWarning, match=told) as recorded:
        encode_questions(make_tokenizer(), ["Who?"] * 2, ["Ada was."] * 2, [(0, 3), answer])
    assert len(recorded) == 1


def test_questions_have_their_segments_whoever_trained_the_tokenizer() -> None:
    texts = ["Who?", "Who was in Bergen?"], ["Ada was.", "Ada."]
    made, expected = (
        encode_questions(tokenizer, *texts).features
        for tokenizer in (anyone_s(make_tokenizer()), make_tokenizer())
    )
    assert expected["token_type_ids"].any()
    assert made.keys() == expected.keys()
    for name, tensor in made.items():
        assert torch.equal(tensor, expected[name])


def test_masks_are_whole_numbers() -> None:
    made = encode_questions(make_tokenizer(), ["Who?"] * 2, ["Ada was.", "Ada."])
    assert {tensor.dtype for tensor in made.features.values()} == {torch.int64}


@pytest.mark.parametrize("dropped", ["\u0301", "\u00ad", "\u200b"])
def test_an_answer_without_what_is_dropped_behind_it_is_whole(dropped: str) -> None:
    """The tokenizer drops an accent of the last letter: no piece is cut."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = encode_questions(make_tokenizer(), ["Who?"], [f"was Ada{dropped} in"], [(4, 7)])
    assert decode_positions(made) == [(4, 8)]


def test_rows_of_one_length_need_no_padding() -> None:
    tokenizer = make_tokenizer()
    tokenizer.pad_token = None
    made = encode_questions(tokenizer, ["Who?"] * 2, ["Ada was.", "the owl."])
    assert bool(made.features["attention_mask"].all())
    message = (
        "the tokenizer has no pad_token; expected one, since rows differ in length: set "
        "tokenizer.pad_token, such as to its eos_token"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        encode_questions(tokenizer, ["Who?"] * 2, ["Ada was.", "the"])
