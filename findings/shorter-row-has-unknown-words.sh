#!/usr/bin/env bash
# flash-tokenizer 1.2.0, BertTokenizerFlash beside tokenizers 0.23.3 (BertWordPieceTokenizer)
#
# Guess: a faster WordPiece gives the same pieces. max_length cuts the row at its end, and
# add_special_tokens=False leaves [CLS] and [SEP] out.
# Seen: max_length is also the longest word, in characters, that is cut into pieces (BERT has 100).
# Words beyond are [UNK], wherever they are, also in a row that is not cut. add_special_tokens is
# never read. An accent that is a character of its own is not removed, so that its word is [UNK]:
#
#     an unlikely film, 12 tokens: [CLS] an un ##like ##ly film [SEP]
#     an unlikely film, 7 tokens: [CLS] an [UNK] film [SEP]
#     tokenizers, 7 tokens: [CLS] an un ##like ##ly film [SEP]
#     add_special_tokens=False: [CLS] an un ##like ##ly film [SEP]
#     é of one character: [CLS] cafe film [SEP]
#     é of two characters: [CLS] [UNK] film [SEP]
#     tokenizers, é of two characters: [CLS] cafe film [SEP]
#
# Nothing is said. Short rows, as for titles and queries, lose their longest words. Tokenize with a
# max_length of 100 or more and cut the rows afterwards, and normalize text to NFC before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  flash-tokenizer==1.2.0 numpy==2.4.6 tokenizers==0.23.3
cat >"$folder/pieces.py" <<'PYTHON'
import sys

from flash_tokenizer import BertTokenizerFlash
from tokenizers import BertWordPieceTokenizer

pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] an un ##like ##ly film cafe".split()
with open(sys.argv[1], "w") as file:
    print(*pieces, sep="\n", file=file)
flash = BertTokenizerFlash(sys.argv[1], do_lower_case=True)
usual = BertWordPieceTokenizer(sys.argv[1])


def show(name, text, length=12, **settings):
    ids = flash([text], padding="longest", max_length=length, **settings).input_ids[0]
    print(f"{name}:", *(pieces[number] for number in ids))


def show_usual(name, text, length=12):
    usual.enable_truncation(length)
    print(f"{name}:", *usual.encode(text).tokens)


text = "an unlikely film"
show(f"{text}, 12 tokens", text)
show(f"{text}, 7 tokens", text, length=7)
show_usual("tokenizers, 7 tokens", text, length=7)
show("add_special_tokens=False", text, add_special_tokens=False)
show("é of one character", "caf\u00e9 film")
show("é of two characters", "cafe\u0301 film")
show_usual("tokenizers, é of two characters", "cafe\u0301 film")
PYTHON
seen=$(PYTHONIOENCODING=utf-8 "$folder/venv/bin/python" "$folder/pieces.py" "$folder/vocab.txt" \
  2>"$folder/log")
echo "$seen"
[ "$seen" = "an unlikely film, 12 tokens: [CLS] an un ##like ##ly film [SEP]
an unlikely film, 7 tokens: [CLS] an [UNK] film [SEP]
tokenizers, 7 tokens: [CLS] an un ##like ##ly film [SEP]
add_special_tokens=False: [CLS] an un ##like ##ly film [SEP]
é of one character: [CLS] cafe film [SEP]
é of two characters: [CLS] [UNK] film [SEP]
tokenizers, é of two characters: [CLS] cafe film [SEP]" ]
