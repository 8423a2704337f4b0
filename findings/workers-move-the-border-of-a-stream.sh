#!/usr/bin/env bash
# datasets 5.2.0, IterableDataset.take and skip in a DataLoader with workers (torch 2.13.0)
#
# Guess: take(6) and skip(6) mean the first six rows of the stream, whoever reads it.
# Seen: workers share the six, and each takes or skips its share at the start of its own shards. So
# where the two parts meet depends on the number of workers. Of 20 rows in 4 shards:
#
#     take, no workers: 0 1 2 3 4 5
#     skip, no workers: 6 7 8 9 10 11 12 13 14 15 16 17 18 19
#     take, 2 workers: 0 1 2 5 6 7
#     skip, 2 workers: 3 4 8 9 10 11 12 13 14 15 16 17 18 19
#
# A training with workers beside an evaluation without them learns rows that it is measured on (3
# and 4), and nobody reads 6 and 7. Divide the files between the parts instead.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  datasets==5.2.0 torch==2.13.0 numpy==2.4.6
cat >"$folder/border.py" <<'PYTHON'
from datasets import Dataset
from torch.utils.data import DataLoader

stored = Dataset.from_dict({"n": range(20)}).to_iterable_dataset(num_shards=4)
if __name__ == "__main__":
    for workers in (0, 2):
        parts = {"take": stored.take(6), "skip": stored.skip(6)}
        for name, part in parts.items():
            loader = DataLoader(part, batch_size=None, num_workers=workers)
            rows = sorted(int(row["n"]) for row in loader)
            print(f"{name}, {workers or 'no'} workers:", *rows)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/border.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "take, no workers: 0 1 2 3 4 5
skip, no workers: 6 7 8 9 10 11 12 13 14 15 16 17 18 19
take, 2 workers: 0 1 2 5 6 7
skip, 2 workers: 3 4 8 9 10 11 12 13 14 15 16 17 18 19" ]
