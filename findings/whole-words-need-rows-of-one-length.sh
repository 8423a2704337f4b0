#!/usr/bin/env bash
# transformers 5.23.0, DataCollatorForLanguageModeling(whole_word_mask=True)
#
# Guess: given special_tokens_mask and offset_mapping, which it needs, it pads rows of different
# lengths as it does without whole words: it is a collator, and padding is what it is for.
# Seen: tokenizer.pad fills the other columns but leaves offset_mapping as it is, so that only rows
# of one length become a batch. Others stop with a ValueError that advises padding:
#
#     one length: (2, 5)
#     two lengths: ValueError: Unable to create tensor
#     two lengths, padded beforehand: (2, 5)
#
# So tokenize with padding="max_length", or pad each batch before it comes to the collator.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  transformers==5.23.0 torch==2.13.0 numpy
cat >"$folder/words.py" <<'PYTHON'
from transformers import BertTokenizer, DataCollatorForLanguageModeling

pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] a great film".split()
tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
collator = DataCollatorForLanguageModeling(tokenizer, whole_word_mask=True)


def collate(name, texts, **options):
    columns = tokenizer(
        texts, return_special_tokens_mask=True, return_offsets_mapping=True, **options
    )
    rows = [{key: columns[key][i] for key in columns} for i in range(len(texts))]
    try:
        print(f"{name}: {tuple(collator(rows)['labels'].shape)}")
    except ValueError as error:
        print(f"{name}: ValueError: {str(error).split(',')[0]}")


collate("one length", ["a great film", "a film film"])
collate("two lengths", ["a great film", "film"])
collate("two lengths, padded beforehand", ["a great film", "film"], padding=True)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/words.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "one length: (2, 5)
two lengths: ValueError: Unable to create tensor
two lengths, padded beforehand: (2, 5)" ]
