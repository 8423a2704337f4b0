"""Raw HTML in Markdown that stays as it is, wherever in a page it stands.

A woven page has each output as HTML between two comments, on lines of their own:

    <!-- woven -->
    <pre class="output">…</pre>
    <!-- /woven -->

Any Markdown shows this at the top level of a page. Inside lists, admonitions and ``<div markdown>``
it would read the HTML as Markdown again; there, Python-Markdown needs `WovenMarkdown`.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

OPEN, CLOSE = "<!-- woven -->", "<!-- /woven -->"


def raw_block(html: str, indent: str = "") -> str:
    """Lines of Markdown that show this HTML, with blank lines around them."""
    lines = [_kept_by_markdown(line) for line in html.split("\n")]
    return "\n".join(["", *(f"{indent}{line}" for line in (OPEN, *lines, CLOSE)), ""])


def _kept_by_markdown(line: str) -> str:
    """The line without what Markdown rewrites even here: tabs, and lines of nothing but spaces."""
    line = line.replace("\t", "&#9;")
    return line if line.strip() or not line else f"&#32;{line[1:]}"


def without_blocks(markdown: str) -> str:
    """The page's Markdown without its woven blocks."""
    kept, inside = [], False
    for line in markdown.split("\n"):
        inside = inside or line.strip() == OPEN
        if not inside:
            kept.append(line)
        inside = inside and line.strip() != CLOSE
    return "\n".join(kept)


class WovenMarkdown(Extension):
    """Keeps woven blocks as they are, and gives each plain table a box of its own."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        # After `normalize_whitespace` (30), which would rewrite the marks of the stash, and before
        # fences (25).
        md.preprocessors.register(_TakeOut(md), "woven", 28)
        md.treeprocessors.register(_FramedTables(md), "framed_tables", 3)


class _TakeOut(Preprocessor):
    """Puts each woven block into the stash of HTML, which Markdown puts back at the end."""

    def run(self, lines: list[str]) -> list[str]:
        kept: list[str] = []
        block: list[str] | None = None
        indent = ""
        for line in lines:
            if line.strip() == OPEN:
                block, indent = [], line[: line.index(OPEN)]
            elif block is None:
                kept.append(line)
            elif line.strip() == CLOSE:
                kept.append(indent + self.md.htmlStash.store("\n".join(block)))
                block = None
            else:
                block.append(line.removeprefix(indent))
        return kept


class _FramedTables(Treeprocessor):
    """Puts each plain table into a box.

    Material's script wraps these tables, and the browser then recomputes the styles of everything
    in the same box. Without this, that is the whole page.
    """

    def run(self, root: Element) -> None:
        for parent in list(root.iter()):
            for index, child in enumerate(parent):
                if child.tag == "table" and not child.attrib:
                    box = Element("div")
                    box.tail, child.tail = child.tail, None
                    parent[index] = box
                    box.append(child)
