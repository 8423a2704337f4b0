"""The walked trace, step by step, as a reader goes through it."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Reader, assert_accessible, run, widget

PAGE = "practice/trace.html"
PART = '[data-widget="trace"]'
NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]\d+)?")
FORWARD = "Thea loved the museum for its splendid guide. At the museum, Albert praised the statue."


@pytest.fixture(scope="module")
def trace(built: Path) -> dict[str, Any]:
    """What the example has left."""
    left: dict[str, Any] = json.loads((built / "downloads" / "trace.json").read_text("utf-8"))
    return left


def opened(reader: Reader, state: str = "", **settings: Any) -> tuple[Page, Any]:
    page = reader.open(PAGE + (f"#trace?{state}" if state else ""), **settings)
    return page, widget(page, "trace")


def step_of(part: Any) -> int:
    found = re.search(r"Step (\d+) of", part.locator(".where").inner_text())
    assert found
    return int(found[1])


def own(part: Any) -> None:
    """The model has come and the reader's sentences are shown."""
    expect(part.locator(".drawn")).to_contain_text("selected", timeout=20_000)


def plain(text: str) -> str:
    return text.replace("−", "-")


def test_every_number_is_the_page_s(reader: Reader, trace: dict[str, Any]) -> None:
    page, part = opened(reader)
    printed = " ".join(page.locator("pre.output, .measured").all_text_contents())
    on_page = set(NUMBER.findall(plain(printed)))
    prose = set(NUMBER.findall(plain(page.locator("article").inner_text())))
    shown: list[set[str]] = []
    for number in range(part.locator(".dot").count()):
        if number:
            part.get_by_role("button", name="Next").click()
        figure = part.locator("figure")
        derived = set(NUMBER.findall(" ".join(figure.locator("[data-derived]").all_inner_texts())))
        found = {
            n for text in figure.locator("*").all_inner_texts() for n in NUMBER.findall(plain(text))
        }
        assert found - derived <= on_page | {"0.15"}, f"step {number + 1}"
        words = set(NUMBER.findall(plain(part.locator(".stage > p").nth(1).inner_text())))
        assert words <= on_page | prose, f"step {number + 1}"
        shown.append(found)
    # what the page has no number for is right, too
    hole = next(p for p in trace["predictions"] if trace["fates"][p["position"]] == "masked")
    for piece, logit in hole["likeliest"]:
        if piece != hole["truth"]:
            assert f"{math.exp(logit - hole['log_sum_exp']):.6f}" in shown[7]
    # nothing was left out
    assert {f"{x:.5f}" for x in trace["norms"].values()} <= shown[13]
    for step, rows in zip((15, 16, 23), trace["updates"], strict=True):
        assert {f"{value:.9e}" for _, value, _ in rows} <= shown[step]
    draws = zip(trace["select_draw"], trace["selectable"], strict=True)
    assert {f"{draw:.3f}" for draw, selectable in draws if selectable} <= shown[3]
    assert {f"{x:.5f}" for x in trace["losses"]} <= shown[17]


def test_digits_are_rounded_as_python_rounds_them(reader: Reader) -> None:
    page, _ = opened(reader)
    numbers = [0.086181640625, 0.0361328125, -1.5e-9, 9.9999999999e-3, 1.0, 123456.7, 2.5e-12]
    made = run(page, "trace.inScientificNotation", numbers)
    assert [plain(text) for text in made] == [f"{number:.9e}" for number in numbers]


def test_every_step_finds_its_code_on_the_page(reader: Reader) -> None:
    page, part = opened(reader)
    steps = run(page, "trace.codeOfSteps")
    assert len(steps) == part.locator(".dot").count() > 20
    blocks = dict(run(page, "trace.titledBlocks"))
    for number, (section, beginnings) in enumerate(steps):
        part.locator(".dot").nth(number).click()
        title = f"examples/trace.py: {section}"
        assert part.locator(".trace-code .filename").inner_text() == title
        lines = part.locator(".trace-code .line").all_text_contents()
        for beginning in beginnings:
            assert any(line.startswith(beginning) for line in lines), (number + 1, beginning)
        for line in lines:
            assert line.strip() in blocks[title]
    # the title leads there
    part.locator(".trace-code .filename a").click()
    top = page.evaluate("document.querySelector(':target').getBoundingClientRect().top")
    assert 40 <= top <= 900


def test_buttons_keys_and_dots_move_and_keep_the_focus(reader: Reader) -> None:
    page, part = opened(reader)
    last = part.locator(".dot").count()
    forward = part.get_by_role("button", name="Next")
    back = part.get_by_role("button", name="Back")
    forward.click()
    assert step_of(part) == 2
    expect(page.locator(".widget-voice")).to_have_text(f"Step 2 of {last}: Pieces")
    back.click()
    back.click(force=True)  # there is nothing before the first
    assert step_of(part) == 1
    expect(back).to_have_attribute("aria-disabled", "true")
    expect(back).to_be_focused()

    for key, expected in (("ArrowRight", 2), ("End", last), ("ArrowRight", last)):
        page.keyboard.press(key)
        assert step_of(part) == expected
        expect(back).to_be_focused()
    for key, expected in (("ArrowLeft", last - 1), ("Home", 1), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        assert step_of(part) == expected

    # one dot is reached with the tab key, the others from there
    page.keyboard.press("Shift+Tab")
    expect(part.locator(".dot").first).to_be_focused()
    for key, expected in (("ArrowRight", 2), ("End", last), ("ArrowLeft", last - 1)):
        page.keyboard.press(key)
        assert step_of(part) == expected
        expect(part.locator(".dot").nth(expected - 1)).to_be_focused()
    page.keyboard.press("Tab")
    expect(back).to_be_focused()

    part.locator(".dot").nth(8).click()
    assert step_of(part) == 9
    expect(part.locator(".dot").nth(8)).to_have_attribute("aria-current", "step")
    assert part.locator("[aria-current]").count() == 1
    page.keyboard.press("Alt+ArrowLeft")  # the browser's own
    assert step_of(part) == 9


def test_it_folds_with_the_keyboard(reader: Reader) -> None:
    page, part = opened(reader)
    expect(part.locator(".stage")).to_be_visible()
    part.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(part.locator(".stage")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(part.locator(".stage")).to_be_visible()


def drag(page: Page, part: Any, dx: int, dy: int) -> None:
    """A finger on the picture, and off again."""
    box = part.locator("figure").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 20
    finger = page.context.new_cdp_session(page)
    begin = [{"x": x, "y": y}]
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": begin})
    for share in (0.25, 0.5, 0.75, 1):
        point = [{"x": x + dx * share, "y": y + dy * share}]
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": point})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_turns_pages_and_scrolls(reader: Reader) -> None:
    page, part = opened(reader, size="narrow", touch=True)
    part.locator("figure").scroll_into_view_if_needed()
    drag(page, part, -120, 10)
    assert step_of(part) == 2
    drag(page, part, -120, -10)
    assert step_of(part) == 3
    drag(page, part, 120, 5)
    assert step_of(part) == 2
    drag(page, part, 20, 3)  # too short
    assert step_of(part) == 2
    before = page.evaluate("scrollY")
    drag(page, part, -60, -200)
    page.wait_for_function("before => scrollY > before + 50", arg=before)
    assert step_of(part) == 2
    part.get_by_role("button", name="Next").tap()
    assert step_of(part) == 3


def test_a_link_opens_the_step(reader: Reader) -> None:
    page, part = opened(reader, "step=16")
    assert step_of(part) == 16
    expect(part.get_by_role("button", name="The walked input")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert part.bounding_box()["y"] >= 40  # below the header
    page.evaluate("location.hash = 'trace?step=3'")
    expect(part.locator(".where")).to_contain_text("Step 3 of")
    part.get_by_role("button", name="Copy a link").click()
    assert page.url.endswith("#trace?step=3")


def test_a_nonsensical_link_opens_a_sensible_step(reader: Reader) -> None:
    page, part = opened(reader, "step=999&seed=5")
    assert step_of(part) == 1
    for state in ("step=0", "step=-1", "step=1.5", "step=NaN", "step=", "step=<b>", "text", "&&=%"):
        page.evaluate("state => { location.hash = `trace?${state}`; }", state)
        assert step_of(part) == 1
    page.evaluate("location.hash = 'trace?step=4&text=Thea%20sighed.&seed=-3e400'")
    expect(part.locator(".drawn")).to_contain_text("Draw 1: selected")


def test_a_sentence_of_the_reader_s(reader: Reader) -> None:
    asked: list[str] = []
    page, part = opened(reader)
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    part.get_by_role("button", name="Next").click()
    assert not [name for name in asked if name.endswith(".safetensors")]

    part.get_by_role("button", name="Your own").click()
    own(part)
    assert "pretrained.safetensors" in asked
    assert "sentiment.safetensors" not in asked
    field = part.get_by_role("textbox")
    field.fill("Anton hated the hotel. The lobby was gloomy.")
    expect(part.locator("figure .token")).to_have_count(13)
    assert part.locator("figure .token").all_inner_texts()[:4] == ["[CLS]", "anton", "hated", "the"]
    assert step_of(part) == 2

    # keys in the field write
    field.press("Home")
    field.press("ArrowRight")
    assert step_of(part) == 2

    # another draw, other numbers
    part.locator(".dot").nth(3).click()
    before = part.locator("figure").inner_text()
    part.get_by_role("button", name="Draw again").click()
    expect(part.locator(".drawn")).to_contain_text("Draw 2: selected")
    assert part.locator("figure").inner_text() != before
    expect(part.get_by_role("button", name="Draw again")).to_be_focused()

    # what takes a gradient is the walked input's, and says so
    part.locator(".dot").nth(15).click()
    expect(part.locator(".borrowed")).to_contain_text("walked input")
    expect(part.locator("figure .rung")).to_have_count(9)

    # both heads read it, the published one rightly
    part.locator(".dot").nth(19).click()
    expect(part.locator(".shares")).to_have_count(2)
    assert "sentiment.safetensors" in asked
    after = part.locator(".shares").nth(1).locator(".number").all_inner_texts()
    negative, positive = (float(after[n]) for n in (2, 5))
    assert negative > 0.9
    assert math.isclose(negative + positive, 1, abs_tol=2e-5)
    part.locator(".dot").nth(20).click()
    expect(part.locator(".calculation")).to_have_count(4)

    # all of this is in the link
    part.get_by_role("button", name="Copy a link").click()
    shown = part.locator("figure").inner_text()
    again, part = opened(reader, page.url.split("?", 1)[1])
    own(part)
    expect(part.locator(".calculation")).to_have_count(4)
    assert part.locator("figure").inner_text() == shown
    assert part.get_by_role("textbox").input_value().startswith("Anton hated")
    assert again.url == page.url

    part.get_by_role("button", name="The walked input").click()
    expect(part.get_by_role("textbox")).to_be_hidden()


def test_sums_of_the_reader_s_sentence_add_up(reader: Reader) -> None:
    _, part = opened(reader, f"step=10&seed=3&text={quote(FORWARD)}")
    own(part)
    losses = [float(text) for text in part.locator(".bars .number").all_inner_texts()]
    *each, mean = losses
    assert len(each) == 3
    assert math.isclose(sum(each) / 3, mean, abs_tol=2e-5)
    part.locator(".dot").nth(12).click()
    mlm, nsp, loss = (float(text) for text in part.locator(".bars .number").all_inner_texts())
    assert mlm == mean
    assert math.isclose(mlm + nsp, loss, abs_tol=2e-5)


def test_the_page_computes_what_the_example_has_computed(
    reader: Reader, trace: dict[str, Any]
) -> None:
    page, _ = opened(reader)
    made = run(page, "trace.lossesOf", trace)
    for name in ("mlm_loss", "nsp_loss", "loss"):
        assert math.isclose(made[name], trace[name], abs_tol=1e-4)
    assert made["nsp_logits"] == pytest.approx(trace["nsp_logits"], abs=1e-4)
    for ours, theirs in zip(made["predictions"], trace["predictions"], strict=True):
        assert ours["truth"] == theirs["truth"]
        for name in ("logit", "log_sum_exp", "loss"):
            assert math.isclose(ours[name], theirs[name], abs_tol=1e-4)
        assert [piece for piece, _ in ours["likeliest"]] == [p for p, _ in theirs["likeliest"]]


def test_a_draw_that_selects_nothing_says_so(reader: Reader) -> None:
    page, part = opened(reader, "step=5&text=Thea&seed=1")
    own(part)
    expect(part.locator(".drawn")).to_have_text("Draw 1: selected 0 of 1.")
    for number in range(5, 11):  # what is made of selected tokens
        part.locator(".dot").nth(number - 1).click()
        expect(part.locator("figure")).to_contain_text("Draw again")
    part.locator(".dot").nth(10).click()
    expect(part.locator("figure")).to_contain_text("only one sentence")
    again = part.get_by_role("button", name="Draw again")
    for _ in range(60):
        again.click()
        page.wait_for_timeout(20)
        if "selected 1 of 1" in part.locator(".drawn").inner_text():
            break
    part.locator(".dot").nth(4).click()
    expect(part.locator("figure .fate")).to_have_count(1)


BAD = {
    "nothing": "",
    "spaces": "   \n\t ",
    "emoji": "😀🎉👩‍👩‍👧",
    "right to left": "תאה אהבה את המוזיאון. أحبّت ثيا المتحف.",
    "markup": "<img src=x onerror=alert(1)> <b>Thea</b>. <script>alert(1)</script>",
    "long": "Thea loved the museum. " * 435,
    "long word": "a" * 10_000,
    "dots": "." * 10_000,
    "structural": "[MASK] [CLS] [SEP] [PAD]. [MASK]",
}


def test_whatever_is_typed(reader: Reader) -> None:
    page, part = opened(reader)
    part.get_by_role("button", name="Your own").click()
    own(part)
    field = part.get_by_role("textbox")
    for name, text in BAD.items():
        field.fill(text)
        if not text.strip():
            expect(part.locator(".stage")).to_contain_text("Write a sentence first")
            expect(part.locator(".drawn")).to_be_empty()
            continue
        own(part)
        for number in (0, 3, 7, 12, 19):
            part.locator(".dot").nth(number).click()
            expect(part.locator("figure")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, name
        assert part.locator("img, script, figure b b").count() == 0
        part.locator(".dot").nth(1).click()
        expect(part.locator("figure .token").first).to_have_text("[CLS]")
        assert part.locator("figure .token").count() <= 64
        if name in ("long", "dots"):
            expect(part.locator(".stage")).to_contain_text("the rest is cut off")
        field.fill("")
        expect(part.locator(".drawn")).to_be_empty()


def test_without_scripts_the_page_is_whole(reader: Reader) -> None:
    page = reader.open(PAGE, scripts=False)
    part = page.locator(PART)
    expect(part.locator(".widget-note")).to_contain_text("With JavaScript")
    assert page.locator("pre.output").count() > 8


@pytest.mark.parametrize("body", ["", '{"texts": ["Thea', "{}", "[]"])
def test_a_missing_or_damaged_trace_says_so(reader: Reader, body: str) -> None:
    def answer(route: Route) -> None:
        route.fulfill(status=200 if body else 404, body=body or "not here")

    page = reader.open(PAGE, prepare=lambda page: page.route("**/trace.json", answer))
    page.locator(PART).scroll_into_view_if_needed()
    expect(page.locator(f"{PART} .widget-note")).to_contain_text("could not be loaded")
    assert page.locator(f"{PART} .trace").count() == 0
    if not body:
        reader.noted[:] = [said for said in reader.noted if "404" not in said]


def test_a_model_that_fails_can_be_tried_again(reader: Reader) -> None:
    broken = [True]

    def answer(route: Route) -> None:
        if broken:
            route.fulfill(status=200, body=b"\x08" + bytes(40))
        else:
            route.continue_()

    def prepare(page: Page) -> None:
        page.route("**/pretrained.safetensors", answer)

    _, part = opened(reader, prepare=prepare)
    part.get_by_role("button", name="Your own").click()
    expect(part.locator(".widget-error")).to_contain_text("is damaged")
    # the walked input goes on meanwhile
    part.get_by_role("button", name="The walked input").click()
    expect(part.locator("figure .card")).to_have_count(2)
    part.get_by_role("button", name="Your own").click()
    broken.clear()
    part.get_by_role("button", name="Try again").click()
    own(part)
    expect(part.locator("figure .card").first).to_contain_text("Thea")
    expect(part.get_by_role("textbox")).to_be_focused()  # the button has gone


def test_a_second_model_that_fails_can_be_tried_again(reader: Reader) -> None:
    def prepare(page: Page) -> None:
        page.route("**/sentiment.safetensors", lambda route: route.fulfill(body=b"{}" * 99))

    page, part = opened(reader, prepare=prepare)
    part.get_by_role("button", name="Your own").click()
    own(part)
    part.locator(".dot").nth(19).click()
    page.unroute("**/sentiment.safetensors")
    part.get_by_role("button", name="Try again").click()
    expect(part.locator(".shares")).to_have_count(2)
    expect(part.get_by_role("textbox")).to_be_focused()


def test_a_bar_shows_what_has_come_of_all_models_and_is_announced(reader: Reader) -> None:
    held: list[Route] = []

    def prepare(page: Page) -> None:
        page.route("**/sentiment.safetensors", lambda route: held.append(route))

    page, part = opened(reader, prepare=prepare)
    assert page.locator(".widget-voice").count() == 1  # there before it says anything
    part.get_by_role("button", name="Your own").click()
    own(part)
    part.locator(".dot").nth(19).click()
    bar = part.get_by_role("progressbar", name="Fetching the model")
    expect(bar).to_have_js_property("value", 1)  # of two: one is there already
    expect(page.locator(".widget-voice")).to_have_text("Fetching the model")
    held[0].continue_()
    expect(part.locator(".shares")).to_have_count(2)
    expect(bar).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_telephone(reader: Reader, scheme: str) -> None:
    page, part = opened(reader, size="narrow", scheme=scheme, touch=True, reduced_motion="reduce")
    assert_accessible(page, PART)
    sizes = part.locator(".dot").evaluate_all(
        "dots => dots.map((dot) => [dot.offsetWidth, dot.offsetHeight])"
    )
    assert min(min(size) for size in sizes) >= 24
    for mine in (False, True):
        if mine:
            part.get_by_role("button", name="Your own").tap()
            own(part)
        for number in (3, 5, 8, 15, 19):
            part.locator(".dot").nth(number).tap()
            expect(part.locator("figure")).to_have_count(1)
            assert_accessible(page, PART)
        # the steps that are too wide for a telephone, or for the widget
        wide = run(part, "trace.wideSteps")
        assert wide == []
