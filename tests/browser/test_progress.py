"""What was read and solved is marked, in this browser alone."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Reader, assert_accessible, refuse_storage, run, wait_until

READ = "lesson/masking"


def kept(**values: object) -> dict[str, str]:
    """What the browser has in its store if these are remembered."""
    return {f"bertlesson:{name}": json.dumps(value) for name, value in values.items()}


KEPT = {
    "read": ["index", READ, "checks"],
    "done:practice/match": {"done": 5, "of": 9},
    "done:practice/bugs": {"done": 8, "of": 8},
}


def test_a_page_is_read_when_its_end_has_been_in_sight_for_a_while(reader: Reader) -> None:
    page = reader.open("lesson/objectives.html")
    page.wait_for_timeout(5_000)
    marks = page.locator(".md-nav--primary a .read-mark")
    expect(marks).to_have_count(0)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(1_000)
    expect(marks).to_have_count(0)
    expect(marks).to_have_count(1, timeout=8_000)
    navigation = page.get_by_role("navigation", name="Lesson")
    expect(navigation.get_by_role("link", name="Why new objectives read")).to_be_visible()
    assert page.evaluate("localStorage.getItem('bertlesson:read')") == '["lesson/objectives"]'


def test_marks_stand_in_the_navigation_and_on_the_overview(reader: Reader) -> None:
    page = reader.open("index.html", stored=kept(**KEPT))
    table = page.locator("table.times")
    expect(table.get_by_role("cell", name="Masked language modelling")).to_contain_text("✓")
    expect(table.get_by_role("cell", name="Match the head")).to_contain_text("5 of 9")
    expect(table.get_by_role("cell", name="Find the bug")).to_contain_text("done")
    expect(table.locator(".read-mark")).to_have_count(4)
    navigation = page.locator(".md-nav--primary .md-nav__link:not(label)")
    assert navigation.locator(".read-mark").count() == 4  # none at the checks: not on the path
    expect(navigation.filter(has_text="Match the head")).to_contain_text("5/9")
    assert page.locator(".md-nav--secondary .read-mark").count() == 0


@pytest.mark.parametrize(
    ("path", "level", "marks"),
    [
        ("index.html", None, {"Overview": "✓"}),
        ("index.html", "Practice", {"Match the head": "5/9", "Find the bug": "✓"}),
        ("lesson/masking.html", None, {"Masked language modelling": "✓"}),
        ("practice/match.html", None, {"Match the head": "5/9", "Find the bug": "✓"}),
    ],
)
def test_marks_are_in_sight_in_the_drawer_of_a_telephone(
    reader: Reader, path: str, level: str | None, marks: dict[str, str]
) -> None:
    page = reader.open(
        path,
        size="narrow",
        touch=True,
        stored=kept(**KEPT),
    )
    page.locator(".md-header__button[for=__drawer]").tap()
    drawer = page.locator(".md-nav--primary")
    if level:  # a telephone shows one level at a time
        drawer.locator("label.md-nav__link", has_text=level).first.tap()
    for name, sign in marks.items():
        entry = drawer.locator(".md-nav__link", has_text=name)
        mark = entry.locator("> .read-mark").and_(page.locator(":visible"))
        expect(mark).to_be_in_viewport(ratio=1)
        expect(mark.locator("[aria-hidden]")).to_have_text(sign)
        wait_until(mark, "page.isUncovered")  # once the drawer has slid in


def test_all_of_it_can_be_forgotten(reader: Reader) -> None:
    stored = kept(**KEPT, match={"1-angry-customers": {"chosen": [0], "done": True}})
    page = reader.open("index.html", stored=stored)
    page.evaluate("localStorage.setItem('other', '1')")
    button = page.get_by_role("button", name="Forget everything")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".forget")).to_be_focused()
    expect(page.locator(".forget")).to_contain_text("Forgotten")
    expect(page.locator(".read-mark")).to_have_count(0)
    assert "bertlesson:" not in page.evaluate("Object.keys(localStorage).join()")
    assert page.evaluate("localStorage.other") == "1"
    page.reload()
    expect(page.locator("table.times")).to_be_visible()
    expect(page.locator(".forget")).to_have_count(0)


def test_nothing_is_said_before_anything_is_kept(reader: Reader) -> None:
    page = reader.open("index.html")
    page.wait_for_load_state("networkidle")
    expect(page.locator(".read-mark, .forget")).to_have_count(0)


def test_a_page_of_practice_is_not_read_but_solved(reader: Reader) -> None:
    page = reader.open("practice/self-check.html")
    page.locator("[data-started]").wait_for()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(5_500)
    expect(page.locator(".read-mark")).to_have_count(0)
    page.locator("details.question > summary").first.click()
    page.get_by_role("button", name="I knew it").click()
    expect(page.locator(".md-nav--primary a .read-mark")).to_contain_text("1/12")


def test_marks_move_nothing_and_are_accessible(reader: Reader) -> None:
    for scheme in ("light", "dark"):
        page = reader.open(
            "index.html",
            scheme=scheme,
            stored=kept(**KEPT),
        )
        expect(page.locator(".read-mark").first).to_be_attached()
        moved = run(page, "page.shift", {"withInput": True})
        assert moved < 0.001
        assert_accessible(page, "table.times")
        assert_accessible(page, ".forget")
        assert_accessible(page, ".md-nav--primary")


def test_nonsense_in_the_store_is_nothing(reader: Reader) -> None:
    nonsense = {
        "read": {"a": [1]},
        "done:practice/match": "9",
        "done:practice/bugs": {"done": "<b>"},
    }
    page = reader.open("index.html", stored=kept(**nonsense))
    expect(page.locator(".forget")).to_be_visible()
    expect(page.locator(".read-mark")).to_have_count(0)


def test_with_storage_refused_a_page_is_read_as_long_as_it_is_open(reader: Reader) -> None:
    page = reader.open("summary.html", prepare=refuse_storage)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator(".md-nav--primary a .read-mark")).to_have_count(1, timeout=10_000)
