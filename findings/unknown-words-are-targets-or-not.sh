#!/usr/bin/env bash
# transformers 5.23.0, DataCollatorForLanguageModeling with and without special_tokens_mask
#
# Guess: if the rows have no special_tokens_mask, the collator works it out, and selects from the
# same tokens as with the tokenizer's own.
# Seen: the tokenizer's own marks what it added, [CLS] and [SEP]. The other marks every special
# token, and [UNK] is one, as is a [MASK] that the text contains. With a probability of 1, "a zebra
# ran" (zebra is unknown) has these targets:
#
#     with the column: a [UNK] ran
#     without it: a ran
#     with the column, under Trainer: a ran
#
# Trainer drops the column, unless remove_unused_columns=False. So the same collator asks for [UNK]
# in a loop of one's own and not under Trainer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  transformers==5.23.0 torch==2.13.0 accelerate==1.15.0 numpy==2.4.6
cat >"$folder/unknown.py" <<'PYTHON'
import sys

from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
)

pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] a ran".split()
tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=1.0)


def report(name, batch):
    (labels,) = batch["labels"].tolist()
    print(f"{name}:", *[pieces[label] for label in labels if label != -100])


with_column, without = (
    [dict(tokenizer("a zebra ran", return_special_tokens_mask=column))] for column in (True, False)
)
report("with the column", collator(with_column))
report("without it", collator(without))
size = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
model = BertForMaskedLM(BertConfig(vocab_size=len(pieces), **size))
settings = TrainingArguments(sys.argv[1], use_cpu=True, report_to=[])
trainer = Trainer(model, settings, train_dataset=with_column, data_collator=collator)
report("with the column, under Trainer", next(iter(trainer.get_train_dataloader())))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/unknown.py" "$folder/out" 2>/dev/null)
echo "$seen"
[ "$seen" = "with the column: a [UNK] ran
without it: a ran
with the column, under Trainer: a ran" ]
