#!/usr/bin/env bash
# transformers 5.23.0, BertForQuestionAnswering, start_positions and end_positions
#
# Guess: -100 keeps a window without an answer out of the loss, as it does for labels, and as the
# documentation has it: positions outside of the sequence are not taken into account.
# Seen: positions are clamped first, so that anything negative becomes 0, and the window teaches
# [CLS], which means "no answer". Only a position past the end is left out. A row of five tokens:
#
#     -100: as 0
#     -1: as 0
#     5: left out
#     100: left out
#
# So mark a window that is to be left out with its length, or drop the row.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  transformers==5.23.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/positions.py" <<'PYTHON'
import torch
from transformers import BertConfig, BertForQuestionAnswering

torch.manual_seed(0)
size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
model = BertForQuestionAnswering(BertConfig(vocab_size=20, initializer_range=0.5, **size)).eval()
answered, window = torch.randint(5, 20, (1, 5)), torch.randint(5, 20, (1, 5))
two_rows = torch.cat([answered, window])


@torch.no_grad()
def loss(rows, *positions):
    spans = {f"{end}_positions": torch.tensor(positions) for end in ("start", "end")}
    return model(rows, **spans).loss


meanings = {"as 0": loss(two_rows, 2, 0), "left out": loss(answered, 2)}
for position in (-100, -1, 5, 100):
    got = loss(two_rows, 2, position)
    print(f"{position}:", *[name for name, known in meanings.items() if got.allclose(known)])
PYTHON
seen=$("$folder/venv/bin/python" "$folder/positions.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "-100: as 0
-1: as 0
5: left out
100: left out" ]
