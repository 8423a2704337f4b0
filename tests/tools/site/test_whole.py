"""The whole lesson as one file."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.conftest import Project
from tools.site.checks import PageReader
from tools.site.whole import by_night, moved

INSIDE = ("index.html", "a/page.html", "a/other.html")
ADDRESS = "https://example.org/x/"


@pytest.mark.parametrize(
    ("html", "alone", "published"),
    [
        ('<h2 id="b">B</h2>', '<h2 id="a-page--b">B</h2>', None),
        ('<a href="#b">x</a>', '<a href="#a-page--b">x</a>', None),
        ('<a href="other.html#b">x</a>', '<a href="#a-other--b">x</a>', None),
        ('<a href="../index.html">x</a>', '<a href="#index">x</a>', None),
        ('<a href="../no.html#b">x</a>', "<a>x</a>",
         f'<a href="{ADDRESS}no.html#b">x</a>'),
        ('<a class="c" href="../downloads/b.py" download="">x</a>',
         '<a class="c" download="">x</a>',
         f'<a class="c" href="{ADDRESS}downloads/b.py" download="">x</a>'),
        ('<a href="https://example.org/#b">x</a>', '<a href="https://example.org/#b">x</a>', None),
        ('<a href="mailto:b@example.org">x</a>', '<a href="mailto:b@example.org">x</a>', None),
        ('<use xlink:href="#b"/>', '<use xlink:href="#a-page--b"/>', None),
        ('<g clip-path="url(#b)" style="fill: url(#c)"/>',
         '<g clip-path="url(#a-page--b)" style="fill: url(#a-page--c)"/>', None),
        ('<svg aria-labelledby="b c"></svg>', '<svg aria-labelledby="a-page--b a-page--c"></svg>',
         None),
        ('<label for="b"></label>', '<label for="a-page--b"></label>', None),
        ('<div data-id="b" class="id"></div>', '<div data-id="b" class="id"></div>', None),
        ('<code>&lt;p id="b" href="#c"&gt; url(#d)</code>',
         '<code>&lt;p id="b" href="#c"&gt; url(#d)</code>', None),
        ('<h2 id="b">B<a class="headerlink" href="#b" title="t">¶</a></h2>',
         '<h2 id="a-page--b">B</h2>', None),
        ('<p class="widget-note">With\nJavaScript</p>',
         '<p class="widget-note">This part can be tried on the site.</p>',
         '<p class="widget-note">This part can be tried '
         f'<a href="{ADDRESS}a/page.html">on the site</a>.</p>'),
        ('a<p class="take-away">All <a href="b.py">code</a></p>', "a",
         f'a<p class="take-away">All <a href="{ADDRESS}a/b.py">code</a></p>'),
    ],
)  # fmt: skip
def test_ids_are_its_own_and_links_lead_somewhere(
    html: str, alone: str, published: str | None
) -> None:
    assert moved(html, "a/page.html", INSIDE, "") == alone
    assert moved(html, "a/page.html", INSIDE, ADDRESS) == (published or alone)


def test_the_dark_colours_are_those_of_the_dark_scheme() -> None:
    css = (
        '@media screen{[data-md-color-scheme=slate]{--a:1}}\n[data-md-color-scheme="slate"] {b: 2}'
    )
    assert by_night(css + "[data-md-color-scheme=default]{--c:3}p{d:4}") == (
        "@media screen and (prefers-color-scheme: dark) {\n"
        '[data-md-color-scheme="default"] {--a:1}\n'
        '[data-md-color-scheme="default"] {b: 2}\n}'
    )


@pytest.mark.slow
def test_it_has_all_pages_in_the_order_of_the_navigation(
    new_project: Callable[[], Project],
) -> None:
    project = new_project()
    project.write("docs/index.md", "# Start\n\n[B](b/page.md#end), [out](checks.md)\n\n## End\n")
    project.write("docs/b/page.md", "# B page\n\n[Start](../index.md)\n\n## End\n")
    project.write("docs/b/other.md", "# Other\n\n## End\n")
    project.write("docs/checks.md", "# Checks\n\n{{ claims }}\n")
    settings = project.folder / "mkdocs.yml"
    nav = "\nnav: [{Part: [{First: b/other.md}, b/page.md]}, {Home: index.md}, checks.md]\n"
    settings.write_text(settings.read_text("utf-8") + nav, "utf-8")
    ended = project.build()
    assert ended.returncode == 0, ended.stderr
    text = project.page("whole-lesson")
    assert re.findall('<section id="(.*?)">', text) == ["b-other", "b-page", "index"]
    contents = text.partition("<nav")[2].partition("</nav>")[0]
    assert re.findall('(?:group|#[^"]*)">(.*?)<', contents) == ["Part", "First", "B page", "Home"]
    reader = PageReader(text)
    assert {"b-other--end", "b-page--end", "index--end"} < set(reader.ids)
    assert max(reader.ids.values()) == 1
    targets = [target for target, _ in reader.targets]
    assert {"#b-page--end", "#index"} <= set(targets)
    assert all(target.startswith("#") or target.startswith("data:") for target in targets)
    assert "Checks" not in text
    link = '<a href="../whole-lesson.html">The whole lesson as one file</a>'
    assert link in project.page("b/page")
