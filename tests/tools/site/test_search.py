"""The search index is split off, and pages that have not changed keep their entries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from mkdocs.structure.pages import Page

from tools.site import search
from tools.site.search import SearchIndex


class SmallPage:
    """What the index reads of a page."""

    def __init__(self, url: str, content: str, **meta: Any) -> None:
        self.url, self.content, self.title, self.meta = url, content, "Title", meta

    @property
    def is_hidden(self) -> bool:
        return bool(self.meta.get("search", {}).get("exclude"))


@pytest.fixture
def build(tmp_path: Path) -> Any:
    """Builds an index as the plugin and our hooks do; returns the pages that were parsed."""
    return builder(tmp_path, tmp_path / "kept" / "search.json")


def builder(tmp_path: Path, kept: Path) -> Any:
    index = SearchIndex(kept)

    def make(*pages: SmallPage) -> list[str]:
        index.begin()
        for page in pages:
            index.add(cast(Page, page))
        parsed = [page for page in pages if not page.is_hidden and page.content]
        docs = [
            {"location": f"{page.url}#part", "text": page.content, "tags": page.meta.get("tags")}
            for page in parsed
        ]
        (tmp_path / "search_index.json").write_text(json.dumps({"config": {}, "docs": docs}))
        index.write(tmp_path)
        return [page.url for page in parsed]

    return make


def entries(folder: Path) -> list[Any]:
    script = (folder / "search_index.js").read_text("utf-8")
    return cast(
        list[Any], json.loads(script.removeprefix("var __index = ").removesuffix(";\n"))["docs"]
    )


def test_the_page_gets_an_empty_index_and_the_script_the_whole(build: Any, tmp_path: Path) -> None:
    build(SmallPage("a.html", "words"))
    assert json.loads((tmp_path / "search_index.json").read_text())["docs"] == []
    assert entries(tmp_path)[0]["text"] == "words"


def test_only_what_has_changed_is_parsed_again(build: Any, tmp_path: Path) -> None:
    assert build(SmallPage("a.html", "a"), SmallPage("b.html", "b")) == ["a.html", "b.html"]
    assert build(SmallPage("a.html", "a"), SmallPage("b.html", "c")) == ["b.html"]
    assert [entry["text"] for entry in entries(tmp_path)] == ["a", "c"]
    assert build(SmallPage("a.html", "a", tags=["x"]), SmallPage("b.html", "c")) == ["a.html"]
    assert [entry["tags"] for entry in entries(tmp_path)] == [["x"], None]
    build(SmallPage("b.html", "c"))
    assert [entry["text"] for entry in entries(tmp_path)] == ["c"]


def test_a_page_that_its_author_hides_comes_back(build: Any, tmp_path: Path) -> None:
    hidden = {"exclude": True}
    build(SmallPage("a.html", "a", search=hidden))
    assert entries(tmp_path) == []
    build(SmallPage("a.html", "a"))
    assert len(entries(tmp_path)) == 1


def test_an_empty_page_has_no_entries(build: Any, tmp_path: Path) -> None:
    for _ in range(2):
        build(SmallPage("new.html", ""))
        assert entries(tmp_path) == []


def test_the_next_process_finds_what_has_been_parsed(tmp_path: Path) -> None:
    kept = tmp_path / "search.json"
    pages = SmallPage("a.html", "a"), SmallPage("b.html", "b")
    assert builder(tmp_path, kept)(*pages) == ["a.html", "b.html"]
    first = entries(tmp_path)
    assert builder(tmp_path, kept)(*(SmallPage(p.url, p.content) for p in pages)) == []
    assert entries(tmp_path) == first
    assert builder(tmp_path, kept)(SmallPage("a.html", "c")) == ["a.html"]
    assert [entry["text"] for entry in entries(tmp_path)] == ["c"]
    assert builder(tmp_path, kept)(*pages) == ["a.html", "b.html"]  # the last build had no b


def test_kept_entries_of_another_version_or_a_damaged_file_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "search.json"
    builder(tmp_path, kept)(SmallPage("a.html", "a"))
    monkeypatch.setattr(search, "version", lambda name: "0")
    assert builder(tmp_path, kept)(SmallPage("a.html", "a")) == ["a.html"]
    kept.write_text("{")
    assert builder(tmp_path, kept)(SmallPage("a.html", "a")) == ["a.html"]
    assert [entry["text"] for entry in entries(tmp_path)] == ["a"]
