"""The execution of one example in a process of its own, from its cells to its result."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tools.run import record
from tools.run.cells import ROOT
from tools.run.examples import Example
from tools.run.process import PYTHON, Job, ending_in_words
from tools.run.records import Result

RECORD = ROOT / "tools" / "run" / "record.py"
ENVIRONMENT = record.ENVIRONMENT | {"MATPLOTLIBRC": str(ROOT / "tools" / "run" / "matplotlibrc")}


def execute(example: Example, job: Job, folder: Path) -> tuple[Result, list[Path]]:
    """Execute an example.

    Args:
        job: Is told of the progress.
        folder: An empty folder for everything that the execution writes.

    Returns:
        The result, and the files that the example left in its own folder. If the process ended
        without a result, this says how.
    """
    room = folder / "room"  # an empty folder, as a reader starts with
    room.mkdir()
    cells, script, written = folder / "cells", room / example.path.name, folder / "result"
    code = [{"source": cell.source, "line": cell.line} for cell in example.code]
    cells.write_text(json.dumps(code), "utf-8")
    script.write_text(example.text, "utf-8")
    cell, where = 0, "starting"

    def on_line(line: str) -> None:
        nonlocal cell, where
        cell = json.loads(line)["cell"]
        title = f" ({example.code[cell].title})" if example.code[cell].title else ""
        where = f"cell {cell + 1} of {len(code)}{title}"
        job.report(where)

    ended, errors = job.run(
        [*PYTHON, str(RECORD), str(cells), str(script), str(written)],
        folder,
        room,
        ENVIRONMENT,
        on_line,
        on_progress=lambda bar: job.report(f"{where}: {bar}"),
    )
    if not written.exists():
        # If there was time, the fault handler printed the lines, innermost first.
        lines = re.findall(rf'File "{re.escape(str(script))}", line (\d+)', errors)
        row = int(lines[0]) - example.code[cell].line if lines else 0
        return Result.failed(f"its process {ending_in_words(ended)}", errors, cell, row), []
    text = written.read_text("utf-8").replace(str(script), f"examples/{example.path.name}")
    try:
        result = Result.from_json(text.replace(str(room), "."))
    except ValueError:  # a full disk cuts it off
        said = errors.strip().rpartition("\n")[2] or ending_in_words(ended)
        rooms = f"some megabytes in {folder.parent}"
        return Result.failed(f"its result is incomplete ({said}); it needs room for {rooms}"), []
    return result, [path for path in room.iterdir() if path.is_file() and path != script]
