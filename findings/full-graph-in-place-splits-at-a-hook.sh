#!/usr/bin/env bash
# torch 2.13.0, Module.compile(fullgraph=True)
#
# Guess: `model.compile(fullgraph=True)` and `torch.compile(model, fullgraph=True)` do the same, and
# both stop with an error rather than make a second graph.
# Seen: with a forward hook, as tools that watch or change outputs register it, compiling in place
# makes a graph of the module and another of the hook, without a word. torch.compile makes one:
#
#     torch.compile(model): 1 graph, result equal: True
#     model.compile(): 2 graphs, result equal: True
#
# So count graphs, with a backend of one's own as here, before relying on one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/hook.py" <<'PYTHON'
import torch
from torch import nn

seen = []


def backend(graph, inputs):
    seen.append(graph)
    return graph


for how in ("torch.compile(model)", "model.compile()"):
    torch._dynamo.reset()
    seen.clear()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    model.register_forward_hook(lambda module, inputs, output: output * 2)
    inputs = torch.ones(2, 4)
    expected = model(inputs)
    called = model
    if how == "model.compile()":
        model.compile(backend=backend, fullgraph=True)
    else:
        called = torch.compile(model, backend=backend, fullgraph=True)
    equal = torch.equal(called(inputs), expected)
    graphs = "1 graph" if len(seen) == 1 else f"{len(seen)} graphs"
    print(f"{how}: {graphs}, result equal: {equal}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/hook.py")
echo "$seen"
expected="torch.compile(model): 1 graph, result equal: True
model.compile(): 2 graphs, result equal: True"
if [ "$seen" != "$expected" ]; then
    echo "The behaviour has changed; expected:" >&2
    echo "$expected" >&2
    exit 1
fi
