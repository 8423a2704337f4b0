#!/usr/bin/env bash
# transformers 5.23.0 (tokenizers 0.23.3), add_tokens with a word of the domain, on BERT
#
# Guess: the new word becomes one token where it is a word. Words that merely contain it are cut as
# before.
# Seen: an added token is looked for in the characters of the text, before words are. It is cut out
# of the middle of others, and what is left of them counts as words that begin, without ##:
#
#     before: the party starts -> the party start ##s
#     add_tokens(["art"]): the party starts -> the p art y st art s
#     decoded: the p art y st art s
#     with single_word=True: the party starts -> the party start ##s
#     with single_word=True: art -> art
#
# So pieces that the checkpoint knows vanish from the text, with no message. Pass
# AddedToken("art", single_word=True).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  transformers==5.23.0 tokenizers==0.23.3
cat >"$folder/added.py" <<'PYTHON'
from transformers import AddedToken, BertTokenizer

pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] the party start ##s p st y s".split()


def tokenizer():
    return BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})


def cut(name, made, text="the party starts"):
    print(f"{name}: {text} -> {' '.join(made.tokenize(text))}")


cut("before", tokenizer())
made = tokenizer()
made.add_tokens(["art"])
cut('add_tokens(["art"])', made)
print("decoded:", made.decode(made("the party starts", add_special_tokens=False)["input_ids"]))
made = tokenizer()
made.add_tokens([AddedToken("art", single_word=True)])
cut("with single_word=True", made)
cut("with single_word=True", made, "art")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/added.py" 2>/dev/null)
echo "$seen"
[ "$seen" = 'before: the party starts -> the party start ##s
add_tokens(["art"]): the party starts -> the p art y st art s
decoded: the p art y st art s
with single_word=True: the party starts -> the party start ##s
with single_word=True: art -> art' ]
