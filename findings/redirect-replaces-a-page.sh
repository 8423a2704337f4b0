#!/usr/bin/env bash
# mkdocs-redirects 1.2.3 (mkdocs 1.6.1), an old name that is a page again
#
# Guess: a redirect from a name under which there is a page is refused, or warned of, as one to a page
# that does not exist is; at the least the page stays.
# Seen: redirects are written last, over whatever is there. The page is gone from the site, with no
# message, in a strict build, too. The navigation, the search and the sitemap still lead to it, and so to
# the other page. masking.md was once renamed to collator.md, and there is a new masking.md now:
#
#     no redirect: exit 0, masking/: Whole words are masked together.
#     redirect to a missing page: exit 1
#     redirect masking.md -> collator.md: exit 0, masking/: goes to ../collator/
#     found by search: Whole words are masked together.
#
# Check that no key of redirect_maps is the name of a file in docs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  mkdocs-redirects==1.2.3 mkdocs==1.6.1
mkdir "$folder/docs"
cd "$folder"
printf '# A site\n\nSee [masking](masking.md) and [the collator](collator.md).\n' >docs/index.md
printf '# Masking\n\nWhole words are masked together.\n' >docs/masking.md
printf '# Collator\n\nIt pads.\n' >docs/collator.md
built() {
  printf 'site_name: A site\nplugins:\n  - search\n  - redirects:\n' >mkdocs.yml
  printf '      redirect_maps: {%s}\n' "$2" >>mkdocs.yml
  status=0
  venv/bin/mkdocs build --strict >>log 2>&1 || status=$?
  shown=
  if [ "$status" = 0 ]; then
    shown=$(grep --only-matching "Whole words[^<]*\|url=[^\"]*" site/masking/index.html)
    shown=", masking/: ${shown/url=/goes to }"
  fi
  echo "$1: exit $status$shown"
}
seen=$(
  built "no redirect" ""
  built "redirect to a missing page" "'old.md': 'missing.md'"
  built "redirect masking.md -> collator.md" "'masking.md': 'collator.md'"
  echo "found by search: $(grep --only-matching "Whole words[^\"<]*together\." site/search/search_index.json |
    sort --unique)"
)
echo "$seen"
[ "$seen" = 'no redirect: exit 0, masking/: Whole words are masked together.
redirect to a missing page: exit 1
redirect masking.md -> collator.md: exit 0, masking/: goes to ../collator/
found by search: Whole words are masked together.' ]
