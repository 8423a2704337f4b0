"""The search index: loaded on the first search; while serving, pages as before keep their part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mkdocs.structure.pages import Page

Entries = list[dict[str, Any]]  # of one page, as the search plugin makes them


class SearchIndex:
    """Splits the index off the pages, and remembers the entries of pages that have not changed."""

    def __init__(self) -> None:
        self._pages: dict[str, str] = {}  # by URL: what this build's entries depend on
        self._kept: dict[str, tuple[str, Entries]] = {}  # by URL: the same, and the entries

    def begin(self) -> None:
        """Start with a new build."""
        self._pages = {}

    def add(self, page: Page) -> None:
        """Take note of a page, and hide it from the search plugin if its entries are kept."""
        made_of = repr((page.content, page.title, page.meta))
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
        for url, made_of in self._pages.items():
            if url not in self._kept or self._kept[url][0] != made_of:
                self._kept[url] = made_of, found.get(url, [])
        docs = [entry for url in self._pages for entry in self._kept[url][1]]
        text = json.dumps(whole | {"docs": docs}, ensure_ascii=False, separators=(",", ":"))
        (folder / "search_index.js").write_text(f"var __index = {text};\n", "utf-8")
        index.write_text(json.dumps(whole | {"docs": []}), "utf-8")
