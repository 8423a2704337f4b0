#!/usr/bin/env bash
# sentence-transformers 6.2.0 (transformers 5.24.0), Pooling("cls", include_prompt=False)
#
# Guess: a prompt that is left out of the pooling matters to an average. With "cls" the embedding is that
# of [CLS], as its name says, with a prompt or without.
# Seen: what is left out begins with [CLS], and "cls" takes the first token that is not left out: the
# first word of the text. Texts without a prompt are embedded by [CLS] as before, so that questions with
# a prompt and documents without one are compared by two kinds of tokens. A model that was saved by
# version 5.2 gives other embeddings now. Which token is it, for "a b"?
#
#     5.2.0, no prompt: [CLS]
#     5.2.0, prompt "query : ": [CLS]
#     5.2.0, prompt left out: [CLS]
#     6.2.0, no prompt: [CLS]
#     6.2.0, prompt "query : ": [CLS]
#     6.2.0, prompt left out: a
#
# Nothing is said, and the setting is saved with the model. Leave include_prompt alone with "cls".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  sentence-transformers==6.2.0 transformers==5.24.0 torch==2.13.0 numpy==2.4.6 requests==2.34.2
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps \
  --target "$folder/old" sentence-transformers==5.2.0
cat >"$folder/cls.py" <<'PYTHON'
import sys

import torch
from sentence_transformers import SentenceTransformer, __version__, models
from transformers import BertConfig, BertModel, BertTokenizer

folder = sys.argv[1]
pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "query", ":", "a", "b"]
size = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "intermediate_size": 16,
}
torch.manual_seed(0)
config = BertConfig(vocab_size=len(pieces), initializer_range=0.5, **size)
BertModel(config).save_pretrained(folder)
BertTokenizer(vocab={p: i for i, p in enumerate(pieces)}).save_pretrained(folder)


def pooled(include, prompt):
    pooling = models.Pooling(16, "cls", include_prompt=include)
    model = SentenceTransformer(modules=[models.Transformer(folder), pooling])
    tokens = model.encode([prompt + "a b"], output_value="token_embeddings")[0]
    embedding = model.encode(["a b"], prompt=prompt or None, convert_to_tensor=True)[0]
    (place,) = (tokens - embedding).abs().max(dim=1).values.lt(1e-5).nonzero()
    return ["[CLS]", *prompt.split(), "a", "b", "[SEP]"][place]


prompt = "query : "
print(f"{__version__}, no prompt: {pooled(False, '')}")
print(f'{__version__}, prompt "{prompt}": {pooled(True, prompt)}')
print(f"{__version__}, prompt left out: {pooled(False, prompt)}")
PYTHON
export HF_HUB_OFFLINE=1
seen=$(
  PYTHONPATH="$folder/old" "$folder/venv/bin/python" "$folder/cls.py" "$folder/model" 2>"$folder/log"
  "$folder/venv/bin/python" "$folder/cls.py" "$folder/model" 2>"$folder/log"
)
echo "$seen"
[ "$seen" = '5.2.0, no prompt: [CLS]
5.2.0, prompt "query : ": [CLS]
5.2.0, prompt left out: [CLS]
6.2.0, no prompt: [CLS]
6.2.0, prompt "query : ": [CLS]
6.2.0, prompt left out: a' ]
