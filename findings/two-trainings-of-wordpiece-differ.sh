#!/usr/bin/env bash
# tokenizers 0.23.3, WordPieceTrainer
#
# Guess: training has no random numbers, so the same text gives the same vocabulary.
# Seen: of twelve trainings in one process, others than the first have other ids, and some have other
# pieces. Single characters that begin with ## get their ids in the order of a hash table with a seed
# of its own, and pairs of equal frequency are merged in the order of these ids:
#
#     plain: different ids, different pieces
#
# These characters get fixed ids if they are passed as special tokens, and then everything
# is the same:
#
#     with ## characters given: the same ids, the same pieces
#
# (They must not stay special afterwards: make the tokenizer from the vocabulary alone.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
cat >"$folder/train.py" <<'PYTHON'
import random

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.trainers import WordPieceTrainer

rng = random.Random(0)
syllables = [a + b for a in "bdfglmnprstvz" for b in "aeiou"]
words = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(3_000)]
text = [" ".join(rng.choices(words, k=20)) for _ in range(300)]


def train(given):
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    trainer = WordPieceTrainer(
        vocab_size=1_800, special_tokens=["[UNK]", *given], show_progress=False
    )
    tokenizer.train_from_iterator(text, trainer)
    return tokenizer.get_vocab()


letters = sorted({letter for line in text for word in line.split() for letter in word[1:]})
for name, given in {"plain": [], "with ## characters given": [f"##{c}" for c in letters]}.items():
    first, *others = (train(given) for _ in range(12))
    ids = "the same" if all(other == first for other in others) else "different"
    pieces = "the same" if all(set(other) == set(first) for other in others) else "different"
    print(f"{name}: {ids} ids, {pieces} pieces")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/train.py")
echo "$seen"
[ "$seen" = "plain: different ids, different pieces
with ## characters given: the same ids, the same pieces" ]
