"""Put it in order, as readers do it: by mouse, finger and keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Reader, assert_accessible, refuse_storage, voice, widget
from tests.browser.test_practice import overflows, score, shift_of, stored, tab_to

ORDER = "practice/order.html"
NAMES = ("mask", "pair", "labels", "answer")
NONE = "Move the lines, and check your order. Your score is kept only in this browser."


def puzzle(page: Page, name: str) -> Locator:
    return page.locator(f'.puzzle[data-name="{name}"]')


def lines(page: Page, name: str) -> list[str]:
    """The lines that can be moved, as they are now."""
    return [
        text.strip()
        for text in puzzle(page, name).locator(".puzzle-lines code").all_text_contents()
    ]


def solution(page: Page, name: str) -> list[str]:
    code = puzzle(page, name).locator("details.question .highlight code").first
    text = code.text_content() or ""
    return [line.strip() for line in text.strip().split("\n")[1:-1]]


def arrange(page: Page, name: str, wanted: list[str]) -> None:
    """Move lines up, with their buttons, until this is the order."""
    for place, line in enumerate(wanted):
        while lines(page, name)[place] != line:
            button = puzzle(page, name).get_by_role("button", name=f"Move up: {line}", exact=True)
            button.evaluate("button => button.click()")


def check(page: Page, name: str) -> Locator:
    puzzle(page, name).get_by_role("button", name="Check").click()
    return puzzle(page, name).locator(".puzzle-check p")


def test_every_puzzle_can_be_solved_and_is_kept(reader: Reader) -> None:
    page = reader.open(ORDER, size="narrow", touch=True)
    widget(page, "order")
    for name in NAMES:
        assert sorted(lines(page, name)) == sorted(solution(page, name))
        arrange(page, name, solution(page, name))
        expect(check(page, name)).to_have_text("✓ It computes what it should.")
    assert not overflows(page)
    sum_of_all = "In order: 4 of 4, 4 at the first try; 4 tries in all."
    expect(score(page)).to_have_text(sum_of_all)
    assert_accessible(page, '[data-widget="order"]')
    page.reload()
    widget(page, "order")
    expect(score(page)).to_have_text(sum_of_all)
    assert lines(page, "pair") == solution(page, "pair")
    page.get_by_role("button", name="Start over").tap()
    expect(score(page)).to_have_text(NONE)
    assert lines(page, "pair") != solution(page, "pair")


def test_what_is_wrong_is_said_and_what_it_computes_is_shown(reader: Reader) -> None:
    page = reader.open(ORDER)
    widget(page, "order")
    right = solution(page, "mask")
    says = check(page, "mask")  # as it was shuffled
    expect(says).to_contain_text("✗ Python stops at line 1. UnboundLocalError")
    expect(puzzle(page, "mask").locator("li.blamed")).to_have_count(1)
    expect(voice(page)).to_contain_text("Python stops at line 1")
    # a mistake that is listed: the labels are made before [CLS] and [SEP] leave the selection
    arrange(page, "mask", [right[n] for n in (0, 1, 3, 2, 4, 5, 6)])
    expect(puzzle(page, "mask").locator("li.blamed")).to_have_count(0)
    expect(check(page, "mask")).to_contain_text("It runs, but: [CLS] and [SEP] leave")
    computes = puzzle(page, "mask").get_by_label("What your order computes")
    expect(computes).to_contain_text("[CLS]   [CLS]")
    # one that is not listed, of two mistakes at once
    arrange(page, "mask", [right[n] for n in (1, 4, 0, 2, 3, 5, 6)])
    expect(check(page, "mask")).to_contain_text("It runs, but computes something else.")
    expect(puzzle(page, "mask").locator("li.blamed")).to_have_count(1)
    tries = score(page).inner_text()
    check(page, "mask")
    expect(score(page)).to_have_text(tries)  # the same order once more is no other try


def test_a_line_is_dragged_with_the_mouse(reader: Reader) -> None:
    page = reader.open(ORDER)
    widget(page, "order")
    before = lines(page, "labels")
    rows = puzzle(page, "labels").locator("li")
    rows.nth(0).scroll_into_view_if_needed()
    start, end = rows.nth(0).locator("code").bounding_box(), rows.nth(3).bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 30, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(end["x"] + 90, end["y"] + end["height"] / 2 + 4, steps=6)
    expect(rows.nth(3)).to_have_class("dragged")
    page.mouse.up()
    assert lines(page, "labels") == [*before[1:4], before[0], *before[4:]]
    expect(puzzle(page, "labels").locator("li.dragged")).to_have_count(0)
    page.mouse.move(end["x"] + 90, end["y"] - 200, steps=3)
    assert lines(page, "labels")[3] == before[0], "it was dropped"


def test_a_finger_drags_a_line_by_its_handle(reader: Reader) -> None:
    page = reader.open(ORDER, size="narrow", touch=True)
    widget(page, "order")
    before = lines(page, "mask")
    grips = puzzle(page, "mask").locator(".puzzle-grip")
    grips.nth(0).scroll_into_view_if_needed()
    start, end = grips.nth(0).bounding_box(), grips.nth(2).bounding_box()
    assert start
    assert end
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    touch("touchStart", x, y)
    for part in range(1, 6):
        touch("touchMove", x, y + (end["y"] - start["y"] + 6) * part / 5)
    touch("touchEnd")
    assert lines(page, "mask") == [before[1], before[2], before[0], *before[3:]]


def test_the_keyboard_alone_moves_lines_and_keeps_the_focus(reader: Reader) -> None:
    page = reader.open(ORDER)
    widget(page, "order")
    before = lines(page, "mask")
    down = puzzle(page, "mask").get_by_role("button", name=f"Move down: {before[0]}", exact=True)
    page.locator(".score-pieces a").first.focus()
    page.keyboard.press("Enter")
    tab_to(page, down)
    for place in range(1, 7):
        page.keyboard.press("Enter" if place % 2 else "Space")
        expect(down).to_be_focused()
        expect(voice(page)).to_have_text(f"Now line {place + 1} of 7")
    assert lines(page, "mask") == [*before[1:], before[0]]
    expect(down).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Enter")
    expect(down).to_be_focused()
    assert lines(page, "mask")[6] == before[0]
    tab_to(page, puzzle(page, "mask").get_by_role("button", name="Check"))
    page.keyboard.press("Enter")
    expect(puzzle(page, "mask").locator(".puzzle-check p")).to_contain_text("✗ ")


def test_an_answer_that_is_opened_is_looked_up_and_another_window_follows(reader: Reader) -> None:
    page = reader.open(ORDER)
    widget(page, "order")
    other = page.context.new_page()
    other.goto(page.url)
    widget(other, "order")
    puzzle(other, "pair").locator("details.question > summary").click()
    expect(score(page)).to_contain_text("1 looked up")
    expect(puzzle(page, "pair").locator(".puzzle-check p")).to_contain_text("An order that works")
    assert stored(page, "done:practice/order") == {"done": 1, "of": 4}


@pytest.mark.parametrize(("size", "colours"), [("wide", "light"), ("narrow", "dark")])
def test_it_is_accessible_large_enough_and_moves_nothing(
    reader: Reader, size: str, colours: str
) -> None:
    page = reader.open(ORDER, size=size, scheme=colours)
    widget(page, "order")
    assert shift_of(page) < 0.005
    check(page, "answer")
    assert_accessible(page, '[data-widget="order"]')
    sizes = page.locator(".puzzle-lines :is(button, .puzzle-grip)").evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect()).map((r) => Math.min(r.width, r.height))"
    )
    assert min(sizes) >= 24
    assert not overflows(page)


def test_without_scripts_the_lines_and_the_folded_answer_are_there(reader: Reader) -> None:
    page = reader.open(ORDER, scripts=False)
    for name in NAMES:
        expect(puzzle(page, name).locator("> pre.output")).to_contain_text("return ")
        expect(puzzle(page, name).locator("details.question .highlight").first).to_be_hidden()


def test_what_cannot_be_kept_or_does_not_arrive_leaves_the_page_usable(reader: Reader) -> None:
    page = reader.open(ORDER, prepare=refuse_storage)
    widget(page, "order")
    check(page, "mask")
    expect(score(page)).to_contain_text("1 try in all")
    missing = reader.open(
        ORDER, prepare=lambda page: page.route("**/order.json", lambda route: route.abort())
    )
    expect(missing.locator(".widget-note")).to_contain_text("could not be loaded")
    expect(puzzle(missing, "mask").locator("> pre.output")).to_be_visible()
    assert all("ERR_FAILED" in said for said in reader.noted)
    reader.noted.clear()


def test_nonsense_in_the_store_is_nothing(reader: Reader) -> None:
    page = reader.open(ORDER, stored={"bertlesson:order": '{"1-mask-a-row": {"chosen": [99999]}}'})
    widget(page, "order")
    assert lines(page, "mask")[0].startswith("ids[selected")
