#!/usr/bin/env bash
# lightning 2.6.6 (torch 2.13.0), ModelCheckpoint(monitor="val_loss", every_n_train_steps=...)
#
# Guess: the best checkpoint is the model that had the best validation, where both come after the same
# number of steps. Where they do not, it waits for the next validation, or warns.
# Seen: the checkpoint of a step is saved before the validation of that step, with the score of the one
# before. It waits only where there is none yet, and at the end of an epoch. So the best model is one that
# was trained further than the best score. An epoch of 22 steps, a validation at every 4th:
#
#     validations: 4 1.27, 8 0.17, 12 0.00, 16 0.13, 20 0.32
#     every_n_train_steps=4: best score 0.00, of the model of step 16, which has 0.13
#     every_n_train_steps=6: best score 0.13, of the model of step 18, which has 0.22
#     without it: best score 0.00, of the model of step 12, which has 0.00
#
# best_model_score, and a val_loss in the file name, are those of another model, and nothing is said.
# Leave every_n_train_steps out: with val_check_interval it saves after each validation.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  lightning==2.6.6 torch==2.13.0 numpy==2.4.6
cat >"$folder/best.py" <<'PYTHON'
import sys
import warnings

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader


def loss_of(weight):
    return 10 * (weight - 0.7) ** 2


class Model(LightningModule):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.validations = []

    def training_step(self, batch, index):
        return (self.weight - batch).pow(2).mean()

    def validation_step(self, batch, index):
        loss = loss_of(self.weight.item())
        self.log("val_loss", loss)
        self.validations.append(f"{self.global_step} {loss:.2f}")

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.05)


def trial(name, **options):
    model = Model()
    checkpoint = ModelCheckpoint(f"{sys.argv[1]}/{name}", monitor="val_loss", **options)
    trainer = Trainer(
        max_epochs=1,
        val_check_interval=4,
        num_sanity_val_steps=0,
        accelerator="cpu",
        callbacks=[checkpoint],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, DataLoader(torch.ones(22, 1)), DataLoader(torch.ones(1, 1)))
    if not seen:
        seen.append("validations: " + ", ".join(model.validations))
    saved = torch.load(checkpoint.best_model_path)
    own = loss_of(saved["state_dict"]["weight"].item())
    score, step = checkpoint.best_model_score, saved["global_step"]
    seen.append(
        f"{name}: best score {score:.2f}, of the model of step {step}, which has {own:.2f}"
    )


seen = []
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    trial("every_n_train_steps=4", every_n_train_steps=4)
    trial("every_n_train_steps=6", every_n_train_steps=6)
    trial("without it")
assert not [warning for warning in caught if "monitor" in str(warning.message)]
print("\n".join(f"seen: {line}" for line in seen))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/best.py" "$folder/out" 2>"$folder/log" | sed -n 's/^seen: //p')
echo "$seen"
[ "$seen" = "validations: 4 1.27, 8 0.17, 12 0.00, 16 0.13, 20 0.32
every_n_train_steps=4: best score 0.00, of the model of step 16, which has 0.13
every_n_train_steps=6: best score 0.13, of the model of step 18, which has 0.22
without it: best score 0.00, of the model of step 12, which has 0.00" ]
