"""The masking playground, as a reader uses it; and masking in the page, by its statistics."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Request, Route, expect
from scipy.special import log_softmax

from tests.browser.conftest import Host, Reader, assert_accessible, run, voice, widget

PAGE = "lesson/masking.html"
USED = f"{PAGE}#masking?"  # the same picture, with all of the vocabulary: a link has needed it
ASK = "What does the model say?"


def started(page: Page) -> Any:
    """The playground with the counts of its first draw."""
    found = widget(page, "masking")
    expect(found.locator("tbody")).to_have_text(re.compile(r"^[^…]+$"))
    return found


def ask(page: Page) -> Any:
    """The playground with the model's guesses."""
    found = started(page)
    found.get_by_role("button", name=ASK).click()
    expect(found.get_by_text("What the model says")).to_be_visible()
    return found


def slider(found: Any, name: str) -> Any:
    return found.get_by_role("slider", name=name)


def shares(found: Any) -> list[int]:
    """Selected, masked, random and kept, in percent, as they are shown."""
    texts = found.locator(".masking-share > :last-child").all_inner_texts()
    return [int(text.removesuffix("%")) for text in texts]


def signs(found: Any) -> list[str]:
    """The chips as they read, with their signs."""
    texts: list[str] = found.locator(".tokens > .token").all_inner_texts()
    return texts


# masking itself


RECIPES = [(0.15, 0.8, 0.1), (0.5, 0.0, 0.8), (1, 0.34, 0.33), (0.02, 1, 0), (0.3, 0, 0), (1, 0, 1)]


def test_masking_in_the_page_has_the_recipes_shares(reader: Reader) -> None:
    """Shares of 192,000 tokens, within 5 standard errors: one right one in a million fails."""
    length, rows, vocabulary = 50, 4_000, 389
    page = reader.open(PAGE)
    for select, mask, random in RECIPES:
        recipe = {"select": select, "mask": mask, "random": random}
        found = run(page, "masking.fatesOf", [length, rows, recipe, vocabulary])

        assert found["wrong"] == {"structural": 0, "untouched": 0, "masked": 0}, recipe
        tokens, fates = rows * (length - 2), found["fates"]
        assert sum(fates.values()) == tokens
        selected = tokens - fates[""]
        keep = round(1 - mask - random, 9)
        for count, of, share in (
            (selected, tokens, select),
            (fates["masked"], selected, mask),
            (fates["random"], selected, random),
            (fates["kept"], selected, keep),
        ):
            error = math.sqrt(share * (1 - share) / of)
            assert abs(count / of - share) <= 5 * error, recipe  # 0 and 1 leave no error
        if random:
            # every id of the vocabulary is as likely as any other
            expected = fates["random"] / vocabulary
            chi_square = sum((count - expected) ** 2 / expected for count in found["drawn"])
            freedom = vocabulary - 1
            assert abs(chi_square - freedom) < 5 * math.sqrt(2 * freedom), recipe


def test_a_seed_repeats_its_draws_and_another_does_not(reader: Reader) -> None:
    found = run(reader.open(PAGE), "masking.drawsOfSeeds")
    assert found["one"] == found["again"]
    assert not set(found["one"]) & set(found["two"])
    assert all(0 <= number < 1 for number in found["one"] + found["two"] + found["most"])
    assert found["none"] == {"selected": 0, "masked": 0, "random": 0, "kept": 0}
    counts = found["counts"]
    assert counts["masked"] + counts["random"] + counts["kept"] == counts["selected"]
    assert abs(counts["selected"] / 200_000 - 0.15) < 5 * math.sqrt(0.15 * 0.85 / 200_000)
    assert abs(counts["masked"] / counts["selected"] - 0.8) < 5 * math.sqrt(0.16 / 30_000)


def test_shares_always_add_up_and_every_move_can_be_undone(reader: Reader) -> None:
    assert run(reader.open(PAGE), "masking.wrongShares") == []


def test_a_higher_share_selects_more_and_changes_nothing_else(reader: Reader) -> None:
    few, more, other = run(reader.open(PAGE), "masking.steadyFates")
    stayed = [new == old for old, new in zip(few, more, strict=True) if old["fate"]]
    assert stayed
    assert all(stayed)
    assert sum(bool(token["fate"]) for token in more) > len(stayed)
    assert [bool(token["fate"]) for token in more] == [bool(token["fate"]) for token in other]


def test_the_loss_is_that_of_a_softmax_and_the_truth_is_among_the_guesses(reader: Reader) -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 4, (50, 389)).astype(np.float32)
    scores[0] += 900  # exp would overflow
    scores[1, 7] = -2000  # its probability is 0 in any precision
    truths = [int(truth) for truth in rng.integers(0, 389, 50)]
    truths[1] = 7
    found = run(reader.open(PAGE), "masking.verdictsOn", [scores.tolist(), truths])
    logs = log_softmax(scores.astype(np.float64), axis=1)
    for row, (truth, verdict) in enumerate(zip(truths, found, strict=True)):
        assert verdict["loss"] == pytest.approx(-logs[row, truth], abs=1e-9, rel=1e-9)
        ids = [guess["id"] for guess in verdict["best"]]
        best = np.argsort(-logs[row], kind="stable")[:3].tolist()
        assert ids == best + ([] if truth in best else [truth])
        for guess in verdict["best"]:
            assert guess["share"] == pytest.approx(math.exp(logs[row, guess["id"]]), abs=1e-9)


# the reader


def test_a_reader_draws_moves_shares_and_takes_a_recipe(reader: Reader) -> None:
    page = reader.open(PAGE)
    found = started(page)
    assert found.locator(".widget-note").count() == 0
    first = signs(found)
    assert [first[0], first[-1]] == ["[CLS]", "[SEP]"]
    # all three fates stand in what a page opens with, each with its sign
    for fate, sign in (("masked", "▢"), ("random", "⇄"), ("kept", "=")):
        assert found.locator(f".token.{fate}").first.inner_text().startswith(sign)

    found.get_by_role("button", name="Draw again").click()
    expect(found.get_by_text("Draw 184")).to_be_visible()
    assert signs(found) != first

    text = found.get_by_role("textbox", name="Your sentence")
    text.fill("Fiona loved the goat.")
    assert [re.sub("^[▢⇄=] ", "", chip) for chip in signs(found)][-1] == "[SEP]"
    slider(found, "Of all tokens").fill("100")
    slider(found, "become [MASK]").fill("100")
    assert signs(found)[1:-1] == [
        f"▢ [MASK] {word}" for word in ("fiona", "loved", "the", "goat", ".")
    ]
    assert shares(found) == [100, 100, 0, 0]  # the random tenth gave way
    slider(found, "become [MASK]").fill("85")
    assert shares(found) == [100, 85, 10, 5]  # and has come back
    slider(found, "become a random").fill("60")
    assert shares(found) == [100, 40, 60, 0]
    assert slider(found, "become [MASK]").get_attribute("aria-valuetext") == (
        "40% masked, 60% random, 0% kept"
    )

    recipes = found.get_by_role("group", name="The recipes of the paper")
    # Devlin et al. 2019, Table 8, whose columns are MASK, SAME, RND
    table = [(80, 10, 10), (100, 0, 0), (80, 0, 20), (80, 20, 0), (0, 20, 80), (0, 0, 100)]
    buttons = recipes.get_by_role("button").all()
    assert len(buttons) == len(table)
    for button, (masked, same, random) in zip(buttons, table, strict=True):
        button.click()
        assert shares(found) == [100, masked, random, same]
        assert button.get_attribute("aria-pressed") == "true"
        assert recipes.locator("[aria-pressed=true]").count() == 1
        words = button.inner_text()
        for share, word in ((masked, "masked"), (same, "kept"), (random, "random")):
            assert (f"{share}% {word}" in words) == (share > 0)


def test_the_first_picture_is_the_model_s_own(reader: Reader) -> None:
    """It comes without the vocabulary, which is fetched when a reader first does something."""
    fetched: list[str] = []
    page = reader.open(
        PAGE, prepare=lambda page: page.on("request", lambda r: fetched.append(r.url))
    )
    found = started(page)
    page.wait_for_load_state("networkidle")
    assert not [url for url in fetched if url.endswith(".safetensors")]
    linked = started(reader.open(USED))
    whole, first = (each.locator(".tokens").inner_html() for each in (linked, found))
    assert first == whole
    # and nothing has moved once it is there: "As BERT" is what is shown already
    height = found.bounding_box()["height"]
    found.locator(".tokens").evaluate("row => { row.id = 'first-row'; }")
    found.get_by_role("button", name="As BERT").click()
    expect(found.locator("#first-row")).to_have_count(0)  # the row is a new one
    assert found.locator(".tokens").inner_html() == whole
    assert found.bounding_box()["height"] == height


def test_a_result_is_heard_once_the_reader_pauses(reader: Reader) -> None:
    page = reader.open(USED)
    found = started(page)
    run(page, "masking.listen")

    def heard() -> list[str]:
        """What was said by now, and since this was asked last."""
        page.wait_for_timeout(1_200)
        said: list[str] = page.evaluate("heard.splice(0)")
        return said

    def result() -> str:
        """What the chips show."""
        chips = found.locator(".tokens > .token")
        counts = {
            f: chips.and_(page.locator(f".{f}")).count() for f in ("masked", "random", "kept")
        }
        selected = f"selected {sum(counts.values())} of {chips.count() - 2} tokens"
        return f"{selected}, of which {', '.join(f'{n} {f}' for f, n in counts.items())}."

    assert heard() == []  # the reader has done nothing
    text = found.get_by_role("textbox")
    text.focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(" The goat slept.", delay=30)
    assert heard() == [f"Draw 183: {result()}"]
    select = slider(found, "Of all tokens")
    select.focus()
    for _ in range(5):
        page.keyboard.press("PageUp")
    assert heard() == [f"Draw 183: {result()}"]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert heard() == []  # nothing else has come of it
    page.keyboard.press("Home")
    nothing = "selected nothing: no position carries a loss, so nothing is learned."
    assert heard() == [f"Draw 183 {nothing}"]
    expect(found.get_by_text(nothing)).to_be_visible()
    found.get_by_role("button", name="Draw again").click()
    assert heard() == [f"Draw 184 {nothing}"]
    text.fill(" ")
    assert heard() == ["There is no token to select yet: write something."]

    found.get_by_role("button", name=ASK).click()
    expect(found.get_by_text("What the model says")).to_be_focused()
    heard()
    text.fill("Rufus slept.")
    heard()
    select.fill("100")
    said = heard()
    mean = found.locator(".masking-mean b").inner_text()
    positions = found.locator(".masking-guesses li").count()
    assert said == [f"Draw 184: {result()} The mean loss is {mean} over {positions} positions."]


def test_counts_stand_against_what_is_expected(reader: Reader) -> None:
    found = started(reader.open(f"{PAGE}#masking?select=40&mask=50&random=30"))
    assert found.locator("thead th").last.inner_text() == "10,000 draws"
    candidates = len(signs(found)) - 2
    chips = {
        fate: found.locator(f".tokens > .{fate}").count() for fate in ("masked", "random", "kept")
    }
    selected = sum(chips.values())
    expected = {"selected": 40, "masked": 50, "random": 30, "kept": 20}
    for line, (name, share) in zip(found.locator("tbody tr").all(), expected.items(), strict=True):
        cells = line.locator("th, td").all_inner_texts()
        assert name in cells[0]
        part, of = (selected, candidates) if name == "selected" else (chips[name], selected)
        assert cells[1:3] == [f"{share}%", f"{part} of {of}"]
        measured = float(cells[3].removesuffix("%"))
        draws = 10_000 * candidates * (1 if name == "selected" else 0.4)
        error = 100 * math.sqrt(share / 100 * (1 - share / 100) / draws)
        assert abs(measured - share) < 5 * error + 0.05


def test_the_model_answers_when_it_is_asked_and_from_then_on(reader: Reader) -> None:
    fetched: list[str | None] = []

    def note(request: Request) -> None:
        if request.url.endswith(".safetensors"):
            fetched.append(request.headers.get("range"))

    page = reader.open(PAGE, prepare=lambda page: page.on("request", note))
    found = started(page)
    assert fetched == []
    button = found.get_by_role("button", name=ASK)
    button.focus()
    page.keyboard.press("Enter")
    heading = found.get_by_text("What the model says")
    expect(heading).to_be_focused()
    assert button.count() == 0
    assert fetched == [None]  # the whole file, once
    expect(voice(page)).to_contain_text("The mean loss is")

    def check() -> None:
        items = found.locator(".masking-guesses li")
        chips = found.locator(".tokens > :is(.masked, .random, .kept)").all_inner_texts()
        assert items.locator(".token").all_inner_texts() == chips
        losses = [
            float(text.split()[-1]) for text in items.locator(".masking-loss").all_inner_texts()
        ]
        mean = float(found.locator(".masking-mean b").inner_text())
        assert mean == pytest.approx(sum(losses) / len(losses), abs=0.011)
        for item, loss in zip(items.all(), losses, strict=True):
            truth = item.locator(".right")
            assert truth.count() == 1
            name, number = truth.locator(".bar-name, .bar-number").all_inner_texts()
            piece = item.locator(".token").inner_text().split()[-1]
            assert name == f"✓ {piece}"
            if "<" not in number and ">" not in number:
                share = int(number.removesuffix("%")) / 100
                # both are rounded
                assert share - 0.006 < math.exp(0.005 - loss)
                assert math.exp(-0.005 - loss) < share + 0.006

    check()
    # it knows its world: an article, and what Rufus took the train to
    assert "museum" in found.locator(".masking-guesses li", has_text="museum").inner_text()
    before = found.locator(".masking-guesses").inner_text()
    found.get_by_role("button", name="Draw again").click()
    expect(found.locator(".masking-guesses")).not_to_have_text(before, use_inner_text=True)
    check()
    slider(found, "Of all tokens").fill("100")
    expect(found.locator(".masking-mean")).to_contain_text(
        f"over {len(signs(found)) - 2} positions"
    )
    check()

    # a draw of nothing has nothing to learn from, and no NaN
    slider(found, "Of all tokens").fill("0")
    expect(found).to_contain_text("Draw 184 selected nothing")
    expect(found).to_contain_text("No token is selected: the loss is 0.")
    expect(found.locator("tbody")).to_contain_text("none")
    assert "NaN" not in found.inner_text()
    assert found.locator(".masking-guesses li").count() == 0


BAD = {
    "nothing": "",
    "spaces": "  \t \n ",
    "emoji": "🙂🎉👩‍👩‍👧",
    "right to left": "שלום עולם مرحبا",
    "markup": "<img src=x onerror=alert(1)>",
    "structural": "[CLS] [MASK] [PAD] [SEP] [UNK] [MASK]",
    "ten thousand": "the goat " * 1_111 + "x",
    "one long word": "a" * 10_000,
    "control": "a\x00b\x07c\ufffd",
}


def test_no_input_breaks_it(reader: Reader) -> None:
    page = reader.open(f"{PAGE}#masking?select=100")
    found = ask(page)
    text = found.get_by_role("textbox")
    for name, bad in BAD.items():
        text.fill(bad)
        expect(found.locator("tbody")).not_to_contain_text("…")
        page.wait_for_timeout(250)  # so that the model has answered
        shown = found.inner_text()
        assert not re.search("NaN|undefined|Infinity|null", shown), name
        assert found.locator("img").count() == 0, name
        assert len(signs(found)) <= 64, name
        assert ("the text is cut off" in shown) == (name == "ten thousand"), name
        if name in ("nothing", "spaces"):
            assert "There is no token to select yet" in shown
        if name == "structural":
            # what stands for no piece of text is never selected; an unknown word is
            assert found.locator(".tokens > :is(.masked, .random, .kept)").count() == 1


@pytest.mark.parametrize(
    "state",
    [
        "select=-5&mask=900&random=NaN&seed=-1",
        "select=1e999&mask=&random=100&seed=99999999999999999999",
        "mask=60&random=70&seed=Infinity&text=%F0%9F%98%80%ED%A0%80",
        "text=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&select[]=3&__proto__=1",
        "&&&==&text=" + "goat%20" * 3_000,
    ],
)
def test_a_strange_link_opens_something_sensible(reader: Reader, state: str) -> None:
    found = started(reader.open(f"{PAGE}#masking?{state}"))
    select, *fates = shares(found)
    assert 0 <= select <= 100
    assert sum(fates) == 100
    assert min(fates) >= 0
    assert len(found.get_by_role("textbox").input_value()) <= 10_000
    assert not re.search("NaN|undefined|Infinity", found.inner_text())
    assert found.locator("img").count() == 0


def test_a_link_opens_the_same_state(reader: Reader) -> None:
    page = reader.open(USED)
    found = started(page)
    found.get_by_role("textbox").fill("Was it & the goat? 100% “Rufus” + #1")
    slider(found, "Of all tokens").fill("45")
    slider(found, "become [MASK]").fill("30")
    slider(found, "become a random").fill("25")
    found.get_by_role("button", name="Draw again").click()
    found.get_by_role("button", name="Copy a link").click()
    fragment = page.url.partition("#")[2]
    other = started(reader.open(f"{PAGE}#{fragment}"))
    assert signs(other) == signs(found)
    assert shares(other) == shares(found) == [45, 30, 25, 45]
    assert other.get_by_role("textbox").input_value() == found.get_by_role("textbox").input_value()
    expect(other).to_be_in_viewport()
    # a link that is followed where the page is open already
    page.evaluate("location.hash = '#masking?text=The+goat.&select=100&mask=100&random=0'")
    expect(found.get_by_role("textbox")).to_have_value("The goat.")
    assert signs(found) == ["[CLS]", "▢ [MASK] the", "▢ [MASK] goat", "▢ [MASK] .", "[SEP]"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_before_and_after_use(reader: Reader, scheme: str) -> None:
    page = reader.open(PAGE, scheme=scheme)
    found = started(page)
    part = '[data-widget="masking"]'
    assert_accessible(page, part)
    ask(page)
    slider(found, "Of all tokens").fill("60")
    expect(found.locator(".masking-guesses li").nth(8)).to_be_attached()
    assert_accessible(page, part)


def test_the_keyboard_alone_reaches_everything_in_order(reader: Reader) -> None:
    page = reader.open(PAGE)
    found = started(page)
    found.get_by_role("textbox").focus()
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        reached.append(focused.inner_text().split("\n")[0] or focused.get_attribute("id"))
        outline = focused.evaluate("(element) => getComputedStyle(element).outlineStyle")
        assert outline == "solid", reached[-1]
    assert reached == [
        "Draw again", "masking-select", "masking-masked", "masking-random",
        "As BERT", "Masks only", "None kept", "None random", "No masks", "Random only",
        ASK, "Copy a link to this",
    ]  # fmt: skip
    slider(found, "become [MASK]").focus()
    page.keyboard.press("End")
    assert shares(found)[1:] == [100, 0, 0]
    page.keyboard.press("ArrowLeft")
    assert shares(found)[1:] == [99, 1, 0]
    page.keyboard.press("Home")
    assert shares(found)[1:] == [0, 10, 90]


def test_a_finger_on_a_telephone(reader: Reader) -> None:
    page = reader.open(PAGE, size="narrow", touch=True)
    found = started(page)
    found.get_by_role("button", name="None kept").tap()
    assert shares(found) == [15, 80, 20, 0]
    found.get_by_role("button", name=ASK).tap()
    expect(found.get_by_text("Mean loss")).to_be_visible()
    found.get_by_role("textbox").fill("splendid" * 40 + " " + "x" * 90)
    slider(found, "Of all tokens").fill("100")
    expect(found.locator(".masking-guesses li").nth(30)).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for target in found.locator("button, input").all():
        box = target.bounding_box()
        assert box
        assert min(box["height"], box["width"]) >= 24


def test_without_scripts_one_sentence_says_what_is_missing(reader: Reader) -> None:
    page = reader.open(PAGE, scripts=False)
    note = page.locator('[data-widget="masking"]')
    expect(note).to_have_text(re.compile(r"^\s*With JavaScript, "))
    assert page.get_by_text("The whole passage, as the").count() == 1


def take_out_failed_loads(reader: Reader) -> None:
    reader.noted[:] = [said for said in reader.noted if "Failed to load resource" not in said]


def test_where_the_file_is_missing_its_first_use_says_so(reader: Reader) -> None:
    missing = [True]

    def serve(route: Route) -> None:
        if missing:
            route.fulfill(status=404)
        else:
            route.continue_()

    page = reader.open(PAGE, prepare=lambda page: page.route("**/*.safetensors", serve))
    found = started(page)
    first = signs(found)
    found.get_by_role("button", name="Random only").click()
    assert shares(found) == [15, 0, 100, 0]
    expect(found.locator(".widget-error")).to_contain_text("could not be fetched: 404")
    expect(voice(page)).to_contain_text("could not be fetched: 404")
    assert signs(found) == first
    take_out_failed_loads(reader)
    missing.clear()
    found.get_by_role("button", name="Try again").click()
    expect(found.locator(".token.random")).to_have_count(4)
    expect(found.get_by_role("textbox")).to_be_focused()  # the button has gone


def test_a_model_that_came_damaged_can_be_fetched_again(reader: Reader, built: Path) -> None:
    whole = (built / "downloads" / "pretrained.safetensors").read_bytes()
    answers = [whole[: len(whole) // 2], b"no model", None]

    def serve(route: Route) -> None:
        if "range" in route.request.headers or (body := answers.pop(0)) is None:
            route.continue_()
        else:
            route.fulfill(body=body)

    page = reader.open(PAGE, prepare=lambda page: page.route("**/*.safetensors", serve))
    found = started(page)
    found.get_by_role("button", name=ASK).click()
    expect(found.locator(".widget-error")).to_contain_text("it is cut off")
    found.get_by_role("button", name="Draw again").click()  # the rest works on
    found.get_by_role("button", name="Try again").click()
    expect(found.locator(".widget-error")).to_contain_text("cut off, or damaged")
    found.get_by_role("button", name="Try again").click()
    expect(found.get_by_text("Mean loss")).to_be_visible()
    assert answers == []


def test_a_first_draw_needs_no_more_of_the_model_than_its_beginning(reader: Reader) -> None:
    fetched: list[str | None] = []
    page = reader.open(
        PAGE,
        prepare=lambda page: page.on(
            "request",
            lambda r: r.url.endswith(".safetensors") and fetched.append(r.headers.get("range")),
        ),
    )
    found = started(page)
    for number in (184, 185):
        found.get_by_role("button", name="Draw again").click()
        expect(found.get_by_text(f"Draw {number}")).to_be_visible()
    assert fetched == ["bytes=0-32767"]


def test_the_beginning_of_a_file_is_enough_on_a_host_that_knows_no_parts(
    reader: Reader, host: Host
) -> None:
    whole = host.folder / "downloads" / "pretrained.safetensors"
    page = reader.open(
        PAGE,
        prepare=lambda page: page.route(
            "**/*.safetensors", lambda route: route.fulfill(path=whole, status=200)
        ),
    )
    found = started(page)
    slider(found, "Of all tokens").fill("100")
    expect(found.locator(".tokens > .token:not(.structural)")).to_have_count(19)
    expect(found.locator(".tokens > :is(.masked, .random, .kept)")).to_have_count(19)
