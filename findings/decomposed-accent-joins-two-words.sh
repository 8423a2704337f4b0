#!/usr/bin/env bash
# transformers 5.23.0, pipeline("token-classification") with an aggregation strategy, on BERT
#
# Guess: "first", "average" and "max" take the pieces of a word together as the tokenizer counts
# words, so it does not matter how a text writes an accent.
# Seen: a piece counts as the continuation of the word before it when it is not as long as the text
# that it covers. BERT's uncased normalizer drops accents. Where one is a character of its own
# (NFD, as some file systems and PDF readers write it), a whole word comes out shorter, and joins
# the one before it. The same sentence, the same logits, a person at "Lévy":
#
#     composed, simple: Lévy
#     composed, first: Lévy
#     composed, average: Lévy
#     decomposed, simple: Lévy
#     decomposed, first: nothing
#     decomposed, average: met Lévy
#
# So normalize to NFC before the pipeline (and shift its offsets if the original is to be marked).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  transformers==5.23.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/accents.py" <<'PYTHON'
from unicodedata import normalize

import torch
from transformers import BertConfig, BertForTokenClassification, BertTokenizer, pipeline

pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] they met levy here".split()
tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 0}
labels = {0: "O", 1: "B-PER", 2: "I-PER"}
config = BertConfig(vocab_size=len(pieces), id2label=labels, **size)
model = BertForTokenClassification(config).eval()
levy = pieces.index("levy")
with torch.no_grad():  # one vector for each piece, and a classifier that knows the one of "levy"
    for name, weight in model.bert.embeddings.named_parameters():
        if "word" in name:
            weight.copy_(torch.eye(*weight.shape))
        elif "LayerNorm" not in name:
            weight.zero_()
    vector = model.bert(torch.tensor([[levy]])).last_hidden_state[0, 0]
    model.classifier.weight.zero_()
    model.classifier.weight[1] = vector
    model.classifier.bias.copy_(torch.tensor([5.0, 0.0, 0.0]))
for name, form in {"composed": "NFC", "decomposed": "NFD"}.items():
    text = normalize(form, "they met L\u00e9vy here")
    for strategy in ("simple", "first", "average"):
        find = pipeline(
            "token-classification", model, tokenizer=tokenizer, aggregation_strategy=strategy
        )
        found = [text[entity["start"] : entity["end"]] for entity in find(text)]
        print(f"{name}, {strategy}: {normalize('NFC', ', '.join(found)) or 'nothing'}")
PYTHON
seen=$(PYTHONUTF8=1 "$folder/venv/bin/python" "$folder/accents.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "composed, simple: Lévy
composed, first: Lévy
composed, average: Lévy
decomposed, simple: Lévy
decomposed, first: nothing
decomposed, average: met Lévy" ]
