"""How long the pages take: counted in what is published, not typed.

{{ times }}     on a line of its own: the table of all pages on the path, and of practice
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from html.parser import HTMLParser
from typing import NamedTuple

PACE = 215  # words a minute, of someone who reads to understand
PAUSE = 15  # seconds, to think before an answer is opened
TIMES = "{{ times }}"  # where the overview wants them

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


@lru_cache(maxsize=64)  # while serving, most pages are as they were
def read(html: str) -> Reading:
    """Count a page's words and folded answers.

    >>> read("<h1>Two words</h1><pre>code here</pre><details>An answer</details><p>three</p>")
    Reading(words=3, answers=1)
    """
    reader = _Reader()
    reader.feed(html)
    return Reading(len(WORD.findall(" ".join(reader.text))), reader.answers)


def table_html(parts: dict[str, list[tuple[str, str, Reading]]]) -> str:
    """The times of all pages, with their sums.

    Args:
        parts: By what is done there, "reading" or "practice": ``(title, address, reading)``.
    """
    rows = []
    for name, pages in parts.items():
        total = sum(reading.minutes for *_, reading in pages)
        words = sum(reading.words for *_, reading in pages)
        rows.append(
            f'<tr class="sum"><th scope="row">{name}</th><td>{words:,} words</td>'
            f"<td>{total:.0f} min</td></tr>"
        )
        rows += [
            f'<tr><td><a href="{href}">{escape(title)}</a></td>'
            f"<td>{reading.words:,}</td><td>{reading.minutes:.1f} min</td></tr>"
            for title, href, reading in pages
        ]
    how = (
        f"<p>Estimated at {PACE} words a minute plus {PAUSE} seconds for each hidden answer; code "
        "and its outputs are not counted.</p>"
    )
    return f'<table class="times"><tbody>{"".join(rows)}</tbody></table>{how}'
