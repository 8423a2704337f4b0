#!/usr/bin/env bash
# jupytext 1.19.6, a script in the percent format made into a notebook
#
# Guess: a comment in a code cell stays a comment. Only one that is a magic by its first character
# (# %time, # !ls) is uncommented.
# Seen: so is a comment of one word with a question mark, which IPython reads as a request for help,
# and one that begins with cat, cd, copy, cp, echo, ls, mkdir, mv, ren, rm or rmdir and goes on with
# a word. The notebook runs the line as a command, or stops at it:
#
#     # enough?                       -> enough?
#     # copy the row, or it changes   -> copy the row, or it changes
#     # echo of the first layer       -> echo of the first layer
#     # is it enough?                 -> # is it enough?
#     # a copy of the row             -> # a copy of the row
#     with comment_magics=false: 0 of 5 changed
#
# The script still runs as Python, so its tests see nothing. Set comment_magics to false where a
# notebook is made from a script that has no magics.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jupytext==1.19.6
cat >"$folder/comments.py" <<'PYTHON'
import jupytext

comments = [
    "# enough?",
    "# copy the row, or it changes",
    "# echo of the first layer",
    "# is it enough?",
    "# a copy of the row",
]
script = "\n".join(["# %%", *comments, "x = 1"])


def lines(fmt):
    return jupytext.reads(script, fmt).cells[0].source.splitlines()


for comment, line in zip(comments, lines("py:percent")):
    print(f"{comment:31} -> {line}")
plain = lines({"extension": ".py", "format_name": "percent", "comment_magics": False})
changed = sum(map(str.__ne__, comments, plain))
print(f"with comment_magics=false: {changed} of {len(comments)} changed")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/comments.py")
echo "$seen"
[ "$seen" = "# enough?                       -> enough?
# copy the row, or it changes   -> copy the row, or it changes
# echo of the first layer       -> echo of the first layer
# is it enough?                 -> # is it enough?
# a copy of the row             -> # a copy of the row
with comment_magics=false: 0 of 5 changed" ]
