#!/usr/bin/env bash
# pymdown-extensions 13.1: superfences and highlight, with use_pygments: false
#
# Guess: without Pygments a fence loses its colours, and perhaps its title.
# Seen: a fence with title, hl_lines or linenums is no fence any more. Its first line and its code
# become inline code in a paragraph, with no warning, not even in a strict build:
#
#     Pygments: <span class="filename">a name</span>
#     no Pygments: <p><code>python title="a name"
#     no Pygments, in braces: <pre class="highlight"><code class="language-python" title="a name">
#
# The switch is meant for sites that highlight in the browser. With the options in braces,
# ``` { .python title="a name" }, the fence stays one, and the title becomes an attribute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pymdown-extensions==13.1 markdown==3.11.3 pygments==2.21.0 pyyaml==6.0.3
cat >"$folder/fence.py" <<'PYTHON'
from markdown import Markdown

PLAIN = '```python title="a name"\nx = 1\n```'
BRACES = '``` { .python title="a name" }\nx = 1\n```'
EXTENSIONS = ["attr_list", "pymdownx.highlight", "pymdownx.superfences"]

cases = {"Pygments": (True, PLAIN), "no Pygments": (False, PLAIN)}
cases["no Pygments, in braces"] = (False, BRACES)
for name, (use_pygments, fence) in cases.items():
    settings = {"pymdownx.highlight": {"use_pygments": use_pygments}}
    html = Markdown(extensions=EXTENSIONS, extension_configs=settings).convert(fence)
    first = html.split("\n")[0].removeprefix('<div class="highlight">')
    print(f"{name}: {first.partition('<pre><span>')[0].partition('x = 1')[0]}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/fence.py")
echo "$seen"
[ "$seen" = 'Pygments: <span class="filename">a name</span>
no Pygments: <p><code>python title="a name"
no Pygments, in braces: <pre class="highlight"><code class="language-python" title="a name">' ]
