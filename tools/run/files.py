"""Writing files so that nobody reads half of one."""

from __future__ import annotations

import os
from pathlib import Path


def write_at_once(path: Path, content: str | bytes) -> None:
    """Write a file atomically: anyone reading it sees either the old content or the new."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content.encode() if isinstance(content, str) else content)
    part.replace(path)
