"""What pages embed: sections and values; what is wrong is told with page and line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from tests.conftest import Workshop
from tests.tools.weave.small_lesson import expand, problem, result
from tools.run.cells import Problem
from tools.run.records import Outcome, Result
from tools.site.checks import _line
from tools.weave import pages
from tools.weave.pages import Lesson, Page


def test_a_section_comes_with_its_output_and_its_claims(lesson: Lesson) -> None:
    page = Page(lesson, Path("page.md"))
    _, code, content = page.expand('a\n\n--8<-- "examples/one.py:first"\n\nb').split("```")
    assert code == 'python title="examples/one.py: first"\nx = 0.123\nprint(x)\n'
    assert content == (
        '\n\n\n<!-- woven -->\n<pre class="output" tabindex="0" aria-label="Output">'
        "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;\n{{ no }} **bold**</pre>"
        '<ul class="claims" aria-label="Checked when this page was built">'
        '<li class="claim checked" id="claim-one-x-is-small-b"><span class="sign">✓</span> '
        "x is <code>small</code> &amp; &lt;b&gt; "
        '<code>x = <data value="0.123" data-bound="1">0.123</data> &lt; 1</code></li>'
        '<li class="claim checked" id="claim-one-x-is-not-zero"><span class="sign">✓</span> '
        "x is not zero <code>x = 0.123 &gt; 0</code></li></ul>"
        "\n<!-- /woven -->\n\n\nb\n"
    )
    assert page.used == ["one"]
    assert lesson.shown == {("one", 0): (Path("page.md"), 3)}


def test_claims_of_the_practice_show_their_numbers_at_once(lesson: Lesson) -> None:
    practice = Page(lesson, Path("docs/practice/page.md"))
    assert "<code>x = 0.123 &lt; 1</code>" in practice.expand('--8<-- "examples/one.py:first"')


def test_code_may_be_folded_and_may_contain_a_fence(lesson: Lesson) -> None:
    shown = expand(lesson, '    --8<-- "examples/one.py:figure"')
    lines = shown.splitlines()
    assert lines[0] == '    ??? code "The code behind this"'
    assert lines[2] == '        ````python title="examples/one.py: figure"'
    assert lines[-3].startswith('    <figure class="chart"><svg xmlns="http://www.w3.org/2000/svg"')
    assert 'role="img" aria-label="a &quot;line&quot;"' in shown
    assert 'width="1pt"' not in shown


@pytest.mark.parametrize("state", ["running", "waiting"])
def test_what_is_not_there_yet_is_pending(
    lesson: Lesson, state: Literal["running", "waiting"]
) -> None:
    lesson.outcomes["one"] = Outcome(state, progress="2 of 12 <b>")
    shown = expand(lesson, '--8<-- "examples/one.py:first"\n\n{{ one.x }}\n')
    assert "x = 0.123" in shown
    assert '<p class="pending" data-pending="one">' in shown
    assert "<span>2 of 12 &lt;b&gt;</span>" in shown
    assert '<span class="pending">…</span>' in shown


def test_an_error_is_shown_at_its_cell_and_values_wait(lesson: Lesson) -> None:
    lesson.outcomes["one"] = Outcome("failed", Result.failed("ValueError: no", cell=1, row=1))
    text = '{{ one.x }}\n\n--8<-- "examples/one.py:first"\n\n--8<-- "examples/one.py:figure"\n'
    shown = Page(lesson, Path("page.md")).expand(text)
    (block,) = shown.split("<!-- woven -->")[1:]  # nothing below the first section
    assert "one.py:12: ValueError: no" in block


def test_a_false_claim_is_shown_as_such_and_the_values_stay(lesson: Lesson) -> None:
    holds, fails = result().claims
    false = (holds, replace(fails, passed=False))
    lesson.outcomes["one"] = Outcome("failed", result(claims=false))
    shown = expand(lesson, '{{ one.n }}\n\n--8<-- "examples/one.py:first"\n')
    assert (
        'class="claim failed" id="claim-one-x-is-not-zero"><span class="sign">✗ false:</span>'
        in shown
    )
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
        ("{{ claims }} ", "{{ opens a value"),
        ("- {{ times }}", "{{ opens a value"),
        ('- --8<-- "examples/one.py:first"', "an include has a line of its own"),
        ('--8<-- "examples/one.txt:first"', "there is no file examples/one.txt"),
        ('--8<-- "latin.txt"', "latin.txt is not UTF-8; save it in that encoding"),
        ("```nosuchlang\nx\n```", "'nosuchlang' is no language"),
        ("`{{ one.x }}` and {{ one.y }}", "examples/one.py leaves no value 'y'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(
    lesson: Lesson, workshop: Workshop, line: str, expected: str
) -> None:
    (workshop.folder / "whole.txt").write_text("words\n")
    (workshop.folder / "latin.txt").write_bytes(b"\xe4\n")
    (workshop.folder / "open.txt").write_text("--8<-- [start:a]\nwords\n--8<-- [end:b]\n")
    (workshop.folder / "turned.txt").write_text("--8<-- [end:a]\nwords\n--8<-- [start:a]\n")
    (workshop.folder.parent / "out.txt").write_text("words\n")
    (workshop.folder / "nested.txt").write_text('words\n--8<-- "open.txt:a"\n')
    found = problem(lesson, f"---\na: b\n---\n# Title\n\nwords\n\n{line}\nwords\n")
    assert found.startswith("8: ")
    assert expected in found


def test_a_fence_that_is_not_closed_is_a_problem_where_it_opens(lesson: Lesson) -> None:
    assert problem(lesson, "words\n\n````text\n```\n{{ one.x }}\n") == (
        "3: this fence is not closed by ````"
    )


def test_nothing_is_filled_into_settings_and_quoted_code(lesson: Lesson) -> None:
    assert problem(lesson, "---\ndescription: {{ one.n }}\n---\n# Page\n").startswith("2: {{ opens")
    lesson.problems.clear()
    quoted = "> ```text\n> {{ no.value }}\n> ```\n"
    assert expand(lesson, quoted) == quoted


def test_a_section_is_shown_once(lesson: Lesson) -> None:
    expand(lesson, '--8<-- "examples/one.py:first"\n')
    page = Page(lesson, Path("other.md"))
    page.expand('\n--8<-- "examples/one.py:first"\n')
    (found,) = lesson.problems
    assert str(found) == 'other.md:2: "examples/one.py:first" is already shown at page.md:1'


def test_why_an_example_cannot_be_read_is_said_where_it_is_shown(lesson: Lesson) -> None:
    broken = Problem(pages.EXAMPLES / "two.py", 3, "not Python")
    lesson.problems.append(broken)
    Page(lesson, Path("page.md")).expand('--8<-- "examples/two.py:first"\n')
    assert lesson.problems[1].message == f"examples/two.py cannot be read: {broken}"


def test_all_problems_of_a_page_are_found(lesson: Lesson) -> None:
    Page(lesson, Path("page.md")).expand('{{ one.y }}\n--8<-- "examples/one.py:no"\n{{ one.z }}\n')
    assert [found.line for found in lesson.problems] == [1, 2, 3]


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
def test_code_is_left_alone(lesson: Lesson, text: str) -> None:
    assert expand(lesson, text) == text + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "```text\nx\n```\n{{ one.n }}",
        "``` `x` ```\n{{ one.n }}",
        "`a` {{ one.n }} `b`",
        "`{{ one.n }}",
    ],
)
def test_what_follows_code_is_not(lesson: Lesson, text: str) -> None:
    assert "12000" in expand(lesson, text)


def test_lines_of_a_page_are_told_as_an_editor_counts_them(
    lesson: Lesson, workshop: Workshop
) -> None:
    (workshop.folder / "part.txt").write_text('a\u2028b --8<-- "no.txt"\n', "utf-8")
    assert expand(lesson, '--8<-- "part.txt"') == 'a\u2028b --8<-- "no.txt"\n'
    page = workshop.folder / "page.md"
    page.write_text("a\u2028\x85\x0c\n[b](gone.md)\n", "utf-8")
    assert _line(page, "gone.html") == 2


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
def test_a_value_is_formatted(lesson: Lesson, text: str, shown: str) -> None:
    title = f'title="{text.strip("{} ").split(":")[0][4:]}, measured by examples/one.py when'
    filled = expand(lesson, f"a {text} b").replace("&#95;", "_")
    assert filled.startswith(f'a <span class="measured" {title}')
    assert filled.endswith(f">{shown}</span> b\n")
