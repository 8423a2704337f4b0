"""Fine-tune it yourself: labels of a reader's own, and two models that learn from them."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import (
    Reader,
    assert_accessible,
    refuse_storage,
    run,
    run_first,
    voice,
    widget,
)

PAGE = "lesson/fine-tuning.html"
NAME = "fine-tuning"
OWN = f'[data-widget="{NAME}"]'
MARKUP = "<img src=x onerror=alert(1)>"
MOST_SECONDS = 30
SUMMARY = re.compile(
    r"^From (\w+) (?:label|sentence)s?, the pretrained start is right on (\d+) of (\d+) held-out "
    r"sentences(?:, in each of their words)?, the random start on (\d+)\.$"
)
STORY = "Nora called the zoo {} and the keeper {}."
HAPPY = ["lovely", "wonderful", "charming", "delightful", "splendid"]
SAD = ["awful", "terrible", "dreadful", "boring", "horrible"]


def labelled(count: int) -> dict[str, Any]:
    """A set of a reader's own, half of it sad."""
    words = [(HAPPY, 0), (SAD, 1)]
    rows = []
    for n in range(count):
        mood, label = words[n % 2]
        rows.append([STORY.format(mood[n // 2 % 5], mood[(n // 2 + 1 + n // 10) % 5]), label])
    return {"task": "sentences", "ready": False, "kinds": ["happy", "sad"], "rows": rows}


def address(labels: Any) -> str:
    return f"{PAGE}#{NAME}?{urlencode({'set': json.dumps(labels)})}"


def panel(own: Locator) -> Any:
    return own.get_by_role("tabpanel")


def fine_tune(own: Locator) -> str:
    """Runs to the end, and returns what came in a sentence."""
    own.get_by_role("button", name="Fine-tune both").click()
    own.get_by_role("button", name="Stop").wait_for()
    own.get_by_role("button", name="Fine-tune both").wait_for()
    return str(panel(own).locator(".tune-summary").inner_text())


def numbers(summary: str) -> tuple[int, float, float]:
    """How many labels, and both shares."""
    found = SUMMARY.match(summary)
    assert found, summary
    return int(found[1]), int(found[2]) / int(found[3]), int(found[4]) / int(found[3])


def tried(own: Locator, text: str) -> list[str]:
    """What both starts make of a text, the pretrained one first."""
    field = panel(own).get_by_label("Any text")
    field.fill(text)
    expect(panel(own).locator(".tune-columns")).to_have_attribute("data-text", text)
    return list(panel(own).locator(".tune-column").all_inner_texts())


@pytest.mark.timing
def test_sixteen_labels_bring_the_pretrained_start_far_ahead(reader: Reader) -> None:
    page = reader.open(PAGE)
    own = widget(page, NAME)
    assert_accessible(page, OWN)
    run(voice(page), "voice.listen")
    own.get_by_role("radio", name="8", exact=True).check()
    own.get_by_role("button", name="Fine-tune both").click()
    began = time.monotonic()
    expect(own.get_by_role("button", name="Stop")).to_be_focused()
    assert_accessible(page, OWN)
    own.get_by_role("button", name="Fine-tune both").wait_for()
    assert time.monotonic() - began < MOST_SECONDS
    expect(own.get_by_role("button", name="Fine-tune both")).to_be_focused()
    assert_accessible(page, OWN)

    summary = panel(own).locator(".tune-summary").inner_text()
    labels, pretrained, random = numbers(summary)
    assert labels == 16
    assert pretrained >= 0.9
    assert pretrained - random >= 0.2
    said = run(voice(page), "voice.announced")
    assert [words for words in said if "Fetching" not in words] == [summary]
    expect(panel(own)).to_contain_text("You guessed 8, which is right.")
    ends = [
        float(found)
        for found in re.findall(
            r"(\d+)%", panel(own).get_by_role("img").first.get_attribute("aria-label")
        )
    ]
    assert ends == pytest.approx([100 * pretrained, 100 * random])
    expect(panel(own)).to_contain_text(re.compile(r"They differ on \d+ of 100 held-out sentences"))
    assert panel(own).locator(".tune-apart tbody tr").count() == 6

    sure = tried(own, "The market, said Anton, had a gorgeous melon.")
    assert re.search(r"positive\s+>?9\d", sure[0])
    expect(voice(page)).to_contain_text(re.compile("Pretrained start: positive, .*Random start: "))
    tried(own, f"My smartphone {MARKUP}")
    expect(panel(own)).to_contain_text("never met “smartphone”")

    # the same again, to the last digit
    assert fine_tune(own) == summary
    assert tried(own, "The market, said Anton, had a gorgeous melon.") == sure
    assert page.locator("img[src=x]").count() == 0


def test_marked_words_are_found_in_new_sentences(reader: Reader) -> None:
    page = reader.open(PAGE)
    own = widget(page, NAME)
    own.get_by_role("tab", name="Words").click()
    labels, pretrained, random = numbers(fine_tune(own))
    assert labels == 16
    assert pretrained >= random + 0.2
    tried(own, "Thea wrote to Oscar about the lovely zoo in Metz.")
    marks = panel(own).get_by_role("group", name="Pretrained start").locator("mark")
    assert marks.all_inner_texts() == ["Thea", "Oscar"]


def test_own_labels_by_keyboard_alone(reader: Reader) -> None:
    page = reader.open(PAGE)
    own = widget(page, NAME)
    keys = page.keyboard
    own.get_by_role("button", name="Start with no labels").focus()
    keys.press("Enter")
    expect(voice(page)).to_have_text("Nothing is labelled.")
    own.get_by_label("Class 1").focus()
    keys.press("Control+A")
    keys.type("good")
    own.get_by_role("button", name="Fine-tune both").focus()
    keys.press("Enter")
    expect(panel(own).locator(".widget-error")).to_contain_text("label some sentences first")

    own.get_by_label("Label a sentence").focus()
    for word in ("lovely", "perfect"):
        keys.type(f"The zoo was {word}.")
        keys.press("Enter")
        expect(own.get_by_role("button", name="good", exact=True).first).to_be_focused()
        keys.press("Enter")
        expect(own.get_by_label("Label a sentence")).to_be_focused()
    own.get_by_role("button", name="Fine-tune both").focus()
    keys.press("Enter")
    expect(panel(own).locator(".widget-error")).to_contain_text("All labels are “good”")
    expect(voice(page)).to_contain_text("label some sentences “sad”, too")

    own.get_by_role("button", name="Draw one from the stories").focus()
    keys.press("Enter")
    keys.press("Tab")
    expect(own.get_by_role("button", name="sad", exact=True).first).to_be_focused()
    keys.press("Enter")
    expect(own.get_by_label("Label a sentence")).not_to_have_value("")  # the next one has come
    expect(panel(own)).to_contain_text("3 of at most 32 sentences")
    expect(panel(own)).to_contain_text("From 3 labels, what it learns is mostly luck.")
    own.get_by_role("button", name="Fine-tune both").focus()
    keys.press("Enter")
    expect(panel(own).locator(".tune-summary")).to_contain_text("Both have learned from 3 labels.")
    expect(panel(own)).to_contain_text("from the stories, which nobody labelled")
    own.get_by_role("button", name="Remove: The zoo was lovely.").focus()
    keys.press("Enter")
    expect(panel(own)).to_contain_text("2 of at most 32 sentences")


def test_words_are_marked_one_by_one(reader: Reader) -> None:
    page = reader.open(PAGE)
    own = widget(page, NAME)
    own.get_by_role("tab", name="Words").click()
    own.get_by_role("button", name="Start with no labels").click()
    own.get_by_label("Mark each").fill("bird")
    own.get_by_label("Mark the words").fill(f"At the Copper Goose, {MARKUP}")
    own.get_by_role("button", name="Goose", exact=True).click()
    expect(own.get_by_role("button", name="Goose", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    own.get_by_role("button", name="Add it").click()
    assert panel(own).locator(".tune-list mark").all_inner_texts() == ["Goose"]
    own.get_by_label("Mark the words").fill("at the copper goose, " + MARKUP)
    own.get_by_label("Mark the words").press("Enter")
    expect(panel(own)).to_contain_text("is labelled without a mark and “Goose”")
    assert page.locator("img[src=x]").count() == 0

    # what was labelled is there again, after a visit elsewhere
    page.reload()
    own = widget(page, NAME)
    own.get_by_role("tab", name="Words").click()
    expect(own.get_by_label("Mark each")).to_have_value("bird")
    assert panel(own).locator(".tune-list mark").all_inner_texts() == ["Goose"]
    own.get_by_role("button", name="Take the ready set").click()
    expect(panel(own)).to_contain_text("16 of at most 32 sentences")


def test_a_link_and_a_file_open_the_same_labels(reader: Reader, tmp_path: Path) -> None:
    page = reader.open(address(labelled(12)))
    own = widget(page, NAME)
    expect(panel(own)).to_contain_text("12 of at most 32 sentences; 2 of them are held out")
    expect(voice(page)).to_have_text("12 labelled sentences opened.")
    own.get_by_role("button", name="Copy a link").click()
    assert f"#{NAME}?set=" in page.url
    with page.expect_download() as saving:
        own.get_by_role("button", name="Save as a file").click()
    saved = tmp_path / "labels.json"
    saving.value.save_as(saved)
    assert json.loads(saved.read_text("utf-8")) == labelled(12)

    own.get_by_role("button", name="Take the ready set").click()
    chooser = own.locator("input[type=file]")
    chooser.set_input_files(saved)
    expect(panel(own)).to_contain_text("12 of at most 32 sentences")
    labels = [float(numbers(fine_tune(own))[n]) for n in (0, 1)]
    assert labels == [10, 1.0]

    other = tmp_path / "other.json"
    other.write_text('{"rows": [[1]]}', "utf-8")
    chooser.set_input_files(other)
    expect(own).to_contain_text("The file other.json holds no labelled sentences")
    expect(panel(own)).to_contain_text("12 of at most 32 sentences")
    page.evaluate(f"location.hash = '#{NAME}?set=%7B{MARKUP}'")
    expect(own).to_contain_text("The link holds no labelled sentences")
    assert page.locator("img[src=x]").count() == 0


def test_contradictions_and_a_full_list(reader: Reader) -> None:
    labels = labelled(31)
    labels["rows"][0] = [labels["rows"][1][0], 0]
    page = reader.open(address(labels))
    own = widget(page, NAME)
    expect(panel(own)).to_contain_text("is labelled “happy” and “sad”. No model can get both right")
    # a click on a label gives it the next class
    own.locator(".tune-label").first.click()
    expect(own.locator(".tune-label").first).to_have_text("sad")
    expect(own.locator(".tune-label").first).to_be_focused()
    expect(panel(own)).not_to_contain_text("No model can get both right")
    for words in ("The zoo was lovely.", "The bakery was lovely."):
        own.get_by_label("Label a sentence").fill(words)
        own.locator(".tune-choices button").first.click()
    expect(panel(own)).to_contain_text("32 of at most 32 sentences")
    expect(voice(page)).to_contain_text("as many as fit")
    own.get_by_role("button", name="Add a class").click()
    expect(own.get_by_label("Class 3")).to_be_focused()
    expect(panel(own)).to_contain_text("“class 3” has fewer than three sentences")


def test_a_run_is_stopped_and_goes_on_in_the_background(reader: Reader) -> None:
    page = reader.open(PAGE)
    own = widget(page, NAME)
    own.get_by_role("button", name="Fine-tune both").click()
    own.get_by_role("button", name="Stop").click()
    expect(panel(own).locator(".tune-summary")).to_contain_text("Stopped after")
    other = page.context.new_page()
    own.get_by_role("button", name="Fine-tune both").click()
    own.get_by_role("button", name="Take the ready set").click()  # which ends the run
    expect(own.get_by_role("button", name="Stop")).to_be_hidden()
    expect(panel(own).locator(".tune-summary, svg")).to_have_count(0)
    own.get_by_role("button", name="Fine-tune both").click()
    other.bring_to_front()
    panel(own).locator(".tune-summary").wait_for()
    assert numbers(panel(own).locator(".tune-summary").inner_text())[0] == 16


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone(reader: Reader, scheme: str) -> None:
    page = reader.open(PAGE, size="narrow", scheme=scheme, touch=True)
    own = widget(page, NAME)
    is_slow = scheme == "dark"  # as a telephone is
    if is_slow:
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    own.get_by_role("button", name="Draw one from the stories").tap()
    own.locator(".tune-choices button").first.tap()
    if is_slow:
        own.get_by_role("button", name="Fine-tune both").tap()
        panel(own).locator(".tune-summary").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert_accessible(page, OWN)
    own.get_by_role("tab", name="Words").tap()
    own.get_by_role("button", name="Draw one from the stories").tap()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert_accessible(page, OWN)
    for target in own.locator("button:visible, input[type=text]:visible, textarea:visible").all():
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 30, target.inner_text()


def test_what_is_refused_or_missing_is_said_plainly(reader: Reader) -> None:
    def refuse(page: Page) -> None:
        refuse_storage(page)
        run_first(page, "worker-refused")
        page.route("**/pretrained.safetensors", lambda route: route.fulfill(status=404))

    page = reader.open(PAGE, prepare=refuse)
    own = widget(page, NAME)
    own.get_by_role("button", name="Fine-tune both").click()
    expect(panel(own)).to_contain_text("The file pretrained.safetensors could not be fetched")
    page.unroute("**/pretrained.safetensors")
    own.get_by_role("button", name="Try again").click()
    refused = panel(own).locator(".widget-error", has_text="does not let the page compute")
    expect(refused).to_be_visible()  # the first message goes when the model has come
    expect(voice(page)).to_contain_text("nothing can be trained here")
    reader.noted = [note for note in reader.noted if "404" not in note]


def test_without_scripts(reader: Reader) -> None:
    page = reader.open(PAGE, scripts=False)
    expect(page.locator(f"{OWN} .widget-note")).to_contain_text("With JavaScript")
