"""The only module that depends on mkdocs: runs examples, fills pages, adds notebooks, checks links.

`mkdocs build` waits for every example and fails on any problem. `mkdocs serve` does not wait:
missing outputs are shown as pending and filled in by live reload, and problems are shown in place.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import FileSystemBytecodeCache
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.structure.toc import get_toc
from watchdog.observers.polling import PollingObserver

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # mkdocs loads this file by its path; its siblings are `tools.…`

from tools.run.cells import Problem  # noqa: E402
from tools.run.examples import load_examples  # noqa: E402
from tools.run.problems import problems_of  # noqa: E402
from tools.run.runner import CACHE, Runner  # noqa: E402
from tools.run.store import write_at_once  # noqa: E402
from tools.site import checks, notebook_page, styles, wheel  # noqa: E402
from tools.weave import pages, reading, render  # noqa: E402

log = logging.getLogger("mkdocs.lesson")

SIGNAL = CACHE.parent / "signal"  # touched when an example is done; `mkdocs serve` watches it
DOWNLOADS = "downloads"
LICENCE = f"{DOWNLOADS}/LICENSE.txt"  # every page links to it, in theme/partials/copyright.html
PENDING_SCRIPT = "assets/pending.js"
ARTICLE = '<article class="md-content__inner md-typeset">'  # where the theme puts a page's content


class State:
    """The state that outlives one build while serving."""

    serving = False
    served = False  # at least once
    runner: Runner | None = None
    site = pages.Site({}, {})
    open_pages: dict[str, pages.Page]
    contents: dict[str, str]  # by URL: the pages of this build
    # by example: what its notebook was made from; by URL: a page and its part of the search index
    notebooks: ClassVar[dict[str, tuple[str, str, str]]] = {}
    searched: ClassVar[dict[str, tuple[str, list[Any]]]] = {}
    # by source: what a page was rendered from, and the result
    rendered: ClassVar[dict[str, tuple[Any, dict[str, Any]]]] = {}
    styles: tuple[Path, ...] = ()


def on_startup(command: str, dirty: bool) -> None:
    State.serving = command == "serve"


def on_shutdown() -> None:
    if State.runner:
        State.runner.stop()


def _work_folder() -> Path:
    """The folder for notebooks; separate ones let a build and a server run at the same time."""
    return CACHE.parent / ("serve" if State.serving else "build")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    # Its default depends on the working directory.
    jupyter = config.plugins["mkdocs-jupyter"]
    jupyter.config["cache_dir"] = str(_work_folder() / "mkdocs-jupyter")
    State.styles = tuple(Path(config.docs_dir) / name for name in config.extra_css)
    config.extra_css.clear()  # they come with Material's, in one file; see theme/main.html
    return config


@event_priority(100)  # before mkdocs-jupyter, which turns the notebooks added here into pages
def on_files(files: Files, config: MkDocsConfig) -> Files:
    if State.runner is None:
        State.runner = Runner(on_done=lambda name: SIGNAL.touch() if State.serving else None)
        SIGNAL.touch()
    examples, problems = load_examples()
    if not State.serving:
        State.runner.want(examples.values())
        State.runner.wait()
    elif State.served and examples:  # none if a module is broken, perhaps only for a moment
        State.runner.want(examples.values())
    outcomes = {name: State.runner.outcome(example) for name, example in examples.items()}
    State.site = pages.Site(examples, outcomes, problems)
    State.open_pages, State.contents = {}, {}

    for name, example in examples.items():
        source = _notebook(name)
        made_of = example.text, example.key, outcomes[name].state
        if State.notebooks.get(name) != made_of or not source.exists():
            source.parent.mkdir(parents=True, exist_ok=True)
            write_at_once(source, render.notebook(example, outcomes[name]))
            State.notebooks[name] = made_of
        # Not File.generated: mkdocs-jupyter loses the path of a generated file.
        uri, urls = f"examples/{name}.ipynb", config.use_directory_urls
        files.append(File(uri, str(_work_folder()), config.site_dir, urls))
        publish = {f"{name}.py": example.path}
        for left in outcomes[name].result.files:
            publish[left] = State.runner.store.file(example, left)
        for file_name, path in publish.items():
            uri = f"{DOWNLOADS}/{file_name}"
            if files.get_file_from_path(uri):
                message = f'another example also leaves a file "{file_name}"; rename one of them'
                problems.append(Problem(example.path, 1, message))
                continue
            files.append(File.generated(config, uri, abs_src_path=str(path)))
    try:
        built = wheel.build()
        files.append(File.generated(config, f"{DOWNLOADS}/{built.name}", abs_src_path=str(built)))
    except Problem as problem:
        problems.append(problem)
    files.append(File.generated(config, LICENCE, abs_src_path=str(wheel.LICENSE)))
    if State.serving:
        script = str(ROOT / "tools" / "site" / "pending.js")
        files.append(File.generated(config, PENDING_SCRIPT, abs_src_path=script))
        if PENDING_SCRIPT not in config.extra_javascript:
            config.extra_javascript.append(PENDING_SCRIPT)
    return files


def _notebook(name: str) -> Path:
    return _work_folder() / "examples" / f"{name}.ipynb"


@event_priority(-100)  # after mkdocs-jupyter, which sets how a notebook is rendered
def on_pre_page(page: MkDocsPage, config: MkDocsConfig, files: Files) -> MkDocsPage:
    if _is_pending_notebook(page):
        page.render = partial(_render_pending, page)  # type: ignore[method-assign]
    return page


def _is_pending_notebook(page: MkDocsPage) -> bool:
    return page.file.src_uri.endswith(".ipynb") and State.site.outcomes[page.file.name].pending


def _render_pending(page: MkDocsPage, config: MkDocsConfig, files: Files) -> None:
    """Show a placeholder: converting a notebook takes seconds, too long for one without outputs."""
    name = page.file.name
    page.content = render.pending_html(State.site.examples[name], State.site.outcomes[name])
    page.toc = get_toc([])


def on_page_markdown(
    markdown: str, page: MkDocsPage, config: MkDocsConfig, files: Files
) -> str | None:
    if page.file.src_uri.endswith(".ipynb"):
        page.meta.setdefault("description", f"examples/{page.file.name}.py as a notebook, executed")
        return None
    path = Path(config.docs_dir) / page.file.src_uri
    before = page.file.content_string.partition(markdown)[0] if markdown else ""  # front matter
    opened = pages.Page(State.site, path)
    State.open_pages[page.file.src_uri] = opened
    expanded = opened.expand(markdown, first_line=before.count("\n") + 1)
    if opened.used:
        expanded += "\n" + _take_away(opened.used, page, files)
    if State.serving:
        page.render = partial(_render_again, page)  # type: ignore[method-assign]
    return expanded


def _render_again(page: MkDocsPage, config: MkDocsConfig, files: Files) -> None:
    """While serving, render only Markdown that has changed: rendering is half of a rebuild."""
    settings = Path(config.config_file_path).read_bytes()
    made_of = page.markdown, settings, [(file.src_uri, file.url) for file in files]
    kept_of, rendered = State.rendered.get(page.file.src_uri, (None, {}))
    if kept_of != made_of or "--8<--" in (page.markdown or ""):  # a file is read into it
        before = dict(vars(page))
        MkDocsPage.render(page, config, files)
        rendered = {
            name: value for name, value in vars(page).items() if value is not before.get(name)
        }
        State.rendered[page.file.src_uri] = made_of, rendered
    vars(page).update(rendered)


def _take_away(names: list[str], page: MkDocsPage, files: Files) -> str:
    """The end of a page: links to its code as whole scripts, and what these need to run."""

    def link(src_uri: str, text: str, download: bool = True) -> str:
        file = files.get_file_from_path(src_uri)
        assert file is not None
        href = file.url_relative_to(page.file)
        return f'<a href="{href}"{" download" if download else ""}>{text}</a>'

    scripts = []
    for name in names:
        script = link(f"{DOWNLOADS}/{name}.py", f"{name}.py")
        # the executed notebook is copied next to the script after the build
        downloads = f"{script} or {script.replace('.py', '.ipynb')}"
        notebook = f"examples/{name}.ipynb"
        here = page.file.src_uri == notebook
        scripts.append(downloads if here else f"{link(notebook, name, False)} ({downloads})")
    text = f"All code of this page: {', '.join(scripts)}."
    for uri in (file.src_uri for file in files if file.src_uri.endswith(".whl")):
        wheel = Path(uri).name
        text += f" To run it, download {link(uri, wheel)} and <code>pip install {wheel}</code>."
    text += f" You may copy and change it under the {link(LICENCE, 'MIT licence', False)}."
    return f'<p class="take-away">{text}</p>\n'


def _cleaned(rendered: str, page: MkDocsPage, files: Files) -> str:
    """A notebook's content; cached, because parsing it is a third of the work of a build."""
    made_of = [rendered, page.file.src_uri, *sorted(f"{file.src_uri} {file.url}" for file in files)]
    code = ("site/notebook_page.py", "weave/render.py")
    made_of += [(ROOT / "tools" / name).read_text("utf-8") for name in code]
    key = hashlib.sha256("\0".join(made_of).encode()).hexdigest()
    kept = _work_folder() / "notebook-pages" / page.file.name
    if kept.exists():
        kept_key, _, content = kept.read_text("utf-8").partition("\n")
        if kept_key == key:
            return content
    content = notebook_page.cleaned(rendered, page, files)
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_at_once(kept, f"{key}\n{content}")
    return content


def on_page_content(html: str, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
    if _is_pending_notebook(page):
        return html
    if page.file.src_uri.endswith(".ipynb"):
        return _cleaned(html, page, files) + _take_away([page.file.name], page, files)
    filled = State.open_pages[page.file.src_uri].fill(html)
    return render.framed_tables(render.wrapping_code(render.lighter_code(filled)))


def on_env(env: Any, config: MkDocsConfig, files: Files) -> None:
    """Once all pages are read, write the list of claims, and stop a build that has problems."""
    compiled = _work_folder() / "templates"
    compiled.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = FileSystemBytecodeCache(str(compiled))
    for file in files.documentation_pages():
        page = file.page
        if page and page.content and pages.CLAIMS in page.content:

            def link(path: Path, anchor: str, here: File = file) -> str:
                target = files.get_file_from_path(path.relative_to(config.docs_dir).as_posix())
                assert target is not None
                return f"{target.url_relative_to(here)}#{anchor}"

            claims = pages.claims_html(State.site, link)
            page.content = page.content.replace(f"<p>{pages.CLAIMS}</p>", claims)
        if page and page.content and reading.TIMES in page.content:
            times = reading.table_html(_times(page))
            page.content = page.content.replace(f"<p>{reading.TIMES}</p>", times)
    problems = list(State.site.problems)
    for name, example in State.site.examples.items():
        outcome = State.site.outcomes[name]
        problems += [_with_page(name, *found) for found in problems_of(example, outcome.result)]
        if failure := outcome.result.failure:
            log.info("examples/%s.py:\n%s", name, failure.traceback)
    _report(problems)


@event_priority(100)  # before the search plugin, which parses each page
def on_page_context(context: Any, page: MkDocsPage, config: MkDocsConfig, nav: Any) -> None:
    """While serving, reuse the search entries of a page that has not changed."""
    State.contents[page.url] = page.content or ""
    if _is_unchanged(page.url, page.content or ""):
        page.meta["search"] = {"exclude": True}


def _is_unchanged(url: str, content: str) -> bool:
    """Whether this server's last build had the same page and its search entries."""
    return State.serving and url in State.searched and State.searched[url][0] == content


def _times(first: MkDocsPage) -> dict[str, list[tuple[str, str, reading.Reading]]]:
    """The pages to read and to practise, in the order of the navigation, from this page on."""
    times: dict[str, list[tuple[str, str, reading.Reading]]] = {"Reading": [], "Practice": []}
    page: MkDocsPage | None = first
    while page:
        folder = page.file.src_uri.partition("/")[0]
        part = {"practice": "Practice", "lesson": "Reading", "summary.md": "Reading"}.get(folder)
        if part or page is first:
            read = reading.read(page.content or "")
            href = page.file.url_relative_to(first.file)
            times[part or "Reading"].append((str(page.title), href, read))
        page = page.next_page
    return times


def _with_page(name: str, cell: int, problem: Problem) -> Problem:
    """Name the page and line that show this section, or the closest one before it."""
    for index in range(cell, -1, -1):
        if (name, index) in State.site.shown:
            path, line = State.site.shown[name, index]
            return Problem(path, line, f"shows {problem}")
    return problem


@event_priority(-100)  # after the search plugin has written its index
def on_post_build(config: MkDocsConfig) -> None:
    site = Path(config.site_dir)
    _split_search_index(site / "search")
    styles.write(site, State.styles)
    for name in State.site.examples:
        # Not one of the build's files, or mkdocs-jupyter would make a second page from it.
        shutil.copyfile(_notebook(name), site / DOWNLOADS / f"{name}.ipynb")
    found = list(checks.check(site, Path(config.docs_dir), ROOT / "examples"))
    if State.serving:
        for path, problem in found:
            text = path.read_text("utf-8")
            shown = ARTICLE + render.problem_html(str(problem))
            path.write_text(text.replace(ARTICLE, shown, 1), "utf-8")
    _report([problem for _, problem in found])


def _split_search_index(folder: Path) -> None:
    """Leave the page an empty index, and put the real one into a script loaded on first search.

    theme/assets/search.js loads it. From a disk, a script can be loaded but JSON cannot.
    """
    index = folder / "search_index.json"
    whole = json.loads(index.read_text("utf-8"))
    found: dict[str, list[Any]] = {}
    for part in whole["docs"]:
        found.setdefault(part["location"].partition("#")[0], []).append(part)
    for url, content in State.contents.items():
        if not _is_unchanged(url, content):
            State.searched[url] = content, found.get(url, [])
    docs = [part for url in State.contents for part in State.searched[url][1]]
    text = json.dumps(whole | {"docs": docs}, ensure_ascii=False, separators=(",", ":"))
    (folder / "search_index.js").write_text(f"var __index = {text};\n", "utf-8")
    index.write_text(json.dumps(whole | {"docs": []}), "utf-8")


def _report(problems: list[Problem]) -> None:
    for problem in problems:
        log.warning("%s", problem)
    if problems and not State.serving:
        number = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise PluginError(f"{number}, listed above, must be fixed before this is published")


def on_serve(server: LiveReloadServer, config: MkDocsConfig, builder: Any) -> None:
    assert State.runner is not None
    State.served = True
    State.runner.want(State.site.examples.values())  # only now: the pages need the cores first
    watched = list(server._watched_paths)
    for path in watched:
        server.unwatch(path)
    server.observer = PollingObserver(timeout=0.2)  # seconds between polls; mkdocs uses 0.5
    for path in (*watched, str(SIGNAL)):
        server.watch(path)
    threading.Thread(target=_publish_progress, args=(Path(config.site_dir),), daemon=True).start()


def _publish_progress(site_dir: Path) -> None:
    """Once a second, publish the progress of running examples for the open pages."""
    assert State.runner is not None
    while True:
        time.sleep(1)
        site, progress = State.site, {}
        for name, example in site.examples.items():
            if site.outcomes[name].pending:
                progress[name] = State.runner.outcome(example).progress
        try:
            # no temporary file: if it vanished while mkdocs clears the site, the rebuild would fail
            (site_dir / "progress.json").write_text(json.dumps(progress), "utf-8")
        except OSError:
            continue  # the site is being rebuilt
