#!/usr/bin/env bash
# sentence-transformers 6.2.0 (transformers 5.24.0), mine_hard_negatives(cache_folder=...)
#
# Guess: the embeddings in the cache belong to a model. By the documentation their file is found by the
# model's name, the prompts and the texts, so another model makes its own.
# Seen: the name is that of the checkpoint on the hub that the model came from. A model in a local folder
# has none, and neither has one that was just pretrained, so that all of them have one cache. A model
# that was trained further keeps the name of its base. With verbose=True, the default, it prints which
# file it loads, not whose it is. The negatives of three questions, mined by two models in turn:
#
#     no cache: first model i j, k l, i j / second model k l, g h, g h
#     one cache: first model i j, k l, i j / second model i j, k l, i j
#     one cache, first model with other weights: i j, k l, i j
#
# Rounds of mining and training get the negatives of the first round in every round, which are no longer
# hard. Use a folder of its own for each model and each round.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  sentence-transformers==6.2.0 transformers==5.24.0 datasets==5.2.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/mine.py" <<'PYTHON'
import sys

import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import mine_hard_negatives
from transformers import BertConfig, BertModel, BertTokenizer

folder = sys.argv[1]
pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijkl"]
size = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "intermediate_size": 16,
}
rows = Dataset.from_dict({"question": ["a b", "c d", "e f"], "answer": ["g h", "i j", "k l"]})


def model(seed):
    torch.manual_seed(seed)
    config = BertConfig(vocab_size=len(pieces), initializer_range=0.5, **size)
    BertModel(config).save_pretrained(f"{folder}/{seed}")
    BertTokenizer(vocab={p: i for i, p in enumerate(pieces)}).save_pretrained(f"{folder}/{seed}")
    return SentenceTransformer(f"{folder}/{seed}")


def mined(model, cache):
    options = {"num_negatives": 1, "verbose": False, "cache_folder": cache}
    return ", ".join(mine_hard_negatives(rows, model, **options)["negative"])


first, second = model(0), model(1)
for name, cache in (("no cache", None), ("one cache", f"{folder}/cache")):
    print(f"{name}: first model {mined(first, cache)} / second model {mined(second, cache)}")
first.load_state_dict(second.state_dict())
print(f"one cache, first model with other weights: {mined(first, f'{folder}/cache')}")
PYTHON
seen=$(HF_HUB_OFFLINE=1 "$folder/venv/bin/python" "$folder/mine.py" "$folder" 2>"$folder/log")
echo "$seen"
[ "$seen" = "no cache: first model i j, k l, i j / second model k l, g h, g h
one cache: first model i j, k l, i j / second model i j, k l, i j
one cache, first model with other weights: i j, k l, i j" ]
