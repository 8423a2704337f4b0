"""What is kept while serving is never shown in the place of something newer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import ROOT, Project
from tests.tools.site.small_sites import GOOD

pytestmark = pytest.mark.slow

NAVIGATION = """
nav:
  - index.md
  - The page: page.md
  - More: [checks.md]
  - Examples: [One: examples/one.ipynb, Two: examples/two.ipynb]
"""
# Each with a file, a part of it and what takes its place, and what a page must show then. Without
# a part the file is new; with nothing in its place it is removed.
EDITS = {
    "a page": ("docs/page.md", "## The end", "## A new end", "page.html", "A new end"),
    "a page back": ("docs/page.md", "## A new end", "## The end", "page.html", "The end"),
    "its settings": ("docs/page.md", "description: Words", "description: Hi", "page.html", "Hi"),
    "a title without a page's own": ("docs/index.md", "# Start", "# Home", "page.html", "Home"),
    "an example's words": ("examples/one.py", "# # One", "# # Eins", "examples/one.html", "Eins"),
    "an example's code": ("examples/one.py", "**bold**", "*slim*", "page.html", "*slim*"),
    "a module": ("src/bertlesson/size.py", "3", "4", "page.html", "size 4"),
    "a module back": ("src/bertlesson/size.py", "4", "3", "page.html", "size 3"),
    "a name in the menu": ("mkdocs.yml", "The page:", "This page:", "checks.html", "This page"),
    "the menu's order": (
        "mkdocs.yml", "  - More: [checks.md]\n", "", "page.html", 'href="examples/one.html" class=',
    ),
    "a setting": ("mkdocs.yml", 'permalink: "¶"', 'permalink: "§"', "page.html", "§"),
    "the theme": (
        "tools/site/theme/partials/copyright.html", "Made with", "Made by", "page.html", "Made by",
    ),
    "a style": ("docs/assets/lesson.css", "{", "{ --new: 1;", "assets/site.css", "--new: 1;"),
    "a new page": ("docs/new.md", "", "# New\n", "new.html", "New"),
    "a link to it": ("docs/page.md", "## The", "[N](new.md)\n\n## The", "page.html", "new."),
    "no page": ("docs/new.md", "# New\n", "", "page.html", "&quot;new.md&quot; leads nowhere"),
    "a new example": ("examples/new.py", "", "# %% c\nprint('new')\n", "examples/new.html", "new"),
    "the package": ("pyproject.toml", 'version = "', 'version = "9.', "page.html", "-9."),
}  # fmt: skip

# Builds as `mkdocs serve` does, in one process, after each edit with what is kept and with nothing.
SERVE = """
import json, logging, sys
from pathlib import Path
from mkdocs.commands.build import build
from mkdocs.config import load_config

logging.disable(logging.CRITICAL)


def built(folder):
    config = load_config("mkdocs.yml", site_dir=folder)
    config.site_url = "http://127.0.0.1:8000/"
    build(config, serve_url=config.site_url)
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


config = load_config("mkdocs.yml", site_dir="first")
config.plugins.on_startup(command="serve", dirty=False)
hooks = next(m for m in [*sys.modules.values()]
             if str(getattr(m, "__file__", "")).endswith("tools/site/hooks.py"))
site, results = hooks.site, {}
site.served = True
built("kept")
for name, (path, old, new, shown, text) in {"nothing": [""] * 5, **json.load(sys.stdin)}.items():
    if path:
        file = Path(path)
        before = file.read_text() if file.exists() else ""
        after = before.replace(old, new, 1) if old else new
        file.write_text(after) if after else file.unlink()
    hooks.site = site
    kept = built("kept")
    if any(outcome.pending for outcome in site.lesson.outcomes.values()):
        site.runner.wait()
        kept = built("kept")
    hooks.site = hooks.Site("serve")
    hooks.site.work = hooks.site.memo = Path("nothing-kept").resolve() / name
    hooks.site.search = hooks.site.search.__class__(hooks.site.work / "search.json")
    fresh = built("fresh")
    results[name] = {
        "stale": sorted(n for n in {*kept, *fresh} if kept.get(n) != fresh.get(n)),
        "shown": text in kept.get(shown, b"").decode(),
    }
site.runner.stop()
print(json.dumps(results))
"""


def test_after_an_edit_the_site_is_as_if_nothing_were_kept(
    new_project: Callable[[], Project],
) -> None:
    project = new_project()
    for path, text in GOOD.items():
        project.write(path, text)
    shutil.copytree(ROOT / "src", project.folder / "src", dirs_exist_ok=True)
    project.write("src/bertlesson/size.py", "SIZE = 3\n")
    one = project.folder / "examples" / "one.py"
    size = "\n# %% size\nfrom bertlesson.size import SIZE\nprint('size', SIZE)\n"
    one.write_text(one.read_text("utf-8") + size, "utf-8")
    page = project.folder / "docs" / "page.md"
    page.write_text(page.read_text("utf-8") + '\n--8<-- "examples/one.py:size"\n', "utf-8")
    settings = project.folder / "mkdocs.yml"
    settings.write_text(settings.read_text("utf-8") + NAVIGATION, "utf-8")
    ended = subprocess.run(
        [sys.executable, "-c", SERVE],
        cwd=project.folder,
        env=project.environment | {"PYTHONPATH": str(project.folder / "src")},
        input=json.dumps(EDITS),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    right = {"stale": [], "shown": True}
    assert found == dict.fromkeys(["nothing", *EDITS], right)
