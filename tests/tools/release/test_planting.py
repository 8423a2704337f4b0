"""Mistakes to plant: each must still fit the sources."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.release.planting import (
    FOLDER,
    Change,
    copied,
    read_changes,
    read_found,
    update,
)

PLANTED = read_changes(FOLDER / "planted.toml")
IN_JAVASCRIPT = read_changes(FOLDER / "javascript.toml")


@pytest.mark.parametrize("change", [*PLANTED, *IN_JAVASCRIPT], ids=lambda change: change.what)
def test_a_change_still_fits_the_sources(change: Change) -> None:
    text = (ROOT / change.path).read_text("utf-8")
    changed = change.applied(text)
    if change.path.endswith(".py"):
        compile(changed, change.path, "exec")
    if change.path.startswith("examples/"):
        assert changed.count("\n") == text.count("\n"), "the lines of claims would be others"
        assert change.examples == (Path(change.path).stem,)


def test_there_are_as_many_changes_as_promised() -> None:
    in_package = [change for change in PLANTED if change.path.startswith("src/")]
    assert len(in_package) >= 40
    assert len(IN_JAVASCRIPT) >= 40
    assert all((ROOT / "examples" / f"{name}.py").exists() for c in PLANTED for name in c.examples)
    assert all(change.examples for change in PLANTED)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("x = 2", "x = 3", "0 times"), ("a", "b", "2 times"), ("x = 1", "x = 1", "another text")],
)
def test_what_does_not_fit_is_named(old: str, new: str, said: str) -> None:
    change = Change("One more", "some.py", old, new)
    with pytest.raises(ValueError, match=f'^"One more": some.py holds .*{said}'):
        change.applied("x = 1; a = a")


def test_two_changes_do_not_have_one_name(tmp_path: Path) -> None:
    one = '[[change]]\nwhat = "It"\nfile = "a"\nold = "b"\nnew = "c"\n'
    (tmp_path / "some.toml").write_text(one)
    assert read_changes(tmp_path / "some.toml") == [Change("It", "a", "b", "c")]
    (tmp_path / "some.toml").write_text(one + one)
    with pytest.raises(ValueError, match=r"^some.toml has two changes 'It'"):
        read_changes(tmp_path / "some.toml")


def test_a_copy_holds_what_git_knows_and_goes_away() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "src"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    with copied() as root:
        assert root != ROOT
        for name in listed:
            assert (root / name).read_bytes() == (ROOT / name).read_bytes()
        assert not (root / ".venv").exists()
    assert not root.exists()


def test_two_runs_keep_what_both_have_found(tmp_path: Path) -> None:
    path = tmp_path / "found.json"

    thread = threading.Thread(target=update, args=[path, lambda found: found | {"other": 2}])

    def change(found: dict[str, int]) -> dict[str, int]:
        thread.start()
        thread.join(0.1)
        assert thread.is_alive(), "it waits"
        return found | {"one": 1}

    update(path, change)
    thread.join()
    assert read_found(path) == {"one": 1, "other": 2}
