"""Files are whole or not there, and what only saves time stops nothing."""

from __future__ import annotations

import errno
import logging
import os
import time
from pathlib import Path

import pytest

from tools.run.files import keep, remove_parts, write_at_once


def test_a_file_that_gets_no_room_leaves_the_old_one_and_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    write_at_once(file, "old")

    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as part:
            part.write(content[:2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_at_once(file, "new")
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_cannot_be_kept_is_said_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    with caplog.at_level(logging.INFO):
        keep(tmp_path / "file" / "kept", "text")
    assert "nothing is kept in" in caplog.text
    keep(tmp_path / "new" / "kept", "text")
    assert (tmp_path / "new" / "kept").read_text() == "text"


def test_parts_that_a_killed_process_left_are_removed_after_an_hour(tmp_path: Path) -> None:
    for name in ("old.1.part", "new.2.part", "old.json"):
        (tmp_path / name).touch()
    for name in ("old.1.part", "old.json"):
        os.utime(tmp_path / name, (0, time.time() - 3700))
    remove_parts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.2.part", "old.json"]
