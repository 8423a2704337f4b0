"""Recipes with a checkpoint that differs from the lesson's in all that checkpoints differ in."""

from __future__ import annotations

import ast
import json
import math
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
    ModernBertConfig,
    ModernBertForMaskedLM,
    RobertaConfig,
)

from bertlesson.lesson import files
from tests.bertlesson.small_tokenizer import make_foreign_tokenizer, make_tokenizer
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
    assert f"{text}, line 2: the byte 0xe9 is not UTF-8" in run(name, *arguments, *own, fails=True)


@pytest.mark.slow
def test_questions_that_all_have_an_answer_are_answered(tmp_path: Path) -> None:
    """Files of version 1.1, whose script has other names for its scores."""
    model = write_checkpoint(tmp_path / "model", AutoModelForSequenceClassification)
    data = tmp_path / "train.json"
    files.write_squad(data, 12, seed=1, impossible=0)
    own = ["--model", model, "--train", data, "--dev", data, "--output", tmp_path / "out"]
    run("answer", *own, "--epochs", "1")
    answers = json.loads((tmp_path / "out/predictions.json").read_text("utf-8"))
    assert all(answers.values())


@pytest.mark.slow
def test_words_in_json_may_have_any_scheme_spaces_and_sentences_without_a_word(
    tmp_path: Path,
) -> None:
    model = write_checkpoint(tmp_path / "model", AutoModelForTokenClassification)
    words = {
        "tokens": ["Ada", "Greta", "in", "Green Owl"],
        "tags": ["B-PER", "E-PER", "O", "S-LOC"],
    }
    rows = [*[words] * 6, {"tokens": [], "tags": []}, words]
    data = tmp_path / "words.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    own = ["--model", model, "--train", data, "--dev", data, "--test", data]
    run("tag", *own, "--out", tmp_path / "out", "--epochs", "1")
    saved = (tmp_path / "out/best/test.conll").read_text("utf-8").strip().split("\n\n")
    assert len(saved) == 7
    assert [line.split()[:2] for line in saved[0].split("\n")] == [
        ["Ada", "B-PER"],
        ["Greta", "I-PER"],
        ["in", "O"],
        ["Green_Owl", "B-LOC"],
    ]


@pytest.mark.slow
def test_text_from_the_web_can_be_pretrained_on(tmp_path: Path) -> None:
    text = tmp_path / "web.txt"
    documents = [
        "\u0e01" * 200 + " no full stop",  # longer than a row
        "\u200b",  # no piece at all
        "We met [CLS] there. \ufe0f And [MASK] too. It went on.",
        *[f"Document {n} is here. It has a second sentence. A third one, too." for n in range(9)],
    ]
    text.write_text("\n\n".join(documents), "utf-8")
    own = ["--train", text, "--ends", "blank line", "--output", tmp_path / "out"]
    size = ["--vocabulary", "120", "--length", "32", "--layers", "1", "--width", "64"]
    run("pretrain", *own, *size, "--steps", "2", "--batch-size", "4")


@pytest.mark.slow
def test_packed_rows_of_modernbert_have_two_masks(tmp_path: Path) -> None:
    tokenizer = make_tokenizer(64)
    size = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    special = dict.fromkeys(("bos_token_id", "cls_token_id"), tokenizer.cls_token_id)
    special |= dict.fromkeys(("eos_token_id", "sep_token_id"), tokenizer.sep_token_id)
    config = ModernBertConfig(
        vocab_size=len(tokenizer), intermediate_size=32, pad_token_id=0, **size, **special
    )
    ModernBertForMaskedLM(config).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    text = tmp_path / "lines.txt"
    text.write_text("".join("Ada was in the Green Owl . " * (1 + n % 4) + "\n" for n in range(32)))
    own = ["--model", tmp_path / "model", "--train", text, "--output", tmp_path / "out"]
    run("pack", *own, "--texts", "16", "--steps", "2")


@pytest.mark.slow
def test_no_recipe_leaves_text_out_of_long_lines_or_takes_blank_ones(tmp_path: Path) -> None:
    model = write_checkpoint(tmp_path / "model", AutoModelForMaskedLM)  # reads 40 tokens
    text = tmp_path / "lines.txt"
    text.write_text(f"{LONG}\n \n\n" * 8)
    tokens = len(make_tokenizer(10**30)(LONG, add_special_tokens=False)["input_ids"])
    batches = math.ceil(tokens / (40 - 2)) * 8 // 4
    own = ["--model", model, "--train", text]
    steps = run("resume", *own, "--output", tmp_path / "run", "--epochs", "1")
    assert f"{batches}/{batches}" in steps
    said = run("pieces", *own, output=True)
    assert "nan" not in said
    said = run("compile", *own, "--length", "64", fails=True)
    assert "--length is 64; expected at most 40" in said


@pytest.mark.slow
def test_dropout_is_on_while_a_compiled_model_is_trained(tmp_path: Path) -> None:
    model = write_checkpoint(tmp_path / "model", AutoModelForMaskedLM)
    text = tmp_path / "lines.txt"
    text.write_text("Ada was in the Green Owl .\n" * 16)
    seen = tmp_path / "seen"
    watch = (
        "import atexit, runpy, sys, torch\n"
        "given = set()\n"
        "own = torch.nn.functional.dropout\n"
        "def dropout(values, p=0.5, training=True, inplace=False):\n"
        "    given.add((training, p))\n"
        "    return own(values, p, training, inplace)\n"
        "torch.nn.functional.dropout = dropout\n"
        f"atexit.register(lambda: open({str(seen)!r}, 'w').write(repr(sorted(given))))\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    arguments = ["--model", model, "--train", text, "--length", "16", "--steps", "1"]
    command = [sys.executable, "-c", watch, EXAMPLES / "compile.py", *arguments]
    subprocess.run([*command, "--backend", "eager"], check=True, capture_output=True)
    given = ast.literal_eval(seen.read_text())
    assert {(False, 0.1), (True, 0.1)} <= {*given}
    assert (True, 0.0) not in given


@pytest.mark.slow
def test_rows_alone_are_built_for_a_tokenizer_of_another_kind(tmp_path: Path) -> None:
    tokenizer = make_foreign_tokenizer("byte-level", mask_token="[MASK]")
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    text = tmp_path / "text.txt"
    text.write_text("Ada was in the Green Owl .\n\n" * 16)
    own = ["--tokenizer", tmp_path / "tokenizer", "--train", text, "--ends", "blank line"]
    said = run("scale", *own, "--output", tmp_path / "built", "--length", "16", output=True)
    assert "no pairs: no piece begins with ##" in said
    assert sorted(path.name for path in (tmp_path / "built").iterdir()) == ["rows"]


def run(name: str, *arguments: Any, fails: bool = False, output: bool = False) -> str:
    """What it says on standard error, or on standard output."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", *arguments],
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(done.returncode) == fails, done.stderr[-2000:]
    return done.stdout if output else done.stderr
