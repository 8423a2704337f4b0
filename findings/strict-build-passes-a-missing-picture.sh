#!/usr/bin/env bash
# zensical 0.0.73 and mkdocs 1.6.1 (mkdocs-material 9.8.2), build --strict
#
# Guess: a site that moves from MkDocs keeps mkdocs.yml, and what failed a strict build still does. Both
# stop at a link to a page that is not there.
# Seen: zensical looks at links to pages only, and only at those that are written in the page itself. A
# picture that is missing, a page that is missing in nav, and a broken link in a part that several pages
# include are published, and settings of validation, or names of settings, that it does not know are
# passed over:
#
#     broken link: mkdocs stops, zensical stops
#     broken link in a tab: mkdocs stops, zensical stops
#     broken link in a snippet: mkdocs stops, zensical passes
#     missing picture: mkdocs stops, zensical passes
#     missing page in nav: mkdocs stops, zensical passes
#     page outside of nav, omitted_files: warn: mkdocs stops, zensical passes
#     a misspelled setting: mkdocs stops, zensical passes
#
# It says "No issues found" where it passes. Build with mkdocs --strict in CI, too, as long as you can,
# or check the links of what was built.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  zensical==0.0.73 mkdocs==1.6.1 mkdocs-material==9.8.2 pymdown-extensions==13.1.2
mkdir "$folder/site"
cd "$folder/site"
printf 'See [the page](missing.md).\n' >part.txt
built() {
  rm -rf docs site .cache
  mkdir docs
  printf '# A site\n\n%b\n' "$2" >docs/index.md
  if [ "$3" = "validation: {nav: {omitted_files: warn}}" ]; then
    printf '# Masking\n' >docs/masking.md
  fi
  cat >mkdocs.yml <<YAML
site_name: A site
site_url: https://example.org/
theme: {name: material}
markdown_extensions:
  - pymdownx.snippets: {base_path: [.], check_paths: true}
  - pymdownx.tabbed: {alternate_style: true}
nav: [index.md$4]
$3
YAML
  result=
  for tool in mkdocs zensical; do
    status=passes
    ../venv/bin/$tool build --strict >>../log 2>../errors || status=stops
    cat ../errors >>../log
    result="$result, $tool $status"
  done
  echo "$1: ${result#, }"
}
seen=$(
  built "broken link" "See [the page](missing.md)." "" ""
  built "broken link in a tab" '=== "BERT"\n\n    See [the page](missing.md).' "" ""
  built "broken link in a snippet" '--8<-- "part.txt"' "" ""
  built "missing picture" "![the loss](missing.png)" "" ""
  built "missing page in nav" "Words." "" ", missing.md"
  built "page outside of nav, omitted_files: warn" "Words." "validation: {nav: {omitted_files: warn}}" ""
  built "a misspelled setting" "Words." "exclude_doc: drafts/" ""
)
echo "$seen"
[ "$seen" = "broken link: mkdocs stops, zensical stops
broken link in a tab: mkdocs stops, zensical stops
broken link in a snippet: mkdocs stops, zensical passes
missing picture: mkdocs stops, zensical passes
missing page in nav: mkdocs stops, zensical passes
page outside of nav, omitted_files: warn: mkdocs stops, zensical passes
a misspelled setting: mkdocs stops, zensical passes" ]
