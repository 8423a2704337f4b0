"""The results of finished executions, on disk."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tools.run.examples import Example
from tools.run.files import remove_parts, write_at_once
from tools.run.records import Result

# Seconds by example, for a first run. `python -m tools.run --durations` writes them again.
DURATIONS = Path(__file__).with_name("durations.json")
KEPT_PER_EXAMPLE = 8  # so that returning to an earlier version of an example needs no run


@dataclass(frozen=True)
class LastRun:
    """What is kept of the last run of an example or of another task.

    Attributes:
        seconds: How long it took.
        parts: What its key was made from, by name; see `tools.run.reasons`.
    """

    seconds: float
    parts: dict[str, str]


class Store:
    """The results of finished executions, each under a key made from what it depends on.

    A result is one file, next to a folder with the files that the example left behind. One more
    file for each example describes its last run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, Result] = {}
        with contextlib.suppress(OSError):  # of a folder that may only be read, all is read
            folder.mkdir(parents=True, exist_ok=True)
        remove_parts(folder)

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
        self, example: Example, result: Result, run: LastRun, left: Iterable[Path] = ()
    ) -> Result:
        """Store a result and the files that were left, and delete this example's oldest results.

        Returns:
            The result with the names of the files.
        """
        files = sorted(left)
        for file in files:
            kept = self.file(example, file.name)
            kept.parent.mkdir(exist_ok=True)
            write_at_once(kept, file.read_bytes())
        # last, because readers of the result expect the files
        result = replace(result, files=tuple(file.name for file in files))
        write_at_once(self.path(example), result.to_json())
        self.keep_run(example.name, run)
        results = self.folder.glob(f"{example.name}-{'[0-9a-f]' * len(example.key)}.json")
        for old in sorted(results, key=lambda p: p.stat().st_mtime)[:-KEPT_PER_EXAMPLE]:
            old.unlink(missing_ok=True)
            shutil.rmtree(old.with_suffix(""), ignore_errors=True)
        return result

    def last_run(self, name: str) -> LastRun | None:
        """The last run of this example or task; None if there is none, or its file is damaged."""
        try:
            read = json.loads(self._last_run(name).read_text("utf-8"))
            return LastRun(
                float(read["seconds"]), {str(k): str(v) for k, v in read["parts"].items()}
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def keep_run(self, name: str, run: LastRun) -> None:
        write_at_once(self._last_run(name), json.dumps(asdict(run), ensure_ascii=False, indent=1))

    def _last_run(self, name: str) -> Path:
        return self.folder / f"{name}.last.json"

    def seconds(self, example: Example) -> float:
        """How long this example took when it last ran, or runs as a rule; infinity if unknown."""
        if last := self.last_run(example.name):
            return last.seconds
        return usual_seconds().get(example.name, float("inf"))


def usual_seconds() -> dict[str, float]:
    """How long the examples took where they were last measured."""
    return {name: float(given) for name, given in json.loads(DURATIONS.read_text("utf-8")).items()}
