#!/usr/bin/env bash
# accelerate 1.15.0, Accelerator.gather_for_metrics
#
# Guess: in a single process nothing was added to the last batch, so nothing is dropped from it,
# whatever the shape of the tensor.
# Seen: even in a single process, the first axis of every tensor of the last batch is cut to the
# number of remaining rows. With five rows of four tokens in batches of two, the rows are complete.
# If the tokens were flattened (as for the accuracy at selected positions, or for tags without
# padding), the last batch keeps 1 of 4:
#
#     1 process: 5 of 5 rows, 17 of 20 tokens
#
# So gathered tensors need one row per example: pad to (rows, length) and flatten afterwards.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check accelerate==1.15.0 torch==2.13.0
cat >"$folder/gather.py" <<'PYTHON'
import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader

accelerator = Accelerator(cpu=True)
loader = accelerator.prepare(DataLoader(torch.arange(20).view(5, 4), batch_size=2))
rows = tokens = 0
for batch in loader:  # (rows, 4)
    rows += len(accelerator.gather_for_metrics(batch))
    tokens += len(accelerator.gather_for_metrics(batch.flatten()))
print(f"{accelerator.num_processes} process: {rows} of 5 rows, {tokens} of 20 tokens")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/gather.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "1 process: 5 of 5 rows, 17 of 20 tokens" ]
