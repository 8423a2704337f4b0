"""Builds that are killed, that get no room, that may not write, and two at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.tools.site.small_sites import GOOD
from tools.release.faults import Copy, at_once, can_mount, killed, left_over, mounted, stamp
from tools.release.twice import differences

pytestmark = pytest.mark.slow

MODULE = '''
    """A module."""

    __all__ = ["One", "Two"]


    class One:
        """The first.

        Attributes:
            size: How large it is.
        """

        size: int = 1


    class Two:
        """The second."""

        def first(self) -> One:
            """The first, see `One`."""
            return One()
    '''


@pytest.fixture(scope="module")
def copy(new_project: Callable[[], Project]) -> Copy:
    """A small site with a notebook, a reference, a wheel, and an example that writes a file."""
    made = new_project()
    for path, text in GOOD.items():
        made.write(path, text)
    made.write("src/bertlesson/__init__.py", "")
    made.write("src/bertlesson/one.py", MODULE)
    made.write("docs/api/one.md", "# One\n\n::: bertlesson.one\n")
    return Copy(made.folder)


@pytest.fixture(scope="module")
def good(copy: Copy) -> Path:
    out = copy.folder / "good"
    code, said = copy.build(out)
    assert code == 0, said
    return out


def test_links_within_the_reference_stay_when_it_is_kept(copy: Copy, good: Path) -> None:
    """mkdocs-autorefs knows only the anchors of pages that this build has rendered."""
    assert 'href="#bertlesson.one.One"' in (good / "api" / "one.html").read_text("utf-8")
    assert [*copy.wrong(good)] == []


def test_after_killed_builds_the_site_is_whole(copy: Copy, good: Path) -> None:
    assert [*killed(copy, good, (1.5, 1), "two")] == []


def test_two_builds_into_one_folder_do_not_disturb_each_other(copy: Copy, good: Path) -> None:
    assert [*at_once(copy, good, ("site", "site"))] == []


def test_torn_files_among_the_caches_are_made_again(copy: Copy, good: Path) -> None:
    files = [
        path
        for path in sorted(copy.cache.rglob("*"))
        if path.is_file() and path.suffix not in (".lock", ".cache", ".whl")
    ]
    kinds = {path.parent.relative_to(copy.cache).parts[-1] for path in files}
    assert {"notebook-pages", "api-pages", "memo", "examples", "build"} <= kinds
    for path in files:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert [*copy.wrong(good)] == []


LIMITED = ["sh", "-c", 'ulimit -f "$1"; shift; exec "$@"', "sh"]  # in blocks of 512 bytes


def test_a_disk_that_takes_no_more_is_explained(copy: Copy, good: Path) -> None:
    site = copy.folder / "site"
    code, said = copy.build(site, *LIMITED, "100")
    assert code
    assert "Traceback" not in said
    assert "could not be written: File too large. What this build has written is inc" in said
    assert [*copy.wrong(good)] == []
    assert [path.name for path in copy.cache.rglob("*.part")] == []


@pytest.mark.skipif(not can_mount(), reason="mounting takes Linux, and root or user namespaces")
def test_with_caches_that_can_only_be_read_the_site_is_the_same(copy: Copy, good: Path) -> None:
    shutil.rmtree(copy.cache / "build")
    before = stamp(copy.cache)
    mount = f"mount --bind '{copy.cache}' '{copy.cache}'"
    read_only = f"mount -o remount,bind,ro '{copy.cache}'"
    code, said = copy.build(copy.folder / "site", *mounted(mount, read_only))
    assert code == 0, said
    assert "nothing is kept of this build" in said
    assert [*differences(good, copy.folder / "site")] == []
    copy.forget("two")
    code, said = copy.build(copy.folder / "site", *mounted(mount, read_only))
    assert code
    assert "examples/two.py" in said
    assert "Read-only file system" in said
    assert "it needs room for some megabytes in" in said
    assert stamp(copy.cache).items() <= before.items()


def test_what_is_left_over_is_named(tmp_path: Path) -> None:
    assert [*left_over(tmp_path)] == []
    (tmp_path / "torchinductor_somebody").mkdir()
    assert [*left_over(tmp_path, wait=0)] == []
    (tmp_path / "lesson-x").mkdir()
    assert [*left_over(tmp_path, wait=0)] == ["lesson-x was left among the temporary files"]
