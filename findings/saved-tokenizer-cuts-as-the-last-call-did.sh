#!/usr/bin/env bash
# transformers 5.23.0 (tokenizers 0.23.3), tokenizer.save_pretrained after a call with truncation
#
# Guess: truncation, max_length and padding are arguments of a call. They do not change the
# tokenizer, so what is saved after tokenizing the data is what was loaded.
# Seen: a call leaves them in the backend, and save_pretrained (so Trainer, too) writes those of
# the last call into tokenizer.json. transformers sets them again at each call. Whatever else reads
# the file (tokenizers, and the servers and browsers that build on it) cuts and pads, with no
# warning:
#
#     saved as loaded: 9 tokens, truncation None
#     saved after max_length=4: 4 tokens, truncation to 4
#     the latter, in transformers: 9 tokens
#     the latter, a batch of 9 and 3: 4 and 4 tokens
#
# So save the tokenizer before its first use, or call backend_tokenizer.no_truncation() and
# no_padding() before saving.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  transformers==5.23.0 tokenizers==0.23.3
cat >"$folder/saved.py" <<'PYTHON'
import sys

from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertTokenizer

folder = sys.argv[1]
pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] good".split()
tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
long, short = "good " * 7, "good"


def report(name):
    tokenizer.save_pretrained(folder)
    read = Tokenizer.from_file(f"{folder}/tokenizer.json")
    limit = read.truncation and f"to {read.truncation['max_length']}"
    print(f"{name}: {len(read.encode(long).ids)} tokens, truncation {limit}")
    return read


report("saved as loaded")
tokenizer([long, short], truncation=True, max_length=4, padding=True)
read = report("saved after max_length=4")
again = AutoTokenizer.from_pretrained(folder)
print(f"the latter, in transformers: {len(again(long).input_ids)} tokens")
batch = " and ".join(str(len(encoding.ids)) for encoding in read.encode_batch([long, short]))
print(f"the latter, a batch of 9 and 3: {batch} tokens")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/saved.py" "$folder/saved" 2>/dev/null)
echo "$seen"
[ "$seen" = "saved as loaded: 9 tokens, truncation None
saved after max_length=4: 4 tokens, truncation to 4
the latter, in transformers: 9 tokens
the latter, a batch of 9 and 3: 4 and 4 tokens" ]
