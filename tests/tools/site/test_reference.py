"""The reference: where each name is defined, and links from its first use on a page."""

from __future__ import annotations

import pytest

from tools.site.docstrings import with_fences
from tools.site.reference import bound_in, imports_of, with_links, with_sources

HEADING = '<h3 id="bertlesson.masking.mask_tokens" class="doc doc-heading">x</h3>'
ADDRESSES = (("Kind", "../api/a.html#p.Kind"), ("make_it", "../api/a.html#p.make_it"))
KIND = '<a class="api" href="../api/a.html#p.Kind">Kind</a>'


def test_a_name_has_its_place_and_a_link_only_to_a_known_repository() -> None:
    alone = with_sources(HEADING, "", "main")
    assert alone.startswith(f'{HEADING}<p class="doc-source">src/bertlesson/masking.py, line ')
    assert "href" not in alone
    linked = with_sources(HEADING, "https://example.org/a/b", "abc")
    assert '<a href="https://example.org/a/b/blob/abc/src/bertlesson/masking.py#L' in linked
    method = HEADING.replace("mask_tokens", "MaskingRecipe.keep")
    assert with_sources(method, "https://example.org/a/b", "abc") == method


@pytest.mark.parametrize(
    ("html", "linked"),
    [
        ("<p><code>Kind</code> <code>Kind</code></p>",
         '<p><a href="../api/a.html#p.Kind"><code>Kind</code></a> <code>Kind</code></p>'),
        ("<code>make_it()</code>", '<a href="../api/a.html#p.make_it"><code>make_it()</code></a>'),
        ('<pre><code>x = Kind(Kind)\n</code></pre><code>Kind</code>',
         f"<pre><code>x = {KIND}(Kind)\n</code></pre><code>Kind</code>"),
        ('<pre><code><span class="k">Kind</span></code></pre>',
         f'<pre><code><span class="k">{KIND}</span></code></pre>'),
        ('<pre><code><span class="Kind">x.Kind, Kinds, Kind=1</span></code></pre>', None),
        ("<p>Kind and <code>x.Kind</code></p>", None),
        ('<a href="b.html"><code>Kind</code></a>', None),
        ("<h2><code>Kind</code></h2>", None),
        ('<pre class="output">Kind</pre>', None),
        ('<div class="practice"><pre><code>Kind</code></pre></div>', None),
    ],
)  # fmt: skip
def test_the_first_use_of_a_name_is_a_link(html: str, linked: str | None) -> None:
    assert with_links(html, ADDRESSES) == (linked or html)


def test_without_names_nothing_changes() -> None:
    assert with_links("<code>Kind</code>", ()) == "<code>Kind</code>"


def test_imports_say_which_module_a_name_is_from() -> None:
    text = "import a\nfrom b.c import d, e as f\ndef g():\n    from h import i\nfrom . import j\n"
    assert set(imports_of(text)) == {("d", "b.c"), ("i", "h")}


def test_names_that_a_script_gives_to_its_own_are_found() -> None:
    text = "from b import c\nrow_length = c(1)\nfor at in (): pass\ndef f(x): y = x\nclass A: ...\n"
    assert bound_in(text) == ("A", "at", "f", "row_length", "y")


@pytest.mark.parametrize(
    ("docstring", "shown"),
    [
        ("Words.\n\n>>> f()\n1\n", "Words.\n\n```pycon\n>>> f()\n1\n```\n"),
        ("A.\n\n    >>> f(\n    ...     1)\n    2\n\nB.",
         "A.\n\n    ```pycon\n    >>> f(\n    ...     1)\n    2\n    ```\n\nB."),
        (">>> a\n\n>>> b", "```pycon\n>>> a\n```\n\n```pycon\n>>> b\n```"),
        ("No doctest: a >>> b", "No doctest: a >>> b"),
    ],
)  # fmt: skip
def test_doctests_become_blocks_of_code(docstring: str, shown: str) -> None:
    assert with_fences(docstring) == shown
