"""The file for the page: what is in it, that it is the same in every process, and that it runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import (
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertTokenizer,
    PreTrainedModel,
)

from bertlesson.heads import (
    MaskedLMModel,
    QuestionAnsweringModel,
    SequenceClassificationModel,
    TokenClassificationModel,
)
from bertlesson.lesson.export import half_state, round_to_half, write_model
from bertlesson.pretraining import PretrainingModel
from tests.bertlesson.small_bert import VOCAB, random_inputs, small_config
from tests.conftest import ROOT

PAIRS = [
    (PretrainingModel, BertForPreTraining),
    (SequenceClassificationModel, BertForSequenceClassification),
    (TokenClassificationModel, BertForTokenClassification),
    (QuestionAnsweringModel, BertForQuestionAnswering),
]
TIED = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}
TOO_LARGE = "expected numbers up to 65504, the largest in half precision"
NOT_TIED = (
    "expected one weight under both names, because the file stores it once and its reader uses it "
    "for both: set config.tie_word_embeddings=True"
)
MOST_LINES = 22  # of code at once on the page


def tokenizer() -> BertTokenizer:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = special + [f"w{number}" for number in range(VOCAB - len(special))]
    return BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})


def new(kind: Any, seed: int = 0) -> PreTrainedModel:
    torch.manual_seed(seed)
    made: PreTrainedModel = kind(small_config(num_labels=2)).eval()
    return made


def metadata(path: Path) -> dict[str, Any]:
    with safe_open(path, "pt") as file:
        assert list(file.metadata()) == ["model"]
        found: dict[str, Any] = json.loads(file.metadata()["model"])
    return found


# What is in the file


@pytest.mark.parametrize("kind", [kind for kind, _ in PAIRS])
def test_each_weight_is_in_it_once_under_its_own_name_in_half_precision(
    kind: Any, tmp_path: Path
) -> None:
    model = new(kind)
    write_model(tmp_path / "model.safetensors", model, tokenizer())
    written = load_file(tmp_path / "model.safetensors")
    state = model.state_dict()
    assert set(written) == set(state) - TIED
    assert {tensor.dtype for tensor in written.values()} == {torch.float16}
    for name, tensor in written.items():
        assert torch.equal(tensor, state[name].half()), name


def test_the_header_says_what_a_reader_of_the_file_needs(tmp_path: Path) -> None:
    model, words = new(TokenClassificationModel), tokenizer()
    write_model(tmp_path / "model.safetensors", model, words, labels=("no", "yes"))
    about = metadata(tmp_path / "model.safetensors")
    assert about["labels"] == ["no", "yes"]
    assert about["vocab"] == words.convert_ids_to_tokens(range(len(words)))
    config = model.config.to_dict()
    assert about["config"] == {name: config[name] for name in about["config"]}
    assert {"num_attention_heads", "num_hidden_layers", "layer_norm_eps"} <= set(about["config"])


def test_the_checksum_is_of_the_whole_file(tmp_path: Path) -> None:
    model, path = new(TokenClassificationModel), tmp_path / "model.safetensors"
    write_model(path, model, tokenizer(), labels=("no", "00000000"))
    assert metadata(path)["labels"] == ["no", "00000000"], "its place alone is filled in"
    content, written = path.read_bytes(), metadata(path)["crc32"]
    before, after = content.split(written.encode(), 1)
    assert written == f"{zlib.crc32(before + b'00000000' + after):08x}"
    assert 8 < len(before) < 92  # where the page looks for it


def test_the_head_before_fine_tuning_comes_along_and_not_its_encoder(tmp_path: Path) -> None:
    after, before = (new(SequenceClassificationModel, seed) for seed in (1, 2))
    write_model(tmp_path / "model.safetensors", after, tokenizer(), before=before)
    written = load_file(tmp_path / "model.safetensors")
    heads = {name for name in written if name.startswith("before.")}
    assert heads == {"before.classifier.weight", "before.classifier.bias"}
    assert torch.equal(written["before.classifier.weight"], before.classifier.weight.half())
    assert not torch.equal(written["before.classifier.weight"], written["classifier.weight"])


# It is sound


@pytest.mark.parametrize(("kind", "theirs"), PAIRS)
def test_the_classes_of_transformers_read_it_and_give_the_same(
    kind: Any, theirs: Any, tmp_path: Path
) -> None:
    model = new(kind)
    write_model(tmp_path / "model.safetensors", model, tokenizer())
    state = {n: t.float() for n, t in load_file(tmp_path / "model.safetensors").items()}
    other = theirs(model.config).eval()
    missing, unexpected = other.load_state_dict(state, strict=False)
    assert set(missing) <= TIED
    assert unexpected == []
    other.tie_weights()
    inputs = random_inputs(3, 9)
    with torch.inference_mode():
        theirs_before = first_scores(other(**inputs))
        assert not torch.equal(first_scores(model(**inputs)), theirs_before)  # not yet rounded
        round_to_half(model)
        torch.testing.assert_close(first_scores(model(**inputs)), theirs_before)


def first_scores(output: Any) -> torch.Tensor:
    for name in ("prediction_logits", "logits", "start_logits"):
        if (scores := output.get(name)) is not None:
            assert isinstance(scores, torch.Tensor)
            return scores
    raise AssertionError(f"no scores among {list(output)}")


def test_rounding_twice_changes_nothing_more_and_keeps_the_dtype() -> None:
    model = new(PretrainingModel)
    round_to_half(model)
    once = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    round_to_half(model)
    assert all(torch.equal(once[name], t) for name, t in model.state_dict().items())
    assert {tensor.dtype for tensor in once.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("weight", "said"),
    [(7e4, "70000"), (-1e9, "1e+09"), (float("inf"), "inf"), (float("nan"), "nan")],
)
def test_a_weight_that_half_precision_cannot_hold_is_refused_by_name(
    weight: float, said: str, tmp_path: Path
) -> None:
    model = new(SequenceClassificationModel)
    with torch.no_grad():
        model.classifier.weight[1, 2] = weight
    for use in (
        half_state,
        round_to_half,
        lambda model: write_model(tmp_path / "model.safetensors", model, tokenizer()),
    ):
        with pytest.raises(
            ValueError, match=re.escape(f"classifier.weight holds {said}; {TOO_LARGE}") + "$"
        ):
            use(model)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [PretrainingModel, MaskedLMModel, BertForPreTraining])
def test_an_untied_decoder_which_the_file_has_no_room_for_is_refused(
    kind: Any, tmp_path: Path
) -> None:
    untied = kind(small_config(tie_word_embeddings=False))
    half_way = kind(small_config())
    decoder = half_way.get_output_embeddings()
    decoder.bias = torch.nn.Parameter(decoder.bias.detach() + 1)
    for model, name in ((untied, "weight"), (half_way, "bias")):
        for use in (
            half_state,
            round_to_half,
            lambda model: write_model(tmp_path / "model.safetensors", model, tokenizer()),
        ):
            with pytest.raises(
                ValueError,
                match=rf"^cls.predictions.decoder\.{name} is not tied to .*; {NOT_TIED}$",
            ):
                use(model)
    assert list(tmp_path.iterdir()) == []


WRITE = """
import sys, torch
from bertlesson.lesson.export import write_model
from bertlesson.heads import SequenceClassificationModel
from tests.bertlesson.lesson.test_export import new, tokenizer
after, before = (new(SequenceClassificationModel, seed) for seed in (1, 2))
write_model(sys.argv[1], after, tokenizer(), labels=["no", "yes"], before=before)
"""


@pytest.mark.slow
def test_the_bytes_are_the_same_in_every_process(tmp_path: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(tmp_path / seed)],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
            cwd=tmp_path,
        )
        for seed in ("1", "2")
    ]
    assert [process.wait() for process in running] == [0, 0]
    first, second = ((tmp_path / seed).read_bytes() for seed in ("1", "2"))
    assert first == second


# The page that walks through it


def test_the_page_shows_no_more_than_a_screen_of_code_at_once() -> None:
    page = (ROOT / "docs" / "deeper" / "browser.md").read_text("utf-8")
    shown = re.findall(r'^--8<-- "(docs/assets/bert/\w+\.js):([\w-]+)"$', page, re.M)
    assert len(shown) == page.count("```js ")
    for path, section in shown:
        source = (ROOT / path).read_text("utf-8")
        begin, end = (source.index(f"--8<-- [{mark}:{section}]") for mark in ("start", "end"))
        assert 5 < len(source[begin:end].splitlines()) - 2 <= MOST_LINES, section
