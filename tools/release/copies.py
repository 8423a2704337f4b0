"""A copy of the sources in which something can be changed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.run.cells import ROOT


@contextmanager
def copied() -> Iterator[Path]:
    """A folder with what git knows of the sources and does not ignore, as it is now."""
    with tempfile.TemporaryDirectory(prefix="lesson-", ignore_cleanup_errors=True) as folder:
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        said = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        root = Path(folder).resolve()
        for name in filter(None, said.split("\0")):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        yield root
