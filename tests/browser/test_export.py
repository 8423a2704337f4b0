"""`make export`, built by Zensical: the same pages as the site, and widgets that start."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from filelock import FileLock
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Host, Reader
from tests.conftest import ROOT
from tools.run.runner import Runner
from tools.site import checks

# What only the hooks of mkdocs make: links from code to the reference, and ways to the sources.
OURS = ".headerlink, .contribute, .md-code__nav, script, nav"
ONLY_OURS = {"404.html", "whole-lesson.html"}
LEFT_OVER = re.compile(r"\{\{|--8<--|\?\?\? |!!! |⟦")


@pytest.fixture(scope="session")
def exported(shared_folder: Path, runner: Runner) -> Path:
    """The export as Zensical builds it."""
    folder = shared_folder / "export"
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    with FileLock(f"{folder}.lock"):
        if not (folder / "site").exists():
            weave = [sys.executable, "-m", "tools.weave", "--site", str(folder)]
            subprocess.run(weave, cwd=ROOT, check=True, capture_output=True)
            # Zensical exits with 0 even where a page is missing, so its silence proves nothing
            made = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
            assert "No issues found" in made.stdout + made.stderr
    return folder / "site"


@cache
def article(path: Path) -> Tag:
    found = BeautifulSoup(text(path), "html.parser").select_one("article")
    assert found is not None, path
    for part in found.select(OURS):
        part.decompose()
    return found


def text(path: Path) -> str:
    return path.read_text("utf-8")


def words(part: Tag) -> str:
    return "".join(part.get_text().split())


def ids(part: Tag) -> set[str]:
    return {str(tag["id"]) for tag in part.find_all(id=True)} - {"__skip"}


def links(part: Tag) -> set[str]:
    found = {str(tag["href"]) for tag in part.find_all("a", href=True)}
    return {link for link in found if "#bertlesson" not in link}


def pages(site: Path) -> set[str]:
    return {path.relative_to(site).as_posix() for path in site.rglob("*.html")}


def test_every_page_is_the_same(site: Path, exported: Path) -> None:
    assert pages(site) - ONLY_OURS == pages(exported) - ONLY_OURS
    for name in sorted(pages(exported) - ONLY_OURS):
        ours, theirs = article(site / name), article(exported / name)
        assert not LEFT_OVER.search(theirs.get_text()), name
        if name.startswith("api/"):  # in mkdocs's, mkdocstrings lists the members of classes too
            headings = {str(tag["id"]) for tag in ours.select("h1[id], h2[id], h3[id]")}
            assert headings <= ids(theirs), name
            continue
        assert words(theirs) == words(ours), name
        assert ids(theirs) == ids(ours), name
        assert links(theirs) == links(ours), name
        for kind in ("svg", "img", "table", "pre", "details", "[data-widget]"):
            assert len(theirs.select(kind)) == len(ours.select(kind)), (name, kind)


def test_no_link_leads_nowhere(exported: Path) -> None:
    found = checks.check(exported, exported.parent / "docs", ROOT / "examples")
    assert [str(problem) for _, problem in found] == []


@pytest.fixture
def visitor(chromium: Browser, exported: Path) -> Iterator[Reader]:
    host = Host(exported)
    host.policy = ""  # Zensical's pages have scripts inside, which ours forbids
    made = Reader(chromium, host)
    yield made
    made.close()
    host.stop()
    assert made.noted == []


def test_every_widget_starts(visitor: Reader, exported: Path) -> None:
    names = [n for n in sorted(pages(exported) - ONLY_OURS) if "data-widget" in text(exported / n)]
    assert len(names) > 8
    for number, name in enumerate(names):
        size, scheme = [("wide", "light"), ("narrow", "dark")][number % 2]
        page = visitor.open(name, size=size, scheme=scheme)
        for widget in page.locator("[data-widget]").all():
            widget.scroll_into_view_if_needed()
            expect(widget).to_have_attribute("data-started", "")
            expect(widget).not_to_have_attribute("data-failed", "")
        page.context.close()


def test_the_search_finds(visitor: Reader) -> None:
    page = visitor.open("index.html")
    page.keyboard.press("/")
    page.keyboard.type("bidirectional")
    expect(page.locator('a[href*="objectives"]').filter(visible=True).first).to_be_visible()
