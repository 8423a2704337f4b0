#!/usr/bin/env bash
# seqeval 1.2.2, f1_score with BILOU tags
#
# Guess: BILOU is among the schemes that it names, so f1_score reads U as an entity of one word and
# L as the end of one.
# Seen: it does so with mode="strict" and scheme=BILOU alone. By default U and L continue whatever
# is there, so that neighbouring entities of one kind are one. It says only that "U-PER seems not to
# be NE tag". Three people taken for one person are a perfect prediction:
#
#     default: 1.00
#     strict, BILOU: 0.00
#
# So convert BILOU to IOBES (L to E, U to S) first, or pass mode="strict" and scheme=BILOU.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check seqeval==1.2.2
cat >"$folder/bilou.py" <<'PYTHON'
from seqeval.metrics import f1_score
from seqeval.scheme import BILOU

three, one = [["U-PER", "U-PER", "U-PER"]], [["B-PER", "I-PER", "L-PER"]]
print(f"default: {f1_score(three, one):.2f}")
print(f"strict, BILOU: {f1_score(three, one, mode='strict', scheme=BILOU):.2f}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/bilou.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "default: 1.00
strict, BILOU: 0.00" ]
