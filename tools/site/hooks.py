"""What mkdocs calls: runs the examples, hands the woven pages to mkdocs, and checks the result.

`mkdocs build` waits for every example and fails on any problem. `mkdocs serve` does not wait:
missing outputs are shown as pending and filled in by live reload, and problems are shown in place.
"""

from __future__ import annotations

import errno
import logging
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort, PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # mkdocs loads this file by its path; its siblings are `tools.…`

from tools.run import memo  # noqa: E402
from tools.run.cells import Problem  # noqa: E402
from tools.site import beside, checks, notebook_pages, reference, serve, styles, templates, whole  # noqa: E402
from tools.site.notebook_pages import is_notebook  # noqa: E402
from tools.site.state import Site  # noqa: E402
from tools.weave.blocks import WovenMarkdown  # noqa: E402
from tools.weave.code import fence, fence_options  # noqa: E402
from tools.weave.notebooks import description  # noqa: E402
from tools.weave.project import weave  # noqa: E402
from tools.weave.settings import read_settings  # noqa: E402
from tools.weave.source import commit_of  # noqa: E402

log = logging.getLogger("mkdocs.lesson")
REFUSING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG}
CODE = {"name": "*", "class": "highlight", "format": fence, "validator": fence_options}
site = Site("build")  # as `mkdocs build` is; `on_startup` knows better


def on_startup(command: str, dirty: bool) -> None:
    global site
    site = Site(command)


def on_shutdown() -> None:
    site.runner.stop()
    site.give_back()


def on_build_error(error: Exception) -> None:
    """Say in a sentence what a disk that takes nothing more means for the build."""
    if isinstance(error, OSError) and error.errno in REFUSING and not site.served:
        log.error(
            "%s could not be written: %s. What this build has written is incomplete; it needs 50 "
            "MB free for the site, and some more in .cache. Make room%s, and try again",
            error.filename or "a file",
            error.strerror,
            "" if site.serving else ", or name another folder with -d",
        )
        raise Abort("Aborted with a site that is incomplete") from None


@event_priority(100)  # before the search plugin, which reads a template
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    if not site.serving:
        site.take(Path(config.site_dir))  # before mkdocs empties it
    templates.lighten(config.theme, site.work / "templates-without-blank-lines")
    notebook_pages.configure(config)
    config.markdown_extensions.append(WovenMarkdown())  # type: ignore[arg-type]
    config.mdx_configs.setdefault("pymdownx.superfences", {})["custom_fences"] = [CODE]
    site.styles = [Path(config.docs_dir) / name for name in config.extra_css]
    config.extra_css.clear()  # they come with Material's, in one file; see theme/main.html
    if site.serving:
        config.extra_javascript.append(serve.PENDING_SCRIPT)
    else:
        config.extra |= {"whole_lesson": whole.NAME, "plain_pages": True}  # which the pages link to
    return config


@event_priority(100)  # before mkdocs-jupyter, which turns the notebooks added here into pages
def on_files(files: Files, config: MkDocsConfig) -> Files:
    site.load()
    settings = read_settings(Path(config.config_file_path)) | {"site_url": config.site_url}
    commit = None if site.serving else commit_of()
    docs = Path(config.docs_dir)
    store, plain = site.runner.store, not site.serving
    site.woven = weave(site.lesson, docs, store, settings, commit=commit, plain=plain)
    for part in site.styles:  # which are published as one file
        if file := files.get_file_from_path(part.relative_to(docs).as_posix()):
            files.remove(file)
    for uri, text in site.woven.pages.items():
        if page := files.get_file_from_path(uri):
            page.content_string = text
    notebook_pages.add_notebooks(site.woven, site.work, config, files)
    site.names = reference.Names(site.woven.pages, site.lesson)
    if site.serving and not site.served:  # the first pages do not wait for the reference
        site.names.pending = not reference.all_kept(site.woven.pages, config, site.work)
    beside.add(files, site.woven, config, site.serving)
    config.extra["ref"] = commit.id if commit else "main"  # of links to the sources
    site.search.begin()
    return files


@event_priority(-100)  # after mkdocs-jupyter, which sets how a notebook is rendered
def on_pre_page(page: Page, config: MkDocsConfig, files: Files) -> Page:
    if reference.is_reference(page):
        written = site.woven.pages[page.file.src_uri]
        reference.prepare(page, written, site.work, site.names.pending)
        return page
    done = not is_notebook(page) or notebook_pages.prepare(page, site.lesson, site.work)
    if site.serving and done:
        site.kept.reuse_rendered(page)
    return page


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> None:
    if is_notebook(page):
        page.meta.setdefault("description", description(page.file.name))


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    return site.names.linked(html, page, Path(config.docs_dir))


def on_env(env: Any, config: MkDocsConfig, files: Files) -> None:
    """Once all pages are read, stop a build that has problems."""
    config.extra_css.clear()  # mkdocstrings has added its own
    if site.serving:
        site.kept.reuse_built(env)
    for name in site.lesson.examples:
        if failure := site.lesson.outcomes[name].result.failure:
            log.info("examples/%s.py:\n%s", name, failure.traceback)
    report(site.woven.problems)


@event_priority(100)  # before the search plugin, which parses each page
def on_page_context(context: Any, page: Page, config: MkDocsConfig, nav: Any) -> None:
    site.search.add(page)
    site.nav = nav


@event_priority(-100)  # after the search plugin has written its index
def on_post_build(config: MkDocsConfig) -> None:
    built = Path(config.site_dir)
    site.search.write(built / "search")
    styles.write(built, site.styles)
    beside.write(built, site.woven, config)
    if site.nav and not site.serving:
        whole.write(built, site.nav, config)
    address = config.site_url or ""
    found = list(checks.check(built, Path(config.docs_dir), ROOT / "examples", address))
    if site.serving:
        checks.show(found)
    if not site.served:
        memo.write(site.memo)
    report([problem for _, problem in found])


def report(problems: list[Problem]) -> None:
    for problem in problems:
        log.warning("%s", problem)
    if problems and not site.serving:
        number = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise PluginError(f"{number}, listed above, must be fixed before this is published")


def on_serve(server: LiveReloadServer, config: MkDocsConfig, builder: Any) -> None:
    site.served = True
    site.runner.want(site.lesson.examples.values())
    serve.watch(server, site.signal, again=site.names.pending)
    serve.publish_progress(site.runner, lambda: site.lesson, Path(config.site_dir))
