"""Writing files so that nobody reads half of one."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from pathlib import Path

log = logging.getLogger("mkdocs.lesson")


def write_at_once(path: Path, content: str | bytes) -> None:
    """Write a file atomically: anyone reading it sees either the old content or the new."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)  # on a full disk it is what there was room for
        raise


def keep(path: Path, content: str | bytes) -> None:
    """Write a file that only saves time. If that fails, a line says so, and all goes on."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_at_once(path, content)
    except OSError as error:
        log.info("nothing is kept in %s: %s", path, error.strerror or error)


def remove_parts(folder: Path) -> None:
    """Remove what killed processes have left in a folder: parts of an hour ago or more."""
    for part in folder.glob("*.part"):
        with contextlib.suppress(OSError):  # another process removes it, or nobody may
            if part.stat().st_mtime < time.time() - 3600:
                part.unlink()
