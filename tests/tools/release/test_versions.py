"""The tests with the oldest and the newest packages."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tools.release import versions
from tools.release.versions import OF_TESTS, SHOWN, SUPPORTED, commands, main, unpinned


def test_the_oldest_are_the_lowest_that_are_named_directly(tmp_path: Path) -> None:
    venv, install, tests, itself, _, run = commands("oldest", "3.11", tmp_path)
    assert venv[-2:] == ["3.11", str(tmp_path / "venv")]
    assert install[install.index("--resolution") + 1] == "lowest-direct"
    assert install[-2:] == ["--extra", "lesson"]
    assert "--resolution" not in tests
    assert run[-1] == "tests/bertlesson"
    assert itself[-3:] == ["--no-deps", "-e", "."]
    assert "highest" in commands("newest", "3.13", tmp_path)[1]


def test_what_is_supported_is_what_the_project_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lowest = project["project"]["requires-python"].removeprefix(">=")
    named = {
        line.rpartition(" ")[2]
        for line in project["project"]["classifiers"]
        if line.startswith("Programming Language :: Python :: 3.")
    }
    assert {python for _, python in SUPPORTED} == named
    assert ("oldest", lowest) in SUPPORTED
    tested = " ".join(project["dependency-groups"]["test"])
    assert all(name in tested or name in project["dependency-groups"]["site"] for name in OF_TESTS)
    required = " ".join(project["project"]["dependencies"])
    assert all(name in required for name in SHOWN if name != "accelerate")


def test_each_week_runs_all_that_is_supported_and_the_site() -> None:
    weekly = yaml.safe_load((ROOT / ".github/workflows/weekly.yml").read_text("utf-8"))
    rows = weekly["jobs"]["versions"]["strategy"]["matrix"]["include"]
    found = [(row["which"], row["python"]) for row in rows]
    assert [pair for pair in found if pair[0] != "site"] == [*SUPPORTED]
    assert "site" in dict(found)


def test_the_site_is_built_with_what_is_newest(tmp_path: Path) -> None:
    *_, run, build = commands("site", "3.11", tmp_path)
    assert build[1:5] == ["-m", "mkdocs", "build", "--strict"]
    assert "tests/bertlesson" not in run
    assert {"mkdocs", "mkdocs-material", "mkdocs-jupyter", "pymdown-extensions"} < {*unpinned()}
    assert all(name.replace("-", "").replace("_", "").isalnum() for name in unpinned())


def test_one_that_fails_is_named_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(versions, "holds", lambda which, python: python != "3.12")
    assert main([]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "oldest on Python 3.11: passed",
        "newest on Python 3.12: failed",
        "newest on Python 3.13: passed",
    ]
    assert main(["newest", "--python", "/opt/python"]) == 0
    assert capsys.readouterr().out == "newest on Python /opt/python: passed\n"


@pytest.mark.parametrize("given", [["older"], ["--python", "3.12"], ["newest", "3.12"]])
def test_what_it_does_not_know_ends_it(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(given)
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err
