"""The reference of the package: all that is particular to mkdocstrings, and links that lead there.

mkdocstrings takes about 0.1 s for each module, so that a page is rendered again only when one of
its modules has changed.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, get_toc
from mkdocs.utils import get_relative_url
from mkdocs_autorefs import AutorefsPlugin

from tools.run.cells import ROOT
from tools.run.files import keep
from tools.run.memo import memoized
from tools.site import docstrings
from tools.weave.api import LINE, Module, public_modules
from tools.weave.pages import Lesson

FOLDER = "api/"
PENDING = '<p class="pending">What these modules have for others is on its way.</p>'
UNUSED_STYLE = "assets/_mkdocstrings.css"
DEEPEST = 3  # the headings of names; those of modules are one higher
MADE_WITH = (
    *("mkdocs-autorefs", "mkdocstrings", "mkdocstrings-python", "griffelib", "Markdown"),
    "pymdown-extensions",
)

HEADING = re.compile(
    r'<h[23] id="(?P<id>bertlesson[\w.]*)" class="doc doc-heading">.*?</h[23]>', re.S
)
MEMBER = re.compile(r'<h[4-6] id="bertlesson[^"]*" class="doc doc-heading"')  # of a class
PIECE = re.compile(  # links, headings and drawings have no links inside
    r"(?P<skip><(?:a|h[1-6]|svg|summary)\b.*?</(?:a|h[1-6]|svg|summary)>)"
    r"|(?P<block><pre><code>.*?</code></pre>)|<code>(?P<span>[\w.]+)(?P<call>\(\))?</code>",
    re.DOTALL,
)
IS_SPECIAL = re.compile("[A-Z_]")  # `train` may be any word; `MaskingCollator` is a name


def is_reference(page: Page) -> bool:
    return page.file.src_uri.startswith(FOLDER)


def prepare(page: Page, written: str, work: Path, pending: bool) -> None:
    """Render the page only if what it is made from has changed.

    Args:
        page: A page of the reference.
        written: Its Markdown.
        work: The folder that keeps what is rendered.
        pending: Whether to say instead that it will come.
    """
    convert = page.render

    def render(config: MkDocsConfig, files: Files) -> None:
        made_of = _made_of(written, config)
        read = _kept(page.file.src_uri, work)
        if pending or not public_modules().keys() >= {*LINE.findall(written)}:  # a problem says it
            page.content, page.toc = f"<h1>{page.title}</h1>{PENDING}", get_toc([])
            return
        autorefs = cast(AutorefsPlugin, config.plugins["autorefs"])
        if read.get("made_of") == made_of:
            for anchor in read["anchors"]:  # so that links from other pages find them
                autorefs.register_anchor(page, **anchor)
        else:
            with _noting_anchors(autorefs) as anchors:
                convert(config, files)
            content = MEMBER.sub(r"\g<0> data-search-exclude", page.content or "")
            toc = _tokens([*page.toc])
            read = {"made_of": made_of, "content": content, "toc": toc, "anchors": anchors}
            keep(_file(page.file.src_uri, work), json.dumps(read))
        page.toc = get_toc(read["toc"])
        repository = str(config.extra.get("repository") or "").rstrip("/")
        page.content = with_sources(read["content"], repository, str(config.extra.get("ref", "")))

    page.render = render  # type: ignore[method-assign]


@contextmanager
def _noting_anchors(autorefs: AutorefsPlugin) -> Iterator[list[dict[str, Any]]]:
    """Note what is registered as the aim of links, as arguments of `register_anchor`."""
    noted: list[dict[str, Any]] = []
    register = autorefs.register_anchor

    def note(page: Page, identifier: str, anchor: str | None = None, **more: Any) -> None:
        noted.append({"identifier": identifier, "anchor": anchor, **more})
        register(page, identifier, anchor, **more)

    autorefs.register_anchor = note  # type: ignore[method-assign]
    try:
        yield noted
    finally:
        autorefs.register_anchor = register  # type: ignore[method-assign]


def all_kept(pages: Mapping[str, str], config: MkDocsConfig, work: Path) -> bool:
    """Whether the whole reference has been rendered as it is written now."""
    return all(
        _kept(uri, work).get("made_of") == _made_of(text, config)
        for uri, text in pages.items()
        if uri.startswith(FOLDER)
    )


def _file(uri: str, work: Path) -> Path:
    return work / "api-pages" / f"{Path(uri).stem}.json"


def _kept(uri: str, work: Path) -> dict[str, Any]:
    try:
        read = json.loads(_file(uri, work).read_text("utf-8"))
    except (OSError, ValueError):  # missing, or damaged
        return {}
    return read if isinstance(read, dict) else {}


def _made_of(written: str, config: MkDocsConfig) -> str:
    modules = public_modules()
    named = [modules[name].path for name in LINE.findall(written) if name in modules]
    named += [Path(config.config_file_path), Path(docstrings.__file__), Path(__file__)]
    parts = [written.encode(), *(path.read_bytes() for path in named)]
    parts += [version.encode() for version in _versions()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


@cache
def _versions() -> list[str]:
    return [version(name) for name in MADE_WITH]


def _tokens(items: list[AnchorLink]) -> list[dict[str, object]]:
    """The table of contents down to the public names; without the members of classes."""
    modules = public_modules()
    return [
        {
            "id": item.id,
            # whole names of modules: one may be called as a part of the menu is
            "name": item.id if item.id in modules else item.title,
            "level": item.level,
            "children": _tokens(item.children) if item.level < DEEPEST else [],
        }
        for item in items
    ]


def with_sources(content: str, repository: str, ref: str) -> str:
    """The reference with the place of each definition; a link where the repository is known."""
    places: dict[str, tuple[str, tuple[int, int] | None]] = {}
    for module in public_modules().values():
        path = module.path.relative_to(ROOT).as_posix()
        places[module.name] = path, None
        for each in module.names:
            places[f"{module.name}.{each.name}"] = path, each.lines

    def placed(heading: re.Match[str]) -> str:
        if heading["id"] not in places:
            return heading[0]
        path, lines = places[heading["id"]]
        said = f"{path}, line {lines[0]}" if lines else path
        if repository and ref:
            at = f"#L{lines[0]}-L{lines[1]}" if lines else ""
            said = f'<a href="{repository}/blob/{ref}/{path}{at}">{said}</a>'
        return f'{heading[0]}<p class="doc-source">{said}</p>'

    return HEADING.sub(placed, content)


# Links that lead to it


class Names:
    """The public names, and the page of the reference that has each.

    Args:
        pages: The Markdown of all pages, by their paths.
        lesson: The examples, whose imports say which module a name is from.
    """

    def __init__(self, pages: Mapping[str, str], lesson: Lesson) -> None:
        modules = public_modules()
        self.pending = False  # while there is no reference to lead to
        self._lesson = lesson
        self._page_of = {
            name: uri.replace(".md", ".html")
            for uri, text in pages.items()
            if uri.startswith(FOLDER)
            for name in LINE.findall(text)
        }
        self._of_module = {
            module.name: {each.name for each in module.names}
            for module in modules.values()
            if module.name in self._page_of
        }
        homes: dict[str, list[Module]] = {}
        for module in modules.values():
            for each in module.names:
                if each.lines:
                    homes.setdefault(each.name, []).append(module)
        self._alone = {
            name: found[0].name
            for name, found in homes.items()
            if len(found) == 1 and IS_SPECIAL.search(name) and found[0].name in self._page_of
        }

    def linked(self, content: str, page: Page, docs: Path) -> str:
        """The content of a page, with the first use of each name as a link to the reference.

        Args:
            content: The HTML.
            page: Where it is from.
            docs: The folder of the pages.
        """
        if is_reference(page) or self.pending:
            return content
        path = docs / page.file.src_uri
        examples = {name for (name, _), (shown, _) in self._lesson.shown.items() if shown == path}
        if page.file.src_uri.endswith(".ipynb"):
            examples = {page.file.name}
        texts = [self._lesson.examples[example].text for example in sorted(examples)]
        own = {name for text in texts for name in bound_in(text)}
        targets = {name: module for name, module in self._alone.items() if name not in own}
        for text in texts:
            for name, module in imports_of(text):
                if name in self._of_module.get(module, ()):
                    targets[name] = module
        there = {at: get_relative_url(at, page.url) for at in {*self._page_of.values()}}
        addresses = {
            name: f"{there[self._page_of[module]]}#{module}.{name}"
            for name, module in targets.items()
        }
        return with_links(content, tuple(sorted(addresses.items())))


@memoized()
def imports_of(text: str) -> tuple[tuple[str, str], ...]:
    """The names that a script takes from modules, each with its module."""
    return tuple(
        (alias.name, node.module)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if not alias.asname
    )


@memoized()
def bound_in(text: str) -> tuple[str, ...]:
    """The names that a script gives to things of its own."""
    nodes = list(ast.walk(ast.parse(text)))
    made = {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return tuple(sorted(made | stored))


@memoized()
def with_links(content: str, addresses: tuple[tuple[str, str], ...]) -> str:
    """The content, in which the first use of each name in text or code is a link.

    Args:
        content: The HTML of a page.
        addresses: The names, each with where it leads.
    """
    left = dict(addresses)
    in_code = 'class="practice"' not in content  # there, lines of code are for clicking
    words = _any_of(tuple(left))

    def name(found: re.Match[str]) -> str:
        address = left.pop(found[0], None)
        return f'<a class="api" href="{address}">{found[0]}</a>' if address else found[0]

    def piece(found: re.Match[str]) -> str:
        if found["block"] and in_code:
            parts = re.split(r"(<[^>]*>)", found["block"])
            parts[::2] = [words.sub(name, part) for part in parts[::2]]
            return "".join(parts)
        if not found["span"]:
            return found[0]
        if address := left.pop(found["span"], None):
            return f'<a href="{address}">{found[0]}</a>'
        return found[0]

    return PIECE.sub(piece, content) if left else content


@cache
def _any_of(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})(?![\w=])")
