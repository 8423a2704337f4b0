#!/usr/bin/env bash
# transformers 5.23.0, Trainer with eval_strategy="epoch" and resume_from_checkpoint
#
# Guess: Trainer saves the state of torch's generator with each checkpoint, so a run that is resumed
# from one ends with the weights of a run that nobody stopped, evaluated or not.
# Seen: not from the checkpoint of an epoch's last step. It is saved before the evaluation of the
# epoch, whose loader then draws a seed from the same generator. The resumed run does not evaluate
# again, so its dropout draws other numbers. Without evaluations the weights are the same:
#
#     eval_strategy no: same weights True
#     eval_strategy epoch: same weights False
#
# Evaluate and save by steps, both at the same ones: then the checkpoint is saved after the evaluation.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    transformers==5.23.0 torch==2.13.0 accelerate==1.15.0
cat >"$folder/resume.py" <<'PYTHON'
import sys

import torch
from transformers import BertConfig, BertForMaskedLM, Trainer, TrainingArguments

size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
rows = [{"input_ids": [2, 5 + i, 4, 3], "labels": [-100, -100, 6, -100]} for i in range(8)]


def trained(folder, evaluate, checkpoint=None):
    torch.manual_seed(0)
    settings = TrainingArguments(
        folder,
        eval_strategy=evaluate,
        save_steps=1,
        num_train_epochs=2,
        per_device_train_batch_size=4,
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
    )
    model = BertForMaskedLM(BertConfig(vocab_size=20, **size))
    trainer = Trainer(model, settings, train_dataset=rows, eval_dataset=rows)
    trainer.train(resume_from_checkpoint=checkpoint)
    return [weight.clone() for weight in model.state_dict().values()]


for evaluate in ("no", "epoch"):
    folder = f"{sys.argv[1]}/{evaluate}"
    whole = trained(folder, evaluate)
    resumed = trained(folder, evaluate, f"{folder}/checkpoint-2")  # of 4; an epoch has 2 steps
    same = all(map(torch.equal, whole, resumed))
    print(f"eval_strategy {evaluate}: same weights", same, file=sys.stderr)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/resume.py" "$folder/out" 2>&1 >/dev/null |
    grep "same weights")
echo "$seen"
[ "$seen" = "eval_strategy no: same weights True
eval_strategy epoch: same weights False" ]
