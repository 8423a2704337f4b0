"""The notes of a page's Markdown, ``!!!`` and those that fold, ``???``, with what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tools.weave.pages import fence_after

NOTE = re.compile(r'^(?P<mark>!!!|\?\?\?\+?) +(?P<kind>[\w -]+?)(?: +"(?P<title>.*)")?$')


class Note(NamedTuple):
    """A note at the margin.

    Attributes:
        mark: ``!!!``, ``???``, or ``???+`` for one that is open.
        kind: Such as "question".
        title: None if the kind is its title.
        inside: Its lines, without their indent.
        lines: All of it as written.
    """

    mark: str
    kind: str
    title: str | None
    inside: list[str]
    lines: list[str]


def lines_and_notes(lines: Iterable[str]) -> Iterator[str | Note]:
    """The lines of a page, with each note as a whole; none is seen in a fence."""
    lines = list(lines)
    fence, number = "", 0
    while number < len(lines):
        line, start = lines[number], number
        number += 1
        note = None if fence else NOTE.match(line)
        if not note:
            fence = fence_after(line, fence)
            yield line
            continue
        while number < len(lines) and (
            lines[number].startswith("    ") or not lines[number].strip()
        ):
            number += 1
        inside = [line.removeprefix("    ") for line in lines[start + 1 : number]]
        yield Note(note["mark"], note["kind"], note["title"], inside, lines[start:number])
