"""Guess first: the claims of a page ask for their numbers, and the list of all says how it went."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Reader, assert_accessible, refuse_storage, run, voice, widget
from tests.browser.test_practice import overflows, shift_of, stored, tab_to

PAGE, CHECKS = "lesson/nsp.html", "checks.html"
ON = {"bertlesson:guess-first": "true"}

SECOND = "claim-nsp-the-authors-code-makes-more-than-53-of-the-pairs-random"
FIFTH = "claim-nsp-the-head-judges-at-least-nine-of-ten-held-out-pairs-correctly"


def switch(page: Page) -> Locator:
    return page.get_by_role("button", name="Guess first")


def question(page: Page, number: int) -> Locator:
    """A claim of examples/nsp.py, by its number."""
    return page.locator('[id^="claim-nsp-"]').nth(number - 1)


def guess(claim: Locator, text: str) -> None:
    claim.locator("input").fill(text)
    claim.get_by_role("button", name="Guess").click()


def test_claims_are_as_ever_until_the_switch_is_on(reader: Reader) -> None:
    page = reader.open(PAGE)
    expect(switch(page)).to_have_attribute("aria-pressed", "false")
    assert shift_of(page) < 0.005
    number = question(page, 5).locator("data")
    measured = number.inner_text()
    output = page.locator("pre.output").first
    expect(page.locator(".guess-form")).to_have_count(0)
    switch(page).click()
    expect(number).to_have_text("?")
    expect(page.locator(".covered").first).to_be_visible()
    assert_accessible(page, f".claims:has(#{FIFTH})")
    switch(page).click()
    expect(number).to_have_text(measured)
    expect(page.locator(".guess-form, .covered")).to_have_count(0)
    expect(output).to_be_visible()
    assert stored(page, "guess-first") is False
    assert stored(page, "guesses") is None


@pytest.mark.parametrize(("size", "colours"), [("wide", "light"), ("narrow", "dark")])
def test_a_guess_shows_the_number_and_all_is_counted(
    reader: Reader, size: str, colours: str
) -> None:
    page = reader.open(PAGE, size=size, scheme=colours, touch=size == "narrow", stored=ON)
    claim = question(page, 2)
    expect(claim.locator("data")).to_have_text("?")
    covers = page.locator(".covered").count()
    guess(claim, "a half")
    expect(claim).to_contain_text("Type a number, such as 0.5 or 50%.")
    expect(claim.locator("input")).to_be_focused()
    assert_accessible(page, f"#{SECOND}")
    guess(claim, "50%")
    expect(claim.locator("data")).not_to_have_text("?")
    expect(claim.locator(".guessed")).to_contain_text("you guessed 0.5: 0.087 too low")
    expect(claim.locator(".guessed")).to_be_focused()
    expect(voice(page)).to_contain_text("you guessed 0.5")
    assert page.locator(".covered").count() < covers, "this cell has no other question"
    # of a cell with two questions, the outputs come with the second
    question(page, 5).get_by_role("button", name="Show the number").click()
    expect(question(page, 5)).to_contain_text("you looked it up")
    assert not overflows(page)
    assert_accessible(page, f".claims:has(#{FIFTH})")
    kept = stored(page, "guesses")
    assert kept[SECOND]["guess"] == 0.5
    assert kept[FIFTH]["guess"] is None
    page.reload()
    expect(question(page, 2)).to_contain_text("you guessed 0.5")
    question(page, 2).get_by_role("link", name="All your guesses").click()
    host = widget(page, "guess")
    expect(host).to_contain_text("You have guessed 1 of")
    expect(host).to_contain_text("looked up 1")
    expect(question(page, 2)).to_contain_text("you guessed 0.5: 0.087 too low")
    assert_accessible(page, '[data-widget="guess"]')
    host.get_by_role("button", name="Start over").click()
    expect(host).to_contain_text("You have guessed none of the")
    expect(page.locator(".guessed")).to_have_count(0)
    assert stored(page, "guesses") == {}


def test_the_keyboard_alone_is_enough(reader: Reader) -> None:
    page = reader.open(PAGE)
    switch(page).focus()
    page.keyboard.press("Enter")
    field = question(page, 5).locator("input")
    expect(field).to_have_accessible_name(
        "Your guess: The head judges at least nine of ten held-out pairs correctly"
    )
    field.focus()
    page.keyboard.type(".95")
    page.keyboard.press("Enter")
    expect(question(page, 5).locator(".guessed")).to_be_focused()
    tab_to(page, question(page, 6).get_by_role("button", name="Show the number"))
    page.keyboard.press("Space")
    expect(question(page, 6)).to_contain_text("you looked it up")


def test_a_number_that_two_claims_share_is_asked_for_once_and_shown_at_the_end(
    reader: Reader,
) -> None:
    page = reader.open("lesson/masking.html", stored=ON)
    first = page.locator('[id^="claim-masking-the-model-beats-the-best-guess-without-context"]')
    second = page.locator('[id^="claim-masking-it-beats-the-best-guess-from-one-true-neighbour"]')
    expect(second.locator("data")).to_have_text("?")
    expect(second.locator("input")).to_have_count(0)
    guess(first, "0.6")
    expect(second.locator("data")).to_have_text(first.locator("data").inner_text())


def test_giving_up_on_an_output_shows_all_of_its_numbers(reader: Reader) -> None:
    page = reader.open("lesson/masking.html", stored=ON)
    claims = page.locator(".claims:has([id^='claim-mix-with-kept-tokens'])")
    expect(claims.locator("input")).to_have_count(5)
    page.locator(".covered").first.get_by_role("button", name="Show it").click()
    expect(claims.locator("input")).to_have_count(0)
    expect(claims.locator(".guessed").first).to_be_focused()
    expect(claims.locator("data").first).not_to_have_text("?")


def test_with_storage_refused_a_guess_lasts_as_long_as_the_page(reader: Reader) -> None:
    page = reader.open(PAGE, prepare=refuse_storage)
    switch(page).click()
    guess(question(page, 2), "0.6")
    expect(question(page, 2)).to_contain_text("you guessed 0.6")


def test_nonsense_in_the_store_is_nothing(reader: Reader) -> None:
    kept = json.dumps({SECOND: {"guess": "<b>", "measured": 1}, "x": 7})
    page = reader.open(PAGE, stored=ON | {"bertlesson:guesses": kept})
    expect(question(page, 2).locator("input")).to_be_visible()


def test_without_scripts_a_claim_shows_its_number(reader: Reader) -> None:
    page = reader.open(PAGE, scripts=False)
    expect(question(page, 2).locator("data")).to_have_text("0.5869")
    expect(page.locator(".guess-switch")).to_have_count(0)


def test_the_practice_and_the_notebooks_ask_for_nothing(reader: Reader) -> None:
    page = reader.open("practice/bugs.html", stored=ON)
    page.wait_for_load_state("networkidle")
    expect(page.locator(".claim data")).to_have_count(0)
    expect(switch(page)).to_have_count(0)
    assert run(page, "page.shift", {"withInput": False}) < 0.005


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_page_with_covered_outputs_is_accessible(reader: Reader, colours: str) -> None:
    page = reader.open(PAGE, scheme=colours, stored=ON)
    page.locator(".covered").first.wait_for()
    assert_accessible(page)
