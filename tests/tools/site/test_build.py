"""Whole builds of small sites."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import nbformat
import pytest
from PIL import Image

from tests.conftest import ROOT, Project, article, menu
from tests.tools.site.small_sites import GOOD, VALUES
from tools.site import whole
from tools.site.checks import PageReader

pytestmark = pytest.mark.slow


def test_outputs_and_values_come_out_unharmed(good: Project) -> None:
    text = article(good.page())
    shown = "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt; **bold** {{ no.value }} äöü → 😀"
    output = re.search(r'aria-label="Output">(.*?)</pre>', text, re.S)
    assert output
    printed = re.sub(r'</?span( class="long" style="--in:\dch")?>', "", output[1])
    assert printed.startswith(f"{shown}\n--8&lt;-- &#x27;no.txt&#x27;\nlong long")
    assert "there are *five* <code>values</code> &amp; &lt;b&gt;" in text
    assert "<script>alert" not in text
    cells = re.findall(r"<td>(.*?)</td>", text)
    word = re.sub("<[^>]+>", "", cells[0])
    assert len(cells) == 2
    assert unescape(word) == VALUES["word"]
    assert "12,000" in cells[1]


def test_no_page_has_a_control_character_and_both_show_the_same(odd: Project) -> None:
    site = odd.folder / "site"
    for path in [*site.rglob("*.html"), *site.glob("search/*"), *site.glob("downloads/*.ipynb")]:
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", path.read_text("utf-8")), path
    page, notebook = article(odd.page("odd")), article(odd.page("examples/odd"))
    for text in (page, notebook):
        assert re.findall(r'<pre class="output"[^>]*>([^<]*)</pre>', text) == [
            "red, a bell  and a nul \n100%|██| 2/2"
        ]
        assert "a bold  claim <code>len(text) = 3 = 3</code>" in text
        assert 'aria-label="an old  label"' in text
        assert ">a  title</text>" in text
    assert re.findall("<td>(.*?)</td>", re.sub("</?span[^>]*>", "", unescape(page))) == [
        "x", "red # and more", "y"
    ]  # fmt: skip


def test_a_title_and_a_comment_are_shown_as_they_are_written(odd: Project) -> None:
    text = article(odd.page("odd"))
    title = re.search('<span class="filename">(.*?)</span>', text)
    assert title
    assert unescape(title[1]) == """examples/odd.py: a "title" it's {select=0.15}"""
    code = unescape(re.sub("<[^>]+>", "", text))
    assert "# !pip install is a comment\nprint(" in code
    assert 'text = "a\u2028b"\nvalues = ' in code


def test_the_menu_names_notebooks_as_the_navigation_does(odd: Project) -> None:
    assert menu(odd.page("index")) == {
        "index.html": "Start",
        "odd.html": "The page",
        "examples/odd.html": "The example",
    }
    page = odd.page("examples/odd")
    assert "<title>The example - BERT, part two</title>" in page
    assert "Another heading than its name" in article(page)


def test_every_page_leads_to_the_licence_and_the_wheel_has_it(good: Project) -> None:
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert licence.startswith("MIT License\n\nCopyright (c) 2026 The authors of BERT, part two\n")
    site = good.folder / "site"
    assert (site / "downloads" / "LICENSE.txt").read_text("utf-8") == licence
    for path in {*site.rglob("*.html")} - {site / whole.NAME}:
        footer = path.read_text("utf-8").partition('<div class="md-copyright">')[2]
        link = re.search('href="([^"]*LICENSE.txt)">MIT licence</a>', footer)
        assert link, path
        if path.name != "404.html":  # which may be shown in any folder
            assert (path.parent / link[1]).is_file()
    (wheel,) = (site / "downloads").glob("*.whl")
    with ZipFile(wheel) as packed:
        inside = {name.partition(".dist-info/")[2]: name for name in packed.namelist()}
        assert packed.read(inside["licenses/LICENSE"]).decode() == licence
        metadata = packed.read(inside["METADATA"]).decode().splitlines()
    assert {"License-Expression: MIT", "License-File: LICENSE"} <= set(metadata)


def test_tokens_are_drawn_with_their_fates(good: Project) -> None:
    (row,) = re.findall(r'<p><span class="tokens">(.*)</span></p>', article(good.page()))
    assert unescape(row) == (
        '<span class="token structural">[CLS]</span> '
        '<span class="token masked segment-a">'
        '<i role="img" aria-label="masked" title="masked">▢</i> '
        "<b>[MASK]</b> <s>*a*</s></span> "
        '<span class="token kept segment-b">'
        '<i role="img" aria-label="kept" title="kept">=</i> b</span> '
        '<span class="token random"><i role="img" aria-label="random" title="random">⇄</i> '
        "<b>d</b> <s>##c</s></span>"
    )


def test_sections_stand_well_inside_of_lists_and_notes(good: Project) -> None:
    text = article(good.page())
    assert "⟦" not in text
    assert not re.search(r"<p>\s*<(pre|ul|figure|div)", text)
    note = text.partition('<div class="admonition note">')[2].partition("<ol>")[0]
    assert 'aria-label="a rising line"' in note
    assert '<details class="code">' in text.partition("<ol>")[2]
    box = text.partition('<div class="box">')[2].partition("</div>\n</details>")[0]
    assert 'aria-label="Output">in the box</pre>' in box


def test_a_page_leads_to_its_examples_and_they_are_there(good: Project) -> None:
    end = good.page().partition('class="take-away"')[2].partition("</p>")[0]
    links = re.findall('href="([^"]*)"', end)
    assert links == [
        "examples/one.html",
        "downloads/one.py",
        "downloads/one.ipynb",
        "downloads/bertlesson-0.1.0-py3-none-any.whl",
        "downloads/LICENSE.txt",
    ]
    script = (good.folder / "site" / "downloads" / "one.py").read_text()
    assert script == (good.folder / "examples" / "one.py").read_text()
    notebook = nbformat.read(good.folder / "site" / "downloads" / "one.ipynb", as_version=4)
    nbformat.validate(notebook)


def test_what_an_example_leaves_in_its_folder_is_published(good: Project) -> None:
    left = good.folder / "site" / "downloads" / "two.bin"
    assert left.read_bytes() == bytes(range(256))


def test_the_notebook_page_is_part_of_the_site(good: Project) -> None:
    text = good.page("examples/one")
    words = article(text)
    reader = PageReader(text)
    assert max(reader.ids.values()) == 1
    assert {"one", "twice", "twice_1", "claim-one-there-are-five-values-b"} <= set(reader.ids)
    targets = [target for target, _ in PageReader(words).targets]
    assert targets[:4] == ["#one", "../page.html#the-end", "two.html", "https://example.org"]
    assert {"#twice", "#twice_1"} <= set(targets)
    assert words.count("<svg") == 2
    assert "var(--chart-1, #0072b2)" in words
    assert "<script>alert('&')</script> **bold** {{ no.value }}" in unescape(words)
    assert "<script>alert" not in words
    assert "jp-" not in text
    assert len(text.encode()) < 120_000


def test_claims_are_published_as_data_and_each_address_is_there(good: Project) -> None:
    site = good.folder / "site"
    written = json.loads((site / "claims.json").read_text("utf-8"))
    assert written["commit"] is None  # this folder is in no repository
    assert [claim["id"] for claim in written["claims"]] == [
        "claim-one-there-are-five-values-b",
        "claim-two-two-is-more",
    ]
    for claim in written["claims"]:
        for address in (claim["stated"], claim["checked"]):
            page, _, anchor = address.partition("#")
            assert f'id="{anchor}"' in (site / page).read_text("utf-8")


def test_each_page_names_its_markdown_which_lies_beside_it(good: Project) -> None:
    site = good.folder / "site"
    for path in site.rglob("*.html"):
        found = re.findall(
            '<link rel="alternate" type="text/markdown" href="(.*?)">', path.read_text()
        )
        assert found == ([] if path.name in ("404.html", whole.NAME) else [f"{path.stem}.md"])
        assert all((path.parent / name).is_file() for name in found)
    listed = re.findall(r"\]\((.*?)\)", (site / "llms.txt").read_text("utf-8"))
    assert {*listed} == {path.relative_to(site).as_posix() for path in site.rglob("*.md")} | {
        "claims.json"
    }


def test_without_an_address_nothing_names_one(good: Project) -> None:
    site = good.folder / "site"
    assert not list(site.glob("sitemap.xml*"))
    assert not (site / "assets" / "card.png").exists()
    text = good.page()
    assert {"og:title": "Page", "og:description": "Words"}.items() <= previews(text).items()
    assert not {"og:url", "og:image", "twitter:card"} & previews(text).keys()
    assert 'rel="canonical"' not in text


def previews(page: str) -> dict[str, str]:
    return dict(re.findall('<meta (?:property|name)="((?:og|twitter):.*?)" content="(.*?)">', page))


def test_with_an_address_the_site_has_a_map_and_previews(
    new_project: Callable[[], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_URL", "https://example.org/bert")
    project = new_project()
    project.write("docs/index.md", "# Start\n\n[Deep](a/b/page.md)\n")
    project.write("docs/a/b/page.md", "---\ndescription: 'Say \"a & b\"'\n---\n# A `<b>` page\n")
    assert project.build().returncode == 0
    map_of_site = (project.folder / "site" / "sitemap.xml").read_text("utf-8")
    assert re.findall("<loc>(.*?)</loc>", map_of_site) == [
        "https://example.org/bert/index.html", "https://example.org/bert/a/b/page.html",
    ]  # fmt: skip
    assert ElementTree.fromstring(map_of_site).tag.endswith("urlset")
    assert "lastmod" not in map_of_site
    assert not (project.folder / "site" / "sitemap.xml.gz").exists()
    page = project.page("a/b/page")
    assert previews(page) == {
        "og:type": "article",
        "og:site_name": "BERT, part two",
        "og:title": "A &lt;b&gt; page",
        "og:description": "Say &#34;a &amp; b&#34;",
        "og:url": "https://example.org/bert/a/b/page.html",
        "og:image": "https://example.org/bert/assets/card.png",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "BERT, part two: a sentence with a hidden word, to which all others lead",
        "twitter:card": "summary_large_image",
    }
    assert '<link rel="canonical" href="https://example.org/bert/a/b/page.html">' in page
    assert previews(project.page("index"))["og:type"] == "website"
    with Image.open(project.folder / "site" / "assets" / "card.png") as card:
        assert card.size == (1200, 630)
    missing = project.page("404")
    assert '<a href="/bert/index.html">' in article(missing)
    links = [target for target, _ in PageReader(missing).targets if target[:1] not in ("#", "")]
    assert {target[:6] for target in links if "://" not in target} == {"/bert/"}
    index = (project.folder / "site" / "llms.txt").read_text("utf-8")
    assert "](https://example.org/bert/a/b/page.md)" in index


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_two_builds_are_byte_identical_cold_from_another_folder_and_on_another_day(
    good: Project, new_project: Callable[[], Project], tmp_path: Path
) -> None:
    other = new_project()
    other.second += 100_000
    for path, text in GOOD.items():
        other.write(path, text)
    ended = other.build(cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert not list(tmp_path.iterdir())
    good.build()
    first, second = files_of(good.folder / "site"), files_of(other.folder / "site")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    places = [str(folder).encode() for folder in (other.folder, Path.home(), Path(sys.prefix))]
    assert not [name for name, content in second.items() for p in places if p in content]


def test_the_console_shows_progress_example_by_example(good: Project) -> None:
    example = good.folder / "examples" / "two.py"
    example.write_text(example.read_text() + "\n# %% new\nx = 1\n")
    ended = good.build()
    assert "examples/two.py: cell 1 of 2" in ended.stderr
    assert re.search(r"examples/two\.py: done in \d+ s \(2 of 2\)", ended.stderr), ended.stderr
    assert "examples/one.py" not in ended.stderr  # it is not run again
