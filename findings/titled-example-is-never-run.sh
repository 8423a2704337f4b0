#!/usr/bin/env bash
# Seven tools that run the Python examples of a Markdown page (versions below)
#
# Guess: whatever a site shows as a Python example is run: a fence with a title, one in a tab or in
# a list, one whose language is in braces.
# Seen: each tool knows other fences. Four of the seven leave out a fence with a title, and two do
# not look into a tab. What is not run is not reported. Every example of this page writes its name
# when it is run, and all seven end with success:
#
#     mktestdocs: plain tab list
#     pytest-examples: plain titled tab list
#     sybil: plain tab list
#     pytest-codeblocks: plain tab list
#     pytest-markdown-docs: plain titled list
#     doccmd: plain tab list
#     phmdoctest: plain titled list
#
# Titles and tabs are what a site of Material for MkDocs is written with. So count the fences of the
# page and the examples that ran, and compare.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  mktestdocs==0.2.5 pytest-examples==0.0.18 sybil==9.3.0 pytest-codeblocks==0.18.0 \
  pytest-markdown-docs==0.9.2 doccmd==2026.2.27.1 phmdoctest==1.4.0 \
  pytest==9.2.0 black==26.10.1 ruff==0.17.6
mkdir "$folder/sybil"
cd "$folder"
cat >page.md <<'PAGE'
# Masking

```python
open("ran", "a").write("plain ")
```

```python title="mask.py"
open("ran", "a").write("titled ")
```

=== "PyTorch"

    ```python
    open("ran", "a").write("tab ")
    ```

``` { .python .annotate }
open("ran", "a").write("braces ")
```

- In a list:

    ```python
    open("ran", "a").write("list ")
    ```
PAGE
cat >test_mktestdocs.py <<'PYTHON'
from mktestdocs import check_md_file


def test():
    check_md_file("page.md")
PYTHON
cat >test_examples.py <<'PYTHON'
import pytest
from pytest_examples import find_examples


@pytest.mark.parametrize("example", list(find_examples("page.md")), ids=str)
def test(example, eval_example):
    eval_example.run(example)
PYTHON
cat >sybil/conftest.py <<'PYTHON'
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

pytest_collect_file = Sybil(parsers=[PythonCodeBlockParser()], pattern="*.md").pytest()
PYTHON
cp page.md sybil
python=$folder/venv/bin/python
venv/bin/phmdoctest page.md --outfile test_phmdoctest.py >/dev/null
ran() {
    local name=$1
    shift
    rm -f ran
    "$@" >log 2>&1
    echo "$name: $(sed 's/ $//' ran)"
}
seen=$(
    set -e
    ran mktestdocs "$python" -m pytest test_mktestdocs.py
    ran pytest-examples "$python" -m pytest test_examples.py
    (cd sybil && ran sybil "$python" -m pytest page.md)
    ran pytest-codeblocks "$python" -m pytest --codeblocks page.md
    ran pytest-markdown-docs "$python" -m pytest --markdown-docs page.md
    ran doccmd venv/bin/doccmd --language python --command "$python" page.md
    ran phmdoctest "$python" -m pytest test_phmdoctest.py
)
echo "$seen"
[ "$seen" = "mktestdocs: plain tab list
pytest-examples: plain titled tab list
sybil: plain tab list
pytest-codeblocks: plain tab list
pytest-markdown-docs: plain titled list
doccmd: plain tab list
phmdoctest: plain titled list" ]
