#!/usr/bin/env bash
# datasets 5.2.0, IterableDataset.shuffle, take and skip
#
# Guess: a stream that is shuffled and then split by take and skip, in the order that the guide to
# streaming advises, has no row in both parts.
# Seen: that holds in the first epoch. set_epoch, which a training loop calls so that the order
# changes (Trainer does), shuffles again below skip, which then leaves out the rows that come first
# in the new order. Of 1,000 rows, with a buffer of 100, development rows that training sees:
#
#     epoch 0: 0 of 100
#     epoch 1: 30 of 100
#     epoch 2: 35 of 100
#     split before shuffling, epoch 2: 0 of 100
#
# So split the stream as it is stored, and shuffle the training part alone (its shards then keep
# their order).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0
cat >"$folder/split.py" <<'PYTHON'
from datasets import Dataset

stored = Dataset.from_dict({"n": range(1_000)}).to_iterable_dataset()


def seen_in_training(development, training, epoch):
    training.set_epoch(epoch)
    rows = {row["n"] for row in training}
    return sum(row["n"] in rows for row in development)


shuffled = stored.shuffle(seed=0, buffer_size=100)
development, training = shuffled.take(100), shuffled.skip(100)
for epoch in range(3):
    seen = seen_in_training(development, training, epoch)
    print(f"epoch {epoch}: {seen} of 100")
development, training = stored.take(100), stored.skip(100).shuffle(seed=0, buffer_size=100)
seen = seen_in_training(development, training, 2)
print(f"split before shuffling, epoch 2: {seen} of 100")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/split.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "epoch 0: 0 of 100
epoch 1: 30 of 100
epoch 2: 35 of 100
split before shuffling, epoch 2: 0 of 100" ]
