"""How long the pages take: counted in what they say, not typed."""

from __future__ import annotations

import json
import os.path
import re
from collections.abc import Iterator, Mapping
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

from markdown import Markdown

from tools.run.memo import memoized
from tools.weave.blocks import without_blocks
from tools.weave.pages import front_matter

PACE = 215  # words a minute, of someone who reads to understand
PAUSE = 15  # seconds, to think before an answer is opened
# Folders and pages of the navigation that a time is given for
PARTS = {"lesson": "Reading", "summary.md": "Reading", "practice": "Practice"}

SKIPPED_TAGS = {"pre", "svg", "script", "style", "details"}
SKIPPED_CLASSES = {
    "highlight",
    "claims",
    "headerlink",
    "take-away",
    "tokens",
    "pending",
    "optional",
    "widget-note",
}
VOID = {"br", "hr", "img", "input", "meta", "link", "source", "wbr"}
# A fence of any language as nothing: code is not counted.
NO_CODE = {
    "name": "*",
    "class": "",
    "format": lambda *_, **__: "<pre></pre>",
    "validator": lambda *_: True,
}
HOW = (
    f"Estimated at {PACE} words a minute plus {PAUSE} seconds for each hidden answer; code and its "
    "outputs are not counted."
)
WORD = re.compile(r"\w[\w’'.,/%→-]*")


class Reading(NamedTuple):
    """What there is to read on a page.

    Attributes:
        words: Of its prose, headings, lists and tables; without code, outputs, claims, figures,
            folded answers, what is marked as optional, and what stands for a widget that has not
            started.
        answers: How many questions have folded answers. Answers with nothing to read between them
            are the choices of one question.
    """

    words: int
    answers: int

    @property
    def minutes(self) -> float:
        return self.words / PACE + self.answers * PAUSE / 60


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[bool] = []  # for each open tag: whether its content is skipped
        self.text: list[str] = []
        self.answers = 0
        self.asked = True  # something was read since the last folded answer

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        skipped = bool(self.open and self.open[-1])
        classes = set((dict(attrs).get("class") or "").split())
        if tag == "details" and not skipped and "code" not in classes:
            self.answers += self.asked
            self.asked = False
        self.open.append(skipped or tag in SKIPPED_TAGS or bool(classes & SKIPPED_CLASSES))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1]):
            self.text.append(data)
            self.asked = self.asked or bool(data.strip())


def read(html: str) -> Reading:
    """Count a page's words and folded answers.

    >>> read("<h1>Two words</h1><pre>code here</pre><details>An answer</details><p>three</p>")
    Reading(words=3, answers=1)
    """
    reader = _Reader()
    reader.feed(html)
    return Reading(len(WORD.findall(" ".join(reader.text))), reader.answers)


Times = dict[str, list[tuple[str, str, Reading]]]  # what is done: title, address, reading


def times_of(
    pages: Mapping[str, str], first: str, settings: Mapping[str, Any], suffix: str
) -> Times:
    """How long the pages to read and to practise take, in the order of the navigation.

    Args:
        pages: The woven Markdown of each page, by its path.
        first: The page that shows the table; it counts as reading, and so does what follows it.
        settings: Those of the site: ``nav`` and ``markdown_extensions``.
        suffix: The ending of a page's address.
    """
    extensions = json.dumps(settings.get("markdown_extensions", []))
    times: Times = {"Reading": [], "Practice": []}
    listed = [(title, uri) for title, uri in pages_of(settings.get("nav", [])) if uri in pages]
    uris = [uri for _, uri in listed]
    for title, uri in listed[uris.index(first) if first in uris else 0 :]:
        part = "Reading" if uri == first else PARTS.get(uri.partition("/")[0])
        if part:
            href = os.path.relpath(Path(uri).with_suffix(suffix), Path(first).parent)
            reading = _read_markdown(without_blocks(pages[uri]), extensions)
            times[part].append((title or heading(pages[uri]), href, reading))
    return times


def pages_of(nav: Any) -> Iterator[tuple[str, str]]:
    """The titles and paths of a navigation, as mkdocs writes it; a title may be missing."""
    for entry in nav:
        title, value = next(iter(entry.items())) if isinstance(entry, dict) else ("", entry)
        if isinstance(value, str):
            yield title, value
        else:
            yield from pages_of(value)


def heading(markdown: str) -> str:
    """The first heading of a page; "" if it has none."""
    lines = markdown.split("\n")
    return next((line[2:].strip() for line in lines if line.startswith("# ")), "")


@memoized()
def _read_markdown(markdown: str, extensions: str) -> Reading:
    names, settings = [], {}
    for entry in json.loads(extensions):
        name, given = next(iter(entry.items())) if isinstance(entry, dict) else (entry, None)
        names.append(name)
        settings[name] = given or {}
    if "pymdownx.superfences" in names:
        settings["pymdownx.superfences"] |= {"custom_fences": [NO_CODE]}
    lines = markdown.split("\n")
    text = "\n".join(lines[front_matter(lines) :])
    return read(Markdown(extensions=names, extension_configs=settings).convert(text))


def table_html(parts: Times) -> str:
    """The times of all pages, with their sums."""
    rows = []
    for name, pages in parts.items():
        words, minutes = _sum(pages)
        rows.append(
            f'<tr class="sum"><th scope="row">{name}</th><td>{words:,} words</td>'
            f"<td>{minutes:.0f} min</td></tr>"
        )
        rows += [
            f'<tr><td><a href="{href}">{escape(title)}</a></td>'
            f"<td>{reading.words:,}</td><td>{reading.minutes:.1f} min</td></tr>"
            for title, href, reading in pages
        ]
    return f'<table class="times"><tbody>{"".join(rows)}</tbody></table><p>{HOW}</p>'


def table_markdown(parts: Times) -> str:
    """The same as a table of Markdown."""
    rows = ["| | Words | Minutes |", "|---|---:|---:|"]
    for name, pages in parts.items():
        words, minutes = _sum(pages)
        rows.append(f"| **{name}** | {words:,} | {minutes:.0f} |")
        rows += [
            f"| [{title}]({href}) | {reading.words:,} | {reading.minutes:.1f} |"
            for title, href, reading in pages
        ]
    return "\n".join([*rows, "", HOW])


def _sum(pages: list[tuple[str, str, Reading]]) -> tuple[int, float]:
    readings = [reading for *_, reading in pages]
    return sum(each.words for each in readings), sum(each.minutes for each in readings)
