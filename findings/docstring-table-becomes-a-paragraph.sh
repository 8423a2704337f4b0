#!/usr/bin/env bash
# docformatter 1.7.8 (mkdocstrings-python 2.0.11), docstrings in Markdown
#
# Guess: only paragraphs are wrapped. A list and a table stay as they are, or --check names the line.
# Seen: a list stays. A table is wrapped as if it were a paragraph, though each of its lines is short
# enough, and the page shows its bars as text. The build says nothing.
#
#     list: 2 <li> before, 2 after
#     table: 2 <th> before, 0 after
#
# Leave descriptions alone: --wrap-descriptions 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile docformatter==1.7.8 \
  mkdocs==1.6.1 mkdocstrings==1.0.8 mkdocstrings-python==2.0.11
mkdir "$folder/docs"
cd "$folder"
cat >mkdocs.yml <<'YAML'
site_name: A package
markdown_extensions: [tables]
plugins:
  - mkdocstrings:
      handlers:
        python:
          paths: [.]
YAML
cat >tags.py <<'PYTHON'
"""Reads tags."""


def kinds():
    """Lists the schemes.

    - IOB2: begins with B
    - IOBES: ends with E
    """


def schemes():
    """Shows the schemes.

    | Scheme | A name of two words |
    |--------|---------------------|
    | IOB2   | B I                 |
    | IOBES  | B E                 |
    """
PYTHON
for name in kinds schemes; do
  printf '::: tags.%s\n    options:\n      show_source: false\n' "$name" >"docs/$name.md"
done
echo "# A package" >docs/index.md
count() { # how often each page has its element
  venv/bin/mkdocs build --strict --site-dir site >>log 2>&1
  for pair in kinds:li schemes:th; do
    sed -n '/doc-contents/,/<footer/p' "site/${pair%:*}/index.html" | grep --count "<${pair#*:}>" || true
  done
}
read -ra before <<<"$(count | tr '\n' ' ')"
venv/bin/docformatter --in-place tags.py 2>>log || [ $? = 3 ] # 3: it has changed the file
read -ra after <<<"$(count | tr '\n' ' ')"
seen="list: ${before[0]} <li> before, ${after[0]} after
table: ${before[1]} <th> before, ${after[1]} after"
echo "$seen"
[ "$seen" = "list: 2 <li> before, 2 after
table: 2 <th> before, 0 after" ]
