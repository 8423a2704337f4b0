#!/usr/bin/env bash
# mkdocs-llmstxt 0.5.1 (mkdocs 1.6.1, pymdown-extensions 13.1.2), tabs and task lists
#
# Guess: llms-full.txt says what the page says. The label of a tab stands above its text, and a task
# is done or not.
# Seen: labels are removed, and what was in the tabs is joined. Alternatives that exclude each other
# read as steps, one after the other. The boxes of a task list are gone as well. With
# autoclean: false, all labels are one word:
#
#     written: BERT / Pad the rows. / ModernBERT / Unpad the rows. / [x] masking / [ ] decoding
#     llms-full.txt: Pad the rows. / Unpad the rows. / masking / decoding
#     autoclean: false: BERTModernBERT / Pad the rows. / Unpad the rows. / masking / decoding
#
# A strict build says nothing. Write the label into the text of the tab, too, or set autoclean: false
# and move it there with a function given as preprocess (see below; autoclean comes before it).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  mkdocs==1.6.1 mkdocs-llmstxt==0.5.1 pymdown-extensions==13.1.2 markdown==3.11.3
mkdir "$folder/docs"
cat >"$folder/docs/index.md" <<'PAGE'
# Lesson

=== "BERT"

    Pad the rows.

=== "ModernBERT"

    Unpad the rows.

- [x] masking
- [ ] decoding
PAGE
cat >"$folder/label.py" <<'PYTHON'
def preprocess(soup, output):
    for tabs in soup.select(".tabbed-set"):
        labels = [label.get_text() for label in tabs.select(".tabbed-labels label")]
        for label, block in zip(labels, tabs.select(".tabbed-block"), strict=True):
            name = soup.new_tag("p")
            name.string = f"{label}:"
            block.insert(0, name)
        tabs.select_one(".tabbed-labels").decompose()
PYTHON
text() {
    cat >"$folder/mkdocs.yml" <<YAML
site_name: Lesson
site_url: https://example.org/
plugins:
  - llmstxt:
      full_output: llms-full.txt
      sections: {Pages: [index.md]}
$1
markdown_extensions:
  - pymdownx.tasklist
  - pymdownx.tabbed: {alternate_style: true}
YAML
    "$folder/venv/bin/mkdocs" build --strict --config-file "$folder/mkdocs.yml" >"$folder/log" 2>&1
    # The lines of the page, without those that hold no letter
    sed '1,/^# Pages/d; /^# Lesson/d; /[A-Za-z]/!d; s/^- //' "$folder/site/llms-full.txt" |
        paste -sd/ | sed 's: */ *: / :g'
}
seen=$(
    set -e
    echo "llms-full.txt: $(text '')"
    echo "autoclean: false: $(text '      autoclean: false')"
    echo "autoclean: false, labels moved: $(text "      autoclean: false
      preprocess: $folder/label.py")"
)
echo "$seen"
[ "$seen" = "llms-full.txt: Pad the rows. / Unpad the rows. / masking / decoding
autoclean: false: BERTModernBERT / Pad the rows. / Unpad the rows. / masking / decoding
autoclean: false, labels moved: BERT: / Pad the rows. / ModernBERT: / Unpad the rows. / masking / decoding" ]
