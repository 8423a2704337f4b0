#!/usr/bin/env bash
# torch 2.13.0, torch.utils.flop_counter.FlopCounterMode
#
# Guess: the counter gives an encoder the same operations on every device, since it counts by shape.
# Seen: it counts none at all for scaled_dot_product_attention on a CPU, forward or backward, with a
# mask or without. On the meta device it counts them, and written out as two matrix products they
# are counted on both:
#
#     fused, cpu: 0
#     fused, meta: 4194304
#     written out, cpu: 4194304
#     written out, meta: 4194304
#
# So a count made on a CPU leaves out attention, with no warning: at 512 tokens a row, about a tenth
# of a forward pass of BERT base. Count on the meta device, or, in transformers, with
# attn_implementation="eager".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat >"$folder/count.py" <<'PYTHON'
import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.flop_counter import FlopCounterMode


def written_out(query, key, value):
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    return scores.softmax(dim=-1) @ value


attentions = {"fused": scaled_dot_product_attention, "written out": written_out}
for name, attention in attentions.items():
    for device in ("cpu", "meta"):
        # (batch, heads, length, width): 2 products of 128 * 128 * 64, each counted twice
        inputs = [torch.zeros(1, 1, 128, 64, device=device) for _ in range(3)]
        with FlopCounterMode(display=False) as counter:
            attention(*inputs)
        print(f"{name}, {device}: {counter.get_total_flops()}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/count.py")
echo "$seen"
[ "$seen" = 'fused, cpu: 0
fused, meta: 4194304
written out, cpu: 4194304
written out, meta: 4194304' ]
