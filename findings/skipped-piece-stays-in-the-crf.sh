#!/usr/bin/env bash
# pytorch-crf 0.7.2 (torch 2.13.0), CRF with a mask for the first piece of each word
#
# Guess: the mask says which positions count. To tag words by their first pieces, it is False at all
# others, and the CRF sees the words next to each other; or it refuses such a mask.
# Seen: only the first position is checked. The normalizer passes over what is masked in the middle, but
# the score of the tags takes the transition from the piece before, masked or not, whatever tag is filled
# in there. What comes out is no likelihood. decode goes back as many steps as there are words, through
# the masked ones. A sentence of 4 words in 6 pieces with 3 tags, which has 81 ways to tag it, and the
# decoded tags of 1,000 such sentences:
#
#     sum of probabilities, mask with holes: 2.32
#     sum of probabilities, words taken out first: 1.00
#     decoded otherwise than the words alone: 367 of 1000
#
# So the loss can fall below 0. (A tag of -100 in a hole is an IndexError; one fills in another, and it
# counts.) Gather emissions, tags and mask of the first pieces at the front of each row before calling it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  pytorch-crf==0.7.2 torch==2.13.0 numpy==2.4.6
cat >"$folder/holes.py" <<'PYTHON'
from itertools import product

import torch
from torchcrf import CRF

torch.manual_seed(0)
crf = CRF(3, batch_first=True).requires_grad_(False)
for parameter in crf.parameters():
    parameter.normal_()
first = torch.tensor([[True, True, False, True, False, True]])
words = first[0]


def total(emissions, mask):
    tags = torch.zeros(mask.shape, dtype=torch.long)
    likelihoods = []
    for tags[mask] in map(torch.tensor, product(range(3), repeat=4)):
        likelihoods.append(crf(emissions, tags, mask=mask))
    return torch.stack(likelihoods).exp().sum()


emissions = torch.randn(1, 6, 3)
print(f"sum of probabilities, mask with holes: {total(emissions, first):.2f}")
alone = total(emissions[:, words], first[:, words])
print(f"sum of probabilities, words taken out first: {alone:.2f}")
other = 0
for emissions in torch.randn(1000, 1, 6, 3):
    other += crf.decode(emissions, mask=first) != crf.decode(emissions[:, words])
print(f"decoded otherwise than the words alone: {other} of 1000")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/holes.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = "sum of probabilities, mask with holes: 2.32
sum of probabilities, words taken out first: 1.00
decoded otherwise than the words alone: 367 of 1000" ]
