#!/usr/bin/env bash
# peft 0.21.2 (transformers 5.24.0, torch 2.13.0), LoRA on the word embeddings of BertForMaskedLM
#
# Guess: merge_and_unload gives the model that was trained. Where the adapter is on a weight that the
# decoder shares, it warns that merging leads to complications, as it does for Llama.
# Seen: the warning is for layers that are called embed_tokens or lm_head. BERT's are word_embeddings and
# decoder, so it does not come. While training, the decoder reads the weight without the adapter. Merging
# puts the adapter into the one weight of both, and the decoder changes. The loss after training, and
# after merging:
#
#     Llama, embed_tokens: 1.47, merged 2.27, warned True
#     BERT, query and value: 2.48, merged 2.48, warned False
#     BERT, word_embeddings: 2.15, merged 3.65, warned False
#     BERT, word_embeddings, ensure_weight_tying: 2.15, merged 3.65, warned False
#     BERT, word_embeddings, decoder given a copy before merging: 2.15, merged 2.15, warned False
#
# ensure_weight_tying finds no tied modules in BERT (that it says). Give the decoder a copy of its weight
# before merging, or keep the adapter, and compare the loss before and after.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  peft==0.21.2 transformers==5.24.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/merge.py" <<'PYTHON'
import warnings

import torch
from peft import LoraConfig, get_peft_model
from transformers import BertConfig, BertForMaskedLM, LlamaConfig, LlamaForCausalLM

size = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "intermediate_size": 16,
}
ids = torch.arange(5, 15)[None]


def trial(name, targets, clone=False, **options):
    torch.manual_seed(0)
    config, model = BertConfig, BertForMaskedLM
    if name.startswith("Llama"):
        config, model = LlamaConfig, LlamaForCausalLM
    config = config(vocab_size=30, initializer_range=0.3, tie_word_embeddings=True, **size)
    model = model(config).eval()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = get_peft_model(model, LoraConfig(target_modules=targets, **options)).eval()
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.01)
        for _ in range(30):
            model(input_ids=ids, labels=ids).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        trained = model(input_ids=ids, labels=ids).loss
        if clone:
            decoder = model.base_model.model.cls.predictions.decoder
            decoder.weight = torch.nn.Parameter(decoder.weight.detach().clone())
        merged = model.merge_and_unload()(input_ids=ids, labels=ids).loss
    warned = any("lead to complications" in str(warning.message) for warning in caught)
    print(f"{name}: {trained:.2f}, merged {merged:.2f}, warned {warned}")


trial("Llama, embed_tokens", ["embed_tokens"])
trial("BERT, query and value", ["query", "value"])
words = ["word_embeddings"]
trial("BERT, word_embeddings", words)
trial("BERT, word_embeddings, ensure_weight_tying", words, ensure_weight_tying=True)
trial("BERT, word_embeddings, decoder given a copy before merging", words, clone=True)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/merge.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = "Llama, embed_tokens: 1.47, merged 2.27, warned True
BERT, query and value: 2.48, merged 2.48, warned False
BERT, word_embeddings: 2.15, merged 3.65, warned False
BERT, word_embeddings, ensure_weight_tying: 2.15, merged 3.65, warned False
BERT, word_embeddings, decoder given a copy before merging: 2.15, merged 2.15, warned False" ]
