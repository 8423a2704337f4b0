"""A file is there as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertlesson.replacing import replacing


def fail_half_way(file: Path) -> None:
    with replacing(file) as part:
        part.write_text("half of ")
        raise OSError("disk full")


def test_after_an_error_the_file_is_as_before_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("before")
    with pytest.raises(OSError, match="disk full"):
        fail_half_way(file)
    assert file.read_text() == "before"
    assert [*tmp_path.iterdir()] == [file]


def test_it_replaces_a_file_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("before")
    with replacing(str(file)) as part:
        part.write_text("after")
        assert file.read_text() == "before"
    assert file.read_text() == "after"
    assert [*tmp_path.iterdir()] == [file]
