"""What the tests of the tools share: small examples, a small site, and the one run of the real."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from bs4 import BeautifulSoup
from filelock import FileLock
from hypothesis import settings

from tools.run.examples import Example, load_examples, parse
from tools.run.problems import problems_of
from tools.run.process import log as runner_log
from tools.run.records import Outcome
from tools.run.runner import Runner

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("lesson", deadline=None)  # a busy machine is slow, and not wrong
settings.load_profile("lesson")


def pytest_configure() -> None:
    """One thread for each worker of pytest-xdist and for what it starts: two that wait for each
    other's core make a step of 10 ms take a second."""
    os.environ["OMP_NUM_THREADS"] = "1"  # before any test imports torch


# What a test needs decides when it runs, see the Makefile.
NEEDS = {"built": "browser", "chromium": "browser", "site": "lesson", "runner": "lesson"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the browser, or the examples and with them the trained checkpoint."""
    for item in items:
        for fixture, mark in NEEDS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)


def article(page: str) -> str:
    """The content of a page, without what the theme puts around it."""
    return page.partition("<article")[2].partition("</article>")[0]


def menu(page: str) -> dict[str, str]:
    """The names in the navigation of a page, by the address that each leads to."""
    links = BeautifulSoup(page, "html.parser").select(".md-nav--primary a.md-nav__link[href]")
    return {
        str(link["href"]): link.get_text(strip=True) for link in links if "#" not in link["href"]
    }


@dataclass
class Workshop:
    """A folder of made-up examples, and runners that run them."""

    folder: Path
    runners: list[Runner] = field(default_factory=list)

    def example(self, name: str, text: str) -> Example:
        path = self.folder / "examples" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), "utf-8")
        return parse(path)

    def runner(self, cache: str = "cache", cores: int = 2, **settings: Any) -> Runner:
        self.runners.append(Runner(self.folder / cache, cores, **settings))
        return self.runners[-1]

    def run(self, *examples: Example, **settings: Any) -> list[Outcome]:
        runner = self.runner(**settings)
        runner.want(examples)
        runner.wait()
        return [runner.outcome(example) for example in examples]

    def problems(self, name: str, text: str) -> list[str]:
        """What the run of such an example must not publish, as file:line: message."""
        example = self.example(name, text)
        (outcome,) = self.run(example)
        found = [problem for _, problem in problems_of(example, outcome.result)]
        return [f"{problem.path.name}:{problem.line}: {problem.message}" for problem in found]


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    yield made
    for runner in made.runners:
        runner.stop()


@dataclass
class Project:
    """A copy of what makes the site, with pages and examples of its own."""

    folder: Path
    second: int = 1_700_000_000  # when it is built, since 1970

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip("\n"), "utf-8")
        return file

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"NO_MKDOCS_2_WARNING": "1", "SOURCE_DATE_EPOCH": str(self.second)}

    def build(self, *options: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """`mkdocs build --strict`, as it is typed in a terminal."""
        config = self.folder / "mkdocs.yml"
        return subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), *options],
            cwd=cwd or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def page(self, name: str = "page") -> str:
        return (self.folder / "site" / f"{name}.html").read_text("utf-8")


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    """Makes an empty site with this project's own settings and tools."""

    def make() -> Project:
        folder = tmp_path_factory.mktemp("project")
        shutil.copytree(
            ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copytree(ROOT / "docs" / "assets", folder / "docs" / "assets")
        settings = (ROOT / "mkdocs.yml").read_text("utf-8")
        before, nav = settings.split("\nnav:\n")
        after = nav.partition("\n\n")[2]
        (folder / "mkdocs.yml").write_text(f"{before}\n\n{after}", "utf-8")
        for name in ("pyproject.toml", "LICENSE", "README.md"):  # of the package
            shutil.copy(ROOT / name, folder)
        for name in ("examples", "src/bertlesson"):  # mkdocs watches them
            (folder / name).mkdir(parents=True)
        (folder / "src" / "bertlesson" / "py.typed").touch()
        return Project(folder)

    return make


@pytest.fixture(scope="session")
def examples() -> dict[str, Example]:
    found, problems = load_examples()
    assert not problems, "\n".join(map(str, problems))
    return found


@contextmanager
def progress_shown(config: pytest.Config) -> Iterator[None]:
    """Let the runner tell how far it is: cold it takes minutes, and pytest would keep it quiet."""
    capture = config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    level = runner_log.level
    with capture.global_and_fixture_disabled():
        handler = logging.StreamHandler(sys.stderr)
        runner_log.addHandler(handler)
        runner_log.setLevel(logging.INFO)
        try:
            yield
        finally:
            runner_log.setLevel(level)
            runner_log.removeHandler(handler)


@pytest.fixture(scope="session")
def runner(
    examples: dict[str, Example], pytestconfig: pytest.Config, shared_folder: Path
) -> Iterator[Runner]:
    """Has run every example of the lesson, once; what has been run before is not run again."""
    made = Runner()
    with progress_shown(pytestconfig), FileLock(shared_folder / "examples.lock"):
        made.want(examples.values())
        made.wait()
    yield made
    made.stop()


def build(folder: Path) -> float:
    """Build the site into a folder; returns the seconds it took."""
    started = time.perf_counter()
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "SOURCE_DATE_EPOCH": "1700000000"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return time.perf_counter() - started


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of pytest-xdist see."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def site(shared_folder: Path, runner: Runner) -> Path:
    """The site, built once after the one execution of the examples."""
    folder = shared_folder / "site"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            build(folder)
    return folder
