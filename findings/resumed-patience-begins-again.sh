#!/usr/bin/env bash
# transformers 5.23.0 (torch 2.13.0), EarlyStoppingCallback and resume_from_checkpoint
#
# Guess: trainer_state.json in a checkpoint holds the callback's counter, so a run that is resumed
# stops at the evaluation at which a run that nobody stopped does.
# Seen: the counter is saved, and not loaded. A resumed run has all its patience again, so one that is
# interrupted often enough never stops early. Patience 3, an evaluation every second step, each worse
# than the first:
#
#     nobody stopped it: ends at step 8
#     resumed at step 6: ends at step 12
#     resumed at steps 4, 8 and 12: ends at step 18
#     restored, resumed at step 6: ends at step 8
#     restored, resumed at step 6 with patience 5: ends at step 8
#
# Nothing is said. The last two have restore_callback_states_from_checkpoint=True, which is off unless
# set. The patience is then that of the checkpoint, whatever the callback is made with.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  transformers==5.23.0 torch==2.13.0 accelerate==1.15.0 numpy==2.4.6
cat >"$folder/patience.py" <<'PYTHON'
import sys

from transformers import (
    BertConfig,
    BertForSequenceClassification,
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()
sizes = dict(hidden_size=4, num_hidden_layers=1, num_attention_heads=1, intermediate_size=4)
config = BertConfig(vocab_size=9, **sizes)
rows = [{"input_ids": [2, 5 + n % 4, 3], "labels": n % 2} for n in range(8)]


class StopAt(TrainerCallback):
    """A run that is interrupted after a checkpoint."""

    def __init__(self, step):
        self.step = step

    def on_save(self, args, state, control, **kwargs):
        control.should_training_stop |= state.global_step == self.step


def train(folder, begin=None, end=None, patience=3, **settings):
    def score(prediction):  # falls with each step
        return {"score": 1 - trainer.state.global_step / 100}

    trainer = Trainer(
        BertForSequenceClassification(config),
        TrainingArguments(
            folder,
            max_steps=24,
            per_device_train_batch_size=4,
            eval_strategy="steps",
            eval_steps=2,
            save_steps=2,
            load_best_model_at_end=True,
            metric_for_best_model="score",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            **settings,
        ),
        train_dataset=rows,
        eval_dataset=rows,
        compute_metrics=score,
        callbacks=[EarlyStoppingCallback(patience), StopAt(end)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=f"{folder}/checkpoint-{begin}" if begin else None)
    return f"ends at step {trainer.state.global_step}"


root = sys.argv[1]
print("nobody stopped it:", train(f"{root}/whole"))
train(f"{root}/once", end=6)
print("resumed at step 6:", train(f"{root}/once", begin=6))
for begin, end in ((None, 4), (4, 8), (8, 12)):
    train(f"{root}/often", begin, end)
print("resumed at steps 4, 8 and 12:", train(f"{root}/often", 12))
restored = {"restore_callback_states_from_checkpoint": True}
train(f"{root}/restored", end=6)
for name, patience in {"": 3, " with patience 5": 5}.items():
    ended = train(f"{root}/restored", begin=6, patience=patience, **restored)
    print(f"restored, resumed at step 6{name}:", ended)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/patience.py" "$folder/runs" 2>"$folder/log")
echo "$seen"
[ "$seen" = "nobody stopped it: ends at step 8
resumed at step 6: ends at step 12
resumed at steps 4, 8 and 12: ends at step 18
restored, resumed at step 6: ends at step 8
restored, resumed at step 6 with patience 5: ends at step 8" ]
