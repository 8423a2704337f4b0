"""Raw HTML that Markdown leaves as it is."""

from __future__ import annotations

import pytest
from markdown import Markdown

from tools.weave.blocks import WovenMarkdown, raw_block, without_blocks

HTML = (
    '<pre class="output">*a* _b_ [c](d) {{ e }}\n\n    f\n   \n\tg\n'
    "# h\n&lt;i&gt; &amp;amp; --8&lt;-- ```</pre><ul><li>j</li></ul>"
)


def rendered(markdown: str) -> str:
    extensions = ["md_in_html", "attr_list", "admonition", "pymdownx.details", "tables"]
    extensions += ["pymdownx.superfences"]
    made: str = Markdown(extensions=[*extensions, WovenMarkdown()]).convert(markdown)
    return made.replace("&#9;", "\t").replace("&#32;", " ")


@pytest.mark.parametrize(
    ("before", "indent", "after"),
    [
        ("", "", ""),
        ("words\n", "", "\nwords"),
        ("- an item\n", "    ", ""),
        ("1. a list\n\n    - in a list\n", "        ", ""),
        ("!!! note\n\n    words\n", "    ", ""),
        ("??? question\n\n    ??? note\n", "        ", ""),
        ("<div markdown>\n\n??? note\n", "    ", "\n</div>"),
        ("<div markdown>\n", "", "\n</div>"),
        ("| a |\n|---|\n| b |\n", "", ""),
    ],
)
def test_a_block_stays_as_it_is_wherever_it_stands(before: str, indent: str, after: str) -> None:
    html = rendered(f"{before}{raw_block(HTML, indent)}{after}")
    assert HTML in html
    assert f"<p>{HTML}" not in html


def test_a_block_is_plain_html_for_any_markdown() -> None:
    html: str = Markdown().convert(raw_block("<pre>*a*</pre>"))
    assert html == "<!-- woven -->\n<pre>*a*</pre>\n<!-- /woven -->"


def test_a_page_without_its_blocks_has_its_words_left() -> None:
    page = f"a\n{raw_block(HTML)}\n- b\n{raw_block(HTML, '    ')}\nc"
    assert without_blocks(page).split() == ["a", "-", "b", "c"]


def test_a_plain_table_stands_in_a_box_and_one_with_a_class_does_not() -> None:
    table = "| a |\n|---|\n| b |\n"
    html = rendered(f'{table}\n<div class="x" markdown>\n\n{table}\n</div>\n')
    assert html.count("<div><table>") == html.count("</table></div>") == 2
    assert "<div><table" not in rendered('<table class="x"><tr><td>a</td></tr></table>')
    assert "<div><table" not in rendered(f"{table}{{: .x }}")
