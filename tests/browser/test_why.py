"""Why this guess? A reader covers tokens, reads layers and compares two texts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from bertlesson.lesson.tiny import Settings
from tests.browser.conftest import Reader, assert_accessible, voice, widget

PAGE = "deeper/why.html"
WHY = '[data-widget="why"]'
STEPS = f"{Settings().steps:,}"
MARKUP = "<img src=x onerror=alert(1)>"
START = re.compile(
    r"^They disagree: covering “felix” hurts the guess “felix” most \(−\d+\.\d\), but"
)


def opened(reader: Reader, **settings: Any) -> tuple[Page, Any]:
    page = reader.open(PAGE, **settings)
    return page, widget(page, "why")


def linked(reader: Reader, **state: str) -> tuple[Page, Any]:
    return opened_at(reader, f"{PAGE}#why?{urlencode(state)}")


def opened_at(reader: Reader, address: str) -> tuple[Page, Any]:
    page = reader.open(address)
    return page, widget(page, "why")


def fetched(page: Page) -> set[str]:
    """The models that came over the wire."""
    names = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    return {Path(name).stem for name in names if name.endswith(".safetensors")}


def verdict(part: Any) -> Any:
    return part.locator(".why-verdict")


def changes(part: Any) -> dict[str, str]:
    """What stands on the tokens: of several alike, the first."""
    found: dict[str, str] = {}
    for chip in part.locator(".tokens .token:has(.why-change)").all_inner_texts():
        piece, change = chip.split()
        found.setdefault(piece, change)
    return found


def test_each_token_is_covered_and_attention_stands_beside_it(reader: Reader) -> None:
    page, part = opened(reader)
    assert fetched(page) == set()
    part.get_by_role("button", name="Look inside").click()
    expect(verdict(part)).to_have_text(START)
    assert fetched(page) == {"pretrained"}
    expect(voice(page)).to_have_text(START)
    found = changes(part)
    assert float(found["felix"].replace("−", "-")) < -4
    assert min(found, key=lambda piece: float(found[piece].replace("−", "-"))) == "felix"
    rows = part.locator(".why-attention tbody tr")
    expect(rows).to_have_count(part.locator(".tokens .token").count())
    shares = [row.split("\t")[2:] for row in rows.all_inner_texts()]
    for head in zip(*shares, strict=True):
        assert sum(map(int, head)) == pytest.approx(100, abs=5)  # each is rounded
    expect(part.locator(".why-attention .here th")).to_have_text("[MASK]")
    expect(part.get_by_role("group", name="Which one")).to_be_hidden()

    part.get_by_role("button", name="A mood").click()
    # the cake says the same as the baker, so neither is needed much
    expect(verdict(part)).to_have_text(re.compile(r"no single token is needed|most \(−0\.\d\)"))
    text = "[MASK] met Olga. [MASK] met Otto."
    part.get_by_label("Your text").fill(text)
    holes = part.get_by_role("group", name="Which one").get_by_role("button")
    expect(holes).to_have_count(2)
    one, other = holes.all()
    expect(one).to_have_attribute("aria-pressed", "true")
    other.click()
    expect(other).to_have_attribute("aria-pressed", "true")
    expect(other).to_be_focused()


def test_verdict_entity_and_answer_are_asked_of_their_own_models(reader: Reader) -> None:
    page, part = linked(reader, task="sentiment", text="The hotel was not lovely, said Nora.")
    expect(verdict(part)).to_contain_text("covering “lovely” hurts the verdict “positive” most")
    assert fetched(page) == {"sentiment"}
    part.get_by_role("button", name="An entity").click()
    expect(verdict(part)).to_contain_text("the entity “Nora, person”")
    assert fetched(page) == {"sentiment", "entities"}
    part.get_by_role("button", name="Lille, town").click()
    expect(verdict(part)).to_contain_text("the entity “Lille, town”")
    expect(part.locator(".why-attention caption")).to_contain_text("from lille")

    part.get_by_role("button", name="An answer").click()
    expect(verdict(part)).to_contain_text("hurts the answer “Tuesday” most")
    assert fetched(page) == {"sentiment", "entities", "spans"}
    part.get_by_label("Your question").fill("When was Hugo at the zoo in Bonn?")
    expect(verdict(part)).to_contain_text("the answer “no answer”")
    expect(part.locator(".why-attention caption")).to_contain_text("from [CLS]")


def test_layers_and_two_texts_with_the_keyboard_alone(reader: Reader) -> None:
    page, part = opened(reader)
    part.get_by_label("Your text").focus()
    for _ in range(6):  # five examples, then the tabs
        page.keyboard.press("Tab")
    expect(part.get_by_role("tab", name="Cover and see")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    expect(part.get_by_role("tabpanel")).to_be_focused()
    page.keyboard.press("Tab")
    expect(part.get_by_role("button", name="Look inside")).to_be_focused()
    page.keyboard.press("Enter")
    expect(verdict(part)).to_have_text(
        re.compile("^“felix” leads only after the last layer; after layer 1 it has rank \\d+")
    )
    layers = part.locator(".why-layer")
    expect(layers).to_have_count(3)
    expect(layers.last.locator(".bar").first).to_contain_text("✓ felix")
    expect(part.get_by_role("tabpanel")).to_be_focused()

    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    expect(verdict(part)).to_have_text(re.compile(r"^“(felix|hugo)” changes most: [+−]\d+\.\d"))
    sizes = [
        abs(float(text.replace("−", "-")))
        for text in part.locator(".why-differences .why-number").all_inner_texts()
    ]
    assert sizes == sorted(sizes, reverse=True)
    before = part.locator(".why-differences").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(part.get_by_label("The second text")).to_be_focused()
    page.keyboard.press("ControlOrMeta+Home")
    page.keyboard.type("Ada and ")
    expect(part.locator(".why-differences")).not_to_have_text(before)
    expect(voice(page)).to_contain_text("changes most")


def test_the_training_is_gone_through_with_the_keyboard_alone(reader: Reader) -> None:
    page, part = opened(reader)
    part.get_by_role("button", name="Look inside").click()
    expect(verdict(part)).to_have_text(START)
    assert fetched(page) == {"pretrained"}
    part.get_by_role("tab", name="Two texts").click()
    page.keyboard.press("ArrowRight")
    expect(part.get_by_role("tab", name="Four moments")).to_be_focused()
    expect(verdict(part)).to_have_text(
        re.compile("^After 500 steps, .* “felix”, its guess at the end, has rank \\d+")
    )
    assert fetched(page) == {"pretrained", "step-500"}
    for _ in range(2):  # the panel, then the slider
        page.keyboard.press("Tab")
    slider = part.get_by_role("slider", name="Step of the training")
    expect(slider).to_be_focused()
    expect(slider).to_have_attribute("aria-valuetext", "500, kinds of words")
    page.keyboard.press("ArrowRight")
    expect(verdict(part)).to_have_text(
        re.compile(f"^After {STEPS} steps, the guess is “felix”, \\d+%.$")
    )
    expect(slider).to_have_attribute("aria-valuetext", f"{STEPS}, reading")
    expect(part.locator(".why-layer .bar").first).to_contain_text("✓ felix")
    page.keyboard.press("Home")
    expect(verdict(part)).to_have_text(re.compile("^Before the first step, "))
    page.keyboard.press("ArrowRight")
    expect(verdict(part)).to_have_text(re.compile("^After 50 steps, the guess is “(the|\\.)”"))
    expect(voice(page)).to_have_text(verdict(part).inner_text())
    expect(slider).to_be_focused()
    assert fetched(page) == {"pretrained", "step-0", "step-50", "step-500"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone(reader: Reader, scheme: str) -> None:
    page, part = opened(reader, size="narrow", scheme=scheme, touch=True)
    if scheme == "light":
        assert_accessible(page, WHY)
    part.get_by_role("button", name="Look inside").tap()
    expect(verdict(part)).to_have_text(START)
    assert_accessible(page, WHY)
    story = "Nora spent a splendid Tuesday at the library in Lille, the Copper Goose. "
    part.get_by_label("Your text").fill(f"[MASK] met Otto. {story * 4}")
    if scheme == "light":
        assert_accessible(page, WHY)  # while it covers more than 50 tokens
    expect(part).to_contain_text("reads at most 64 tokens")
    for tab in ("Cover and see", "Layer by layer", "Two texts", "Four moments"):
        part.get_by_role("tab", name=tab).tap()
        expect(verdict(part)).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        if scheme == "dark" and tab != "Cover and see":
            assert_accessible(page, WHY)
        for target in part.locator("button:visible, input:visible, textarea:visible").all():
            box = target.bounding_box()
            assert min(box["width"], box["height"]) >= 31, target.inner_text()


def test_a_slow_telephone_shows_what_was_asked_last(reader: Reader) -> None:
    page, part = opened(reader, size="narrow")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    part.get_by_role("button", name="Look inside").click()
    expect(verdict(part)).to_be_visible()
    text = part.get_by_label("Your text")
    for name in ("Ada", "Otto", "Olga"):
        text.fill(f"{name} came to the zoo. {'The zoo was lovely. ' * 9}[MASK] smiled.")
        page.wait_for_timeout(400)  # so that each is begun
    expect(part.locator(".tokens")).to_contain_text("olga")
    expect(verdict(part)).to_be_visible()


def test_bad_input(reader: Reader) -> None:
    page, part = linked(reader, text="")
    expect(part).to_contain_text("Type a text to read.")
    text = part.get_by_label("Your text")
    for strange in ("Nora met Otto.", MARKUP, "😀 [mask]"):
        text.fill(strange)
        expect(part).to_contain_text("Write [MASK] where the model should guess.")
    text.fill("[MASK]")
    expect(part).to_contain_text("There is no other token")
    text.fill(f"[MASK] {MARKUP}")
    expect(part).to_contain_text("never met")
    expect(part.locator(".tokens")).to_contain_text("[UNK]")
    for tab in ("Layer by layer", "Four moments", "Two texts"):
        part.get_by_role("tab", name=tab).click()
        expect(verdict(part)).to_be_visible()
    part.get_by_label("The second text").fill("Nora met Otto.")
    expect(part).to_contain_text("Both texts need one.")
    part.get_by_role("tab", name="Cover and see").click()
    part.get_by_role("button", name="Entity", exact=True).click()
    text.fill("it was cold.")
    expect(part).to_contain_text("The model finds no entity in this text.")
    part.get_by_role("button", name="Answer", exact=True).click()
    part.get_by_label("Your question").fill(" ")
    expect(part).to_contain_text("Type a question")
    assert page.locator("img[src=x]").count() == 0


def test_a_model_that_does_not_come_can_be_asked_for_again(reader: Reader) -> None:
    page, part = opened(reader)
    refused: list[Route] = []

    def refuse(route: Route) -> None:
        refused.append(route)
        route.fulfill(status=503)

    page.route("**/pretrained.safetensors", refuse, times=1)
    part.get_by_role("button", name="Look inside").click()
    expect(part).to_contain_text("could not be fetched: 503")
    reader.noted[:] = [line for line in reader.noted if "503" not in line]
    part.get_by_role("button", name="Try again").click()
    expect(verdict(part)).to_have_text(START)
    assert len(refused) == 1


def test_a_guess_of_the_lesson_leads_here(reader: Reader) -> None:
    page = reader.open("lesson/pretraining.html")
    fill_in = widget(page, "fill-in")
    fill_in.get_by_role("toolbar").get_by_role("button").nth(11).click()
    fill_in.get_by_role("link", name="Why this guess?").click()
    part = widget(page, "why")
    expect(verdict(part)).to_contain_text("the guess “felix”")
    expect(part.get_by_label("Your text")).to_have_value(
        re.compile(r"in Lille\. \[MASK\] wrote to Beatrix")
    )


def test_without_scripts_the_page_shows_the_examples(reader: Reader) -> None:
    page = reader.open(PAGE, scripts=False)
    expect(page.locator(WHY)).to_contain_text("With JavaScript, you can ask")
    figure: Locator = page.locator("figure.chart")
    expect(figure).to_have_count(1)
    expect(page.locator("pre.output").first).to_contain_text("without felix")
