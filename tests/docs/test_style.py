"""All prose keeps the rules of style.toml: built pages, widgets, messages, docstrings, comments."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import proselint.checks
import pytest
from proselint.registry.checks import Check, Padding, engine, types

from tests.conftest import ROOT
from tests.docs import prose
from tests.docs.prose import Prose, Word

STYLE = tomllib.loads((ROOT / "tests" / "docs" / "style.toml").read_text("utf-8"))
RULES: list[dict[str, Any]] = STYLE["rule"]
SENTENCE = re.compile(r"[\w□].*?(?=¶|;|[=|]|$|[.?!][)”\"']*( [^a-z]|$))")


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
            yield (
                f"{text.place(found.start())}: a sentence of {words} words, expected at most "
                f"{STYLE['longest_sentence']} (“{found[0][:60]} …”)"
            )


def all_problems(words: Iterable[Word]) -> list[str]:
    text = Prose(words)
    return [*problems(text, [*OURS, *THEIRS]), *long_sentences(text)]


def test_the_pages_keep_to_the_style(page_prose: dict[str, list[Word]]) -> None:
    found = [problem for words in page_prose.values() for problem in all_problems(words)]
    assert not found, "\n".join(["", *found])


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["docs/assets", "src", "tools"])
def test_strings_and_comments_keep_to_the_style(
    folder: str, source_prose: dict[str, list[Word]]
) -> None:
    found = []
    for name, words in source_prose.items():
        if name.startswith(f"{folder}/"):
            found += all_problems(words)
    assert not found, "\n".join(["", *found])


def typed(sentence: str) -> Prose:
    return Prose((word, "") for word in sentence.split())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["instead"])
def test_a_rule_catches_what_it_is_for_and_nothing_else(rule: dict[str, Any]) -> None:
    for sentence in rule["bad"]:
        assert list(problems(typed(sentence), [check_of(rule)])), sentence
    for sentence in rule["good"]:
        assert not list(problems(typed(sentence), OURS)), sentence


def test_long_sentences_and_what_proselint_knows_are_caught() -> None:
    most = STYLE["longest_sentence"]
    assert not list(long_sentences(typed("word " * most + ". " + "Word " * most + "; and more")))
    assert len(list(long_sentences(typed("word " * (most + 1))))) == 1
    (found,) = problems(typed("This loss is very unique."), THEIRS)
    assert "unique" in found


def words_at(words: Iterator[Word]) -> dict[str, str]:
    """The last word of each passage, and where it is."""
    found = [*words]
    last = [at for at, (after, _) in pairwise(found) if after == prose.END]
    return {word: place for word, place in last if word != prose.END}


def test_all_that_a_reader_of_a_page_sees_or_hears_is_read() -> None:
    page = """
    <p>outside</p><article><h1>The <em>title</em></h1><p>a <code>b c</code> text</p>
    <ul><li>an item</li><li class="claim">✓ a claim <code>1 &lt; 2</code></li></ul>
    <figure><svg aria-label="a figure"><text>a label</text></svg></figure>
    <h2>Second</h2><table><tr><td>one</td><td>two</td></tr></table><pre>no</pre>
    <div class="highlight"><code>no</code></div><details><summary>ask</summary><p>tell</p></details>
    </article>"""
    first, second = "p.html, under “The title”", "p.html, under “Second”"
    assert words_at(prose.of_page(page, "p.html")) == {
        **dict.fromkeys(["title", "text", "item", "□", "figure", "label"], first),
        **dict.fromkeys(["Second", "one", "two", "ask", "tell"], second),
    }


def test_strings_and_comments_are_read_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text(
        "/** Says\n * `code` words.\n *\n * @param {{a: string}} b More.\n */\n"
        'say("one " +\n  `two ${n} ${n ? "inner" : 3}` + "three");  // aside\n'
    )
    assert words_at(prose.of_source(tmp_path / "a.js", "a.js")) == {
        "words.": "a.js:2",
        "More.": "a.js:4",
        "inner": "a.js:7",
        "□three": "a.js:7",
        "aside": "a.js:7",
    }
    (tmp_path / "a.py").write_text(
        '"""Does this.\n\n>>> no()\n\nThen that.\n"""\n'
        'raise ValueError(\n    f"got {a!r}, "\n    "expected b"\n)  # aside\n'
    )
    assert words_at(prose.of_source(tmp_path / "a.py", "a.py")) == {
        "this.": "a.py:1",
        "that.": "a.py:5",
        "b": "a.py:9",
        "aside": "a.py:10",
    }
