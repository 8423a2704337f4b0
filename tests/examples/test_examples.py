"""Every example, as a reader runs it: the one execution, and the quickest against the wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bertlesson.lesson.fingerprint import imported_modules, modules_of
from tests.conftest import ROOT
from tools.run.examples import EXAMPLES, PACKAGE, Example
from tools.run.problems import problems_of
from tools.run.record import ENVIRONMENT
from tools.run.records import Text
from tools.run.runner import Runner
from tools.weave import wheel
from tools.weave.code import shown_code

NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))
RECIPES = sorted(path.stem.replace("-", "_") for path in (ROOT / "docs" / "use").glob("*.md"))
QUICKEST = 2  # so many of the others are run against the wheel
ALONE = {  # what a module may bring along
    "masking": set(),
    "collating": {"masking", "padding", "seeding"},
    "heads": {"mlm_head", "cross_entropy"},
    "nsp": {"segments"},
    "reference": {"segments"},
    "why": set(),
}


# The one execution


@pytest.mark.parametrize("name", NAMES)
def test_the_example_runs_and_its_claims_hold(
    name: str, examples: dict[str, Example], runner: Runner
) -> None:
    outcome = runner.outcome(examples[name])
    problems = [str(problem) for _, problem in problems_of(examples[name], outcome.result)]
    assert not problems, "\n".join(problems)
    assert outcome.state == "done"
    assert outcome.result.claims, "an example claims something about what it measured"


@pytest.mark.parametrize("name", NAMES)
def test_the_example_is_named_as_its_page_or_shares_another_with_none_of_its_own(name: str) -> None:
    # a page of the reference has the name of its main module
    pages = [page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "api"]
    show = [p for p in pages if f'--8<-- "examples/{name}.py:' in p.read_text("utf-8")]
    named = [p for p in pages if name in (p.stem, p.parent.name if p.stem == "index" else "")]
    assert named == show[:1] if named else len(show) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_page_never_shows_more_than_a_screen_of_code(
    name: str, examples: dict[str, Example]
) -> None:
    text = "\n".join(path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md"))
    shown = set(re.findall(rf'--8<-- "examples/{name}\.py:([^"]+)"', text))
    cells = [cell for cell in examples[name].code if cell.title in shown]
    assert cells
    for cell in cells:
        if "hide-input" not in cell.tags:
            assert len(shown_code(cell).splitlines()) <= 25, (
                f"{cell.title}: show it in two sections"
            )


# The wheel


@pytest.fixture(scope="session")
def wheel_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own that has the published wheel, and the packages that it needs."""
    folder = tmp_path_factory.mktemp("wheel")

    def run(*command: str | Path) -> None:
        ended = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    run(*pip, "install", "-q", "--no-deps", "--no-index", wheel.build())
    # What it says that it needs comes from here, and nothing else that happens to be installed.
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    here = Path(sysconfig.get_path("purelib"))
    for package in brought_along("bertlesson[lesson]", site):
        files = package.files or []
        for top in {file.parts[0] for file in files} - {"..", "__pycache__", *os.listdir(site)}:
            (site / top).symlink_to(here / top)
    return python


def brought_along(requirement: str, site: Path) -> list[Distribution]:
    """The packages that pip installs with one that is in this folder, where they are installed."""
    found: dict[str, Distribution] = {}
    waiting, seen = [Requirement(requirement)], set()
    while waiting:
        needed = waiting.pop()
        if str(needed) in seen:
            continue
        seen.add(str(needed))
        package = next(distributions(name=needed.name, path=[str(site), *sys.path]))
        found[needed.name] = package
        for line in package.requires or []:
            other = Requirement(line)
            extras = [{"extra": extra} for extra in needed.extras or [""]]
            if other.marker is None or any(map(other.marker.evaluate, extras)):
                waiting.append(other)
    return list(found.values())


def run_alone(python: Path, folder: Path, *arguments: str) -> str:
    environment = os.environ | ENVIRONMENT
    environment.pop("PYTHONPATH", None)
    ended = subprocess.run(
        [python, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_the_wheel_is_what_is_imported(wheel_python: Path, tmp_path: Path) -> None:
    code = (
        "import bertlesson.masking as m; print(m.__file__)\n"
        "from importlib.util import find_spec as f; print(f('torch'), f('mkdocs'))"
    )
    module, specs = run_alone(wheel_python, tmp_path, "-c", code).splitlines()
    assert Path(module).is_relative_to(wheel_python.parent.parent)
    assert specs.startswith("ModuleSpec(name='torch'")
    assert specs.endswith(" None"), "what it does not say that it needs is not there"
    folder = Path(module).parent
    assert modules_of(folder).keys() == modules_of(PACKAGE).keys()
    assert (folder / "py.typed").exists()


@pytest.mark.parametrize("which", [*range(min(QUICKEST, len(NAMES))), *RECIPES])
def test_recipes_and_the_quickest_examples_run_with_the_wheel_and_print_the_same(
    which: int | str,
    examples: dict[str, Example],
    runner: Runner,
    wheel_python: Path,
    tmp_path: Path,
) -> None:
    others = [each for each in examples.values() if each.name not in RECIPES]
    quickest = sorted(others, key=runner.store.seconds)
    example = examples[which] if isinstance(which, str) else quickest[which]
    shutil.copy(example.path, tmp_path)
    printed = run_alone(wheel_python, tmp_path, example.path.name)
    cells = runner.outcome(example).result.outputs
    recorded = "".join(o.text for outputs in cells for o in outputs if isinstance(o, Text))
    assert printed == recorded


# Copied into a project


PASTED = "in your own project"  # the title of sections that are offered to be copied


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NAMES if PASTED in (EXAMPLES / f"{n}.py").read_text()])
def test_code_for_your_own_project_runs_where_it_is_pasted(
    name: str, examples: dict[str, Example], tmp_path: Path
) -> None:
    pasted = tmp_path / "pasted.py"
    pasted.write_text(examples[name].section(PASTED).source, "utf-8")
    assert run_alone(Path(sys.executable), tmp_path, pasted.name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALONE)
def test_a_module_works_where_it_is_copied_to(name: str, tmp_path: Path) -> None:
    needs = imported_modules(PACKAGE / f"{name}.py", PACKAGE) - {"__init__"}
    assert needs <= ALONE[name]
    folder = tmp_path / "mine"
    folder.mkdir()
    for module in (name, *needs):
        shutil.copy(PACKAGE / f"{module}.py", folder)
    code = (
        "import sys, doctest\n"
        "sys.path.insert(0, '.')\n"
        "sys.modules['bertlesson'] = None  # not to be had\n"
        f"from mine import {name} as module\n"
        "result = doctest.testmod(module)\n"
        "print(result.attempted, result.failed)\n"
    )
    attempted, failed = run_alone(Path(sys.executable), tmp_path, "-P", "-c", code).split()[-2:]
    assert int(attempted) > 3
    assert int(failed) == 0
