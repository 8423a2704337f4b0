#!/usr/bin/env bash
# spacy 3.8.18, biluo_tags_to_spans and biluo_tags_to_offsets
#
# Guess: tags that are not BILUO are refused; a list that ends an entity with I, as BIO does, is one.
# Seen: an entity is kept when its L or U comes. With BIO there is none, so no entity is found, and
# nothing is said. An I with no B before it is refused, though.
#
#     BILUO: Anna Berg PER, Oslo LOC
#     BIO: nothing
#     BIO through iob_to_biluo: Anna Berg PER, Oslo LOC
#     IOB1: ValueError
#
# Convert the tags of a model that writes BIO first, with iob_to_biluo.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile spacy==3.8.18
cat >"$folder/spans.py" <<'PYTHON'
import spacy
from spacy.training import biluo_tags_to_offsets, biluo_tags_to_spans, iob_to_biluo

doc = spacy.blank("en")("Anna Berg lives in Oslo")
bio = ["B-PER", "I-PER", "O", "O", "B-LOC"]
for name, tags in (
    ("BILUO", ["B-PER", "L-PER", "O", "O", "U-LOC"]),
    ("BIO", bio),
    ("BIO through iob_to_biluo", iob_to_biluo(bio)),
    ("IOB1", ["I-PER", "I-PER", "O", "O", "I-LOC"]),
):
    try:
        spans = [(span.text, span.label_) for span in biluo_tags_to_spans(doc, tags)]
        offsets = biluo_tags_to_offsets(doc, tags)
        assert spans == [(doc.text[begin:end], label) for begin, end, label in offsets]
        print(f"{name}:", ", ".join(f"{text} {label}" for text, label in spans) or "nothing")
    except ValueError as error:
        print(f"{name}: {type(error).__name__}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/spans.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = "BILUO: Anna Berg PER, Oslo LOC
BIO: nothing
BIO through iob_to_biluo: Anna Berg PER, Oslo LOC
IOB1: ValueError" ]
