"""Mistakes to plant, and a copy of the sources to plant them in."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from tools.run.cells import ROOT
from tools.run.files import write_at_once

FOLDER = ROOT / "tools" / "release" / "noticed"  # what to plant, and what came of it


@dataclass(frozen=True)
class Change:
    """A mistake to plant.

    Attributes:
        what: What is wrong then, in words; its name.
        path: The file, under the root of the sources.
        old: A text that it holds once.
        new: What stands there instead; in an example, with as many lines.
        examples: The names of those to run, if it is about claims.
    """

    what: str
    path: str
    old: str
    new: str
    examples: tuple[str, ...] = ()

    def applied(self, text: str) -> str:
        """The text of the file with the change.

        Raises:
            ValueError: The old text is not in the file, or more than once; or it is what is new.
        """
        if (times := text.count(self.old)) != 1 or self.old == self.new:
            raise ValueError(
                f'"{self.what}": {self.path} holds {self.old!r} {times} times; expected once, and '
                "another text instead: write what the file says now"
            )
        return text.replace(self.old, self.new)


def read_changes(path: Path) -> list[Change]:
    """The changes of a file in TOML.

    Raises:
        ValueError: Two have the same name.
    """
    changes = [
        Change(one["what"], one["file"], one["old"], one["new"], tuple(one.get("examples", ())))
        for one in tomllib.loads(path.read_text("utf-8"))["change"]
    ]
    names = [change.what for change in changes]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{path.name} has two changes {min(twice)!r}; expected other words")
    return changes


def read_found(path: Path) -> dict[str, Any]:
    """What earlier runs have found; nothing if there is no such file."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def update(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Write what becomes of it, one run at a time, so that none loses what another has added."""
    with FileLock(ROOT / ".cache" / f"{path.name}.lock"):
        found = change(read_found(path))
        write_at_once(path, json.dumps(found, ensure_ascii=False, indent=1) + "\n")


def still_planted(found: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """What was found of these changes, in their order; what is no longer planted goes."""
    return {change.what: found[change.what] for change in changes if change.what in found}


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


def commit() -> str:
    """The commit that the sources come closest to."""
    asked = ["git", "rev-parse", "--short=10", "HEAD"]
    said = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return said.strip()
