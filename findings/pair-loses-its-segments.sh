#!/usr/bin/env bash
# transformers 5.23.0 (tokenizers 0.23.3), PreTrainedTokenizerFast around a tokenizer for BERT
#
# Guess: the tokenizer's template numbers the segments of a pair, so token_type_ids are among what a
# call returns, as they are from BertTokenizer, and as they were up to version 4.
# Seen: the class of version 5 returns input_ids and attention_mask unless asked for more. The model
# takes what is missing as zeros, so that both texts are segment A, with no message:
#
#     BertTokenizer: 0 0 0 0 1 1
#     PreTrainedTokenizerFast: none
#     saved, AutoTokenizer: none
#     asked for with model_input_names: 0 0 0 0 1 1
#     saved, AutoTokenizer: 0 0 0 0 1 1
#     the model without them: as with zeros
#
# This is the usual way to use a tokenizer of one's own, and NSP is then learned without segments.
# Pass model_input_names=["input_ids", "token_type_ids", "attention_mask"].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  transformers==5.23.0 tokenizers==0.23.3 torch==2.13.0 numpy==2.4.6
cat >"$folder/segments.py" <<'PYTHON'
import sys

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertModel,
    BertTokenizer,
    PreTrainedTokenizerFast,
)

pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] a great film".split()
vocab = {piece: i for i, piece in enumerate(pieces)}
names = {f"{piece[1:-1].lower()}_token": piece for piece in pieces[:5]}
trained = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
trained.pre_tokenizer = pre_tokenizers.Whitespace()
trained.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]",
    pair="[CLS] $A [SEP] $B:1 [SEP]:1",
    special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
)


def report(name, tokenizer):
    segments = tokenizer("a great", "film").get("token_type_ids", ["none"])
    print(f"{name}:", *segments)


def report_saved(tokenizer):
    tokenizer.save_pretrained(sys.argv[1])
    report("saved, AutoTokenizer", AutoTokenizer.from_pretrained(sys.argv[1]))


report("BertTokenizer", BertTokenizer(vocab=vocab))
fast = PreTrainedTokenizerFast(tokenizer_object=trained, **names)
report("PreTrainedTokenizerFast", fast)
report_saved(fast)
asked = ["input_ids", "token_type_ids", "attention_mask"]
fast = PreTrainedTokenizerFast(tokenizer_object=trained, model_input_names=asked, **names)
report("asked for with model_input_names", fast)
report_saved(fast)

size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
model = BertModel(BertConfig(vocab_size=len(pieces), **size)).eval()
ids = torch.tensor(fast("a great", "film")["input_ids"])[None]
with torch.no_grad():
    without = model(ids).pooler_output
    zeros = model(ids, token_type_ids=torch.zeros_like(ids)).pooler_output
print("the model without them:", "as with zeros" if torch.equal(without, zeros) else "otherwise")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/segments.py" "$folder/saved" 2>"$folder/log")
echo "$seen"
[ "$seen" = "BertTokenizer: 0 0 0 0 1 1
PreTrainedTokenizerFast: none
saved, AutoTokenizer: none
asked for with model_input_names: 0 0 0 0 1 1
saved, AutoTokenizer: 0 0 0 0 1 1
the model without them: as with zeros" ]
if grep -E "token_type|segment" "$folder/log"; then
    echo "It says something about it now." >&2
    exit 1
fi
