#!/usr/bin/env bash
# lmppl 0.3.2 (transformers 4.53.3, torch 2.13.0), MaskedLM.get_perplexity
#
# Guess: the pseudo-perplexity masks one piece at a time, and the model reads all others as they are.
# Seen: the pieces are joined to a text around [MASK], and the text is cut again. The pieces that
# follow in the same word are words of their own then, with other ids, more of them, or unknown:
#
#     it is unlikely playing .
#     [MASK] is un ##like ##ly play ##ing .
#     it [MASK] un ##like ##ly play ##ing .
#     it is [MASK] [UNK] play ##ing .
#     it is un [MASK] [UNK] play ##ing .
#     it is un ##like [MASK] play ##ing .
#     it is un ##like ##ly [MASK] in ##g .
#     it is un ##like ##ly play [MASK] .
#     it is un ##like ##ly play ##ing [MASK]
#
# Nothing is said with max_length; without it, a change of the count is an error. Of words in several
# pieces, only the last piece is scored in its sentence. Mask the ids instead of the text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  lmppl==0.3.2 torch==2.13.0 transformers==4.53.3 numpy==1.26.4
cat >"$folder/score.py" <<'PYTHON'
import sys

import torch
from lmppl import MaskedLM
from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] it is un ##like ##ly play ##ing in ##g ."
folder = sys.argv[1]
with open(f"{folder}/vocab.txt", "w") as file:
    file.write("\n".join(PIECES.split()))
tokenizer = BertTokenizerFast(f"{folder}/vocab.txt", model_max_length=16)
torch.manual_seed(0)
size = {
    "hidden_size": 32,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 64,
}
BertForMaskedLM(BertConfig(len(tokenizer), **size)).save_pretrained(folder)
tokenizer.save_pretrained(folder)

scorer = MaskedLM(folder, max_length=16)
forward = scorer.model.forward


def watched(input_ids, **inputs):
    for row in input_ids:
        pieces = tokenizer.convert_ids_to_tokens(row)
        print(*pieces[1 : pieces.index("[SEP]")])
    return forward(input_ids=input_ids, **inputs)


scorer.model.forward = watched
text = "it is unlikely playing ."
print(text)
scorer.get_perplexity(text)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/score.py" "$folder" 2>"$folder/log")
echo "$seen"
[ "$seen" = "it is unlikely playing .
[MASK] is un ##like ##ly play ##ing .
it [MASK] un ##like ##ly play ##ing .
it is [MASK] [UNK] play ##ing .
it is un [MASK] [UNK] play ##ing .
it is un ##like [MASK] play ##ing .
it is un ##like ##ly [MASK] in ##g .
it is un ##like ##ly play [MASK] .
it is un ##like ##ly play ##ing [MASK]" ]
