#!/usr/bin/env bash
# transformers 5.23.0 (torch 2.13.0), ModernBertModel
#
# Guess: a mask of shape (batch, 1, length, length) that allows every pair changes nothing, since in
# its local layers the model still limits attention to its window.
# Seen: the mask replaces the window. The model's local layers read the whole row, with no message:
#
#     no mask, as pretrained
#     ones for each token: the same
#     ones for each pair: another model
#     a dict with a window: the same
#
# So texts packed into one row with a block mask train a ModernBERT without local attention. Pass
# {"full_attention": ..., "sliding_attention": ...}, each for pairs of positions, or use flash
# attention with cu_seq_lens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 \
    transformers==5.23.0 numpy==2.4.6
cat >"$folder/window.py" <<'PYTHON'
import torch
from transformers import ModernBertConfig, ModernBertModel

torch.manual_seed(0)
config = ModernBertConfig(
    vocab_size=50,
    hidden_size=32,
    intermediate_size=64,
    num_attention_heads=2,
    num_hidden_layers=3,
    local_attention=4,
    initializer_range=0.3,
    pad_token_id=0,
    bos_token_id=1,
    eos_token_id=2,
    cls_token_id=1,
    sep_token_id=2,
)
model = ModernBertModel(config).eval()
ids = torch.randint(5, 50, (1, 12))
pairs = torch.ones(1, 1, 12, 12, dtype=torch.bool)
near = (torch.arange(12)[:, None] - torch.arange(12)).abs() <= config.sliding_window
both = {"full_attention": pairs, "sliding_attention": pairs & near}
with torch.no_grad():
    alone = model(ids).last_hidden_state
    print("no mask, as pretrained")
    masks = {"ones for each token": torch.ones_like(ids), "ones for each pair": pairs}
    for name, mask in (masks | {"a dict with a window": both}).items():
        off = (model(ids, mask).last_hidden_state - alone).abs().max()
        print(f"{name}: {'the same' if off < 1e-4 else 'another model'}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/window.py" 2>"$folder/log" || { cat "$folder/log" >&2; exit 1; })
echo "$seen"
[ "$seen" = 'no mask, as pretrained
ones for each token: the same
ones for each pair: another model
a dict with a window: the same' ]
