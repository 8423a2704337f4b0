#!/usr/bin/env bash
# minicons 0.3.39 (torch 2.13.0, transformers 5.23.0), MaskedLMScorer.cloze
#
# Guess: a pair of sentence and word is scored alone, so its score is the same in any list.
# Seen: the places of the words are collected in one list. Where a word stands twice in its sentence,
# both go into it, so each later pair is scored at the place of the one before it. The score of "dog" in
# "the cat saw a dog .", in three lists:
#
#     alone: that of "dog"
#     after a sentence with its word once: that of "dog"
#     after a sentence with its word twice: that of "a"
#
# Nothing is said. Score one pair at a time, or with PLL_metric="within_word_l2r", which keeps one place
# for each pair.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  minicons==0.3.39 torch==2.13.0 transformers==5.23.0 numpy==2.4.6
cat >"$folder/score.py" <<'PYTHON'
import torch
from minicons.scorer import MaskedLMScorer
from transformers import BertConfig, BertForMaskedLM, BertTokenizer

PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] the cat saw a dog and ran away .".split()
tokenizer = BertTokenizer(vocab={piece: number for number, piece in enumerate(PIECES)})
torch.manual_seed(0)
size = {
    "hidden_size": 32,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 64,
}
model = BertForMaskedLM(BertConfig(vocab_size=len(PIECES), initializer_range=0.5, **size)).eval()
scorer = MaskedLMScorer(model, "cpu", tokenizer=tokenizer)
sentence = "the cat saw a dog ."
words = sentence.split()[:-1]
scores = {word: scorer.cloze([(sentence, word)])[0] for word in words}
for name, before in (
    ("alone", []),
    ("after a sentence with its word once", [("a cat saw the dog .", "a")]),
    ("after a sentence with its word twice", [("a cat saw a dog .", "a")]),
):
    score = scorer.cloze([*before, (sentence, "dog")])[-1]
    of = [word for word in words if abs(scores[word] - score) < 1e-3]
    print(f"{name}: that of", *(f'"{word}"' for word in of))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/score.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = 'alone: that of "dog"
after a sentence with its word once: that of "dog"
after a sentence with its word twice: that of "a"' ]
