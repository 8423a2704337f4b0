#!/usr/bin/env bash
# datasets 5.2.0, cast and cast_column of a ClassLabel to one with its names in another order
#
# Guess: two data sets have the classes neg and pos, in different orders. Joining them is refused,
# and a cast to the other's features renumbers the rows, as one from text does, or is refused, too.
# Seen: the cast keeps the numbers and changes the names, and then they join. Each label of the rows
# that were cast means its opposite. A row that is neg and one that is pos:
#
#     concatenate_datasets: ValueError
#     cast_column: pos neg
#     cast: pos neg
#     cast_column of an IterableDataset: pos neg
#     cast to text and then to the classes: neg pos
#     align_labels_with_mapping: neg pos
#
# Nothing is said. Use align_labels_with_mapping, with the other's numbers by name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile datasets==5.2.0
cat >"$folder/cast.py" <<'PYTHON'
import datasets
from datasets import ClassLabel, Dataset, Features, Value, concatenate_datasets

datasets.disable_progress_bars()
own = Features({"label": ClassLabel(names=["neg", "pos"])})
other = Features({"label": ClassLabel(names=["pos", "neg"])})
rows = Dataset.from_dict({"label": ["neg", "pos"]}, features=own)
more = Dataset.from_dict({"label": ["neg", "pos"]}, features=other)


def report(name, dataset):
    names = dataset.features["label"].int2str([row["label"] for row in dataset])
    print(f"{name}:", *names)


try:
    concatenate_datasets([rows, more])
except ValueError as error:
    print("concatenate_datasets:", type(error).__name__)
for name, changed in {
    "cast_column": rows.cast_column("label", other["label"]),
    "cast": rows.cast(other),
}.items():
    report(name, concatenate_datasets([changed, more]).select([0, 1]))
stream = rows.to_iterable_dataset().cast_column("label", other["label"])
report("cast_column of an IterableDataset", stream)
names = rows.map(
    lambda row: {"label": own["label"].int2str(row["label"])},
    features=Features({"label": Value("string")}),
)
report("cast to text and then to the classes", names.cast(other))
mapping = {name: number for number, name in enumerate(other["label"].names)}
report("align_labels_with_mapping", rows.align_labels_with_mapping(mapping, "label"))
PYTHON
seen=$(HF_HOME="$folder" "$folder/venv/bin/python" "$folder/cast.py" 2>"$folder/log")
echo "$seen"
[ "$seen" = "concatenate_datasets: ValueError
cast_column: pos neg
cast: pos neg
cast_column of an IterableDataset: pos neg
cast to text and then to the classes: neg pos
align_labels_with_mapping: neg pos" ]
if grep -iE "label|class|names" "$folder/log"; then
    echo "It says something about it now." >&2
    exit 1
fi
