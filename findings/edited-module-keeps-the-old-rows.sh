#!/usr/bin/env bash
# datasets 5.2.0, Dataset.map and filter, whose results are kept between runs
#
# Guess: the fingerprint of a result contains the code of the function. Edit it, and the rows are
# made again, wherever the function is.
# Seen: that holds for code of the script itself. A function of another module is known by its
# name, also where the script's own function calls it. After an edit of that module a new run gets
# the rows of the old code, with no message. Words were counted (3), and after the edit characters
# (12):
#
#     in the script: 3, after the edit 12
#     in a module: 3, after the edit 3
#     in a module, called by a lambda: 3, after the edit 3
#     in a module, as a filter for more than 5: 0 rows, after the edit 0 rows
#     in a module, load_from_cache_file=False: 3, after the edit 12
#
# Preprocessing that is tidied into a module, or is a package of one's own, is such code. Pass
# load_from_cache_file=False while it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile datasets==5.2.0
cd "$folder"
echo '{"text": "a great film"}' >rows.jsonl
cat >rows.py <<'PYTHON'
def count(row):
    return {"n": len(row["text"].split())}


def long(row):
    return count(row)["n"] > 5
PYTHON
cat >run.py <<'PYTHON'
import datasets
import rows

datasets.disable_progress_bars()
data = datasets.load_dataset("json", data_files="rows.jsonl", split="train", cache_dir="cache")


def count(row):
    return {"n": len(row["text"].split())}


print(data.map(count)[0]["n"])
print(data.map(rows.count)[0]["n"])
print(data.map(lambda row: rows.count(row))[0]["n"])
print(len(data.filter(rows.long)), "rows")
print(data.map(rows.count, load_from_cache_file=False)[0]["n"])
PYTHON
run() {
    HF_HOME="$folder/home" PYTHONDONTWRITEBYTECODE=1 venv/bin/python run.py 2>"log$1" >"seen$1"
}
run 1
for file in run.py rows.py; do
    sed 's/row\["text"\].split()/row["text"]/' "$file" >edited
    mv edited "$file"
done
run 2
cat >names <<'NAMES'
in the script
in a module
in a module, called by a lambda
in a module, as a filter for more than 5
in a module, load_from_cache_file=False
NAMES
seen=$(paste -d: names seen1 seen2 | sed 's/^\(.*\):\(.*\):\(.*\)$/\1: \2, after the edit \3/')
echo "$seen"
[ "$seen" = "in the script: 3, after the edit 12
in a module: 3, after the edit 3
in a module, called by a lambda: 3, after the edit 3
in a module, as a filter for more than 5: 0 rows, after the edit 0 rows
in a module, load_from_cache_file=False: 3, after the edit 12" ]
if grep -iE "cache|stale|hash" log2; then
    echo "It says something about it now." >&2
    exit 1
fi
