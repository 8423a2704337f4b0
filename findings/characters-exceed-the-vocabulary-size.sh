#!/usr/bin/env bash
# tokenizers 0.23.3, WordPieceTrainer(vocab_size=...)
#
# Guess: the vocabulary has at most vocab_size pieces: by the documentation that is its final size,
# with special tokens and alphabet. Rare characters become [UNK], or it refuses.
# Seen: every character of the text is a piece, and is one again with ## where it continues a word,
# whatever the size. Only merges stop there. Text with 300 different characters:
#
#     WordPieceTrainer, 200: 601 pieces
#     BpeTrainer, 200: 301 pieces
#     UnigramTrainer, 200: refused
#     WordPieceTrainer, 200, limit_alphabet=80: within 200
#
# Any text with Chinese or Japanese in it is such a text. A model with vocab_size=200 then meets
# ids that it has no row for. Build it with tokenizer.get_vocab_size(), and set limit_alphabet.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
cat >"$folder/size.py" <<'PYTHON'
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

characters = [chr(0x4E00 + i) for i in range(300)]
words = [a + b for a, b in zip(characters, characters[1:] + characters[:1])]


def train(model, **settings):
    tokenizer = Tokenizer(getattr(models, model.replace("Bpe", "BPE"))())
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = getattr(trainers, f"{model}Trainer")(
        vocab_size=200, special_tokens=["[UNK]"], show_progress=False, **settings
    )
    tokenizer.train_from_iterator([" ".join(words)], trainer)
    return tokenizer.get_vocab_size()


for model in ("WordPiece", "Bpe", "Unigram"):
    try:
        print(f"{model}Trainer, 200: {train(model)} pieces")
    except Exception:
        print(f"{model}Trainer, 200: refused")
limited = train("WordPiece", limit_alphabet=80) <= 200
print(f"WordPieceTrainer, 200, limit_alphabet=80: {'within' if limited else 'beyond'} 200")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/size.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "WordPieceTrainer, 200: 601 pieces
BpeTrainer, 200: 301 pieces
UnigramTrainer, 200: refused
WordPieceTrainer, 200, limit_alphabet=80: within 200" ]
