"""One pretrained model, three fine-tuned: a reader's text through each head, before and after."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Reader, assert_accessible, run, voice, widget

expect.set_options(timeout=20_000)

PAGE = "lesson/fine-tuning.html"
HEADS = '[data-widget="heads"]'
MARKUP = "<img src=x onerror=alert(1)>"
STORY = "Nora spent a splendid Tuesday at the library in Lille, the Copper Goose. "


def address(**state: str) -> str:
    return f"{PAGE}#heads?{urlencode(state)}"


def fetched(page: Page) -> set[str]:
    """The models that came over the wire."""
    names = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    return {Path(name).stem for name in names if name.endswith(".safetensors")}


def side(heads: Locator, stage: str) -> Locator:
    """What the open panel shows before or after fine-tuning."""
    return heads.get_by_role("group", name=f"{stage} fine-tuning").locator("visible=true")


def shares(column: Locator) -> dict[str, float]:
    names = column.locator(".bar-name").all_inner_texts()
    numbers = column.locator(".bar-number").all_inner_texts()
    return {n: float(number.strip("<>%")) for n, number in zip(names, numbers, strict=True)}


def entities(column: Locator) -> list[str]:
    return [text.replace("\u00a0", " ") for text in column.locator("mark").all_inner_texts()]


def test_only_models_of_the_open_task_are_fetched(reader: Reader) -> None:
    page = reader.open(PAGE)
    heads = widget(page, "heads")
    expect(heads.locator(".widget-note")).to_have_count(0)
    assert fetched(page) == set()
    heads.get_by_role("button", name="Read it").click()
    side(heads, "After").wait_for()
    assert fetched(page) == {"pretrained", "sentiment"}
    heads.get_by_role("tab", name="Entities").click()
    side(heads, "After").wait_for()
    assert fetched(page) == {"pretrained", "sentiment", "entities"}
    heads.get_by_role("tab", name="Question").click()
    side(heads, "After").wait_for()
    assert fetched(page) == {"pretrained", "sentiment", "entities", "spans"}


def test_sentiment_before_and_after(reader: Reader) -> None:
    page = reader.open(PAGE)
    heads = widget(page, "heads")
    heads.get_by_role("button", name="Read it").click()
    before, after = side(heads, "Before"), side(heads, "After")
    after.wait_for()
    assert shares(before).keys() == shares(after).keys() == {"negative", "positive"}
    assert shares(after)["positive"] > 90 > shares(before)["positive"]
    assert sum(shares(before).values()) == pytest.approx(100, abs=0.2)
    boxes = [column.bounding_box() for column in (before, after)]
    assert boxes[0]["y"] == boxes[1]["y"], "side by side on a wide screen"
    expect(voice(page)).to_contain_text(re.compile(r"^Before .*%\. After: positive, >?9\d"))

    heads.get_by_role("button", name="A dreary day").click()
    expect(after.locator(".bar-number").last).not_to_contain_text(re.compile(r"^>?9"))
    assert shares(after)["negative"] > 90
    heads.get_by_label("Your text").fill("To Otto, the view of the hotel seemed gorgeous.")
    expect(after.locator(".bar-number").last).to_contain_text(re.compile(r"^>?9"))


def test_entities_stand_in_the_readers_own_text(reader: Reader) -> None:
    page = reader.open(address(task="entities"))
    heads = widget(page, "heads")
    before, after = side(heads, "Before"), side(heads, "After")
    after.wait_for()
    assert entities(after) == ["Nora PER", "Lille LOC", "Copper Goose ORG", "Nora PER"]
    assert entities(before) != entities(after)
    expect(heads.get_by_role("tabpanel")).to_contain_text("PER person LOC town ORG named place")
    expect(voice(page)).to_contain_text("Copper Goose, named place")
    text = "OTTO met\nOlga , in   Lille"
    heads.get_by_label("Your text").fill(text)
    expect(after.locator("mark").first).to_contain_text("OTTO")
    words = run(after.locator(".heads-text"), "heads.withoutKinds")
    assert words == text


def test_answers_are_underlined_or_declined(reader: Reader) -> None:
    page = reader.open(address(task="question"))
    heads = widget(page, "heads")
    before, after = side(heads, "Before"), side(heads, "After")
    after.wait_for()
    assert after.locator("mark").all_inner_texts() == ["Tuesday"]
    assert before.locator("mark").all_inner_texts() != ["Tuesday"]
    assert "underline" in after.locator("mark").evaluate("e => getComputedStyle(e).textDecoration")
    rows = after.locator("tr").all_inner_texts()
    assert "“Tuesday”" in rows[0]
    assert "higher" in rows[0]
    assert "[CLS]" in rows[1]
    assert "higher" not in rows[1]

    heads.get_by_role("button", name="When was Hugo at the zoo in Bonn?").click()
    expect(after.locator("mark")).to_have_count(0)
    expect(after.locator("tr").last).to_contain_text("higher")
    expect(voice(page)).to_contain_text("After: no answer.")
    heads.get_by_label("Your question").fill("Who was at the library in Lille?")
    expect(after.locator("mark")).to_have_text("Nora")

    heads.get_by_role("button", name="A short story").click()
    expect(after.locator("mark")).to_have_text("Odense")
    assert "Petra saw" in heads.get_by_label("Your question").input_value()


def test_keyboard_alone(reader: Reader) -> None:
    page = reader.open(PAGE)
    heads = widget(page, "heads")
    tabs = {
        name: heads.get_by_role("tab", name=name) for name in ("Sentiment", "Entities", "Question")
    }
    heads.get_by_label("Your text").focus()
    for _ in range(6):  # five examples, then the tabs
        page.keyboard.press("Tab")
    expect(tabs["Sentiment"]).to_be_focused()
    page.keyboard.press("Tab")
    expect(heads.get_by_role("tabpanel")).to_be_focused()
    page.keyboard.press("Tab")
    expect(heads.get_by_role("button", name="Read it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(heads.get_by_role("tabpanel")).to_be_focused()
    side(heads, "After").wait_for()
    expect(heads.get_by_role("tabpanel")).to_be_focused()

    page.keyboard.press("Shift+Tab")
    # within a moment, past the last tab and back to the second
    run(tabs["Sentiment"], "heads.press", ["End", "Home", "ArrowRight"])
    side(heads, "After").wait_for()
    expect(tabs["Entities"]).to_be_focused()
    assert fetched(page) == {"pretrained", "sentiment", "entities"}
    outline = tabs["Entities"].evaluate("tab => getComputedStyle(tab).outlineStyle")
    assert outline == "solid"

    page.keyboard.press("Home")
    for key, name in {
        "ArrowLeft": "Question",
        "ArrowRight": "Sentiment",
        "End": "Question",
        "Home": "Sentiment",
    }.items():
        page.keyboard.press(key)
        expect(tabs[name]).to_be_focused()
        expect(tabs[name]).to_have_attribute("aria-selected", "true")
        expect(heads.get_by_role("tabpanel")).to_have_count(1)
        expect(heads.get_by_role("tabpanel")).to_have_accessible_name(name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone(reader: Reader, scheme: str) -> None:
    page = reader.open(PAGE, size="narrow", scheme=scheme, touch=True)
    heads = widget(page, "heads")
    assert_accessible(page, HEADS)
    heads.get_by_label("Your text").fill(f"A zebra! {STORY * 5}")  # cut off, and not of its world
    for task in ("Sentiment", "Entities", "Question"):
        heads.get_by_role("tab", name=task).tap()
        before, after = side(heads, "Before"), side(heads, "After")
        after.wait_for()
        assert before.bounding_box()["y"] < after.bounding_box()["y"]
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert_accessible(page, HEADS)
    for target in heads.locator("button:visible, input:visible, textarea:visible").all():
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 34, target.inner_text()


def test_bad_input(reader: Reader) -> None:
    page = reader.open(address(task="sentiment", text=""))
    heads = widget(page, "heads")
    panel, text = heads.get_by_role("tabpanel"), heads.get_by_label("Your text")
    tasks = {
        "Sentiment": "Type a text",
        "Entities": "Type a text",
        "Question": "look for the answer",
    }
    for task, message in tasks.items():
        heads.get_by_role("tab", name=task).click()
        for nothing in ("", " \n\t "):
            text.fill(nothing)
            expect(panel).to_contain_text(message)
            expect(side(heads, "After")).to_have_count(0)
        for strange in ("😀🦆", "مرحبا يا نورا", MARKUP, "\u0000\ud7ff'\"`${1}&amp;", "7"):
            text.fill(strange)
            expect(panel).to_contain_text("never met")
            expect(side(heads, "After")).to_have_count(1)
        for long in ("x" * 10_000, "🦆" * 5_000, STORY * 140):
            text.fill(long)
            expect(panel).to_contain_text(re.compile("never met|reads at most 64 tokens"))
            expect(side(heads, "After")).to_have_count(1)
    question = heads.get_by_label("Your question")
    question.fill("")
    expect(panel).to_contain_text("Type a question")
    question.fill("who " * 2_500)
    expect(panel).to_contain_text("no room for the text")
    assert page.locator("img[src=x]").count() == 0


def test_markup_is_only_text(reader: Reader) -> None:
    page = reader.open(address(task="entities", text=f"Nora {MARKUP} in Lille."))
    after = side(widget(page, "heads"), "After")
    after.wait_for()
    expect(after.locator(".heads-text")).to_contain_text("onerror=alert(1)>")
    assert page.locator("img[src=x]").count() == 0


def test_a_long_text_is_cut_and_says_so(reader: Reader) -> None:
    page = reader.open(address(task="entities", text=STORY * 5, question="Who " * 20))
    heads = widget(page, "heads")
    panel, after = heads.get_by_role("tabpanel"), side(heads, "After")
    after.wait_for()
    expect(panel).to_contain_text("reads at most 64 tokens; it read your text up to “")
    expect(after.locator(".heads-text")).to_contain_text("not read:")
    up_to = re.search("up to “(.*)”", panel.inner_text())
    assert up_to
    read = after.locator(".heads-text").inner_text().partition("not read:")[0]
    assert read.replace("\u00a0", " ").rstrip(" PERLOCG").endswith(up_to[1])

    heads.get_by_role("tab", name="Question").click()
    expect(panel).to_contain_text("reads at most 64 tokens")
    shorter = after.locator(".heads-text").inner_text().partition("not read:")[0]
    assert 0 < len(shorter) < len(read), "the question stays whole, the text gives way"


def test_words_from_elsewhere(reader: Reader) -> None:
    page = reader.open(address(task="sentiment"))
    heads = widget(page, "heads")
    panel = heads.get_by_role("tabpanel")
    side(heads, "After").wait_for()
    expect(panel).not_to_contain_text("never met")
    heads.get_by_role("button", name="Not lovely").click()
    expect(panel).to_contain_text("The model has never met “not”. Its world is small")
    heads.get_by_role("button", name="Elsewhere").click()
    expect(panel).to_contain_text("never met “movie”, “great”, “Marie”, “Curie” and more")
    for example in ("A splendid day", "A dreary day", "A short story"):
        heads.get_by_role("button", name=example).click()
        heads.get_by_role("tab", name="Question").click()
        side(heads, "After").wait_for()
        for question in panel.locator(".widget-buttons button").all():
            question.click()
            expect(panel).not_to_contain_text("never met")


def test_a_link_opens_the_same_state(reader: Reader) -> None:
    page = reader.open(PAGE)
    heads = widget(page, "heads")
    heads.get_by_label("Your text").fill("On a dull & gray #1 day, Otto met Olga in Bonn?")
    heads.get_by_role("tab", name="Question").click()
    heads.get_by_label("Your question").fill("Who met 100% of Olga + Otto?")
    side(heads, "After").wait_for()
    shown = side(heads, "After").inner_text
    heads.get_by_role("button", name="Copy a link").click()
    link = page.url
    assert "#heads?task=question&text=On" in link
    page.wait_for_timeout(400)  # until what was typed has been read

    other = reader.open("", url=link)
    opened = widget(other, "heads")
    side(opened, "After").wait_for()
    assert opened.get_by_label("Your text").input_value().startswith("On a dull & gray #1 day")
    assert opened.get_by_label("Your question").input_value() == "Who met 100% of Olga + Otto?"
    assert side(opened, "After").inner_text() == shown()
    expect(opened.get_by_text("Your text")).to_be_in_viewport()
    header = other.locator("header.md-header").bounding_box()
    assert opened.bounding_box()["y"] >= header["y"] + header["height"]

    other.evaluate("location.hash = '#heads?task=entities&text=Otto+met+Olga.'")
    expect(opened.get_by_role("tab", name="Entities")).to_have_attribute("aria-selected", "true")
    expect(side(opened, "After").locator("mark")).to_have_count(2)


@pytest.mark.parametrize("task", ["__proto__", "toString", "", "x" * 10_000])
def test_a_link_with_nonsense(reader: Reader, task: str) -> None:
    page = reader.open(address(task=task, text=MARKUP * 300, more="%", question="\u0000" * 99))
    heads = widget(page, "heads")
    side(heads, "After").wait_for()
    expect(heads.get_by_role("tab", name="Sentiment")).to_have_attribute("aria-selected", "true")
    assert page.locator("img[src=x]").count() == 0


def test_without_scripts(reader: Reader) -> None:
    page = reader.open(PAGE, scripts=False)
    expect(page.locator(f"{HEADS} .widget-note")).to_contain_text("With JavaScript")
    assert page.locator(HEADS).inner_text().count(".") == 1


@pytest.mark.parametrize("how", ["missing", "cut off", "not a model"])
def test_a_model_that_does_not_come(reader: Reader, built: Path, how: str) -> None:
    whole = (built / "downloads" / "entities.safetensors").read_bytes()
    answers: dict[str, dict[str, Any]] = {
        "missing": {"status": 404, "body": "not here"},
        "cut off": {"body": whole[: len(whole) // 2]},
        "not a model": {"body": b"<!doctype html>" * 99},
    }

    def fail(page: Page) -> None:
        page.route("**/entities.safetensors", lambda route: route.fulfill(**answers[how]))

    page = reader.open(PAGE, prepare=fail)
    heads = widget(page, "heads")
    heads.get_by_role("tab", name="Entities").click()
    panel = heads.get_by_role("tabpanel")
    expect(panel).to_contain_text("The file entities.safetensors")
    expect(voice(page)).to_contain_text("entities.safetensors")
    # what does not need it goes on
    heads.get_by_role("tab", name="Sentiment").click()
    side(heads, "After").wait_for()
    heads.get_by_role("tab", name="Entities").click()
    page.unroute("**/entities.safetensors")
    heads.get_by_role("button", name="Try again").focus()
    page.keyboard.press("Enter")
    side(heads, "After").wait_for()
    expect(panel).to_be_focused()
    if how == "missing":
        reader.noted = [note for note in reader.noted if "404" not in note]


def test_who_has_gone_on_is_not_followed(reader: Reader) -> None:
    """A model that comes after the reader has opened another tab shows nothing there."""
    waiting: list[Route] = []

    def hold(page: Page) -> None:
        page.route("**/spans.safetensors", lambda route: waiting.append(route))

    page = reader.open(PAGE, prepare=hold)
    heads = widget(page, "heads")
    with page.expect_request("**/spans.safetensors"):
        heads.get_by_role("tab", name="Question").click()
    heads.get_by_role("tab", name="Entities").click()
    side(heads, "After").wait_for()
    with page.expect_response("**/spans.safetensors"):
        waiting.pop().continue_()
    heads.get_by_label("Your text").fill("Otto met Olga.")
    expect(side(heads, "After").locator("mark")).to_have_count(2)
    heads.get_by_role("tab", name="Question").click()
    expect(side(heads, "After").locator(".heads-text")).to_contain_text("Otto met Olga.")


def test_a_widget_that_does_not_come(reader: Reader) -> None:
    page = reader.open(PAGE, prepare=lambda page: page.route("**/heads.js", lambda r: r.abort()))
    page.locator(HEADS).scroll_into_view_if_needed()
    expect(page.locator(f"{HEADS} .widget-note")).to_contain_text("could not be loaded")
    reader.noted = [note for note in reader.noted if "ERR_FAILED" not in note]
