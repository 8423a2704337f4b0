"""Figures in the colours of a page."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.conftest import ROOT
from tools.weave.figures import COLOURS, themed_svg

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def test_figures_follow_the_scheme_and_their_ids_are_their_own() -> None:
    svg = (
        '<?xml version="1.0"?>\n<!DOCTYPE svg>\n'
        f'<svg {NAMESPACES} width="1.5pt" height="2pt" viewBox="0 0 1 2">'
        "<metadata>x</metadata><style>*{}</style>"
        '<defs><clipPath id="p1"/><path id="m1"/></defs><g id="axes_1">'
        '<path clip-path="url(#p1)" d="M 1.504 2\nz\n" style="stroke: #0072B2"/>'
        '<use xlink:href="#m1"/>'
        "<text style=\"font-family: 'DejaVu Sans', sans-serif; fill: #000000\" "
        'x="1.50212" y="20.001" transform="rotate(-0 1.5 20)">a 1.234 #0072b2</text></g></svg>'
    )
    shown = themed_svg(svg, "one-0-0", "<alt>")
    assert shown == (
        f'<svg {NAMESPACES} role="img" aria-label="&lt;alt&gt;" fill="currentColor" '
        'viewBox="0 0 1 2">'
        '<defs><clipPath id="one-0-0-p1"/><path id="one-0-0-m1"/></defs>'
        '<path clip-path="url(#one-0-0-p1)" d="M 1.5 2 z" style="stroke: var(--chart-1, #0072b2)"/>'
        '<use xlink:href="#one-0-0-m1"/>'
        '<text style="font-family: inherit; fill: currentColor" x="1.5" y="20">'
        "a 1.234 #0072b2</text></svg>"
    )
    ElementTree.fromstring(shown)


def test_a_group_that_says_something_keeps_its_parts_together() -> None:
    inner = '<g clip-path="url(#p)"><path d="M0"/></g>'
    svg = f'<svg {NAMESPACES}><g id="a">\n<g id="b">{inner}</g><path d="M1"/></g></svg>'
    shown = themed_svg(svg, "x", "").replace("#x-p", "#p")
    assert shown.endswith(f'>{inner}<path d="M1"/></svg>')


def test_a_control_character_in_a_title_is_left_out() -> None:
    svg = f"<svg {NAMESPACES}><text>a \x1b[1mbold\x1b[0m \a title</text></svg>"
    assert "<text>a bold  title</text>" in themed_svg(svg, "x", "")


def test_the_colours_of_figures_are_those_of_the_settings() -> None:
    settings = (ROOT / "tools" / "run" / "matplotlibrc").read_text()
    for colour in ("0072b2", "d55e00", "009e73", "cc79a7", "b0b0b0"):
        assert colour in settings
        assert f"#{colour}" in COLOURS


def test_a_hatched_bar_keeps_its_pattern() -> None:
    svg = (
        f'<svg {NAMESPACES}><defs><pattern id="h1"/></defs>'
        '<path style="fill: url(#h1); stroke: #000000"/></svg>'
    )
    shown = themed_svg(svg, "x", "")
    assert '<pattern id="x-h1"/>' in shown
    assert 'style="fill: url(#x-h1); stroke: currentColor"' in shown
