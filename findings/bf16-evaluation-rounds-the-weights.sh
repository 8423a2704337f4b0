#!/usr/bin/env bash
# transformers 5.23.0, Trainer.evaluate with bf16_full_eval=True
#
# Guess: it computes in bfloat16 during evaluation only, as its documentation says, and afterwards
# the model is what it was.
# Seen: evaluate and predict convert the model itself, and nothing converts it back. The weights
# stay rounded: save_model writes them so, and a training that comes after is one in bfloat16. (The
# evaluations of a training that is under way convert nothing.)
#
#     evaluated while training: float32
#     evaluated afterwards: bfloat16
#     saved after that: bfloat16
#     evaluated first, then trained: bfloat16
#
# So save the model before its last evaluation, and measure the starting point with another Trainer
# and a copy of the model.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  transformers==5.23.0 torch==2.13.0 accelerate==1.15.0 numpy==2.4.6
cat >"$folder/rounded.py" <<'PYTHON'
import sys

from safetensors.torch import load_file
from transformers import BertConfig, BertForMaskedLM, Trainer, TrainingArguments

folder = sys.argv[1]
size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
rows = [{"input_ids": [2, 5, 4, 3], "labels": [-100, -100, 6, -100]}] * 8
settings = TrainingArguments(
    folder,
    bf16_full_eval=True,
    eval_strategy="steps",
    eval_steps=1,
    max_steps=2,
    save_strategy="no",
    use_cpu=True,
    report_to=[],
    disable_tqdm=True,
)


def new():
    model = BertForMaskedLM(BertConfig(vocab_size=20, **size))
    return Trainer(model, settings, train_dataset=rows, eval_dataset=rows)


def report(name, tensor):
    print(f"{name}: {str(tensor.dtype).removeprefix('torch.')}", file=sys.stderr)


trainer = new()
trainer.train()
report("evaluated while training", trainer.model.cls.predictions.bias)
trainer.evaluate()
report("evaluated afterwards", trainer.model.cls.predictions.bias)
trainer.save_model(folder)
report("saved after that", load_file(f"{folder}/model.safetensors")["cls.predictions.bias"])
trainer = new()
trainer.evaluate()
trainer.train()
report("evaluated first, then trained", trainer.model.cls.predictions.bias)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/rounded.py" "$folder/out" 2>&1 >/dev/null |
    grep -E "float(16|32)$")
echo "$seen"
[ "$seen" = "evaluated while training: float32
evaluated afterwards: bfloat16
saved after that: bfloat16
evaluated first, then trained: bfloat16" ]
