#!/usr/bin/env bash
# datasets 5.2.0, rows that do not all have the same keys
#
# Guess: a key that only some rows have becomes a column, with None in the others, as it does when
# load_dataset reads such rows from JSON.
# Seen: the first row says which columns there are. What later rows have besides is left out, with
# no message. Six texts, of which the last three have a label:
#
#     load_dataset("json"): 3 labels
#     Dataset.from_list: 0 labels
#     Dataset.from_generator: 0 labels
#     Dataset.from_generator, features given: 3 labels
#     map: 0 labels
#     map, features given: 0 labels
#     map, num_proc=2: 3 labels
#     map of an IterableDataset: 3 labels
#
# from_list says so in its documentation. With map it is the first row of each process, so the number
# of processes decides what is kept, and if features are given, the lost labels are None. Return
# every key in every row, with None where it has no value.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  datasets==5.2.0 pyarrow==26.0.1
cat >"$folder/columns.py" <<'PYTHON'
import json
import sys

import datasets
from datasets import Dataset, Features, Value, load_dataset

folder = sys.argv[1]
datasets.disable_progress_bars()
texts = ["a", "a", "a", "b", "b", "b"]
features = Features({"text": Value("string"), "label": Value("int64")})


def label(row):
    return {"label": 1} if row["text"] == "b" else {}


def rows():
    for text in texts:
        yield {"text": text, **label({"text": text})}


def report(name, dataset):
    found = [row.get("label") for row in dataset]
    assert len(found) == 6
    print(f"{name}: {found.count(1)} labels")


if __name__ == "__main__":
    with open(f"{folder}/rows.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows())
    read = load_dataset("json", data_files=file.name, split="train", cache_dir=f"{folder}/json")
    report('load_dataset("json")', read)
    report("Dataset.from_list", Dataset.from_list(list(rows())))
    plain = Dataset.from_generator(rows, cache_dir=f"{folder}/plain")
    report("Dataset.from_generator", plain)
    typed = Dataset.from_generator(rows, features=features, cache_dir=f"{folder}/typed")
    report("Dataset.from_generator, features given", typed)
    unlabelled = Dataset.from_dict({"text": texts})
    report("map", unlabelled.map(label))
    report("map, features given", unlabelled.map(label, features=features))
    report("map, num_proc=2", unlabelled.map(label, num_proc=2))
    report("map of an IterableDataset", unlabelled.to_iterable_dataset().map(label))
PYTHON
seen=$(HF_HOME="$folder" "$folder/venv/bin/python" "$folder/columns.py" "$folder" 2>"$folder/log")
echo "$seen"
[ "$seen" = 'load_dataset("json"): 3 labels
Dataset.from_list: 0 labels
Dataset.from_generator: 0 labels
Dataset.from_generator, features given: 3 labels
map: 0 labels
map, features given: 0 labels
map, num_proc=2: 3 labels
map of an IterableDataset: 3 labels' ]
if grep -iE "label|column|key" "$folder/log"; then
    echo "It says something about it now." >&2
    exit 1
fi
