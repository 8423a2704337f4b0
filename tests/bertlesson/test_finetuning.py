"""Fine-tuning: all weights are tuned, and what was learned comes back from the logits."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import torch
from transformers import (
    BertForMaskedLM,
    BertForMultipleChoice,
    BertForSequenceClassification,
    BertModel,
    DebertaV2ForSequenceClassification,
    RobertaForSequenceClassification,
)

from bertlesson.answers import decode_answers
from bertlesson.entities import decode_entities, encode_entities
from bertlesson.finetuning import fine_tune, predict, with_encoder
from bertlesson.heads import (
    MaskedLMModel,
    QuestionAnsweringModel,
    SequenceClassificationModel,
    TokenClassificationModel,
)
from bertlesson.inputs import check_precision, longest_row
from bertlesson.spans import encode_questions
from bertlesson.words import find_words
from tests.bertlesson.small_bert import random_inputs, small_config
from tests.bertlesson.small_tokenizer import LABELS, PIECES, make_tokenizer

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


def test_a_model_with_a_head_is_not_an_encoder() -> None:
    model: Any = SequenceClassificationModel(small_config())
    with pytest.raises(TypeError, match=r"pass its \.bert"):
        with_encoder(TokenClassificationModel(small_config()), model)


# The loop


def sequence_features(rows: int) -> dict[str, torch.Tensor]:
    features = random_inputs(rows, 8)
    return features | {"labels": features["input_ids"][:, 1] % 2}


def widths(model: torch.nn.Module) -> list[int]:
    """The length of each batch that the model gets from now on."""
    seen: list[int] = []

    def note(_: Any, args: Any, inputs: dict[str, torch.Tensor]) -> None:
        assert inputs["labels"].shape == inputs["attention_mask"].shape
        seen.append(inputs["input_ids"].shape[1])

    model.register_forward_pre_hook(note, with_kwargs=True)
    return seen


@pytest.mark.parametrize(("side", "expected"), [("right", {3, 8}), ("left", {8})])
def test_a_batch_is_cut_to_its_longest_row(side: str, expected: set[int]) -> None:
    lengths = torch.tensor([3, 3, 3, 3, 2, 8])
    columns = torch.arange(8) if side == "right" else torch.arange(8).flip(0)
    real = (columns < lengths[:, None]).long()
    features = {"input_ids": 7 * real, "attention_mask": real, "labels": real}
    model = TokenClassificationModel(small_config())
    seen = widths(model)
    fine_tune(model, features, steps=6, learning_rate=1e-3, batch_size=1, progress=False)
    assert {*seen} == (expected | {2} if side == "right" else expected)


def test_cutting_a_batch_changes_no_loss() -> None:
    torch.manual_seed(0)
    features = random_inputs(4, 8)
    features["labels"] = features["input_ids"] % 3
    features["labels"][features["attention_mask"] == 0] = -100
    wider = {
        name: torch.nn.functional.pad(tensor, (0, 5), value=-100 if name == "labels" else 0)
        for name, tensor in features.items()
    }
    losses = []
    for each in (features, wider):
        torch.manual_seed(0)
        model = TokenClassificationModel(small_config(hidden_dropout_prob=0.0))
        losses.append(fine_tune(model, each, steps=3, learning_rate=1e-2, progress=False))
    assert losses[0] == pytest.approx(losses[1])


@pytest.mark.slow
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


@pytest.mark.slow
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
    with pytest.raises(ValueError, match="the same number in each, 1 or more"):
        fine_tune(
            SequenceClassificationModel(small_config()), features, steps=1, learning_rate=1e-3
        )


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        ({"input_ids": 3}, {}, "expected the model's labels"),
        ({"input_ids": 3, "labels": 3}, {"batch_size": 0}, "batch_size is 0"),
        ({"input_ids": 3, "labels": 3}, {"steps": 0}, "total_steps is 0"),
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


# What does not suit the model


class NotToRun(SequenceClassificationModel):
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the model ran")


IDS = torch.ones(3, 4, dtype=torch.int64)
CLASSES = torch.tensor([0, 1, 2])
UNSUITABLE: dict[str, tuple[dict[str, Any], str]] = {
    "a list": (
        {"input_ids": [[1, 2]] * 3},
        r"features\['input_ids'\] is a list; expected a tensor",
    ),
    "an array": ({"input_ids": IDS.numpy()}, "is a ndarray; expected a tensor"),
    "floats": ({"input_ids": IDS.float()}, r"input_ids are torch.float32; expected torch.int64"),
    "one row": (
        {"input_ids": IDS[:, 0]},
        r"input_ids has shape \(3,\); expected \(examples, length",
    ),
    "a long row": (
        {"input_ids": torch.ones(3, 17, dtype=torch.int64)},
        "rows have 17 pieces; expected at most 16, .*: tokenize with truncation=True and "
        "max_length=16",
    ),
    "a piece too many": (
        {"input_ids": IDS * 37},
        "input_ids go from 37 to 37; expected pieces from 0 to 36",
    ),
    "less than a piece": ({"input_ids": -IDS}, "input_ids go from -1 to -1"),
    "a third segment": (
        {"token_type_ids": IDS * 2},
        "token_type_ids go from 2 to 2; expected segments",
    ),
    "unequal rows": ({"attention_mask": IDS[:2]}, "expected the same number in each"),
}
UNLEARNABLE: dict[str, tuple[dict[str, Any], str]] = {
    "labels in a list": (
        {"labels": [0, 1, 2]},
        r"features\['labels'\] is a list; expected a tensor",
    ),
    "text": ({"text": ["a", "b", "c"]}, "leave out columns of text"),
    "a class too many": (
        {"labels": CLASSES + 1},
        "labels go from 1 to 3; expected classes from 0 to 2, or -100: count them from 0, .* "
        "num_labels, now 3",
    ),
    "a class below": ({"labels": CLASSES - 1}, "labels go from -1 to 1; expected classes from 0"),
    "int32": ({"labels": CLASSES.int()}, r"labels are torch.int32; .* labels\.long\(\)"),
    "float": ({"labels": CLASSES.float()}, "labels are torch.float32; expected torch.int64"),
    "bool": ({"labels": CLASSES > 0}, "labels are torch.bool; expected torch.int64"),
    "a number": ({"labels": torch.tensor(1)}, "expected the same number in each, 1 or more"),
}


@pytest.mark.parametrize("name", [*UNSUITABLE, *UNLEARNABLE])
def test_unsuitable_features_are_reported_before_the_model_runs(name: str) -> None:
    given, message = (UNSUITABLE | UNLEARNABLE)[name]
    features = {"input_ids": IDS, "labels": CLASSES} | given
    model = NotToRun(small_config())
    with pytest.raises((TypeError, ValueError), match=message):
        fine_tune(model, features, steps=1, learning_rate=1e-3, progress=False)
    if name in UNSUITABLE:
        with pytest.raises((TypeError, ValueError), match=message):
            predict(model, features)


def test_lists_of_a_tokenizer_are_refused() -> None:
    model = NotToRun(small_config())
    encoded: Any = make_tokenizer()(["Ada was in Delft."])
    with pytest.raises(TypeError, match="return_tensors='pt'"):
        predict(model, encoded)
    rows: Any = [dict(encoded)]
    with pytest.raises(TypeError, match="features are a list; expected a dict"):
        fine_tune(model, rows, steps=1, learning_rate=1e-3)


def test_labels_of_tokens_are_class_numbers_too() -> None:
    model = TokenClassificationModel(small_config())
    labels = torch.tensor([[-100, 3, 0, 0]] * 3)
    with pytest.raises(ValueError, match="labels go from 0 to 3; expected classes from 0 to 2"):
        fine_tune(model, {"input_ids": IDS, "labels": labels}, steps=1, learning_rate=1e-3)


@pytest.mark.parametrize(
    ("kind", "settings", "labels"),
    [
        (BertForSequenceClassification, {"num_labels": 1}, torch.tensor([0.5, 7.0, -3.0])),
        (
            BertForSequenceClassification,
            {"problem_type": "multi_label_classification"},
            torch.tensor([[0.0, 1.0, 1.0]] * 3),
        ),
        (BertForSequenceClassification, {}, torch.tensor([[0.0, 1.0, 1.0]] * 3)),
        (BertForMaskedLM, {}, torch.tensor([[30, -100, 36, 5]] * 3)),
        (MaskedLMModel, {}, torch.tensor([[30, -100, 36, 5]] * 3)),
        (SequenceClassificationModel, {}, torch.tensor([-100, -100, 2])),
    ],
)
def test_labels_that_are_no_class_numbers_are_left_to_the_model(
    kind: Any, settings: dict[str, Any], labels: torch.Tensor
) -> None:
    model = kind(small_config(**settings))
    features = {"input_ids": IDS, "labels": labels}
    assert fine_tune(model, features, steps=2, learning_rate=1e-3, progress=False)[0] > 0


def test_several_choices_may_be_more_than_num_labels() -> None:
    model = BertForMultipleChoice(small_config(num_labels=2))
    features = {"input_ids": IDS[:, None].repeat(1, 4, 1), "labels": torch.tensor([3, 0, 2])}
    assert fine_tune(model, features, steps=1, learning_rate=1e-3, progress=False)


@pytest.mark.parametrize(
    ("kind", "settings", "longest"),
    [
        (BertForSequenceClassification, {}, 16),
        (RobertaForSequenceClassification, {}, 14),  # the first position has the number 2
        (DebertaV2ForSequenceClassification, {"position_biased_input": False}, None),
    ],
)
def test_rows_are_as_long_as_the_model_has_positions(
    kind: Any, settings: dict[str, Any], longest: int | None
) -> None:
    model = kind(kind.config_class(**small_config().to_dict() | {"pad_token_id": 1} | settings))
    assert longest_row(model) == longest
    rows = torch.full((2, longest or 40), 5)  # (rows, length)
    assert len(predict(model, {"input_ids": rows})["logits"]) == 2
    if longest:
        with pytest.raises(ValueError, match=f"rows have {longest + 1} pieces"):
            predict(model, {"input_ids": torch.full((2, longest + 1), 5)})


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_in_half_precision_are_not_trained(dtype: torch.dtype) -> None:
    model = NotToRun(small_config()).to(dtype)
    features = {"input_ids": IDS, "labels": CLASSES}
    message = rf"bert\.\S+ is {dtype}; .*from_pretrained\(\.\.\., dtype=torch\.float32\)"
    with pytest.raises(ValueError, match=message):
        fine_tune(model, features, steps=1, learning_rate=1e-3)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_weights_that_are_not_trained_may_be_in_any_precision(dtype: torch.dtype) -> None:
    model = SequenceClassificationModel(small_config())
    model.bert.to(dtype).requires_grad_(False)
    model.classifier.to(dtype)
    check_precision(model.bert)
    if dtype == torch.float64:
        check_precision(model)
    else:
        with pytest.raises(ValueError, match=r"classifier\.weight is torch\.bfloat16"):
            check_precision(model)
    assert predict(model, {"input_ids": IDS})["logits"].dtype == dtype


# Devices


def test_inputs_go_to_the_model() -> None:
    class StoppedError(Exception):
        pass

    class Spy(SequenceClassificationModel):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            raise StoppedError({tensor.device.type for tensor in kwargs.values()})

    model = Spy(small_config()).to("meta")  # stands for one elsewhere
    features = random_inputs(3, 4) | {"labels": CLASSES}
    with pytest.raises(StoppedError, match=r"\{'meta'\}"):
        fine_tune(model, features, steps=1, learning_rate=1e-3, progress=False)
    with pytest.raises(StoppedError, match=r"\{'meta'\}"):
        predict(model, features)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a second device")
def test_what_is_trained_elsewhere_comes_back_to_the_features() -> None:
    features = sequence_features(24)
    config = small_config(num_labels=2, initializer_range=0.2)
    torch.manual_seed(0)
    model = SequenceClassificationModel(config).cuda()
    random_state = torch.cuda.get_rng_state()
    losses = fine_tune(model, features, steps=120, learning_rate=1e-2, progress=False)
    assert losses[-1] < 0.1 < losses[0]
    assert torch.equal(torch.cuda.get_rng_state(), random_state)
    logits = predict(model, features, batch_size=5)["logits"]
    assert logits.device == features["labels"].device
    assert (logits.argmax(-1) == features["labels"]).float().mean() > 0.95
    moved = {name: tensor.cuda() for name, tensor in features.items()}
    assert predict(model.cpu(), moved)["logits"].is_cuda


# Predictions


@pytest.mark.parametrize("features", [{}, {"input_ids": torch.zeros(0, 4, dtype=torch.int64)}])
def test_nothing_is_not_predicted_on(features: dict[str, torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="have no row of input_ids"):
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


@pytest.mark.slow
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


def learn(**settings: Any) -> SequenceClassificationModel:
    torch.manual_seed(0)
    model = SequenceClassificationModel(small_config())
    features = {"input_ids": IDS, "labels": torch.zeros(len(IDS), dtype=torch.int64)}
    fine_tune(model, features, **{"steps": 2, "learning_rate": 1e-3} | settings)
    return model


def test_a_bar_counts_the_steps_unless_it_is_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    learn(progress=False)
    assert capsys.readouterr().err == ""
    for settings in ({}, {"progress": True}):
        learn(**settings)
        said = capsys.readouterr().err
        assert "fine-tuning: 100%" in said
        assert " 2/2 [" in said
        assert re.search(r"\d ?(step/s|s/step)\]", said)


def test_the_first_step_is_as_long_as_the_learning_rate() -> None:
    torch.manual_seed(0)
    before = SequenceClassificationModel(small_config()).classifier.weight.detach()
    for rate in (1e-4, 1e-2):
        after = learn(steps=1, learning_rate=rate, warmup_share=0.0, progress=False)
        moved = (after.classifier.weight - before).abs().max().item()
        assert moved == pytest.approx(rate, rel=0.05)
