"""Each number on the path is filled from a run, or has its source beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.weave.pages import CODE_SPAN, VALUE, fence_after
from tools.weave.snippets import INCLUDE

DOCS = ROOT / "docs"
PATH = [DOCS / "index.md", *sorted((DOCS / "lesson").glob("*.md")), DOCS / "summary.md"]

NUMBER = re.compile(r"(?<![\w#.])[−-]?\d(?:[\d,.]*\d)?%?")
# A section, appendix, table or footnote of a paper, an address, or a file of the reference code
SOURCE = re.compile(
    r"§\d|\b[A-C]\.\d|Table \d|footnote \d|\(abstract\)|abstract\)|\]\(https://|`\w+\.py`|`vocab\.txt`"
)
# What only orders or names things: items of lists, anchors, years of papers
NO_STATEMENT = (
    re.compile(r"^\s*\d+\. ", re.M),
    re.compile(r"\{ *[#:.][^}]*\}"),
    re.compile(r"\]\([^)]*\)"),
    re.compile(r"<[^>]*>"),
    re.compile(r"et al\. \d{4}"),
    re.compile(r"([Ll]esson|Phase|Track|[Ss]teps?) \d( to \d)?"),
    re.compile("80/10/10"),  # the name of the mix
)


def blocks(markdown: str) -> Iterator[tuple[int, str]]:
    """The prose as paragraphs, with their lines; a table or list belongs to what leads to it."""
    lines, fence, start = markdown.split("\n"), "", 1
    if lines[0] == "---":
        start = lines.index("---", 1) + 2
    paragraph: list[str] = []
    first = start
    for number, line in enumerate([*lines[start - 1 :], ""], start):
        was, fence = fence, fence_after(line, fence)
        prose = "" if was or fence or INCLUDE.match(line) else line
        joined = re.match(r"\s*(\||\d+\. |- |    )", prose)
        if prose.strip() or joined:
            first = first if paragraph else number
            paragraph.append(prose)
            continue
        following = lines[number] if number < len(lines) else ""
        leads_on = re.match(r"(\||\d+\. |- |    \S)", following)
        if paragraph and not leads_on:
            yield first, "\n".join(paragraph)
            paragraph = []


def unsourced(markdown: str) -> list[tuple[int, str]]:
    """The line of each paragraph that has neither source nor run for a number, and the number."""
    found = []
    for first, block in blocks(markdown):
        if SOURCE.search(block):
            continue
        text = VALUE.sub("", block)
        text = CODE_SPAN.sub("", text)
        for pattern in NO_STATEMENT:
            text = pattern.sub("", text)
        found += [(first, number) for number in NUMBER.findall(text)]
    return found


@pytest.mark.parametrize("page", PATH, ids=lambda path: path.stem)
def test_every_number_has_a_run_or_a_source(page: Path) -> None:
    assert unsourced(page.read_text("utf-8")) == []


def test_a_number_without_a_source_is_found() -> None:
    page = """---
description: Not prose, 1.
---

# Title

1. First of a list, with `2` in code.
2. Seven is {{ example.seven:.1f }}.

It was 93.1% here.

The table ([A. 2019](https://example.org), Table 3):

| a | b |
|---|---|
| 4 | 5 |

```python
x = 6
```

--8<-- "examples/a.py:b 7"

It reaches 8 points (paper, A.1).
Then −0.9.

- and 10,000 of these
"""
    assert unsourced(page) == [(10, "93.1%")]
    assert unsourced(page.replace("(paper, A.1)", "")) == [
        (10, "93.1%"), (24, "8"), (24, "−0.9"), (24, "10,000"),
    ]  # fmt: skip
