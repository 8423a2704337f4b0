#!/usr/bin/env bash
# pymdown-extensions 13.1.2 (mkdocs 1.6.1), snippets with check_paths: true and a range of lines
#
# Guess: with check_paths a page does not build if what it includes is not there, be it a file, a section
# or a range of lines.
# Seen: it holds for the file and the section. A range is a slice: what lies past the end is left out, and
# a range that is all past it is an empty block of code. When an example gets shorter, its page loses
# lines, or all of them, and a strict build passes. Of a file with 6 lines:
#
#     example.py:1:6 -> exit 0, 6 lines
#     example.py:4:9 -> exit 0, 3 lines
#     example.py:8:12 -> exit 0, 0 lines
#     example.py:5:2 -> exit 0, 0 lines
#     example.py:no_such_section -> exit 1
#     no_such_example.py:1:6 -> exit 1
#
# Include sections instead of ranges.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  pymdown-extensions==13.1.2 mkdocs==1.6.1
mkdir "$folder/docs"
cd "$folder"
for line in 1 2 3 4 5 6; do
  echo "print($line)"
done >example.py
cat >mkdocs.yml <<'YAML'
site_name: pages
markdown_extensions:
  - pymdownx.superfences
  - pymdownx.snippets:
      check_paths: true
YAML
seen=$(
  for part in example.py:1:6 example.py:4:9 example.py:8:12 example.py:5:2 \
    example.py:no_such_section no_such_example.py:1:6; do
    printf '# A page\n\n```python\n--8<-- "%s"\n```\n' "$part" >docs/index.md
    status=0
    venv/bin/mkdocs build --strict >>log 2>&1 || status=$?
    lines=
    if [ "$status" = 0 ]; then
      lines=", $(grep --count "print(" site/index.html || true) lines"
    fi
    echo "$part -> exit $status$lines"
  done
)
echo "$seen"
[ "$seen" = 'example.py:1:6 -> exit 0, 6 lines
example.py:4:9 -> exit 0, 3 lines
example.py:8:12 -> exit 0, 0 lines
example.py:5:2 -> exit 0, 0 lines
example.py:no_such_section -> exit 1
no_such_example.py:1:6 -> exit 1' ]
