"""The site as plain Markdown for other generators; whole sites are compared in tests/browser."""

from __future__ import annotations

import tomllib

import pytest
from markdown import Markdown

from tools.weave.blocks import raw_block
from tools.weave.export import notebook_page, self_contained, zensical_toml
from tools.weave.pages import Lesson

OUTPUT = '<pre class="output">a *b*\n\n<b>c</b>\n\n    d</pre>'


def html(markdown: str) -> str:
    """As any Python-Markdown with the site's extensions shows it."""
    names = ["attr_list", "md_in_html", "pymdownx.superfences", "pymdownx.details"]
    return Markdown(extensions=names).convert(markdown)


def test_an_output_stays_as_it_is_at_the_top_and_in_a_note_that_folds() -> None:
    note = f'??? question "Why *so*, & how?"\n\n    Words.\n{raw_block(OUTPUT, "    ")}\n'
    made = self_contained(f"# Page\n{raw_block(OUTPUT)}\n{note}\nAfter.\n")
    assert "woven" not in made
    shown = html(made)
    assert shown.count(OUTPUT) == 2
    assert '<details class="question">' in shown
    assert "<summary>Why <em>so</em>, &amp; how?</summary>" in shown
    assert "<p>Words.</p>" in shown
    assert shown.endswith("<p>After.</p>")


@pytest.mark.parametrize(
    ("opening", "tag", "title"),
    [
        ("??? note", '<details class="note">', "Note"),
        ('???+ tip "Open"', '<details class="tip" open="open">', "Open"),
    ],
)
def test_a_note_that_folds(opening: str, tag: str, title: str) -> None:
    shown = html(self_contained(f"{opening}\n    One.\n\n    ```python\n    x = 1\n    ```\n"))
    assert f"{tag}\n<summary>{title}</summary>" in shown
    assert "x" in shown
    assert "```" not in shown


def test_what_looks_like_a_note_in_a_fence_is_code() -> None:
    fence = "```text\n??? note\n    x\n```"
    assert self_contained(fence) == fence


def test_links_to_notebooks_lead_to_their_pages_and_downloads_stay() -> None:
    made = self_contained("[a](../examples/one.ipynb#x) [b](../downloads/one.ipynb)\n")
    assert made == "[a](../examples/one.md#x) [b](../downloads/one.ipynb)\n"


def test_an_apostrophe_in_a_title_is_escaped_once() -> None:
    made = self_contained('```python title="one.py: the reader&#x27;s &quot;x&quot;"\nx\n```\n')
    assert made.startswith('```python title="one.py: the reader\'s &quot;x&quot;"\n')


def test_a_notebook_as_a_page(lesson: Lesson) -> None:
    made = notebook_page(lesson.examples["one"], lesson.outcomes["one"], 'A "title"')
    settings, _, text = made.removeprefix("---\n").partition("\n---\n")
    assert 'title: "A \\"title\\""' in settings
    shown = html(text)
    assert "<h1>Words</h1>" in shown
    assert shown.count('<pre class="output"') == 1
    assert shown.count('<figure class="chart">') == 1
    assert shown.count('<li class="claim checked"') == 2


def test_the_settings_are_those_of_the_site() -> None:
    settings = {
        "site_name": "Name",
        "nav": [{"Start": "index.md"}, {"More": ["a.md", {"One": "examples/one.ipynb"}]}],
        "theme": {"name": "material", "features": ["toc.follow"], "font": False},
        "markdown_extensions": ["abbr", {"toc": {"permalink": "¶"}}],
        "extra_javascript": [{"path": "start.js", "defer": True}],
        "hooks": ["hooks.py"],
        "plugins": ["search"],
    }
    project = tomllib.loads(zensical_toml(settings))["project"]
    assert project == {
        "site_name": "Name",
        "docs_dir": "docs",
        "use_directory_urls": False,
        "nav": [{"Start": "index.md"}, {"More": ["a.md", {"One": "examples/one.md"}]}],
        "extra_css": [],
        "extra_javascript": [{"path": "start.js", "defer": True}],
        "theme": {
            "variant": "classic",
            "custom_dir": "theme",
            "features": ["toc.follow"],
            "font": False,
        },
        "markdown_extensions": {"abbr": {}, "toc": {"permalink": "¶"}},
    }
