"""The results of finished executions, on disk."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tools.run.examples import Example
from tools.run.records import Result

# Seconds by example, for a first run. `python -m tools.run --durations` writes them again.
DURATIONS = Path(__file__).with_name("durations.json")
KEPT_PER_EXAMPLE = 8  # so that returning to an earlier version of an example needs no run


class Store:
    """The results of finished executions, each under a key made from what it depends on.

    A result is one file, next to a folder with the files that the example left behind.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, Result] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, example: Example) -> Path:
        return self.folder / f"{example.name}-{example.key}.json"

    def file(self, example: Example, name: str) -> Path:
        """The path of a stored file that the example left behind."""
        return self.path(example).with_suffix("") / name

    def read(self, example: Example) -> Result | None:
        """The stored result; None if it is missing or damaged, so that the example runs again."""
        if example.key not in self._read:
            try:
                result = Result.from_json(self.path(example).read_text("utf-8"))
            except (OSError, ValueError):
                return None
            if not all(self.file(example, name).is_file() for name in result.files):
                return None
            self._read[example.key] = result
        return self._read[example.key]

    def keep(
        self, example: Example, result: Result, seconds: float, left: Iterable[Path] = ()
    ) -> Result:
        """Store a result and the files that were left, and delete this example's oldest results.

        Returns:
            The result with the names of the files.
        """
        files = sorted(left)
        for file in files:
            kept = self.file(example, file.name)
            kept.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, kept)
        # last, because readers of the result expect the files
        result = replace(result, files=tuple(file.name for file in files))
        write_at_once(self.path(example), result.to_json())
        write_at_once(self._seconds(example), f"{seconds:.2f}")
        results = self.folder.glob(f"{example.name}-*.json")
        for old in sorted(results, key=lambda p: p.stat().st_mtime)[:-KEPT_PER_EXAMPLE]:
            old.unlink(missing_ok=True)
            shutil.rmtree(old.with_suffix(""), ignore_errors=True)
        return result

    def _seconds(self, example: Example) -> Path:
        return self.folder / f"{example.name}.seconds"

    def seconds(self, example: Example) -> float:
        """How long this example took when it last ran, or runs as a rule; infinity if unknown."""
        try:
            return float(self._seconds(example).read_text("utf-8"))
        except (OSError, ValueError):
            return usual_seconds().get(example.name, float("inf"))


def usual_seconds() -> dict[str, float]:
    """How long the examples took where they were last measured."""
    return {name: float(given) for name, given in json.loads(DURATIONS.read_text("utf-8")).items()}


def write_at_once(path: Path, text: str) -> None:
    """Write a file atomically: anyone reading it sees either the old text or the new."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, "utf-8")
    part.replace(path)
