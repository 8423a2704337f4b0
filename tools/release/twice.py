"""Build the site twice from what is checked out, as on two machines, and compare all files.

    python -m tools.release.twice OUT       leaves the site in OUT, which must be empty or missing

The second build is that of a copy in another folder, without what the first has kept, on a later
day, in another time zone, with another locale and umask. The examples are executed once, before.
SOURCE_DATE_EPOCH is the commit's time, so that a later day gives the same files.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.run.cells import ROOT

LATER = Path(__file__).with_name("later")  # changes the clock


def main(arguments: list[str] | None = None) -> int:
    parser = ArgumentParser("python -m tools.release.twice")
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args(arguments).out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        print(f"{out}: expected an empty folder or none; name another", file=sys.stderr)
        return 2
    with TemporaryDirectory() as folder:
        again = Path(folder) / "site again"
        build(out)
        build(again, copy_of(ROOT, Path(folder) / "another place"))
        differing = [*differences(out, again)]
    for line in differing:
        print(line, file=sys.stderr)
    print(f"{len(files(out))} files, {len(differing)} differ")
    return 1 if differing else 0


def build(out: Path, checkout: Path = ROOT) -> None:
    """Build a checkout; one that is not ours as it is built elsewhere and later."""
    # not --quiet, under which mkdocs counts no warnings, so that --strict fails for none
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d"]
    environment = {"SOURCE_DATE_EPOCH": commit_time()} | os.environ
    wrapper = []
    if checkout != ROOT:
        environment |= elsewhere(checkout)
        wrapper = ["sh", "-c", 'umask 077; exec "$@"', "sh"]
    command = [*wrapper, *command, str(out.resolve())]
    subprocess.run(command, cwd=checkout, env=environment, check=True)


def commit_time() -> str:
    """When the commit was made, in seconds since 1970."""
    made = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    return subprocess.run(made, check=True, capture_output=True, text=True).stdout.strip()


def elsewhere(checkout: Path) -> dict[str, str]:
    """The environment of a build on another machine, on a later day."""
    return {
        "PYTHONPATH": os.pathsep.join([str(LATER), str(checkout / "src")]),
        "TZ": "Pacific/Kiritimati",  # 14 hours ahead of Greenwich
        "LC_ALL": "C",
        "COLUMNS": "60",
    }


def copy_of(checkout: Path, folder: Path) -> Path:
    """Copy the tracked files, what git knows of them, and the results of the examples."""
    command = ["git", "-C", str(checkout), "ls-files", "-z"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (checkout / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(checkout / name, folder / name)
    if (checkout / ".git").is_dir():
        shutil.copytree(checkout / ".git", folder / ".git")
    else:  # of a worktree: a file that names the repository
        shutil.copy(checkout / ".git", folder / ".git")
    if (results := checkout / ".cache" / "examples").is_dir():
        shutil.copytree(results, folder / ".cache" / "examples")
    return folder


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
