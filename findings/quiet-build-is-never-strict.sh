#!/usr/bin/env bash
# mkdocs 1.6.1, mkdocs build --strict --quiet
#
# Guess: --quiet says less, and --strict fails all the same: a broken link ends the build with exit
# status 1.
# Seen: --quiet sets the level of the logger, not that of what is shown. Strict mode counts the
# warnings that are logged, and none is. The build with the broken link passes and is published:
#
#     build: exit 0
#     build --strict: exit 1
#     build --strict --quiet: exit 0
#     build --quiet, strict: true in mkdocs.yml: exit 0
#
# So leave --quiet out where the exit status decides, and send the messages to a file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mkdocs==1.6.1
mkdir "$folder/docs"
printf '# Masking\n\n[The loss](loss.md)\n' >"$folder/docs/index.md"
printf 'site_name: Masking\nplugins: []\n' >"$folder/mkdocs.yml"
sed '$a strict: true' "$folder/mkdocs.yml" >"$folder/strict.yml"
build() {
    local name=$1 status=0
    shift
    "$folder/venv/bin/mkdocs" build -d "$folder/site" "$@" >"$folder/log" 2>&1 || status=$?
    echo "$name: exit $status"
}
seen=$(
    build build -f "$folder/mkdocs.yml"
    build "build --strict" -f "$folder/mkdocs.yml" --strict
    build "build --strict --quiet" -f "$folder/mkdocs.yml" --strict --quiet
    build "build --quiet, strict: true in mkdocs.yml" -f "$folder/strict.yml" --quiet
)
echo "$seen"
[ "$seen" = "build: exit 0
build --strict: exit 1
build --strict --quiet: exit 0
build --quiet, strict: true in mkdocs.yml: exit 0" ]
