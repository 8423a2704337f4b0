#!/usr/bin/env bash
# tokenizers 0.23.3, BertWordPieceTokenizer that is trained
#
# Guess: a class that is named after BERT encodes as BERT does, [CLS] and [SEP] included, whether
# its vocabulary is read or trained.
# Seen: the two tokens are arranged when a vocabulary is passed to it. A tokenizer that is made
# without one and trained never gets to it. It reserves both pieces and adds neither, and saves
# itself so:
#
#     trained: a great film (segments 0 0 1)
#     its tokenizer.json: a great film (segments 0 0 1)
#     its vocab.txt, read: [CLS] a great [SEP] film [SEP] (segments 0 0 0 0 1 1)
#
# Nothing is said. A classifier then reads the first word where [CLS] should be, and no [SEP] parts
# the texts of a pair. Read vocab.txt with the same class after training.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile tokenizers==0.23.3
cat >"$folder/train.py" <<'PYTHON'
import sys

from tokenizers import BertWordPieceTokenizer, Tokenizer

folder = sys.argv[1]
with open(f"{folder}/text.txt", "w", encoding="utf-8") as file:
    file.write("a great film\n" * 10)


def report(name, tokenizer):
    row = tokenizer.encode("a great", "film")
    print(f"{name}: {' '.join(row.tokens)} (segments {' '.join(map(str, row.type_ids))})")


trained = BertWordPieceTokenizer()
trained.train(f"{folder}/text.txt", vocab_size=100, show_progress=False)
assert trained.token_to_id("[CLS]") is not None and trained.token_to_id("[SEP]") is not None
report("trained", trained)
trained.save(f"{folder}/tokenizer.json")
report("its tokenizer.json", Tokenizer.from_file(f"{folder}/tokenizer.json"))
trained.save_model(folder)
report("its vocab.txt, read", BertWordPieceTokenizer(f"{folder}/vocab.txt"))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/train.py" "$folder" 2>"$folder/log")
echo "$seen"
[ "$seen" = "trained: a great film (segments 0 0 1)
its tokenizer.json: a great film (segments 0 0 1)
its vocab.txt, read: [CLS] a great [SEP] film [SEP] (segments 0 0 0 0 1 1)" ]
[ ! -s "$folder/log" ]
