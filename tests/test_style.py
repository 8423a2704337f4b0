"""All prose keeps the rules of style.toml: built pages, widgets, messages, docstrings, comments."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import proselint.checks
import pytest
from proselint.registry.checks import Check, Padding, engine, types

from tests import prose
from tests.conftest import ROOT
from tests.prose import Prose, Word

STYLE = tomllib.loads((ROOT / "tests" / "style.toml").read_text("utf-8"))
RULES: list[dict[str, Any]] = STYLE["rule"]
SENTENCE = re.compile(r"\S.*?(?=¶|;|[=|]|$|[.?!][)”\"']*( [^a-z]|$))")
SOURCES = [
    path
    for folder in ("docs/assets", "src", "tools")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".js", ".css") or (path.suffix == ".py" and folder == "src")
]


def check_of(rule: dict[str, Any]) -> Check:
    find = "|".join([rule["find"]] if isinstance(rule["find"], str) else rule["find"])
    return Check(
        check_type=types.PreferredForms({rf"\b(?:{find})(?!\w)": rule["instead"]}, Padding.RAW),
        engine=engine.Fancy(),  # Python's own expressions, which can look ahead
        message="“{1}”; write instead: {0}",
    )


OURS = [check_of(rule) for rule in RULES]
THEIRS = [
    check
    for check in proselint.checks.__register__
    if not any(check.matches_partial(name) for name in STYLE["off"])
]


def problems(text: Prose, checks: list[Check]) -> Iterator[str]:
    for check in checks:
        for found in check.check(f"{text.text} "):
            start, end = found.span
            around = text.text[max(0, start - 40) : end + 40]
            yield f"{text.place(start)}: {found.message} (… {around} …)"


def long_sentences(text: Prose) -> Iterator[str]:
    for found in SENTENCE.finditer(text.text):
        words = len(re.findall(r"(?<!\S)[^\w\s]*([A-Za-z]{2,}|[aAI]\b|□)", found[0]))
        if words > STYLE["longest_sentence"]:
            start = found[0].strip()[:60]
            yield f"{text.place(found.start())}: a sentence of {words} words (“{start} …”)"


def all_problems(words: Iterator[Word]) -> list[str]:
    text = Prose(words)
    return [*problems(text, [*OURS, *THEIRS]), *long_sentences(text)]


def test_the_pages_keep_to_the_style(site: Path) -> None:
    found = []
    for path in sorted(site.rglob("*.html")):
        page = path.relative_to(site).as_posix()
        found += all_problems(prose.of_page(path.read_text("utf-8"), page))
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize("folder", ["docs/assets", "src", "tools"])
def test_strings_and_comments_keep_to_the_style(folder: str) -> None:
    found = []
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(f"{folder}/"):
            found += all_problems(prose.of_source(path, name))
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["instead"])
def test_a_rule_catches_what_it_is_for_and_nothing_else(rule: dict[str, Any]) -> None:
    own = [check_of(rule)]
    for sentence in rule["bad"]:
        assert list(problems(Prose([(word, "") for word in sentence.split()]), own)), sentence
    for sentence in rule["good"]:
        text = Prose([(word, "") for word in sentence.split()])
        assert not list(problems(text, OURS)), sentence
