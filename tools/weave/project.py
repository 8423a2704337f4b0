"""The whole lesson woven: pages and notebooks with all that the examples have shown."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.run.cells import Problem
from tools.run.problems import problems_of
from tools.run.store import Store
from tools.weave.blocks import raw_block
from tools.weave.downloads import downloads, take_away
from tools.weave.notebooks import notebook
from tools.weave.outputs import (
    claim_html,
    claim_id,
    claims_list,
    numbered_claims,
    pending_html,
    problem_html,
)
from tools.weave.pages import CLAIMS, MARKS, TIMES, Lesson, Page
from tools.weave.times import times_html


@dataclass(frozen=True)
class Woven:
    """All that makes the lesson, for any generator of sites.

    Attributes:
        pages: The Markdown of each page, by its path under the folder of the pages.
        notebooks: The text of each executed notebook, by the name of its example.
        files: What is published under ``downloads/``, by its path in the site.
        problems: What must not be published; shown in place in the pages.
    """

    pages: dict[str, str]
    notebooks: dict[str, str]
    files: dict[str, Path]
    problems: list[Problem]


def weave(
    lesson: Lesson, docs: Path, store: Store, settings: Mapping[str, Any], suffix: str = ".html"
) -> Woven:
    """Fill in everything that the pages in a folder embed.

    Args:
        lesson: The examples and their outcomes.
        docs: The folder of the pages.
        store: The kept results, with the files that examples have left.
        settings: Those of the site: ``nav`` and ``markdown_extensions`` of mkdocs.yml.
        suffix: The ending of a page's address, for links that Markdown does not rewrite.
    """
    opened = {
        path.relative_to(docs).as_posix(): Page(lesson, path) for path in sorted(docs.rglob("*.md"))
    }
    pages = {uri: page.expand(_read(page.path, lesson)) for uri, page in opened.items()}
    files = downloads(lesson, store)
    for uri, page in opened.items():
        if page.used:
            pages[uri] += f"\n{take_away(page.used, uri, files)}"
    for uri, text in pages.items():
        if MARKS[CLAIMS] in text:
            pages[uri] = text.replace(MARKS[CLAIMS], _claims(lesson, docs, uri, suffix))
    for uri, text in pages.items():
        if MARKS[TIMES] in text:
            pages[uri] = text.replace(MARKS[TIMES], "")
            times = raw_block(times_html(pages, uri, settings, suffix))
            pages[uri] = text.replace(MARKS[TIMES], times)
    notebooks = {
        name: notebook(example, lesson.outcomes[name]) for name, example in lesson.examples.items()
    }
    return Woven(pages, notebooks, files, [*lesson.problems, *_problems_of_examples(lesson)])


def _read(path: Path, lesson: Lesson) -> str:
    """The text of a page; what is not UTF-8 is a problem, and shown as "�"."""
    written = path.read_bytes()
    try:
        return written.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = 1 + written.count(b"\n", 0, error.start)
        lesson.problems.append(Problem(path, line, "not UTF-8; save it in that encoding"))
        return written.decode("utf-8", "replace")


def _problems_of_examples(lesson: Lesson) -> list[Problem]:
    return [
        _with_page(lesson, name, *found)
        for name, example in lesson.examples.items()
        for found in problems_of(example, lesson.outcomes[name].result)
    ]


def _with_page(lesson: Lesson, name: str, cell: int, problem: Problem) -> Problem:
    """Name the page and line that show this section, or the closest one before it."""
    for index in range(cell, -1, -1):
        if (name, index) in lesson.shown:
            path, line = lesson.shown[name, index]
            return Problem(path, line, f"shows {problem}")
    return problem


def _claims(lesson: Lesson, docs: Path, uri: str, suffix: str) -> str:
    """All claims by example, each with its values and a link to where a page shows it."""

    def link(page: Path, anchor: str) -> str:
        path = page.relative_to(docs).with_suffix(suffix)
        return f"{os.path.relpath(path, Path(uri).parent)}#{anchor}"

    parts = []
    for name, example in lesson.examples.items():
        parts.append(f"## `examples/{example.path.name}` {{#claims-{name}}}\n")
        outcome = lesson.outcomes[name]
        items = []
        for number, claim in numbered_claims(outcome):
            page, _ = lesson.shown.get((name, claim.cell), (None, 0))
            more = ""
            if page:
                href = link(page, claim_id(example, number))
                more = f' <a href="{href}">where it is stated</a>'
            items.append(claim_html(example, number, claim, more))
        if outcome.pending:
            html = pending_html(example, outcome)
        elif outcome.result.failure:
            problems = problems_of(example, outcome.result)
            html = "".join(problem_html(str(problem)) for _, problem in problems)
        else:
            html = claims_list(items) if items else "<p>No claims.</p>"
        parts.append(raw_block(html))
    return "\n".join(parts)
