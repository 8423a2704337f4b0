#!/usr/bin/env bash
# transformers 5.23.0 (torch 2.13.0), BertModel with a mask for each pair of positions
#
# Guess: a mask of shape (batch, 1, length, length) means the same under each attention: a boolean
# one is converted for eager attention, as a mask of shape (batch, length) is, or refused.
# Seen: it is passed on as it is. SDPA reads it as "may read", eager attention adds it to the scores,
# True as 1 and False as 0, with no error. Two texts in one row, against the same texts alone:
#
#     sdpa, boolean: right
#     sdpa, additive: right
#     eager, boolean: wrong
#     eager, additive: right
#
# So a packed batch that is right under SDPA lets its texts read each other under eager attention,
# for instance after set_attn_implementation("eager") to look at the attentions. Give eager attention
# 0 and the lowest float.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 \
    transformers==5.23.0 numpy==2.4.6
cat >"$folder/mask.py" <<'PYTHON'
import torch
from transformers import BertConfig, BertModel

torch.manual_seed(0)
size = {"hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2}
model = BertModel(BertConfig(vocab_size=50, initializer_range=0.3, **size)).eval()
first, second = torch.randint(50, (1, 9)), torch.randint(50, (1, 7))
row = torch.cat([first, second], dim=1)
positions = torch.cat([torch.arange(9), torch.arange(7)])[None]
text = torch.tensor([0] * 9 + [1] * 7)
boolean = (text[:, None] == text)[None, None]  # (1, 1, length, length)
additive = torch.zeros(boolean.shape).masked_fill(~boolean, torch.finfo(torch.float32).min)
with torch.no_grad():
    for attention in ("sdpa", "eager"):
        model.set_attn_implementation(attention)
        alone = torch.cat([model(ids).last_hidden_state for ids in (first, second)], dim=1)
        for kind, mask in {"boolean": boolean, "additive": additive}.items():
            packed = model(row, mask, position_ids=positions).last_hidden_state
            off = (packed - alone).abs().max()
            print(f"{attention}, {kind}: {'right' if off < 1e-4 else 'wrong'}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/mask.py" 2>"$folder/log" || { cat "$folder/log" >&2; exit 1; })
echo "$seen"
[ "$seen" = 'sdpa, boolean: right
sdpa, additive: right
eager, boolean: wrong
eager, additive: right' ]
