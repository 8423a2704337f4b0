#!/usr/bin/env bash
# markdown-exec 1.12.6 (mkdocs 1.6.1), blocks with session="..."
#
# Guess: a session is the page's, as the cells of a notebook are its own. A name that the page does
# not define is a NameError, which stops a strict build.
# Seen: blocks of all pages with one session name share their variables, page after page in the
# order of the files' names, whatever nav says. A process that builds again, as mkdocs serve does,
# has those of the build before. A page, masking.md, that shows `rate`, beside another that sets it:
#
#     alone: stops
#     ablation.md sets it: shows 0.4
#     ablation.md sets it, after the page in nav: shows 0.4
#     training.md sets it, before the page in nav: stops
#     the page sets it, then the line is deleted, built again in the same process: shows 0.15
#
# So the number of a page can be that of an experiment on another, or of a line that is gone, with
# no message. Use a session name for one page alone, and build in a new process before publishing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  mkdocs==1.6.1 markdown-exec==1.12.6 pymdown-extensions==13.1.2 markdown==3.11.3
cat >"$folder/build.py" <<'PYTHON'
import re
import sys
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

site = Path(sys.argv[1])
(site / "docs").mkdir(parents=True)
START = '```python exec="1" session="lesson"\n'
SHOW = f'{START}print("shows", rate)\n```\n'


def write(page, text):
    (site / "docs" / page).write_text(text, encoding="utf-8")


def built(nav):
    (site / "mkdocs.yml").write_text(
        f"site_name: Lesson\nnav: [{nav}]\nplugins: [markdown-exec]\n"
        "markdown_extensions: [pymdownx.superfences]\nstrict: true\n"
    )
    config = load_config(str(site / "mkdocs.yml"))
    config.plugins.on_startup(command="serve", dirty=False)
    try:
        build(config)
    except Abort:
        return "stops"
    page = (site / "site/masking/index.html").read_text(encoding="utf-8")
    return re.search(r"shows [0-9.]+", page).group()


write("index.md", "# Lesson\n")
write("masking.md", SHOW)
case = sys.argv[2]
nav = "index.md, masking.md"
if case == "ablation.md sets it":
    write("ablation.md", f"{START}rate = 0.4\n```\n")
    nav = "index.md, ablation.md, masking.md"
elif case == "ablation.md sets it, after the page in nav":
    write("ablation.md", f"{START}rate = 0.4\n```\n")
    nav = "index.md, masking.md, ablation.md"
elif case == "training.md sets it, before the page in nav":
    write("training.md", f"{START}rate = 0.4\n```\n")
    nav = "index.md, training.md, masking.md"
elif case.startswith("the page sets it"):
    write("masking.md", f"{START}rate = 0.15\n```\n\n{SHOW}")
    assert built(nav) == "shows 0.15"
    write("masking.md", SHOW)
print(f"{case}: {built(nav)}")
PYTHON
number=0
seen=$(
    while read -r case; do
        number=$((number + 1))
        "$folder/venv/bin/python" "$folder/build.py" "$folder/$number" "$case" 2>/dev/null
    done <<'CASES'
alone
ablation.md sets it
ablation.md sets it, after the page in nav
training.md sets it, before the page in nav
the page sets it, then the line is deleted, built again in the same process
CASES
)
echo "$seen"
[ "$seen" = "alone: stops
ablation.md sets it: shows 0.4
ablation.md sets it, after the page in nav: shows 0.4
training.md sets it, before the page in nav: stops
the page sets it, then the line is deleted, built again in the same process: shows 0.15" ]
