"""What pages embed: sections, values and claims; what is wrong is told with page and line."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any, Literal
from zipfile import ZipFile

import nbformat
import pytest

from tests.conftest import ROOT, Project, Workshop, article, menu
from tools.run.records import Claim, Figure, Outcome, Plain, Result, Text
from tools.site.checks import PageReader, _line
from tools.weave import pages, render

CODE = '''
# %% [markdown]
# # Words

# %% first
x = 0.123
assert x < 1, "x is `small` & <b>"
assert x > 0, "x is not zero"
print(x)

# %% figure tags=["hide-input"]
y = """
```
"""

# %% last
z = 1
'''

VALUES: dict[str, Plain] = {
    "x": 0.1234,
    "n": 12_000,
    "word": "*a* _b_ `c` [d](e) <b> | {{ f.g }} &amp;",
    "row": [1, 2],
    "passage": [
        {"piece": "[CLS]"},
        {"piece": "*a*", "seen": "[MASK]", "fate": "masked", "segment": "A"},
        {"piece": "b", "seen": "b", "fate": "kept", "segment": "B"},
        {"piece": "##c", "seen": "d", "fate": "random"},
    ],
}


def result(**changes: Any) -> Result:
    claims = (
        Claim(0, 1, "x is `small` & <b>", True, ("x", "1"), ("<",), (0.123, 1)),
        Claim(0, 2, "x is not zero", True, ("x", "0"), (">",), (0.123, 0)),
    )
    svg = '<svg width="1pt" height="1pt" viewBox="0 0 1 1"><g/></svg>'
    shown = Text("<script>alert('&')</script>\n{{ no }} **bold**\n")
    outputs = ((shown,), (Figure(svg, 'a "line"'),), ())
    return replace(Result(outputs, claims, VALUES), **changes)


@pytest.fixture
def site(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> pages.Site:
    example = workshop.example("one", CODE)
    monkeypatch.setattr(pages, "ROOT", workshop.folder)
    monkeypatch.setattr(pages, "EXAMPLES", workshop.folder / "examples")
    return pages.Site({"one": example}, {"one": Outcome("done", result())})


def page_of(site: pages.Site, name: str = "page") -> pages.Page:
    return pages.Page(site, Path(f"{name}.md"))


def expand(site: pages.Site, text: str) -> str:
    """The page's Markdown with its slots filled; there must be no problem."""
    page = page_of(site)
    filled = page.fill(page.expand(text))
    assert not site.problems, site.problems
    return filled


def problem(site: pages.Site, text: str, **options: Any) -> str:
    """The only problem of a page, as line: message."""
    page = page_of(site)
    shown = page.fill(page.expand(text, **options))
    (found,) = site.problems
    assert render.problem_html(str(found)) in shown  # where it stands
    return f"{found.line}: {found.message}"


# Sections


def test_a_section_comes_with_its_output_and_its_claims(site: pages.Site) -> None:
    page = page_of(site)
    _, code, _ = page.expand('a\n\n--8<-- "examples/one.py:first"\n\nb').split("```")
    assert code == 'python title="examples/one.py: first"\nx = 0.123\nprint(x)\n'
    (content,) = page.slots.values()
    assert content == (
        '<pre class="output" tabindex="0" aria-label="Output">'
        "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;\n{{ no }} **bold**</pre>"
        '<ul class="claims" aria-label="Checked when this page was built">'
        '<li class="claim checked" id="claim-one-1"><span class="sign">✓</span> '
        "x is <code>small</code> &amp; &lt;b&gt; <code>x = 0.123 &lt; 1</code></li>"
        '<li class="claim checked" id="claim-one-2"><span class="sign">✓</span> '
        "x is not zero <code>x = 0.123 &gt; 0</code></li></ul>"
    )
    assert page.used == ["one"]
    assert site.shown == {("one", 0): (Path("page.md"), 3)}


def test_code_may_be_folded_and_may_contain_a_fence(site: pages.Site) -> None:
    shown = expand(site, '    --8<-- "examples/one.py:figure"')
    lines = shown.splitlines()
    assert lines[0] == '    ??? code "The code behind this"'
    assert lines[2] == '        ````python title="examples/one.py: figure"'
    assert '<figure class="chart"><svg role="img" aria-label="a &quot;line&quot;"' in shown
    assert 'width="1pt"' not in shown


def test_code_is_shown_as_python_counts_its_lines(workshop: Workshop) -> None:
    source = (
        's = """\u2028\n\n\n\n\x0c"""\n\n\n\nx = f"""\n\n\n{s}"""\n\n'
        'assert s, "it is there"\n\n\ny = 1'
    )
    (cell,) = workshop.example("one", f"# %%\n{source}\n").cells
    assert cell.source == source
    assert render.shown_code(cell) == (
        's = """\u2028\n\n\n\n\x0c"""\n\nx = f"""\n\n\n{s}"""\n\ny = 1'
    )


def test_figures_follow_the_scheme_and_their_ids_are_their_own() -> None:
    svg = (
        '<?xml version="1.0"?>\n<!DOCTYPE svg>\n<svg width="1.5pt" height="2pt" viewBox="0 0 1 2">'
        "<metadata>x</metadata><style>*{}</style>"
        '<defs><clipPath id="p1"/><path id="m1"/></defs><g id="axes_1">'
        '<path clip-path="url(#p1)" style="stroke: #0072B2"/><use xlink:href="#m1"/>'
        "<text style=\"font-family: 'DejaVu Sans', sans-serif; fill: #000000\" "
        'x="1.50212" y="20.001" transform="rotate(-0 1.5 20)">a 1.234</text></g></svg>'
    )
    assert render.themed_svg(svg, "one-0-0", "<alt>") == (
        '<svg role="img" aria-label="&lt;alt&gt;" fill="currentColor" viewBox="0 0 1 2">'
        '<defs><clipPath id="one-0-0-p1"/><path id="one-0-0-m1"/></defs>'
        '<path clip-path="url(#one-0-0-p1)" style="stroke: var(--chart-1, #0072b2)"/>'
        '<use xlink:href="#one-0-0-m1"/>'
        '<text style="font-family: inherit; fill: currentColor" x="1.5" y="20">a 1.234</text>'
        "</svg>"
    )


def test_a_group_that_says_something_keeps_its_parts_together() -> None:
    inner = '<g clip-path="url(#p)"><path d="M0"/></g>'
    svg = f'<svg ><g id="a"><g id="b">{inner}</g><path d="M1"/></g></svg>'
    shown = render.themed_svg(svg, "x", "").replace("#x-p", "#p")
    assert shown.endswith(f'>{inner}<path d="M1"/></svg>')


def test_code_has_no_marks_that_show_nothing() -> None:
    code = '<span class="n">a</span><span class="o">&lt;</span><span class="p">[</span>'
    assert render.lighter_code(code) == 'a<span class="o">&lt;</span>['


def test_a_long_line_of_code_wraps_at_its_indent_and_reads_as_before() -> None:
    long = f'    <span class="k">return</span> {"x" * render.NARROW}'
    page = f"<pre><span></span><code>def f():\n{long}\n    short\n</code></pre><p>text</p>"
    wrapping = render.wrapping_code(page)
    assert f'<span class="long" style="--in:4ch">{long}</span>\n    short' in wrapping
    assert wrapping.count('class="long"') == 1
    plain = [re.sub("<[^>]+>", "", html) for html in (page, wrapping)]
    assert plain[0] == plain[1]


def test_a_wide_output_says_how_many_columns_it_has() -> None:
    assert 'style="--columns:50"' in render.text_output("short\n" + "<" * 50)
    assert "style" not in render.text_output("x" * render.NARROW)


def test_a_plain_table_stands_in_a_box_and_one_with_a_class_does_not() -> None:
    page = '<table class="x"><tr></table>\n<table>\n<tr></table> <table></table>'
    framed = (
        '<table class="x"><tr></table>\n<div><table>\n<tr></table></div> <div><table></table></div>'
    )
    assert render.framed_tables(page) == framed


def test_the_colours_of_figures_are_those_of_the_settings() -> None:
    settings = (ROOT / "tools" / "run" / "matplotlibrc").read_text()
    for colour in ("0072b2", "d55e00", "009e73", "cc79a7", "b0b0b0"):
        assert colour in settings
        assert f"#{colour}" in render.COLOURS


@pytest.mark.parametrize("state", ["running", "waiting"])
def test_what_is_not_there_yet_is_pending(
    site: pages.Site, state: Literal["running", "waiting"]
) -> None:
    site.outcomes["one"] = Outcome(state, progress="2 of 12 <b>")
    shown = expand(site, '--8<-- "examples/one.py:first"\n\n{{ one.x }}\n')
    assert "x = 0.123" in shown
    assert '<p class="pending" data-pending="one">' in shown
    assert "<span>2 of 12 &lt;b&gt;</span>" in shown
    assert '<span class="pending">…</span>' in shown


def test_an_error_is_shown_at_its_cell_and_values_wait(site: pages.Site) -> None:
    site.outcomes["one"] = Outcome("failed", Result.failed("ValueError: no", cell=1, row=1))
    text = '{{ one.x }}\n\n--8<-- "examples/one.py:first"\n\n--8<-- "examples/one.py:figure"\n'
    page = page_of(site)
    page.expand(text)
    first, second = page.slots.values()
    assert first == ""
    assert "one.py:12: ValueError: no" in second


def test_a_false_claim_is_shown_as_such_and_the_values_stay(site: pages.Site) -> None:
    holds, fails = result().claims
    false = (holds, replace(fails, passed=False))
    site.outcomes["one"] = Outcome("failed", result(claims=false))
    shown = expand(site, '{{ one.n }}\n\n--8<-- "examples/one.py:first"\n')
    assert 'class="claim failed" id="claim-one-2"><span class="sign">✗ false:</span>' in shown
    assert "12000" in shown


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('--8<-- "examples/one.py:frist"',
         'examples/one.py has no section "frist"; it has "first", "figure", "last"'),
        ('--8<-- "examples/one.py"', 'name a section of examples/one.py, as in "examples/one.py:'),
        ('--8<-- "examples/two.py:first"', "there is no examples/two.py; there are: one"),
        ("--8<-- 'examples/two.py:first'", "there is no examples/two.py"),
        ("  -8<-  'examples/two.py:first' ", "there is no examples/two.py"),
        ('--8<-- "src/no.py:first"', '"src/no.py:first": there is no file src/no.py'),
        ('--8<-- "https://example.org/x.py"', "there is no file https"),
        ('--8<-- "whole.txt:a"', '"whole.txt:a": whole.txt has no "--8<-- [start:a]"'),
        ('--8<-- "open.txt:a"', '"open.txt:a": open.txt has no "--8<-- [end:a]"'),
        ('--8<-- "open.txt:a-b"', 'open.txt has no "--8<-- [start:a-b]"'),
        ('--8<-- "nested.txt"', '"open.txt:a": open.txt has no "--8<-- [end:a]"'),
        ('--8<-- "whole.txt:a b"', '"whole.txt:a b": only the sections of examples have spaces'),
        ('--8<-- "whole.txt:1:2"', '"whole.txt:1:2": name a section, because line numbers'),
        ('--8<-- "turned.txt:a"', 'turned.txt has no "--8<-- [end:a]" after its start'),
        ('--8<-- "../out.txt"', "there is no file ../out.txt in this project"),
        ("--8<--", "an include is one line"),
        ('--8<--"whole.txt"', "an include is one line"),
        ("--8<-- whole.txt", "an include is one line"),
        ("{{ one.y }}", "examples/one.py leaves no value 'y'; it has x, n, word, row, passage"),
        ("{{ two.x }}", "there is no examples/two.py"),
        ("{{ one.x:.1q }}", "{{ one.x:.1q }}: 0.1234 cannot be shown as '.1q'"),
        ("{{ one.word:.1f }}", "cannot be shown as '.1f'"),
        ("{{ one.x:tokens }}", "{{ one.x:tokens }}: 0.1234 cannot be shown as 'tokens'"),
        ("{{ one.row:tokens }}", "cannot be shown as 'tokens'"),
        ("{{ one.x }", "{{ opens a value"),
        ("{{ one }}", "{{ opens a value"),
        ("{{ one.x | round }}", "{{ opens a value"),
        ("See {{ claims }}", "{{ opens a value"),
        ("`{{ one.x }}` and {{ one.y }}", "examples/one.py leaves no value 'y'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(
    site: pages.Site, workshop: Workshop, line: str, expected: str
) -> None:
    (workshop.folder / "whole.txt").write_text("words\n")
    (workshop.folder / "open.txt").write_text("--8<-- [start:a]\nwords\n--8<-- [end:b]\n")
    (workshop.folder / "turned.txt").write_text("--8<-- [end:a]\nwords\n--8<-- [start:a]\n")
    (workshop.folder.parent / "out.txt").write_text("words\n")
    (workshop.folder / "nested.txt").write_text('words\n--8<-- "open.txt:a"\n')
    found = problem(site, f"# Title\n\nwords\n{line}\nwords\n", first_line=5)
    assert found.startswith("8: ")
    assert expected in found


def test_a_section_is_shown_once(site: pages.Site) -> None:
    expand(site, '--8<-- "examples/one.py:first"\n')
    page = page_of(site, "other")
    page.expand('\n--8<-- "examples/one.py:first"\n')
    (found,) = site.problems
    assert str(found) == 'other.md:2: "examples/one.py:first" is already shown at page.md:1'


def test_why_an_example_cannot_be_read_is_said_where_it_is_shown(site: pages.Site) -> None:
    broken = pages.Problem(pages.EXAMPLES / "two.py", 3, "not Python")
    site.problems.append(broken)
    page_of(site).expand('--8<-- "examples/two.py:first"\n')
    assert site.problems[1].message == f"examples/two.py cannot be read: {broken}"


def test_all_problems_of_a_page_are_found(site: pages.Site) -> None:
    page_of(site).expand('{{ one.y }}\n--8<-- "examples/one.py:no"\n{{ one.z }}\n')
    assert [found.line for found in site.problems] == [1, 2, 3]


def test_other_snippets_are_left_to_their_extension(site: pages.Site, workshop: Workshop) -> None:
    (workshop.folder / "part.txt").write_text("# --8<-- [start: a]\nx\n# -8<- [end:a]\n")
    lines = ['```text\n--8<-- "part.txt:a"\n```', '  --8<-- "part.txt"', ';--8<-- "no.txt"']
    for line in lines:
        assert expand(site, line) == line + "\n"


def test_snippets_that_include_each_other_end(site: pages.Site, workshop: Workshop) -> None:
    (workshop.folder / "a.txt").write_text('--8<-- "b.txt"\n')
    (workshop.folder / "b.txt").write_text('--8<-- "a.txt"\n')
    expand(site, '--8<-- "a.txt"\n')


# Fences and code spans


@pytest.mark.parametrize(
    "text",
    [
        "```text\n{{ no.value }}\n```",
        "~~~text\n{{ no.value }}\n```\n{{ no.value }}\n~~~",
        "````text\n```\n{{ no.value }}\n```\n{{ no.value }}\n````",
        "    ```text\n    {{ no.value }}\n    ```",
        "A `{{ no.value }}` and ``{{ ` }}`` here",
    ],
)
def test_code_is_left_alone(site: pages.Site, text: str) -> None:
    assert expand(site, text) == text + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "```text\nx\n```\n{{ one.n }}",
        "``` `x` ```\n{{ one.n }}",
        "`a` {{ one.n }} `b`",
        "`{{ one.n }}",
    ],
)
def test_what_follows_code_is_not(site: pages.Site, text: str) -> None:
    assert "12000" in expand(site, text)


def test_lines_of_a_page_are_told_as_an_editor_counts_them(
    site: pages.Site, workshop: Workshop
) -> None:
    (workshop.folder / "part.txt").write_text('a\u2028b --8<-- "no.txt"\n', "utf-8")
    assert expand(site, '--8<-- "part.txt"') == '--8<-- "part.txt"\n'
    page = workshop.folder / "page.md"
    page.write_text("a\u2028\x85\x0c\n[b](gone.md)\n", "utf-8")
    assert _line(page, "gone.html") == 2


# Values


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ one.x }}", "0.1234"),
        ("{{one.x}}", "0.1234"),
        ("{{ one.x:.1% }}", "12.3%"),
        ("{{ one.n:,}}", "12,000"),
        ("{{ one.row }}", "&#91;1, 2&#93;"),
    ],
)
def test_a_value_is_formatted(site: pages.Site, text: str, shown: str) -> None:
    title = f'title="{text.strip("{} ").split(":")[0][4:]}, measured by examples/one.py when'
    filled = expand(site, f"a {text} b").replace("&#95;", "_")
    assert filled.startswith(f'a <span class="measured" {title}')
    assert filled.endswith(f">{shown}</span> b\n")


# Claims


def test_all_claims_are_listed_with_their_values_and_their_page(site: pages.Site) -> None:
    expand(site, '--8<-- "examples/one.py:first"\n')
    listed = pages.claims_html(site, lambda page, anchor: f"{page.stem}.html#{anchor}")
    assert '<h2 id="claims-one"><code>examples/one.py</code></h2>' in listed
    found = re.findall(r"<code>(x = [^<]*)</code> <a href=\"([^\"]*)\"", listed)
    assert found == [
        ("x = 0.123 &lt; 1", "page.html#claim-one-1"),
        ("x = 0.123 &gt; 0", "page.html#claim-one-2"),
    ]


def test_claims_that_no_page_shows_are_listed_too(site: pages.Site) -> None:
    listed = pages.claims_html(site, lambda page, anchor: "no")
    assert listed.count('<li class="claim checked"') == 2
    assert "<a" not in listed


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        (Outcome("running", progress="half"), '<p class="pending" data-pending="one">'),
        (Outcome("failed", Result.failed("ValueError: no")), "one.py:5: ValueError: no"),
        (Outcome("done", result(claims=())), "<p>No claims.</p>"),
    ],
)
def test_what_there_is_instead_of_claims(site: pages.Site, outcome: Outcome, shown: str) -> None:
    site.outcomes["one"] = outcome
    assert shown in pages.claims_html(site, lambda page, anchor: "")


# Notebooks


def test_a_notebook_is_valid_and_complete(site: pages.Site) -> None:
    text = render.notebook(site.examples["one"], site.outcomes["one"])
    assert text == render.notebook(site.examples["one"], site.outcomes["one"])
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    words, first, figure, last = notebook.cells
    assert (words.cell_type, words.source) == ("markdown", "# Words")
    assert first.source.splitlines()[1] == 'assert x < 1, "x is `small` & <b>"'
    assert first.outputs[0].text.startswith("<script>")
    assert "x is not zero <code>x = 0.123 &gt; 0</code>" in first.outputs[1].data["text/html"]
    assert "✓ x is small & <b> x = 0.123 < 1" in first.outputs[1].data["text/plain"]
    assert figure.outputs[0].data["image/svg+xml"].startswith("<svg")
    assert figure.outputs[0].data["text/plain"] == 'a "line"'
    assert [cell.execution_count for cell in (first, figure, last)] == [1, 2, 3]


def test_a_pending_notebook_says_so_and_a_failed_one_why(site: pages.Site) -> None:
    example = site.examples["one"]
    pending = nbformat.reads(render.notebook(example, Outcome("running")), as_version=4)
    assert "on their way" in pending.cells[1].source
    failed = Outcome("failed", Result.failed("ValueError: no", cell=2))
    (output,) = nbformat.reads(render.notebook(example, failed), as_version=4).cells[3].outputs
    assert "ValueError: no" in output.data["text/html"]


# Whole builds

GOOD = {
    "docs/index.md": "# Start\n\n[The page](page.md), [its end](page.md#the-end).\n",
    "docs/checks.md": "# Checks\n\n{{ claims }}\n",
    "docs/page.md": """
        ---
        description: Words
        ---

        # Page

        | a | b |
        |---|---|
        | {{ one.word }} | {{ one.n:,}} |

        {{ one.passage:tokens }}

        --8<-- "examples/one.py:code"

        !!! note

            --8<-- "examples/one.py:figure"

        1. In a list

            --8<-- "examples/one.py:folded"

        <div class="box" markdown>

        ??? question "Folded in a box"

            --8<-- "examples/one.py:boxed"

        </div>

        ## The end
        """,
    "examples/one.py": """
        # %% [markdown]
        # # One
        # To [the page](../page.md#the-end), [the other](two.ipynb) and [out](https://example.org).
        #
        # ## Twice
        # ## Twice

        # %% code
        values = VALUES
        print("<script>alert('&')</script>", "**bold**", "{{ no.value }}", "äöü → 😀")
        print("--8<-- 'no.txt'")
        print("long " * 200)
        assert len(values) == 5, "there are *five* `values` & <b>"

        # %% figure
        import matplotlib.pyplot as plt

        fig, ax = plt.subplots()
        ax.plot([1, 2])
        fig.set_label("a rising line")

        # %% folded tags=["hide-input"]
        fig, ax = plt.subplots()
        ax.bar(["a", "b"], [1, 2])
        fig.set_label("two bars")

        # %% boxed
        print("in the box")
        """.replace("VALUES", repr(VALUES)),
    "examples/two.py": "# %% [markdown]\n# # Two\n\n# %%\nassert 2 > 1, 'two is more'\n"
    "with open('two.bin', 'wb') as file:\n    file.write(bytes(range(256)))\n",
}

# What a page or a notebook could take amiss
ODD = {
    "docs/index.md": "# Start\n",
    "docs/odd.md": """
        # Odd

        | Before | Value | After |
        |---|---|---|
        | x | {{ odd.coloured }} | y |

        --8<-- "examples/odd.py:a "title" it's {select=0.15}"

        --8<-- "examples/odd.py:drawn"
        """,
    "examples/odd.py": r"""
        # %% [markdown]
        # # Another heading than its name

        # %% a "title" it's {select=0.15}
        # !pip install is a comment
        print("\033[31mred\033[0m, a bell \a and a nul \0")
        print("\r 50%|█ | 1/2\r100%|██| 2/2")
        text = "LINE"
        assert len(text) == 3, "a \033[1mbold\033[0m \a claim"
        assert text + "\033" > "", "it has values"
        values = {"coloured": "\033[31mred\033[0m\n\n# and more"}

        # %% drawn
        import matplotlib.pyplot as plt

        fig, ax = plt.subplots()
        ax.set_title("a \a title")
        fig.set_label("an \033[1mold\033[0m \a label")
        """.replace("LINE", "a\u2028b"),
}
NAVIGATION = """
nav:
  - index.md
  - The page: odd.md
  - Examples: [The example: examples/odd.ipynb]
"""

ONE_PAGE = "# Page\n\nwords\n\n{}\n\n## The end\n"
TWO = "# %% [markdown]\n# # Two\n# {}\n\n# %% code\nx = 1\n\n# %% more\n{}\n"

# What each breaks, and what the build must say
BROKEN = {
    "an error": (
        {"docs/page.md": ONE_PAGE.format('--8<-- "examples/two.py:more"'),
         "examples/two.py": TWO.format("", "y = 2\nx / 0")},
        "docs/page.md:5: shows examples/two.py:10: ZeroDivisionError: division by zero",
    ),
    "an error of a section that no page shows": (
        {"examples/two.py": TWO.format("", "x / 0")},
        "examples/two.py:9: ZeroDivisionError: division by zero",
    ),
    "a false claim": (
        {"docs/page.md": ONE_PAGE.format('--8<-- "examples/two.py:code"'),
         "examples/two.py": TWO.format("", "assert x > 1.5, 'x is large'")},
        "docs/page.md:5: shows examples/two.py:9: claim is false: x is large (x = 1 > 1.5)",
    ),
    "a script that is no example": (
        {"examples/two.py": "x = 1\n"}, "examples/two.py:1: an example starts with a cell",
    ),
    "a file that two examples leave": (
        {"examples/two.py": TWO.format("", "open('one.py', 'w').close()")},
        'examples/two.py:1: another example also leaves a file "one.py"',
    ),
    "a missing section": (
        {"docs/page.md": ONE_PAGE.format('--8<-- "examples/two.py:no"')},
        'docs/page.md:5: examples/two.py has no section "no"',
    ),
    "an unknown value": (
        {"docs/page.md": ONE_PAGE.format("a {{ one.no }}")},
        "docs/page.md:5: examples/one.py leaves no value 'no'",
    ),
    "a missing end": (
        {"docs/page.md": ONE_PAGE.format('--8<-- "part.txt:a"'),
         "part.txt": "--8<-- [start:a]\nwords\n"},
        'docs/page.md:5: "part.txt:a": part.txt has no "--8<-- [end:a]"',
    ),
    "a wrong path": (
        {"docs/page.md": ONE_PAGE.format('```python\n--8<-- "src/no.py"\n```')},
        'docs/page.md:6: "src/no.py": there is no file src/no.py',
    ),
    "a broken link": (
        {"docs/page.md": ONE_PAGE.format("no.md is [here](no.md)")},
        'docs/page.md:5: "no.md" leads nowhere',
    ),
    "a broken anchor": (
        {"docs/page.md": ONE_PAGE.format("[here](#no)")},
        'docs/page.md:5: "#no" leads to a page without the anchor "no"',
    ),
    "a broken anchor of another page": (
        {"docs/page.md": ONE_PAGE.format("[here](index.md#no)")},
        'docs/page.md:5: "index.html#no" leads to a page without the anchor "no"',
    ),
    "an empty link": (
        {"docs/page.md": ONE_PAGE.format("[here]()")}, 'docs/page.md:5: "" is an empty link',
    ),
    "a broken link of an example": (
        {"examples/two.py": TWO.format("[here](../no.md)", "x")},
        'examples/two.py:3: "../no.md" leads nowhere',
    ),
    "a missing image": (
        {"docs/page.md": ONE_PAGE.format("![alt](no.png)")},
        'docs/page.md:5: "no.png" leads nowhere',
    ),
    "an id used twice": (
        {"docs/page.md": ONE_PAGE.format('<p id="the-end">a</p>')},
        'docs/page.md:5: the id "the-end" is used 2 times',
    ),
    "an image of another host": (
        {"docs/page.md": ONE_PAGE.format("![alt](https://example.org/a.png)")},
        'docs/page.md:5: "https://example.org/a.png" would be loaded from another host',
    ),
    "a script of another host": (
        {"docs/page.md": ONE_PAGE.format('<script src="//example.org/a.js"></script>')},
        'docs/page.md:5: "//example.org/a.js" would be loaded from another host',
    ),
    "an import from another host": (
        {"docs/page.md": ONE_PAGE.format(
            '<script type="module">import x from "https://example.org/a.js"</script>')},
        'docs/page.md:5: "https://example.org/a.js" would be loaded from another host',
    ),
    "a style of another host": (
        {"docs/page.md": ONE_PAGE.format('<p style="background: url(//example.org/a.png)">a</p>')},
        'docs/page.md:5: "//example.org/a.png" would be loaded from another host',
    ),
    "a style sheet of another host": (
        {"docs/assets/lesson.css": '@import "https://example.org/a.css";\n'},
        'lesson.css:1: "https://example.org/a.css" would be loaded from another host',
    ),
    "a drawing for which a script is fetched": (
        {"docs/page.md": ONE_PAGE.format('<pre class="mermaid">a</pre>')},
        '"https://unpkg.com/mermaid" would be loaded from another host',
    ),
}  # fmt: skip

# Builds in one process what would take two seconds each in processes of their own.
BUILD_ALL = """
import io, json, logging, sys
from pathlib import Path
from mkdocs.commands.build import build
from mkdocs.config import load_config

cases, results = json.load(sys.stdin), {}
for name, files in cases.items():
    before = {}
    for path, text in files.items():
        before[path] = Path(path).read_text() if Path(path).exists() else None
        Path(path).write_text(text)
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logging.getLogger("mkdocs").addHandler(handler)
    try:
        build(load_config("mkdocs.yml", site_dir="broken-site"))
        error = None
    except BaseException as caught:
        error = repr(caught)
    logging.getLogger("mkdocs").removeHandler(handler)
    results[name] = {"error": error, "said": said.getvalue()}
    for path, text in before.items():
        Path(path).unlink() if text is None else Path(path).write_text(text)
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def project(new_project: Callable[[], Project]) -> Project:
    made = new_project()
    for path, text in GOOD.items():
        made.write(path, text)
    return made


@pytest.fixture(scope="module")
def good(project: Project) -> Project:
    ended = project.build()
    assert ended.returncode == 0, ended.stderr
    return project


@pytest.fixture(scope="module")
def odd(new_project: Callable[[], Project]) -> Project:
    made = new_project()
    for path, text in ODD.items():
        made.write(path, text)
    settings = made.folder / "mkdocs.yml"
    settings.write_text(settings.read_text("utf-8") + NAVIGATION, "utf-8")
    ended = made.build()
    assert ended.returncode == 0, ended.stderr
    return made


@pytest.fixture(scope="module")
def broken(good: Project) -> dict[str, dict[str, str]]:
    """What the build of each broken site ended with and said; and of the good one."""
    cases = {name: files for name, (files, _) in BROKEN.items()} | {"nothing": {}}
    ended = subprocess.run(
        [sys.executable, "-c", BUILD_ALL],
        cwd=good.folder,
        env=good.environment,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    results: dict[str, dict[str, str]] = json.loads(ended.stdout.splitlines()[-1])
    return results


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_site_is_not_built(broken: dict[str, dict[str, str]], name: str) -> None:
    expected = BROKEN[name][1]
    assert broken[name]["error"] == ("Abort('Aborted with a BuildError!')"), broken[name]
    first, *_, last = broken[name]["said"].splitlines()
    assert expected in first
    assert last == "a problem, listed above, must be fixed before this is published"


def test_the_same_site_unbroken_is_built(broken: dict[str, dict[str, str]]) -> None:
    assert broken["nothing"]["error"] is None


def test_a_failed_build_ends_with_an_error_strict_or_not(good: Project) -> None:
    page = good.folder / "docs" / "page.md"
    before = page.read_text()
    page.write_text(before.replace("one.py:code", "one.py:no") + "\n{{ one.no }}\n")
    try:
        ended = good.build("--no-strict", "-d", "broken-site")
    finally:
        page.write_text(before)
    assert ended.returncode != 0
    assert 'docs/page.md:13: examples/one.py has no section "no"' in ended.stderr
    assert "docs/page.md:33: examples/one.py leaves no value 'no'" in ended.stderr
    assert "2 problems" in ended.stderr


def test_outputs_and_values_come_out_unharmed(good: Project) -> None:
    text = article(good.page())
    shown = "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt; **bold** {{ no.value }} äöü → 😀"
    output = re.search(r'aria-label="Output" style="--columns:\d+">(.*?)</pre>', text, re.S)
    assert output
    assert output[1].startswith(f"{shown}\n--8&lt;-- &#x27;no.txt&#x27;\nlong long")
    assert "there are *five* <code>values</code> &amp; &lt;b&gt;" in text
    assert "<script>alert" not in text
    cells = re.findall(r"<td>(.*?)</td>", text)
    word = re.sub("<[^>]+>", "", cells[0])
    assert len(cells) == 2
    assert unescape(word) == VALUES["word"]
    assert "12,000" in cells[1]


def test_no_page_has_a_control_character_and_both_show_the_same(odd: Project) -> None:
    site = odd.folder / "site"
    for path in [*site.rglob("*.html"), *site.glob("search/*"), *site.glob("downloads/*.ipynb")]:
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", path.read_text("utf-8")), path
    page, notebook = article(odd.page("odd")), article(odd.page("examples/odd"))
    for text in (page, notebook):
        assert re.findall(r'<pre class="output"[^>]*>([^<]*)</pre>', text) == [
            "red, a bell  and a nul \n100%|██| 2/2"
        ]
        assert "a bold  claim <code>len(text) = 3 = 3</code>" in text
        assert 'aria-label="an old  label"' in text
        assert ">a  title</text>" in text
    assert re.findall("<td>(.*?)</td>", re.sub("</?span[^>]*>", "", unescape(page))) == [
        "x", "red # and more", "y"
    ]  # fmt: skip


def test_a_title_and_a_comment_are_shown_as_they_are_written(odd: Project) -> None:
    text = article(odd.page("odd"))
    title = re.search('<span class="filename">(.*?)</span>', text)
    assert title
    assert unescape(title[1]) == """examples/odd.py: a "title" it's {select=0.15}"""
    code = unescape(re.sub("<[^>]+>", "", text))
    assert "# !pip install is a comment\nprint(" in code
    assert 'text = "a\u2028b"\nvalues = ' in code


def test_the_menu_names_notebooks_as_the_navigation_does(odd: Project) -> None:
    assert menu(odd.page("index")) == {
        "index.html": "Start",
        "odd.html": "The page",
        "examples/odd.html": "The example",
    }
    page = odd.page("examples/odd")
    assert "<title>The example - BERT, part two</title>" in page
    assert "Another heading than its name" in article(page)


def test_every_page_leads_to_the_licence_and_the_wheel_has_it(good: Project) -> None:
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert licence.startswith("MIT License\n\nCopyright (c) 2026 The authors of BERT, part two\n")
    site = good.folder / "site"
    assert (site / "downloads" / "LICENSE.txt").read_text("utf-8") == licence
    for path in site.rglob("*.html"):
        footer = path.read_text("utf-8").partition('<div class="md-copyright">')[2]
        link = re.search('href="([^"]*LICENSE.txt)">MIT licence</a>', footer)
        assert link, path
        if path.name != "404.html":  # which may be shown in any folder
            assert (path.parent / link[1]).is_file()
    (wheel,) = (site / "downloads").glob("*.whl")
    with ZipFile(wheel) as packed:
        inside = {name.partition(".dist-info/")[2]: name for name in packed.namelist()}
        assert packed.read(inside["licenses/LICENSE"]).decode() == licence
        metadata = packed.read(inside["METADATA"]).decode().splitlines()
    assert {"License-Expression: MIT", "License-File: LICENSE"} <= set(metadata)


def test_tokens_are_drawn_with_their_fates(good: Project) -> None:
    (row,) = re.findall(r'<p><span class="tokens">(.*)</span></p>', article(good.page()))
    assert unescape(row) == (
        '<span class="token structural">[CLS]</span> '
        '<span class="token masked segment-a">'
        '<i role="img" aria-label="masked" title="masked">▢</i> '
        "<b>[MASK]</b> <s>*a*</s></span> "
        '<span class="token kept segment-b">'
        '<i role="img" aria-label="kept" title="kept">=</i> b</span> '
        '<span class="token random"><i role="img" aria-label="random" title="random">⇄</i> '
        "<b>d</b> <s>##c</s></span>"
    )


def test_sections_stand_well_inside_of_lists_and_notes(good: Project) -> None:
    text = article(good.page())
    assert "⟦" not in text
    assert not re.search(r"<p>\s*<(pre|ul|figure|div)", text)
    note = text.partition('<div class="admonition note">')[2].partition("<ol>")[0]
    assert 'aria-label="a rising line"' in note
    assert '<details class="code">' in text.partition("<ol>")[2]
    box = text.partition('<div class="box">')[2].partition("</div>\n</details>")[0]
    assert 'aria-label="Output">in the box</pre>' in box


def test_the_wheel_follows_the_package_and_is_the_same_each_time(
    new_project: Callable[[], Project],
) -> None:
    project = new_project()
    module = project.write("src/bertlesson/__init__.py", "")

    def digest() -> str:
        folder = project.folder / ".cache" / "wheel"
        (kept,) = folder.iterdir()
        (wheel,) = kept.iterdir()
        return hashlib.sha256(wheel.read_bytes()).hexdigest()

    def built() -> str:
        ended = subprocess.run(
            [sys.executable, "-c", "from tools.site import wheel; wheel.build()"],
            cwd=project.folder,
            capture_output=True,
            text=True,
        )
        return ended.stderr.splitlines()[-1] if ended.returncode else digest()

    first = built()
    module.rename(module.with_name("other.py"))
    renamed = built()
    assert renamed != first
    module.with_name("other.py").rename(module)
    assert built() == first
    (project.folder / "pyproject.toml").write_text("[project\n")
    assert "pyproject.toml:1: setuptools cannot build the package" in built()


def test_a_page_leads_to_its_examples_and_they_are_there(good: Project) -> None:
    end = good.page().partition('class="take-away"')[2].partition("</p>")[0]
    links = re.findall('href="([^"]*)"', end)
    assert links == [
        "examples/one.html",
        "downloads/one.py",
        "downloads/one.ipynb",
        "downloads/bertlesson-0.1.0-py3-none-any.whl",
        "downloads/LICENSE.txt",
    ]
    script = (good.folder / "site" / "downloads" / "one.py").read_text()
    assert script == (good.folder / "examples" / "one.py").read_text()
    notebook = nbformat.read(good.folder / "site" / "downloads" / "one.ipynb", as_version=4)
    nbformat.validate(notebook)


def test_what_an_example_leaves_in_its_folder_is_published(good: Project) -> None:
    left = good.folder / "site" / "downloads" / "two.bin"
    assert left.read_bytes() == bytes(range(256))


def test_the_notebook_page_is_part_of_the_site(good: Project) -> None:
    text = good.page("examples/one")
    words = article(text)
    reader = PageReader(text)
    assert max(reader.ids.values()) == 1
    assert {"one", "twice", "twice_1", "claim-one-1"} <= set(reader.ids)
    targets = [target for target, _ in PageReader(words).targets]
    assert targets[:4] == ["#one", "../page.html#the-end", "two.html", "https://example.org"]
    assert {"#twice", "#twice_1"} <= set(targets)
    assert words.count("<svg") == 2
    assert "var(--chart-1, #0072b2)" in words
    assert "<script>alert('&')</script> **bold** {{ no.value }}" in unescape(words)
    assert "<script>alert" not in words
    assert "jp-" not in text
    assert len(text.encode()) < 120_000


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_two_builds_are_byte_identical_cold_and_from_another_folder(
    good: Project, new_project: Callable[[], Project], tmp_path: Path
) -> None:
    other = new_project()
    for path, text in GOOD.items():
        other.write(path, text)
    ended = other.build(cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert not list(tmp_path.iterdir())
    good.build()
    first, second = files_of(good.folder / "site"), files_of(other.folder / "site")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    places = [str(folder).encode() for folder in (other.folder, Path.home(), Path(sys.prefix))]
    assert not [name for name, content in second.items() for p in places if p in content]


def test_the_console_shows_progress_example_by_example(good: Project) -> None:
    example = good.folder / "examples" / "two.py"
    example.write_text(example.read_text() + "\n# %% new\nx = 1\n")
    ended = good.build()
    assert "examples/two.py: cell 1 of 2" in ended.stderr
    assert "examples/two.py: done in 0 s (2 of 2)" in ended.stderr
    assert "examples/one.py" not in ended.stderr  # it is not run again
