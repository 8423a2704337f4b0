#!/usr/bin/env bash
# mdformat-mkdocs[recommended] 5.3.0 (mdformat 1.0.0, mdformat-ruff 0.1.3, mdformat-web 0.2.0)
#
# Guess: a formatter of pages for MkDocs leaves the lines alone with which pymdown-extensions includes
# a file, in a fence, too.
# Seen: it formats the code in fences, and takes such a line for code. In Python, JavaScript and HTML
# the include is gone: the page shows the line instead of the file. A strict build with
# check_paths=true passes, since nothing is included any more.
#
#     python: --8 < --"code.txt"
#     js: --8 < --"code.txt"
#     html: --8&lt;-- "code.txt"
#     css: --8<-- "code.txt"
#     sh: --8<-- "code.txt"
#     pages that show the file, before: 5 of 5, after: 2 of 5
#
# Exclude such pages, or install mdformat-mkdocs without [recommended].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  "mdformat-mkdocs[recommended]==5.3.0" mdformat==1.0.0 mdformat-ruff==0.1.3 mdformat-web==0.2.0 \
  mkdocs==1.6.1 pymdown-extensions==13.1.2
mkdir "$folder/docs"
cd "$folder"
echo "included" >code.txt
cat >mkdocs.yml <<'YAML'
site_name: pages
markdown_extensions:
  - pymdownx.superfences
  - pymdownx.snippets:
      check_paths: true
YAML
fence='```'
languages=(python js html css sh)
for language in "${languages[@]}"; do
  printf '# A page\n\n%s%s\n--8<-- "code.txt"\n%s\n' "$fence" "$language" "$fence" >"docs/$language.md"
done
built() {
  venv/bin/mkdocs build --strict --site-dir site >>log 2>&1
  grep --recursive --files-with-matches ">included\|included</" site --include=index.html |
    grep --count "/.*/"
}
before=$(built)
venv/bin/mdformat docs 2>>log
seen=$(
  for language in "${languages[@]}"; do
    echo "$language: $(grep 8 "docs/$language.md")"
  done
  echo "pages that show the file, before: $before of 5, after: $(built) of 5"
)
echo "$seen"
[ "$seen" = 'python: --8 < --"code.txt"
js: --8 < --"code.txt"
html: --8&lt;-- "code.txt"
css: --8<-- "code.txt"
sh: --8<-- "code.txt"
pages that show the file, before: 5 of 5, after: 2 of 5' ]
