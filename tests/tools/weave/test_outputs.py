"""What an execution has shown, as HTML."""

from __future__ import annotations

import pytest

from tools.weave.code import NARROW
from tools.weave.outputs import WIDE, text_html


def row(columns: int) -> str:
    return "a  b".ljust(columns, "x")


def test_rows_of_a_table_stay_whole_and_say_how_many_columns_they_have() -> None:
    shown = text_html(f"short\n{row(50)}")
    assert 'style="--columns:50"' in shown
    assert f">short\n{row(50)}<" in shown
    assert "style" not in text_html(row(NARROW))


@pytest.mark.parametrize(("columns", "wide"), [(WIDE, False), (WIDE + 1, True)])
def test_a_table_that_fits_on_no_telephone_can_be_pushed(columns: int, wide: bool) -> None:
    assert ('class="output wide"' in text_html(row(columns))) == wide
    assert ("--columns" in text_html(row(columns))) != wide


def test_a_long_line_of_text_wraps_and_sets_no_size() -> None:
    words = "less < more " * 5
    shown = text_html(f"{row(40)}\n  {words}")
    assert "--columns:40" in shown
    written = words.rstrip().replace("<", "&lt;")
    assert f'\n<span class="long" style="--in:2ch">  {written}' in shown
    assert text_html("a  b\nshort").endswith(">a  b\nshort</pre>")
