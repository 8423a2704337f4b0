"""Build the site twice from what is checked out, in different folders, and compare all files.

    python -m tools.release.twice OUT       leaves the site in OUT, which must be empty or missing

The examples are executed once, before. SOURCE_DATE_EPOCH is the commit's time, so that a later day
gives the same files.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.run.cells import ROOT


def main(arguments: list[str] | None = None) -> int:
    parser = ArgumentParser("python -m tools.release.twice")
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args(arguments).out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        print(f"{out}: expected an empty folder or none; name another", file=sys.stderr)
        return 2
    with TemporaryDirectory() as folder:
        for built in out, Path(folder) / "again":
            build(built)
        differing = [*differences(out, Path(folder) / "again")]
    for line in differing:
        print(line, file=sys.stderr)
    print(f"{len(files(out))} files, {len(differing)} differ")
    return 1 if differing else 0


def build(out: Path) -> None:
    made = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    epoch = subprocess.run(made, check=True, capture_output=True, text=True).stdout.strip()
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d"]
    environment = {"SOURCE_DATE_EPOCH": epoch} | os.environ
    subprocess.run([*command, str(out.resolve())], cwd=ROOT, env=environment, check=True)


def differences(one: Path, other: Path) -> Iterator[str]:
    """A line for each file that is missing on a side or differs."""
    here, there = files(one), files(other)
    for name in sorted(here | there):
        if name not in there:
            yield f"{name}: in the first build alone"
        elif name not in here:
            yield f"{name}: in the second build alone"
        elif (a := (one / name).read_bytes()) != (b := (other / name).read_bytes()):
            at = next((i for i, pair in enumerate(zip(a, b, strict=False)) if pair[0] != pair[1]),
                      min(len(a), len(b)))  # fmt: skip
            yield f"{name}: differs from byte {at}: {a[at : at + 40]!r} and {b[at : at + 40]!r}"


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


if __name__ == "__main__":
    sys.exit(main())
