#!/usr/bin/env bash
# pytest-examples 0.0.18, run_print_update and run_print_check
#
# Guess: the comments that it writes below print, and holds the page to, are what a reader sees who
# runs the example.
# Seen: it replaces print, and shows the arguments of each call. `end` is ignored, what goes to
# another file is shown all the same, and what is written without print is not. A long dict is set
# in a way in which print never sets it. The check then passes:
#
#     printed: | step 1 step 2
#     shown:   | step 1 / step 2 / to a log
#     a dict of 92 characters: printed in 1 line, shown in 3
#     check: 1 passed
#
# So print whole lines, and long values with pprint or json.dumps, in what is to be copied.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pytest-examples==0.0.18 pytest==9.2.0 black==26.10.1 ruff==0.17.6
cat >"$folder/test_page.py" <<'PYTHON'
import pytest
from pytest_examples import find_examples


@pytest.mark.parametrize("example", list(find_examples("page.md")), ids=str)
def test(example, eval_example):
    if eval_example.update_examples:
        eval_example.run_print_update(example)
    else:
        eval_example.run_print_check(example)
PYTHON
cat >"$folder/page.md" <<'PAGE'
```python
import sys

print("step 1", end=" ")
print("step 2")
print("to a log", file=sys.stderr)
sys.stdout.write("\n")
print({"text": "a" * 80})
```
PAGE
cd "$folder"
sed '/```/d' page.md >example.py
venv/bin/python example.py >printed 2>/dev/null
venv/bin/python -m pytest -q --update-examples test_page.py >/dev/null
shown() { sed -n 's/^#> //p' page.md; }
block() { sed -n '/^"""$/,/^"""$/p' page.md | grep -v '^"""$'; }
seen="printed: | $(sed -n 1p printed)
shown:   | $(shown | paste -sd/ | sed 's#/# / #g')
a dict of $(tail -n 1 printed | tr -d '\n' | wc -c) characters:"
seen="$seen printed in $(tail -n +3 printed | wc -l) line, shown in $(block | wc -l)
check: $(venv/bin/python -m pytest -q test_page.py | grep -o '1 passed')"
echo "$seen"
[ "$seen" = 'printed: | step 1 step 2
shown:   | step 1 / step 2 / to a log
a dict of 92 characters: printed in 1 line, shown in 3
check: 1 passed' ]
