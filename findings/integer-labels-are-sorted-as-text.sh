#!/usr/bin/env bash
# datasets 5.2.0, Dataset.class_encode_column
#
# Guess: a column of labels that are integers from 0 keeps them: it only becomes a ClassLabel,
# which train_test_split(stratify_by_column=...) asks for.
# Seen: the numbers are made into names and the names are sorted as text, so that 10 comes before
# 2. With more than ten classes, rows get another class's number, with no warning:
#
#     10 classes: 0 of 10 labels changed
#     12 classes: 10 of 12 labels changed, 2 is now 4
#     cast to ClassLabel(num_classes=12): 0 of 12 labels changed
#
# A model that was trained on the original numbers is measured against others. Where the labels are
# integers already, cast_column with a ClassLabel of that many classes leaves them as they are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0
cat >"$folder/labels.py" <<'PYTHON'
from datasets import ClassLabel, Dataset


def report(name, column):
    labels = column["label"][:]
    changed = sum(label != i for i, label in enumerate(labels))
    note = f", 2 is now {labels[2]}" if labels[2] != 2 else ""
    print(f"{name}: {changed} of {len(labels)} labels changed{note}")


ten, twelve = (Dataset.from_dict({"label": range(classes)}) for classes in (10, 12))
report("10 classes", ten.class_encode_column("label"))
report("12 classes", twelve.class_encode_column("label"))
cast = twelve.cast_column("label", ClassLabel(num_classes=12))
report("cast to ClassLabel(num_classes=12)", cast)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/labels.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "10 classes: 0 of 10 labels changed
12 classes: 10 of 12 labels changed, 2 is now 4
cast to ClassLabel(num_classes=12): 0 of 12 labels changed" ]
