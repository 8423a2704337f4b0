"""The tools under `mkdocs serve`: nothing waits, nothing stops, everything is shown."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Project, article
from tools.release.faults import can_mount, mounted_read_only, stamp
from tools.run.runner import CACHE, Runner

pytestmark = pytest.mark.slow


@dataclass
class Server:
    """A running `mkdocs serve`."""

    project: Project
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=20) as answer:
            text: str = answer.read().decode()
            return text

    def until(self, path: str, condition: Callable[[str], Any], seconds: float = 30) -> str:
        """The page as soon as it is as it should be."""
        end = time.monotonic() + seconds
        text = ""
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            try:
                text = self.get(path)
            except (urllib.error.URLError, ConnectionError):
                text = ""
            if text and condition(text):
                return text
            time.sleep(0.05)
        raise AssertionError(
            f"{path} is not as it should be:\n{article(text)}\n{self.log.read_text()}"
        )

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.project.folder / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def add(self, path: str, line: str) -> None:
        with (self.project.folder / path).open("a") as file:
            file.write(f"\n{line}\n")


GATED = """
# %% [markdown]
# # {name}

# %% wait
import os, time
from tqdm import tqdm

open({pid!r}, "w").write(str(os.getpid()))
for step in tqdm(range(100), mininterval=0):
    time.sleep(0.05)
    # for the first value of its progress to be seen, and then for all to be
    while (step == 30 and not os.path.exists({half!r})) or (
        step >= 60 and not os.path.exists({gate!r})
    ):
        time.sleep(0.02)
print("through the gate")
assert step == 99, "the last step is reached"
values = {{"step": step}}
"""


def write_gated(project: Project, name: str) -> Path:
    """An example that ends once there are ``NAME-half`` and ``NAME-gate``; returns NAME-pid."""
    files = {part: str(project.folder / f"{name}-{part}") for part in ("half", "gate", "pid")}
    project.write(f"examples/{name}.py", GATED.format(name=name, **files))
    return Path(files["pid"])


@pytest.fixture
def server(new_project: Callable[[], Project]) -> Iterator[Server]:
    """One for each test: xdist may run those of a file in any order."""
    made = new_project()
    made.write("docs/index.md", "# Start\n\nFirst words.\n")
    made.write("docs/checks.md", "# Checks\n\n{{ claims }}\n")
    made.write(
        "docs/page.md", '# Page\n\n--8<-- "examples/slow.py:wait"\n\nStep {{ slow.step }}.\n'
    )
    made.write("docs/broken.md", '# Broken\n\n--8<-- "no.txt"\n\n{{ slow.no }} {{ x.y }}\n')
    made.write("docs/api/small.md", "# API\n\n::: bertlesson.small\n")
    made.write("src/bertlesson/__init__.py", "")
    made.write("src/bertlesson/small.py", '__all__ = ["SIZE"]\nSIZE = 3\n')
    write_gated(made, "slow")
    with serving(made) as started:
        yield started


@pytest.fixture(scope="module")
def lesson(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`mkdocs serve` on a copy of the lesson itself, all examples done."""
    project = copy_lesson(tmp_path_factory.mktemp("lesson"))
    (project.folder / ".cache").mkdir()
    (project.folder / ".cache" / "examples").symlink_to(CACHE)
    with serving(project) as started:
        # every notebook with all its outputs: what nothing here measures, and a busy machine slows
        text = started.until("index.html", bool, seconds=120)
        assert "must not be published" not in text
        yield started


def copy_lesson(folder: Path) -> Project:
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("docs", "examples", "src", "tools"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("mkdocs.yml", "pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder)
    return Project(folder)


@contextmanager
def serving(project: Project, *before: str) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = project.folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "mkdocs", "serve", "-a", f"127.0.0.1:{port}"],
            cwd=project.folder,
            env=project.environment | {"PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=output,
        )
    try:
        yield Server(project, process, port, log)
    finally:  # also where a test fails inside: its examples would run on beside the next ones
        process.kill()
        process.wait(10)


@pytest.mark.timing
def test_a_cold_start_shows_the_lesson_within_fifteen_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTLESSON_CACHE", str(tmp_path / "checkpoints"))
    project = copy_lesson(tmp_path)
    began = time.monotonic()
    with serving(project) as cold:
        text = cold.until("lesson/masking.html", bool)
    assert time.monotonic() - began < 15
    assert 'data-pending="masking"' in text


def test_pages_are_served_before_their_examples_have_run(server: Server) -> None:
    text = server.until("page.html", bool)
    assert 'data-pending="slow"' in text
    assert "assets/pending.js" in text
    assert "through the gate" not in article(text).partition("</code></pre>")[2]
    assert 'Step <span class="pending">…</span>' in text
    assert 'data-pending="slow"' in server.get("examples/slow.html")
    assert 'data-pending="slow"' in server.get("checks.html")
    assert "must not be published" not in text
    assert "must not be published" not in server.get("index.html")


def test_a_cache_that_has_all_need_not_be_writable(new_project: Callable[[], Project]) -> None:
    if not can_mount():
        pytest.skip("nothing can be mounted here")
    made = new_project()
    made.write("docs/index.md", "# Start\n")
    made.write("docs/checks.md", "# Checks\n\n{{ claims }}\n")
    cache = made.folder / ".cache"
    cache.mkdir(exist_ok=True)
    read_only = mounted_read_only(cache)
    with serving(made, *read_only) as server:
        assert server.process.wait(60) == 1
        said = server.log.read_text()
    assert "wheel.lock could not be written: Read-only file system." in said
    assert said.endswith("Make room, and try again\n\nAborted with a site that is incomplete\n")
    with serving(made) as server:
        server.until("index.html", bool)
    before = stamp(cache)
    with serving(made, *read_only) as server:
        server.until("index.html", bool)
        server.add("docs/index.md", "An edit.")
        server.until("index.html", lambda text: "An edit." in text)
    assert stamp(cache) == before


def test_problems_are_shown_from_the_start_and_serving_goes_on(server: Server) -> None:
    text = server.until("broken.html", bool)
    assert "docs/broken.md:3: &quot;no.txt&quot;: there is no file no.txt" in text
    assert "docs/broken.md:5: there is no examples/x.py" in text


def test_progress_is_told_while_an_example_runs(server: Server) -> None:
    seen = set()
    pattern = re.compile(r"cell 1 of 1 \(wait\): (\d+) of 100, \d+ s left")

    def two(text: str) -> bool:
        seen.update(pattern.findall(json.loads(text).get("slow", "")))
        if seen:
            (server.project.folder / "slow-half").touch()
        return len(seen) >= 2

    server.until("progress.json", two)


def test_the_reference_comes_with_the_second_build(server: Server) -> None:
    server.until("api/small.html", lambda text: 'id="bertlesson.small.SIZE"' in article(text))


def test_an_edit_of_prose_runs_nothing(server: Server) -> None:
    pid = server.project.folder / "slow-pid"
    server.until("page.html", lambda _: pid.exists() and pid.read_text())
    running = pid.read_text()
    server.edit("docs/index.md", "words", "words anew")
    server.until("index.html", lambda text: "words anew" in text)
    assert pid.read_text() == running
    assert "examples/slow.py: done" not in server.log.read_text()


@pytest.mark.timing
@pytest.mark.parametrize("page", ["lesson/masking", "practice/trace", "reference/glossary"])
def test_an_edit_of_the_lesson_shows_within_two_seconds(lesson: Server, page: str) -> None:
    took = []
    for number in range(5):
        text = lesson.until(f"{page}.html", bool)
        (asks,) = re.findall(r"livereload\((\d+), (\d+)\)", text)  # as the page in a browser does
        began = time.monotonic()
        lesson.add(f"docs/{page}.md", f"Edit {number}.")
        lesson.get("livereload/{}/{}".format(*asks))  # is answered when the page is there
        assert f"<p>Edit {number}.</p>" in lesson.get(f"{page}.html")
        took.append(time.monotonic() - began)
    assert min(took) < 2, took  # another process may slow some of them, not all


def test_a_page_follows_what_it_reads_and_links_to(server: Server) -> None:
    server.project.write("docs/part.js", "let part = 1;\n")
    server.add("docs/index.md", '--8<-- "docs/part.js"')
    server.until("index.html", lambda text: "part = 1" in text)
    server.edit("docs/part.js", "1", "2")
    server.until("index.html", lambda text: "part = 2" in text)

    server.add("docs/checks.md", "[later](later.md)")
    server.until("checks.html", lambda text: 'href="later.md"' in text)
    server.project.write("docs/later.md", "# Later\n")
    server.until("checks.html", lambda text: 'href="later.html"' in article(text))

    server.edit("mkdocs.yml", 'permalink: "¶"', 'permalink: "§"')
    server.until("checks.html", lambda text: "§</a>" in article(text))


def test_a_problem_is_shown_in_its_page_until_it_is_mended(server: Server) -> None:
    server.edit("docs/index.md", "First", "[no](no.md) ![](//example.org/a.png) First")
    text = server.until("index.html", lambda text: "leads nowhere" in text)
    assert "docs/index.md:3: &quot;no.md&quot; leads nowhere" in article(text)
    assert "would be loaded from another host" in article(text)
    server.edit("docs/index.md", "[no](no.md) ![](//example.org/a.png) ", "{{ slow.step } ")
    text = server.until("index.html", lambda text: "docs/index.md:3: {{ opens a value" in text)
    assert "leads nowhere" not in text
    server.edit("docs/index.md", "{{ slow.step } ", "")
    server.until("index.html", lambda text: "must not be published" not in text)


def test_a_pending_output_fills_in(server: Server) -> None:
    for part in ("half", "gate"):
        (server.project.folder / f"slow-{part}").touch()
    text = server.until("page.html", lambda text: "data-pending" not in text)
    assert 'aria-label="Output">through the gate</pre>' in text
    assert "the last step is reached <code>step = 99 = 99</code>" in text
    assert re.search(r'Step <span class="measured"[^>]*>99</span>', text)
    assert "through the gate</pre>" in server.get("examples/slow.html")
    assert "the last step is reached" in server.get("checks.html")
    server.until("progress.json", lambda text: json.loads(text) == {})


def test_a_broken_example_is_shown_and_mended(server: Server) -> None:
    path = server.project.folder / "examples" / "quick.py"
    server.edit("docs/index.md", "First", '--8<-- "examples/quick.py:q"\n\nFirst')
    path.write_text("# %% q\nx = (\n")
    server.until("index.html", lambda text: "examples/quick.py:2: not Python" in text)
    path.write_text("# %% q\nx = 1\nassert x > 2, 'x is large'\n")
    text = server.until("index.html", lambda text: "✗ false:" in text)
    assert "x = 1 &gt; 2" in text
    path.write_text("# %% q\nx = 3\nassert x > 2, 'x is large'\n")
    server.until("index.html", lambda text: ">3</data> &gt; 2" in text)


def test_what_still_runs_ends_with_the_server(server: Server) -> None:
    pid = write_gated(server.project, "never")
    server.until("page.html", lambda _: pid.exists() and pid.read_text())
    child = Path("/proc") / pid.read_text()
    assert child.exists()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(10)
    end = time.monotonic() + 10
    while child.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not child.exists()
