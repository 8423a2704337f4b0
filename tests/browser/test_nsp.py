"""Is it next? The reader guesses, then the head: fair pairs, a score, passages of one's own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import torch
from playwright.sync_api import Page, Route, expect

from bertlesson.lesson import tiny
from bertlesson.lesson.corpus_text import VENUES
from bertlesson.nsp import IS_NEXT, IS_RANDOM
from tests.browser.conftest import Reader, assert_accessible, refuse_storage, run, run_first, widget

PAGE = "lesson/nsp.html"
IN_WORLD = (
    "Thea spent a beautiful Sunday at the garden in Lucca.",
    "Thea wrote to Otto about the marvellous garden.",
)


@pytest.fixture(scope="module")
def stories(built: Path) -> list[list[str]]:
    found: list[list[str]] = json.loads((built / "downloads" / "stories.json").read_text("utf-8"))
    return found


def opened(reader: Reader, fragment: str = "", **settings: Any) -> tuple[Page, Any]:
    page = reader.open(PAGE + fragment, **settings)
    return page, widget(page, "nsp")


def press(host: Any, name: str) -> None:
    host.get_by_role("button", name=name, exact=True).click()


def link_to(a: str, b: str) -> str:
    return f"#nsp?{urlencode({'a': a, 'b': b})}"


def passages(host: Any) -> tuple[str, str]:
    return tuple(
        host.locator(f"#nsp-{which}").inner_text().removeprefix(which.upper()).strip()
        for which in "ab"
    )


def places(stories: list[list[str]], passage: str) -> list[tuple[int, int, int]]:
    return [
        (number, start, stop)
        for number, story in enumerate(stories)
        for start in range(len(story))
        for stop in range(start + 1, len(story) + 1)
        if " ".join(story[start:stop]) == passage
    ]


def truth(stories: list[list[str]], a: str, b: str) -> int:
    """Looked up in the stories, without what the page says about it."""
    found = places(stories, a), places(stories, b)
    assert all(found)
    follows = any(p[0] == q[0] and p[2] == q[1] for p in found[0] for q in found[1])
    return IS_NEXT if follows else IS_RANDOM


def p_next(a: str, b: str) -> float:
    """What PyTorch says."""
    checkpoint = tiny.load(progress=False)
    inputs = checkpoint.tokenizer(a, b, return_tensors="pt", truncation=True)
    with torch.inference_mode():
        pooled = checkpoint.model.bert(**inputs).pooler_output
        return checkpoint.model.cls["seq_relationship"](pooled).softmax(-1)[0, IS_NEXT].item()


def shown_share(host: Any) -> float:
    text = host.locator(".nsp-bars .bar-number").first.inner_text()
    return float(re.sub(r"[<>% ]", "", text)) / 100


def score(host: Any) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", host.locator(".nsp-score").inner_text())]


# Pairs


def test_pairs_are_fair(reader: Reader, stories: list[list[str]]) -> None:
    page, _ = opened(reader)
    drawn = run(page, "nsp.drawnPairs")
    assert len({(pair["a"], pair["b"]) for pair in drawn}) > 1500
    labels = [pair["label"] for pair in drawn]
    assert 0.47 < sum(labels) / len(drawn) < 0.53
    assert max(sum(pair["sizes"]) for pair in drawn) <= 61
    for pair in drawn[:40]:
        assert truth(stories, pair["a"], pair["b"]) == pair["label"] == pair["again"]
    # no threshold on a length tells the labels apart, nor does the word that B begins with
    for measure in (
        lambda pair: pair["sizes"][0],
        lambda pair: pair["sizes"][1],
        lambda pair: sum(pair["sizes"]),
    ):
        assert best_threshold([measure(pair) for pair in drawn], labels) < 0.55
    for word in ("The", "At", "On", "What", "Who"):
        begun = [pair["label"] for pair in drawn if pair["b"].startswith(f"{word} ")]
        assert 0.4 < sum(begun) / len(begun) < 0.6, word


def best_threshold(numbers: list[int], labels: list[int]) -> float:
    """The share that is right for who says random above or below the best threshold."""
    rights = []
    for threshold in set(numbers):
        right = sum((n > threshold) == bool(y) for n, y in zip(numbers, labels, strict=True)) / len(
            labels
        )
        rights += [right, 1 - right]
    return max(rights)


# The game


@pytest.mark.parametrize(
    ("size", "scheme", "touch"), [("wide", "light", False), ("narrow", "dark", True)]
)
def test_a_reader_guesses_and_the_scores_are_kept(
    reader: Reader, stories: list[list[str]], size: str, scheme: str, touch: bool
) -> None:
    fetched: list[str] = []
    page, host = opened(
        reader,
        size=size,
        scheme=scheme,
        touch=touch,
        prepare=lambda page: page.on("request", lambda request: fetched.append(request.url)),
    )
    assert not [url for url in fetched if "downloads" in url]  # before it is used
    part = '[data-widget="nsp"]'
    assert_accessible(page, part)

    def use(name: str) -> None:
        button = host.get_by_role("button", name=name, exact=True)
        button.tap() if touch else button.click()

    use("Draw a pair")
    mine = heads = words = 0
    for rounds in range(1, 5):
        a, b = passages(host)
        label = truth(stories, a, b)
        expect(host.get_by_text("The head:")).to_have_count(0)  # the reader guesses first
        guess = rounds % 2
        use(("B is next", "B is random")[guess])
        said = host.locator(".nsp-truth").inner_text()
        assert said.startswith(("B is next", "B is random")[label])
        assert abs(shown_share(host) - p_next(a, b)) < 0.01
        one_kind = any(re.search(rf"\b{k}\b", a) and re.search(rf"\b{k}\b", b) for k in VENUES)
        by_head = IS_NEXT if p_next(a, b) > 0.5 else IS_RANDOM
        by_word = IS_NEXT if one_kind else IS_RANDOM
        signs = host.locator(".nsp-said li b").all_inner_texts()
        assert signs == ["✓" if x == label else "✗" for x in (guess, by_word, by_head)]
        mine, heads, words = (
            mine + (guess == label),
            heads + (by_head == label),
            words + (by_word == label),
        )
        assert score(host) == [rounds, mine, heads, words]
        if rounds < 4:
            use("Another pair")
    assert_accessible(page, part)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    smallest = min(box["height"] for box in boxes(host.get_by_role("button")))
    assert smallest >= 24

    page.reload()
    host = widget(page, "nsp")
    assert score(host) == [4, mine, heads, words]
    use("Reset the score")
    expect(host.locator(".nsp-score")).to_be_empty()
    page.reload()
    expect(widget(page, "nsp").locator(".nsp-score")).to_be_empty()


def boxes(locator: Any) -> list[dict[str, float]]:
    return [element.bounding_box() for element in locator.all()]


def test_the_keyboard_is_enough_and_focus_is_never_lost(reader: Reader) -> None:
    page, host = opened(reader)
    focused = page.locator(":focus")
    host.get_by_role("button", name="Draw a pair").focus()
    page.keyboard.press("Enter")
    pair = host.get_by_role("group", name="The pair")
    expect(pair).to_be_focused()
    a, b = passages(host)
    expect(pair).to_have_accessible_description(re.compile(re.escape(a)))
    expect(pair).to_have_accessible_description(re.compile(re.escape(b)))
    assert pair.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Tab")
    expect(focused).to_have_text("B is next")
    page.keyboard.press("Tab")
    expect(focused).to_have_text("B is random")
    page.keyboard.press("Space")
    expect(focused).to_have_text("Another pair")
    expect(page.get_by_role("status")).to_contain_text(
        re.compile(r"You were (right|wrong)\. B is .* The head was (right|wrong), with .*%")
    )
    page.keyboard.press("Tab")
    expect(focused).to_have_text("Edit A and B")
    page.keyboard.press("Enter")
    expect(focused).to_have_id("nsp-a")
    page.keyboard.press("Tab")
    expect(focused).to_have_id("nsp-b")
    page.keyboard.press("Tab")
    expect(focused).to_have_text("Swap A and B")
    page.keyboard.press("Enter")
    expect(focused).to_have_text("Swap A and B")
    expect(page.get_by_role("status")).to_contain_text("The head says")
    for name in ("Draw a pair", "Copy a link to this", "Reset the score"):
        page.keyboard.press("Tab")
        expect(focused).to_have_text(name)
    page.keyboard.press("Enter")
    expect(focused).to_have_text("Swap A and B")
    expect(page.get_by_role("status")).to_contain_text("The score is reset")


def test_what_gave_it_away_is_said_only_where_it_did(
    reader: Reader, stories: list[list[str]]
) -> None:
    kind = {n: k for n, story in enumerate(stories) for k in VENUES if k in " ".join(story)}
    a = next(s for s in stories[0][:-1] if kind[0] in s)
    following = stories[0][stories[0].index(a) + 1]
    other = next(n for n in kind if kind[n] != kind[0])
    stranger = next(s for s in stories[other] if kind[other] in s)
    alike = next(n for n in kind if n and kind[n] == kind[0])
    misleading = next(s for s in stories[alike] if kind[0] in s)
    page, host = opened(reader, link_to(a, following))
    for b, says in (
        (following, f"Both mention a {kind[0]}. That one word settles it."),
        (stranger, f"A mentions a {kind[0]}, B a {kind[other]}. That one word settles it."),
        (misleading, f"Both mention a {kind[0]}. That one word is misleading here."),
    ):
        page.evaluate("hash => (location.hash = hash)", link_to(a, b))
        expect(host.locator("#nsp-b")).to_contain_text(b)
        press(host, "B is next")
        expect(host.locator(".nsp-bars + p")).to_contain_text(says)


# Passages of one's own


def test_on_passages_of_ones_own_only_the_head_speaks_and_the_score_stays(reader: Reader) -> None:
    page, host = opened(reader)
    press(host, "Draw a pair")
    press(host, "B is next")
    before = score(host)
    press(host, "Edit A and B")
    for which, text in zip("ab", IN_WORLD, strict=True):
        host.get_by_label(f"Passage {which.upper()}").fill(text)
    expect(host.locator(".nsp-bars + p")).to_have_text("Both mention a garden. Both mention Thea.")
    assert abs(shown_share(host) - p_next(*IN_WORLD)) < 0.01
    press(host, "Swap A and B")
    assert abs(shown_share(host) - p_next(*reversed(IN_WORLD))) < 0.01
    expect(host.locator(".nsp-said")).to_have_count(0)
    assert score(host) == before
    assert_accessible(page, '[data-widget="nsp"]')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Write something in both passages."),
        (" \n\t ", "Write something in both passages."),
        ("🦊🦊", "Some of these words are not in the model's small vocabulary"),
        ("שלום עולם", "Some of these words are not in the model's small vocabulary"),
        ("quantum chromodynamics", "Some of these words are not in the model's small vocabulary"),
        ("the zoo was lovely. " * 500, "Too long for 64 tokens"),
        ("<img src=x onerror=alert(1)>", "The head:"),
    ],
    ids=["empty", "spaces", "emoji", "right to left", "foreign", "long", "markup"],
)
def test_whatever_is_written_has_a_sensible_answer(reader: Reader, text: str, says: str) -> None:
    page, host = opened(reader)
    press(host, "Write your own")
    for which in "AB":
        field = host.get_by_label(f"Passage {which}")
        field.fill(text)
        expect(host).to_contain_text(says)
        field.fill(IN_WORLD[0])
        expect(host).not_to_contain_text(re.compile("Write something|Too long|vocabulary"))
    assert page.locator("img[src=x]").count() == 0


# Links


def test_a_link_brings_back_the_pair(reader: Reader, stories: list[list[str]]) -> None:
    page, host = opened(reader)
    press(host, "Draw a pair")
    pair = passages(host)
    press(host, "Copy a link to this")
    state = parse_qs(page.evaluate("location.hash").partition("?")[2])
    assert (state["a"][0], state["b"][0]) == pair
    _, again = opened(reader, link_to(*pair))
    expect(again.get_by_text("Does B follow A?")).to_be_visible()
    assert passages(again) == pair
    _, own = opened(reader, link_to(*IN_WORLD))
    expect(own.get_by_label("Passage B")).to_have_value(IN_WORLD[1])
    expect(own.get_by_text("The head:")).to_be_visible()
    # two passages of one story that do not follow each other are neither next nor random
    _, apart = opened(reader, link_to(stories[0][0], stories[0][5]))
    expect(apart.get_by_label("Passage A")).to_have_value(stories[0][0])


@pytest.mark.parametrize(
    "fragment",
    [
        "#nsp?",
        "#nsp?a=%E0%A4%A&b=%00",
        link_to("<script>alert(1)</script>", "<img src=x onerror=alert(1)>"),
        link_to("zoo " * 5000, "x" * 10_000),
    ],
)
def test_a_hostile_link_is_only_text(reader: Reader, fragment: str) -> None:
    page, host = opened(reader, fragment)
    expect(host.get_by_label("Passage A")).to_be_visible()
    assert len(host.get_by_label("Passage A").input_value()) <= 2000
    assert page.locator("img[src=x]").count() == 0


def test_the_score_keeps_the_focus_when_something_else_is_remembered(reader: Reader) -> None:
    page, host = opened(reader)
    press(host, "Draw a pair")
    press(host, "B is next")
    reset = host.get_by_role("button", name="Reset the score")
    reset.focus()
    run(page, "nsp.rememberAPage")
    expect(reset).to_be_focused()


# What may fail


def test_without_scripts_one_sentence_says_so(reader: Reader) -> None:
    page = reader.open(PAGE, scripts=False)
    host = page.locator('[data-widget="nsp"]')
    expect(host).to_have_text("With JavaScript, you can compete against the head here.")


def test_with_a_missing_file_the_page_says_so(reader: Reader) -> None:
    page = reader.open(
        PAGE, prepare=lambda page: page.route("**/widgets/nsp.js", lambda route: route.abort())
    )
    host = page.locator('[data-widget="nsp"]')
    host.scroll_into_view_if_needed()
    expect(host.locator(".widget-note")).to_contain_text("could not be loaded")
    assert reader.noted
    reader.noted.clear()


@pytest.mark.parametrize("name", ["stories.json", "pretrained.safetensors"])
@pytest.mark.parametrize("body", [None, "[1, 2", "[]", "[[7]]"])
def test_a_missing_or_damaged_file_is_told_and_can_be_tried_again(
    reader: Reader, name: str, body: str | None
) -> None:
    broken = True

    def answer(route: Route) -> None:
        if not broken:
            route.continue_()
        elif body is None:
            route.abort()
        else:
            route.fulfill(body=body)

    _, host = opened(reader, prepare=lambda page: page.route(f"**/{name}", answer))
    press(host, "Draw a pair")
    expect(host.locator(".widget-error")).to_contain_text(f"The file {name}")
    broken = False
    press(host, "Draw a pair")
    expect(host.get_by_role("group", name="The pair")).to_be_focused()
    expect(host.locator(".widget-error")).to_have_count(0)
    if body is None:
        assert all("ERR_FAILED" in text for text in reader.noted)
        reader.noted.clear()


def test_with_a_full_store_the_score_goes_on_until_it_is_forgotten_elsewhere(
    reader: Reader,
) -> None:
    points = {"rounds": 5, "reader": 3, "head": 4, "word": 2}
    stored = {"bertlesson:nsp": json.dumps(points)}
    page, host = opened(reader, stored=stored, prepare=lambda page: run_first(page, "storage-full"))
    assert score(host) == [5, 3, 4, 2]
    press(host, "Draw a pair")
    press(host, "B is next")
    assert score(host)[0] == 6
    overview = page.context.new_page()
    overview.goto(page.url.replace(PAGE, "index.html"))
    press(overview, "Forget everything")
    press(host, "Another pair")
    press(host, "B is next")
    assert score(host)[0] == 1


@pytest.mark.parametrize(
    "stored",
    [None, "rubbish", "null", '{"rounds": 1, "reader": 5}'],
    ids=["refused", "rubbish", "null", "nonsense"],
)
def test_refused_or_damaged_storage_does_not_stop_the_game(
    reader: Reader, stored: str | None
) -> None:
    if stored is None:
        _, host = opened(reader, prepare=refuse_storage)
    else:
        _, host = opened(reader, stored={"bertlesson:nsp": stored})
    expect(host.locator(".nsp-score")).to_be_empty()
    press(host, "Draw a pair")
    press(host, "B is random")
    assert score(host)[0] == 1
