"""All that is particular to mkdocs-jupyter, which renders the notebooks.

It inlines 590 KB of CSS, two scripts and a copy button into each page, draws figures for one colour
scheme, and does not adapt links and ids. The content is moved into the site's own markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from markdown import markdown
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, get_toc

from tools.run.files import keep, write_at_once
from tools.run.memo import memoized
from tools.weave.code import highlighted
from tools.weave.downloads import take_away
from tools.weave.outputs import pending_html, text_html
from tools.weave.pages import Lesson
from tools.weave.project import Woven

# Whose versions decide what a notebook is rendered as.
MADE_WITH = ("mkdocs-jupyter", "nbconvert", "nbformat", "mistune", "Pygments", "Markdown")
SVG = "data:image/svg+xml;base64,"

Rendered = dict[str, Any]  # "content", the HTML, and "toc", see `_tokens`


def configure(config: MkDocsConfig) -> None:
    """Keep no pages in the plugin's cache, whose files may be torn or of another version."""
    config.plugins["mkdocs-jupyter"].config["cache"] = False


def add_notebooks(woven: Woven, work: Path, config: MkDocsConfig, files: Files) -> None:
    """Write the notebooks that have changed, and make a page of each."""
    for name, text in woven.notebooks.items():
        source = notebook_path(work, name)
        source.parent.mkdir(parents=True, exist_ok=True)
        if not source.exists() or source.read_text("utf-8") != text:
            write_at_once(source, text)
        # Not File.generated: mkdocs-jupyter loses the path of a generated file.
        uri, urls = f"examples/{name}.ipynb", config.use_directory_urls
        files.append(File(uri, str(work), config.site_dir, urls))


def notebook_path(work: Path, name: str) -> Path:
    return work / "examples" / f"{name}.ipynb"


def is_notebook(page: Page) -> bool:
    return page.file.src_uri.endswith(".ipynb")


def prepare(page: Page, lesson: Lesson, work: Path) -> bool:
    """Render a notebook as the site's own markup.

    Args:
        page: The notebook's.
        lesson: The examples.
        work: The folder that keeps what is rendered.

    Returns:
        Whether it has outputs. If not, a placeholder is shown: converting a notebook takes seconds.
    """
    example, outcome = lesson.examples[page.file.name], lesson.outcomes[page.file.name]
    convert = page.render  # as mkdocs-jupyter has set it

    def render(config: MkDocsConfig, files: Files) -> None:
        if outcome.pending:
            page.content, page.toc = pending_html(example, outcome), get_toc([])
            return
        made_of = _made_of(notebook_path(work, example.name), config)
        kept = work / "notebook-pages" / f"{example.name}.json"
        if (rendered := _kept(kept, made_of)) is None:  # converting it takes a fifth of a second
            rendered = _converted(page, convert, config, files)
            keep(kept, json.dumps({"made_of": made_of, "rendered": rendered}))
        page.toc = get_toc(rendered["toc"])
        end = take_away([example.name], page.file.src_uri, [file.src_uri for file in files])
        addresses = sorted((file.src_uri, file.url_relative_to(page.file)) for file in files)
        content = cleaned(rendered["content"], page.file.src_uri, tuple(addresses))
        page.content = content + markdown(end, extensions=["attr_list"])

    page.render = render  # type: ignore[method-assign]
    return not outcome.pending


def _converted(
    page: Page, convert: Callable[..., None], config: MkDocsConfig, files: Files
) -> Rendered:
    convert(config, files)
    return {"content": page.content or "", "toc": _tokens([*page.toc])}


def _made_of(source: Path, config: MkDocsConfig) -> str:
    settings = {k: v for k, v in config.plugins["mkdocs-jupyter"].config.items() if k != "cache"}
    versions = [version(name) for name in MADE_WITH]
    parts = [source.read_bytes(), repr(sorted(settings.items())).encode(), repr(versions).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _kept(file: Path, made_of: str) -> Rendered | None:
    """What was rendered of the same notebook; None if it is missing, damaged, or of another."""
    try:
        read = json.loads(file.read_text("utf-8"))
        return read["rendered"] if read["made_of"] == made_of else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _tokens(items: list[AnchorLink]) -> list[dict[str, object]]:
    """A table of contents as `get_toc` reads it."""
    return [
        {"id": i.id, "name": i.title, "level": i.level, "children": _tokens(i.children)}
        for i in items
    ]


@memoized()  # taking it apart is a third of the work of a build
def cleaned(rendered: str, uri: str, addresses: tuple[tuple[str, str], ...]) -> str:
    """The notebook's cells and outputs in the markup of the other pages.

    Args:
        rendered: What mkdocs-jupyter has made of it.
        uri: The notebook's path in the site's sources.
        addresses: The path and the address of each of these, relative to the notebook's page.
    """
    soup = BeautifulSoup(rendered, "html.parser")
    parts = []
    seen: Counter[str] = Counter()
    for cell in soup.select(".jp-Cell"):
        if cell.find_parent(class_="jp-Cell"):
            continue  # mkdocs-jupyter wraps a code cell twice
        for words in cell.select(".jp-MarkdownOutput"):
            _unique_ids(words, seen)
            _site_links(words, uri, dict(addresses))
            parts.append(inner(words))
        for pre in cell.select(".jp-InputArea .highlight-ipynb pre"):
            parts.append(highlighted(pre.get_text().strip("\n"), "python"))
        parts += [output_block(output) for output in cell.select(".jp-OutputArea-output")]
    return "\n".join(parts)


def inner(tag: Tag) -> str:
    return tag.decode_contents()


def output_block(output: Tag) -> str:
    image = output.find("img")
    if image and str(image["src"]).startswith(SVG):
        # As an image it could not follow the page's colours.
        svg = base64.b64decode(str(image["src"]).removeprefix(SVG)).decode()
        return f'<figure class="chart">{svg}</figure>'
    if "jp-RenderedHTML" in output["class"]:  # the runner's findings, already in our markup
        return inner(output)
    return text_html(output.get_text().removeprefix("\n"))


def _unique_ids(words: Tag, seen: Counter[str]) -> None:
    """Number repeated heading ids as Markdown does, so that the table of contents finds each."""
    for heading in words.find_all(["h1", "h2", "h3", "h4", "h5", "h6"], id=True):
        name = str(heading["id"])
        if seen[name]:
            heading["id"] = f"{name}_{seen[name]}"
        seen[name] += 1
        for anchor in heading.select("a.anchor-link"):
            anchor.attrs = {
                "class": "headerlink",
                "href": f"#{heading['id']}",
                "title": "Link to this section",
            }


def _site_links(words: Tag, uri: str, addresses: Mapping[str, str]) -> None:
    """Turn links to source files (``../lesson/masking.md``) into links to their pages."""
    folder = uri.rpartition("/")[0]
    for link in words.find_all("a", href=True):
        target, hash_, anchor = str(link["href"]).partition("#")
        if not target.endswith((".md", ".ipynb")) or "://" in target:
            continue
        parts: list[str] = folder.split("/") if folder else []
        for part in target.split("/"):
            parts = parts[:-1] if part == ".." else parts if part == "." else [*parts, part]
        if address := addresses.get("/".join(parts)):
            link["href"] = address + hash_ + anchor
