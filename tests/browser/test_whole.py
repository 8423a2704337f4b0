"""The whole lesson as one file: read offline, by day and by night, and printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Reader, assert_accessible, refuse_storage, run
from tools.site import whole


@pytest.mark.parametrize(("size", "colours"), [("wide", "light"), ("narrow", "dark")])
def test_it_reads_well_from_disk_without_anything_else(
    reader: Reader, built: Path, tmp_path: Path, size: str, colours: str
) -> None:
    alone = tmp_path / "lesson.html"
    alone.write_bytes((built / whole.NAME).read_bytes())
    asked: list[str] = []
    page = reader.open("", url=alone.as_uri(), size=size, scheme=colours, prepare=refuse_storage)
    page.on("request", lambda request: asked.append(request.url))
    ground = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert ground == {"light": "rgb(253, 252, 248)", "dark": "rgb(19, 25, 32)"}[colours]
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    page.get_by_label("Contents").get_by_role("link", name="Masked language modelling").click()
    expect(page.locator("#lesson-masking h1")).to_be_in_viewport()
    assert [url for url in asked if not url.startswith(alone.as_uri())] == []


def test_on_a_telephone_no_code_or_output_is_cut_or_small(reader: Reader) -> None:
    page = reader.open(whole.NAME, size="narrow")
    assert run(page, "page.cutOffCode") == []
    assert run(page, "page.smallType", 11) == []


def test_its_colours_and_names_are_accessible(reader: Reader) -> None:
    for colours in ("light", "dark"):
        page = reader.open(whole.NAME, scheme=colours)
        # all of it takes minutes; the pages themselves are checked one by one
        page.evaluate(
            "document.querySelectorAll('section:nth-of-type(n+4)').forEach(e => e.remove())"
        )
        assert_accessible(page)


def test_printed_each_page_begins_a_sheet_and_answers_are_open(
    reader: Reader, tmp_path: Path
) -> None:
    page = reader.open(whole.NAME)
    sections = page.locator("section").count()
    paper = page.pdf(path=tmp_path / "lesson.pdf", prefer_css_page_size=True)
    assert sections < len(re.findall(rb"/Type\s*/Page\b", paper)) < 250
    page.emulate_media(media="print")
    answer = page.locator("#practice-self-check details p").first
    expect(answer).to_be_visible()
