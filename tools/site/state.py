"""What outlives one of the events that mkdocs calls, and while serving one build."""

from __future__ import annotations

from pathlib import Path

from mkdocs.structure.nav import Navigation

from tools.run import memo
from tools.run.examples import load_examples
from tools.run.runner import CACHE, Runner
from tools.site.reference import Names
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
        self.names = Names({}, self.lesson)
        self.nav: Navigation | None = None

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
