"""The search index: loaded on the first search; pages that have not changed keep their part."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mkdocs.structure.pages import Page

from tools.run.files import keep

Entries = list[dict[str, Any]]  # of one page, as the search plugin makes them


class SearchIndex:
    """Splits the index off the pages, and remembers the entries of pages that have not changed.

    Args:
        kept: The file that keeps them from build to build.
    """

    def __init__(self, kept: Path) -> None:
        self._file = kept
        self._pages: dict[str, str] = {}  # by URL: what this build's entries depend on
        self._kept: dict[str, tuple[str, Entries]] = {}  # by URL: the same, and the entries
        self._made_with = f"{version('mkdocs-material')} {platform.python_version()}"

    def begin(self) -> None:
        """Start with a new build."""
        self._pages = {}
        if not self._kept:
            try:
                kept = json.loads(self._file.read_text("utf-8"))
            except (OSError, ValueError):  # missing, or damaged
                return
            self._kept = {url: (made_of, entries) for url, (made_of, entries) in kept.items()}

    def add(self, page: Page) -> None:
        """Take note of a page, and hide it from the search plugin if its entries are kept."""
        written = repr((page.content, page.title, page.meta, self._made_with))
        made_of = hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()
        self._pages[page.url] = made_of
        if page.url in self._kept and self._kept[page.url][0] == made_of:
            page.meta["search"] = {"exclude": True}

    def write(self, folder: Path) -> None:
        """Leave the page an empty index, and put the real one into a script.

        theme/assets/search.js loads it on the first search. From a disk, a script can be loaded but
        JSON cannot.
        """
        index = folder / "search_index.json"
        whole = json.loads(index.read_text("utf-8"))
        found: dict[str, Entries] = {}
        for entry in whole["docs"]:
            found.setdefault(entry["location"].partition("#")[0], []).append(entry)
        before = self._kept
        self._kept = {
            url: before[url]
            if url in before and before[url][0] == made_of
            else (made_of, found.get(url, []))
            for url, made_of in self._pages.items()
        }
        if self._kept != before:
            keep(self._file, json.dumps(self._kept))
        docs = [entry for url in self._pages for entry in self._kept[url][1]]
        text = json.dumps(whole | {"docs": docs}, ensure_ascii=False, separators=(",", ":"))
        (folder / "search_index.js").write_text(f"var __index = {text};\n", "utf-8")
        index.write_text(json.dumps(whole | {"docs": []}), "utf-8")
