"""Training beside the page: it learns, it can be stopped, and what refuses it is said plainly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Route

from tests.browser.conftest import Reader, policy, run, run_first

REFUSED = (
    "This browser does not let the page compute in the background, so nothing can be trained here."
)


def with_policy(sent: str) -> Any:
    """Prepares a page that comes with another policy."""

    def answer(route: Route) -> None:
        response = route.fetch()
        headers = response.headers | {"content-security-policy": sent}
        route.fulfill(response=response, headers=headers)

    return lambda page: page.route("**/404.html", answer)


def without_simd() -> str:
    strict = policy().replace(" 'wasm-unsafe-eval'", "")
    assert strict != policy()
    return strict


@pytest.fixture
def page(reader: Reader) -> Page:
    """A page of the site that has no widgets."""
    return reader.open("404.html")


def test_a_run_learns_tells_and_repeats_itself_bit_for_bit(page: Page) -> None:
    got = run(page, "training.run", 60)
    assert got["taken"] == len(got["losses"]) == 60
    assert got["losses"][-1] < got["losses"][0] / 4
    assert got["measured"] == [10, 20, 30, 40, 50, 60]
    assert got["right"] == 24
    assert got["guess"]
    assert run(page, "training.run", 60) == got


def test_a_run_can_be_stopped(page: Page) -> None:
    taken = run(page, "training.stopped")
    assert 3 <= taken < 1_000


def test_what_cannot_be_learned_is_said_plainly(page: Page) -> None:
    assert run(page, "training.saidOfLabel").startswith("label 7 of 2 classes; expected 0 to 1")


def test_a_refused_worker_is_said_plainly(reader: Reader) -> None:
    page = reader.open("404.html", prepare=lambda page: run_first(page, "worker-refused"))
    assert run(page, "training.said", 2) == REFUSED


def test_a_policy_without_workers_is_said_plainly(reader: Reader) -> None:
    page = reader.open("404.html", prepare=with_policy(f"{policy()}; worker-src 'none'"))
    assert run(page, "training.said", 2) == REFUSED
    assert any("worker-src" in note for note in reader.noted)
    reader.noted.clear()


def test_a_worker_that_does_not_arrive_is_said_plainly(reader: Reader) -> None:
    page = reader.open("404.html")
    page.route("**/training-worker.js", lambda route: route.abort())
    assert run(page, "training.said", 2) == REFUSED
    reader.noted.clear()


def test_where_webassembly_is_refused_javascript_gives_the_same(reader: Reader) -> None:
    allowed, wanted = run(reader.open("404.html"), "training.scores")
    assert allowed
    page = reader.open("404.html", prepare=with_policy(without_simd()))
    allowed, got = run(page, "training.scores")
    assert not allowed
    np.testing.assert_allclose(got, wanted, atol=1e-4)
    assert all("WebAssembly" in note for note in reader.noted)
    reader.noted.clear()
