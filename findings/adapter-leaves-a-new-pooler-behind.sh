#!/usr/bin/env bash
# peft 0.21.2 with transformers 5.23.0: LoRA under BertForSequenceClassification
#
# Guess: an adapter that was saved and is loaded onto the same checkpoint gives the predictions that
# it was saved with. It takes the new classifier along, and the checkpoint has the rest.
# Seen: a checkpoint that was pretrained without NSP has no pooler. transformers draws one, LoRA
# freezes it, and save_pretrained leaves it out, since only the classifier counts as new. Loading
# draws another, under which the trained weights mean nothing:
#
#     saved: LoRA matrices and classifier
#     loaded with the draw of the training: same logits
#     loaded with another draw: other logits
#     with modules_to_save=["pooler", "classifier"], another draw: same logits
#
# No warning names it: the report of missing weights is the one that the training has begun with.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  peft==0.21.2 transformers==5.23.0 torch==2.13.0 numpy
cat >"$folder/adapter.py" <<'PYTHON'
import sys

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from safetensors import safe_open
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

folder = sys.argv[1]
config = BertConfig(
    vocab_size=30,
    hidden_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=16,
    initializer_range=0.5,
)
BertForMaskedLM(config).save_pretrained(f"{folder}/checkpoint")
input_ids, labels = torch.tensor([[2, 7, 8, 3], [2, 9, 10, 3]]), torch.tensor([0, 1])


def classifier(seed):
    torch.manual_seed(seed)
    return BertForSequenceClassification.from_pretrained(f"{folder}/checkpoint", num_labels=2)


def train(name, **options):
    model = get_peft_model(classifier(1), LoraConfig(task_type=TaskType.SEQ_CLS, r=2, **options))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 1e-2)
    for _ in range(50):
        model(input_ids=input_ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(f"{folder}/{name}")
    return model.eval()(input_ids=input_ids).logits


def compare(name, seed, logits):
    loaded = PeftModel.from_pretrained(classifier(seed), f"{folder}/{name}").eval()
    near = torch.allclose(loaded(input_ids=input_ids).logits, logits, atol=1e-4)
    return "same logits" if near else "other logits"


logits = train("plain")
with safe_open(f"{folder}/plain/adapter_model.safetensors", "pt") as file:
    parts = {"LoRA matrices" if "lora_" in n else n.split(".")[-2] for n in file.keys()}
print("saved:", " and ".join(sorted(parts)))
print("loaded with the draw of the training:", compare("plain", 1, logits))
print("loaded with another draw:", compare("plain", 2, logits))
logits = train("whole", modules_to_save=["pooler", "classifier"])
print(
    'with modules_to_save=["pooler", "classifier"], another draw:', compare("whole", 2, logits)
)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/adapter.py" "$folder" 2>/dev/null)
echo "$seen"
[ "$seen" = 'saved: LoRA matrices and classifier
loaded with the draw of the training: same logits
loaded with another draw: other logits
with modules_to_save=["pooler", "classifier"], another draw: same logits' ]
