"""The whole lesson as one file, to print and to read offline.

It holds all that it needs, so that it opens with a tap wherever it is kept. A packed copy of the
site would have to be unpacked first, which telephones do badly, and its widgets could not run from
disk.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.nav import Navigation, Section
from mkdocs.structure.pages import Page

from tools.run.memo import memoized
from tools.site import styles
from tools.weave.source import package_version

NAME = "whole-lesson.html"
TEMPLATE = "whole-lesson.html"
STYLE = Path(__file__).with_name("whole.css")
# Every claim stands in its page already; planted mistakes and the reference are for looking up.
LEFT_OUT = re.compile(r"checks\.md|reference/noticed\.md|api/.*")

TAG = re.compile(r"<[a-zA-Z][^<>]*>")
ID = re.compile(r"""(?<=\s)(id|for|aria-labelledby|aria-describedby|aria-controls)="([^"]+)\"""")
REFERENCE = re.compile(r"""((?:xlink:)?href=")#|(url\()#""")
HREF = re.compile(r'\shref="([^"]*)"')
DARK = re.compile(r"""\[data-md-color-scheme="?slate"?\]\s*(\{[^{}]*\})""")
NOTE = re.compile(r'<p class="widget-note">.*?</p>', re.DOTALL)
HEADER_LINK = re.compile(r'<a class="headerlink".*?</a>', re.DOTALL)
TAKE_AWAY = re.compile(r'<p class="take-away">.*?</p>', re.DOTALL)


class Part(NamedTuple):
    """A page in the document.

    Attributes:
        group: The name of its section in the navigation; "" if it has none.
        title: Its name there.
        id: Its anchor in the document.
        content: Its HTML.
    """

    group: str
    title: str
    id: str
    content: str


def write(built: Path, nav: Navigation, config: MkDocsConfig) -> None:
    """Write the document into the built site."""
    shown = [
        page
        for page in nav.pages
        if page.file.src_uri.endswith(".md") and not LEFT_OUT.fullmatch(page.file.src_uri)
    ]
    inside = tuple(page.file.url for page in shown)
    parts = [_part(page, inside, config.site_url or "") for page in shown]
    css = (built / styles.NAME).read_text("utf-8")
    template = config.theme.get_env().get_template(TEMPLATE)
    context: dict[str, Any] = {
        "config": config,
        "parts": parts,
        "groups": [(name, [*of]) for name, of in groupby(parts, key=lambda part: part.group)],
        "styles": f"{css}\n{STYLE.read_text('utf-8')}\n{by_night(css)}",
        "version": package_version(),
    }
    (built / NAME).write_text(template.render(context), "utf-8")


def by_night(css: str) -> str:
    """The colours of the dark scheme for readers whose system asks for it, without a script."""
    rules = "\n".join(f'[data-md-color-scheme="default"] {rule}' for rule in DARK.findall(css))
    return f"@media screen and (prefers-color-scheme: dark) {{\n{rules}\n}}"


def _part(page: Page, inside: tuple[str, ...], address: str) -> Part:
    group = page.parent.title if isinstance(page.parent, Section) else ""
    anchor = anchor_of(page.file.url)
    content = moved(page.content or "", page.file.url, inside, address)
    return Part(group or "", page.title or "", anchor, content)


def anchor_of(url: str) -> str:
    """The anchor of a page in the document.

    >>> anchor_of("lesson/masking.html")
    'lesson-masking'
    """
    return url.removesuffix(".html").replace("/", "-")


@memoized()
def moved(content: str, url: str, inside: tuple[str, ...], address: str) -> str:
    """The content of a page for the document: ids of its own, and links that work there.

    Args:
        content: The HTML of the page.
        url: Its path in the site.
        inside: The paths of all pages that the document has.
        address: Where the site is published; "" if that is not known. Then links to what is not in
            the document become plain text.
    """
    prefix = f"{anchor_of(url)}--"
    there = f' <a href="{urljoin(address, url)}">on the site</a>' if address else " on the site"
    content = HEADER_LINK.sub("", content)
    content = NOTE.sub(f'<p class="widget-note">This part can be tried{there}.</p>', content)
    if not address:
        content = TAKE_AWAY.sub("", content)

    def linked(match: re.Match[str]) -> str:
        target = match[1]
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z][a-z0-9+.-]*:|//", target) or not path:
            return match[0]
        to = posixpath.normpath(posixpath.join(posixpath.dirname(url), path))
        if to in inside:
            return f' href="#{anchor_of(to)}{f"--{anchor}" if anchor else ""}"'
        return f' href="{urljoin(address, to)}{f"#{anchor}" if anchor else ""}"' if address else ""

    def changed(match: re.Match[str]) -> str:
        tag = ID.sub(lambda found: f'{found[1]}="{_prefixed(found[2].split(), prefix)}"', match[0])
        tag = REFERENCE.sub(lambda found: f"{found[1] or found[2]}#{prefix}", tag)
        return HREF.sub(linked, tag) if tag.startswith("<a ") else tag

    return TAG.sub(changed, content)


def _prefixed(ids: Iterable[str], prefix: str) -> str:
    return " ".join(f"{prefix}{each}" for each in ids)
