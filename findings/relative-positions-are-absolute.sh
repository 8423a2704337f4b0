#!/usr/bin/env bash
# transformers 5.23.0 (torch 2.13.0), BertConfig(position_embedding_type=...)
#
# Guess: "relative_key" gives attention the embeddings of distances that it had up to version 4, or
# is refused if they are gone.
# Seen: it makes the absolute model, and is saved in config.json all the same. A checkpoint with
# embeddings of distances is loaded without them:
#
#     absolute: 0 parameters of distances
#     relative_key: 0 parameters of distances, weights and output of absolute: True
#     relative_key_query: 0 parameters of distances, weights and output of absolute: True
#     saved as: relative_key_query
#     loaded from version 4: unexpected bert.encoder.layer.0.attention.self.distance_embedding.weight
#
# A report names what was not loaded; when a model is made, nothing is said. Look for
# distance_embedding among its parameters. Such a checkpoint needs version 4.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  transformers==5.23.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/positions.py" <<'PYTHON'
import json
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForMaskedLM

folder = sys.argv[1]
size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
ids = torch.tensor([[2, 7, 8, 9, 3]])


def made(kind):
    torch.manual_seed(0)
    return BertForMaskedLM(BertConfig(vocab_size=30, position_embedding_type=kind, **size)).eval()


absolute = made("absolute")
weights = absolute.state_dict()
for kind in ("absolute", "relative_key", "relative_key_query"):
    model = made(kind)
    distances = sum("distance" in name for name, _ in model.named_parameters())
    line = f"{kind}: {distances} parameters of distances"
    if kind != "absolute":
        same = model.state_dict().keys() == weights.keys()
        same = same and all(torch.equal(weights[n], p) for n, p in model.state_dict().items())
        same = same and torch.equal(model(ids).logits, absolute(ids).logits)
        line += f", weights and output of absolute: {same}"
    print(line)

model.save_pretrained(folder)
with open(f"{folder}/config.json", encoding="utf-8") as file:
    print("saved as:", json.load(file)["position_embedding_type"])
saved = load_file(f"{folder}/model.safetensors")
distance = "bert.encoder.layer.0.attention.self.distance_embedding.weight"
saved[distance] = torch.ones(2 * 512 - 1, 8)  # as version 4 writes it
save_file(saved, f"{folder}/model.safetensors", metadata={"format": "pt"})
_, loading = BertForMaskedLM.from_pretrained(folder, output_loading_info=True)
print("loaded from version 4: unexpected", *loading["unexpected_keys"])
PYTHON
seen=$("$folder/venv/bin/python" "$folder/positions.py" "$folder/saved" 2>/dev/null)
echo "$seen"
[ "$seen" = "absolute: 0 parameters of distances
relative_key: 0 parameters of distances, weights and output of absolute: True
relative_key_query: 0 parameters of distances, weights and output of absolute: True
saved as: relative_key_query
loaded from version 4: unexpected bert.encoder.layer.0.attention.self.distance_embedding.weight" ]
