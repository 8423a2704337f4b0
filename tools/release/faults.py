"""Break builds of the site on purpose, and see that nothing stale or torn is left for the next one.

    python -m tools.release.faults                  all of it
    python -m tools.release.faults killed --builds 5

It works on a copy of what is checked out, with the results of the examples, and takes about half a
minute for each of the twenty killed builds. The full disk and the read-only folder are mounted,
which takes Linux, and root or user namespaces; where that fails, it says that they were left out.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from tools.release.twice import copy_of, differences
from tools.run.cells import ROOT

SECOND = "1700000000"  # when all builds are made, since 1970
OF_TORCH = re.compile("torchinductor_")  # its own cache, for all that a user runs
COLD = ("build", "memo", "wheel")  # what a build writes besides the results of the examples


@dataclass
class Copy:
    """A checkout that is built again and again."""

    folder: Path

    def start(self, out: Path, *before: str) -> subprocess.Popen[str]:
        """Start a build into a folder, with a folder of its own for temporary files.

        Args:
            out: The folder of the site.
            before: What the command begins with, such as a wrapper that mounts something.
        """
        self.temporary.mkdir(exist_ok=True)
        command = [sys.executable, "-B", "-m", "mkdocs", "build", "--strict", "-d", str(out)]
        return subprocess.Popen(
            [*before, *command],
            cwd=self.folder,
            env=os.environ
            | {"NO_MKDOCS_2_WARNING": "1", "SOURCE_DATE_EPOCH": SECOND}
            | {"TMPDIR": str(self.temporary)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def build(self, out: Path, *before: str) -> tuple[int, str]:
        """Build; returns the exit code and what was said."""
        process = self.start(out, *before)
        said = process.communicate()[1]
        return process.returncode, said

    @property
    def temporary(self) -> Path:
        return self.folder / "temporary"

    @property
    def cache(self) -> Path:
        return self.folder / ".cache"

    def cool(self) -> None:
        """Forget all but the results of the examples."""
        for name in COLD:
            shutil.rmtree(self.cache / name, ignore_errors=True)

    def forget(self, example: str) -> None:
        for path in (self.cache / "examples").glob(f"{example}-*.json"):
            path.unlink()

    def wrong(self, good: Path) -> Iterator[str]:
        """What differs now from a good build, and what is left over besides the site."""
        out = self.folder / "site"
        code, said = self.build(out)
        if code:
            yield f"the next build failed: {' / '.join(said.strip().splitlines()[-3:])}"
            return
        yield from (f"after the next build, {line}" for line in differences(good, out))
        yield from left_over(self.temporary)


def left_over(folder: Path, wait: float = 10) -> Iterator[str]:
    """What stays in the folder of temporary files after so many seconds, or fewer."""
    until = time.monotonic() + wait
    while (left := [path.name for path in folder.iterdir() if not OF_TORCH.match(path.name)]) and (
        time.monotonic() < until
    ):
        time.sleep(0.1)
    yield from (f"{name} was left among the temporary files" for name in left)


def kill(process: subprocess.Popen[str], after: float) -> bool:
    """Kill a build as the system would; returns whether it was still running."""
    try:
        process.communicate(timeout=after)
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True


def killed(copy: Copy, good: Path, moments: Iterable[float], example: str) -> Iterator[str]:
    """Kill a build after each of these seconds; the next one must be like a good one.

    Every second one begins with cold caches, every fourth has to run an example.
    """
    for number, after in enumerate(moments, 1):
        if number % 2:
            copy.cool()
        if number % 4 == 1:
            copy.forget(example)
        word = "killed" if kill(copy.start(copy.folder / "site"), after) else "done"
        found = [*copy.wrong(good)]
        said = [f"build {number}, {word} after {after:.1f} s: {line}" for line in found or ["good"]]
        print(*said, sep="\n", flush=True)
        yield from said if found else ()


def random_moments(copy: Copy, builds: int, seed: int) -> Iterator[float]:
    """Moments within a build with cold caches."""
    copy.cool()
    began = time.monotonic()
    copy.build(copy.folder / "site")
    longest = time.monotonic() - began
    rng = random.Random(seed)
    yield from (rng.uniform(0, longest) for _ in range(builds))


def at_once(copy: Copy, good: Path, *pairs: tuple[str, str]) -> Iterator[str]:
    """Two cold builds at once, into each pair of folders."""
    for names in pairs:
        copy.cool()
        outs = [copy.folder / name for name in names]
        processes = [copy.start(out) for out in outs]
        for name, process in zip(names, processes, strict=True):
            said = process.communicate()[1].splitlines()[-3:]
            if process.returncode:
                yield f"of two builds, that into {name} failed: {' / '.join(said)}"
        for out in dict.fromkeys(outs):
            yield from (f"of two builds, {out.name}: {line}" for line in differences(good, out))


def mounted(*commands: str) -> list[str]:
    """The beginning of a command that has mounts of its own, which end with it."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", *user, "sh", "-c", " && ".join([*commands, 'exec "$@"']), "sh"]


def mounted_read_only(folder: Path) -> list[str]:
    """The beginning of a command that may only read a folder."""
    return mounted(f"mount --bind '{folder}' '{folder}'", f"mount -o remount,bind,ro '{folder}'")


def can_mount() -> bool:
    command = [*mounted(f"mount -t tmpfs none '{gettempdir()}'"), "true"]
    try:
        return not subprocess.run(command, capture_output=True).returncode
    except OSError:
        return False


def full(copy: Copy, good: Path, example: str) -> Iterator[str]:
    """A full disk for the site, for temporary files, and for the results of examples."""
    site = copy.folder / "site"
    for folder, megabytes, must_fail in (site, 2, True), (copy.temporary, 0, True):
        folder.mkdir(exist_ok=True)
        copy.forget(example)
        size = f"{megabytes}m" if megabytes else "8k"
        code, said = copy.build(site, *mounted(f"mount -t tmpfs -o size={size} none '{folder}'"))
        if must_fail and not code:
            yield f"a build passed with a full disk for {folder.name}"
        if "No space left on device" not in said or "Traceback" in said:
            yield f"a full disk for {folder.name} is not explained: {said.strip()[-300:]}"
        yield from (f"after a full disk for {folder.name}: {line}" for line in copy.wrong(good))
    copy.forget(example)
    copy.cool()
    kept = copy.cache / "examples"
    beside = copy.folder / "kept"
    shutil.copytree(kept, beside)
    pages = sum(-(-path.stat().st_size // 4096) for path in kept.rglob("*") if path.is_file())
    size = f"{4 * (pages + 1)}k"  # all that is there, and one page more
    fill = f"mount -t tmpfs -o size={size} none '{kept}' && cp -r '{beside}/.' '{kept}'"
    code, said = copy.build(site, *mounted(fill))
    shutil.rmtree(beside)
    if not code or "No space left on device" not in said:
        yield f"a full disk for the results is not explained: {said.strip()[-300:]}"
    yield from (f"after a full disk for the results: {line}" for line in copy.wrong(good))


def read_only(copy: Copy, good: Path, example: str) -> Iterator[str]:
    """Caches that can only be read: whole, with the results alone, then with a result missing."""
    site = copy.folder / "site"
    within = mounted_read_only(copy.cache)
    for state, forgotten in ("warm caches", ()), ("results alone", ("build", "memo")):
        for name in forgotten:
            shutil.rmtree(copy.cache / name)
        before = stamp(copy.cache)
        code, said = copy.build(site, *within)
        if code:
            yield f"with read-only {state} the build failed: {said.strip()[-300:]}"
        else:
            yield from (f"with read-only {state}: {line}" for line in differences(good, site))
        if stamp(copy.cache) != before:
            yield f"something was written into read-only {state}"
    copy.forget(example)
    code, said = copy.build(site, *within)
    if not code or "Read-only file system" not in said:
        yield f"a result that cannot be kept is not explained: {said.strip()[-300:]}"
    yield from (f"after a read-only cache: {line}" for line in copy.wrong(good))


def stamp(folder: Path) -> dict[str, tuple[int, int]]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}


def main(arguments: list[str] | None = None) -> int:
    parser = ArgumentParser("python -m tools.release.faults")
    parser.add_argument("which", nargs="*", help="killed, at_once, full, read_only; default: all")
    parser.add_argument("--builds", type=int, default=20, help="how many are killed")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--example", default="nsp", help="the one that has to run now and then")
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        copy, good = Copy(copy_of(ROOT, Path(folder) / "copy")), Path(folder) / "good"
        faults: dict[str, Callable[[], Iterator[str]]] = {
            "killed": lambda: killed(
                copy, good, random_moments(copy, given.builds, given.seed), given.example
            ),
            "at_once": lambda: at_once(copy, good, ("site", "site"), ("site", "other")),
            "full": lambda: full(copy, good, given.example),
            "read_only": lambda: read_only(copy, good, given.example),
        }
        if unknown := {*given.which} - {*faults}:
            parser.error(f"{', '.join(unknown)}: expected some of {', '.join(faults)}")
        code, said = copy.build(good)
        if code:
            print(said, file=sys.stderr)
            return code
        problems = 0
        for name in given.which or faults:
            if name in ("full", "read_only") and not can_mount():
                print(f"{name}: left out: it takes Linux, and root or user namespaces")
                continue
            found = [*faults[name]()]
            print(f"{name}: {len(found)} problems", *found, sep="\n  ", flush=True)
            problems += len(found)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
