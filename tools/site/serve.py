"""What `mkdocs serve` adds to a build: nothing waits, and an edit is visible within two seconds.

Missing outputs are shown as pending and filled in by live reload, with their progress told to the
open pages. After an edit of a page, these pieces save work; with all of them the rebuild of the
lesson takes 0.8 seconds of one core:

    Kept.reuse_rendered     pages and notebooks are not rendered again
    Kept.reuse_built        nor put into their templates, which alone takes 0.5
    search.SearchIndex      nor parsed for the search
    weave.memory.remembered outputs are not drawn again
    run.memo.memoized       nor code highlighted, nor keys of examples computed; builds use it too
    templates.lighten       templates are not compiled again, nor icons listed
"""

from __future__ import annotations

import gc
import json
import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, Template
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink
from watchdog.observers.polling import PollingObserver

from tools.run.runner import Runner
from tools.weave.pages import Lesson

log = logging.getLogger("mkdocs.lesson")

PENDING_SCRIPT = "assets/pending.js"

Render = Callable[[MkDocsConfig, Files], None]


class Kept:
    """What outlives one build."""

    def __init__(self) -> None:
        # by source: what a page was rendered from, and the result
        self._rendered: dict[str, tuple[Any, dict[str, Any]]] = {}
        self._built: dict[str, tuple[Any, str]] = {}  # the same, of the page in its template
        # the files of a build, and what all its pages are rendered from
        self._of_site: tuple[Any, Any] = None, None

    def reuse_rendered(self, page: Page) -> None:
        """Render only Markdown and notebooks that have changed."""
        page.render = partial(self._render, page, page.render)  # type: ignore[method-assign]

    def _render(self, page: Page, render: Render, config: MkDocsConfig, files: Files) -> None:
        if self._of_site[0] is not files:
            settings = Path(config.config_file_path).read_bytes()
            self._of_site = files, (settings, [(file.src_uri, file.url) for file in files])
        made_of = page.markdown, self._of_site[1]
        kept_of, rendered = self._rendered.get(page.file.src_uri, (None, {}))
        if kept_of != made_of:
            before = dict(vars(page))
            render(config, files)
            rendered = {
                name: value for name, value in vars(page).items() if value is not before.get(name)
            }
            self._rendered[page.file.src_uri] = made_of, rendered
        vars(page).update(rendered)

    def reuse_built(self, env: Environment) -> None:
        """Put into their templates only pages of which something has changed."""
        built, around = self._built, Around()

        class PageTemplate(Template):
            def render(self, *args: Any, **kwargs: Any) -> str:
                context = dict(*args, **kwargs)
                page = context["page"]
                if not page:  # 404.html and sitemap.xml
                    return super().render(context)
                made_of = self.name, made_of_page(page), around.text(context)
                kept_of, text = built.get(page.url, (None, ""))
                if kept_of != made_of:
                    text = super().render(context)
                    built[page.url] = made_of, text
                return text

        env.template_class = PageTemplate


class Around:
    """What all pages of a build depend on besides their content."""

    def __init__(self) -> None:
        self._text = ""

    def text(self, context: dict[str, Any]) -> str:
        if not self._text:
            config, nav, pages = context["config"], context["nav"], context["pages"]
            templates = sorted(Path(config.theme.custom_dir).rglob("*.html"))
            made_of = [Path(config.config_file_path), *templates]
            self._text = repr((
                [(str(path), path.read_bytes()) for path in made_of],
                str(nav),
                [(file.url, file.page.title, _meta(file.page)) for file in pages],
                [str(script) for script in config.extra_javascript],
            ))  # fmt: skip
        return self._text


def made_of_page(page: Page) -> str:
    return repr((page.content, [_anchor(item) for item in page.toc]))


def _meta(page: Page) -> dict[str, Any]:
    """The settings of a page; `SearchIndex.add` has set the one that is left out."""
    return {name: value for name, value in page.meta.items() if name != "search"}


def _anchor(item: AnchorLink) -> tuple[Any, ...]:
    return item.id, item.title, item.level, [_anchor(child) for child in item.children]


def watch(server: LiveReloadServer, signal: Path, again: bool) -> None:
    """Look for changes every 0.2 s, where mkdocs takes 0.5, and for examples that are done.

    Args:
        server: The one of mkdocs.
        signal: A file that is touched when an example is done.
        again: Whether something was left for a second build, soon after the first.
    """
    gc.freeze()  # nothing of the first build is looked through for garbage at each edit
    signal.touch()
    watched = list(server._watched_paths)
    for path in watched:
        server.unwatch(path)
    server.observer = PollingObserver(timeout=0.2)
    for path in (*watched, str(signal)):
        server.watch(path)
    if again:
        later = threading.Timer(3, signal.touch)  # when it is looked for
        later.daemon = True
        later.start()


def publish_progress(runner: Runner, lesson: Callable[[], Lesson], site: Path) -> None:
    """Tell the open pages once a second how far the running examples are."""

    def publish() -> None:
        while True:
            time.sleep(1)
            try:
                now = lesson()
                waiting = (name for name, outcome in now.outcomes.items() if outcome.pending)
                progress = {name: runner.outcome(now.examples[name]).progress for name in waiting}
                # No temporary file: if it vanished while mkdocs clears the site, the rebuild would
                # fail.
                (site / "progress.json").write_text(json.dumps(progress), "utf-8")
            except OSError:
                continue  # the site is being rebuilt
            except Exception:  # the next second may do better, and serving goes on
                log.exception("telling the progress of the examples")

    threading.Thread(target=publish, daemon=True).start()
