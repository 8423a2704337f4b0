"""Recipes with a checkpoint that differs from the lesson's in all that checkpoints differ in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    RobertaConfig,
)

from bertlesson.lesson import files
from tests.bertlesson.small_tokenizer import make_tokenizer
from tools.run.examples import EXAMPLES

LONG = "Ada was in the Green Owl at Bergen . " * 12  # longer than what the model reads


def write_checkpoint(folder: Path, kind: Any) -> Path:
    """One that was fine-tuned for five classes, in bfloat16, with a single segment.

    Its tokenizer does not say how much the model reads.
    """
    tokenizer = make_tokenizer(10**30)
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=41,  # the first one is that of padding
        type_vocab_size=1,
        pad_token_id=0,
        num_labels=5,
        dtype="bfloat16",
    )
    torch.manual_seed(0)
    model = kind.from_config(config)
    assert model.dtype == torch.bfloat16
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_data(folder: Path, name: str, part: str) -> Path:
    path = folder / f"{part}.{ {'answer': 'json', 'classify': 'csv', 'tag': 'conll'}[name] }"
    if name == "answer":
        files.write_squad(path, 12, seed=1, impossible=0.3)
    elif name == "classify":
        labels = ["good", "bad", "so so"] * 4
        rows = [f"{LONG}{number},{LONG},{label}\n" for number, label in enumerate(labels)]
        path.write_text("".join(["text,pair,label\n", *rows]), "utf-8")
    else:
        tags = dict.fromkeys(LONG.split(), "O") | {"Ada": "B-PER", "Bergen": "B-LOC"}
        sentence = "".join(f"{word} {tags[word]}\n" for word in LONG.split())
        path.write_text(f"{sentence}\n" * 4, "utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["answer", "classify", "tag"])
def test_a_recipe_takes_a_checkpoint_of_any_kind(name: str, tmp_path: Path) -> None:
    kind = AutoModelForTokenClassification if name == "tag" else AutoModelForSequenceClassification
    model = write_checkpoint(tmp_path / "model", kind)
    arguments = ["--model", model, "--out" if name == "tag" else "--output", tmp_path / "out"]
    for part in ("train", "dev", "test"):
        arguments += [f"--{part}", write_data(tmp_path, name, part)]
    if name == "classify":
        arguments += ["--text-pair", "pair"]
    run(name, *arguments, "--epochs", "1")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pack", "compile"])
def test_a_checkpoint_in_half_precision_is_trained_in_single(name: str, tmp_path: Path) -> None:
    model = write_checkpoint(tmp_path / "model", AutoModelForMaskedLM)
    text = tmp_path / "lines.txt"
    text.write_bytes(b"\xef\xbb\xbf" + b"Ada was in the Green Owl .\r\n" * 16)
    own = ["--texts", "8"] if name == "pack" else ["--length", "16", "--backend", "eager"]
    arguments = ["--model", model, "--train", text, "--output", tmp_path / "out", "--steps", "2"]
    run(name, *arguments, *own)
    dtypes = {tensor.dtype for tensor in load_file(tmp_path / "out/model.safetensors").values()}
    assert dtypes == {torch.float32}
    text.write_bytes(b"Ada\ncaf\xe9\n")
    assert f"{text}, line 2: the byte 0xe9 is not UTF-8" in run(name, *arguments, fails=True)


def run(name: str, *arguments: Any, fails: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", *arguments],
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(done.returncode) == fails, done.stderr[-2000:]
    return done.stderr
