#!/usr/bin/env bash
# Markdown 3.11.3 (Python-Markdown), preprocessors and htmlStash
#
# Guess: a preprocessor of any priority can put HTML into md.htmlStash and leave the placeholder that
# `store` returns in its line; the HTML stands there in the end.
# Seen: that holds below priority 30. At 30 or above, the built-in normalize_whitespace comes later
# and removes the two control characters that mark a placeholder. The HTML is lost, and the rest of
# the placeholder is published as a word, with no warning:
#
#     priority 31: <p>wzxhzdk:0</p>
#     priority 29: <p><b>kept</b></p>
#
# So what must come before snippets (32) cannot use the stash; and what uses it, to be safe from
# fences (25) and raw HTML (20), has the priorities between 25 and 30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check markdown==3.11.3
cat >"$folder/stash.py" <<'PYTHON'
from markdown import Markdown
from markdown.preprocessors import Preprocessor


class Keep(Preprocessor):
    def run(self, lines):
        return [self.md.htmlStash.store("<b>kept</b>") if line == "HERE" else line for line in lines]


for priority in (31, 29):
    md = Markdown()
    md.preprocessors.register(Keep(md), "keep", priority)
    print(f"priority {priority}: {md.convert('HERE')}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/stash.py")
echo "$seen"
[ "$seen" = 'priority 31: <p>wzxhzdk:0</p>
priority 29: <p><b>kept</b></p>' ]
