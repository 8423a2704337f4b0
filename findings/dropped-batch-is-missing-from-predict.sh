#!/usr/bin/env bash
# transformers 5.23.0, Trainer.predict and evaluate with dataloader_drop_last=True
#
# Guess: the setting keeps the batches of a training to one shape. Where rows are predicted or
# measured, none is left out.
# Seen: it applies to every loader. predict returns fewer predictions than there are rows, and
# evaluate measures fewer, although what it reports counts them all. Ten rows in batches of four:
#
#     training, 1 epoch: 2 steps
#     predict: 8 predictions
#     evaluate: loss of 8 rows, 10 rows by samples per second
#
# With an evaluation set smaller than a batch nothing is measured at all. Predict with a Trainer
# whose dataloader_drop_last is False.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  transformers==5.23.0 torch==2.13.0 accelerate==1.15.0 numpy==2.4.6
cat >"$folder/dropped.py" <<'PYTHON'
import sys

import torch
from transformers import BertConfig, BertForMaskedLM, Trainer, TrainingArguments

torch.manual_seed(0)
size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
model = BertForMaskedLM(BertConfig(vocab_size=20, initializer_range=0.5, **size))
rows = [{"input_ids": [2, 5 + i, 4, 3], "labels": [-100, -100, 6 + i, -100]} for i in range(10)]
settings = TrainingArguments(
    sys.argv[1],
    dataloader_drop_last=True,
    per_device_train_batch_size=4,
    per_device_eval_batch_size=4,
    num_train_epochs=1,
    save_strategy="no",
    use_cpu=True,
    report_to=[],
    disable_tqdm=True,
)


def say(text):
    print(f"seen: {text}", file=sys.stderr)


trainer = Trainer(model, settings, train_dataset=rows, eval_dataset=rows)
say(f"training, 1 epoch: {trainer.train().global_step} steps")
say(f"predict: {len(trainer.predict(rows).predictions)} predictions")
measured = trainer.evaluate()
batch = {key: torch.tensor([row[key] for row in rows]) for key in rows[0]}
with torch.no_grad():
    losses = {n: model(**{k: v[:n] for k, v in batch.items()}).loss.item() for n in (8, 10)}
of = [n for n, loss in losses.items() if abs(loss - measured["eval_loss"]) < 1e-3]
counted = measured["eval_samples_per_second"] * measured["eval_runtime"]
say(f"evaluate: loss of {of[0]} rows, {counted:.0f} rows by samples per second")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/dropped.py" "$folder/out" 2>&1 >/dev/null |
    sed -n 's/^seen: //p')
echo "$seen"
[ "$seen" = "training, 1 epoch: 2 steps
predict: 8 predictions
evaluate: loss of 8 rows, 10 rows by samples per second" ]
