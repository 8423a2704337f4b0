"""The real site, built as it is published."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from mkdocs.utils.yaml import yaml_load

from tests.conftest import ROOT, build, menu
from tools.site import whole
from tools.site.checks import PageReader
from tools.weave.api import public_modules

LESSON = sorted((ROOT / "docs" / "lesson").glob("*.md"))
MOST_BYTES_OF_A_REFERENCE_PAGE = 350_000
MOST_BYTES_OF_THE_WHOLE = 1_500_000
FENCED = re.compile(r"^ *(`{3,}).*?^ *\1 *$", re.DOTALL | re.MULTILINE)
MOST_BYTES_OF_A_NOTEBOOK_PAGE = 145_000


def pages(site: Path) -> list[Path]:
    return sorted({*site.rglob("*.html")} - {site / whole.NAME})


def contents(site: Path) -> dict[str, bytes]:
    files = (path for path in site.rglob("*") if path.is_file())
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in files}


@pytest.mark.timing
def test_a_second_build_is_quick_and_the_same_to_the_byte(site: Path, tmp_path: Path) -> None:
    took = [build(tmp_path) for _ in range(3)]
    assert min(took) < 12, took  # another process may slow some of them, not all
    first, second = contents(site), contents(tmp_path)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_every_page_of_the_sources_is_in_the_navigation(site: Path) -> None:
    index = (site / "index.html").read_text("utf-8")
    for source in (ROOT / "docs").rglob("*.md"):
        page = source.relative_to(ROOT / "docs").with_suffix(".html")
        assert f'href="{page.as_posix()}"' in index or page.name == "index.html", page


def test_the_menu_shows_each_name_of_the_navigation_once_in_its_section(site: Path) -> None:
    settings = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    sections = yaml_load(settings.partition("\n\n")[0])
    shown = menu((site / "index.html").read_text("utf-8"))
    assert sections
    for section in sections:
        pages = [page for part in section.values() if isinstance(part, list) for page in part]
        named = [
            item for page in [section, *pages] if isinstance(page, dict) for item in page.items()
        ]
        names = {name: page for name, page in named if isinstance(page, str)}
        assert len(names) == len([page for _, page in named if isinstance(page, str)])
        for name, page in names.items():
            if page != "index.md":
                assert shown[re.sub(r"\.(md|ipynb)$", ".html", page)] == name


def test_nothing_is_pending_and_no_claim_is_false(site: Path) -> None:
    for path in pages(site):
        text = path.read_text("utf-8")
        assert "data-pending=" not in text, path.name
        assert "claim failed" not in text, path.name


def test_notebook_pages_are_small_and_their_downloads_are_there(site: Path) -> None:
    notebooks = sorted(site.glob("examples/*.html"))
    assert {path.stem for path in notebooks} == {p.stem for p in (ROOT / "examples").glob("*.py")}
    for path in notebooks:
        assert path.stat().st_size <= MOST_BYTES_OF_A_NOTEBOOK_PAGE, path.name
        targets = {target for target, _ in PageReader(path.read_text("utf-8")).targets}
        for suffix in (".py", ".ipynb"):
            (link,) = {target for target in targets if target.endswith(f"{path.stem}{suffix}")}
            assert (path.parent / link).is_file(), link


def test_the_whole_lesson_is_one_small_file_that_needs_no_other(site: Path) -> None:
    text = (site / whole.NAME).read_text("utf-8")
    assert len(text.encode()) < MOST_BYTES_OF_THE_WHOLE
    assert len(gzip.compress(text.encode())) < MOST_BYTES_OF_THE_WHOLE / 5
    reader = PageReader(text)
    loaded = [target for target, loads in reader.targets if loads]
    assert [target for target in loaded if not target.startswith(("data:", "#"))] == []
    for target, _ in reader.targets:
        assert target.startswith(("data:", "#", "https://")), target
        assert target[0] != "#" or target[1:] in reader.ids, target
    assert "<script" not in text
    sections = re.findall('<section id="(.*?)">', text)
    left_out = [*(ROOT / "docs" / "api").glob("*.md"), "checks.md", "reference/noticed.md"]
    assert len(sections) == len([*(ROOT / "docs").rglob("*.md")]) - len(left_out)
    assert sections[:2] == ["index", "lesson-objectives"]


def test_every_public_name_has_its_place_in_the_reference(site: Path) -> None:
    texts = {path: path.read_text("utf-8") for path in (site / "api").glob("*.html")}
    for module in public_modules().values():
        (text,) = [text for text in texts.values() if f'id="{module.name}"' in text]
        for each in module.names:
            assert f'id="{module.name}.{each.name}"' in text, each.name
    for path, text in texts.items():
        assert len(text.encode()) < MOST_BYTES_OF_A_REFERENCE_PAGE, path.name
        assert "&gt;&gt;&gt;" not in re.sub(r"<pre.*?</pre>", "", text, flags=re.DOTALL), path.name
    lesson = (site / "lesson" / "masking.html").read_text("utf-8")
    assert lesson.count('href="../api/masking.html#bertlesson.masking.MaskingRecipe"') == 1


def test_a_name_that_an_example_gives_itself_is_no_link(site: Path) -> None:
    """examples/spans.py has an exact_match of its own."""
    page = (site / "lesson/fine-tuning.html").read_text("utf-8")
    assert "exact_match" in page
    assert "#bertlesson.squad_metrics.exact_match" not in page
    assert "#bertlesson.answers.decode_answers" in page


def test_pages_as_markdown_lead_somewhere_and_hold_no_html(site: Path) -> None:
    written = sorted(site.rglob("*.md"))
    assert {path.with_suffix(".html") for path in written} == {*pages(site)} - {site / "404.html"}
    for path in written:
        text = path.read_text("utf-8")
        prose = FENCED.sub("", text)
        for target in re.findall(r"\]\(([^)#\s]+)", prose):
            if "://" not in target:
                assert (path.parent / target).is_file(), (path.name, target)
        without_code = re.sub(r"(`+)[^`].*?\1", "", prose)
        assert not re.search(r"(?<!\\)</?\w+[^>]*>|\{ ?[#.:]|⟦|&#\d", without_code), path.name


def test_every_claim_is_data_with_its_addresses(site: Path) -> None:
    claims = json.loads((site / "claims.json").read_text("utf-8"))["claims"]
    shown = (site / "checks.html").read_text("utf-8")
    assert len(claims) == shown.count('<li class="claim checked"') > 100
    assert len({claim["id"] for claim in claims}) == len(claims)
    ids: dict[str, str] = {}
    for claim in claims:
        assert claim["holds"]
        for address in (claim["stated"], claim["checked"]):
            page, _, anchor = address.partition("#")
            text = ids.setdefault(page, (site / page).read_text("utf-8"))
            assert f'id="{anchor}"' in text, address


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    for path in pages(site):
        loaded = [target for target, loads in PageReader(path.read_text("utf-8")).targets if loads]
        assert loaded
        assert [target for target in loaded if re.match(r"(\w+:)?//", target)] == [], path.name


def test_a_page_waits_for_one_stylesheet_and_holds_no_script(site: Path) -> None:
    styles = (site / "assets" / "site.css").read_text("utf-8")
    assert ".md-typeset" in styles
    assert styles.index("--md-primary-fg-color") < styles.index("--chart-1:")
    for path in pages(site):
        text = path.read_text("utf-8")
        assert text.count('rel="stylesheet"') == 1, path.name
        scripts = re.findall(r"<script([^>]*)>", text)
        assert scripts
        inline = [script for script in scripts if "src=" not in script]
        assert inline == [' id="__config" type="application/json"'], path.name
        assert not re.search(r"""<[^>]*\son\w+=["']""", text), path.name


def test_the_path_is_as_long_as_promised_and_no_page_takes_over_four_minutes(site: Path) -> None:
    overview = (site / "index.html").read_text("utf-8")
    table = overview.partition('<table class="times">')[2].partition("</table>")[0]
    sums = re.findall(r'scope="row">(\w+)</th><td>([\d,]+) words</td><td>(\d+) min', table)
    minutes = {part: int(total) for part, _, total in sums}
    words = {part: int(count.replace(",", "")) for part, count, _ in sums}
    assert 2_600 <= words["Reading"] <= 3_000
    assert minutes == {"Reading": 14, "Practice": 14}
    each = {page: float(time) for page, time in re.findall(r'href="(.*?)".*?([\d.]+) min', table)}
    assert {"index.html", "summary.html", *(f"lesson/{p.stem}.html" for p in LESSON)} < set(each)
    assert {page: time for page, time in each.items() if time > 4} == {}
