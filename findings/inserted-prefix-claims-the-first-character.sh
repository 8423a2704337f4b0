#!/usr/bin/env bash
# tokenizers 0.23.3, pre-tokenizers Metaspace and ByteLevel
#
# Guess: the space that they insert before the first word is not in the text. If the vocabulary has
# no piece that joins it to the first letter, its own piece gets the empty span (0, 0).
# Seen: that piece claims the first character, and so does the piece after it. Two pieces of "ab b"
# cover character 0:
#
#     Metaspace [('▁', (0, 1)), ('a', (0, 1)), ('b', (1, 2)), ('▁', (2, 3)), ('b', (3, 4))]
#     ByteLevel [('Ġ', (0, 1)), ('a', (0, 1)), ('b', (1, 2)), ('Ġ', (2, 3)), ('b', (3, 4))]
#
# Code that looks for the piece of a character (where an answer starts, which piece gets a name's
# label) and takes the first that covers it ends up with a piece that contains no text at all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
cat >"$folder/offsets.py" <<'PYTHON'
from tokenizers import Tokenizer, models, pre_tokenizers

for made in (
    pre_tokenizers.Metaspace(prepend_scheme="always"),
    pre_tokenizers.ByteLevel(add_prefix_space=True),
):
    vocab = {piece: number for number, piece in enumerate("▁Ġab")}
    tokenizer = Tokenizer(models.BPE(vocab, []))
    tokenizer.pre_tokenizer = made
    encoding = tokenizer.encode("ab b")
    print(type(made).__name__, list(zip(encoding.tokens, encoding.offsets)))
PYTHON
seen=$(PYTHONUTF8=1 "$folder/venv/bin/python" "$folder/offsets.py")
echo "$seen"
[ "$seen" = "Metaspace [('▁', (0, 1)), ('a', (0, 1)), ('b', (1, 2)), ('▁', (2, 3)), ('b', (3, 4))]
ByteLevel [('Ġ', (0, 1)), ('a', (0, 1)), ('b', (1, 2)), ('Ġ', (2, 3)), ('b', (3, 4))]" ]
