"""From scores to answers in the reader's text: JavaScript finds what the package finds."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from playwright.sync_api import Browser, Page
from safetensors import safe_open
from torch import Tensor
from transformers import BertConfig, BertTokenizer, PreTrainedModel

from bertlesson.answers import decode_answers
from bertlesson.entities import decode_entities
from bertlesson.finetuning import predict
from bertlesson.heads import QuestionAnsweringModel, TokenClassificationModel
from bertlesson.lesson.labelled import entity_examples, question_examples
from bertlesson.spans import Questions, encode_questions
from bertlesson.words import find_words
from tests.bertlesson.small_tokenizer import PIECES, make_tokenizer
from tests.bertlesson.tag_table import REFUSED, TABLE
from tests.bertlesson.test_words import ACCENT, DROPPED, ZERO_WIDTH
from tests.browser.conftest import Host, Reader, run
from tests.conftest import ROOT

STAGES = ("before", "after")
STRANGE = [
    "Zoë spent a naïve Tuesday in MALMÖ, said Nora.",
    "[MASK] met Olga at the [SEP] hotel.",
    "Nora 😀 cheered in Lille 🦆🦆, a splendid library.",
    "東京 is not Delft. Nora\u200bwrote;to (Otto)!",
    "نورا met Otto in Lille",
    "Nora cheered at the Copper Goose, a splendid library in Lille. " * 9,
    "x" * 200,
    "Otto",
    "Otto met Nils\u0301 in Lille\u200b, and  Olga\u00ad",
]


class Tuned(NamedTuple):
    """A published model, in PyTorch, by its stage."""

    models: dict[str, PreTrainedModel]
    tokenizer: BertTokenizer
    labels: list[str]


def read_file(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safe_open(path, "pt") as file:
        state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        return state, json.loads(file.metadata()["model"])


@cache
def load(folder: Path, name: str) -> Tuned:
    state, about = read_file(folder / f"{name}.safetensors")
    pretrained, _ = read_file(folder / "pretrained.safetensors")
    kind = {"entities": TokenClassificationModel, "spans": QuestionAnsweringModel}[name]
    config = BertConfig(**about["config"], num_labels=len(about["labels"]) or 2)
    starting = {
        key: state[f"before.{key}"] if f"before.{key}" in state else pretrained[key]
        for key in kind(config).state_dict()
    }
    tuned = {key: tensor for key, tensor in state.items() if not key.startswith("before.")}
    models = {}
    for stage, weights in zip(STAGES, (starting, tuned), strict=True):
        models[stage] = kind(config)
        models[stage].load_state_dict(weights)
    vocab = {piece: number for number, piece in enumerate(about["vocab"])}
    longest = about["config"]["max_position_embeddings"]
    return Tuned(models, BertTokenizer(vocab=vocab, model_max_length=longest), about["labels"])


@pytest.fixture
def page(reader: Reader) -> Page:
    return reader.open("lesson/fine-tuning.html")


def to_characters(text: str, place: int) -> int:
    """JavaScript counts in units of 16 bits, Python in characters."""
    return len(text.encode("utf-16-le")[: 2 * place].decode("utf-16-le"))


def entities_in_page(page: Page, texts: list[str], stage: str, scores: Any = None) -> list[Any]:
    found = run(page, "decode.entitiesOf", [stage, texts, scores])
    return [
        [(to_characters(text, a), to_characters(text, b), kind) for a, b, kind in each]
        for text, each in zip(texts, found, strict=True)
    ]


@pytest.mark.parametrize(("stage", "count"), [("after", 120), ("before", 40)])
def test_entities_are_those_of_the_package(page: Page, built: Path, stage: str, count: int) -> None:
    tuned = load(built / "downloads", "entities")
    texts = [s.text for s in entity_examples(count, seed=5, split="test")] + STRANGE
    encoded = tuned.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    numbers = predict(tuned.models[stage], encoded)["logits"].argmax(-1).tolist()
    words = [find_words(encoded, row, text) for row, text in enumerate(texts)]
    wanted = [decode_entities(*each, tuned.labels) for each in zip(numbers, words, strict=True)]
    assert sum(map(len, wanted)) > count
    assert entities_in_page(page, texts, stage) == wanted


def test_any_labels_spell_the_same_entities(page: Page, built: Path) -> None:
    """Also those that a trained model hardly gives: an I without a B, or after another kind."""
    tuned = load(built / "downloads", "entities")
    texts = [s.text for s in entity_examples(40, seed=6, split="train")]
    encoded = tuned.tokenizer(texts, padding=True, return_tensors="pt")
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(*encoded["input_ids"].shape, len(tuned.labels), generator=generator)
    numbers = scores.argmax(-1).tolist()
    words = [find_words(encoded, row, text) for row, text in enumerate(texts)]
    wanted = [decode_entities(*each, tuned.labels) for each in zip(numbers, words, strict=True)]
    assert entities_in_page(page, texts, "after", scores.tolist()) == wanted


def encode_first_rows(tuned: Tuned, pairs: list[tuple[str, str]]) -> Questions:
    """As the page reads them: what does not fit into one row is cut off."""
    questions = encode_questions(tuned.tokenizer, *map(list, zip(*pairs, strict=True)))
    first = [questions.example.tolist().index(number) for number in range(len(pairs))]
    features = {name: tensor[first] for name, tensor in questions.features.items()}
    return Questions(features, torch.arange(len(pairs)), questions.characters[first])


def check_answers(found: list[Any], pairs: list[tuple[str, str]], logits: Any, rows: Any) -> None:
    """The same spans, the same decisions, and the scores that led to them."""
    spans = decode_answers(**logits, questions=rows)
    decisions = decode_answers(**logits, questions=rows, null_threshold=0)
    none = (logits["start_logits"] + logits["end_logits"])[:, 0].tolist()
    for number, (answer, (_, context)) in enumerate(zip(found, pairs, strict=True)):
        start, end = (to_characters(context, place) for place in answer["places"])
        assert (start, end) == spans[number], pairs[number]
        assert answer["answered"] == (decisions[number] is not None), pairs[number]
        assert answer["none"] == pytest.approx(none[number], abs=1e-3)


@pytest.mark.parametrize(("stage", "count"), [("after", 120), ("before", 40)])
def test_answers_are_those_of_the_package(page: Page, built: Path, stage: str, count: int) -> None:
    tuned = load(built / "downloads", "spans")
    examples = question_examples(count, seed=5, split="test", impossible=0.4)
    pairs = [(example.question, example.context) for example in examples]
    pairs += [("Who met Olga?", text) for text in STRANGE]
    rows = encode_first_rows(tuned, pairs)
    logits = predict(tuned.models[stage], rows.features)
    found = run(page, "decode.answersOf", [stage, pairs, None])
    check_answers(found, pairs, logits, rows)
    if stage == "after":
        answered = [answer["answered"] for answer in found[:count]]
        assert count * 0.3 < sum(answered) < count * 0.9


def test_any_scores_give_the_same_answers(page: Page, built: Path) -> None:
    """Also where the best start and end lie too far apart, or the end before the start."""
    tuned = load(built / "downloads", "spans")
    examples = question_examples(40, seed=6, split="train")
    pairs = [(example.question, 3 * (example.context + " ")) for example in examples]
    rows = encode_first_rows(tuned, pairs)
    generator = torch.Generator().manual_seed(0)
    shape = rows.features["input_ids"].shape
    logits = {
        name: torch.randn(shape, generator=generator) for name in ("start_logits", "end_logits")
    }
    logits["start_logits"][:20, 16:20] += 5  # near the context's begin, and
    logits["end_logits"][:20, -5:] += 5  # near its end: more than 30 pieces apart
    logits["start_logits"][30:, 0] += 5  # and "no answer" for some
    given = [
        {"start": start, "end": end}
        for start, end in zip(
            logits["start_logits"].tolist(), logits["end_logits"].tolist(), strict=True
        )
    ]
    found = run(page, "decode.answersOf", ["after", pairs, given])
    check_answers(found, pairs, logits, rows)
    assert {answer["answered"] for answer in found} == {True, False}


# Without a model, and without a built site


@pytest.fixture
def sources(chromium: Browser) -> Iterator[Page]:
    """A page of the host that has the modules as they stand in docs/."""
    host = Host(ROOT / "docs")
    reader = Reader(chromium, host)
    yield reader.open("assets/bert/decode.js")
    reader.close()
    host.stop()


def test_tags_are_read_as_the_package_reads_them(sources: Page) -> None:
    """One table for both, see tests/test_entities.py: hyphens in kinds, IOBES and other schemes."""
    found = run(sources, "decode.entitiesOfTags", [tags.split() for tags, _ in TABLE])
    assert found == [entities for _, entities in TABLE]


def test_labels_of_no_scheme_are_refused(sources: Page) -> None:
    messages = run(sources, "decode.messagesOn", REFUSED)
    assert messages == [f'The label "{label}" fits no scheme' for label in REFUSED]


def test_words_have_all_of_their_characters_as_in_the_package(sources: Page) -> None:
    """Also those that the tokenizer drops behind a word, such as an accent by itself."""
    rng = random.Random(0)
    strange = ["\ufffd", "\x1c", "\x0b", "\x85", "\ufeff", "\U000e0001", "\ue000", "\u3000"]
    parts = [*DROPPED, *strange, ACCENT, ZERO_WIDTH, "Gretalof", "Éire", "東", "[MASK]", ",", "😀"]
    texts = ["", f"Jose{ACCENT} was", "Ada  was"]
    texts += [
        "".join(rng.choice(parts) + rng.choice(["", " ", "  "]) for _ in range(rng.randint(1, 9)))
        for _ in range(500)
    ]
    found = run(sources, "decode.wordsOf", [PIECES, texts])
    encoded = make_tokenizer(9999)(texts)
    for row, (text, words) in enumerate(zip(texts, found, strict=True)):
        wanted = [list(word) for word in find_words(encoded, row, text)]
        places = [[at, to_characters(text, a), to_characters(text, b)] for at, a, b in words]
        assert places == wanted, repr(text)
