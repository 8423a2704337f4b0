#!/usr/bin/env bash
# zensical 0.0.73 with markdown-exec 1.12.6, zensical build after a change of the code
#
# Guess: a build runs the blocks of every page, as mkdocs build does, so that a page shows the
# numbers of the code as it is.
# Seen: a page whose text is as before comes from a cache, and its blocks are not run. A file that
# the page includes as a snippet is noticed, one that its code imports is not. So a site publishes
# code and, beside it, numbers that this code does not give:
#
#     first build: runs rate 0.15, shows RATE = 0.15
#     masking.py changed, built again: runs rate 0.15, shows RATE = 0.4
#     with --strict: runs rate 0.15, shows RATE = 0.4
#     site/ removed: runs rate 0.15, shows RATE = 0.4
#     with --clean: runs rate 0.4, shows RATE = 0.4
#     masking.py and the page changed: runs rate 0.3, shows RATE = 0.3
#
# The build finds no issues. Build with --clean, and keep .cache out of what CI restores.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  zensical==0.0.73 markdown-exec==1.12.6
mkdir -p "$folder/site/docs"
cd "$folder/site"
cat >mkdocs.yml <<'YAML'
site_name: Lesson
plugins: [markdown-exec]
markdown_extensions:
  - pymdownx.superfences
  - pymdownx.snippets: {check_paths: true}
YAML
cat >docs/index.md <<'PAGE'
# Ran

```python exec="1"
import sys
sys.path.insert(0, ".")
import masking
print("rate", masking.RATE)
```
PAGE
cat >docs/source.md <<'PAGE'
# Source

--8<-- "masking.py"
PAGE
build() {
    PYTHONDONTWRITEBYTECODE=1 ../venv/bin/zensical build "$@" >log 2>&1
    local ran shown
    ran=$(grep -o 'rate 0\.[0-9]*' site/index.html)
    shown=$(grep -o 'RATE = 0\.[0-9]*' site/source/index.html)
    echo "runs $ran, shows $shown"
}
seen=$(
    set -e
    echo 'RATE = 0.15' >masking.py
    echo "first build: $(build)"
    echo 'RATE = 0.4' >masking.py
    echo "masking.py changed, built again: $(build)"
    echo "with --strict: $(build --strict)"
    rm -r site
    echo "site/ removed: $(build)"
    echo "with --clean: $(build --clean)"
    echo 'RATE = 0.3' >masking.py
    echo >>docs/index.md
    echo "masking.py and the page changed: $(build)"
)
echo "$seen"
[ "$seen" = "first build: runs rate 0.15, shows RATE = 0.15
masking.py changed, built again: runs rate 0.15, shows RATE = 0.4
with --strict: runs rate 0.15, shows RATE = 0.4
site/ removed: runs rate 0.15, shows RATE = 0.4
with --clean: runs rate 0.4, shows RATE = 0.4
masking.py and the page changed: runs rate 0.3, shows RATE = 0.3" ]
