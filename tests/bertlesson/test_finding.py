"""One call with a model: the same as the pipeline's on short texts, and nothing lost on long."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
import torch
from transformers import (
    BertConfig,
    BertForTokenClassification,
    DistilBertConfig,
    DistilBertForTokenClassification,
    RobertaConfig,
    RobertaForTokenClassification,
    pipeline,
)

from bertlesson.finding import find_entities, predict_tags
from bertlesson.heads import TokenClassificationModel
from tests.bertlesson.small_tokenizer import LABELS, PIECES, make_foreign_tokenizer, make_tokenizer

NAMES = {"id2label": dict(enumerate(LABELS)), "num_labels": len(LABELS)}
SIZE = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8}
TEXTS = ["Ada was in Bergen.", "", "Who was at the Green Owl, Greta?", "Gretalof in Delft", " "]


def bert(kind: Any = BertForTokenClassification, length: int = 64) -> Any:
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(PIECES),
        max_position_embeddings=length,
        initializer_range=1.0,
        **SIZE,
        **NAMES,
    )
    return kind(config)


def words_alone(model: Any) -> Any:
    """The model with labels that depend on each word alone, whatever is around it."""
    with torch.no_grad():
        for layer in model.bert.encoder.layer:
            layer.attention.output.dense.weight.zero_()
        model.bert.embeddings.position_embeddings.weight.zero_()
    return model


@pytest.mark.parametrize("kind", [BertForTokenClassification, TokenClassificationModel])
def test_entities_are_those_of_the_pipeline(kind: Any) -> None:
    model, tokenizer = bert(kind), make_tokenizer()
    found = find_entities(model, tokenizer, TEXTS, batch_size=2)
    # the pipeline checks the class's name, and knows only those of transformers
    same = BertForTokenClassification(model.config)
    same.load_state_dict(model.state_dict())
    same.eval()  # the pipeline leaves it as it is
    pipe = pipeline("token-classification", same, tokenizer=tokenizer, aggregation_strategy="first")
    for text, entities in zip(TEXTS, found, strict=True):
        theirs = pipe(text) if text.strip() else []
        assert [each[:3] for each in entities] == [
            (each["start"], each["end"], each["entity_group"]) for each in theirs
        ]
        assert [each.score for each in entities] == pytest.approx(
            [each["score"] for each in theirs]
        )
    assert sum(map(len, found)) > 5


def test_an_accent_may_be_a_character_of_its_own() -> None:
    model, tokenizer = bert(), make_tokenizer()
    composed, apart = "Ad\u00e1 w\u00e1s in B\u00e9rgen.", "Ada\u0301 wa\u0301s in Be\u0301rgen."
    first, second = find_entities(model, tokenizer, [composed, apart])
    assert [unicodedata.normalize("NFC", apart[e.start : e.end]) for e in second] == [
        composed[e.start : e.end] for e in first
    ]
    assert [e[2:] for e in second] == [e[2:] for e in first]
    assert len(first) > 1


def test_long_texts_give_what_their_sentences_give() -> None:
    model, tokenizer = words_alone(bert()), make_tokenizer()
    alone = find_entities(model, tokenizer, [f"{TEXTS[0]} "])[0]
    assert alone
    count, size = 60, len(TEXTS[0]) + 1
    (found,) = find_entities(model, tokenizer, [f"{TEXTS[0]} " * count])
    kept = [each for each in found if each.end <= size]
    moved = [
        e._replace(start=e.start + size * n, end=e.end + size * n)
        for n in range(count)
        for e in alone
    ]
    letters = [set(range(e.start, e.end)) for e in found]
    assert set().union(*letters) == set().union(*(range(e.start, e.end) for e in moved))
    assert kept[0].score == pytest.approx(alone[0].score, abs=1e-5)


def test_words_get_a_tag_each_however_long_the_sentence() -> None:
    model, tokenizer = words_alone(bert()), make_tokenizer()
    words = ["Ada", "was", "in", "Gretalof's", "\u200b", "Green-Owl"]
    (tags,) = predict_tags(model, tokenizer, [words])
    assert tags[4] == "O"
    assert len({*tags}) > 1
    assert predict_tags(model, tokenizer, [words * 50, words[:1], []]) == [tags * 50, tags[:1], []]


@pytest.mark.parametrize("function", [find_entities, predict_tags])
def test_rows_are_as_long_and_overlap_as_wanted(function: Any) -> None:
    model, tokenizer = bert(), make_tokenizer()
    words = ["Ada", "was"] * 20
    given: Any = [" ".join(words)] if function is find_entities else [words]
    read: list[tuple[int, int]] = []
    model.register_forward_pre_hook(
        lambda _, __, named: read.append(tuple(named["input_ids"].shape)), with_kwargs=True
    )
    for settings in ({}, {"max_length": 12}, {"max_length": 12, "stride": 8}):
        function(model, tokenizer, given, **settings)
    # 40 words; a row of 10 of them shares 2, or 8, with the next
    assert read == [(1, 42), (5, 12), (16, 12)]


def test_other_encoders_and_their_tokenizers_work() -> None:
    roberta = RobertaForTokenClassification(
        RobertaConfig(vocab_size=400, max_position_embeddings=34, pad_token_id=0, **SIZE, **NAMES)
    )
    distilbert = DistilBertForTokenClassification(
        DistilBertConfig(
            vocab_size=400,
            dim=16,
            n_heads=2,
            n_layers=1,
            hidden_dim=8,
            max_position_embeddings=32,
            **NAMES,
        )
    )
    for model in (roberta, distilbert):
        for kind in ("byte-level", "trimmed", "metaspace", "xlnet"):
            tokenizer = make_foreign_tokenizer(
                kind, 10**30, model_input_names=["input_ids", "attention_mask"]
            )
            text = " ".join(TEXTS) * 9
            for start, end, label, score in find_entities(model, tokenizer, [text])[0]:
                assert text[start:end] == text[start:end].strip() != ""
                assert label in ("PER", "LOC", "ORG")
                assert 0 < score <= 1


def test_texts_that_can_be_read_only_once_are_all_read() -> None:
    model, tokenizer = bert(), make_tokenizer()
    expected = find_entities(model, tokenizer, TEXTS)
    assert find_entities(model, tokenizer, iter(TEXTS)) == expected  # type: ignore[arg-type]
    sentences = [text.split() for text in TEXTS]
    tags = predict_tags(model, tokenizer, sentences)
    assert predict_tags(model, tokenizer, iter(sentences)) == tags  # type: ignore[arg-type]


def test_what_is_wrong_is_said() -> None:
    model, tokenizer = bert(), make_tokenizer()
    with pytest.raises(TypeError, match="texts is the string 'Ada'; expected a list"):
        find_entities(model, tokenizer, "Ada")
    with pytest.raises(TypeError, match="expected texts: for words, predict_tags"):
        find_entities(model, tokenizer, [["Ada"]])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"texts\[1\] is nan; expected a string"):
        find_entities(model, tokenizer, ["Ada", float("nan")])  # type: ignore[list-item]
    message = "^sentences has a string; expected lists of words: for texts, find_entities$"
    with pytest.raises(TypeError, match=message):
        predict_tags(model, tokenizer, ["Ada"])
    with pytest.raises(ValueError, match="batch_size is 0"):
        find_entities(model, tokenizer, ["Ada"], batch_size=0)
    model.config.id2label = {0: "LABEL_0", 1: "LABEL_1"}
    with pytest.raises(ValueError, match=r"labels are \['LABEL_0', 'LABEL_1'\]; expected O and"):
        find_entities(model, tokenizer, ["Ada"])
    small = bert(length=64)
    small.resize_token_embeddings(8)
    with pytest.raises(ValueError, match=r"input_ids go from .* use the model's own tokenizer"):
        find_entities(small, tokenizer, ["Ada"])
    broken = bert()
    broken.classifier.bias.data.fill_(float("nan"))
    with pytest.raises(ValueError, match="scores are NaN in 1 of 1 rows"):
        find_entities(broken, tokenizer, ["Ada"])
    assert find_entities(bert(), tokenizer, []) == predict_tags(bert(), tokenizer, []) == []
