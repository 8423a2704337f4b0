"""The command that runs all examples."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any


def test_the_command_line_runs_everything_and_says_what_is_wrong(
    new_project: Callable[[], Any],
) -> None:
    project = new_project()
    project.write("examples/good.py", "# %%\nassert 2 > 1, 'two is more'\n")
    command = [sys.executable, "-m", "tools.run"]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=project.folder, capture_output=True, text=True)

    assert run().returncode == 0
    project.write("examples/bad.py", "# %%\nassert 1 > 2, 'one is more'\n")
    project.write("examples/worse.py", "x = 1\n")
    ended = run()
    assert ended.returncode == 1
    assert "examples/bad.py:2: claim is false: one is more (1 > 2)" in ended.stderr
    assert "examples/worse.py:1: an example starts with a cell" in ended.stderr
    kept = json.loads(next((project.folder / ".cache/examples").glob("good-*.json")).read_text())
    assert kept["claims"][0]["passed"]


def test_the_durations_of_the_last_runs_are_written(new_project: Callable[[], Any]) -> None:
    project = new_project()
    for name in ("long", "quick", "never_run"):
        project.write(f"examples/{name}.py", "# %%\n1\n")
    for name, seconds in (("long", 12.6), ("quick", 0.2), ("gone", 3.0)):
        last = json.dumps({"seconds": seconds, "parts": {}})
        project.write(f".cache/examples/{name}.last.json", last)
    command = [sys.executable, "-m", "tools.run", "--durations"]
    ended = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    written = json.loads((project.folder / "tools" / "run" / "durations.json").read_text())
    assert written == {"long": 13, "quick": 0}
    assert not list((project.folder / ".cache" / "examples").glob("*-*.json"))  # nothing has run
