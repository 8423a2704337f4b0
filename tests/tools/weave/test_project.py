"""The whole lesson woven: pages, notebooks, downloads, claims and times."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from tests.conftest import Project, Workshop
from tests.tools.weave.small_lesson import result
from tools.run.records import Outcome, Result
from tools.run.store import Store
from tools.weave.pages import Lesson
from tools.weave.project import Woven, weave

SETTINGS = {
    "nav": [{"Start": "index.md"}, {"Lesson": ["lesson/page.md", "checks.md"]}],
    "markdown_extensions": ["tables", {"pymdownx.superfences": None}],
}


@pytest.fixture
def woven(lesson: Lesson, workshop: Workshop) -> Callable[..., Woven]:
    (workshop.folder / "docs").mkdir()

    def make(**pages: str) -> Woven:
        for name, text in pages.items():
            path = workshop.folder / "docs" / f"{name.replace('_', '/')}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return weave(lesson, workshop.folder / "docs", Store(workshop.folder / "cache"), SETTINGS)

    return make


SECTION = '# Page\n\n--8<-- "examples/one.py:first"\n'
CHECKS = "# Checks\n\n{{ claims }}\n"


def test_all_claims_are_listed_with_their_values_and_their_page(
    woven: Callable[..., Woven],
) -> None:
    checks = woven(lesson_page=SECTION, checks=CHECKS).pages["checks.md"]
    assert "\n## `examples/one.py` {#claims-one}\n" in checks
    found = re.findall(r"<code>(x = .*?)</code> <a href=\"([^\"]*)\"", checks)
    assert found == [
        (
            'x = <data value="0.123" data-bound="1">0.123</data> &lt; 1',
            "lesson/page.html#claim-one-x-is-small-b",
        ),
        ("x = 0.123 &gt; 0", "lesson/page.html#claim-one-x-is-not-zero"),
    ]


def test_claims_that_no_page_shows_are_listed_with_their_notebook(
    woven: Callable[..., Woven],
) -> None:
    checks = woven(checks=CHECKS).pages["checks.md"]
    assert checks.count('<li class="claim checked"') == 2
    assert checks.count('<a href="examples/one.html#claim-one-') == 2
    assert "<data" not in checks, "nothing to guess where no page asks for it"


def test_pages_come_as_plain_markdown_too(woven: Callable[..., Woven]) -> None:
    made = woven(lesson_page=SECTION, checks=CHECKS, index="# Start\n\n{{ times }}\n")
    assert set(made.texts) == {
        "index.md", "lesson/page.md", "checks.md", "examples/one.md", "llms.txt", "claims.json",
    }  # fmt: skip
    assert not made.problems
    for text in made.texts.values():
        assert "⟦" not in text
        assert "<!--" not in text
    assert "- ✓ x is not zero (`x = 0.123 > 0`)\n" in made.texts["lesson/page.md"]
    assert "](../examples/one.md) ([one.py](../downloads/one.py)" in made.texts["lesson/page.md"]
    assert "\n## `examples/one.py`\n\n- ✓ x is `small`" in made.texts["checks.md"]
    assert (
        "[where it is stated](lesson/page.md), `claim-one-x-is-not-zero`"
        in (made.texts["checks.md"])
    )
    assert "| [Start](index.md) | 1 | 0.0 |" in made.texts["index.md"]


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        (Outcome("running", progress="half"), '<p class="pending" data-pending="one">'),
        (Outcome("failed", Result.failed("ValueError: no")), "one.py:5: ValueError: no"),
        (Outcome("done", result(claims=())), "<p>No claims.</p>"),
    ],
)
def test_what_there_is_instead_of_claims(
    woven: Callable[..., Woven], lesson: Lesson, outcome: Outcome, shown: str
) -> None:
    lesson.outcomes["one"] = outcome
    assert shown in woven(checks=CHECKS).pages["checks.md"]


def test_a_page_ends_with_its_code(woven: Callable[..., Woven]) -> None:
    made = woven(lesson_page=SECTION, index="# Start\n")
    *_, end = made.pages["lesson/page.md"].split("\n\n")
    assert end.strip().startswith(
        "All code of this page: [one](../examples/one.ipynb) ([one.py](../down"
    )
    assert end.endswith("\n{: .take-away }\n")
    assert set(re.findall(r"\(\.\./(downloads/[^)]*\.(?:py|whl|txt))\)", end)) == set(made.files)
    assert made.pages["index.md"] == "# Start\n"


def test_times_are_those_of_the_navigation(woven: Callable[..., Woven]) -> None:
    page = "# Two words\n\nand `three` more\n\n```python\nno\n```\n"
    made = woven(lesson_page=page, index="# Start\n\n{{ times }}\n", checks="# No\n")
    rows = re.findall(r"<tr>(.*?)</tr>", made.pages["index.md"])
    assert [re.sub("<[^>]+>", " ", row).split()[:-2] for row in rows] == [
        ["Start", "1"], ["Two", "words", "5"],
    ]  # fmt: skip
    assert '<a href="lesson/page.html">' in made.pages["index.md"]


def test_claims_and_times_in_code_stay(woven: Callable[..., Woven]) -> None:
    page = "# Page\n\n```text\n{{ claims }}\n{{ times }}\n```\n"
    assert woven(lesson_page=page).pages["lesson/page.md"] == page


def test_a_page_that_is_not_utf_8_is_a_problem(
    woven: Callable[..., Woven], workshop: Workshop
) -> None:
    woven()
    (workshop.folder / "docs" / "odd.md").write_bytes(b"# Page\n\n\xe4\n")
    (found,) = woven().problems
    assert (found.path.name, found.line) == ("odd.md", 3)
    assert found.message == "not UTF-8; save it in that encoding"


def test_problems_name_the_page_that_shows_them(
    woven: Callable[..., Woven], lesson: Lesson
) -> None:
    lesson.outcomes["one"] = Outcome("failed", Result.failed("ValueError: no", cell=1, row=1))
    (found,) = woven(lesson_page=SECTION).problems
    assert (found.path.name, found.line) == ("page.md", 3)
    assert found.message.endswith("examples/one.py:12: ValueError: no")


# The command


def run(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.weave", *arguments],
        cwd=project.folder,
        env=project.environment | {"PYTHONPATH": str(project.folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def small(new_project: Callable[[], Project]) -> Project:
    made = new_project()
    made.write("docs/index.md", '# Start\n\n--8<-- "examples/one.py:code"\n\n{{ one.x }}\n')
    made.write(
        "examples/one.py", "# %% code\nprint('shown')\nvalues = {'x': 7}\nopen('left.txt', 'w')\n"
    )
    return made


@pytest.mark.slow
def test_the_command_writes_everything_filled_in(small: Project, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = run(small, str(out))
    assert ended.returncode == 0, ended.stderr
    assert "1 pages and 1 notebooks" in ended.stderr
    page = (out / "index.md").read_text("utf-8")
    assert 'aria-label="Output">shown</pre>' in page
    assert ">7</span>" in page
    for folder in ("examples", "downloads"):
        nbformat.validate(nbformat.read(out / folder / "one.ipynb", as_version=4))
    assert (out / "downloads" / "left.txt").read_text() == ""
    assert (out / "downloads" / "one.py").read_bytes() == (
        small.folder / "examples" / "one.py"
    ).read_bytes()
    assert (out / "assets" / "lesson.css").is_file()
    assert json.loads((out / "claims.json").read_text("utf-8"))["claims"] == []

    again = run(small, str(out))
    assert again.returncode == 2
    assert f"{out}: expected an empty folder or none" in again.stderr


@pytest.mark.slow
def test_the_command_writes_nothing_if_there_is_a_problem(small: Project, tmp_path: Path) -> None:
    small.write("docs/index.md", "# Start\n\n{{ one.y }}\n")
    ended = run(small, str(tmp_path / "out"))
    assert ended.returncode == 1
    assert "docs/index.md:3: examples/one.py leaves no value 'y'; it has x" in ended.stderr
    assert not (tmp_path / "out").exists()


def test_the_command_says_how_it_is_used(small: Project) -> None:
    ended = run(small)
    assert ended.returncode == 2
    assert "usage: python -m tools.weave" in ended.stderr
