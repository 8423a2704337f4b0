"""What a reader sees at an address without a page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Reader


def open_missing(reader: Reader, path: str) -> Page:
    page = reader.open(path)
    assert [said for said in reader.noted if "404" not in said] == []
    assert len(reader.noted) == 1, "the page itself, and nothing that it loads"
    reader.noted.clear()
    return page


@pytest.mark.parametrize("path", ["missing.html", "lesson/missing.html", "a/b/c/"])
def test_it_looks_like_the_site_and_leads_back_from_any_depth(reader: Reader, path: str) -> None:
    page = open_missing(reader, path)
    expect(page.locator("h1")).to_have_text("There is no page at this address")
    expect(page).to_have_title(re.compile("No page here"))
    header = page.locator(".md-header").evaluate("e => getComputedStyle(e).position")
    assert header == "sticky"
    page.locator("article").get_by_role("link", name="Lesson").click()
    expect(page.locator("h1")).to_contain_text("objectives")


def test_the_search_works_there(reader: Reader) -> None:
    page = open_missing(reader, "a/b/missing.html")
    page.keyboard.press("/")
    page.keyboard.type("glossary")
    page.locator(".md-search-result__link").first.click()
    expect(page.locator("h1")).to_contain_text("Glossary")
