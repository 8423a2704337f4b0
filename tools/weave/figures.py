"""A figure from matplotlib as part of a page: in the page's colours and font, and light."""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tools.run.memo import memoized
from tools.weave import terminal

# The colours of tools/run/matplotlibrc as CSS variables of the page, with themselves as fallback.
COLOURS = {
    "#0072b2": "var(--chart-1, #0072b2)",
    "#d55e00": "var(--chart-2, #d55e00)",
    "#009e73": "var(--chart-3, #009e73)",
    "#cc79a7": "var(--chart-4, #cc79a7)",
    "#b0b0b0": "var(--chart-grid, #b0b0b0)",
    "#000000": "currentColor",
}
GEOMETRY = ("d", "x", "y", "transform")
SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"

ElementTree.register_namespace("", SVG.strip("{}"))
ElementTree.register_namespace("xlink", LINK.partition("}")[0].strip("{"))


@memoized()
def themed_svg(svg: str, name: str, alt: str) -> str:
    """The figure for a page. Detail that nobody sees is left out.

    Coordinates are rounded to hundredths of a point; metadata, groups without attributes and ids
    that nothing refers to are dropped.

    Args:
        svg: What matplotlib has saved.
        name: Makes the ids unique on the page.
        alt: What the figure shows, in words.
    """
    root = ElementTree.fromstring(terminal.plain(svg[svg.index("<svg") :]))
    _drop(root, {f"{SVG}metadata", f"{SVG}style"})
    values = [value for element in root.iter() for value in element.attrib.values()]
    used = {target for value in values for target in _ids(value)}
    for element in root.iter():
        element.attrib = dict(_attributes(element, name, used))
        element.text, element.tail = _one_line(element.text), _one_line(element.tail)
    _unwrap_idle_groups(root)
    for size in ("width", "height"):  # the page decides
        root.attrib.pop(size, None)
    said = {"role": "img", "aria-label": terminal.screen(alt), "fill": "currentColor"}
    root.attrib = said | root.attrib
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")


def _drop(parent: Element, tags: set[str]) -> None:
    for child in list(parent):
        if child.tag in tags:
            parent.remove(child)
        else:
            _drop(child, tags)


def _attributes(element: Element, name: str, used: set[str]) -> list[tuple[str, str]]:
    """The attributes as the page needs them."""
    kept = []
    for key, value in element.items():
        if key == "id":
            if value not in used:
                continue
            value = f"{name}-{value}"
        elif key == "transform" and re.match(r"rotate\(-?0 ", value):
            continue
        elif key in GEOMETRY:
            value = _one_line(re.sub(r"\d+\.\d+", _rounded, value)).strip()
        elif key == "style":
            value = _style(value)
        value = COLOURS.get(value.lower(), value)
        for target in _ids(value):
            value = value.replace(f"#{target}", f"#{name}-{target}")
        kept.append((key, value))
    return kept


def _ids(value: str) -> set[str]:
    """The ids that an attribute refers to, as "#m1" does, and "fill: url(#h1)"."""
    if value.startswith("#") and value.lower() not in COLOURS:
        return {value[1:]}
    return set(re.findall(r"url\(#([^)]+)\)", value))


def _style(style: str) -> str:
    """The declarations with the page's colours and font."""
    declarations = []
    for declaration in style.split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        value = "inherit" if key == "font-family" else COLOURS.get(value.lower(), value)
        declarations.append(f"{key}: {value}")
    return "; ".join(declarations)


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _one_line(text: str | None) -> str:
    return re.sub(r"\s*\n\s*", " ", text or "") if text and text.strip() else ""


def _unwrap_idle_groups(parent: Element) -> None:
    """Put the parts of each group that has no attributes where the group stands."""
    parts: list[Element] = []
    for child in parent:
        _unwrap_idle_groups(child)
        idle = child.tag == f"{SVG}g" and not child.attrib
        parts += list(child) if idle else [child]
    parent[:] = parts
