"""Asking: the same answers from any encoder, on any side of padding, in any batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    BertConfig,
    BertModel,
    DebertaV2Config,
    DistilBertConfig,
    ModernBertConfig,
    RobertaConfig,
    XLNetConfig,
)

from bertlesson.answers import rank_answers
from bertlesson.asking import answer_questions, leave_out_segments, row_length
from bertlesson.spans import encode_questions
from tests.bertlesson.small_tokenizer import make_foreign_tokenizer, make_tokenizer

LONG = "Ada was in Bergen, Greta in Delft. " * 6
QUESTIONS = ["Who was in Delft?", "Who?", "the owl?", "Who?"]
CONTEXTS = [LONG, "Ada was.", "the green owl " * 9, ""]
SIZE: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
}
CONFIGS: dict[str, Any] = {
    "bert": lambda size: BertConfig(vocab_size=size, **SIZE),
    "trimmed": lambda size: RobertaConfig(
        vocab_size=size, **(SIZE | {"max_position_embeddings": 41}), pad_token_id=0
    ),
    "byte-level": lambda size: DebertaV2Config(vocab_size=size, type_vocab_size=0, **SIZE),
    "metaspace": lambda size: ModernBertConfig(
        vocab_size=size, local_attention=8, pad_token_id=0, **SIZE
    ),
    "xlnet": lambda size: XLNetConfig(vocab_size=size, d_model=16, n_layer=1, n_head=2, d_inner=32),
    "distil": lambda size: DistilBertConfig(
        vocab_size=size, dim=16, n_layers=1, n_heads=2, hidden_dim=32, max_position_embeddings=40
    ),
}


def make(kind: str) -> tuple[Any, Any]:
    foreign = kind not in ("bert", "distil")
    names = ["input_ids", "token_type_ids", "attention_mask"]
    foreign_tokenizer = make_foreign_tokenizer(kind, model_input_names=names) if foreign else None
    tokenizer = foreign_tokenizer or make_tokenizer()
    torch.manual_seed(0)
    config = CONFIGS[kind](max(tokenizer.get_vocab().values()) + 1)
    model = AutoModelForQuestionAnswering.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # so that scores differ
    return model, tokenizer


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_row_by_itself_gives_the_same(kind: str) -> None:
    """Each row goes through the model alone and without padding, as one would do it by hand."""
    model, tokenizer = make(kind)
    settings: dict[str, Any] = {"stride": 8, "max_length": 40}
    made = encode_questions(tokenizer, QUESTIONS, CONTEXTS, **settings)
    shape = made.features["input_ids"].shape
    starts, ends = torch.zeros(shape), torch.zeros(shape)
    for row, mask in enumerate(made.features["attention_mask"].bool()):
        inputs = {"input_ids": made.features["input_ids"][row][mask][None]}
        if kind in ("bert", "trimmed", "xlnet"):
            inputs["token_type_ids"] = made.features["token_type_ids"][row][mask][None]
        with torch.inference_mode():
            output = model(**inputs)
        starts[row, mask], ends[row, mask] = output.start_logits[0], output.end_logits[0]
    expected = rank_answers(starts, ends, made, top_k=3)
    for side, batch_size in (("left", 3), ("right", 32)):
        tokenizer.padding_side = side
        found = answer_questions(
            model, tokenizer, QUESTIONS, CONTEXTS, top_k=3, batch_size=batch_size, **settings
        )
        for ranking, answers, context in zip(expected, found, CONTEXTS, strict=True):
            spans = [(each.start, each.end) for each in answers]
            assert spans == [(each.start, each.end) for each in ranking.candidates]
            scores = [each.score for each in ranking.candidates]
            assert [each.score for each in answers] == pytest.approx(scores, abs=1e-4)
            assert [each.text for each in answers] == [context[slice(*span)] for span in spans]


def test_no_answer_takes_its_place_by_the_threshold() -> None:
    model, tokenizer = make("bert")
    given = (model, tokenizer, QUESTIONS, CONTEXTS)
    never = answer_questions(*given, top_k=9999, max_length=40)
    assert all(answer.text for answers in never for answer in answers)
    assert never[3] == []
    for answers in never[:3]:
        assert sum(each.probability for each in answers[:20]) == pytest.approx(1.0)
    few = answer_questions(*given, top_k=3, max_length=40)
    for answers, more in zip(few, never, strict=True):
        expected = [each.probability for each in more[:3]]
        assert [each.probability for each in answers] == pytest.approx(expected)
    always = answer_questions(*given, null_threshold=-1e9, max_length=40)
    assert [answers[0][:3] for answers in always] == [("", 0, 0)] * 4
    rarely = answer_questions(*given, top_k=9999, null_threshold=1e9, max_length=40)
    assert [answers[-1].text for answers in rarely] == [""] * 4
    assert [[each.text for each in answers[:-1]] for answers in rarely] == [
        [each.text for each in answers] for answers in never
    ]


def test_rows_fit_the_model() -> None:
    model, tokenizer = make("bert")
    tokenizer.model_max_length = 10**30
    assert row_length(model, tokenizer) == 40
    assert answer_questions(model, tokenizer, ["Who?"], [LONG])[0][0].text
    message = "max_length is 41; expected at most 40, the number of the model's positions$"
    with pytest.raises(ValueError, match=message):
        answer_questions(model, tokenizer, ["Who?"], [LONG], max_length=41)
    with pytest.raises(ValueError, match="leaves room for 0 pieces"):
        answer_questions(model, tokenizer, ["Who?", "the " * 50], [LONG] * 2)


def test_a_model_of_one_segment_gets_no_second_one(tmp_path: Path) -> None:
    names = ["input_ids", "attention_mask"]
    for kind, leaves_out in (("trimmed", True), ("distil", True), ("bert", False)):
        model, tokenizer = make(kind)
        model.config.type_vocab_size = 1 if kind == "trimmed" else 2
        leave_out_segments(tokenizer, model)
        assert (tokenizer.model_input_names == names) == leaves_out
        assert ("token_type_ids" not in tokenizer("Who?", "Ada")) == leaves_out
        assert ("token_type_ids" not in encode_questions(tokenizer, ["a"], ["a"])[0]) == leaves_out
        tokenizer.save_pretrained(tmp_path)
        loaded = AutoTokenizer.from_pretrained(tmp_path)
        assert ("token_type_ids" not in loaded("Who?", "Ada")) == leaves_out
    assert "token_type_ids" in make("bert")[1].model_input_names  # that of the class


def test_a_model_with_one_segment_is_given_none() -> None:
    """RoBERTa's configuration has one; its tokenizer may number two."""
    _, tokenizer = make("trimmed")
    config = CONFIGS["trimmed"](max(tokenizer.get_vocab().values()) + 1)
    config.type_vocab_size = 1
    model = AutoModelForQuestionAnswering.from_config(config)
    segments = encode_questions(tokenizer, ["Who?"], [LONG]).features["token_type_ids"]
    assert segments.max() == 1
    assert answer_questions(model, tokenizer, ["Who?"], [LONG])[0][0].text


def test_high_scores_have_probabilities_too() -> None:
    model, tokenizer = make("bert")
    given = (model, tokenizer, QUESTIONS, CONTEXTS)
    expected = answer_questions(*given)
    with torch.no_grad():
        model.qa_outputs.bias += 300  # e to the power of a score is then no number
    for answers, others in zip(answer_questions(*given), expected, strict=True):
        assert [each.score for each in answers] == pytest.approx(
            [each.score + 600 for each in others], abs=1e-3
        )
        assert [each.probability for each in answers] == pytest.approx(
            [each.probability for each in others], abs=1e-3
        )


def test_what_cannot_answer_is_refused() -> None:
    _, tokenizer = make("bert")
    encoder = BertModel(BertConfig(vocab_size=30, **SIZE))
    with pytest.raises(ValueError, match=r"BertModel returns .* AutoModelForQuestionAnswering"):
        answer_questions(encoder, tokenizer, ["Who?"], ["Ada"])
    with pytest.raises(TypeError, match="questions is the string"):
        answer_questions(encoder, tokenizer, "Who?", ["Ada"])
    with pytest.raises(TypeError, match=r"contexts\[0\] is nan; expected a string"):
        answer_questions(encoder, tokenizer, ["Who?"], [float("nan")])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="batch_size is 0"):
        answer_questions(encoder, tokenizer, ["Who?"], ["Ada"], batch_size=0)
