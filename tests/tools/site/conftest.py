"""The small sites, built once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.tools.site.small_sites import BROKEN, BUILD_ALL, GOOD, NAVIGATION, ODD


@pytest.fixture(scope="package")
def project(new_project: Callable[[], Project]) -> Project:
    made = new_project()
    for path, text in GOOD.items():
        made.write(path, text)
    return made


@pytest.fixture(scope="package")
def good(project: Project) -> Project:
    ended = project.build()
    assert ended.returncode == 0, ended.stderr
    return project


@pytest.fixture(scope="package")
def odd(new_project: Callable[[], Project]) -> Project:
    made = new_project()
    for path, text in ODD.items():
        made.write(path, text)
    settings = made.folder / "mkdocs.yml"
    settings.write_text(settings.read_text("utf-8") + NAVIGATION, "utf-8")
    ended = made.build()
    assert ended.returncode == 0, ended.stderr
    return made


@pytest.fixture(scope="package")
def broken(good: Project) -> dict[str, dict[str, str]]:
    """What the build of each broken site ended with and said; and of the good one."""
    cases = {name: files for name, (files, _) in BROKEN.items()} | {"nothing": {}}
    ended = subprocess.run(
        [sys.executable, "-c", BUILD_ALL],
        cwd=good.folder,
        env=good.environment,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    results: dict[str, dict[str, str]] = json.loads(ended.stdout.splitlines()[-1])
    return results
