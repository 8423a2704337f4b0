"""Match the head, find the bug and the self-check, as readers work through them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Reader, assert_accessible, refuse_storage, run, voice, widget

MATCH, BUGS, CHECK = (f"practice/{name}.html" for name in ("match", "bugs", "self-check"))
NAMES = {MATCH: "match", BUGS: "bugs", CHECK: "self-check"}


def score(page: Page) -> Any:
    return page.locator(".score-sum")


def choices(page: Page, scenario: int) -> Any:
    return page.locator(".match").nth(scenario - 1).locator("button")


def lines(page: Page, piece: int) -> Any:
    return page.locator(".piece").nth(piece - 1).locator(".bug-code code button")


def stored(page: Page, name: str) -> Any:
    return page.evaluate("(name) => JSON.parse(localStorage.getItem(`bertlesson:${name}`))", name)


def overflows(page: Page) -> bool:
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return bool(wide > 0)


def shift_of(page: Page) -> float:
    """By how much the page has moved without the reader's doing, as browsers reckon it."""
    moved: float = run(page, "page.shift", {"withInput": False})
    return moved


def tab_to(page: Page, wanted: Any, key: str = "Tab") -> None:
    """Press the tab key, or "Shift+Tab", until this has the focus."""
    for _ in range(60):
        if wanted.evaluate("e => e === document.activeElement"):
            break
        page.keyboard.press(key)
    expect(wanted).to_be_focused()


# Match the head


def test_a_choice_says_why_it_is_right_or_not(reader: Reader) -> None:
    page = reader.open(MATCH)
    host = widget(page, "match")
    expect(host.get_by_text("Not this one").first).to_be_hidden()
    first, second = choices(page, 1).nth(0), choices(page, 1).nth(1)
    answer = page.locator(".match-answer").first
    second.click()
    expect(answer).to_contain_text("It would judge each word separately")
    expect(answer).to_contain_text("Choose again.")
    expect(second).to_have_accessible_name("One label for each token: not this one")
    expect(voice(page)).to_contain_text("Not this one. It would judge")
    expect(score(page)).to_have_text("Solved 0 of 9, 0 at the first try; 1 try in all.")
    second.click()  # the same once more is no other try
    first.click()
    expect(answer).to_contain_text("One review, one of three labels")
    expect(answer).to_contain_text("Right at the second try.")
    expect(first).to_have_accessible_name("One label for the whole input: right")
    choices(page, 2).nth(1).click()
    expect(score(page)).to_have_text("Solved 2 of 9, 1 at the first try; 3 tries in all.")


def test_after_the_right_choice_the_others_may_be_read(reader: Reader) -> None:
    page = reader.open(MATCH)
    widget(page, "match")
    choices(page, 1).nth(0).click()
    choices(page, 1).nth(2).click()
    expect(page.locator(".match-answer").first).to_contain_text("It would point at a passage")
    expect(page.locator(".match-answer").first).not_to_contain_text("Choose again")
    expect(score(page)).to_have_text("Solved 1 of 9, 1 at the first try; 1 try in all.")


def test_all_scenarios_can_be_solved_and_are_kept_until_started_over(reader: Reader) -> None:
    page = reader.open(MATCH, size="narrow", touch=True)
    widget(page, "match")
    for scenario, right in enumerate([0, 1, 2, 0, 1, 0, 0, 3, 3], 1):
        choices(page, scenario).nth(right).tap()
    expect(score(page)).to_have_text("Solved 9 of 9, 9 at the first try; 9 tries in all.")
    assert stored(page, "done:practice/match") == {"done": 9, "of": 9}
    page.reload()
    widget(page, "match")
    expect(score(page)).to_have_text("Solved 9 of 9, 9 at the first try; 9 tries in all.")
    expect(choices(page, 9).nth(3)).to_have_class("right")
    assert not overflows(page)
    page.get_by_role("button", name="Start over").tap()
    expect(score(page)).to_contain_text("Choose, and see why")
    expect(choices(page, 9).nth(3)).to_have_class("")
    expect(page.locator(".score-pieces a").first).to_be_focused()
    page.reload()
    widget(page, "match")
    expect(score(page)).to_contain_text("Choose, and see why")


def test_the_keyboard_alone_is_enough_for_a_choice(reader: Reader) -> None:
    page = reader.open(MATCH)
    widget(page, "match")
    page.locator(".score-pieces a").first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#1-angry-customers$"))
    tab_to(page, choices(page, 1).first)
    page.keyboard.press("Enter")
    expect(choices(page, 1).first).to_be_focused()
    expect(page.locator(".match-answer").first).to_contain_text("Right at the first try.")


# Find the bug


def test_a_wrong_line_is_no_shame_and_the_right_one_opens_the_answer(reader: Reader) -> None:
    page = reader.open(BUGS)
    widget(page, "bugs")
    piece = page.locator(".piece").first
    says, answer = piece.locator(".bug-says"), piece.locator("details.question")
    lines(page, 1).nth(0).click()
    expect(says).to_contain_text("Not this one")
    lines(page, 1).nth(0).dblclick()  # counts once, for it is the same line
    lines(page, 1).nth(2).click()
    expect(says).to_contain_text("very close")
    says.get_by_role("button", name="A hint").click()
    expect(piece.locator("details.hint").first).to_have_attribute("open", "")
    expect(piece.locator("details.hint > summary").first).to_be_focused()
    assert answer.get_attribute("open") is None
    lines(page, 1).nth(3).click()
    expect(says).to_contain_text("Found at the third try.")
    expect(answer).to_have_attribute("open", "")
    expect(lines(page, 1).nth(3)).to_have_class("faulty")
    expect(voice(page)).to_contain_text("Found at the third try.")
    expect(score(page)).to_have_text("Found 1 of 14, 0 at the first try; 3 tries in all.")
    lines(page, 1).nth(0).click(force=True)  # it is over
    expect(score(page)).to_have_text("Found 1 of 14, 0 at the first try; 3 tries in all.")


def test_each_piece_has_its_faulty_line_and_the_score_is_kept(reader: Reader) -> None:
    page = reader.open(BUGS, size="narrow", touch=True)
    widget(page, "bugs")
    for piece in range(1, 15):
        wanted = page.locator(".piece").nth(piece - 1).get_attribute("data-line")
        found = lines(page, piece).filter(has_text=wanted)
        expect(found).to_have_count(1)
        found.tap()
        expect(found).to_have_class("faulty")
        # the answer opens and moves what stands below it; the next tap waits for that
        answer = page.locator(".piece").nth(piece - 1).locator("details.question")
        expect(answer).to_have_attribute("open", "")
        page.evaluate("new Promise((after) => setTimeout(after, 600))")
    assert not overflows(page)
    all_found = "Found 14 of 14, 14 at the first try; 14 tries in all."
    expect(score(page)).to_have_text(all_found)
    page.reload()
    widget(page, "bugs")
    expect(score(page)).to_have_text(all_found)
    expect(page.locator(".piece .faulty")).to_have_count(14)
    page.get_by_role("button", name="Start over").tap()
    expect(page.locator(".piece .faulty")).to_have_count(0)
    expect(page.locator(".bug-says").first).to_contain_text("Which line is wrong?")


def test_an_answer_that_is_looked_up_is_not_found(reader: Reader) -> None:
    page = reader.open(BUGS)
    widget(page, "bugs")
    piece = page.locator(".piece").first
    piece.locator("details.question > summary").click()
    expect(piece.locator(".bug-says")).to_contain_text("This is the line.")
    expect(lines(page, 1).nth(3)).to_have_class("faulty")
    expect(score(page)).to_have_text(
        "Found 0 of 14, 0 at the first try, 1 looked up; 0 tries in all."
    )
    lines(page, 2).nth(0).click()
    says = page.locator(".bug-says").nth(1)
    for _ in range(2):
        says.get_by_role("button", name="A hint").click()
        lines(page, 2).nth(2).click()
    says.get_by_role("button", name="Show me").click()
    expect(page.locator("details.question").nth(1)).to_have_attribute("open", "")
    expect(score(page)).to_contain_text("2 looked up")
    assert stored(page, "done:practice/bugs") == {"done": 2, "of": 14}


@pytest.mark.parametrize("width", [320, 360, 390, 412])
def test_a_sign_stands_beside_its_number_on_a_telephone(reader: Reader, width: int) -> None:
    page = reader.open(BUGS, size="narrow")
    page.set_viewport_size({"width": width, "height": 800})
    for opener in page.locator(".piece summary").all():
        opener.evaluate("summary => summary.click()")
    links = page.locator(".score-pieces a")
    expect(links.last.locator("i")).to_have_text("→")
    for link in links.all():
        box, sign = link.bounding_box(), link.locator("i").bounding_box()
        assert box
        assert sign
        assert sign["x"] + sign["width"] < box["x"] + box["width"]
        assert abs(sign["y"] + sign["height"] / 2 - box["y"] - box["height"] / 2) < 4


def test_an_answer_opened_before_the_buttons_are_there_is_looked_up(reader: Reader) -> None:
    held: list[Route] = []
    page = reader.open(
        BUGS,
        prepare=lambda page: page.route("**/widgets/bugs.js", lambda route: held.append(route)),
    )
    page.locator(".piece details.question > summary").first.click()
    held[0].continue_()
    widget(page, "bugs")
    expect(page.locator(".bug-says").first).to_contain_text("This is the line.")
    expect(score(page)).to_contain_text("1 looked up")


def test_printing_a_page_looks_up_nothing(reader: Reader) -> None:
    page = reader.open(BUGS)
    widget(page, "bugs")
    page.emulate_media(media="print")
    page.wait_for_timeout(300)
    page.emulate_media(media="screen")
    expect(score(page)).to_contain_text("Click the line")


def test_the_arrow_keys_go_from_line_to_line(reader: Reader) -> None:
    page = reader.open(BUGS)
    widget(page, "bugs")
    first = lines(page, 1)
    first.nth(0).focus()
    page.keyboard.press("ArrowUp")
    expect(first.nth(0)).to_be_focused()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(first.nth(3)).to_be_focused()
    page.keyboard.press("End")
    expect(first.last).to_be_focused()
    page.keyboard.press("Home")
    expect(first.nth(0)).to_be_focused()
    page.keyboard.press("Tab")
    assert not first.nth(1).evaluate("e => e === document.activeElement")  # one stop for all
    first.nth(0).focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(first.nth(3)).to_be_focused()
    expect(page.locator(".bug-says").first).to_contain_text("Found at the first try.")


def test_the_keyboard_alone_is_enough_to_find_a_bug_with_hints(reader: Reader) -> None:
    page = reader.open(BUGS)
    widget(page, "bugs")
    piece = page.locator(".piece").first
    says, hints = piece.locator(".bug-says"), piece.locator("details.hint")
    page.locator(".score-pieces a").first.focus()
    page.keyboard.press("Enter")
    tab_to(page, lines(page, 1).first)
    page.keyboard.press("Enter")
    expect(says).to_contain_text("Not this one")
    # the hint is offered above the code
    tab_to(page, says.get_by_role("button", name="A hint"), "Shift+Tab")
    page.keyboard.press("Space")
    summary = hints.first.locator("summary")
    expect(summary).to_be_focused()
    expect(hints.first.locator("p").first).to_be_visible()
    page.keyboard.press("Space")  # it folds and unfolds
    expect(hints.first.locator("p").first).to_be_hidden()
    page.keyboard.press("Space")
    tab_to(page, lines(page, 1).first, "Shift+Tab")
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "Space"):
        page.keyboard.press(key)
    expect(says).to_contain_text("Found at the second try.")
    tab_to(page, says.get_by_role("button", name="Why?"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(piece.locator("details.question > summary")).to_be_focused()
    expect(piece.locator("details.question p").first).to_be_visible()

    tab_to(page, page.get_by_role("button", name="Start over"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".score-pieces a").first).to_be_focused()
    expect(voice(page)).to_have_text("Your score on this page was cleared.")
    expect(says).to_contain_text("Which line is wrong?")
    expect(hints.first.locator("p").first).to_be_hidden()
    tab_to(page, lines(page, 1).first)


def test_the_code_is_still_the_code_when_it_is_copied(reader: Reader) -> None:
    page = reader.open(BUGS, permissions=["clipboard-read", "clipboard-write"])
    texts = "e => e.map((code) => code.innerText)"
    plain = reader.open(BUGS, scripts=False).locator(".piece > .highlight code")
    before = plain.evaluate_all(texts)
    widget(page, "bugs")
    after = page.locator(".piece .bug-code code").evaluate_all(texts)
    assert [code.strip("\n") for code in after] == [code.strip("\n") for code in before]


# The self-check


def test_a_reader_notes_which_answers_they_had(reader: Reader) -> None:
    page = reader.open(CHECK)
    widget(page, "self-check")
    answers = page.locator("details.question")
    expect(page.get_by_role("button", name="I knew it")).to_have_count(0)  # all are folded
    for number, said in enumerate(["I knew it", "Not yet"]):
        answers.nth(number).locator("summary").click()
        answers.nth(number).get_by_role("button", name=said).click()
    expect(score(page)).to_have_text("You knew 1 of 12; 1 to read again (…).")
    expect(answers.nth(0).locator("summary")).to_have_text("Answer ✓ you knew it")
    page.reload()
    widget(page, "self-check")
    expect(score(page)).to_have_text("You knew 1 of 12; 1 to read again (…).")
    answers.nth(1).locator("summary").click()
    answers.nth(1).get_by_role("button", name="I knew it").click()
    expect(score(page)).to_have_text("You knew 2 of 12.")
    page.get_by_role("button", name="Start over").click()
    expect(answers.nth(0).locator("summary")).to_have_text("Answer")


@pytest.mark.parametrize("way", ["keyboard", "touch"])
def test_the_keyboard_alone_or_a_finger_is_enough_for_the_self_check(
    reader: Reader, way: str
) -> None:
    page = reader.open(CHECK, size="narrow", touch=way == "touch")
    widget(page, "self-check")

    def press(wanted: Any, key: str = "Enter", tab: str = "Tab") -> None:
        if way == "touch":
            wanted.tap()
        else:
            tab_to(page, wanted, tab)
            page.keyboard.press(key)

    answers = page.locator("details.question")
    if way == "keyboard":
        page.locator(".score-pieces a").first.focus()
    for number, (said, key, noted) in enumerate(
        [("I knew it", "Enter", "Noted: you knew it."), ("Not yet", "Space", "Noted: not yet.")]
    ):
        answer = answers.nth(number)
        press(answer.locator("summary"), key)
        expect(answer.locator("p").first).to_be_visible()
        button = answer.get_by_role("button", name=said)
        press(button, key)
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(button).to_be_focused()
        expect(voice(page)).to_have_text(noted)
    expect(score(page)).to_have_text("You knew 1 of 12; 1 to read again (…).")
    # a second thought
    press(answers.nth(1).get_by_role("button", name="I knew it"), tab="Shift+Tab")
    expect(score(page)).to_have_text("You knew 2 of 12.")

    press(page.get_by_role("button", name="Start over"), tab="Shift+Tab")
    expect(page.locator(".score-pieces a").first).to_be_focused()
    expect(voice(page)).to_have_text("Your score on this page was cleared.")
    expect(score(page)).to_contain_text("Mark below each answer")
    expect(page.locator("[aria-pressed=true]")).to_have_count(0)
    expect(answers.first.locator("summary")).to_have_text("Answer")


# All three


def test_what_is_solved_in_another_window_counts_here(reader: Reader) -> None:
    page = reader.open(MATCH)
    widget(page, "match")
    other = page.context.new_page()
    other.goto(page.url)
    widget(other, "match")
    choices(page, 1).nth(1).click()
    choices(page, 1).nth(0).click()
    expect(score(other)).to_have_text("Solved 1 of 9, 0 at the first try; 2 tries in all.")
    expect(choices(other, 1).nth(0)).to_have_class("right")
    choices(other, 2).nth(1).click()
    both = "Solved 2 of 9, 1 at the first try; 3 tries in all."
    expect(score(page)).to_have_text(both)
    expect(score(other)).to_have_text(both)
    expect(page.locator(".match-answer").first).to_be_visible()  # what is open stays so
    other.get_by_role("button", name="Start over").click()
    expect(score(page)).to_contain_text("Choose, and see why")
    expect(page.locator(".match-answer").first).to_be_hidden()
    expect(choices(page, 1).nth(0)).to_have_class("")


def test_a_page_that_is_gone_back_to_shows_what_was_solved_since(reader: Reader) -> None:
    page = reader.open(CHECK)
    widget(page, "self-check")
    name = page.locator(".score-pieces a").first.get_attribute("href").removeprefix("#")
    run(page, "practice.comeBackTo", name)
    expect(score(page)).to_have_text("You knew 1 of 12.")
    expect(page.locator("details.question summary").first).to_have_text("Answer ✓ you knew it")


def test_pieces_of_code_follow_another_window_and_keep_open_hints(reader: Reader) -> None:
    page = reader.open(BUGS)
    widget(page, "bugs")
    hint = page.locator(".piece").nth(1).locator("details.hint").first
    hint.locator("summary").click()
    other = page.context.new_page()
    other.goto(page.url)
    widget(other, "bugs")
    lines(other, 1).nth(3).click()
    expect(page.locator(".bug-says").first).to_contain_text("Found at the first try.")
    expect(lines(page, 1).nth(3)).to_have_class("faulty")
    expect(hint).to_have_attribute("open", "")


@pytest.mark.parametrize("path", NAMES)
def test_without_scripts_the_page_is_what_it_was(reader: Reader, path: str) -> None:
    page = reader.open(path, scripts=False)
    expect(page.locator(".widget-note")).to_contain_text("With JavaScript")
    answer = page.locator("details:is(.choice, .hint, .question)").first
    expect(answer.locator("p").first).to_be_hidden()
    answer.locator("summary").click()
    expect(answer.locator("p").first).to_be_visible()
    expect(page.locator(".practice button:visible")).to_have_count(0)


@pytest.mark.parametrize("path", NAMES)
def test_a_missing_file_leaves_the_page_as_it_was(reader: Reader, path: str) -> None:
    page = reader.open(path, prepare=lambda page: page.route("**/score.js", lambda r: r.abort()))
    expect(page.locator(".widget-note")).to_contain_text("could not be loaded")
    page.locator("details:is(.choice, .hint, .question) > summary").first.click()
    expect(page.locator("details[open] p").first).to_be_visible()
    assert all("score.js" in note or "ERR_FAILED" in note for note in reader.noted)
    reader.noted.clear()


@pytest.mark.parametrize("path", NAMES)
@pytest.mark.parametrize("kept", ["null", "no JSON", "[1]", '{"1-three-shares": {"chosen": 7}}'])
def test_nonsense_in_the_store_is_nothing(reader: Reader, path: str, kept: str) -> None:
    name = NAMES[path]
    page = reader.open(path, stored={f"bertlesson:{name}": kept})
    widget(page, name)
    expect(page.get_by_role("button", name="Start over")).to_be_hidden()


def test_with_storage_refused_the_score_lasts_as_long_as_the_page(reader: Reader) -> None:
    page = reader.open(MATCH, prepare=refuse_storage)
    widget(page, "match")
    choices(page, 1).nth(0).click()
    expect(score(page)).to_contain_text("Solved 1 of 9")
    page.get_by_role("button", name="Start over").click()
    expect(score(page)).to_contain_text("Choose, and see why")


@pytest.mark.parametrize("path", NAMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_before_and_after_use(reader: Reader, path: str, scheme: str) -> None:
    page = reader.open(path, scheme=scheme)
    widget(page, NAMES[path])
    part = f'[data-widget="{NAMES[path]}"]'
    assert_accessible(page, part)
    if path == MATCH:
        choices(page, 1).nth(1).click()
        choices(page, 2).nth(1).click()
    elif path == BUGS:
        lines(page, 1).nth(1).click()
        lines(page, 1).nth(3).click()
        page.locator("details.hint > summary").first.click()
    else:
        page.locator("details.question > summary").first.click()
        page.get_by_role("button", name="I knew it").click()
    assert_accessible(page, part)


@pytest.mark.parametrize("size", ["wide", "narrow"])
@pytest.mark.parametrize("path", NAMES)
def test_nothing_moves_when_it_starts(reader: Reader, path: str, size: str) -> None:
    page = reader.open(path, size=size)
    page.locator("[data-started]").wait_for()
    assert shift_of(page) < 0.005


@pytest.mark.parametrize("path", NAMES)
def test_what_can_be_touched_is_large_enough(reader: Reader, path: str) -> None:
    page = reader.open(path, size="narrow", touch=True)
    widget(page, NAMES[path])
    sizes = page.locator(".practice :is(button, .score-pieces a, summary):visible").evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect()).map((r) => Math.min(r.width, r.height))"
    )
    assert min(sizes) >= 24
    assert not overflows(page)
