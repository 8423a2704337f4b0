"""The project's prose, wherever it is written: in built pages, docstrings, messages, comments."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path

from bs4 import BeautifulSoup, NavigableString, Tag
from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, String, _TokenType

CODE = "□"  # in place of code within a sentence
END = "¶"  # between what is read apart, such as cells of a table
SKIPPED = "pre, script, style, .highlight, .headerlink, .tokens, metadata"  # no prose
BLOCKS = (
    *("article", "div", "figure", "section", "h1", "h2", "h3", "h4", "p", "ul", "ol", "li"),
    *("dl", "dt", "dd", "details", "summary", "figcaption", "table", "thead", "tbody", "tr"),
    *("svg", "g", "text", "title", "desc"),
)
SPOKEN = ("alt", "aria-label", "title", "placeholder")  # attributes with words for readers

MARKS = re.compile(r"^\s*(/\*+|\*/|\*(?!/)|//|#:?|\"{3}|'{3})|\*/|\"{3}|'{3}", re.MULTILINE)
DOCTEST = re.compile(r"^\s*>>> .*(\n(?!\s*(>>> |$)).*)*", re.MULTILINE)
CODE_IN_TEXT = re.compile(r"(`+)[^`]+\1|\{[^{}]*\{[^{}]*\}[^{}]*\}+|\{+[^{}]*\}+")
COLUMNS = re.compile(r"(?<=\S) {2,}(?=\S)")  # between the cells of a table
PART = re.compile(r"\n(?=\s*(\n|@\w+ |- |\w+: ))")  # a paragraph, or what describes one argument

Word = tuple[str, str]  # with its place: a file and a line, or a page and a heading


class Prose:
    """Words with one space between them, and where each is written."""

    def __init__(self, words: Iterable[Word]) -> None:
        found = list(words)
        self.text = " ".join(word for word, _ in found)
        self._places = [place for _, place in found]
        self._starts = list(accumulate((len(word) + 1 for word, _ in found), initial=0))

    def place(self, at: int) -> str:
        """Where the character at this offset in the text is written."""
        return self._places[bisect_right(self._starts, at) - 1]


def of_page(html: str, page: str) -> Iterator[Word]:
    """The text of a page's article, and what its attributes say; without code and outputs."""
    article = BeautifulSoup(html, "html.parser").find("article")
    assert isinstance(article, Tag), f"{page} has no article"
    for skipped in article.select(SKIPPED):
        skipped.decompose()
    place = page
    for tag in [article, *article.find_all(True)]:
        if tag.name in ("h1", "h2", "h3"):
            place = f"{page}, under “{tag.get_text().strip()}”"
        texts = [str(tag[name]) for name in SPOKEN if name in tag.attrs]
        if tag.name in BLOCKS:
            texts.append("".join(_inline(tag)))
        for text in texts:
            if text.strip():
                yield from ((word, place) for word in [*text.split(), END])


def _inline(tag: Tag) -> Iterator[str]:
    """The text of a block, without that of the blocks in it."""
    for child in tag.children:
        if isinstance(child, Tag):
            if child.name == "code":
                yield CODE
            elif child.name not in BLOCKS:
                yield from _inline(child)
            yield f" {END} " if child.name in ("td", "th") else ""
        elif type(child) is NavigableString:
            yield str(child)


def of_source(path: Path, name: str) -> Iterator[Word]:
    """The strings and comments of a file of Python, JavaScript or CSS."""
    run: list[tuple[str, int]] = []  # pieces of one string or comment, with their lines
    kind, last, line, depth = "", 0, 1, 0
    lexer = get_lexer_for_filename(path.name, stripnl=False)
    for token, value in lexer.get_tokens(path.read_text("utf-8")):
        is_interpolation = token in String.Interpol
        new = _kind_of(token)
        if depth or is_interpolation:
            if not depth:
                run.append((CODE, line))
            elif new and not is_interpolation:  # of a string within: `${one ? "row" : "rows"}`
                yield from _read([(value.strip("\"'`"), line)], name)
            depth += is_interpolation and value.count("{") - value.count("}")
        elif new:
            if run and (new != kind or line > last + 1):
                yield from _read(run, name)
                run = []
            is_apostrophe = value == "'" and token in String.Double
            run.append((value if new != "string" or is_apostrophe else value.strip("\"'`"), line))
            kind = new
        elif run and value.strip() not in ("", "+") and token not in String.Affix:
            yield from _read(run, name)
            run = []
        line += value.count("\n")
        last = line if new or depth else last
    if run:
        yield from _read(run, name)


def _kind_of(token: _TokenType) -> str:
    if token in Comment:
        return "comment"
    if token in String.Doc:
        return "doc"
    return "" if token in String.Affix or token in String.Regex or token not in String else "string"


def _read(run: list[tuple[str, int]], name: str) -> Iterator[Word]:
    text, line = "", run[0][1]
    for piece, at in run:
        text += "\n" * (at - line - text.count("\n")) + piece
    text = DOCTEST.sub(lambda found: END + "\n" * found[0].count("\n"), MARKS.sub("", text))
    text = CODE_IN_TEXT.sub(lambda found: CODE + "\n" * found[0].count("\n"), text)
    text = PART.sub(f" {END}\n", COLUMNS.sub(f" {END} ", text)).replace("\\n", f" {END} ")
    for number, part in enumerate(f"{text} {END}".split("\n"), line):
        yield from ((word, f"{name}:{number}") for word in part.split())
