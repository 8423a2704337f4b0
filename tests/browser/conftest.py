"""A real browser on the built site, as a static host serves it.

Without a Chromium these tests are skipped, and say so; with REQUIRE_CHROMIUM=1 they fail.
"""

from __future__ import annotations

import gzip
import mimetypes
import os
import re
import shutil
import threading
from collections.abc import Iterator
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Locator, Page, Playwright, expect, sync_playwright

from tests.conftest import ROOT
from tools.site import styles

expect.set_options(timeout=60_000)  # as long as all other waits
COMPRESSED = (".html", ".css", ".js", ".json", ".svg", ".xml", ".txt")
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}
SCRIPTS = Path(__file__).parent / "js"


def policy() -> str:
    """The Content-Security-Policy that the README tells publishers to send."""
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r"^Content-Security-Policy: (.*)$", readme, re.M)
    assert found, "the README names no Content-Security-Policy"
    return found[1]


class Host:
    """Serves a folder with gzip and the policy, and counts what goes over the wire."""

    def __init__(self, folder: Path, assets: Path | None = None) -> None:
        self.folder, self.assets = folder, assets
        self.policy = policy()
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = found = host.find(unquote(urlsplit(self.path).path))
                if not found and self.path.endswith((".html", "/")):
                    path = host.find("404.html")
                body = path.read_bytes() if path else b"not here"
                # a part of a file, as static hosts give it
                part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
                if found and part:
                    body, whole = body[int(part[1]) : int(part[2]) + 1], len(body)
                    self.send_response(206)
                    last = int(part[1]) + len(body) - 1
                    self.send_header("Content-Range", f"bytes {part[1]}-{last}/{whole}")
                else:
                    self.send_response(200 if found else 404)
                kind = mimetypes.guess_type(path.name)[0] if path else "text/plain"
                kind = kind or "application/octet-stream"
                self.send_header("Content-Type", kind)
                if path and path.suffix in COMPRESSED:
                    body = host.compressed(path, body)
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", host.policy)
                self.send_header("Cache-Control", "no-cache")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @cached_property
    def _kept(self) -> dict[tuple[Path, float], bytes]:
        return {}

    def compressed(self, path: Path, body: bytes) -> bytes:
        key = (path, path.stat().st_mtime)
        if key not in self._kept:
            self._kept[key] = gzip.compress(body, mtime=0)
        return self._kept[key]

    def find(self, path: str) -> Path | None:
        """The file of an address; with BERTLESSON_SITE, assets come fresh from the sources.

        Under ``tests/`` are the scripts of the tests, see `run`.
        """
        relative = path.lstrip("/") or "index.html"
        if relative.startswith("tests/"):
            script = SCRIPTS / relative.removeprefix("tests/")
            return script if script.is_file() else None
        if self.assets and relative.startswith("assets/"):
            fresh = self.assets / relative.removeprefix("assets/")
            if fresh.is_file():
                return fresh
        file = (self.folder / relative).resolve()
        return file if file.is_relative_to(self.folder.resolve()) and file.is_file() else None

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{path}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest) -> Path:
    """The built site; BERTLESSON_SITE names one that is there already, while widgets are edited."""
    if named := os.environ.get("BERTLESSON_SITE"):
        settings = (ROOT / "mkdocs.yml").read_text("utf-8")
        own = re.findall(r"^  - (assets/.*\.css)$", settings, re.M)
        styles.write(Path(named), [ROOT / "docs" / name for name in own])
        return Path(named)
    site: Path = request.getfixturevalue("site")
    return site


@pytest.fixture(scope="session")
def host(built: Path) -> Iterator[Host]:
    fresh = ROOT / "docs" / "assets" if "BERTLESSON_SITE" in os.environ else None
    served = Host(built, fresh)
    yield served
    served.stop()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    # the shell paints no window around each page, which takes as long as a page
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    message = "no Chromium found: on Debian, apt install chromium-headless-shell"
    if os.environ.get("REQUIRE_CHROMIUM"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    arguments = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
    browser = playwright.chromium.launch(executable_path=chromium_path, args=arguments)
    yield browser
    browser.close()


class Reader:
    """Somebody with a browser. Whatever the console says, and any foreign request, is noted."""

    def __init__(self, browser: Browser, host: Host) -> None:
        self._browser, self._host = browser, host
        self._contexts: list[Any] = []
        self.noted: list[str] = []

    def open(
        self,
        path: str,
        *,
        size: str = "wide",
        scheme: str = "light",
        touch: bool = False,
        scripts: bool = True,
        stored: dict[str, str] | None = None,
        url: str = "",
        prepare: Any = None,
        wait_until: Literal["commit", "load"] = "load",
        **settings: Any,
    ) -> Page:
        """A page of the site in a browser context of its own.

        Args:
            path: Such as ``lesson/masking.html``, with a fragment if there is one.
            size: "wide" (1280 pixels) or "narrow" (390).
            scheme: "light" or "dark".
            touch: Whether it has a touch screen.
            scripts: Whether JavaScript is on.
            stored: What the browser's local store has for the site from earlier visits.
            url: A whole address in the place of the host's, such as a ``file:`` one.
            prepare: Is called with the page before it goes anywhere: to route requests, say.
            wait_until: "commit" where a file is held back that the page needs to be complete.
            settings: For `Browser.new_context`.
        """
        width, height = SIZES[size]
        if stored:
            kept = [{"name": name, "value": value} for name, value in stored.items()]
            origin = {"origin": self._host.url().rstrip("/"), "localStorage": kept}
            settings["storage_state"] = {"cookies": [], "origins": [origin]}
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            has_touch=touch,
            java_script_enabled=scripts,
            **settings,
        )
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: self.noted.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.noted.append(f"exception: {error}"))
        page.on("request", lambda request: self._note_foreign(request.url))
        if prepare:
            prepare(page)
        page.goto(url or self._host.url(path), wait_until=wait_until)
        return page

    def _note_foreign(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.noted.append(f"foreign request: {url}")

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def reader(chromium: Browser, host: Host) -> Iterator[Reader]:
    """Opens pages. At the end of the test the console must have stayed empty.

    A test that provokes a message takes it out of ``reader.noted`` itself.
    """
    made = Reader(chromium, host)
    yield made
    made.close()
    assert made.noted == []


def run(target: Page | Locator, function: str, given: Any = None) -> Any:
    """What a function returns that a file of tests/browser/js exports.

    Args:
        target: The page that runs it; of a locator, the function gets the element first.
        function: Such as "trace.lossesOf", of trace.js.
        given: Its argument.
    """
    file, name = function.split(".")
    call = f"(await import('/tests/{file}.js')).{name}"
    if isinstance(target, Page):
        return target.evaluate(f"async (given) => {call}(given)", given)
    return target.evaluate(f"async (element, given) => {call}(element, given)", given)


def wait_until(target: Locator, function: str) -> None:
    """Waits until a function of tests/browser/js, see `run`, is true of an element."""
    file, name = function.split(".")
    target.page.wait_for_function(
        f"async (element) => (await import('/tests/{file}.js')).{name}(element)",
        arg=target.element_handle(),
        timeout=5_000,
    )


def run_first(page: Page, script: str) -> None:
    """Runs a file of tests/browser/js/before in each page that is opened, before its own scripts.

    Args:
        page: A page that has not been opened; see ``prepare`` of `Reader.open`.
        script: The name of the file, without ".js".
    """
    page.add_init_script(path=SCRIPTS / "before" / f"{script}.js")


def refuse_storage(page: Page) -> None:
    """As a browser does it whose reader allows no site to keep anything."""
    run_first(page, "storage-refused")


def widget(page: Page, name: str) -> Any:
    """The widget of this name, scrolled to and started."""
    found = page.locator(f'[data-widget="{name}"]')
    found.scroll_into_view_if_needed()
    page.locator(f'[data-widget="{name}"][data-started]').wait_for()
    return found


def voice(page: Page) -> Any:
    """Where readers who do not see the page are told what has happened."""
    return page.locator(".widget-voice[role=status]")


def assert_accessible(page: Page, part: str = "html") -> None:
    """No violation of axe-core's rules in this part of the page, as it is shown now."""
    page.evaluate(AXE_SCRIPT)
    assert run(page.locator(part), "axe.violations") == []
