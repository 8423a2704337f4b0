"""What was printed is shown as a terminal shows it in the end; a page has no control characters."""

from __future__ import annotations

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.weave import terminal
from tools.weave.terminal import plain, screen


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("plain\ttext\n\näöü 😀\u2028\n", "plain\ttext\n\näöü 😀\u2028\n"),
        ("\x1b[31mred\x1b[0m, \x1b[1;38;5;9mbold\x1b[m", "red, bold"),
        ("\x9b31mred", "red"),
        ("a bell \a and a nul \0", "a bell  and a nul "),
        ("\x1b]0;a title\aafter", "after"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r0m\x1b\\after \x1b(B\x1b=\x1b", "after "),
        ("\x1b[?25lhidden cursor\x1b[?25h", "hidden cursor"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("page\ffeed\vtab\x85line", "page\nfeed\ntab\nline"),
        ("\r  0%|  | 0/2\r 50%|█ | 1/2\r100%|██| 2/2\n", "100%|██| 2/2\n"),
        ("a longer line\rshort", "shortger line"),
        ("a longer line\r\x1b[Kshort", "short"),
        ("a longer line\x1b[2K\rshort", "short"),
        ("abc\x1b[2D\x1b[1Kx", " xc"),
        ("abcd\b\b!\n", "ab!d\n"),
        ("\b\ba", "a"),
        ("outer\ninner\x1b[A\rOUTER\x1b[B\rINNER", "OUTER\nINNER"),
        ("a\nb\nc\x1b[2A\x1b[JX", "aX\n\n"),
        ("old\nold\x1b[H\x1b[2Jnew", "new\n"),
        ("one\ntwo\x1b[1;2HX", "oXe\ntwo"),
        ("one\x1b[E\x1b[GX\x1b[9Cy", "Xne       y"),
        ("\ud800 and \ufffe", " and "),
    ],
)  # fmt: skip
def test_a_text_is_shown_as_on_a_terminal(printed: str, shown: str) -> None:
    assert screen(printed) == shown


def test_no_number_in_the_text_makes_it_long() -> None:
    assert len(screen("\x1b[99999999999C" * 9 + "x\x1b[99999999999B\x1b[99999999999Gy")) < 100


@given(st.text(st.characters() | st.sampled_from("\0\a\b\t\n\v\f\r\x1b\x7f\x85\x9b[]0;?mKJAH\\")))
def test_nothing_leaves_a_control_character_and_nothing_is_left_to_do(text: str) -> None:
    for clean in (screen, plain):
        shown = clean(text)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", shown)
        assert clean(shown) == shown


def test_what_is_not_shown_takes_no_column() -> None:
    assert screen("\x9d0;a title\x9cab\rX") == "Xb"
    assert screen("\x7fab\rX") == "Xb"


def test_its_documentation_tells_the_truth() -> None:
    assert doctest.testmod(terminal).failed == 0
