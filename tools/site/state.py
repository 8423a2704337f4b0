"""What outlives one of the events that mkdocs calls, and while serving one build."""

from __future__ import annotations

from pathlib import Path

from mkdocs.structure.nav import Navigation

from tools.run import memo
from tools.run.runner import CACHE, Runner
from tools.site.search import SearchIndex
from tools.site.serve import SIGNAL, Kept
from tools.weave.pages import Lesson
from tools.weave.project import Woven


class Site:
    """The examples, the woven pages, and what is kept for the next build."""

    def __init__(self, command: str) -> None:
        self.serving = command == "serve"
        self.served = False  # at least once
        # Separate folders let a build and a server run at the same time.
        self.work = CACHE.parent / command
        self.memo = memo.FOLDER
        self.runner = Runner(on_done=lambda name: SIGNAL.touch() if self.serving else None)
        self.lesson = Lesson({}, {})
        self.woven = Woven({}, {}, {}, {}, [])
        self.search = SearchIndex(self.work / "search.json")
        self.kept = Kept()
        self.styles: list[Path] = []
        self.nav: Navigation | None = None
