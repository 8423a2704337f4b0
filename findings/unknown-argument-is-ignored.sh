#!/usr/bin/env bash
# transformers 5.23.0 (torch 2.13.0), BertModel.forward with an argument that it does not have
#
# Guess: a mistyped argument is a TypeError. So is head_mask, if version 5 has no head masks any
# more, or it still switches heads off.
# Seen: forward takes any name and passes it on to layers that never read it. Nothing is said. A
# study that switches heads off finds that none of them matters, and a mask under another name
# leaves the padding to be read:
#
#     attention_mask: other output
#     attention_masks: same output as without
#     attn_mask: same output as without
#     head_mask, all heads off: same output as without
#     weights of all heads at 0: other output
#
# So compare the names with inspect.signature(model.forward) before a run, and switch a head off by
# the columns of attention.output.dense.weight that read it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  transformers==5.23.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/names.py" <<'PYTHON'
import torch
from transformers import BertConfig, BertModel

torch.manual_seed(0)
size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}
config = BertConfig(vocab_size=30, initializer_range=0.5, **size)
model = BertModel(config).eval()
ids = torch.tensor([[2, 7, 8, 3, 0, 0]])
mask = (ids != 0).long()
arguments = {
    "attention_mask": {"attention_mask": mask},
    "attention_masks": {"attention_masks": mask},
    "attn_mask": {"attn_mask": mask},
    "head_mask, all heads off": {"head_mask": torch.zeros(2, 2)},
}
with torch.no_grad():
    without = model(ids).last_hidden_state
    for name, given in arguments.items():
        same = torch.equal(model(ids, **given).last_hidden_state, without)
        print(f"{name}: {'same output as without' if same else 'other output'}")
    for layer in model.encoder.layer:
        layer.attention.output.dense.weight.zero_()
    same = torch.equal(model(ids).last_hidden_state, without)
    print("weights of all heads at 0:", "same output as without" if same else "other output")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/names.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = "attention_mask: other output
attention_masks: same output as without
attn_mask: same output as without
head_mask, all heads off: same output as without
weights of all heads at 0: other output" ]
if grep -E "head_mask|attn_mask|attention_masks" "$folder/log"; then
    echo "It says something about it now." >&2
    exit 1
fi
