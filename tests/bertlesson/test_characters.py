"""Which characters belong to which piece."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bertlesson.characters import is_dropped_with, own_characters


def test_what_is_dropped_belongs_to_a_piece_as_it_does_to_a_word() -> None:
    pieces = np.array([[0, 1], [2, 3]])
    for dropped in ("\u0301", "\u00ad", "\u200b", "-", "+", "a", " "):
        owned = own_characters(f"a{dropped}b", pieces)
        assert owned[0].tolist() == [0, 1, 2 if is_dropped_with(dropped) else 1]
        assert owned[1].tolist() == [2, 3, 3]


def test_a_piece_of_white_space_leaves_what_is_dropped_to_others() -> None:
    offsets = np.array([[0, 1], [1, 2], [3, 4]])
    expected = [[0, 1, 1], [-1, -1, -1], [3, 4, 5]]
    assert own_characters("a \u00adb\u00ad", offsets).tolist() == expected


def test_marks_and_what_is_invisible_are_dropped() -> None:
    assert all(map(is_dropped_with, "\u0301\u00ad\u200b\u20dd\ufe0f\x00\ufffd"))
    assert not any(map(is_dropped_with, "a-+ \n\u00a0\u2028"))


def test_a_mark_in_a_piece_of_its_own_is_not_dropped() -> None:
    offsets = np.array([[0, 1], [1, 2], [3, 4]])
    expected = [[0, 1, 1], [1, 2, 3], [3, 4, 4]]
    assert own_characters("a\u0301\u00adb", offsets).tolist() == expected


def test_a_piece_without_a_character_has_none() -> None:
    offsets = np.array([[0, 1], [1, 1], [1, 2]])
    for context in ("ab", "éb"):
        assert own_characters(context, offsets).tolist() == [[0, 1, 1], [-1, -1, -1], [1, 2, 2]]


@given(st.text("ab- ", min_size=1, max_size=12), st.data())
def test_plain_text_is_read_as_any_other(context: str, data: st.DataObject) -> None:
    places = st.integers(0, len(context))
    pieces = data.draw(st.lists(st.tuples(places, places).map(sorted), max_size=6))
    offsets = np.array(pieces, dtype=np.int32).reshape(-1, 2)
    # a letter beyond ASCII, in no piece, makes it look at each character
    assert (own_characters(context, offsets) == own_characters(f"{context}é", offsets)).all()
