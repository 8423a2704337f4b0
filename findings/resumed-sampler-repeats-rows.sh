#!/usr/bin/env bash
# torchdata 0.11.0 (torch 2.13.0), StatefulDataLoader with a sampler
#
# Guess: a loader that is loaded from state_dict yields the rest of its epoch, with shuffle=True or
# with a sampler of torch, which is what shuffle=True makes.
# Seen: shuffle=True makes a sampler of torchdata's, which saves its permutation. One of torch has no
# state: the loader draws another permutation and passes over as many rows as were read. Of 16 rows,
# 6 were read in the second epoch. Of the 10 that come after loading, so many had come before:
#
#     shuffle=True: 0
#     RandomSampler of torch: 3
#     SubsetRandomSampler: 3
#     WeightedRandomSampler, without replacement: 3
#     BatchSampler of torch, as for rows of like length: 3
#     RandomSampler of torchdata: 0
#
# As many are not read in this epoch, and there is no warning. A trial in the first epoch, with the
# same seed, shows nothing. Use torchdata's samplers, or write state_dict and load_state_dict.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  torchdata==0.11.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/resume.py" <<'PYTHON'
import torch
from torch.utils.data import BatchSampler, RandomSampler, SubsetRandomSampler, WeightedRandomSampler
from torchdata.stateful_dataloader import StatefulDataLoader
from torchdata.stateful_dataloader.sampler import RandomSampler as StatefulSampler

rows = range(16)


def batches(sampler):
    return {"batch_sampler": BatchSampler(sampler, batch_size=2, drop_last=False)}


cases = {
    "shuffle=True": lambda: {"shuffle": True},
    "RandomSampler of torch": lambda: {"sampler": RandomSampler(rows)},
    "SubsetRandomSampler": lambda: {"sampler": SubsetRandomSampler(rows)},
    "WeightedRandomSampler, without replacement": lambda: {
        "sampler": WeightedRandomSampler([1] * 16, 16, replacement=False)
    },
    "BatchSampler of torch, as for rows of like length": lambda: batches(RandomSampler(rows)),
    "RandomSampler of torchdata": lambda: {"sampler": StatefulSampler(rows)},
}


def start(make):
    torch.manual_seed(0)
    settings = make()
    if "batch_sampler" not in settings:
        settings["batch_size"] = 2
    return StatefulDataLoader(rows, **settings)


for name, make in cases.items():
    loader = start(make)
    list(loader)  # the first epoch
    second = iter(loader)
    read = {n for _ in range(3) for n in next(second).tolist()}
    resumed = start(make)
    resumed.load_state_dict(loader.state_dict())
    rest = [n for batch in resumed for n in batch.tolist()]
    assert len(read) == 6 and len(rest) == 10
    print(f"{name}: {len(read.intersection(rest))}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/resume.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "shuffle=True: 0
RandomSampler of torch: 3
SubsetRandomSampler: 3
WeightedRandomSampler, without replacement: 3
BatchSampler of torch, as for rows of like length: 3
RandomSampler of torchdata: 0" ]
