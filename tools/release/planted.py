"""Plant mistakes in the package and in the examples, and see which claims fall.

    python -m tools.release.planted                    all changes of planted.toml
    python -m tools.release.planted "the mix"          those with this in their words or path
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
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bertlesson.lesson import tiny
from tools.release.planting import (
    FOLDER,
    Change,
    read_changes,
    read_found,
    still_planted,
    update,
)
from tools.run.cells import ROOT, parse_cells
from tools.run.examples import EXAMPLES, PACKAGE, Example, parse
from tools.run.problems import problems_of
from tools.run.record import ENVIRONMENT
from tools.run.records import Result

PLANTED, FOUND = FOLDER / "planted.toml", FOLDER / "claims.json"
NOTHING: dict[str, Any] = {"claims": {}, "changes": {}}
Run = Callable[[Path, Example, list[Example]], list[Result]]
SECONDS = 400  # of a core that an example may take with a change; one that takes more is ended
NO_VERDICT = f"took more than {SECONDS} s"


def main(arguments: list[str] | None = None) -> int:
    parser = ArgumentParser("python -m tools.release.planted")
    parser.add_argument("words", nargs="?", default="", help="only changes with these words")
    parser.add_argument("--missing", action="store_true", help="only what has not been tried")
    parser.add_argument("--sound", action="store_true", help="run the examples without a change")
    given = parser.parse_args(arguments)
    changes = read_changes(PLANTED)
    named = sorted({name for change in changes for name in change.examples})
    found = NOTHING | read_found(FOUND)
    chosen = [
        change
        for change in changes
        if given.words in f"{change.path} {change.what}"
        and not (given.missing and change.what in found["changes"])
    ]
    with forked() as run:
        if given.sound:
            for name in (each for each in named if given.words in each):
                _write(changes, "claims", name, _sound(name, run))
            chosen = []
        for change, kept in _tried(chosen, run, found["claims"]):
            print(f"{change.what}: {in_words(kept)}", flush=True)
            if NO_VERDICT not in kept["ended"].values():
                _write(changes, "changes", change.what, kept)
    found = NOTHING | read_found(FOUND)
    unnoticed = [change.what for change in changes if not noticed(found["changes"], change.what)]
    for what in unnoticed:
        print(f"not noticed, or not tried: {what}")
    return 1 if unnoticed else 0


def _tried(
    changes: list[Change], run: Run, sound: Mapping[str, list[str]]
) -> Iterator[tuple[Change, dict[str, Any]]]:
    own: dict[str, list[Change]] = {}  # of each example
    for change in changes:
        if change.path.startswith("src/"):
            yield change, in_package(change, run, sound)
        else:
            own.setdefault(change.path, []).append(change)
    for group in own.values():
        yield from in_example(group, run, sound)


def noticed(found: Mapping[str, Any], what: str) -> bool:
    """Whether a change has made a claim false or ended an example."""
    return what in found and bool(found[what]["false"] or found[what]["ended"])


def in_words(kept: Mapping[str, Any]) -> str:
    false = sum(map(len, kept["false"].values()))
    ended = "".join(f"; {name} ended: {why}" for name, why in kept["ended"].items())
    return f"{false} claims false{ended}"


def _write(changes: Iterable[Change], kind: str, name: str, kept: Any) -> None:
    """Put one result into the file, whose other entries stay."""

    def with_it(found: dict[str, Any]) -> dict[str, Any]:
        found = NOTHING | found
        found |= {kind: found[kind] | {name: kept}}
        return {
            "claims": dict(sorted(found["claims"].items())),
            "changes": still_planted(found["changes"], changes),
        }

    update(FOUND, with_it)


def _sound(name: str, run: Run) -> list[str]:
    """Run an example as it is: its claims must hold, or nothing can be said of a change."""
    began = time.monotonic()
    example = parse(EXAMPLES / f"{name}.py")
    with _package() as folder:
        (result,) = run(folder, example, [])
    if problems := problems_of(example, result):
        raise RuntimeError(f"without a change: {problems[0][1]}")
    print(f"{name}: {len(result.claims)} claims, {time.monotonic() - began:.0f} s", flush=True)
    return [claim.sentence for claim in result.claims]


@contextmanager
def _package() -> Iterator[Path]:
    """A folder with a copy of the package."""
    with tempfile.TemporaryDirectory(prefix="lesson-", ignore_cleanup_errors=True) as made:
        folder = Path(made).resolve()
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PACKAGE, folder / "bertlesson", ignore=ignored)
        yield folder


def in_package(change: Change, run: Run, sound: Mapping[str, list[str]]) -> dict[str, Any]:
    """What becomes of the claims with one change of the package.

    Args:
        change: The mistake.
        run: See `forked`.
        sound: The claims of each example without a change.

    Returns:
        ``false``: for each example, the sentences that are false, each with what the build says,
        which begins with file and line. ``ended``: what the build says of an example that did not
        get to its end.
    """
    kept: dict[str, Any] = {"false": {}, "ended": {}}
    for name in change.examples:
        with _package() as folder:
            target = folder / Path(change.path).relative_to("src")
            target.write_text(change.applied(target.read_text("utf-8")), "utf-8")
            example = parse(EXAMPLES / f"{name}.py")
            (result,) = run(folder, example, [])
        _keep(kept, example, result, sound[name])
    return kept


def in_example(
    changes: list[Change], run: Run, sound: Mapping[str, list[str]]
) -> Iterator[tuple[Change, dict[str, Any]]]:
    """The same for changes of one example's own code, up to the first section that falls."""
    path = ROOT / changes[0].path
    example = parse(path)
    changed = [replace(example, text=change.applied(example.text)) for change in changes]
    changed = [replace(each, cells=parse_cells(path, each.text)) for each in changed]
    with _package() as folder:
        _, *results = run(folder, example, changed)
    for change, other, result in zip(changes, changed, results, strict=True):
        kept: dict[str, Any] = {"false": {}, "ended": {}}
        _keep(kept, other, result, sound[example.name])
        yield change, kept


def _keep(kept: dict[str, Any], example: Example, result: Result, sound: list[str]) -> None:
    told = {problem.line: str(problem) for _, problem in problems_of(example, result)}
    fallen = {
        sentence: told[example.code[claim.cell].line + claim.row]
        for claim, sentence in zip(result.claims, sound, strict=False)
        if not claim.passed
    }
    if fallen:
        kept["false"][example.name] = fallen
    if result.failure:
        kept["ended"][example.name] = result.failure.message


@contextmanager
def forked() -> Iterator[Run]:
    """A function that runs an example with the package in a folder.

    It is given the folder, the example, and variants of the example whose cells differ; it returns
    the results of all, in this order.
    """
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

    def run(folder: Path, example: Example, changed: list[Example]) -> list[Result]:
        room, cache = folder / "room", folder / "cache"
        room.mkdir()
        cache.mkdir()
        script = room / example.path.name
        script.write_text(example.text, "utf-8")
        job = {
            "package": str(folder),
            "cache": str(cache),
            "checkpoint": checkpoint,
            "cells": _cells(example),
            "script": str(script),
            "result": str(folder / "result"),
            "seconds": SECONDS,
            "variants": [
                {
                    "from": _first_other(example, other),
                    "cells": _cells(other),
                    "result": str(folder / f"result {number}"),
                }
                for number, other in enumerate(changed)
            ],
        }
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        process.stdout.readline()  # it has ended
        paths = [folder / "result", *(folder / f"result {n}" for n in range(len(changed)))]
        return [
            Result.from_json(path.read_text("utf-8"))
            if path.exists()
            else Result.failed(NO_VERDICT)
            for path in paths
        ]

    try:
        yield run
    finally:
        process.stdin.close()
        process.wait()


def _cells(example: Example) -> list[dict[str, Any]]:
    return [{"source": cell.source, "line": cell.line} for cell in example.code]


def _first_other(example: Example, other: Example) -> int:
    """The first cell that differs."""
    pairs = zip(example.code, other.code, strict=True)
    return next(number for number, (one, two) in enumerate(pairs) if one.source != two.source)


if __name__ == "__main__":
    sys.exit(main())
