"""No text of a page or of a widget says a sentence twice."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))
SCRIPTS = sorted((ROOT / "docs" / "assets").rglob("*.js"))
STRING = r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"""
COMMENT = r"/\*.*?\*/|(?<!:)//[^\n]*"


def texts_of(script: str) -> list[str]:
    """Its strings; those that are joined by a plus are one."""
    script = re.sub(rf"({STRING})|{COMMENT}", lambda match: match[1] or "", script, flags=re.S)
    runs = re.findall(rf"(?:{STRING})(?:\s*\+\s*(?:{STRING}))*", script)
    return ["".join(part[1:-1] for part in re.findall(STRING, run)) for run in runs]


def said_twice(text: str) -> list[str]:
    # "…smaller.One number…": what is joined by mistake has no space between
    sentences = re.split(r"(?<=[.!?])\s*(?=[A-Z“])", re.sub(r"\s+", " ", text))
    counts = Counter(sentence.strip() for sentence in sentences)
    return [each for each, count in counts.items() if count > 1 and len(each.split()) > 3]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_paragraph_of_a_page_says_a_sentence_twice(path: Path) -> None:
    prose = re.sub(r"^\s*(`{3,}).*?^\s*\1`*$", "", path.read_text("utf-8"), flags=re.S | re.M)
    for paragraph in re.split(r"\n\s*\n", prose):
        assert said_twice(paragraph) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_no_text_of_a_widget_says_a_sentence_twice(path: Path) -> None:
    for text in texts_of(path.read_text("utf-8")):
        assert said_twice(text) == []


def test_what_is_joined_by_a_plus_is_one_text() -> None:
    assert texts_of("x = \"a\" +\n  'b' + `c${d}`; // \"no\"\ny = 'https://e'") == [
        "abc${d}",
        "https://e",
    ]
    assert said_twice("It is said once. It is said once.") == ["It is said once."]
