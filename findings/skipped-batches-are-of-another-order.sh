#!/usr/bin/env bash
# accelerate 1.15.0 (torch 2.13.0), load_state and skip_first_batches with a shuffled loader
#
# Guess: save_state saves the generators and the sampler. After load_state, skip_first_batches goes
# on in the order of the epoch that was stopped, and the next epoch is that of a run that nobody
# stopped.
# Seen: the order is drawn when an epoch begins, and what is loaded is the generator as it was
# later. Batches of another order are skipped. use_seedable_sampler=True counts epochs, but a new
# loader counts from 0, and skipping does not count. Of 16 rows, 6 were read before saving:
#
#     first epoch: 3 rows come again, next epoch another
#     second epoch: 3 rows come again, next epoch another
#     seedable sampler, first epoch: 0 rows come again, next epoch in the same order
#     seedable sampler, second epoch: 4 rows come again, next epoch another
#     set_epoch alone, second epoch: 3 rows come again, next epoch another
#     seedable sampler and set_epoch, second epoch: 0 rows come again, next epoch as it would be
#
# As many rows are not read at all, and nothing is said. Use both: use_seedable_sampler=True, and
# loader.set_epoch(epoch) before each epoch and before skip_first_batches.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  accelerate==1.15.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/resume.py" <<'PYTHON'
import sys

from accelerate import Accelerator, DataLoaderConfiguration
from accelerate.state import AcceleratorState
from accelerate.utils import set_seed
from torch.utils.data import DataLoader

folder = sys.argv[1]
rows = range(16)


def start(seedable):
    AcceleratorState._reset_state(True)  # as in a new process
    set_seed(0)
    config = DataLoaderConfiguration(use_seedable_sampler=seedable)
    accelerator = Accelerator(cpu=True, dataloader_config=config)
    return accelerator, accelerator.prepare(DataLoader(rows, batch_size=2, shuffle=True))


def read(loader, epoch=None):
    if epoch is not None:
        loader.set_epoch(epoch)
    return [row for batch in loader for row in batch.tolist()]


def report(name, stopped, seedable=False, counted=False):
    def number(epoch):
        return epoch if counted else None

    _, loader = start(seedable)
    whole = [read(loader, number(epoch)) for epoch in range(stopped + 2)]

    accelerator, loader = start(seedable)
    for epoch in range(stopped):
        read(loader, number(epoch))
    if counted:
        loader.set_epoch(stopped)
    batches = iter(loader)
    before = [row for _ in range(3) for row in next(batches).tolist()]
    accelerator.save_state(folder)

    accelerator, loader = start(seedable)
    accelerator.load_state(folder)
    if counted:
        loader.set_epoch(stopped)
    after = read(accelerator.skip_first_batches(loader, 3))
    following = read(loader, number(stopped + 1))
    assert before == whole[stopped][:6] and len(after) == 10
    again = len(set(before).intersection(after))
    if following == whole[stopped + 1]:
        order = "as it would be"
    else:
        order = "in the same order" if following == whole[stopped] else "another"
    print(f"{name}: {again} rows come again, next epoch {order}")


report("first epoch", 0)
report("second epoch", 1)
report("seedable sampler, first epoch", 0, seedable=True)
report("seedable sampler, second epoch", 1, seedable=True)
report("set_epoch alone, second epoch", 1, counted=True)
report("seedable sampler and set_epoch, second epoch", 1, seedable=True, counted=True)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/resume.py" "$folder/saved" 2>"$folder/log")
echo "$seen"
[ "$seen" = "first epoch: 3 rows come again, next epoch another
second epoch: 3 rows come again, next epoch another
seedable sampler, first epoch: 0 rows come again, next epoch in the same order
seedable sampler, second epoch: 4 rows come again, next epoch another
set_epoch alone, second epoch: 3 rows come again, next epoch another
seedable sampler and set_epoch, second epoch: 0 rows come again, next epoch as it would be" ]
if grep -iE "shuffl|sampler|resum|skip" "$folder/log"; then
    echo "It says something about it now." >&2
    exit 1
fi
