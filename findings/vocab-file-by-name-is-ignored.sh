#!/usr/bin/env bash
# transformers 5.23.0, BertTokenizer(vocab_file=...)
#
# Guess: the name that the argument had up to version 4 is still read, or is refused as unknown.
# Seen: the parameter is called vocab now. Other names are kept as settings, and without a
# vocabulary the tokenizer consists of its five special tokens. Nothing is said, and every word is
# [UNK]:
#
#     vocab: 7 tokens, a great -> a great
#     vocab_file: 5 tokens, a great -> [UNK] [UNK]
#
# A script from version 4 trains a model on rows of [UNK]. Pass the file as vocab, or without a
# name, and compare len(tokenizer) with the model's vocab_size.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.23.0
cat >"$folder/vocab.py" <<'PYTHON'
import sys

from transformers import BertTokenizer

path = f"{sys.argv[1]}/vocab.txt"
with open(path, "w") as file:
    file.write("\n".join("[PAD] [UNK] [CLS] [SEP] [MASK] a great".split()))
for name in ("vocab", "vocab_file"):
    tokenizer = BertTokenizer(**{name: path})
    pieces = " ".join(tokenizer.tokenize("a great"))
    print(f"{name}: {len(tokenizer)} tokens, a great -> {pieces}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/vocab.py" "$folder" 2>"$folder/log")
echo "$seen"
[ "$seen" = "vocab: 7 tokens, a great -> a great
vocab_file: 5 tokens, a great -> [UNK] [UNK]" ]
if grep -E "vocab_file|UNK" "$folder/log"; then
    echo "It says something about it now." >&2
    exit 1
fi
