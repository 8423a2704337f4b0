"""Fine-tuning: labels land on the right pieces, answers come back to the right characters."""

from __future__ import annotations

import copy
import math
import random
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BatchEncoding, BertModel, BertTokenizer

from bertlesson.finetuning import (
    Questions,
    Word,
    bio_labels,
    decode_answers,
    decode_entities,
    encode_entities,
    encode_questions,
    entity_f1,
    find_words,
    fine_tune,
    predict,
    with_encoder,
)
from bertlesson.heads import (
    IGNORE_INDEX,
    QuestionAnsweringModel,
    SequenceClassificationModel,
    TokenClassificationModel,
)
from tests.small_bert import random_inputs, small_config

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "who",
    "was",
    "in",
    "the",
    "at",
    ",",
    ".",
    "?",
    "'",
    "ada",
    "greta",
    "##l",
    "##of",
    "green",
    "owl",
    "ber",
    "##gen",
    "delft",
    "a",
    "b",
]
LABELS = bio_labels(["PER", "LOC", "ORG"])


def make_tokenizer(length: int = 64) -> BertTokenizer:
    return BertTokenizer(
        vocab={piece: i for i, piece in enumerate(PIECES)}, model_max_length=length
    )


def pieces_of(tokenizer: BertTokenizer, ids: torch.Tensor) -> list[str]:
    return tokenizer.convert_ids_to_tokens(ids.tolist())


# The start


@pytest.mark.parametrize("own_pooler", [True, False])
@pytest.mark.parametrize("given_pooler", [True, False])
def test_a_model_takes_the_encoder_and_shares_nothing(own_pooler: bool, given_pooler: bool) -> None:
    encoder = BertModel(small_config(), add_pooling_layer=given_pooler)
    kind = SequenceClassificationModel if own_pooler else TokenClassificationModel
    model = kind(small_config())
    head = {name: t.clone() for name, t in model.state_dict().items() if "bert." not in name}
    assert with_encoder(model, encoder) is model
    taken = model.bert.state_dict()
    for name, tensor in encoder.state_dict().items():
        if name in taken:
            assert torch.equal(taken[name], tensor)
            assert taken[name].data_ptr() != tensor.data_ptr()
    assert own_pooler == any(name.startswith("pooler") for name in taken)
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in head.items())


def test_an_encoder_of_another_size_is_refused() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        with_encoder(
            TokenClassificationModel(small_config()), BertModel(small_config(hidden_size=8))
        )


# The loop


def sequence_features(rows: int) -> dict[str, torch.Tensor]:
    features = random_inputs(rows, 8)
    return features | {"labels": features["input_ids"][:, 1] % 2}


def test_all_weights_are_tuned_and_the_labels_learned() -> None:
    torch.manual_seed(0)
    model = SequenceClassificationModel(small_config(num_labels=2, initializer_range=0.2))
    before = copy.deepcopy(model.state_dict())
    features = sequence_features(24)
    losses = fine_tune(model, features, steps=120, learning_rate=1e-2, progress=False)
    assert len(losses) == 120
    assert losses[-1] < 0.1 < losses[0]
    assert not model.training
    # position embeddings past the longest row have no gradient and only decay
    for name, tensor in model.state_dict().items():
        assert not torch.equal(tensor, before[name]), name
    right = predict(model, features)["logits"].argmax(-1) == features["labels"]
    assert right.float().mean() > 0.95


def test_the_same_seed_gives_the_same_weights_and_leaves_the_random_state() -> None:
    state = SequenceClassificationModel(small_config()).state_dict()
    made = []
    for seed in (1, 1, 2):
        model = SequenceClassificationModel(small_config())
        model.load_state_dict(state)
        torch.manual_seed(seed + 10)
        expected = torch.rand(1)
        torch.manual_seed(seed + 10)
        made.append(
            fine_tune(
                model, sequence_features(20), steps=4, learning_rate=1e-2, seed=seed, progress=False
            )
        )
        assert torch.equal(torch.rand(1), expected)
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize(("count", "steps"), [(5, 7), (16, 2), (40, 5), (1, 3)])
def test_every_example_comes_by_as_often_as_the_next(count: int, steps: int) -> None:
    seen: list[int] = []

    class Spy(SequenceClassificationModel):
        def forward(self, input_ids: Any = None, **kwargs: Any) -> Any:
            seen.extend(input_ids[:, 0].tolist())
            assert len(input_ids) == 16
            return super().forward(input_ids, **kwargs)

    features = {
        "input_ids": torch.arange(count % 37)[:, None].expand(-1, 4)
        if count < 37
        else (torch.arange(count) % 37)[:, None].expand(-1, 4),
        "labels": torch.zeros(count, dtype=torch.int64),
    }
    fine_tune(Spy(small_config()), features, steps=steps, learning_rate=1e-3, progress=False)
    assert len(seen) == 16 * steps
    if count < 37:
        often = [seen.count(number) for number in range(count)]
        assert max(often) - min(often) <= 1


@pytest.mark.parametrize("rows", [{}, {"input_ids": 0, "labels": 0}, {"input_ids": 3, "labels": 2}])
def test_features_without_or_with_unequal_rows_are_refused(rows: dict[str, int]) -> None:
    features = {name: torch.ones(count, dtype=torch.int64) for name, count in rows.items()}
    with pytest.raises(ValueError, match="the same number for each, 1 or more"):
        fine_tune(
            SequenceClassificationModel(small_config()), features, steps=1, learning_rate=1e-3
        )


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        ({"input_ids": 3}, {}, "expected the model's labels"),
        ({"input_ids": 3, "labels": 3}, {"batch_size": 0}, "batch_size=0"),
        ({"input_ids": 3, "labels": 3}, {"steps": 0}, "total_steps=0"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    rows: dict[str, int], settings: dict[str, int], message: str
) -> None:
    features = {name: torch.ones(count, dtype=torch.int64) for name, count in rows.items()}
    features["input_ids"] = features["input_ids"][:, None]
    model = SequenceClassificationModel(small_config())
    with pytest.raises(ValueError, match=message):
        fine_tune(model, features, learning_rate=1e-3, progress=False, **{"steps": 1} | settings)


@pytest.mark.parametrize("features", [{}, {"input_ids": torch.zeros(0, 4, dtype=torch.int64)}])
def test_nothing_is_not_predicted_on(features: dict[str, torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="without a row of input_ids"):
        predict(SequenceClassificationModel(small_config()), features)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_predictions_do_not_depend_on_the_batch(batch_size: int) -> None:
    torch.manual_seed(0)
    features = random_inputs(7, 8)
    answering = QuestionAnsweringModel(small_config())
    whole = answering.eval()(**features)
    parts = predict(answering.train(), features | {"labels": torch.zeros(7)}, batch_size)
    assert list(parts) == ["start_logits", "end_logits"]
    for name, logits in parts.items():
        torch.testing.assert_close(logits, whole[name])


# Entities


def test_first_pieces_are_labelled_and_all_others_are_not() -> None:
    tokenizer = make_tokenizer()
    text = "Gretalof was at the Green Owl in Bergen, Delft."
    entities = [(0, 8, "PER"), (20, 29, "ORG"), (33, 39, "LOC"), (41, 46, "LOC")]
    features = encode_entities(tokenizer, [text, "Ada."], [entities, []], LABELS)
    labels = [LABELS[i] if i != IGNORE_INDEX else "-" for i in features["labels"][0].tolist()]
    assert list(zip(pieces_of(tokenizer, features["input_ids"][0]), labels, strict=True)) == [
        ("[CLS]", "-"),
        ("greta", "B-PER"),
        ("##l", "-"),
        ("##of", "-"),
        ("was", "O"),
        ("at", "O"),
        ("the", "O"),
        ("green", "B-ORG"),
        ("owl", "I-ORG"),
        ("in", "O"),
        ("ber", "B-LOC"),
        ("##gen", "-"),
        (",", "O"),
        ("delft", "B-LOC"),
        (".", "O"),
        ("[SEP]", "-"),
    ]
    assert features["labels"][1].tolist() == [-100, 0, 0] + [-100] * 13
    assert features["attention_mask"].sum(1).tolist() == [16, 4]


@pytest.mark.parametrize(
    ("entity", "message"),
    [
        ((0, 2, "PER"), "'Ad', does not begin and end with a word"),
        ((1, 3, "PER"), "'da', does not begin and end with a word"),
        ((3, 4, "PER"), "does not begin and end with a word"),
        ((0, 3, "MISC"), "of kind MISC; the labels are"),
        ((0, 99, "PER"), "does not lie in these 17 characters"),
        ((-5, 3, "PER"), "does not lie in these 17 characters"),
        ((3, 0, "PER"), "does not lie in these 17 characters"),
        ((4, 16, "LOC"), "'Delft', overlaps the one before it"),
    ],
)
def test_entities_that_are_no_words_are_refused(entity: tuple[int, int, str], message: str) -> None:
    entities = [(11, 16, "LOC"), entity]
    with pytest.raises(ValueError, match=message):
        encode_entities(make_tokenizer(), ["Ada was in Delft."], [entities], LABELS)


@pytest.mark.parametrize("kinds", [["B-PER", "I-PER"], ["O", "I-PER"], ["O", "B-PER"]])
def test_labels_that_cannot_spell_an_entity_are_refused(kinds: list[str]) -> None:
    with pytest.raises(ValueError, match=r"the labels are \["):
        encode_entities(make_tokenizer(), ["Ada was."], [[(0, 3, "PER")]], kinds)


def test_words_are_found_in_what_a_fast_tokenizer_returned() -> None:
    for other in ({"input_ids": [[5]]}, BatchEncoding({"input_ids": [[5]]})):
        with pytest.raises(TypeError, match="expected what a fast tokenizer returned"):
            find_words(other, 0)  # type: ignore[arg-type]


def test_an_entity_past_the_end_of_the_row_is_left_out() -> None:
    features = encode_entities(
        make_tokenizer(4), ["Ada was in Delft."], [[(0, 3, "PER"), (11, 16, "LOC")]], LABELS
    )
    assert features["labels"].tolist() == [[-100, LABELS.index("B-PER"), 0, -100]]


def test_an_entity_across_the_end_of_the_row_is_labelled_as_far_as_it_is_read() -> None:
    tokenizer, text = make_tokenizer(5), "Ada, Greta was in Delft."
    features = encode_entities(tokenizer, [text], [[(5, 23, "PER")]], LABELS)
    assert [LABELS[i] for i in features["labels"][0, 1:4].tolist()] == ["O", "O", "B-PER"]
    with pytest.raises(ValueError, match="'reta was in Delft', does not begin"):
        encode_entities(tokenizer, [text], [[(6, 23, "PER")]], LABELS)


@given(st.randoms(use_true_random=False))
def test_entities_come_back_as_they_went_in(rng: random.Random) -> None:
    words = rng.choices(
        ["Gretalof", "Ada", "Bergen", "was", "the", "Owl", ","], k=rng.randint(1, 9)
    )
    text, spans, entities = "", [], []
    for word in words:
        text += " " * bool(text) * rng.choice([1, 1, 2])
        spans.append((len(text), len(text) + len(word)))
        text += word
    place = 0
    while place < len(words):
        length = rng.randint(1, 3)
        if rng.random() < 0.5:
            part = spans[place : place + length]
            entities.append((part[0][0], part[-1][1], rng.choice(["PER", "LOC", "ORG"])))
        place += length
    tokenizer = make_tokenizer()
    features = encode_entities(tokenizer, [text], [entities], LABELS)
    found = find_words(tokenizer([text]), 0)
    assert [(word.start, word.end) for word in found] == spans
    assert decode_entities(features["labels"][0].tolist(), found, LABELS) == entities


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        ("O O O", []),
        ("B-PER I-PER O", [(0, 3, "PER")]),
        ("B-PER B-PER I-PER", [(0, 1, "PER"), (2, 5, "PER")]),
        ("I-PER I-PER O", [(0, 3, "PER")]),
        ("B-PER I-LOC I-LOC", [(0, 1, "PER"), (2, 5, "LOC")]),
        ("B-PER O I-PER", [(0, 1, "PER"), (4, 5, "PER")]),
    ],
)
def test_labels_spell_entities(predicted: str, expected: list[tuple[int, int, str]]) -> None:
    words = [Word(1, 0, 1), Word(2, 2, 3), Word(4, 4, 5)]
    first, second, third = (LABELS.index(label) for label in predicted.split())
    labels = [3, first, second, 5, third]  # those of [CLS] and of a ## piece are not looked at
    assert decode_entities(labels, words, LABELS) == expected


def test_f1_counts_whole_entities_over_all_texts() -> None:
    truth = [[(0, 1, "PER"), (2, 3, "LOC")], [(0, 1, "PER")]]
    assert entity_f1(truth, truth) == 1.0
    assert entity_f1(truth, [[], []]) == 0.0
    assert entity_f1([[]], [[]]) == 1.0
    # another text's entity does not count, nor does one with another kind: 1 right, 3 + 2
    assert entity_f1(truth, [[(0, 1, "PER")], [(2, 3, "LOC")]]) == pytest.approx(2 / 5)
    assert entity_f1(truth, [[(0, 1, "LOC")], [(0, 1, "PER")]]) == pytest.approx(2 / 5)


# Answers


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
    with pytest.raises(ValueError, match="1 texts and 2 entities"):
        encode_entities(tokenizer, ["Ada."], [[], []], LABELS)
    with pytest.raises(ValueError, match="no texts"):
        encode_entities(tokenizer, [], [], LABELS)
    with pytest.raises(ValueError, match="1 questions and 2 contexts"):
        encode_questions(tokenizer, ["Who?"], ["Ada.", "Greta."])
    with pytest.raises(ValueError, match="1 contexts and 2 answers"):
        encode_questions(tokenizer, ["Who?"], ["Ada."], [None, None])
    with pytest.raises(ValueError, match="no questions"):
        encode_questions(tokenizer, [], [])
    with pytest.raises(ValueError, match="2 truth and 1 predicted"):
        entity_f1([[], []], [[]])


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


@pytest.mark.parametrize("fast", ["words", "answers"])
def test_what_was_learned_on_labels_is_found_in_text(fast: str) -> None:
    """The labels and the decoding agree: a model that learned the rows by heart gets all right."""
    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    size = {"vocab_size": len(PIECES), "max_position_embeddings": 64, "initializer_range": 0.2}
    text = "Gretalof was in Bergen."
    if fast == "words":
        entities = [(0, 8, "PER"), (16, 22, "LOC")]
        model = TokenClassificationModel(small_config(**size, num_labels=len(LABELS)))
        features = encode_entities(tokenizer, [text], [entities], LABELS)
        fine_tune(model, features, steps=60, learning_rate=1e-2, progress=False)
        labels = predict(model, features)["logits"].argmax(-1)[0].tolist()
        assert decode_entities(labels, find_words(tokenizer([text]), 0), LABELS) == entities
        return
    answering = QuestionAnsweringModel(small_config(**size))
    questions = ["Who was in Bergen?", "in the a?", "was Ada?"]
    spans = [(0, 8), (16, 22), None]
    made = encode_questions(tokenizer, questions, [text] * 3, spans)
    fine_tune(answering, made.features, steps=150, learning_rate=1e-2, progress=False)
    output = predict(answering, made.features)
    assert decode_answers(**output, questions=made, null_threshold=0.0) == spans
