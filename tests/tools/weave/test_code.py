"""Code as a page shows it."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from tests.conftest import ROOT, Workshop
from tools.weave.code import NARROW, check_fence, highlighted, shown_code


def test_code_is_shown_as_python_counts_its_lines(workshop: Workshop) -> None:
    source = (
        's = """\u2028\n\n\n\n\x0c"""\n\n\n\nx = f"""\n\n\n{s}"""\n\n'
        'assert s, "it is there"\n\n\ny = 1'
    )
    (cell,) = workshop.example("one", f"# %%\n{source}\n").cells
    assert cell.source == source
    assert shown_code(cell) == ('s = """\u2028\n\n\n\n\x0c"""\n\nx = f"""\n\n\n{s}"""\n\ny = 1')


def test_code_on_the_line_of_a_claim_is_shown(workshop: Workshop) -> None:
    source = "x = 1; assert x, 'x is true'\nassert x < 2, 'x is small'\ny = 2"
    (cell,) = workshop.example("one", f"# %%\n{source}\n").cells
    assert shown_code(cell) == "x = 1; assert x, 'x is true'\ny = 2"


def test_code_has_no_marks_that_show_nothing() -> None:
    html = highlighted("a < [b]", "python")
    assert '<code>a <span class="o">&lt;</span> [b]\n</code>' in html


def test_a_long_line_of_code_wraps_at_its_indent() -> None:
    long = f"    return {'x' * NARROW}"
    html = highlighted(f"def f():\n{long}\n    short\n", "python")
    (line,) = BeautifulSoup(html, "html.parser").select("span.long")
    assert (line.get_text(), line["style"]) == (long, "--in:4ch")


@pytest.mark.parametrize("path", ["tools/weave/code.py", "docs/assets/bert/bert.js"])
def test_highlighted_code_reads_as_it_is_written(path: str) -> None:
    source = (ROOT / path).read_text("utf-8")
    html = highlighted(source, path.rpartition(".")[2], title='a "title" <b>')
    block = BeautifulSoup(html, "html.parser")
    assert block.select_one("code").get_text() == source  # type: ignore[union-attr]
    assert block.select_one(".filename").get_text() == 'a "title" <b>'  # type: ignore[union-attr]


def test_a_string_of_several_lines_is_marked_line_by_line() -> None:
    html = highlighted("x = '''a\nb'''", "python")
    assert "<span class=\"s1\">'''a</span>\n<span class=\"s1\">b'''</span>" in html


@pytest.mark.parametrize("info", ["", "python", " js ", 'python title="a: b {c}"', "text"])
def test_a_fence_may_name_a_language_and_a_title(info: str) -> None:
    check_fence(info)


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ("nosuchlang", "'nosuchlang' is no language that Pygments knows"),
        ('python hl_lines="1"', "a fence has a language and perhaps a title"),
        ("python title=x", "a fence has a language and perhaps a title"),
        ("{.python}", "a fence has a language and perhaps a title"),
    ],
)
def test_what_a_fence_must_not_have_is_a_problem(info: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_fence(info)
