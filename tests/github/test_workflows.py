"""The workflows: least rights, pinned actions, nothing cached where something is published."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
# An action's own repository at one commit, and the release that the commit is.
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
# What each job may do beyond reading the sources.
RIGHTS = {
    ("changes.yml", "changes"): {"actions": "read"},
    ("pages.yml", "attest"): {"attestations": "write", "id-token": "write"},
    ("pages.yml", "deploy"): {"id-token": "write", "pages": "write"},
    ("weekly.yml", "report"): {"issues": "write"},
}
with_each = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def load(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text("utf-8")))


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in load(path)["jobs"].values():
        yield from job["steps"]


@with_each
def test_an_action_is_one_commit_with_its_release_beside_it(path: Path) -> None:
    lines = [line.strip() for line in path.read_text("utf-8").splitlines() if "uses:" in line]
    assert lines
    assert not [line for line in lines if not PINNED.search(line)]


def test_all_workflows_take_the_same_commit_of_an_action() -> None:
    found = {step["uses"] for path in WORKFLOWS for step in steps(path) if "uses" in step}
    names = [action.partition("@")[0] for action in found]
    assert len(names) == len(set(names))


@with_each
def test_a_job_has_the_rights_that_it_needs_and_an_end(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        beyond = {k: v for k, v in job["permissions"].items() if (k, v) != ("contents", "read")}
        assert beyond == RIGHTS.get((path.name, name), {}), name
        assert job["timeout-minutes"] <= 120


@with_each
def test_no_credentials_stay_and_nothing_is_cached(path: Path) -> None:
    for step in steps(path):
        action = step.get("uses", "")
        given = step.get("with", {})
        if action.startswith("actions/checkout@"):
            assert given["persist-credentials"] is False
        assert "cache" not in action
        assert not [key for key in given if "cache" in key]


@with_each
def test_a_script_takes_what_comes_from_outside_from_its_environment(path: Path) -> None:
    assert not [step["run"] for step in steps(path) if "${{" in step.get("run", "")]


@with_each
def test_what_a_workflow_runs_is_there(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for step in steps(path):
        for module in re.findall(r"-m (tools[.\w]*)", step.get("run", "")):
            file = ROOT.joinpath(*module.split("."))
            assert file.with_suffix(".py").exists() or (file / "__main__.py").exists(), module
        if "$WHAT" in step.get("run", ""):
            for name in load(path)["jobs"]["checks"]["strategy"]["matrix"]["what"]:
                assert (ROOT / "tools" / "release" / f"{name}.py").is_file(), name
        for target in re.findall(r"make (\w+)", step.get("run", "")):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_zizmor_finds_nothing() -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [zizmor, "--offline", "--quiet", "--persona", "pedantic", "--color", "never", GITHUB]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_updates_wait_a_week() -> None:
    for update in load(GITHUB / "dependabot.yml")["updates"]:
        assert update["cooldown"]["default-days"] >= 7
