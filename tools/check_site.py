"""Read the built site as a browser would: links, anchors, ids, and what it would load.

Every problem names the source file and the line where the link is written, if it is in one.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.examples import Problem

# Attributes by which a page loads something by itself (a link in <a> loads nothing).
LOADING = {
    ("img", "src"), ("script", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"),
    ("img", "srcset"), ("video", "src"), ("audio", "src"), ("object", "data"), ("embed", "src"),
}  # fmt: skip
NOT_LOADED = {"canonical", "prev", "next", "alternate"}  # what <link rel> merely names
CSS_URL = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")


class PageReader(HTMLParser):
    """Collects the ids of a page and everything that it points to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.targets: list[tuple[str, bool]] = []  # (URL, whether the page loads it by itself)
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        for name, value in attrs:
            if name == "id" and value is not None:
                self.ids[value] += 1
            loads = (tag, name) in LOADING and values.get("rel") not in NOT_LOADED
            if loads or (tag == "a" and name == "href"):
                self.targets.append((value or "", loads))
            if name == "style" and value:
                self.targets += [(m[1] or m[2], True) for m in CSS_URL.finditer(value)]


def check(site: Path, docs: Path, examples: Path) -> list[Problem]:
    """Everything that is wrong with the links of a built site."""
    read = lru_cache(maxsize=None)(lambda path: PageReader(path.read_text("utf-8")))
    problems = []
    for path in sorted(site.rglob("*.html")):
        source = _source(path.relative_to(site), docs, examples)
        page = read(path)
        for name, count in page.ids.items():
            if count > 1:
                problems.append(Problem(source, _line(source, name), f'the id "{name}" is used twice'))
        for target, loads in dict.fromkeys(page.targets):
            if wrong := _wrong(target, loads, path, site, read):
                problems.append(Problem(source, _line(source, target), f'"{target}" {wrong}'))
    for path in sorted(site.rglob("*.css")):
        for match in CSS_URL.finditer(path.read_text("utf-8")):
            target = match[1] or match[2]
            if urlsplit(target).netloc:
                problems.append(Problem(path, 1, f'"{target}" would be loaded from another host'))
    return problems


def _wrong(target: str, loads: bool, page: Path, site: Path, read: object) -> str | None:
    parts = urlsplit(target)
    if parts.scheme in ("data", "mailto", "javascript"):
        return None
    if parts.netloc or parts.scheme:
        return "would be loaded from another host" if loads else None
    if not target:
        return "is empty: the page would load itself" if loads else "is an empty link"
    path = unquote(parts.path)
    file = page if not path else (site / path.lstrip("/") if path[0] == "/" else page.parent / path)
    if file.is_dir():
        file = file / "index.html"
    if not file.is_file():
        return "leads nowhere"
    fragment = unquote(parts.fragment)
    if fragment and file.suffix == ".html" and fragment not in read(file).ids:  # type: ignore[operator]
        return f'leads to a page without the anchor "{fragment}"'
    return None


def _source(page: Path, docs: Path, examples: Path) -> Path:
    """The file that a page of the site was made from."""
    if page.parts[0] == examples.name and (examples / page.with_suffix(".py").name).exists():
        return examples / page.with_suffix(".py").name
    return docs / page.with_suffix(".md")


def _line(source: Path, text: str) -> int:
    """The first line of the source that holds this target, however the build has rewritten it."""
    if not source.is_file():
        return 1
    lines = source.read_text("utf-8").splitlines()
    bare = text.removesuffix(".html")
    for wanted in (text, bare, bare.rpartition("/")[2], text.partition("#")[2]):
        for number, line in enumerate(lines, 1):
            if wanted and wanted in line:
                return number
    return 1
