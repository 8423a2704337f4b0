"""Files that appear, or replace others, only when all of them is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replacing"]


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give another path beside this one to write to, and move it into place at the end.

    After an error it is removed, and what was at `path` is as before.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.txt"
    ...     with replacing(file) as part:
    ...         length = part.write_text("all of it")
    ...         print(file.exists())
    ...     print(file.read_text(), [path.name for path in Path(folder).iterdir()])
    False
    all of it ['a.txt']
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
