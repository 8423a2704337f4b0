"""The whole lesson woven: pages and notebooks with all that the examples have shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.run.cells import Problem
from tools.run.problems import problems_of
from tools.run.store import Store
from tools.weave.api import public_modules, unknown_modules
from tools.weave.blocks import raw_block
from tools.weave.claims import FILE as CLAIMS_FILE
from tools.weave.claims import claims_json, claims_markdown, same_addresses
from tools.weave.downloads import downloads, take_away
from tools.weave.notebooks import notebook
from tools.weave.pages import CLAIMS, MARKS, TIMES, Lesson, Page
from tools.weave.readers import texts_for_readers
from tools.weave.source import Commit
from tools.weave.times import table_html, times_of


@dataclass(frozen=True)
class Woven:
    """All that makes the lesson, for any generator of sites.

    Attributes:
        pages: The Markdown of each page, by its path under the folder of the pages.
        notebooks: The text of each executed notebook, by the name of its example.
        files: What is published under ``downloads/``, by its path in the site.
        texts: What is published for programs and for readers without HTML, by its path in the site:
            each page as plain Markdown, ``llms.txt`` and ``claims.json``.
        problems: What must not be published; shown in place in the pages.
    """

    pages: dict[str, str]
    notebooks: dict[str, str]
    files: dict[str, Path]
    texts: dict[str, str]
    problems: list[Problem]


def weave(
    lesson: Lesson,
    docs: Path,
    store: Store,
    settings: Mapping[str, Any],
    suffix: str = ".html",
    commit: Commit | None = None,
    plain: bool = True,
) -> Woven:
    """Fill in everything that the pages in a folder embed.

    Args:
        lesson: The examples and their outcomes.
        docs: The folder of the pages.
        store: The kept results, with the files that examples have left.
        settings: Those of the site: ``nav``, ``markdown_extensions``, ``site_name`` and others of
            mkdocs.yml.
        suffix: The ending of a page's address, for links that Markdown does not rewrite.
        commit: What git says of the sources.
        plain: Whether to make the pages for readers without HTML, too.
    """
    public_modules.cache_clear()
    opened = {
        path.relative_to(docs).as_posix(): Page(lesson, path) for path in sorted(docs.rglob("*.md"))
    }
    sources = {uri: _read(page.path, lesson) for uri, page in opened.items()}
    pages = {uri: page.expand(sources[uri]) for uri, page in opened.items()}
    files = downloads(lesson, store)
    for uri, page in opened.items():
        if page.used:
            pages[uri] += f"\n{take_away(page.used, uri, files)}"
    checks = next((uri for uri, text in pages.items() if MARKS[CLAIMS] in text), "")
    if checks:
        listed = claims_markdown(lesson, docs, checks, suffix)
        pages[checks] = pages[checks].replace(MARKS[CLAIMS], listed)
    for uri, text in pages.items():
        if MARKS[TIMES] in text:
            pages[uri] = text.replace(MARKS[TIMES], "")
            times = raw_block(table_html(times_of(pages, uri, settings, suffix)))
            pages[uri] = text.replace(MARKS[TIMES], times)
    notebooks = {
        name: notebook(example, lesson.outcomes[name]) for name, example in lesson.examples.items()
    }
    title = str(settings.get("site_name", ""))
    texts = {CLAIMS_FILE: claims_json(lesson, docs, checks, suffix, title, commit)}
    if plain:
        texts |= texts_for_readers(lesson, docs, sources, pages, files, settings)
    problems = [*lesson.problems, *_problems_of_examples(lesson), *same_addresses(lesson)]
    problems += unknown_modules(pages, docs)
    return Woven(pages, notebooks, files, texts, problems)


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
