"""What an execution has shown, as HTML."""

from __future__ import annotations

from tools.weave.code import NARROW
from tools.weave.outputs import text_html


def test_a_wide_output_says_how_many_columns_it_has() -> None:
    assert 'style="--columns:50"' in text_html("short\n" + "<" * 50)
    assert "style" not in text_html("x" * NARROW)
