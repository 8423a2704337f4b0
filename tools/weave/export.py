"""The whole site as plain Markdown with everything filled in, for generators other than mkdocs.

Zensical runs no hooks and renders no notebooks, and reads raw HTML as Markdown again inside lists
and notes. So nothing in an export is left to a hook: notebooks are pages, notes that fold are HTML
around Markdown, and `zensical.toml` has the settings. Whatever has the Markdown extensions that are
listed there can build it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import tomlkit

from tools.run.cells import ROOT
from tools.run.examples import Example
from tools.run.records import Outcome
from tools.weave.api import filled_in
from tools.weave.blocks import CLOSE, OPEN, raw_block
from tools.weave.claims import FILE as CLAIMS_FILE
from tools.weave.downloads import FOLDER, take_away
from tools.weave.notebooks import description
from tools.weave.notes import lines_and_notes
from tools.weave.outputs import output_html
from tools.weave.pages import FENCE, Lesson, fenced
from tools.weave.plain import NOTEBOOK_LINK
from tools.weave.project import Woven
from tools.weave.times import pages_of

SETTINGS = "zensical.toml"
PAGES, THEME = "docs", "theme"  # folders of the export
DRAWING = ROOT / "tools" / "site" / "theme" / "partials" / "drawing.html"
ICON = ROOT / "tools" / "site" / "theme" / "assets" / "favicon.svg"
KEPT = ("favicon", "features", "font", "palette")  # settings of the theme that mean the same

# Zensical knows the first page by its address alone: `page.is_homepage` is empty there.
TEMPLATE = """\
{% extends "base.html" %}
{% block content %}
  {% if page.url == nav.homepage.url %}
    {% include "partials/drawing.html" %}
  {% endif %}
  {{ super() }}
{% endblock %}
"""


def write(woven: Woven, lesson: Lesson, docs: Path, settings: Mapping[str, Any], out: Path) -> None:
    """Write everything that a generator needs into a folder.

    Args:
        woven: The pages and the notebooks.
        lesson: The examples and their outcomes.
        docs: The folder of the pages, with what they load.
        settings: Those of the site, as for `project.weave`.
        out: The folder; it is made.
    """
    pages = out / PAGES
    shutil.copytree(docs, pages, ignore=shutil.ignore_patterns("*.md"))
    texts = {uri: self_contained(text) for uri, text in woven.pages.items()}
    titles = {uri: title for title, uri in pages_of(settings.get("nav", []))}
    for name, example in lesson.examples.items():
        uri = f"examples/{name}.md"
        title = titles.get(f"examples/{name}.ipynb") or name
        text = notebook_page(example, lesson.outcomes[name], title)
        code = take_away([name], f"examples/{name}.ipynb", woven.files)
        texts[uri] = f"{text}\n{code}"
    texts[CLAIMS_FILE] = woven.texts[CLAIMS_FILE]
    texts |= {f"{FOLDER}/{name}.ipynb": text for name, text in woven.notebooks.items()}
    for uri, text in texts.items():
        _write(pages / uri, text)
    for uri, path in woven.files.items():
        (pages / uri).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, pages / uri)
    _write(out / THEME / "main.html", TEMPLATE)
    _write(out / THEME / "partials" / DRAWING.name, DRAWING.read_text("utf-8"))
    _write(out / THEME / "assets" / ICON.name, ICON.read_text("utf-8"))
    _write(out / SETTINGS, zensical_toml(settings))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def self_contained(markdown: str) -> str:
    """A woven page that needs no extension of ours, and links to the pages of notebooks."""
    lines = _folded_as_html(filled_in(markdown, anchors=True).split("\n"))
    return "\n".join(_without_marks(lines))


def _without_marks(lines: list[str]) -> list[str]:
    """The lines without the marks of woven blocks; outside these, links lead to Markdown alone."""
    shown: list[str] = []
    inside = False
    for line in lines:
        mark = line.strip()
        if mark in (OPEN, CLOSE):
            inside = mark == OPEN
        else:
            shown.append(line if inside else NOTEBOOK_LINK.sub(r"\1.md", _titled(line)))
    return shown


def _titled(line: str) -> str:
    """The line; where it opens a fence, with apostrophes in its title as Pygments wants them."""
    return line.replace("&#x27;", "'") if FENCE.match(line) else line


def _folded_as_html(lines: list[str]) -> list[str]:
    """Notes that fold as ``<details>``, in which HTML stays what it is."""
    shown: list[str] = []
    for each in lines_and_notes(lines):
        if isinstance(each, str):
            shown.append(each)
        elif each.mark == "!!!":
            shown += each.lines
        else:
            opened = " open" if each.mark == "???+" else ""
            title = escape(each.title or each.kind.capitalize(), quote=False)
            shown += [
                f'<details class="{each.kind}" markdown="1"{opened}>',
                f'<summary markdown="span">{title}</summary>',
                "",
                *_folded_as_html(each.inside),
                "</details>",
                "",
            ]
    return shown


def notebook_page(example: Example, outcome: Outcome, title: str) -> str:
    """An executed example as a page, with everything that it has shown."""
    about = {"title": title, "description": description(example.name)}
    parts = ["\n".join(["---", *(f"{k}: {json.dumps(v)}" for k, v in about.items()), "---"])]
    index = 0
    for cell in example.cells:
        if cell.kind == "markdown":
            parts.append(NOTEBOOK_LINK.sub(r"\1.md", cell.source))
            continue
        parts.append(fenced(cell.source))
        if html := output_html(example, outcome, index, False):
            parts.append("\n".join(_without_marks(raw_block(html).split("\n"))))
        index += 1
    return "\n\n".join(parts) + "\n"


def zensical_toml(settings: Mapping[str, Any]) -> str:
    """The settings of the site for Zensical."""
    theme = settings.get("theme", {})
    project: dict[str, Any] = {
        name: settings[name]
        for name in ("site_name", "site_description", "site_url", "copyright", "extra_javascript")
        if settings.get(name)
    }
    project |= {
        "docs_dir": PAGES,
        "use_directory_urls": False,
        "nav": _pages_for_notebooks(settings.get("nav", [])),
        "extra_css": settings.get("extra_css", []),
        "theme": {
            "variant": "classic",  # which looks like Material
            "custom_dir": THEME,
            **{name: theme[name] for name in KEPT if name in theme},
        },
        "markdown_extensions": {
            name: options or {}
            for entry in settings.get("markdown_extensions", [])
            for name, options in (entry.items() if isinstance(entry, dict) else [(entry, None)])
        },
    }
    return tomlkit.dumps({"project": project})


def _pages_for_notebooks(nav: Any) -> Any:
    """The navigation with a page in place of each notebook."""
    if isinstance(nav, str):
        return re.sub(r"\.ipynb$", ".md", nav)
    if isinstance(nav, dict):
        return {title: _pages_for_notebooks(entry) for title, entry in nav.items()}
    return [_pages_for_notebooks(entry) for entry in nav]
