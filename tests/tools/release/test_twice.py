"""Two builds are compared file by file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.release import twice
from tools.release.twice import copy_of, differences, elsewhere, main
from tools.weave.source import commit_of

BUILD = "from setuptools import build_meta; build_meta.build_wheel('wheel')"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / "sub").mkdir(parents=True, exist_ok=True)
        (folder / "sub" / name).write_text(text)
    return folder


def test_each_file_that_differs_is_named_with_its_place(tmp_path: Path) -> None:
    one = write(tmp_path / "one", same="a", other="abc", short="ab", gone="")
    two = write(tmp_path / "two", same="a", other="abd", short="abc", new="")
    assert [*differences(one, two)] == [
        "sub/gone: in the first build alone",
        "sub/new: in the second build alone",
        "sub/other: differs from byte 2: b'c' and b'd'",
        "sub/short: differs from byte 2: b'' and b'c'",
    ]
    assert not [*differences(one, one)]


def test_the_first_build_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = iter("aaab")
    monkeypatch.setattr(twice, "build", lambda out, checkout=None: write(out, page=next(texts)))
    monkeypatch.setattr(twice, "copy_of", lambda checkout, folder: folder)
    assert main([str(tmp_path / "site")]) == 0
    assert capsys.readouterr().out == "1 files, 0 differ\n"
    assert (tmp_path / "site" / "sub" / "page").read_text() == "a"
    assert main([str(tmp_path / "again")]) == 1
    assert "sub/page: differs from byte 0" in capsys.readouterr().err
    assert main([str(tmp_path / "again")]) == 2
    assert "expected an empty folder or none" in capsys.readouterr().err


@pytest.mark.slow
def test_two_wheels_of_one_date_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In different folders, from files of different ages."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    made = []
    for name in "first", "a/second":
        folder = tmp_path / name
        (folder / "src").mkdir(parents=True)
        for source in ("pyproject.toml", "README.md", "LICENSE", "src/bertlesson"):
            subprocess.run(["cp", "-r", ROOT / source, folder / source], check=True)
        subprocess.run([sys.executable, "-c", BUILD], cwd=folder, check=True, capture_output=True)
        (path,) = (folder / "wheel").iterdir()
        made.append(path.read_bytes())
    assert made[0] == made[1]


SHOWN = """
import datetime, os, time, sys
print(time.time(), time.time_ns() / 1e9, time.mktime(time.localtime()), time.strftime("%Z"))
print(datetime.datetime.now().timestamp(), datetime.datetime.now(datetime.UTC).timestamp())
print(time.mktime(datetime.date.today().timetuple()), sys.path[1])
"""


def test_elsewhere_it_is_another_day(tmp_path: Path) -> None:
    environment = os.environ | elsewhere(tmp_path)
    command = [sys.executable, "-c", SHOWN]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    clocks, dates, rest = run.stdout.splitlines()
    *seconds, zone = clocks.split()
    seconds += dates.split()
    later = [float(each) - time.time() for each in seconds]
    assert all(39 * 86400 < each < 42 * 86400 for each in later), later
    assert zone == "+14"
    midnight, _ = rest.split()
    assert 39 * 86400 < float(midnight) - time.time() < 42 * 86400


def test_a_copy_is_the_same_commit_and_has_no_more_than_the_results(tmp_path: Path) -> None:
    copy = copy_of(ROOT, tmp_path / "a copy")
    assert commit_of(copy) == commit_of(ROOT)
    assert (copy / "tools" / "release" / "twice.py").is_file()
    assert {path.parts[-1] for path in (copy / ".cache").glob("*")} <= {"examples"}
