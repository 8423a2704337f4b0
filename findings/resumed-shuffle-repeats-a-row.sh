#!/usr/bin/env bash
# datasets 5.2.0, IterableDataset.shuffle and state_dict
#
# Guess: a resumed stream loses the rows that were in the buffer of the shuffle, since state_dict does
# not save them (a warning says that the buffer is filled again), and no row comes twice.
# Seen: over several shards, a row that was seen before comes again as well. Of 30 rows in 3 shards,
# with a buffer of 6, stopped after 12 rows:
#
#     repeated 1, lost 4
#
# So a run that is resumed in this way does not see the rows that an uninterrupted one would see.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0
cat >"$folder/resume.py" <<'PYTHON'
from itertools import islice

from datasets import Dataset


def stream():
    rows = Dataset.from_dict({"n": range(30)}).to_iterable_dataset(num_shards=3)
    return rows.shuffle(seed=0, buffer_size=6)


stopped = stream()
seen = [row["n"] for row in islice(stopped, 12)]
resumed = stream()
resumed.load_state_dict(stopped.state_dict())
seen += [row["n"] for row in resumed]
print(f"repeated {len(seen) - len(set(seen))}, lost {30 - len(set(seen))}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/resume.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "repeated 1, lost 4" ]
