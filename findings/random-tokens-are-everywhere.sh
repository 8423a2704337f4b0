#!/usr/bin/env bash
# mlm-pytorch 0.1.0 (torch 2.13.0), MLM(random_token_prob=0.1)
#
# Guess: of the tokens that are selected, a tenth becomes a random one. The ids to exclude, [CLS],
# [SEP] and padding, stay as they are.
# Seen: a tenth of all tokens does, whether selected or not, [CLS] and padding included. The excluded
# ids are only not drawn, which leaves 9.4 of 10. Most random tokens have no label, so the model reads
# them as text. Rows of [CLS], 48 words, [SEP] and 14 of padding, mask_prob=0.15:
#
#     words with a label: 19%
#     words without one that are random: 9%
#     [CLS] that is random: 9%
#     padding that is random: 9%
#
# (The number to select is rounded up, and one more where [CLS] comes first.) Nothing is said. Leave
# random_token_prob at 0, or mask the batch before, as BERT does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  mlm-pytorch==0.1.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/mask.py" <<'PYTHON'
import torch
from mlm_pytorch import MLM

PAD, MASK, CLS, SEP, VOCABULARY = 0, 1, 2, 3, 50
torch.manual_seed(0)


class Watched(torch.nn.Module):
    """Takes the place of an encoder, and remembers what it is given."""

    def forward(self, ids):
        self.given = ids
        return torch.zeros(*ids.shape, VOCABULARY)


watched = Watched()
masked = MLM(
    watched,
    mask_prob=0.15,
    replace_prob=1.0,
    random_token_prob=0.1,
    num_tokens=VOCABULARY,
    mask_token_id=MASK,
    pad_token_id=PAD,
    mask_ignore_token_ids=[CLS, SEP],
)
seen = {}
cross_entropy = torch.nn.functional.cross_entropy


def watch_labels(logits, labels, **settings):
    seen["labels"] = labels
    return cross_entropy(logits, labels, **settings)


torch.nn.functional.cross_entropy = watch_labels
shares = {}
for _ in range(20):
    words = torch.randint(4, VOCABULARY, (4000, 48))
    one = torch.ones(4000, 1, dtype=torch.int64)
    rows = torch.cat([CLS * one, words, SEP * one, PAD * one.expand(-1, 14)], dim=1)
    masked(rows)
    labelled = seen["labels"] != PAD
    random = (watched.given != rows) & (watched.given != MASK)
    for name, what, of in (
        ("words with a label", labelled, rows >= 4),
        ("words without one that are random", random, (rows >= 4) & ~labelled),
        ("[CLS] that is random", random, rows == CLS),
        ("padding that is random", random, rows == PAD),
    ):
        shares.setdefault(name, []).append(what[of].float().mean().item())
for name, values in shares.items():
    print(f"{name}: {sum(values) / len(values):.0%}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/mask.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = "words with a label: 19%
words without one that are random: 9%
[CLS] that is random: 9%
padding that is random: 9%" ]
