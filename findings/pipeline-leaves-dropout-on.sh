#!/usr/bin/env bash
# transformers 5.23.0, pipeline(model=...) and Trainer.train
#
# Guess: a pipeline is for prediction, so it switches the model it is given to eval mode.
# Seen: it leaves the mode as it is. After Trainer.train the model is in training mode, unless it
# was evaluated at the very end, so a pipeline around it drops out units and gives other scores at
# each call, without a warning:
#
#     after train: training mode True
#     in the pipeline: training mode True
#     same scores in two calls: False
#     same scores after model.eval(): True
#
# So call model.eval() before pipeline(model=model), or save the model and give its folder.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    transformers==5.23.0 torch==2.13.0 accelerate==1.15.0
cat >"$folder/dropout.py" <<'PYTHON'
import sys

from transformers import (
    BertConfig,
    BertForTokenClassification,
    BertTokenizer,
    Trainer,
    TrainingArguments,
    pipeline,
)

pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] ada was".split()
tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
model = BertForTokenClassification(BertConfig(vocab_size=len(pieces), **size))
rows = [{"input_ids": [2, 5, 6, 3], "labels": [-100, 1, 0, -100]}] * 4
settings = TrainingArguments(
    sys.argv[1], max_steps=2, use_cpu=True, report_to=[], disable_tqdm=True, save_strategy="no"
)
Trainer(model, settings, train_dataset=rows).train()
print("after train: training mode", model.training, file=sys.stderr)
find = pipeline("token-classification", model, tokenizer=tokenizer)
print("in the pipeline: training mode", model.training, file=sys.stderr)


def same():
    first, second = ([word["score"] for word in find("ada was")] for _ in range(2))
    return first == second


print("same scores in two calls:", same(), file=sys.stderr)
model.eval()
print("same scores after model.eval():", same(), file=sys.stderr)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/dropout.py" "$folder/out" 2>&1 >/dev/null |
    grep -E "training mode|same scores")
echo "$seen"
[ "$seen" = "after train: training mode True
in the pipeline: training mode True
same scores in two calls: False
same scores after model.eval(): True" ]
