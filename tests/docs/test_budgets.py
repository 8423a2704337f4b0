"""What each page weighs at first: its text, styles and scripts, compressed as a host sends them.

Counted is what the page loads by itself, with what its scripts import, and the scripts and styles
of its widgets, though those wait until a reader comes near. Models and the search come later.
"""

from __future__ import annotations

import gzip
import os.path
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import ROOT
from tests.docs.test_assets import COMMENT, SETTINGS, WIDGET
from tools.site import whole
from tools.site.checks import PageReader, css_urls

FILE = ROOT / "tests" / "docs" / "budgets.toml"
BUDGETS: dict[str, dict[str, int]] = tomllib.loads(FILE.read_text("utf-8"))
SLACK = 1.15  # a budget above this share of the weight holds nothing
IMPORTED = re.compile(r'(?:^|\n)\s*(?:import|export)\b[^;"(]*"([^"]+)"')


def at_first(site: Path, page: Path) -> set[Path]:
    """The files that a page loads."""
    found: set[Path] = set()
    ahead = [page]
    while ahead:
        file = ahead.pop()
        if file not in found and file.is_file():
            found.add(file)
            for target in loaded(site, file):
                start = site if target[0] == "/" else file.parent  # as 404.html names them
                ahead.append(Path(os.path.normpath(start / urlsplit(target).path.lstrip("/"))))
    return found


@cache
def loaded(site: Path, file: Path) -> tuple[str, ...]:
    return tuple(_loaded(site, file))


def _loaded(site: Path, file: Path) -> Iterator[str]:
    if file.suffix == ".html":
        html = file.read_text("utf-8")
        targets = (target for target, loads in PageReader(html).targets if loads)
        yield from (target for target in targets if target[:1] not in ("", "#", "d"))
        names = {"progress"} if SETTINGS.search(html) else set()
        names |= {"guess"} if '<li class="claim' in html and "<data" in html else set()
        folder = os.path.relpath(site / "assets" / "widgets", file.parent)
        for name in names | {*WIDGET.findall(html)}:
            yield from (f"{folder}/{name}.js", f"{folder}/{name}.css")
    elif file.suffix == ".css":
        yield from (target for target in css_urls(file.read_text("utf-8")) if target[:1] != "d")
    elif file.suffix == ".js":
        yield from IMPORTED.findall(COMMENT.sub("", file.read_text("utf-8")))


@cache
def compressed(file: Path) -> int:
    return len(gzip.compress(file.read_bytes(), mtime=0))


def weight(site: Path, page: str) -> int:
    return sum(compressed(file) for file in at_first(site, site / page))


def budget(page: str, budgets: dict[str, dict[str, int]]) -> int | None:
    kinds = [kind for kind in budgets["kinds"] if page.startswith(kind)]
    return budgets["pages"].get(page) or budgets["kinds"].get(max(kinds, key=len, default=""))


def problems(weights: dict[str, int], budgets: dict[str, dict[str, int]]) -> Iterator[str]:
    for page, bytes_ in weights.items():
        most = budget(page, budgets)
        if most is None:
            yield f"{page} has no budget: it weighs {bytes_:,} bytes; add it to [pages]"
        elif bytes_ > most:
            yield f"{page} weighs {bytes_:,} bytes, its budget is {most:,}"
        elif page in budgets["pages"] and most > bytes_ * SLACK:
            yield f"{page} weighs {bytes_:,} bytes, far less than its budget of {most:,}; lower it"
    for page in sorted(budgets["pages"].keys() - weights.keys()):
        yield f"{page} has a budget, but is no page of the site"
    for kind in budgets["kinds"]:
        if not any(page.startswith(kind) for page in weights):
            yield f"{kind} has a budget, but the site has no such page"


def test_every_page_keeps_to_its_budget(site: Path) -> None:
    pages = sorted({*site.rglob("*.html")} - {site / whole.NAME})  # which test_site.py weighs
    weights = {name: weight(site, name) for p in pages if (name := p.relative_to(site).as_posix())}
    found = [*problems(weights, BUDGETS)]
    assert not found, "\n".join(["", *found, f"The budgets are in {FILE.relative_to(ROOT)}."])


def test_all_that_a_page_loads_is_weighed(tmp_path: Path) -> None:
    def write(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    expected = {
        write(
            "lesson/page.html",
            '<script id="__config" type="application/json">{}</script><a href="../other.html">x</a>'
            '<link rel="stylesheet" href="../assets/a.css"><link rel="next" href="../other.html">'
            '<script src="/assets/a.js?1"></script><div data-widget="one"></div>'
            '<img src="data:image/png;base64,AAAA" alt="">',
        ),
        write("assets/a.css", "@font-face {src: url(font.woff2)} p {mask: url(data:image/a)}"),
        write("assets/font.woff2", "font"),
        write("assets/a.js", 'import {\n  b,\n} from "./b.js";\nimport("./later.js");'),
        write("assets/b.js", '/** @type {import("./types.js").A} */\nexport * from "./c.js";'),
        write("assets/c.js", '// import "./later.js"\nconst x = 1;'),
        write("assets/widgets/one.js", 'import "../c.js";'),
        write("assets/widgets/one.css", ""),
        write("assets/widgets/progress.js", ""),
    }
    for name in ("other.html", "assets/later.js", "assets/types.js", "assets/widgets/guess.js"):
        write(name, "")
    assert at_first(tmp_path, tmp_path / "lesson" / "page.html") == expected
    assert weight(tmp_path, "lesson/page.html") == sum(map(compressed, expected))


def test_a_page_without_a_budget_and_one_over_it_are_named() -> None:
    budgets: dict[str, dict[str, Any]] = {
        "kinds": {"a/": 100, "a/b/": 200, "c/": 100},
        "pages": {"x.html": 100, "y.html": 100, "gone.html": 100},
    }
    weights = {"a/1.html": 101, "a/b/1.html": 101, "x.html": 101, "y.html": 80, "new.html": 5}
    assert [*problems(weights, budgets)] == [
        "a/1.html weighs 101 bytes, its budget is 100",
        "x.html weighs 101 bytes, its budget is 100",
        "y.html weighs 80 bytes, far less than its budget of 100; lower it",
        "new.html has no budget: it weighs 5 bytes; add it to [pages]",
        "gone.html has a budget, but is no page of the site",
        "c/ has a budget, but the site has no such page",
    ]
