"""Fill in: a reader hides tokens and sees what the model would put there."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from bertlesson.lesson import corpus_text, tiny
from tests.browser.conftest import Reader, assert_accessible, run, voice, widget

PAGE = "lesson/pretraining.html"
NAME = "fill-in"
MODEL = "**/pretrained.safetensors"


def opened(reader: Reader, **settings: Any) -> tuple[Page, Locator]:
    page = reader.open(PAGE, **settings)
    return page, widget(page, NAME)


def linked(reader: Reader, **state: str) -> Locator:
    return widget(reader.open(f"{PAGE}#{NAME}?{urlencode(state)}"), NAME)


def token(part: Locator, number: int) -> Locator:
    """The button of a token; the first has the number 0."""
    return part.get_by_role("toolbar").get_by_role("button").nth(number)


def groups(part: Locator) -> Locator:
    return part.get_by_role("group", name=re.compile("^Guesses for token"))


def guesses(part: Locator, number: int = 0) -> list[tuple[str, str]]:
    """The bars of one hidden token: names and probabilities."""
    bars = groups(part).nth(number).locator(".bar")
    expect(bars).to_have_count(5)
    names = bars.locator(".bar-name").all_inner_texts()
    return list(zip(names, bars.locator(".bar-number").all_inner_texts(), strict=True))


def take(part: Locator, example: str) -> None:
    part.get_by_role("button", name=example, exact=True).click()
    expect(part.locator(".fill-in-lesson")).to_be_visible()


def write(part: Locator, text: str) -> None:
    part.get_by_role("textbox").fill(text)


def test_a_pressed_token_is_hidden_guessed_and_shown_again(reader: Reader) -> None:
    page, part = opened(reader)
    button = token(part, 11)
    expect(button).to_have_text("felix")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_have_text("▢ [MASK] felix")
    best, *others = guesses(part)
    assert best[0] == "✓ felix"
    assert float(best[1].strip("<>%")) > 50
    assert not any(name.startswith("✓") for name, _ in others)
    expect(voice(page)).to_have_text(re.compile(r"^felix hidden: the model says felix, \d\d\.\d%$"))
    expect(groups(part).locator("p")).to_have_text("… in Lille. ▢ [MASK] felix wrote to Beatrix …")
    button.click()
    expect(button).to_have_text("felix")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(groups(part)).to_have_count(0)
    expect(voice(page)).to_have_text("felix is shown again")


@torch.inference_mode()
def test_several_guesses_are_those_of_pytorch(reader: Reader) -> None:
    _, part = opened(reader)
    for number in (3, 9, 14):  # pleasant, lille, beatrix
        token(part, number).click()
    expect(groups(part)).to_have_count(3)
    checkpoint = tiny.load()
    tokenizer = checkpoint.tokenizer
    ids = tokenizer(part.get_by_role("textbox").input_value(), return_tensors="pt")["input_ids"]
    places = [4, 10, 15]
    truth = ids[0, places].tolist()
    ids[0, places] = tokenizer.mask_token_id
    shares = checkpoint.model(input_ids=ids).prediction_logits[0].softmax(-1)
    for number, (place, true) in enumerate(zip(places, truth, strict=True)):
        top = shares[place].topk(5)
        wanted = [
            ("✓ " if best == true else "") + tokenizer.convert_ids_to_tokens(best)
            for best in top.indices.tolist()
        ]
        found = guesses(part, number)
        assert [name for name, _ in found] == wanted
        for (_, written), share in zip(found, top.values.tolist(), strict=True):
            assert float(written.strip("<>%")) == pytest.approx(100 * share, abs=0.051)
        rank = int((shares[place] > shares[place, true]).sum()) + 1
        line = groups(part).nth(number).locator(".bar ~ p")
        if rank <= 5:
            expect(line).to_have_count(0)
        else:
            piece = tokenizer.convert_ids_to_tokens(true)
            expect(line).to_contain_text(f"✓ {piece}: rank {rank} of {len(tokenizer)}, ")


def test_the_model_comes_only_when_it_is_needed(reader: Reader) -> None:
    asked: list[str] = []
    page, part = opened(
        reader, prepare=lambda page: page.on("request", lambda request: asked.append(request.url))
    )
    token(part, 5).focus()
    page.keyboard.press("ArrowRight")
    assert not [url for url in asked if url.endswith(".safetensors")]
    before = part.get_by_role("toolbar").inner_text()
    token(part, 5).click()
    expect(groups(part)).to_have_count(1)
    token(part, 5).click()
    expect(groups(part)).to_have_count(0)
    assert len([url for url in asked if url.endswith(".safetensors")]) == 1
    # the words shown at first are the tokens: writing them anew changes nothing
    text = part.get_by_role("textbox").input_value()
    write(part, f"{text} ada")
    expect(part.get_by_role("toolbar")).to_contain_text("ada")
    write(part, text)
    expect(part.get_by_role("toolbar")).not_to_contain_text("ada")
    assert part.get_by_role("toolbar").inner_text() == before


def test_with_the_keyboard_alone(reader: Reader) -> None:
    page, part = opened(reader, size="narrow")
    part.get_by_role("textbox").focus()
    page.keyboard.press("Tab")
    expect(token(part, 0)).to_be_focused()
    page.keyboard.press("ArrowLeft")  # there is nothing before it
    expect(token(part, 0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(token(part, 2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(token(part, 2)).to_have_attribute("aria-pressed", "true")
    expect(groups(part)).to_have_count(1)
    expect(token(part, 2)).to_be_focused()
    page.keyboard.press("Space")
    expect(token(part, 2)).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("End")
    expect(token(part, 19)).to_be_focused()
    page.keyboard.press("Home")
    expect(token(part, 0)).to_be_focused()
    scrolled = page.evaluate("scrollY")
    here = token(part, 0).bounding_box()
    page.keyboard.press("ArrowDown")
    below = page.locator(":focus").bounding_box()
    assert here
    assert below
    assert 0 < below["y"] - here["y"] < 80
    page.keyboard.press("ArrowUp")
    expect(token(part, 0)).to_be_focused()
    assert page.evaluate("scrollY") == scrolled
    page.keyboard.press("Space")
    expect(groups(part)).to_have_count(1)
    page.keyboard.press("Shift+Tab")  # one stop for all tokens
    expect(part.get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Tab")
    expect(token(part, 0)).to_be_focused()
    page.keyboard.press("Tab")
    expect(part.get_by_role("link", name="Why this guess?")).to_be_focused()
    page.keyboard.press("Tab")
    expect(part.get_by_role("button", name="Show all")).to_be_focused()
    page.keyboard.press("Enter")
    expect(groups(part)).to_have_count(0)
    expect(token(part, 0)).to_be_focused()
    expect(voice(page)).to_have_text("All tokens are shown")


def test_the_examples_show_what_they_say(reader: Reader) -> None:
    page, part = opened(reader)
    take(part, "A name given twice")
    best = guesses(part)[0]
    assert best[0] == "✓ felix"
    assert float(best[1].strip("<>%")) > 50
    expect(voice(page)).to_contain_text("felix hidden: the model says felix")

    take(part, "A name given once")
    expect(groups(part)).to_contain_text("beatrix")
    people = {name.lower() for name in (*corpus_text.WOMEN, *corpus_text.MEN)}
    found = guesses(part)
    assert {name.removeprefix("✓ ") for name, _ in found} <= people
    assert all(float(share.strip("<>%")) < 15 for _, share in found)
    expect(groups(part)).to_contain_text(re.compile(r"✓ beatrix: rank \d+ of 389"))

    for mood, changes in (("negative", {}), ("positive", {"boring": "lovely", "awful": "lovely"})):
        take(part, "A mood")
        expect(groups(part)).to_have_count(2)
        text = part.get_by_role("textbox").input_value()
        for word, other in changes.items():
            assert word in text
            text = text.replace(word, other)
        write(part, text)
        expect(part.locator(".fill-in-lesson")).to_have_count(0 if changes else 1)
        expect(groups(part)).to_have_count(2)  # what was hidden stays hidden
        verbs = {*corpus_text.LOVED[mood], *corpus_text.SMILED[mood]}
        for number in (0, 1):
            said = {name.removeprefix("✓ ") for name, _ in guesses(part, number)}
            assert len(said & verbs) >= 4, said

    take(part, "Another world")
    expect(part.get_by_role("textbox")).to_have_value("Paris is the capital of [MASK].")
    expect(part.locator(".fill-in-remarks")).to_contain_text(
        "389 pieces from the stories that it was trained on. “Paris”, “is” and “capital” are "
        "split into single letters."
    )
    followed = {"the", *corpus_text.VENUES}  # “of” in its stories
    assert guesses(part)[0][0] in followed


def test_an_example_taken_right_after_typing_keeps_what_it_says(reader: Reader) -> None:
    page, part = opened(reader)
    token(part, 11).click()
    expect(groups(part)).to_have_count(1)  # the model is there
    part.get_by_role("textbox").press("a")
    take(part, "Another world")
    page.wait_for_timeout(600)  # until the letter would count as written
    expect(part.locator(".fill-in-lesson")).to_be_visible()


def test_a_mask_that_is_written_is_guessed_and_has_no_truth(reader: Reader) -> None:
    _, part = opened(reader)
    write(part, "Ada [MASK] the vicar at the [MASK].")
    expect(groups(part)).to_have_count(2)
    expect(part.get_by_role("toolbar").get_by_text("▢ [MASK]")).to_have_count(2)
    assert not any("✓" in name for name, _ in guesses(part))
    expect(part).not_to_contain_text("marks the hidden token")
    expect(part.get_by_role("toolbar").get_by_role("button")).to_have_count(6)
    expect(part.get_by_role("button", name="Show all")).to_be_hidden()


def test_hidden_tokens_stay_hidden_while_the_text_around_them_changes(reader: Reader) -> None:
    _, part = opened(reader)
    write(part, "Ada met Otto at the zoo.")
    expect(part.get_by_role("toolbar")).to_contain_text("zoo")
    token(part, 0).click()
    token(part, 5).click()
    pressed = part.get_by_role("toolbar").locator('[aria-pressed="true"]')
    expect(pressed).to_have_text(["▢ [MASK] ada", "▢ [MASK] zoo"])
    write(part, "Ada met the old vicar at the lovely zoo.")
    expect(part.get_by_role("toolbar")).to_contain_text("vicar")
    expect(pressed).to_have_text(["▢ [MASK] ada", "▢ [MASK] zoo"])
    write(part, "Magda met the old vicar at the lovely zoo.")
    expect(part.get_by_role("toolbar")).to_contain_text("magda")
    expect(pressed).to_have_text(["▢ [MASK] zoo"])


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("", "There is no token yet: write a word or two."),
        (" \n\t ", "There is no token yet"),
        ("\u200b\u200e", "There is no token yet"),
        ("😀 👩‍👩‍👧 🇩🇪", " are read as [UNK], unknown."),
        ("مرحبا", "“مرحبا” is read as [UNK], unknown."),
        ("a" * 10_000, "“aaaaaaaaaaaaaaaaaaa…” is read as [UNK]"),
        ("ada " * 2_500, "reads at most 64 tokens, including [CLS] and [SEP]: the text is cut"),
        ("<img src=x onerror=alert(1)>", "“<”, “=”, “(”, “1” and 2 more are read as [UNK]"),
        ("the pizza, a pizza; Jo", "“pizza” and “Jo” are split into single letters"),
    ],
)
def test_the_page_says_why_guesses_are_poor(reader: Reader, text: str, remark: str) -> None:
    page, part = opened(reader)
    write(part, text)
    expect(part.locator(".fill-in-remarks")).to_contain_text(remark)
    expect(part.locator("img")).to_have_count(0)
    if first := part.get_by_role("toolbar").get_by_role("button").first.is_visible():
        token(part, 0).click()
        guesses(part)
    assert first == ("no token" not in remark)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_words_of_the_models_world_need_no_remark(reader: Reader) -> None:
    _, part = opened(reader)
    write(part, "What an adorable painting! A gorgeous, priceless THIMBLE, said I, the twin.")
    remarks = part.locator(".fill-in-remarks")
    expect(remarks).to_contain_text("“I” and “twin” are split")  # these are not
    write(part, "What an adorable painting! A gorgeous, priceless THIMBLE, said my aunt.")
    expect(remarks).to_be_empty()


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_bars_move_only_where_motion_is_not_reduced(
    reader: Reader, motion: str, moves: bool
) -> None:
    _, part = opened(reader, reduced_motion=motion)
    token(part, 11).click()
    expect(groups(part)).to_have_count(1)
    seconds = run(part, "page.longestMotion")
    assert (seconds > 0.01) == moves


def test_a_link_opens_the_same_state(reader: Reader) -> None:
    page, part = opened(reader)
    write(part, "Ada & Otto <b>met</b> the vicar #1.")
    expect(part.get_by_role("toolbar")).to_contain_text("vicar")
    token(part, 0).click()
    token(part, 2).click()
    expect(groups(part)).to_have_count(2)
    shown = part.get_by_role("toolbar").inner_text()
    part.get_by_role("button", name="Copy a link to this").click()
    expect(page).to_have_url(re.compile(r"#fill-in\?text="))
    other = widget(reader.open("", url=page.url), NAME)
    expect(other.get_by_role("textbox")).to_have_value("Ada & Otto <b>met</b> the vicar #1.")
    expect(groups(other)).to_have_count(2)
    assert other.get_by_role("toolbar").inner_text() == shown
    expect(other).to_be_in_viewport()
    page.evaluate("location.hash = '#fill-in?text=Otto+met+Ada.&hidden=1'")  # while it is open
    expect(part.get_by_role("textbox")).to_have_value("Otto met Ada.")
    expect(part.get_by_role("toolbar")).to_contain_text("▢ [MASK] otto")


def test_a_link_on_the_open_page_starts_the_widget_wherever_it_is(reader: Reader) -> None:
    page = reader.open(PAGE)
    part = page.locator(f'[data-widget="{NAME}"]')
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    expect(page.locator(f'[data-widget="{NAME}"][data-started]')).to_have_count(0)
    page.evaluate("location.hash = '#fill-in?text=Otto+met+Ada.&hidden=1'")
    expect(part.get_by_role("textbox")).to_have_count(1, timeout=10_000)
    expect(part.get_by_role("textbox")).to_have_value("Otto met Ada.")
    expect(part).to_be_in_viewport()
    page.evaluate("scrollBy(0, -2000)")
    part.scroll_into_view_if_needed()
    expect(part.get_by_role("textbox")).to_have_count(1)  # it starts once


@pytest.mark.parametrize(
    ("state", "tokens", "hidden"),
    [
        ({"text": "Ada met Otto.", "hidden": "-1,0,2,2,99,1e9,NaN,x,,1.5"}, 4, ["▢ [MASK] met"]),
        ({"text": "Ada met Otto.", "hidden": ""}, 4, []),
        ({"hidden": "1"}, 20, ["▢ [MASK] felix"]),
        ({"text": "x" * 8_000, "hidden": "1,2"}, 1, ["▢ [MASK] [UNK]"]),
        ({"text": "", "hidden": "0,1"}, 0, []),
        ({"text": "Ada [MASK]", "hidden": "2"}, 1, []),
        ({"nonsense": "%ff"}, 20, []),
    ],
)
def test_a_link_with_nonsense_does_what_can_be_done(
    reader: Reader, state: dict[str, str], tokens: int, hidden: list[str]
) -> None:
    part = linked(reader, **state)
    expect(part.get_by_role("toolbar").get_by_role("button")).to_have_count(tokens)
    expect(part.locator('[aria-pressed="true"]')).to_have_text(hidden)
    masked = len(hidden) + ("[MASK]" in state.get("text", ""))
    expect(groups(part)).to_have_count(masked)


def test_a_missing_model_is_said_and_fetched_again(reader: Reader) -> None:
    page, part = opened(
        reader, prepare=lambda page: page.route(MODEL, lambda route: route.fulfill(status=404))
    )
    token(part, 11).click()
    error = part.locator(".widget-error")
    expect(error).to_have_text("The file pretrained.safetensors could not be fetched: 404.")
    token(part, 3).click()  # what is asked for meanwhile is done later
    page.unroute(MODEL)
    part.get_by_role("button", name="Try again").click()
    expect(groups(part)).to_have_count(2)
    expect(error).to_have_count(0)
    assert [note for note in reader.noted if "404" not in note] == []
    reader.noted.clear()


def test_a_text_written_while_the_model_is_missing_is_read_once_it_comes(reader: Reader) -> None:
    page, part = opened(
        reader, prepare=lambda page: page.route(MODEL, lambda route: route.fulfill(status=404))
    )
    token(part, 11).click()
    again = part.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    write(part, "ada " * 2_500)
    page.wait_for_timeout(600)  # until it counts as written
    page.unroute(MODEL)
    again.click()
    expect(part.locator(".fill-in-remarks")).to_contain_text("reads at most 64 tokens")
    expect(part.get_by_role("toolbar").get_by_role("button")).to_have_count(62)
    assert [note for note in reader.noted if "404" not in note] == []
    reader.noted.clear()


def test_a_damaged_model_is_said(reader: Reader) -> None:
    _, part = opened(
        reader, prepare=lambda page: page.route(MODEL, lambda route: route.fulfill(body=b"{}" * 99))
    )
    token(part, 11).click()
    expect(part.locator(".widget-error")).to_contain_text("pretrained.safetensors is damaged: its")


def test_without_scripts_or_without_its_file_the_page_says_so(reader: Reader) -> None:
    page = reader.open(PAGE, scripts=False)
    part = page.locator(f'[data-widget="{NAME}"]')
    expect(part).to_have_text(re.compile("With JavaScript, you can mask any token"))
    page = reader.open(
        PAGE, prepare=lambda page: page.route("**/fill-in.js", lambda route: route.abort())
    )
    part = page.locator(f'[data-widget="{NAME}"]')
    part.scroll_into_view_if_needed()
    expect(part).to_contain_text("could not be loaded")
    assert all("ERR_FAILED" in note for note in reader.noted)
    reader.noted.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_it_is_accessible_and_fits(reader: Reader, scheme: str, size: str) -> None:
    phone = {"touch": True, "is_mobile": True} if size == "narrow" else {}
    page, part = opened(reader, scheme=scheme, size=size, **phone)
    place = f'[data-widget="{NAME}"]'
    assert_accessible(page, place)
    press = Locator.tap if size == "narrow" else Locator.click
    press(part.get_by_role("button", name="Another world"))
    expect(groups(part)).to_have_count(1)
    press(token(part, 0))
    expect(groups(part)).to_have_count(2)
    assert_accessible(page, place)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for button in part.get_by_role("button").all():
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= (40 if size == "narrow" else 24)
