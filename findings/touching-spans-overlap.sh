#!/usr/bin/env bash
# nervaluate 1.2.1, Evaluator with loader="dict"
#
# Guess: spans of characters are read as pipelines, spaCy and most data sets write them, where `end`
# is the first character that is outside. Two spans that touch have nothing in common.
# Seen: `end` counts as inside. A span that begins where another ends overlaps it, which is a partial
# match, and a whole one by ent_type. In Chinese and Japanese, names and other words touch, since no
# space is between them. The entity is at 0 to 2, and elsewhere one was predicted. F1:
#
#     2 to 4, touches: partial 0.50, ent_type 1.00, exact 0.00
#     3 to 5, one between: partial 0.00, ent_type 0.00, exact 0.00
#     2 to 4, end - 1 in both: partial 0.00, ent_type 0.00, exact 0.00
#     as IOB tags of characters: partial 0.00, ent_type 0.00, exact 0.00
#
# Nothing is said. Subtract 1 from every `end`, in what is true and in what is predicted.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile nervaluate==1.2.1
cat >"$folder/spans.py" <<'PYTHON'
from nervaluate import Evaluator


def span(start, end):
    return [[{"label": "PER", "start": start, "end": end}]]


def report(name, true, predicted, loader="dict"):
    overall = Evaluator(true, predicted, tags=["PER"], loader=loader).evaluate()["overall"]
    scores = [f"{kind} {overall[kind].f1:.2f}" for kind in ("partial", "ent_type", "exact")]
    print(f"{name}: {', '.join(scores)}")


report("2 to 4, touches", span(0, 2), span(2, 4))
report("3 to 5, one between", span(0, 2), span(3, 5))
report("2 to 4, end - 1 in both", span(0, 1), span(2, 3))
true = [["B-PER", "I-PER", "O", "O"]]
predicted = [["O", "O", "B-PER", "I-PER"]]
report("as IOB tags of characters", true, predicted, loader="list")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/spans.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = "2 to 4, touches: partial 0.50, ent_type 1.00, exact 0.00
3 to 5, one between: partial 0.00, ent_type 0.00, exact 0.00
2 to 4, end - 1 in both: partial 0.00, ent_type 0.00, exact 0.00
as IOB tags of characters: partial 0.00, ent_type 0.00, exact 0.00" ]
[ ! -s "$folder/log" ]
