#!/usr/bin/env bash
# mkdocs-minify-plugin 0.8.0 (mkdocs 1.6.1, csscompressor 0.9.5), minify_css
#
# Guess: a style sheet that is valid before is valid after, and does the same; or a strict build
# refuses it.
# Seen: the spaces around + are removed outside of calc, which makes clamp, min, max and hypot
# invalid. A length of 0 loses its unit in a custom property as well, so that a calc with it is
# invalid. What is published:
#
#     width: clamp(1rem, 1rem + 2vw, 3rem) -> width:clamp(1rem,1rem+2vw,3rem)
#     width: min(100%, 20rem + 2vw) -> width:min(100%,20rem+2vw)
#     width: calc(1rem + 2vw) -> width:calc(1rem + 2vw)
#     --gap: 0px; width: calc(100% - var(--gap)) -> --gap:0;width:calc(100% - var(--gap))
#
# The build says nothing, and a browser leaves out a declaration that is invalid: fluid type is no
# longer fluid, and a width is as if it were not set. Put calc around each sum and write --gap: 0rem,
# or let the server compress.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  mkdocs-minify-plugin==0.8.0 mkdocs==1.6.1 csscompressor==0.9.5
mkdir -p "$folder/docs"
cat >"$folder/mkdocs.yml" <<'YAML'
site_name: A site
extra_css: [page.css]
plugins:
  - minify:
      minify_css: true
      css_files: [page.css]
YAML
echo "# A page" >"$folder/docs/index.md"
cat >"$folder/build.py" <<'PYTHON'
import subprocess
import sys
from pathlib import Path

root = Path(sys.argv[1])
for style in (
    "width: clamp(1rem, 1rem + 2vw, 3rem)",
    "width: min(100%, 20rem + 2vw)",
    "width: calc(1rem + 2vw)",
    "--gap: 0px; width: calc(100% - var(--gap))",
):
    (root / "docs/page.css").write_text(f"main {{ {style} }}\n")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean"]
    subprocess.run([*command, "-f", str(root / "mkdocs.yml")], check=True)
    written = (root / "site/page.min.css").read_text()
    print(style, "->", written.removeprefix("main{").removesuffix("}"))
PYTHON
seen=$(NO_MKDOCS_2_WARNING=1 "$folder/venv/bin/python" "$folder/build.py" "$folder" 2>"$folder/log")
echo "$seen"
[ "$seen" = "width: clamp(1rem, 1rem + 2vw, 3rem) -> width:clamp(1rem,1rem+2vw,3rem)
width: min(100%, 20rem + 2vw) -> width:min(100%,20rem+2vw)
width: calc(1rem + 2vw) -> width:calc(1rem + 2vw)
--gap: 0px; width: calc(100% - var(--gap)) -> --gap:0;width:calc(100% - var(--gap))" ]
