"""What git states of the sources."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tools.weave.source import Commit, commit_of

NOBODY = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]


def git(folder: Path, *arguments: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *NOBODY, *arguments]
    return subprocess.run(command, env=kept, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    (made / "docs").mkdir(parents=True)
    (made / "docs" / "index.md").write_text("# Start\n")
    git(made, "init", "-q")
    git(made, "add", ".")
    git(made, "commit", "-q", "-m", "Begin")
    return made


def test_the_commit_and_whether_something_differs_from_it(checkout: Path) -> None:
    head = git(checkout, "rev-parse", "HEAD").strip()
    assert commit_of(checkout) == Commit(head, changed=False)
    (checkout / "notes.txt").write_text("no part of the site")
    assert commit_of(checkout) == Commit(head, changed=False)
    (checkout / "docs" / "new.md").write_text("# New\n")
    assert commit_of(checkout) == Commit(head, changed=True)


def test_another_repository_around_the_project_says_nothing(checkout: Path) -> None:
    (checkout / "copy").mkdir()
    assert commit_of(checkout / "copy") is None


def test_no_repository_no_commit_and_no_git_are_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert commit_of(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert commit_of(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert commit_of(tmp_path) is None


def test_the_repository_that_a_hook_names_is_not_taken_for_ours(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = commit_of(checkout)
    git(tmp_path, "init", "-q", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert commit_of(checkout) == expected
