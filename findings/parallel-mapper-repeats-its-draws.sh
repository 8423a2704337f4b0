#!/usr/bin/env bash
# torchdata 0.11.0 (torch 2.13.0), torchdata.nodes.ParallelMapper(method="process")
#
# Guess: its processes draw different random numbers, and others in each epoch, as the workers of a
# DataLoader do.
# Seen: each process begins with a copy of the state that the generators of torch and NumPy have in
# the main process, which draws nothing itself. So processes draw the same masks for different rows,
# and every epoch has the masks of the first. Python's own generator is another one in each process.
# All three were seeded in the main process. Does a number come twice?
#
#     DataLoader, torch: in one epoch False, in the next False
#     processes, torch: in one epoch True, in the next True
#     processes, numpy: in one epoch True, in the next True
#     processes, random: in one epoch False, in the next False
#     threads, torch: in one epoch False, in the next False
#
# Nothing is said. Draw masks in the main process or in threads, or from a generator that is seeded
# by the row and the epoch.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  torchdata==0.11.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/draws.py" <<'PYTHON'
import random
import time

import numpy as np
import torch
from torch.utils.data import DataLoader
from torchdata.nodes import IterableWrapper, Loader, ParallelMapper

ROWS = list(range(16))


def with_torch(row):
    time.sleep(0.1)  # so that each process has its share
    return torch.rand(1).item()


def with_numpy(row):
    time.sleep(0.1)
    return float(np.random.rand())


def with_random(row):
    time.sleep(0.1)
    return random.random()


def first(batch):
    return with_torch(batch[0])


def report(name, loader):
    one, other = list(loader), list(loader)
    within, between = len(set(one)) < len(one), bool(set(one) & set(other))
    print(f"{name}: in one epoch {within}, in the next {between}", flush=True)


if __name__ == "__main__":
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    report("DataLoader, torch", DataLoader(ROWS, num_workers=4, collate_fn=first))
    for function in (with_torch, with_numpy, with_random):
        mapped = ParallelMapper(IterableWrapper(ROWS), function, num_workers=4, method="process")
        report(f"processes, {function.__name__.removeprefix('with_')}", Loader(mapped))
    mapped = ParallelMapper(IterableWrapper(ROWS), with_torch, num_workers=4, method="thread")
    report("threads, torch", Loader(mapped))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/draws.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = "DataLoader, torch: in one epoch False, in the next False
processes, torch: in one epoch True, in the next True
processes, numpy: in one epoch True, in the next True
processes, random: in one epoch False, in the next False
threads, torch: in one epoch False, in the next False" ]
