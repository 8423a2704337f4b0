#!/usr/bin/env bash
# seqeval 1.2.2, f1_score(mode="strict") and classification_report(mode="strict")
#
# Guess: with mode="strict" both read tags strictly. Without a scheme they detect it, or refuse.
# Seen: classification_report detects the scheme; f1_score (like precision_score and recall_score)
# reads leniently, without a warning. A prediction in which a name begins with I-, right by the
# lenient reading and wrong by the strict one:
#
#     f1_score, strict: 1.00
#     classification_report, strict: 0.67
#     f1_score, strict, IOB2: 0.67
#
# So pass scheme=IOB2 (or the one in use) whenever mode="strict" is passed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check seqeval==1.2.2
cat >"$folder/strict.py" <<'PYTHON'
from seqeval.metrics import classification_report, f1_score
from seqeval.scheme import IOB2

truth = [["B-PER", "I-PER", "O"], ["B-LOC", "O"]]
predicted = [["B-PER", "I-PER", "O"], ["I-LOC", "O"]]
report = classification_report(truth, predicted, mode="strict", output_dict=True)
print(f"f1_score, strict: {f1_score(truth, predicted, mode='strict'):.2f}")
print(f"classification_report, strict: {report['micro avg']['f1-score']:.2f}")
print(f"f1_score, strict, IOB2: {f1_score(truth, predicted, mode='strict', scheme=IOB2):.2f}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/strict.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "f1_score, strict: 1.00
classification_report, strict: 0.67
f1_score, strict, IOB2: 0.67" ]
