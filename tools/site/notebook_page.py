"""Turn what mkdocs-jupyter renders into a page of the site: its content, without its machinery.

mkdocs-jupyter inlines 590 KB of CSS, two scripts and a copy button into each page, draws figures
for one colour scheme, and does not adapt links and ids. The content is moved into the site's own
markup.
"""

from __future__ import annotations

import base64
from collections import Counter

from bs4 import BeautifulSoup, Tag
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from tools.weave.render import lighter_code, text_output, wrapping_lines

SVG = "data:image/svg+xml;base64,"


def cleaned(rendered: str, page: Page, files: Files) -> str:
    """The notebook's cells and outputs in the markup of the other pages."""
    soup = BeautifulSoup(lighter_code(rendered), "html.parser")  # with fewer tags to parse
    parts = []
    seen: Counter[str] = Counter()
    for cell in soup.select(".jp-Cell"):
        if cell.find_parent(class_="jp-Cell"):
            continue  # mkdocs-jupyter wraps a code cell twice
        for words in cell.select(".jp-MarkdownOutput"):
            _unique_ids(words, seen)
            _site_links(words, page, files)
            parts.append(inner(words))
        parts += [code_block(pre) for pre in cell.select(".jp-InputArea .highlight-ipynb pre")]
        parts += [output_block(output) for output in cell.select(".jp-OutputArea-output")]
    return "\n".join(parts)


def inner(tag: Tag) -> str:
    return tag.decode_contents()


def code_block(pre: Tag) -> str:
    return f'<div class="highlight"><pre><code>{wrapping_lines(inner(pre))}</code></pre></div>'


def output_block(output: Tag) -> str:
    image = output.find("img")
    if image and str(image["src"]).startswith(SVG):
        # As an image it could not follow the page's colours.
        svg = base64.b64decode(str(image["src"]).removeprefix(SVG)).decode()
        return f'<figure class="chart">{svg}</figure>'
    if "jp-RenderedHTML" in output["class"]:  # the runner's findings, already in our markup
        return inner(output)
    return text_output(output.get_text().removeprefix("\n").rstrip("\n"))


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


def _site_links(words: Tag, page: Page, files: Files) -> None:
    """Turn links to source files (``../lesson/masking.md``) into links to their pages."""
    folder = page.file.src_uri.rpartition("/")[0]
    for link in words.find_all("a", href=True):
        target, hash_, anchor = str(link["href"]).partition("#")
        if not target.endswith((".md", ".ipynb")) or "://" in target:
            continue
        parts: list[str] = folder.split("/") if folder else []
        for part in target.split("/"):
            parts = parts[:-1] if part == ".." else parts if part == "." else [*parts, part]
        if file := files.get_file_from_path("/".join(parts)):
            link["href"] = file.url_relative_to(page.file) + hash_ + anchor
