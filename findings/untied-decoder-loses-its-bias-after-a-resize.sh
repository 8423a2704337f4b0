#!/usr/bin/env bash
# transformers 5.23.0, resize_token_embeddings and save_pretrained with tie_word_embeddings=False
#
# Guess: a model loads from its file unchanged, as an untied BertForMaskedLM does.
# Seen: after resize_token_embeddings it does not. The resize merges the decoder's bias and the head's
# bias into one parameter, so the file contains it under only one of the two names. Loading ties
# nothing in an untied model and fills the decoder's bias with zeros. A warning names a missing key.
#
#     as made: logits differ by 0.0, missing []
#     resized: logits differ, missing ['cls.predictions.decoder.bias']
#
# This affects anyone who adds domain-specific tokens to a checkpoint without tied embeddings.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  transformers==5.23.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/resize.py" <<'PYTHON'
import sys

import torch
import transformers
from transformers import BertConfig, BertForMaskedLM

transformers.logging.set_verbosity_error()
size = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
config = BertConfig(vocab_size=30, intermediate_size=8, tie_word_embeddings=False, **size)
ids = torch.arange(5, 14)[None]
for name in ("as made", "resized"):
    model = BertForMaskedLM(config).eval()
    if name == "resized":
        model.resize_token_embeddings(33)
    with torch.no_grad():
        model.cls.predictions.decoder.bias.copy_(torch.linspace(-3, 3, model.config.vocab_size))
        before = model(ids).logits
        model.save_pretrained(sys.argv[1])
        again, loading = BertForMaskedLM.from_pretrained(sys.argv[1], output_loading_info=True)
        difference = (again.eval()(ids).logits - before).abs().max().item()
    shown = f"differ by {difference}" if difference == 0 else "differ"
    print(f"{name}: logits {shown}, missing {sorted(loading['missing_keys'])}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/resize.py" "$folder/model" 2>/dev/null)
echo "$seen"
[ "$seen" = "as made: logits differ by 0.0, missing []
resized: logits differ, missing ['cls.predictions.decoder.bias']" ]
