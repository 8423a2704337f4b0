"""A site with a fault is not built, and the build names page and line."""

from __future__ import annotations

import pytest

from tests.conftest import Project
from tests.tools.site.small_sites import BROKEN

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_site_is_not_built(broken: dict[str, dict[str, str]], name: str) -> None:
    expected = BROKEN[name][1]
    assert broken[name]["error"] == ("Abort('Aborted with a BuildError!')"), broken[name]
    first, *_, last = broken[name]["said"].splitlines()
    assert expected in first
    assert last == "a problem, listed above, must be fixed before this is published"


def test_the_same_site_unbroken_is_built(broken: dict[str, dict[str, str]]) -> None:
    assert broken["nothing"]["error"] is None


def test_a_failed_build_ends_with_an_error_strict_or_not(good: Project) -> None:
    page = good.folder / "docs" / "page.md"
    before = page.read_text()
    page.write_text(before.replace("one.py:code", "one.py:no") + "\n{{ one.no }}\n")
    try:
        ended = good.build("--no-strict", "-d", "broken-site")
    finally:
        page.write_text(before)
    assert ended.returncode != 0
    assert 'docs/page.md:13: examples/one.py has no section "no"' in ended.stderr
    assert "docs/page.md:33: examples/one.py leaves no value 'no'" in ended.stderr
    assert "2 problems" in ended.stderr
