#!/usr/bin/env bash
# mkdocs-material 9.8.1 (mkdocs 1.6.1), a page's description in its front matter
#
# Guess: the template escapes what it puts into an attribute, so a description may quote.
# Seen: it is put into content="..." as it is. The attribute ends at the first double quote, and
# what comes after it is read as the names of other attributes. Search engines and previews of
# links get a part of a sentence, and a strict build says nothing:
#
#     written: What "no answer" means for a span
#     read: What
#     read, with &quot;: What "no answer" means for a span
#
# So write &quot;, or other quotation marks, in descriptions (and in site_description).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  mkdocs==1.6.1 mkdocs-material==9.8.1
mkdir "$folder/docs"
cat >"$folder/mkdocs.yml" <<'YAML'
site_name: Spans
theme: {name: material, font: false}
plugins: []
use_directory_urls: false
YAML
written='What "no answer" means for a span'
escaped='What &quot;no answer&quot; means for a span'
printf -- '---\ndescription: %s\n---\n# One\n' "$written" >"$folder/docs/index.md"
printf -- '---\ndescription: %s\n---\n# Two\n' "$escaped" >"$folder/docs/two.md"
NO_MKDOCS_2_WARNING=1 "$folder/venv/bin/mkdocs" build --strict \
  -f "$folder/mkdocs.yml" -d "$folder/site" 2>"$folder/log"
cat >"$folder/read.py" <<'PYTHON'
import sys
from html.parser import HTMLParser


class Description(HTMLParser):
    def handle_starttag(self, tag, attrs):
        if tag == "meta" and dict(attrs).get("name") == "description":
            print(dict(attrs)["content"].strip())


with open(sys.argv[1], encoding="utf-8") as page:
    Description().feed(page.read())
PYTHON
seen="written: $written
read: $("$folder/venv/bin/python" "$folder/read.py" "$folder/site/index.html")
read, with &quot;: $("$folder/venv/bin/python" "$folder/read.py" "$folder/site/two.html")"
echo "$seen"
[ "$seen" = 'written: What "no answer" means for a span
read: What
read, with &quot;: What "no answer" means for a span' ]
