"""What programs and readers without HTML get: each page as Markdown, and `llms.txt` to find them.

`llms.txt` has the form that llmstxt.org describes: the title, a summary, and sections of links.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin

import yaml

from tools.weave.api import filled_in
from tools.weave.claims import FILE as CLAIMS_FILE
from tools.weave.claims import stated_in
from tools.weave.downloads import take_away
from tools.weave.notebooks import description
from tools.weave.outputs import claim_id
from tools.weave.pages import CLAIMS, MARKS, TIMES, Lesson, front_matter
from tools.weave.plain import SUFFIX, PlainPage, claim_text, notebook_text, page_of, plain
from tools.weave.times import heading, pages_of, table_markdown, times_of

INDEX = "llms.txt"
OPTIONAL = "Optional"  # the section that llmstxt.org has for what may be left out


class Link(NamedTuple):
    """A line of the index."""

    title: str
    path: str
    about: str


def texts_for_readers(
    lesson: Lesson,
    docs: Path,
    sources: Mapping[str, str],
    pages: Mapping[str, str],
    files: Iterable[str],
    settings: Mapping[str, Any],
) -> dict[str, str]:
    """The pages and the notebooks as Markdown, and their index, by their paths in the site.

    Args:
        lesson: The examples and their outcomes.
        docs: The folder of the pages.
        sources: The pages as they are written, by their paths in it.
        pages: The same woven for mkdocs.
        files: The paths of all that is published under ``downloads/``.
        settings: Those of the site, as for `project.weave`.
    """
    texts = {}
    again = Lesson(lesson.examples, lesson.outcomes)  # its problems are those of the woven pages
    for uri, source in sources.items():
        page = PlainPage(again, docs / uri)
        text = filled_in(page.expand(source))
        if page.used:
            text += f"\n{take_away(page.used, uri, files)}"
        text = plain(text)
        if MARKS[CLAIMS] in text:
            text = text.replace(MARKS[CLAIMS], _claims(lesson, docs, uri))
        if MARKS[TIMES] in text:
            times = table_markdown(times_of(pages, uri, settings, SUFFIX))
            text = text.replace(MARKS[TIMES], times)
        texts[page_of(uri)] = text
    for name, example in lesson.examples.items():
        texts[f"examples/{name}{SUFFIX}"] = notebook_text(example, lesson.outcomes[name])
    return texts | {INDEX: index(texts, sources, settings)}


def _claims(lesson: Lesson, docs: Path, uri: str) -> str:
    parts = []
    for name, example in lesson.examples.items():
        parts.append(f"## `examples/{example.path.name}`\n")
        for claim in lesson.outcomes[name].result.claims:
            stated = page_of(stated_in(lesson, docs, example, claim))
            link = os.path.relpath(stated, Path(uri).parent)
            anchor = claim_id(example, claim)
            parts.append(claim_text(claim, f", [where it is stated]({link}), `{anchor}`"))
        parts.append("")
    return "\n".join(parts).rstrip("\n")


def index(texts: Mapping[str, str], sources: Mapping[str, str], settings: Mapping[str, Any]) -> str:
    """`llms.txt`: what there is to read, in the order of the navigation.

    Args:
        texts: The pages as Markdown, by their paths in the site.
        sources: The pages as they are written, which begin with their descriptions.
        settings: Those of the site. With ``site_url``, links are whole addresses.
    """
    name = str(settings.get("site_name", ""))
    sections: dict[str, list[Link]] = {name: []}
    for entry in settings.get("nav") or [*sources, *sorted(set(texts) - set(sources))]:
        title, value = next(iter(entry.items())) if isinstance(entry, dict) else ("", entry)
        of_section = name if isinstance(value, str) else title
        listed = sections.setdefault(of_section, [])
        for called, uri in pages_of([entry]):
            if (path := page_of(uri)) in texts:
                about = _about(uri, sources)
                listed.append(Link(called or heading(texts[path]), path, about))
    claims = "Every claim as data: its sentence, both sides as measured, and where it is stated"
    sections[name].append(Link("Claims", CLAIMS_FILE, claims))
    if "Examples" in sections:  # the pages show their code already
        sections[OPTIONAL] = sections.pop("Examples")
    base = str(settings.get("site_url") or "")
    lines = [f"# {name}", "", f"> {str(settings.get('site_description', '')).strip()}"]
    for title, links in sections.items():
        if links:
            lines += ["", f"## {title}", ""]
            lines += [
                f"- [{link.title}]({urljoin(base, link.path)})"
                + (f": {link.about}" if link.about else "")
                for link in links
            ]
    return "\n".join(lines) + "\n"


def _about(uri: str, sources: Mapping[str, str]) -> str:
    """The description of a page, from its settings."""
    if uri not in sources:
        return description(Path(uri).stem)
    lines = sources[uri].split("\n")
    try:
        settings = yaml.safe_load("\n".join(lines[1 : max(0, front_matter(lines) - 1)]))
    except yaml.YAMLError:  # which the generator of the site reports
        return ""
    return str(settings.get("description", "")) if isinstance(settings, dict) else ""
