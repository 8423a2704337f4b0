"""Fine-tuning: all weights are tuned, and what was learned comes back from the logits."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from transformers import BertModel

from bertlesson.entities import (
    decode_entities,
    encode_entities,
    find_words,
)
from bertlesson.finetuning import fine_tune, predict, with_encoder
from bertlesson.heads import (
    QuestionAnsweringModel,
    SequenceClassificationModel,
    TokenClassificationModel,
)
from bertlesson.spans import decode_answers, encode_questions
from tests.small_bert import random_inputs, small_config
from tests.small_tokenizer import LABELS, PIECES, make_tokenizer

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
