"""The text of figures, in which addresses are looked for."""

from __future__ import annotations

from tools.run.problems import text_of_svg


def test_the_text_of_a_figure_is_that_of_its_elements_and_attributes() -> None:
    svg = (
        '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><a href="a&amp;b">'
        "<text>a &lt;<tspan>b</tspan>&gt; \x0bc</text></a></svg>"
    )
    text, link = text_of_svg(svg).split("\n")
    assert text == "a <b> c"
    assert link == "a&b"
