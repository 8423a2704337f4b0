"""Each asset of the built site is used: a page, a style or a script leads to it."""

from __future__ import annotations

import json
import os.path
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tools.site.checks import PageReader, css_urls

COMMENT = re.compile(r"/\*.*?\*/|(?<=[\s;,{}(])//[^\n]*", re.DOTALL)
# What a script fetches: its imports, addresses that are made of a text, and the map of its lines.
FETCHED = re.compile(
    r"""\bfrom\s*"([^"]+)"|\bimport\s*\(?\s*"([^"]+)"|new URL\(\s*"([^"]+)"|"([\w./-]+\.json)\""""
)
STYLE = re.compile(r'addStyle\("([\w-]+)"\)')  # a style that widgets share, by its name
MAP = re.compile(r"^//# sourceMappingURL=(\S+)", re.MULTILINE)
WIDGET = re.compile(r'data-widget="([\w-]+)"')
SETTINGS = re.compile(r'<script id="__config" type="application/json">(.*?)</script>', re.DOTALL)


def of_page(html: str) -> Iterator[str]:
    """What a page leads to. Its widgets are fetched by name, and the search by Material."""
    yield from (target for target, _ in PageReader(html).targets)
    for settings in SETTINGS.findall(html):
        read = json.loads(settings)
        yield read["search"]
        for name in {*WIDGET.findall(html)}:
            for suffix in (".js", ".css"):
                yield f"{read['base']}/assets/widgets/{name}{suffix}"


def of_script(text: str) -> Iterator[str]:
    bare = COMMENT.sub("", text)
    for found in FETCHED.finditer(bare):
        yield next(group for group in found.groups() if group)
    yield from (f"{name}.css" for name in STYLE.findall(bare))
    yield from MAP.findall(text)


READ: dict[str, Callable[[str], Iterator[str]]] = {
    ".html": of_page,
    ".css": lambda text: iter(css_urls(text)),
    ".js": of_script,
}


def unused(site: Path) -> list[str]:
    """The files under assets/ to which nothing leads from any page."""
    files = {os.path.normpath(path) for path in site.rglob("*") if path.is_file()}
    reached = {name for name in files if name.endswith(".html")}
    ahead = sorted(reached)
    while ahead:
        file = Path(ahead.pop())
        if read := READ.get(file.suffix):
            for target in read(file.read_text("utf-8")):
                path = urlsplit(target).path
                found = os.path.normpath(file.parent / path) if path else ""
                if found in files - reached:
                    reached.add(found)
                    ahead.append(found)
    assets = os.path.normpath(site / "assets")
    left = (name for name in files - reached if name.startswith(assets))
    return sorted(Path(name).relative_to(site).as_posix() for name in left)


def test_every_asset_is_used(site: Path) -> None:
    left = unused(site)
    assert not left, f"no page, style or script leads to {', '.join(left)}; use it or delete it"


@pytest.mark.parametrize(
    ("page", "script", "left"),
    [
        ('<script src="assets/a.js"></script>', "", ["b.js", "c.css", "d.svg"]),
        ('<script src="assets/a.js"></script>', 'import "./b.js";', ["c.css", "d.svg"]),
        ('<script src="assets/a.js"></script>', 'import {b} from "./b.js";', ["c.css", "d.svg"]),
        (
            '<script src="assets/a.js"></script>',
            '/** @type {import("./b.js").B} */ // import "./b.js"',
            ["b.js", "c.css", "d.svg"],
        ),
        ('<link rel="stylesheet" href="assets/c.css">', "", ["a.js", "b.js"]),
        ('<script src="assets/a.js"></script>', 'addStyle("c");', ["b.js"]),
        ('<img src="assets/d.svg#x" alt="">', "", ["a.js", "b.js", "c.css"]),
    ],
)
def test_an_asset_that_nothing_leads_to_is_found(
    tmp_path: Path, page: str, script: str, left: list[str]
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(page)
    for name, text in {"a.js": script, "b.js": "", "c.css": "p { background: url(d.svg) }"}.items():
        (tmp_path / "assets" / name).write_text(text)
    (tmp_path / "assets" / "d.svg").touch()
    assert unused(tmp_path) == [f"assets/{name}" for name in left]
