"""The site as ProperDocs builds it, compared with mkdocs'."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.release import properdocs
from tools.release.properdocs import main

PAGE = '<head><meta name="generator" content="mkdocs-{}, mkdocs-material-9.8.1"></head>{}'


def write(folder: Path, generator: str, text: str) -> None:
    folder.mkdir(parents=True)
    (folder / "page.html").write_text(PAGE.format(generator, text))
    (folder / "other.txt").write_text(text)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("same", 0, "2 files, 0 differ from those of mkdocs\n"),
        ("other", 1, "2 files, 2 differ from those of mkdocs\n"),
    ],
)
def test_all_but_the_name_of_the_generator_is_compared(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(properdocs, "install", lambda folder: 0)
    monkeypatch.setattr(properdocs, "build", lambda out: write(out, "1.6.1", "same"))

    def run(command: list[str], **settings: Any) -> subprocess.CompletedProcess[str]:
        assert command[:5] == [sys.executable, "-m", "properdocs", "build", "--strict"]
        assert "--quiet" not in command  # no warning would be counted
        assert settings["env"]["PYTHONPATH"].endswith("packages")
        write(Path(command[-1]), "ProperDocs 1.6.7", text)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(properdocs.subprocess, "run", run)
    monkeypatch.setattr(properdocs, "commit_time", lambda: "1700000000")
    assert main() == code
    output = capsys.readouterr()
    assert output.out == said
    assert ("page.html: differs from byte" in output.err) == bool(code)


def test_a_build_that_fails_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(properdocs, "install", lambda folder: 0)
    monkeypatch.setattr(properdocs, "build", lambda out: write(out, "1.6.1", "same"))
    monkeypatch.setattr(properdocs, "command", lambda out: [sys.executable, "-c", "exit(3)"])
    assert main() == 3
    assert "ProperDocs does not build the site" in capsys.readouterr().err
