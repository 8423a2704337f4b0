"""What outlives one of the events that mkdocs calls, and while serving one build."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout
from mkdocs.structure.nav import Navigation

from tools.run import memo
from tools.run.examples import load_examples
from tools.run.runner import CACHE, Runner
from tools.site.reference import Names
from tools.site.search import SearchIndex
from tools.site.serve import Kept
from tools.weave.pages import Lesson
from tools.weave.project import Woven

log = logging.getLogger("mkdocs.lesson")


def writable(folder: Path) -> Path:
    """The folder, or a temporary one if nobody may write there."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if os.access(folder, os.W_OK):
        return folder
    log.info("%s cannot be written to: nothing is kept of this build", folder)
    temporary = Path(tempfile.mkdtemp(prefix="lesson-work-"))
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return temporary


class Site:
    """The examples, the woven pages, and what is kept for the next build."""

    def __init__(self, command: str) -> None:
        self.serving = command == "serve"
        self.served = False  # at least once
        # Separate folders let a build and a server run at the same time.
        self.work = writable(CACHE.parent / command)
        self.memo = memo.FOLDER
        self.signal = self.work / "signal"  # touched when an example is done; `serve` watches it
        self.runner = Runner(on_done=lambda name: self.signal.touch() if self.serving else None)
        self.lesson = Lesson({}, {})
        self.woven = Woven({}, {}, {}, {}, [])
        self.search = SearchIndex(self.work / "search.json")
        self.kept = Kept()
        self.styles: list[Path] = []
        self.names = Names({}, self.lesson)
        self.nav: Navigation | None = None
        self.lock: FileLock | None = None

    def take(self, folder: Path) -> None:
        """Wait until no other build of this project writes into the folder of the site."""
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        self.lock = FileLock(self.work / f"site-{name}.lock")
        try:
            self.lock.acquire(timeout=0)
        except Timeout:
            log.info("Another build is writing into %s; waiting for it", folder)
            self.lock.acquire()

    def give_back(self) -> None:
        """Let the next build write there."""
        if self.lock:
            self.lock.release()

    def load(self) -> None:
        """Read the examples, have them run, and take what is known of each."""
        if not self.served:
            memo.read(self.memo)
        examples, problems = load_examples()
        if examples and (self.served or not self.serving):  # the first pages need the cores
            self.runner.want(examples.values())
        if not self.serving:
            self.runner.wait()
        outcomes = {name: self.runner.outcome(example) for name, example in examples.items()}
        self.lesson = Lesson(examples, outcomes, problems)
