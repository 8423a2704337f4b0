#!/usr/bin/env bash
# span-marker 1.8.1 (transformers 4.53.3, torch 2.13.0), tags in IOB1
#
# Guess: IOB is supported beside IOB2, as its log says ("Detected the IOB or IOB2 labeling scheme"). In
# IOB1, in which CoNLL-2003 was published, an entity begins with I, and with B only where one of the same
# kind stands directly before it. So I-ORG after I-PER begins an organisation.
# Seen: an entity goes on until a B or an O. Where entities of different kinds stand next to each other,
# the model learns one entity of the first kind, and the second one is gone. Nothing is said:
#
#     IOB1, Anna/I-PER Berg/I-PER Siemens/I-ORG won/O: Anna Berg Siemens PER
#     IOB1, Oslo/I-LOC Anna/I-PER Berg/B-PER won/O: Oslo Anna LOC, Berg PER
#     IOB2, Anna/B-PER Berg/I-PER Siemens/B-ORG won/O: Anna Berg PER, Siemens ORG
#     IOB2, Oslo/B-LOC Anna/B-PER Berg/B-PER won/O: Oslo LOC, Anna PER, Berg PER
#
# evaluate reads the same entities, so that its scores do not show it. Convert the tags to IOB2 first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  span-marker==1.8.1 torch==2.13.0 transformers==4.53.3 datasets==5.0.1 numpy==2.4.6
cat >"$folder/spans.py" <<'PYTHON'
import sys

from datasets import Dataset
from span_marker import SpanMarkerModel, Trainer
from transformers import BertConfig, BertModel, BertTokenizerFast, TrainingArguments

PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] Anna Berg Siemens won Oslo"
KINDS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
folder = sys.argv[1]
with open(f"{folder}/vocab.txt", "w") as file:
    file.write("\n".join(PIECES.split()))
tokenizer = BertTokenizerFast(f"{folder}/vocab.txt", do_lower_case=False, model_max_length=64)
size = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "intermediate_size": 16,
}
BertModel(BertConfig(len(tokenizer), **size)).save_pretrained(folder)
tokenizer.save_pretrained(folder)
model = SpanMarkerModel.from_pretrained(
    folder, labels=KINDS, model_max_length=64, marker_max_length=32, entity_max_length=4
)
arguments = TrainingArguments(f"{folder}/out", use_cpu=True, report_to=[])
for scheme, text in (
    ("IOB1", "Anna/I-PER Berg/I-PER Siemens/I-ORG won/O"),
    ("IOB1", "Oslo/I-LOC Anna/I-PER Berg/B-PER won/O"),
    ("IOB2", "Anna/B-PER Berg/I-PER Siemens/B-ORG won/O"),
    ("IOB2", "Oslo/B-LOC Anna/B-PER Berg/B-PER won/O"),
):
    words, tags = zip(*(word.split("/") for word in text.split()))
    rows = Dataset.from_dict({"tokens": [words], "ner_tags": [[KINDS.index(t) for t in tags]]})
    trainer = Trainer(model=model, args=arguments, train_dataset=rows, eval_dataset=rows)
    batch = next(iter(trainer.get_train_dataloader()))
    (labels,) = batch["labels"].tolist()
    spans = [(i, j) for i in range(4) for j in range(i + 1, 5)]
    found = [
        f"{' '.join(words[i:j])} {model.config.id2label[label]}"
        for (i, j), label in zip(spans, labels)
        if label > 0
    ]
    print(f"{scheme}, {text}: {', '.join(found)}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/spans.py" "$folder" 2>"$folder/log")
echo "$seen"
[ "$seen" = "IOB1, Anna/I-PER Berg/I-PER Siemens/I-ORG won/O: Anna Berg Siemens PER
IOB1, Oslo/I-LOC Anna/I-PER Berg/B-PER won/O: Oslo Anna LOC, Berg PER
IOB2, Anna/B-PER Berg/I-PER Siemens/B-ORG won/O: Anna Berg PER, Siemens ORG
IOB2, Oslo/B-LOC Anna/B-PER Berg/B-PER won/O: Oslo LOC, Anna PER, Berg PER" ]
