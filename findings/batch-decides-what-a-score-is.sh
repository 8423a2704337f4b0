#!/usr/bin/env bash
# torchmetrics 1.9.0 (torch 2.13.0), binary and multilabel metrics that are given logits
#
# Guess: logits are recognised, as the documentation says, and what is measured does not depend on the
# size of the batches. The metric keeps counts or scores of all of them.
# Seen: each call of update looks at its own batch alone. Where all scores of a batch lie between 0 and 1,
# they are taken for probabilities, and no sigmoid is applied. So a logit of 0.3 is a yes in one batch and
# a no in another, and AUROC compares logits with probabilities. 200 logits of a classifier, and 200 rows
# of 3 labels, in batches of 200, 4, 2 and 1:
#
#     BinaryAccuracy: 0.615 0.600 0.600 0.595
#     BinaryF1Score: 0.597 0.565 0.500 0.409
#     BinaryAUROC: 0.651 0.628 0.599 0.561
#     MultilabelF1Score: 0.599 0.599 0.598 0.590
#     BinaryF1Score, sigmoid applied before: 0.597 0.597 0.597 0.597
#
# Nothing is said. A last batch of one row is such a batch, too. Apply the sigmoid before update.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  torchmetrics==1.9.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/batches.py" <<'PYTHON'
import torch
from torchmetrics.classification import (
    BinaryAccuracy,
    BinaryAUROC,
    BinaryF1Score,
    MultilabelF1Score,
)

torch.manual_seed(0)
logits = torch.randn(200) * 0.8
truth = (torch.rand(200) < logits.sigmoid()).long()
rows = torch.randn(200, 3) * 0.8
labels = (torch.rand(200, 3) < rows.sigmoid()).long()


def measured(name, metric, scores, truth):
    values = []
    for size in (200, 4, 2, 1):
        metric.reset()
        for batch in zip(scores.split(size), truth.split(size)):
            metric.update(*batch)
        values.append(f"{metric.compute():.3f}")
    print(f"{name}:", *values)


measured("BinaryAccuracy", BinaryAccuracy(), logits, truth)
measured("BinaryF1Score", BinaryF1Score(), logits, truth)
measured("BinaryAUROC", BinaryAUROC(), logits, truth)
measured("MultilabelF1Score", MultilabelF1Score(3), rows, labels)
measured("BinaryF1Score, sigmoid applied before", BinaryF1Score(), logits.sigmoid(), truth)
PYTHON
seen=$("$folder/venv/bin/python" -W error "$folder/batches.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = "BinaryAccuracy: 0.615 0.600 0.600 0.595
BinaryF1Score: 0.597 0.565 0.500 0.409
BinaryAUROC: 0.651 0.628 0.599 0.561
MultilabelF1Score: 0.599 0.599 0.598 0.590
BinaryF1Score, sigmoid applied before: 0.597 0.597 0.597 0.597" ]
