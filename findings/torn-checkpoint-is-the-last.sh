#!/usr/bin/env bash
# transformers 5.23.0, Trainer.train(resume_from_checkpoint=True)
#
# Guess: a checkpoint that was being written when its process was killed is passed over, and the
# training goes on from the one before.
# Seen: get_last_checkpoint goes by the folders' names. The torn one, here without trainer_state.json,
# which is written last, is taken, and the run stops, although a whole one is beside it:
#
#     last: checkpoint-2
#     resumed: FileNotFoundError
#
# So look for trainer_state.json before resuming, and keep two checkpoints or more.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    transformers==5.23.0 torch==2.13.0 accelerate==1.15.0
cat >"$folder/torn.py" <<'PYTHON'
import sys
from pathlib import Path

from transformers import BertConfig, BertForMaskedLM, Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

folder = Path(sys.argv[1])
size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
rows = [{"input_ids": [2, 5, 4, 3], "labels": [-100, -100, 6, -100]}] * 8


def trainer():
    settings = TrainingArguments(
        str(folder),
        save_steps=1,
        max_steps=2,
        per_device_train_batch_size=4,
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
    )
    return Trainer(BertForMaskedLM(BertConfig(vocab_size=20, **size)), settings, train_dataset=rows)


trainer().train()
(folder / "checkpoint-2" / "trainer_state.json").unlink()
print("last:", Path(get_last_checkpoint(folder)).name, file=sys.stderr)
try:
    trainer().train(resume_from_checkpoint=True)
    print("resumed: yes", file=sys.stderr)
except Exception as error:
    print("resumed:", type(error).__name__, file=sys.stderr)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/torn.py" "$folder/out" 2>&1 >/dev/null |
    grep -E "^(last|resumed):")
echo "$seen"
[ "$seen" = "last: checkpoint-2
resumed: FileNotFoundError" ]
