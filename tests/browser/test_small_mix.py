"""Pretrain it yourself: a small encoder that learns in the page, as it did in the build."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

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

PAGE = "lesson/masking.html"
NAME = "small-mix"
OWN = f'[data-widget="{NAME}"]'
FILE = "small-mix.json"
MOST_SECONDS = 120  # of a whole run, also where others compute on the same machine
SUMMARY = re.compile(
    r"^Run (\w), ([\d/]+): at \[MASK\] ([\d.]+), visible ([\d.]+), repaired ([\d.]+), "
    r"probe ([\d.]+), loss ([\d.]+)\.$"
)


def material(built: Path) -> Any:
    return json.loads((built / "downloads" / FILE).read_text("utf-8"))


def only_steps(page: Page, built: Path, steps: int) -> None:
    """The build's file, but for a run of so few steps: for all that needs no whole one."""
    data = material(built)
    data["settings"] |= {"steps": steps, "every": max(1, steps // 4)}
    page.route(f"**/{FILE}", lambda route: route.fulfill(json=data))


def short(built: Path, steps: int = 12) -> Any:
    return lambda page: only_steps(page, built, steps)


def summary(own: Locator) -> Locator:
    return own.locator(".mix-summary")


def start(own: Locator) -> None:
    own.get_by_role("button", name="Pretrain").click()
    own.get_by_role("button", name="Stop").wait_for()


def finish(own: Locator) -> str:
    """Waits for the end of a run, and returns what came in a sentence."""
    own.get_by_role("button", name="Pretrain").wait_for(timeout=MOST_SECONDS * 1000)
    expect(summary(own)).not_to_be_empty()
    return summary(own).inner_text()


def kept_runs(page: Page) -> Any:
    return page.evaluate("JSON.parse(localStorage.getItem('bertlesson:small-mix')).runs")


def test_a_whole_run_has_the_curve_of_the_build(reader: Reader, built: Path) -> None:
    page = reader.open(PAGE)
    own = widget(page, NAME)
    assert_accessible(page, OWN)
    run(voice(page), "voice.listen")
    start(own)
    expect(own.get_by_role("button", name="Stop")).to_be_focused()
    expect(own).to_contain_text(re.compile(r"step \d+ of 500, about \d+ s left\. It goes on"))
    assert_accessible(page, OWN)
    said = finish(own)
    expect(own.get_by_role("button", name="Pretrain")).to_be_focused()
    assert_accessible(page, OWN)

    heard = [words for words in run(voice(page), "voice.announced") if "Fetching" not in words]
    assert heard == [said], "announced once, not at every step"
    (own_run,) = kept_runs(page)
    same = next(each for each in material(built)["built"] if each["mask"] == 80)
    assert [point["step"] for point in own_run["points"]] == list(range(0, 501, 25))
    for mine, theirs in zip(own_run["points"], same["points"], strict=True):
        assert mine["scores"] == pytest.approx(theirs["scores"], abs=0.02)
        if theirs["loss"] is not None:
            assert mine["loss"] == pytest.approx(theirs["loss"], abs=5e-3)
    found = SUMMARY.match(said)
    assert found, said
    assert found[1] == "A"
    assert found[2] == "80/10/10"
    assert [float(found[n]) for n in range(3, 7)] == pytest.approx(
        own_run["points"][-1]["scores"], abs=0.006
    )
    cells = own.locator(".mix-runs tbody td[data-name]").all_inner_texts()
    for cell, score in zip(cells, same["points"][-1]["scores"], strict=False):
        assert cell.split()[1] == f"{score:.2f}", "the build's number stands below"


def test_recipes_stand_side_by_side_and_a_run_repeats_itself(reader: Reader, built: Path) -> None:
    page = reader.open(PAGE, prepare=short(built))
    own = widget(page, NAME)
    for recipe in ("As BERT", "None random", "As BERT"):
        own.get_by_role("button", name=recipe).click()
        start(own)
        finish(own)
    first, other, again = kept_runs(page)
    assert first["points"] == again["points"], "bit by bit"
    assert first["points"] != other["points"]
    own.get_by_label("Seed").select_option("2")
    start(own)
    finish(own)
    assert kept_runs(page)[3]["points"][1:] != first["points"][1:]
    names = own.locator(".mix-runs tbody th b")
    assert names.all_inner_texts() == ["A 80/10/10", "B 80/0/20", "C 80/10/10", "D 80/10/10"]
    assert own.get_by_role("img").count() == 5
    start(own)
    finish(own)
    assert names.all_inner_texts()[3].startswith("A "), "the fifth has replaced the oldest"

    page.reload()  # they are there again
    own = widget(page, NAME)
    expect(own.locator(".mix-runs tbody tr")).to_have_count(4)
    own.get_by_role("button", name="Remove run B").click()
    expect(own.locator(".mix-runs tbody tr")).to_have_count(3)
    expect(voice(page)).to_have_text("Run B is removed.")
    assert len(kept_runs(page)) == 3


def test_the_keyboard_alone(reader: Reader, built: Path) -> None:
    page = reader.open(PAGE, prepare=short(built))
    own = widget(page, NAME)
    keys = page.keyboard
    own.get_by_role("slider", name="Of all tokens").focus()
    keys.press("Home")
    own.get_by_role("button", name="Pretrain").focus()
    keys.press("Enter")
    expect(voice(page)).to_contain_text("Nothing is selected")
    expect(own.locator(".widget-error").first).to_contain_text("no loss to learn from")
    own.get_by_role("slider", name="Of all tokens").focus()
    for _ in range(4):
        keys.press("PageUp")
    own.get_by_role("slider", name="become [MASK]").focus()
    keys.press("End")
    own.get_by_role("button", name="Random only").focus()
    keys.press("Tab")
    expect(own.get_by_label("Seed")).to_be_focused()
    keys.press("ArrowDown")
    keys.press("Tab")
    keys.press("Enter")
    assert finish(own).startswith("Run A, 100/0/0: ")
    expect(own.locator(".mix-runs")).to_contain_text("40% selected, seed 1")
    expect(own.get_by_role("button", name="Pretrain")).to_be_focused()
    own.get_by_role("button", name="Remove run A").focus()
    keys.press("Enter")
    expect(own.locator(".mix-runs, svg")).to_have_count(0)


def test_a_run_is_stopped_and_goes_on_in_the_background(reader: Reader, built: Path) -> None:
    page = reader.open(PAGE, prepare=short(built, steps=60))
    own = widget(page, NAME)
    start(own)
    expect(own.locator(".mix-runs tbody tr")).to_have_count(1)
    own.get_by_role("button", name="Stop").click()
    assert re.match(r"Stopped after \d+ steps\. Run A, ", finish(own))
    other = page.context.new_page()
    start(own)
    other.bring_to_front()
    assert finish(own).startswith("Run B, 80/10/10: at [MASK]")
    start(own)
    expect(own.locator(".mix-runs tbody tr")).to_have_count(3)
    other_run = own.get_by_role("button", name="Remove run A")
    other_run.focus()
    expect(own.locator(".mix-runs tbody tr").last).to_contain_text(re.compile("(15|30|45) steps"))
    expect(other_run).to_be_focused()  # though the table was drawn again
    own.get_by_role("button", name="Remove run C").click()  # which ends it
    own.get_by_role("button", name="Pretrain").wait_for()
    expect(own.locator(".mix-runs tbody tr")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone(reader: Reader, built: Path, scheme: str) -> None:
    page = reader.open(PAGE, size="narrow", scheme=scheme, touch=True, prepare=short(built))
    own = widget(page, NAME)
    if scheme == "dark":  # as slow as a telephone is
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    for recipe in ("As BERT", "None kept"):
        own.get_by_role("button", name=recipe).tap()
        own.get_by_role("button", name="Pretrain").tap()
        own.get_by_role("button", name="Stop").wait_for()
        finish(own)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert_accessible(page, OWN)
    for target in own.locator("button:visible, select").all():
        box = target.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 24, target.inner_text()


def test_what_is_refused_or_missing_is_said_plainly(reader: Reader, built: Path) -> None:
    missing = [True]

    def prepare(page: Page) -> None:
        refuse_storage(page)
        only_steps(page, built, 8)
        page.route(
            f"**/{FILE}",
            lambda route: route.fulfill(status=404) if missing else route.fallback(),
        )

    page = reader.open(PAGE, prepare=prepare)
    own = widget(page, NAME)
    own.get_by_role("button", name="Pretrain").click()
    expect(own).to_contain_text(f"The file {FILE} could not be fetched: 404.")
    missing.clear()
    own.get_by_role("button", name="Try again").click()
    assert finish(own).startswith("Run A")
    expect(own).to_contain_text("This browser lets the page keep nothing")
    reader.noted = [note for note in reader.noted if "404" not in note]


def test_a_damaged_file_and_a_refused_worker_are_said_plainly(reader: Reader, built: Path) -> None:
    broken = [True]

    def prepare(page: Page) -> None:
        run_first(page, "worker-refused")
        only_steps(page, built, 8)
        page.route(
            f"**/{FILE}",
            lambda route: route.fulfill(body='{"pieces": []}') if broken else route.fallback(),
        )

    page = reader.open(PAGE, prepare=prepare)
    own = widget(page, NAME)
    own.get_by_role("button", name="Pretrain").click()
    expect(own).to_contain_text(f"The file {FILE} is damaged")
    broken.clear()
    own.get_by_role("button", name="Try again").click()
    expect(own.locator(".widget-error", has_text="does not let the page compute")).to_be_visible()
    expect(voice(page)).to_contain_text("nothing can be trained here")
    expect(own.locator(".mix-runs, svg")).to_have_count(0)


def test_without_scripts_the_numbers_of_the_build_are_there(reader: Reader) -> None:
    page = reader.open(PAGE, scripts=False)
    expect(page.locator(f"{OWN} .widget-note")).to_contain_text("With JavaScript")
    expect(page.locator("article")).to_contain_text("mean of 3 seeds, 500 steps")
    expect(page.locator("article")).to_contain_text("Without the kept tenth")


def test_nothing_of_it_is_fetched_before_it_is_wanted(reader: Reader) -> None:
    asked: list[str] = []
    page = reader.open(PAGE, prepare=lambda page: page.on("request", lambda r: asked.append(r.url)))
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if NAME in url]
    widget(page, NAME)
    assert any(url.endswith(f"{NAME}.js") for url in asked)
    assert not [url for url in asked if url.endswith((FILE, "run.js", "training.js"))]
