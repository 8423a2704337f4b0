"""Plant mistakes in the package and in the examples, and see which claims fall.

    python -m tools.release.planted                    all changes of planted.toml
    python -m tools.release.planted "the mix"          those whose words contain this
    python -m tools.release.planted --sound            the examples alone, without a change

This is what `make planted` runs. A change is a text in a file and another one in its place, see
`tools/release/noticed/planted.toml`. The examples that it names are run with it in a copy; each
claim that is false then is kept in `tools/release/noticed/claims.json`, from which a page is made.
The small BERT is the one of the unchanged package, or each change would train it again for
minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bertlesson.lesson import tiny
from tools.release.planting import FOLDER, Change, read_changes
from tools.run.cells import ROOT
from tools.run.examples import EXAMPLES, PACKAGE, Example, parse
from tools.run.problems import problems_of
from tools.run.record import ENVIRONMENT
from tools.run.records import Result

PLANTED, FOUND = FOLDER / "planted.toml", FOLDER / "claims.json"
SECONDS = 150  # that an example may take with a change; one that takes longer is ended


def main(arguments: list[str] | None = None) -> int:
    parser = ArgumentParser("python -m tools.release.planted")
    parser.add_argument("words", nargs="?", default="", help="only changes with these words")
    parser.add_argument("--sound", action="store_true", help="run the examples without a change")
    given = parser.parse_args(arguments)
    changes = read_changes(PLANTED)
    named = sorted({name for change in changes for name in change.examples})
    found: dict[str, Any] = {"claims": {}, "changes": {}}
    if FOUND.exists():
        found = json.loads(FOUND.read_text("utf-8"))
    with forked() as run:
        if given.sound:
            for name in named:
                _sound(name, run, found)
        for change in changes:
            if given.words in change.what and not given.sound:
                found["changes"][change.what] = planted(change, run, found["claims"])
                kept = found["changes"][change.what]
                print(f"{change.what}: {in_words(kept)}", flush=True)
                _write(found, changes)
    _write(found, changes)
    unnoticed = [change.what for change in changes if not noticed(found["changes"], change.what)]
    for what in unnoticed:
        print(f"not noticed, or not tried: {what}")
    return 1 if unnoticed else 0


def noticed(found: Mapping[str, Any], what: str) -> bool:
    """Whether a change has made a claim false or ended an example."""
    return what in found and bool(found[what]["false"] or found[what]["ended"])


def in_words(kept: Mapping[str, Any]) -> str:
    false = sum(map(len, kept["false"].values()))
    ended = "".join(f"; {name} ended: {why}" for name, why in kept["ended"].items())
    return f"{false} claims false{ended}"


def _write(found: Mapping[str, Any], changes: Iterable[Change]) -> None:
    kept = {
        "claims": dict(sorted(found["claims"].items())),
        "changes": {
            change.what: found["changes"][change.what]
            for change in changes
            if change.what in found["changes"]
        },
    }
    FOUND.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _sound(name: str, run: Any, found: dict[str, Any]) -> None:
    """Run an example as it is: its claims must hold, or nothing can be said of a change."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lesson-") as folder:
        shutil.copytree(PACKAGE, Path(folder) / "bertlesson", ignore=_caches)
        example = parse(EXAMPLES / f"{name}.py")
        result = run(example, Path(folder))
    if problems := problems_of(example, result):
        raise RuntimeError(f"without a change: {problems[0][1]}")
    found["claims"][name] = [claim.sentence for claim in result.claims]
    print(f"{name}: {len(result.claims)} claims, {time.monotonic() - began:.0f} s", flush=True)


_caches = shutil.ignore_patterns("__pycache__")


def planted(change: Change, run: Any, sound: Mapping[str, list[str]]) -> dict[str, Any]:
    """What becomes of the claims with one change.

    Args:
        change: The mistake.
        run: Runs an example with the package in a folder, see `forked`.
        sound: The claims of each example without a change.

    Returns:
        ``false``: for each example, the sentences that are false, each with what the build says,
        which begins with file and line. ``ended``: what the build says of an example that did not
        get to its end.
    """
    false, ended = {}, {}
    for name in change.examples:
        with tempfile.TemporaryDirectory(prefix="lesson-") as made:
            folder = Path(made).resolve()
            shutil.copytree(PACKAGE, folder / "bertlesson", ignore=_caches)
            path = EXAMPLES / f"{name}.py"
            if change.path.startswith("src/"):
                target = folder / Path(change.path).relative_to("src")
                target.write_text(change.applied(target.read_text("utf-8")), "utf-8")
                example = parse(path)
            else:
                target = folder / path.name
                target.write_text(change.applied(path.read_text("utf-8")), "utf-8")
                example = parse(target)
            result = run(example, folder)
        problems = [problem for _, problem in problems_of(example, result)]
        told = {problem.line: f"examples/{path.name}:{problem.line}: {problem.message}"
                for problem in problems}  # fmt: skip
        kept = {}
        for claim, sentence in zip(result.claims, sound[name], strict=False):
            if not claim.passed:
                kept[sentence] = told[example.code[claim.cell].line + claim.row]
        if kept:
            false[name] = kept
        if result.failure:
            ended[name] = result.failure.message
    return {"false": false, "ended": ended}


@contextmanager
def forked() -> Iterator[Any]:
    """A function that runs an example with the package in a folder, and returns its result."""
    checkpoint = str(tiny.cache_folder() / f"tiny-{tiny.key(tiny.Settings())}")
    if not Path(checkpoint).is_dir():
        raise RuntimeError(
            f"{checkpoint} is not there; train it first: python -m bertlesson.lesson.tiny"
        )
    command = ["nice", "-n", "10", sys.executable, "-m", "tools.release.forked"]
    environment = os.environ | ENVIRONMENT
    environment["MATPLOTLIBRC"] = str(ROOT / "tools" / "run" / "matplotlibrc")
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout

    def run(example: Example, folder: Path) -> Result:
        room, cache = folder / "room", folder / "cache"
        room.mkdir()
        cache.mkdir()
        script = room / example.path.name
        script.write_text(example.text, "utf-8")
        job = {
            "package": str(folder),
            "cache": str(cache),
            "checkpoint": checkpoint,
            "cells": [{"source": cell.source, "line": cell.line} for cell in example.code],
            "script": str(script),
            "result": str(folder / "result"),
            "seconds": SECONDS,
        }
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        status = json.loads(process.stdout.readline())["status"]
        if status:
            said = f"did not end in {SECONDS} s" if status == -14 else f"ended with {status}"
            return Result.failed(said)
        return Result.from_json((folder / "result").read_text("utf-8"))

    try:
        yield run
    finally:
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
