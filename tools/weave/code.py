"""Code as a page shows it: highlighted, without its claims, and able to wrap on a telephone."""

from __future__ import annotations

import ast
import re
from html import escape, unescape
from itertools import groupby
from typing import Any

from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Name, Punctuation, Text, Whitespace, _TokenType
from pygments.util import ClassNotFound

from tools.run.cells import Cell
from tools.run.memo import memoized
from tools.run.record import is_claim

NARROW = 38  # characters of code in a line on a telephone, see docs/assets/lesson.css
PLAIN = {Name, Punctuation, Text, Whitespace}  # they look like the text around them


@memoized()
def shown_code(cell: Cell) -> str:
    """The code of a section as a page shows it: without its claims, which are shown below it.

    Consecutive blank lines are reduced to one, except in strings.
    """
    tree = ast.parse(cell.source)
    claims = {row for node in tree.body if is_claim(node) for row in _rows(node)}
    claims -= {row for node in tree.body if not is_claim(node) for row in _rows(node)}
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr))
    quoted = {row for node in strings for row in _rows(node)}
    shown = [""]
    for row, line in enumerate(cell.source.split("\n"), 1):  # as Python counts lines
        if row not in claims and (line or shown[-1] or row in quoted):
            shown.append(line)
    return "\n".join(shown).strip("\n")


def _rows(node: ast.stmt | ast.expr) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


@memoized()
def highlighted(source: str, language: str, title: str = "") -> str:
    """A block of code. Each line that is too long for a telephone is an element of its own.

    >>> highlighted("x = y", "python")
    '<div class="highlight"><pre><code>x <span class="o">=</span> y\\n</code></pre></div>'
    """
    lines = [""]
    tokens = get_lexer_by_name(language, stripnl=False).get_tokens(source)
    for name, group in groupby(tokens, key=lambda token: _class(token[0])):
        first, *others = "".join(text for _, text in group).split("\n")
        lines[-1] += _marked(name, first)
        lines += [_marked(name, text) for text in others]
    plain = [*source.split("\n"), *[""] * len(lines)]  # the lexer ends the last line
    code = "\n".join(long_line(*pair) for pair in zip(lines, plain, strict=False))
    head = f'<span class="filename">{escape(title)}</span>' if title else ""
    return f'<div class="highlight">{head}<pre><code>{code}</code></pre></div>'


def _class(kind: _TokenType) -> str:
    """The class that a style sheet knows this kind of token by; "" if it has no style."""
    return "" if kind in PLAIN else STANDARD_TYPES.get(kind, "")


def _marked(name: str, text: str) -> str:
    text = escape(text, quote=False)
    return f'<span class="{name}">{text}</span>' if name and text else text


def long_line(line: str, text: str) -> str:
    """The line as HTML; a long one knows the indent at which it wraps.

    >>> long_line("&amp;", "&")
    '&amp;'
    """
    if len(text) <= NARROW:
        return line
    return f'<span class="long" style="--in:{len(text) - len(text.lstrip())}ch">{line}</span>'


def fence(
    source: str, language: str, class_: str, options: dict[str, str], md: Any, **_: Any
) -> str:
    """A fence of Markdown as a block of code, for `pymdownx.superfences`."""
    return highlighted(source, language or "text", unescape(options.get("title", "")))


def fence_options(
    language: str, inputs: dict[str, str], options: dict[str, str], attrs: Any, md: Any
) -> bool:
    """Take the options of a fence. `check_fence` has seen to it that there is none but a title."""
    options.update(inputs)
    return True


def check_fence(info: str) -> None:
    """Check what stands behind the mark that opens a fence.

    Args:
        info: Such as ``python title="bert.js: layer"``; may be empty.

    Raises:
        ValueError: the language is unknown, or there are other options than a title.
    """
    language, _, options = info.strip().partition(" ")
    if not re.fullmatch(r'|title="[^"]*"', options.strip()) or language.startswith("{"):
        raise ValueError(f'a fence has a language and perhaps a title="…", not {info.strip()!r}')
    try:
        get_lexer_by_name(language or "text")
    except ClassNotFound:
        raise ValueError(
            f"{language!r} is no language that Pygments knows; for plain text, write text"
        ) from None
