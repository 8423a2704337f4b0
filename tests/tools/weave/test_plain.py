"""Pages as plain Markdown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tools.weave.small_lesson import result
from tools.run.records import Outcome, Result
from tools.weave.pages import Lesson
from tools.weave.plain import PlainPage, escaped, notebook_text, page_of, plain


def expand(lesson: Lesson, text: str) -> str:
    shown = plain(PlainPage(lesson, Path("page.md")).expand(text))
    assert not lesson.problems
    return shown


def test_a_section_has_its_output_and_its_claims_as_text(lesson: Lesson) -> None:
    assert expand(lesson, 'a\n\n--8<-- "examples/one.py:first"\n\nb\n') == (
        'a\n\n```python title="examples/one.py: first"\nx = 0.123\nprint(x)\n```\n\n'
        "```text\n<script>alert('&')</script>\n{{ no }} **bold**\n```\n\n"
        "- ✓ x is `small` \\& \\<b\\> (`x = 0.123 < 1`)\n"
        "- ✓ x is not zero (`x = 0.123 > 0`)\n\nb\n"
    )


def test_a_figure_is_described_and_folded_code_is_not_folded(lesson: Lesson) -> None:
    shown = expand(lesson, '??? note "More"\n\n    --8<-- "examples/one.py:figure"\n')
    assert shown == (
        '**More**\n\n````python title="examples/one.py: figure"\ny = """\n```\n"""\n````\n\n'
        '*Figure: a "line"*\n'
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ one.x:.1% }} of {{ one.n:,}}", "12.3% of 12,000"),
        ("{{ one.word }}", r"\*a\* \_b\_ \`c\` \[d\](e) \<b\> \| \{\{ f.g \}\} \&amp;"),
        (
            "{{ one.passage:tokens }}",
            "`[CLS]` `[MASK]` (masked, was `*a*`) `b` (kept) `d` (random, was `##c`)",
        ),
    ],
)
def test_a_value_is_text_that_markdown_leaves_alone(lesson: Lesson, text: str, shown: str) -> None:
    assert expand(lesson, text) == f"{shown}\n"


def test_what_is_on_its_way_false_or_wrong_is_said(lesson: Lesson) -> None:
    lesson.outcomes["one"] = Outcome("running", progress="half")
    section = '--8<-- "examples/one.py:first"\n\n{{ one.x }}\n'
    assert "*The output of this code is on its way.*\n\n…\n" in expand(lesson, section)
    false = tuple(replace(claim, passed=False) for claim in result().claims)
    lesson.outcomes["one"] = Outcome("failed", result(claims=false))
    assert "- ✗ false: x is not zero (" in expand(lesson, section)
    lesson.outcomes["one"] = Outcome("failed", Result.failed("ValueError: no_t", cell=0))
    shown = plain(PlainPage(Lesson(lesson.examples, lesson.outcomes), Path("p.md")).expand(section))
    assert "**This must not be published:**" in shown
    assert r"ValueError: no\_t" in shown


def test_a_value_that_cannot_be_shown_is_a_problem_and_no_error(lesson: Lesson) -> None:
    shown = PlainPage(lesson, Path("page.md")).expand("{{ one.x:tokens }}\n{{ one.row:tokens }}\n")
    assert [found.line for found in lesson.problems] == [1, 2]
    assert shown.count("**This must not be published:**") == 2


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("---\ndescription: Words\n---\n\n# Page\n", "# Page\n"),
        ("## Head { #head }\n\n`[CLS]` { #cls .x }\n", "## Head\n\n`[CLS]`\n"),
        ("[a](b.md){ .md-button .md-button--primary }\n", "[a](b.md)\n"),
        ('[a](../downloads/b.ipynb){download=""}\n{: .end }\n', "[a](../downloads/b.ipynb)\n"),
        ("[a](../examples/b.ipynb#c)\n", "[a](../examples/b.md#c)\n"),
        ("[a](https://example.org/b.ipynb)\n", "[a](https://example.org/b.ipynb)\n"),
        ("`<b>` `{ #x }` and <b>bold</b>\n", "`<b>` `{ #x }` and bold\n"),
        ("1 < 2 and a <- b &lt; c\n", "1 < 2 and a <- b &lt; c\n"),
        ("\\<b\\> \\{ #a \\}\n", "\\<b\\> \\{ #a \\}\n"),
        ("| <code>A<wbr>b</code> |\n", "| `Ab` |\n"),
        ('<div class="x" markdown>\n\nwords\n\n</div>\n', "words\n"),
        ('a\n\n<p class="widget-note">With\nJavaScript.</p>\n\nb\n', "a\n\nb\n"),
        ('<svg\n x="1"><title id="t">Map</title><desc>From.</desc><g/></svg>\n',
         "*Figure: Map. From.*\n"),
        ("<svg><g/></svg>\n\na\n", "a\n"),
        ("```html\n<b>{ #x }</b>\n\n\n\n??? note\n    x\n```\n\n<i>a</i>\n",
         "```html\n<b>{ #x }</b>\n\n\n\n??? note\n    x\n```\n\na\n"),
        ('!!! warning "Mind"\n\n    a\n\n    b\n\nc\n', "**Mind**\n\na\n\nb\n\nc\n"),
        ('??? a "One"\n\n    b\n\n    ??? a "Two"\n\n        c\n\nd\n',
         "**One**\n\nb\n\n**Two**\n\nc\n\nd\n"),
        ("!!! note\n\n    ```text\n    !!! note\n        x\n    ```\n",
         "```text\n!!! note\n    x\n```\n"),
    ],
)  # fmt: skip
def test_nothing_is_left_that_only_mkdocs_understands(markdown: str, shown: str) -> None:
    assert plain(markdown) == shown


def test_escaped_text_is_one_line_without_marks() -> None:
    assert escaped("a\n *b* \x1b[31m#c") == r"a \*b\* \#c"


def test_a_notebook_is_words_code_and_outputs(lesson: Lesson) -> None:
    shown = notebook_text(lesson.examples["one"], lesson.outcomes["one"])
    assert shown.startswith('# Words\n\n```python title="first"\nx = 0.123\nassert x < 1')
    assert "- ✓ x is not zero (`x = 0.123 > 0`)\n" in shown
    assert '*Figure: a "line"*\n\n```python title="last"\nz = 1\n```\n' in shown


def test_a_page_lies_beside_its_html() -> None:
    assert page_of("examples/one.ipynb") == "examples/one.md"
    assert page_of("a/b.md") == "a/b.md"
