"""Two builds are compared file by file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.release import twice
from tools.release.twice import differences, main

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
    monkeypatch.setattr(twice, "build", lambda out: write(out, page=next(texts)))
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
