"""What holds on every page: its weight, its policy, its colours, its search, with any reader."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.browser.conftest import (
    Host,
    Reader,
    assert_accessible,
    policy,
    refuse_storage,
    run,
    run_first,
)
from tests.conftest import ROOT

MOST_BYTES = 150_000  # of a first load, as it goes over the wire
SOURCES = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.py")]
PAGES = sorted(
    source.relative_to(ROOT / "docs" if source.suffix == ".md" else ROOT)
    .with_suffix(".html")
    .as_posix()
    for source in SOURCES
)
PATH = [path for path in PAGES if re.match(r"(index|summary)\.|(lesson|practice)/", path)]
# reports of the package's `diagnose`, as a terminal shows them: on a telephone they are pushed
WITH_WIDE_OUTPUTS = {"use/diagnose.html", "examples/diagnose.html"}


def scheme(page: Page) -> str | None:
    return page.locator("body").get_attribute("data-md-color-scheme")


def overflow(page: Page) -> float:
    """By how many pixels the page is wider than its window."""
    wider: float = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider


def open_search(page: Page, words: str) -> None:
    """As a reader without a mouse does it."""
    page.keyboard.press("/")
    page.keyboard.type(words)


def results(page: Page) -> list[str]:
    page.locator(".md-search-result__item").first.wait_for()
    return page.locator(".md-search-result__item h1").all_text_contents()


def found(reader: Reader, words: str) -> tuple[list[str], str]:
    """The pages that the search shows first, and how many it says there are."""
    page = reader.open("summary.html")
    open_search(page, words)
    return results(page), page.locator(".md-search-result__meta").inner_text()


def cut_off(page: Page) -> list[str]:
    """Words of figures that reach beyond their figure."""
    found: list[str] = run(page, "page.cutOffWords")
    return found


def cut_code(page: Page) -> list[str]:
    """Code and outputs that are wider than their boxes, folded ones included."""
    found: list[str] = run(page, "page.cutOffCode")
    return found


def small_type(page: Page, least: float) -> list[str]:
    """Code and outputs in smaller type than this, in pixels, folded ones included."""
    found: list[str] = run(page, "page.smallType", least)
    return found


@pytest.mark.parametrize("path", [*PAGES, "404.html"])
@pytest.mark.parametrize(("size", "colours"), [("wide", "light"), ("narrow", "dark")])
def test_a_page_is_accessible_light_stays_put_and_fits_its_window(
    reader: Reader, path: str, size: str, colours: str
) -> None:
    loaded: list[Response] = []

    def watch(page: Page) -> None:
        run_first(page, "watch-layout")
        page.on("response", lambda response: loaded.append(response))

    page = reader.open(path, size=size, scheme=colours, prepare=watch)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("layout.moved") < 0.02
    assert scheme(page) == {"light": "default", "dark": "slate"}[colours]
    sizes = [response.request.sizes() for response in loaded]
    weight = sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes)
    assert 20_000 < weight <= MOST_BYTES
    assert overflow(page) <= 0
    assert cut_off(page) == []
    assert_accessible(page)
    assert cut_code(page) == []
    assert (page.locator("pre.wide").count() > 0) == (path in WITH_WIDE_OUTPUTS)
    assert small_type(page, 11) == []


@pytest.mark.parametrize("path", PATH)
def test_code_and_outputs_of_the_path_are_12_pixels_high_on_a_telephone(
    reader: Reader, path: str
) -> None:
    assert small_type(reader.open(path, size="narrow"), 12) == []


def test_small_type_and_cut_outputs_are_noticed(reader: Reader) -> None:
    page = reader.open("lesson/masking.html", size="narrow")
    table = page.locator("pre.output[style*='--columns']").first
    table.evaluate("table => table.style.setProperty('--columns', 50)")
    assert len(small_type(page, 12)) == 1
    table.evaluate("table => table.append('a  b'.padEnd(60))")
    assert len(cut_code(page)) == 1


def test_words_of_too_little_contrast_are_noticed(reader: Reader) -> None:
    page = reader.open("lesson/masking.html")
    page.locator("article .highlight .k").last.evaluate("token => token.style.color = '#bbb'")
    assert_accessible(page, "header")
    with pytest.raises(AssertionError, match="color-contrast"):
        assert_accessible(page)


def test_the_policy_allows_no_script_inside_of_a_page_and_no_other_host(host: Host) -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in policy().split(";"))
    assert rules["default-src"] == "'self'"
    kinds = {"'self'", "'unsafe-inline'", "'wasm-unsafe-eval'", "data:"}
    assert set(" ".join(rules.values()).split()) <= kinds
    assert {name for name, sources in rules.items() if "unsafe-inline" in sources} <= {"style-src"}
    assert rules["script-src"] == "'self' 'wasm-unsafe-eval'"


def test_the_browser_holds_pages_to_the_policy(reader: Reader) -> None:
    page = reader.open("index.html")
    evaluated = run(page, "page.evaluateText")
    assert evaluated == "EvalError"
    run(page, "page.insertScript")
    assert page.evaluate("window.broken") is None
    assert any("Content Security Policy" in said for said in reader.noted)
    reader.noted.clear()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_search_is_fetched_when_it_is_opened_and_works_by_keyboard(
    reader: Reader, colours: str
) -> None:
    asked: list[str] = []
    page = reader.open(
        "summary.html",
        scheme=colours,
        prepare=lambda page: page.on("request", lambda r: asked.append(urlsplit(r.url).path)),
    )
    page.wait_for_load_state("networkidle")
    assert not [path for path in asked if "workers" in path or path.endswith("search_index.js")]
    open_search(page, "next sentence")
    assert "Next sentence prediction" in results(page)
    assert_accessible(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"h=next"))
    page.locator("article mark").first.wait_for()
    assert "next sentence" in " ".join(page.locator("article mark").all_text_contents()).lower()


def test_the_search_can_be_opened_before_its_script_is_there(reader: Reader) -> None:
    held: list[Route] = []
    page = reader.open(
        "index.html",
        size="narrow",
        touch=True,
        prepare=lambda page: page.route("**/assets/search.js", lambda r: held.append(r)),
        wait_until="commit",
    )
    page.locator(".md-header__button[for=__search]").tap()
    assert page.locator("#__search").is_checked()
    held[0].continue_()
    page.locator(".md-search__input").fill("mask")
    assert results(page)


def test_the_search_says_that_nothing_was_found_and_closes(reader: Reader) -> None:
    page = reader.open("index.html")
    open_search(page, "<zygote onerror=zygote(zygote)> zygote")  # each of these is a word
    page.get_by_text("No matching documents").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#__search").is_checked() is False


@pytest.mark.parametrize("token", ["CLS", "MASK"])
def test_the_search_finds_a_token_with_its_brackets_and_without(reader: Reader, token: str) -> None:
    wanted = found(reader, token)
    assert int(wanted[1].split()[0]) > 4
    for written in (f"[{token}]", token.lower(), f"`[{token}]`", f"([{token}],", f"“{token}”"):
        assert found(reader, written) == wanted, written


def test_the_search_finds_what_stands_between_marks_and_keeps_numbers_whole(reader: Reader) -> None:
    assert found(reader, "80/10/10") == found(reader, "(80/10/10)")
    assert found(reader, "15%")[1] == found(reader, "~15%")[1]
    assert found(reader, "next sentence") == found(reader, "next: sentence")
    assert found(reader, "sentence") == found(reader, "--sentence")


def test_a_token_that_was_searched_for_is_marked_without_its_brackets(reader: Reader) -> None:
    page = reader.open("summary.html")
    open_search(page, "[CLS]")
    results(page)
    page.locator(".md-search-result__link[href*='h=cls']").first.click()
    page.locator("article mark").first.wait_for()
    marked = page.locator("article mark").all_text_contents()
    assert {text.lower() for text in marked} == {"cls"}


def test_the_search_says_so_when_it_cannot_be_loaded(reader: Reader) -> None:
    def without_index(page: Page) -> None:
        page.route("**/search_index.js", lambda route: route.fulfill(status=404, body=""))

    page = reader.open("index.html", prepare=without_index)
    open_search(page, "mask")
    page.get_by_text("The search could not be loaded").wait_for()
    assert all("404" in said for said in reader.noted)
    reader.noted.clear()


def test_a_chosen_scheme_is_remembered_and_the_system_s_is_followed(reader: Reader) -> None:
    page = reader.open("index.html", scheme="light")
    page.get_by_title("Switch to the dark scheme").click()
    assert scheme(page) == "slate"
    page.goto(page.url.replace("index", "summary"))
    assert scheme(page) == "slate"
    page.get_by_title("Switch to the light scheme").click()
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert scheme(page) == "slate", "light was what the system asked for: nothing to remember"


def test_the_scheme_is_right_before_material_s_script_runs(reader: Reader) -> None:
    def without_bundle(page: Page) -> None:
        page.route("**/bundle.*.js", lambda route: route.fulfill(body=""))

    assert scheme(reader.open("index.html", scheme="dark", prepare=without_bundle)) == "slate"


def test_the_scheme_can_be_switched_by_keyboard(reader: Reader) -> None:
    page = reader.open("index.html", scheme="light")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "__palette":
            break
    page.keyboard.press("Enter")
    assert scheme(page) == "slate"


def test_nonsense_in_the_storage_harms_nothing(reader: Reader) -> None:
    page = reader.open("index.html")
    for nonsense in ("{", "7", "null", '{"index": 9}', '{"index": "x", "color": 3}'):
        page.evaluate("text => localStorage.setItem('/.__palette', text)", nonsense)
        page.reload()
        assert scheme(page) == "default"


def test_scripts_of_a_page_are_deferred(built: Path) -> None:
    for path in [*PAGES, "404.html"]:
        text = (built / path).read_text("utf-8")
        scripts = re.findall(r"<script[^>]* src=[^>]*>", text)
        early, *others = scripts
        assert "scheme.js" in early, "the colours are chosen before anything is painted"
        assert len(others) >= 4, path
        assert all(re.search(r" defer\b", script) for script in others), (path, others)


def test_the_first_tab_skips_to_the_content_and_focus_is_always_visible(reader: Reader) -> None:
    page = reader.open("lesson/masking.html")
    page.keyboard.press("Tab")
    skip = page.get_by_text("Skip to content")
    assert skip.evaluate("link => link === document.activeElement")
    expect(skip).to_have_css("opacity", "1")  # it fades in
    page.keyboard.press("Enter")
    assert urlsplit(page.url).fragment
    for _ in range(40):
        page.keyboard.press("Tab")
        assert run(page, "page.invisibleFocus") == ""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_from_disk_where_nothing_is_stored(
    reader: Reader, built: Path, path: str
) -> None:
    page = reader.open("", url=(built / path).as_uri(), prepare=refuse_storage)
    assert page.locator("h1").first.is_visible()
    for note in page.locator("[data-widget] > .widget-note").all_text_contents():
        assert "from a file" in note


WITH_WIDGETS = sorted(
    source.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
    for source in (ROOT / "docs").rglob("*.md")
    if "data-widget=" in source.read_text("utf-8")
)


@pytest.mark.parametrize("path", WITH_WIDGETS)
def test_no_part_that_has_started_says_a_sentence_twice(reader: Reader, path: str) -> None:
    page = reader.open(path)
    for part in page.locator("[data-widget]").all():
        part.scroll_into_view_if_needed()
        expect(part).to_have_attribute("data-started", "")
    texts = page.locator("[data-widget] p:visible").all_inner_texts()
    for text in texts:
        sentences = re.split(r"(?<=[.!?])\s*(?=[A-Z“])", text)
        long = [sentence for sentence in sentences if len(sentence.split()) > 3]
        assert len(long) == len(set(long)), text


@pytest.mark.parametrize("path", WITH_WIDGETS)
@pytest.mark.parametrize("missing", ["start", "dom"])
def test_where_a_script_is_missing_one_sentence_says_so_and_takes_no_more_room(
    reader: Reader, path: str, missing: str
) -> None:
    page = reader.open(
        path,
        size="narrow",
        prepare=lambda page: page.route(
            f"**/widgets/{missing}.js", lambda route: route.fulfill(status=404)
        ),
    )
    notes = page.locator("[data-widget] > .widget-note")
    assert notes.count() > 0
    for note in notes.all():
        note.scroll_into_view_if_needed()
        expect(note).to_have_text(
            "This part could not be loaded; the text covers everything that it shows."
        )
        height_of_words = run(note, "page.heightOfWords")
        assert note.bounding_box()["height"] < height_of_words + 45  # padding, border
        part = note.locator("xpath=..")
        if part.evaluate("e => e.matches('.widget')"):  # of the others it is the whole page
            texts = part.locator(":scope > *").all()
            filled = sum(each.bounding_box()["height"] for each in texts)
            assert part.bounding_box()["height"] < filled + 60
    assert all("404" in said for said in reader.noted)
    reader.noted.clear()


def test_the_search_works_from_disk(reader: Reader, built: Path) -> None:
    page = reader.open("", url=(built / "summary.html").as_uri())
    open_search(page, "mask")
    assert results(page)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("h=mask"))


def test_the_scheme_can_be_switched_where_nothing_is_stored(reader: Reader) -> None:
    page = reader.open("index.html", prepare=refuse_storage)
    page.get_by_title("Switch to the dark scheme").click()
    assert scheme(page) == "slate"


@pytest.mark.parametrize("path", ["index.html", "lesson/masking.html", "examples/masking.html"])
def test_a_page_reads_well_without_scripts(reader: Reader, path: str) -> None:
    page = reader.open(path, size="narrow", scripts=False)
    assert page.locator("h1").first.is_visible()
    assert page.get_by_role("link", name=re.compile("^Next:")).is_visible()


def test_code_has_its_button_once_it_is_in_sight_and_is_copied_by_it(reader: Reader) -> None:
    page = reader.open("lesson/masking.html", permissions=["clipboard-read", "clipboard-write"])
    page.wait_for_load_state("networkidle")
    blocks = page.locator("article .highlight:has(> pre > code)")
    buttons = page.get_by_title("Copy to clipboard")
    assert buttons.count() < blocks.count()
    last = blocks.last
    last.scroll_into_view_if_needed()
    last.get_by_title("Copy to clipboard").click()
    page.get_by_text("Copied to clipboard").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == last.locator("code").inner_text().rstrip()


def test_the_cheat_sheet_is_one_printed_page(reader: Reader, tmp_path: Path) -> None:
    page = reader.open("reference/cheat-sheet.html")
    paper = page.pdf(path=tmp_path / "sheet.pdf", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1


def test_the_colours_of_the_figures_stand_in_their_python_too() -> None:
    css = (ROOT / "docs" / "assets" / "lesson.css").read_text("utf-8")
    figures = (ROOT / "tools" / "weave" / "figures.py").read_text("utf-8")
    drawn = re.findall(r'"#(\w{6})": "var\((--chart-\d)', figures)
    cycle = (ROOT / "tools" / "run" / "matplotlibrc").read_text("utf-8")
    assert [colour for colour, _ in drawn] == re.findall(r"'(\w{6})'", cycle)[:4]
    assert all(css.count(f"{variable}:") == 2 for _, variable in drawn)
