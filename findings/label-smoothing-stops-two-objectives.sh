#!/usr/bin/env bash
# transformers 5.23.0: Trainer(label_smoothing_factor=0.1) with BertForPreTraining
#
# Guess: the labels of MLM are smoothed and NSP's loss is added as before, or a message says that
# smoothing knows one objective only.
# Seen: the Trainer takes "labels" out of the batch and smooths output["logits"]. This model calls
# them prediction_logits, so the first step stops with a bare KeyError. NSP's labels stay behind
# in the batch, and without "labels" the model computes neither loss:
#
#     smoothing 0.0: loss is MLM's and NSP's: True
#     smoothing 0.1: KeyError: 'logits'
#     the model without labels of MLM: loss None
#
# So smooth in the model, where both losses are known.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  transformers==5.23.0 torch==2.13.0 accelerate==1.15.0 numpy
cat >"$folder/smoothing.py" <<'PYTHON'
import sys

import torch
from torch.nn.functional import cross_entropy
from transformers import BertConfig, BertForPreTraining, Trainer, TrainingArguments

torch.manual_seed(0)
config = BertConfig(
    vocab_size=30,
    hidden_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=16,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
model = BertForPreTraining(config)
input_ids = torch.randint(5, 30, (8, 6))
labels = torch.full_like(input_ids, -100)
labels[:, 2] = input_ids[:, 2]
batch = {"input_ids": input_ids, "labels": labels, "next_sentence_label": torch.arange(8) % 2}
output = model(input_ids)
both = cross_entropy(output.prediction_logits.flatten(0, 1), labels.flatten())
both += cross_entropy(output.seq_relationship_logits, batch["next_sentence_label"])
for smoothing in (0.0, 0.1):
    settings = TrainingArguments(
        sys.argv[1], label_smoothing_factor=smoothing, report_to=[], use_cpu=True
    )
    try:
        loss = Trainer(model, settings).compute_loss(model, dict(batch))
        print(f"smoothing {smoothing}: loss is MLM's and NSP's: {torch.allclose(loss, both)}")
    except KeyError as error:
        print(f"smoothing {smoothing}: KeyError: {error}")
del batch["labels"]
print("the model without labels of MLM: loss", model(**batch).loss)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/smoothing.py" "$folder/out" 2>/dev/null)
echo "$seen"
[ "$seen" = "smoothing 0.0: loss is MLM's and NSP's: True
smoothing 0.1: KeyError: 'logits'
the model without labels of MLM: loss None" ]
