#!/usr/bin/env bash
# pymdown-extensions 13.1, superfences and highlight, with Markdown 3.11.3
#
# Guess: a double quote in a block's title can be escaped with a backslash, or is at worst shown
# with it.
# Seen: the block is no longer a code block. All of it, title included, becomes inline code in a
# paragraph, without an error:
#
#     escaped: <p><code>python title="the \"share\""
#     single: <div class="highlight"><span class="filename">the &#x27;share&#x27;</span>
#
# A page whose titles come from elsewhere (a file name, a section of an example) has to write the
# quote as &quot; and set title_mode="html".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pymdown-extensions==13.1 Markdown==3.11.3 Pygments==2.21.0
cat >"$folder/titles.py" <<'PYTHON'
import markdown

for name, title in (("escaped", '"the \\"share\\""'), ("single", "\"the 'share'\"")):
    page = f"```python title={title}\nx = 1\n```\n"
    html = markdown.markdown(page, extensions=["pymdownx.superfences", "pymdownx.highlight"])
    print(f"{name}:", html.splitlines()[0].partition("<pre>")[0])
PYTHON
seen=$("$folder/venv/bin/python" "$folder/titles.py")
echo "$seen"
[ "$seen" = 'escaped: <p><code>python title="the \"share\""
single: <div class="highlight"><span class="filename">the &#x27;share&#x27;</span>' ]
