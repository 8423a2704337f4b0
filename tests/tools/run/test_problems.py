"""What must not be published is told with its line: addresses in memory differ in each build."""

from __future__ import annotations

import pytest

from tests.conftest import Workshop
from tools.run.problems import problems_of, text_of_svg

MADE = "# %% [markdown]\n# Words.\n\n# %% made\nclass A: ...\na = A()\n\n# %% shown\n"


ADDRESS = "holds an address in memory, <__main__.A object at 0x…>, which differs in each build"


HOLDS = "the output holds an address in memory,"


LONG = "f" * 44


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 1\nprint(a)", f"10: the output {ADDRESS}"),
        ("print(1)\nprint([a])", f"9: the output {ADDRESS}"),  # which of the two is not known
        ("import textwrap\nprint(textwrap.fill(repr(a), 20))", f"10: the output {ADDRESS}"),
        ("x = 1\nassert a, f'{a} is there'", f"10: the claim {ADDRESS}"),
        ("x = 1\nassert a == a, 'it is itself'", f"10: the claim {ADDRESS}"),
        ("values = {\n    'x': 1,\n    'it': {'deep': [a]},\n}", f"11: the value 'it' {ADDRESS}"),
        ("values = dict(\n    it=a)", f"10: the value 'it' {ADDRESS}"),
        ("values = {}\nvalues['it'] = a", f"10: the value 'it' {ADDRESS}"),
        ("print(lambda: 0)", f"9: {HOLDS} <function <lambda> at 0x…>"),
        ("print((x for x in []))", f"9: {HOLDS} <generator object <genexpr> at 0x…>"),
        ("print(memoryview(b''))", f"9: {HOLDS} <memory at 0x…>"),
        ("import sys\nprint(sys._getframe())", f"10: {HOLDS} <frame at 0x…>"),
        (f"def {LONG}(): ...\n\nvalues = {{'it': {LONG}}}", "11: the value 'it' holds"),
        ("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.set_title(repr(a))\n"
         "fig.set_label('a title')", f"9: the figure {ADDRESS}"),
        ("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nfig.set_label(repr(a))",
         f"9: the figure {ADDRESS}"),
    ],
)  # fmt: skip
def test_an_address_in_memory_is_told_with_its_line(
    workshop: Workshop, code: str, expected: str
) -> None:
    found, *more = workshop.problems("one", f"{MADE}{code}\n")
    assert not more
    assert found.startswith(f"one.py:{expected}")


@pytest.mark.parametrize(
    "text",
    ["0x1f", "at 0xdeadbeef", "a < 3, read at 0xdeadbeef", "<p at 0x1f>", "<b>x</b> at 0x7fa1b2c3"],
)
def test_other_numbers_are_no_addresses(workshop: Workshop, text: str) -> None:
    assert not workshop.problems("one", f"# %%\nprint({text!r})\nvalues = {{'x': {text!r}}}\n")


def test_what_two_builds_would_show_differently_is_not_kept(workshop: Workshop) -> None:
    example = workshop.example("one", "# %%\nprint(object())\n")
    (outcome,) = workshop.run(example)
    assert outcome.state == "failed"
    assert not list((workshop.folder / "cache").glob("one-*.json"))


def test_lines_are_told_for_the_text_as_it_is_now(workshop: Workshop) -> None:
    text = "# %% code\nx = 1\nassert x > 2, 'large'\n"
    runner = workshop.runner()
    runner.want([workshop.example("one", text)])
    runner.wait()
    moved = workshop.example("one", f"# %% [markdown]\n# Words.\n\n{text}")
    ((_, problem),) = problems_of(moved, runner.outcome(moved).result)
    assert problem.line == 6


def test_the_text_of_a_figure_is_that_of_its_elements_and_attributes() -> None:
    svg = (
        '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><a href="a&amp;b">'
        "<text>a &lt;<tspan>b</tspan>&gt; \x0bc</text></a></svg>"
    )
    text, link = text_of_svg(svg).split("\n")
    assert text == "a <b> c"
    assert link == "a&b"
