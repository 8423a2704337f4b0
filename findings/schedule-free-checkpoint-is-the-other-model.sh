#!/usr/bin/env bash
# transformers 5.23.0, Trainer with optim="schedule_free_adamw" (schedulefree 1.4.1)
#
# Guess: the optimizer keeps two sets of weights, one to train with and one to predict with.
# Trainer knows that, and saves what it evaluates.
# Seen: it sets the weights to predict with for an evaluation only. A checkpoint, and the model after
# training, hold the others, unless an evaluation came just before. Is the loss of what was saved the
# one that evaluate reports?
#
#     checkpoint, no evaluation during training: no
#     checkpoint at a step that was evaluated: yes
#     save_model after train: no
#     save_model after train and evaluate: yes
#
# Nothing is said. Evaluate at each step that saves, and once more before save_model.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  transformers==5.23.0 torch==2.13.0 accelerate==1.15.0 schedulefree==1.4.1 numpy==2.4.6
cat >"$folder/saved.py" <<'PYTHON'
import sys

import torch
from transformers import BertConfig, BertForMaskedLM, Trainer, TrainingArguments

folder = sys.argv[1]
size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
torch.manual_seed(0)
ids = torch.randint(5, 30, (32, 8))
rows = [{"input_ids": row, "labels": row} for row in ids]


def loss_of(saved):
    model = BertForMaskedLM.from_pretrained(saved).eval()
    with torch.no_grad():
        return model(ids, labels=ids).loss.item()


def same(saved, measured):
    return "yes" if abs(loss_of(saved) - measured) < 1e-4 else "no"


def trained(name, **settings):
    arguments = TrainingArguments(
        f"{folder}/{name}",
        optim="schedule_free_adamw",
        lr_scheduler_type="constant",
        learning_rate=5e-3,
        max_steps=40,
        save_steps=40,
        per_device_eval_batch_size=32,
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        **settings,
    )
    model = BertForMaskedLM(BertConfig(vocab_size=30, **size))
    trainer = Trainer(model, arguments, train_dataset=rows, eval_dataset=rows)
    trainer.train()
    return trainer


trainer = trained("plain", logging_strategy="no")
trainer.save_model(f"{folder}/before")
measured = trainer.evaluate()["eval_loss"]
trainer.save_model(f"{folder}/after")
checkpoint = f"{folder}/plain/checkpoint-40"
found = {"checkpoint, no evaluation during training": same(checkpoint, measured)}
evaluated = trained("evaluated", eval_strategy="steps", eval_steps=40)
found["checkpoint at a step that was evaluated"] = same(
    f"{folder}/evaluated/checkpoint-40", evaluated.evaluate()["eval_loss"]
)
found["save_model after train"] = same(f"{folder}/before", measured)
found["save_model after train and evaluate"] = same(f"{folder}/after", measured)
for name, answer in found.items():
    print(f"seen {name}: {answer}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/saved.py" "$folder" 2>/dev/null | sed -n 's/^seen //p')
echo "$seen"
[ "$seen" = "checkpoint, no evaluation during training: no
checkpoint at a step that was evaluated: yes
save_model after train: no
save_model after train and evaluate: yes" ]
