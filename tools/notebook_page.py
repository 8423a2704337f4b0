"""Make a page of the site out of what mkdocs-jupyter renders: its content, without its machinery.

mkdocs-jupyter inlines 590 KB of CSS, two scripts and a copy button into each page, renders for one
colour scheme, and leaves links and ids alone. The content goes into the site's own markup here.
"""

from __future__ import annotations

import html
from collections import Counter

from bs4 import BeautifulSoup, Tag
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page


def cleaned(rendered: str, page: Page, files: Files) -> str:
    """The notebook's cells and outputs in the markup of the other pages."""
    soup = BeautifulSoup(rendered, "html.parser")
    parts = []
    for cell in soup.select(".jp-Cell"):
        if cell.find_parent(class_="jp-Cell"):
            continue  # mkdocs-jupyter wraps a code cell twice
        if "jp-MarkdownCell" in cell["class"]:
            parts += [inner(body) for body in cell.select(".jp-MarkdownOutput")]
            continue
        parts += [code_block(pre) for pre in cell.select(".jp-InputArea .highlight-ipynb pre")]
        for output in cell.select(".jp-OutputArea-output"):
            parts.append(output_block(output))
    content = BeautifulSoup("\n".join(parts), "html.parser")
    for anchor in content.select("a.anchor-link"):
        anchor.decompose()
    _unique_ids(content)
    _site_links(content, page, files)
    return str(content)


def inner(tag: Tag) -> str:
    return tag.decode_contents()


def code_block(pre: Tag) -> str:
    return f'<div class="highlight"><pre><code>{inner(pre)}</code></pre></div>'


def output_block(output: Tag) -> str:
    if svg := output.find("svg"):
        return f'<figure class="chart">{svg}</figure>'
    if "jp-RenderedMarkdown" in output["class"]:
        items = "".join(f'<li class="claim checked">{inner(li)}</li>' for li in output.select("li"))
        return f'<ul class="claims" aria-label="Checked when this page was built">{items}</ul>'
    text = html.escape(output.get_text().strip("\n"))
    return f'<pre class="output" tabindex="0" aria-label="Output">{text}</pre>'


def _unique_ids(content: BeautifulSoup) -> None:
    """Number repeated heading ids as Markdown does, so that the table of contents finds each."""
    seen: Counter[str] = Counter()
    for tag in content.find_all(["h1", "h2", "h3", "h4", "h5", "h6"], id=True):
        name = str(tag["id"])
        if seen[name]:
            tag["id"] = f"{name}_{seen[name]}"
        seen[name] += 1


def _site_links(content: BeautifulSoup, page: Page, files: Files) -> None:
    """Turn links to source files (``../lesson/masking.md``) into links to their pages."""
    folder = page.file.src_uri.rpartition("/")[0]
    for link in content.find_all("a", href=True):
        target, hash_, anchor = str(link["href"]).partition("#")
        if not target.endswith((".md", ".ipynb")) or "://" in target:
            continue
        parts: list[str] = folder.split("/") if folder else []
        for part in target.split("/"):
            parts = parts[:-1] if part == ".." else parts if part == "." else [*parts, part]
        if file := files.get_file_from_path("/".join(parts)):
            link["href"] = file.url_relative_to(page.file) + hash_ + anchor
