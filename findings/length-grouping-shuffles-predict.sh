#!/usr/bin/env bash
# transformers 5.23.0, Trainer.predict with train_sampling_strategy="group_by_length"
#
# Guess: the strategy is about the loader of the training, as its name and its documentation say,
# and predict returns a prediction for each row in the order of the rows.
# Seen: predict and evaluate draw the rows with the same kind of sampler. Predictions and label_ids
# are in its order, which is returned nowhere, with no warning. Five rows whose labels are their
# numbers:
#
#     random: [0, 1, 2, 3, 4]
#     sequential: [0, 1, 2, 3, 4]
#     group_by_length: [1, 2, 3, 0, 4]
#
# Metrics that compare predictions with label_ids stay right. A file of predictions does not, nor
# does the answer of a text that was cut into windows. Predict with a Trainer that has another
# strategy.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  transformers==5.23.0 torch==2.13.0 accelerate==1.15.0 numpy==2.4.6
cat >"$folder/order.py" <<'PYTHON'
import sys

from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] good".split()
tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
model = BertForSequenceClassification(BertConfig(vocab_size=len(pieces), num_labels=5, **size))
lengths = (1, 6, 2, 4, 5)
rows = [{"input_ids": [2] + [5] * length + [3], "labels": i} for i, length in enumerate(lengths)]
for strategy in ("random", "sequential", "group_by_length"):
    settings = TrainingArguments(
        sys.argv[1],
        train_sampling_strategy=strategy,
        per_device_eval_batch_size=2,
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
    )
    trainer = Trainer(model, settings, data_collator=DataCollatorWithPadding(tokenizer))
    print(f"{strategy}: {trainer.predict(rows).label_ids.tolist()}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/order.py" "$folder/out" 2>/dev/null)
echo "$seen"
[ "$seen" = "random: [0, 1, 2, 3, 4]
sequential: [0, 1, 2, 3, 4]
group_by_length: [1, 2, 3, 0, 4]" ]
