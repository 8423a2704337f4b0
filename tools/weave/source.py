"""What the lesson was built from: the version of its package, and the commit that git states."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path
from typing import NamedTuple

from tools.run.cells import ROOT
from tools.weave.wheel import PROJECT

# What decides how the site comes out
MADE_FROM = ("docs", "examples", "src", "tools", "mkdocs.yml", "pyproject.toml", "requirements.txt")


class Commit(NamedTuple):
    """A commit of the project.

    Attributes:
        id: Its hash.
        changed: Whether something that the site is made from differs from it.
    """

    id: str
    changed: bool


def package_version() -> str:
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    return str(project["version"])


def commit_of(root: Path = ROOT) -> Commit | None:
    """The commit that is checked out; None without git, or where git has another root."""
    try:
        top, checked_out = _git(root, "rev-parse", "--show-toplevel", "HEAD").split("\n")[:2]
        if not Path(top).samefile(root):
            return None
        changed = _git(root, "status", "--porcelain", "--", *MADE_FROM)
    except (OSError, subprocess.CalledProcessError):
        return None
    return Commit(checked_out, bool(changed))


def _git(root: Path, *arguments: str) -> str:
    # A hook of git names its repository in the environment, which may be another one.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        ["git", "--no-optional-locks", "-C", str(root), *arguments],
        env=kept,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
