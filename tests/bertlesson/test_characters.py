"""Which characters belong to which piece."""

from __future__ import annotations

import numpy as np

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
