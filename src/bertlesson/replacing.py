"""Files that appear, or replace others, only when all of them is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["part_of", "replacing"]


def part_of(path: str | Path) -> Path:
    """Where `replacing` writes until all of it is there; a process that is killed leaves it behind.

    >>> print(part_of("out/a.txt"))
    out/.a.txt.part
    """
    path = Path(path)
    return path.with_name(f".{path.name}.part")


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
    part = part_of(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
