#!/usr/bin/env bash
# torchmetrics 1.9.0 (transformers 5.23.0), BERTScore of several texts
#
# Guess: the score of a row compares its prediction with its reference, whatever else is in the
# call.
# Seen: predictions and references are sorted by length before they are encoded, each on their own,
# and then put in order with the indices that sorted them, not with their inverse. Unless these
# indices undo themselves, a row has the texts of others. Which pair, alone in a call, has the score
# of each row, where predictions have 3, 1 and 2 words, and references 1, 2 and 3:
#
#     row 1: prediction 3 with reference 1
#     row 2: prediction 1 with reference 2
#     row 3: prediction 2 with reference 3
#
# Their mean is that of the wrong pairs as well, and nothing is said. A trial with two rows shows
# nothing: they always come out right. Call it with one pair at a time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  torchmetrics==1.9.0 transformers==5.23.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/pairs.py" <<'PYTHON'
import sys

import torch
from torchmetrics.text import BERTScore
from transformers import BertConfig, BertModel, BertTokenizer

folder = sys.argv[1]
torch.manual_seed(0)
pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijkl"]
size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
config = BertConfig(vocab_size=len(pieces), initializer_range=0.3, **size)
BertModel(config).save_pretrained(folder)
BertTokenizer(vocab={p: i for i, p in enumerate(pieces)}).save_pretrained(folder)


def scores(predictions, references):
    metric = BERTScore(folder, num_layers=1, max_length=16, truncation=True)
    return metric(predictions, references)["f1"].reshape(-1)


predictions, references = ["a b c", "d", "e f"], ["g", "h i", "j k l"]
alone = {
    (i, j): scores([prediction], [reference])
    for i, prediction in enumerate(predictions, 1)
    for j, reference in enumerate(references, 1)
}
for row, score in enumerate(scores(predictions, references), 1):
    (pair,) = [p for p, other in alone.items() if abs(other - score) < 1e-5]
    print(f"row {row}: prediction {pair[0]} with reference {pair[1]}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/pairs.py" "$folder/model" 2>/dev/null)
echo "$seen"
[ "$seen" = "row 1: prediction 3 with reference 1
row 2: prediction 1 with reference 2
row 3: prediction 2 with reference 3" ]
