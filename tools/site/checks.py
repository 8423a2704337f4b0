"""Check the built site as a browser would see it: links, anchors, ids, and what it would load.

Every problem names the source file and the line of the link, if a source contains it.
"""

from __future__ import annotations

import os.path
import re
from collections import Counter
from collections.abc import Callable, Iterator, Set
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from tools.run.cells import Problem
from tools.run.memo import memoized
from tools.site import whole
from tools.weave.outputs import problem_html

# Attributes whose URLs an element loads without a click (a link in <a> loads nothing).
LOADING = {"src", "srcset", "poster", "data"}
LOADING_LINKS = {"link", "image", "use", "feimage"}  # elements whose href is loaded
NOT_LOADED = {"canonical", "prev", "next", "alternate"}  # what <link rel> merely names
CSS_URL = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")
SCRIPT_URL = re.compile(r"""(?:\b(?:import|from|fetch)\b|\.src\s*=)[\s(]*["'`]([^"'`]+)""")

ARTICLE = '<article class="md-content__inner md-typeset">'  # where the theme puts a page's content
# Tags that say nothing here. Two thirds are, and a regular expression skips them in no time.
BARE = re.compile(
    r"""</(?:a|b|code|div|em|g|li|p|pre|small|span|strong|td|text|tr|ul)>"""
    r"""|<(?:b|code|div|em|g|li|p|pre|small|span|strong|td|tr|ul)"""
    r"""(?: class="(?![^"]*mermaid)[^"]*")?>"""
)
EMPTY_LINK = re.compile(r"""\]\(\s*\)|(?:href|src)=(?:""|'')""")


class PageReader(HTMLParser):
    """Collects the ids of a page and every URL that it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.targets: list[tuple[str, bool]] = []  # (URL, whether the page loads it by itself)
        self._inside = ""  # "style" or "script", whose text is not HTML
        self.feed(BARE.sub("", text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag if tag in ("style", "script") else ""
        values = {name: value or "" for name, value in attrs}
        for name, value in values.items():
            if name == "id":
                self.ids[value] += 1
            elif name == "srcset":
                parts = (part.split() for part in value.split(","))
                self.targets += [(part[0], True) for part in parts if part]
            elif name in LOADING:
                self.targets.append((value, True))
            elif name in ("href", "xlink:href"):
                loads = tag in LOADING_LINKS and values.get("rel") not in NOT_LOADED
                self.targets.append((value, loads))
            elif name == "style":
                self.targets += [(url, True) for url in css_urls(value)]
        if "mermaid" in values.get("class", "").split():
            self.targets.append(("https://unpkg.com/mermaid", True))  # Material fetches it then

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.targets += [(url, True) for url in css_urls(data)]
        elif self._inside == "script":
            found = SCRIPT_URL.findall(data)
            self.targets += [(url, True) for url in found if re.match(r"([\w+.-]+:)?//", url)]


def css_urls(css: str) -> list[str]:
    return [(match[1] or match[2]).strip() for match in CSS_URL.finditer(css)]


class Parts(NamedTuple):
    """The ids of a page, with the number of each, and the URLs, each with whether it is loaded."""

    ids: dict[str, int]
    targets: tuple[tuple[str, bool], ...]


@memoized()
def _taken_apart(page: str) -> Parts:
    read = PageReader(page)
    return Parts(dict(read.ids), tuple(dict.fromkeys(read.targets)))


def check(
    site: Path, docs: Path, examples: Path, address: str = ""
) -> Iterator[tuple[Path, Problem]]:
    """Everything that is wrong with the links of a built site, each with the file it is in.

    Args:
        site: The folder of the built site.
        docs: The folder that its pages were made from.
        examples: The same for the notebooks.
        address: Where the site is published, if that is known.
    """
    root = urlsplit(address).path.rstrip("/") + "/"
    files = {os.path.normpath(path) for path in site.rglob("*") if path.is_file()}

    @cache
    def read(path: Path) -> Parts:
        return _taken_apart(path.read_text("utf-8"))

    def ids(path: Path) -> dict[str, int]:
        return read(path).ids

    @cache  # the menu has the same links in all pages of a folder
    def wrong(target: str, loads: bool, base: Path) -> str | None:
        return _wrong(target, loads, base, (site, root, files), ids)

    # the document of all pages has their links
    for path in sorted({*site.rglob("*.html")} - {site / whole.NAME}):
        source = _source(path.relative_to(site), docs, examples)
        for name, count in ids(path).items():
            if count > 1:
                line = _line(source, name)
                yield path, Problem(source, line, f'the id "{name}" is used {count} times')
        for target, loads in read(path).targets:
            if said := wrong(target, loads, _base(target, path)):
                yield path, Problem(source, _line(source, target), f'"{target}" {said}')
    sheets = sorted((docs / "assets").rglob("*.css"))
    for path in sorted(site.rglob("*.css")):
        for target in css_urls(path.read_text("utf-8")):
            if said := wrong(target, True, _base(target, path)):
                written = (sheet for sheet in sheets if target in sheet.read_text("utf-8"))
                source = next(written, path)
                yield path, Problem(source, _line(source, target), f'"{target}" {said}')


def show(found: list[tuple[Path, Problem]]) -> None:
    """Show each problem at the top of its page."""
    for path, problem in found:
        text = path.read_text("utf-8")
        path.write_text(text.replace(ARTICLE, ARTICLE + problem_html(str(problem)), 1), "utf-8")


def _base(target: str, page: Path) -> Path:
    """What a link starts from: its page, or the folder of the page if it names a path."""
    return page if target[:1] in ("", "#", "?") else page.parent


def _wrong(
    target: str,
    loads: bool,
    base: Path,
    published: tuple[Path, str, Set[str]],
    ids: Callable[[Path], dict[str, int]],
) -> str | None:
    """What is wrong with a link of a site in this folder, under this path, with these files."""
    site, root, files = published
    try:
        parts = urlsplit(target)
    except ValueError as error:
        return f"is no address: {error}"
    if parts.scheme in ("data", "mailto", "javascript"):
        return None
    if parts.netloc or parts.scheme:
        return "would be loaded from another host" if loads else None
    if not target:
        return "is empty: the page would load itself" if loads else "is an empty link"
    path = unquote(parts.path)
    if path.startswith("/") and not path.startswith(root):
        return f"leads out of the site, which is at {root}"
    start = site if path[:1] == "/" else base
    file = os.path.normpath(os.path.join(start, path.removeprefix(root)))
    if file not in files:
        file = os.path.join(file, "index.html")
        if file not in files:
            return "leads nowhere"
    fragment = unquote(parts.fragment)
    if fragment and file.endswith(".html") and fragment not in ids(Path(file)):
        return f'leads to a page without the anchor "{fragment}"'
    return None


def _source(page: Path, docs: Path, examples: Path) -> Path:
    """The file that a page of the site was made from."""
    if page.parts[0] == examples.name and (examples / page.with_suffix(".py").name).exists():
        return examples / page.with_suffix(".py").name
    return docs / page.with_suffix(".md")


def _line(source: Path, text: str) -> int:
    """The line of the source that contains this target, however the build has rewritten it."""
    if not source.is_file():
        return 1
    lines = source.read_text("utf-8").split("\n")
    if not text:
        return next((n for n, line in enumerate(lines, 1) if EMPTY_LINK.search(line)), 1)
    bare = re.sub(r"\.html(?=#|$)", "", text)
    for wanted in (text, bare, bare.rpartition("/")[2], text.partition("#")[2]):
        linking = re.compile(rf"""(\]\(|\]:\s*|=["']?|\{{\s*)[^\s)"']*{re.escape(wanted)}""")
        for matches in (linking.search, lambda line, wanted=wanted: wanted in line):
            for number, line in enumerate(lines, 1):
                if wanted and matches(line):
                    return number
    return 1
