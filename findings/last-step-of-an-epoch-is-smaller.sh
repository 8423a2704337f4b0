#!/usr/bin/env bash
# accelerate 1.15.0 and lightning 2.6.6 (transformers 5.24.0, torch 2.13.0), accumulated gradients
#
# Guess: where an epoch ends in the middle of an accumulation, the last step has the mean of the batches
# that it has, as the others do.
# Seen: each batch is divided by the number that is set, before it is known how many there are. The last
# step of an epoch takes a sum of fewer, so that its gradient is smaller. Batches whose gradient is 1,
# 4 accumulated, in an epoch of 8 and in one of 9:
#
#     accelerate, 8 batches: 1.00 1.00
#     accelerate, 9 batches: 1.00 1.00 0.25
#     lightning, 8 batches: 1.00 1.00
#     lightning, 9 batches: 1.00 1.00 0.25
#     Trainer of transformers, 9 batches: 1.00 1.00 1.00
#
# Rows of that step count less, the clipping passes it, and the scheduler takes a step all the same. In
# a small data set, of 3 batches and 4 to accumulate, every step is of this kind. Nothing is said. Set
# drop_last and a number of rows that is a multiple, or multiply that step's gradient yourself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  accelerate==1.15.0 lightning==2.6.6 transformers==5.24.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/epoch.py" <<'PYTHON'
import sys

import torch
from accelerate import Accelerator
from lightning import LightningModule
from lightning import Trainer as LightningTrainer
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerCallback, TrainingArguments


class Model(LightningModule):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, rows):
        return {"loss": (self.weight * rows).mean()}

    def training_step(self, batch, index):
        return self(**batch)["loss"]

    def on_before_optimizer_step(self, optimizer):
        gradients.append(self.weight.grad.item())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)


class Watch(TrainerCallback):
    def on_pre_optimizer_step(self, args, state, control, model, **kwargs):
        gradients.append(model.weight.grad.item())


def with_accelerate(rows):
    accelerator = Accelerator(gradient_accumulation_steps=4, cpu=True)
    model = Model()
    parts = model, model.configure_optimizers(), DataLoader(rows, batch_size=1)
    model, optimizer, loader = accelerator.prepare(*parts)
    for batch in loader:
        with accelerator.accumulate(model):
            accelerator.backward(model(**batch)["loss"])
            if accelerator.sync_gradients:
                gradients.append(model.weight.grad.item())
            optimizer.step()
            optimizer.zero_grad()


def with_lightning(rows):
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = LightningTrainer(
        max_epochs=1, accumulate_grad_batches=4, accelerator="cpu", **quiet
    )
    trainer.fit(Model(), DataLoader(rows, batch_size=1))


def with_transformers(rows):
    arguments = TrainingArguments(
        sys.argv[1],
        num_train_epochs=1,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=4,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    Trainer(Model(), arguments, train_dataset=rows, callbacks=[Watch()]).train()


for name, epoch, sizes in (
    ("accelerate", with_accelerate, (8, 9)),
    ("lightning", with_lightning, (8, 9)),
    ("Trainer of transformers", with_transformers, (9,)),
):
    for size in sizes:
        gradients = []
        epoch([{"rows": torch.ones(1)} for _ in range(size)])
        print(f"seen: {name}, {size} batches:", *(f"{gradient:.2f}" for gradient in gradients))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/epoch.py" "$folder/out" 2>"$folder/log" | sed -n 's/^seen: //p')
echo "$seen"
[ "$seen" = "accelerate, 8 batches: 1.00 1.00
accelerate, 9 batches: 1.00 1.00 0.25
lightning, 8 batches: 1.00 1.00
lightning, 9 batches: 1.00 1.00 0.25
Trainer of transformers, 9 batches: 1.00 1.00 1.00" ]
