#!/usr/bin/env bash
# sentence-transformers 6.2.0 (transformers 5.24.0), RerankingEvaluator and CrossEncoderRerankingEvaluator
#
# Guess: a model that gives every document the same score finds nothing. MRR counts a tie as chance, or as
# the worst case, and both evaluators count it alike.
# Seen: the documents are joined with the positive ones in front. RerankingEvaluator sorts so that up to
# 16 equal scores keep that order, and the answer comes first. The one for cross-encoders turns the order
# around, and it comes last. A bi-encoder whose embeddings have collapsed, and a cross-encoder that says
# the same of every pair, on 20 questions with 1 answer among 10 documents (chance has an MRR@10 of 0.29):
#
#     RerankingEvaluator: mrr@10 1.00, ndcg@10 0.45, map 0.10
#     CrossEncoderRerankingEvaluator: mrr@10 0.10, ndcg@10 0.45, map 0.10
#
# A training that collapsed looks perfect by MRR, and documents that are equal count for the model. Look at
# ndcg, which is the primary metric and averages over ties.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  sentence-transformers==6.2.0 transformers==5.24.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/ties.py" <<'PYTHON'
import sys
from string import ascii_lowercase

import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.cross_encoder.evaluation import CrossEncoderRerankingEvaluator
from sentence_transformers.sentence_transformer.evaluation import RerankingEvaluator
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

folder = sys.argv[1]
pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *ascii_lowercase]
size = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "intermediate_size": 16,
}
model = BertForSequenceClassification(BertConfig(vocab_size=len(pieces), num_labels=1, **size))
with torch.no_grad():  # a collapse: the last norm lets nothing but its bias through
    model.bert.encoder.layer[-1].output.LayerNorm.weight.zero_()
    model.bert.encoder.layer[-1].output.LayerNorm.bias.fill_(0.5)
model.save_pretrained(folder)
BertTokenizer(vocab={p: i for i, p in enumerate(pieces)}).save_pretrained(folder)

samples = [
    {"query": question, "positive": ["z"], "negative": list("qrstuvwxy")}
    for question in ascii_lowercase[:20]
]
for evaluator, scorer in (
    (RerankingEvaluator, SentenceTransformer),
    (CrossEncoderRerankingEvaluator, CrossEncoder),
):
    scores = evaluator(samples, write_csv=False)(scorer(folder))
    values = ", ".join(f"{name} {scores[name]:.2f}" for name in ("mrr@10", "ndcg@10", "map"))
    print(f"{evaluator.__name__}: {values}")
PYTHON
seen=$(HF_HUB_OFFLINE=1 "$folder/venv/bin/python" "$folder/ties.py" "$folder/model" 2>"$folder/log")
echo "$seen"
[ "$seen" = "RerankingEvaluator: mrr@10 1.00, ndcg@10 0.45, map 0.10
CrossEncoderRerankingEvaluator: mrr@10 0.10, ndcg@10 0.45, map 0.10" ]
