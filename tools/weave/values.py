"""Measured values inside a sentence: numbers and words, and rows of tokens drawn as chips."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tools.run.examples import Example
from tools.run.records import Plain
from tools.weave import terminal

# The fates of a token, each with a sign that shows it without colour.
FATES = {"masked": "▢", "random": "⇄", "kept": "="}
PENDING = '<span class="pending">…</span>'


def value_html(example: Example, key: str, value: Plain, spec: str) -> str:
    """A value in its format; with the format "tokens", a row of chips.

    Raises:
        ValueError: The value cannot be shown in this format.
    """
    try:
        if spec == "tokens":
            return _tokens_html(value)
        shown = format(value, spec)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{value!r} cannot be shown as {spec!r}: {error}") from None
    title = f"{key}, measured by examples/{example.path.name} when this page was built"
    return f'<span class="measured" title="{_inline(title)}">{_inline(shown)}</span>'


def _inline(text: str) -> str:
    """Text on one line that Markdown leaves unchanged, wherever in a line it is."""
    text = re.sub(r"\s*\n\s*", " ", terminal.screen(text))
    return re.sub(r"[^\w\s.,;%/()'+-]|_", lambda match: f"&#{ord(match[0])};", text)


def _tokens_html(tokens: Plain) -> str:
    """A row of chips that wraps."""
    if not isinstance(tokens, list):
        raise TypeError("expected a list of tokens")
    return f'<span class="tokens">{" ".join(map(_chip, tokens))}</span>'


def _chip(token: Plain) -> str:
    """A token: its ``piece`` and, where applicable, its ``fate``, ``seen`` and ``segment``.

    ``seen`` is what the model sees in place of the piece; the segment is "A" or "B".
    """
    if not isinstance(token, Mapping):
        raise TypeError("expected a dict for each token")
    said = {key: str(value) for key, value in token.items()}
    fate, segment, piece = said.get("fate", ""), said.get("segment", ""), said["piece"]
    classes = ["token", fate, f"segment-{segment.lower()}" * bool(segment)]
    classes.append("structural" * piece.startswith("["))
    shown = _inline(piece)
    if fate and said["seen"] != piece:
        shown = f"<b>{_inline(said['seen'])}</b> <s>{shown}</s>"
    sign = f'<i role="img" aria-label="{fate}" title="{fate}">{FATES[fate]}</i> ' if fate else ""
    return f'<span class="{" ".join(filter(None, classes))}">{sign}{shown}</span>'
