"""Every piece of code in a page, the README or a docstring runs as it stands."""

from __future__ import annotations

import doctest
import importlib
import re
import sys
import traceback
from pathlib import Path

import pytest
from pytest_examples import CodeExample, EvalExample, find_examples

from bertlesson.lesson.fingerprint import modules_of
from tests.conftest import ROOT
from tools.run.examples import PACKAGE

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# A fence that includes a file shows code that is tested where it stands.
FENCES = [example for example in find_examples(*PAGES, PACKAGE) if "--8<--" not in example.source]
MODULES = modules_of(PACKAGE)


def run(fence: CodeExample, evaluate: EvalExample) -> str:
    """Run the code, and compare what it prints with its comments "#> …"; returns what is wrong.

    Nothing is raised: pytest-examples makes up a traceback through the page, and who tries to
    format that on Python 3.11 (as pytest does) gets an error which ends the whole session.
    """
    try:
        if "#>" in fence.source:
            evaluate.run_print_check(fence)
        else:
            evaluate.run(fence)
    except (Exception, SystemExit, pytest.fail.Exception) as error:
        line, frame = fence.start_line, error.__traceback__
        while frame:
            if frame.tb_frame.f_code.co_filename == str(fence.path):
                line = frame.tb_lineno
            frame = frame.tb_next
        said = traceback.format_exception_only(error.with_traceback(None))
        return f"{fence.path}:{line}: {''.join(said).strip()}"
    return ""


@pytest.fixture
def evaluate(
    eval_example: EvalExample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> EvalExample:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # it puts the code there
    eval_example.set_config(line_length=100)
    return eval_example


@pytest.mark.parametrize("fence", FENCES, ids=str)
def test_a_fence_runs(fence: CodeExample, evaluate: EvalExample) -> None:
    wrong = run(fence, evaluate)
    if wrong:
        pytest.fail(wrong, pytrace=False)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\n1 / 0\n", "/page.md:12: ZeroDivisionError: division by zero"),
        ("x = 1\nassert x == 2\n", "/page.md:12: AssertionError"),
        ("x = (\n", "SyntaxError: '(' was never closed"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
        ("print(1 + 1)\n#> 3\n", "Print output changed code"),
        ("print(1 + 1)\n#> 2\n", ""),
        ("x = 1\n", ""),
    ],
)
def test_what_is_wrong_with_a_fence_is_said_with_its_line(
    evaluate: EvalExample, tmp_path: Path, source: str, expected: str
) -> None:
    page = tmp_path / "page.md"
    page.write_text("\n" * 9 + f"```python\n{source}```\n")
    (fence,) = find_examples(page)
    wrong = run(fence, evaluate)
    assert expected in wrong
    assert bool(expected) is bool(wrong)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_fence_of_python_is_one_that_is_run(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    opened = [
        n for n, line in enumerate(lines, 1) if re.match(r"\s*(`{3,}|~{3,})\W*py", line, re.I)
    ]
    found = {fence.start_line for fence in find_examples(path)}
    assert set(opened) == found, "write ```python; ~~~ and pycon are not run"


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_docstrings_hold(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(f"bertlesson.{name}".removesuffix(".__init__"))
    result = doctest.testmod(module)
    assert result.failed == 0, capsys.readouterr().out


def test_there_are_examples_to_run() -> None:
    assert FENCES
    shown = [name for name, path in MODULES.items() if ">>> " in path.read_text("utf-8")]
    assert {"masking", "heads", "nsp", "training", "lesson.corpus"} <= set(shown)
