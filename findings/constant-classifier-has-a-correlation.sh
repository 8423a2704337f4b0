#!/usr/bin/env bash
# torchmetrics 1.9.0 (torch 2.13.0) beside scikit-learn 1.9.1, Matthews correlation of two classes
#
# Guess: the metric of CoLA is 0 for a classifier that says the same of every row, as a collapsed training
# does: such an answer goes with nothing. So it is in scikit-learn.
# Seen: where one class is never predicted, the value is that of a limit: the difference of right and wrong
# rows, over a root that grows with the number of rows. It is above 0 if the class that is predicted is the
# larger one, and the more so, the fewer rows there are. 7 of 10 sentences are acceptable:
#
#     10 rows, always acceptable: 0.28, scikit-learn 0.00
#     10 rows, never acceptable: -0.28, scikit-learn 0.00
#     10 rows, always acceptable but once, wrongly: -0.22, scikit-learn -0.22
#     100 rows, always acceptable: 0.09, scikit-learn 0.00
#     10 rows, always acceptable, 3 classes: 0.00, scikit-learn 0.00
#
# Nothing is said. A search by small development sets, or by batches, sees a correlation where there is
# none, and one row that is told apart, wrongly, takes more than it should. Check that both classes are
# predicted, or use MulticlassMatthewsCorrCoef with one class more than there are, as in the last line.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  torchmetrics==1.9.0 torch==2.13.0 scikit-learn==1.9.1 numpy==2.4.6
cat >"$folder/constant.py" <<'PYTHON'
import torch
from sklearn.metrics import matthews_corrcoef
from torchmetrics.classification import BinaryMatthewsCorrCoef, MulticlassMatthewsCorrCoef


def trial(name, rows, answer, changed=0, classes=2):
    truth = (torch.arange(rows) % 10 < 7).long()
    answers = torch.full_like(truth, answer)
    answers[:changed] = 1 - answer
    value = MulticlassMatthewsCorrCoef(classes)(answers, truth)
    if classes == 2:
        assert torch.equal(value, BinaryMatthewsCorrCoef()(answers, truth))
    other = matthews_corrcoef(truth, answers)
    print(f"{rows} rows, {name}: {value:.2f}, scikit-learn {other:.2f}")


trial("always acceptable", 10, 1)
trial("never acceptable", 10, 0)
trial("always acceptable but once, wrongly", 10, 1, changed=1)
trial("always acceptable", 100, 1)
trial("always acceptable, 3 classes", 10, 1, classes=3)
PYTHON
seen=$("$folder/venv/bin/python" -W error "$folder/constant.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = "10 rows, always acceptable: 0.28, scikit-learn 0.00
10 rows, never acceptable: -0.28, scikit-learn 0.00
10 rows, always acceptable but once, wrongly: -0.22, scikit-learn -0.22
100 rows, always acceptable: 0.09, scikit-learn 0.00
10 rows, always acceptable, 3 classes: 0.00, scikit-learn 0.00" ]
