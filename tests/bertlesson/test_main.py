"""`python -m bertlesson`: what is there, and the training of the lesson's small BERT."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

import bertlesson.__main__ as command
from bertlesson.lesson import tiny
from tests.bertlesson.lesson.test_tiny import SMALL


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BERTLESSON_CACHE", str(tmp_path))
    return tmp_path


def test_all_modules_are_listed_with_their_first_line(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([]) == 0
    shown = capsys.readouterr().out
    modules = [p.stem for p in command.PACKAGE.rglob("*.py") if not p.stem.startswith("__")]
    listed = [line.split()[0] for line in shown.splitlines() if line.startswith("  ")]
    assert sorted(listed) == sorted(modules)
    lines = dict(line.split(maxsplit=1) for line in shown.splitlines() if line.startswith("  "))
    assert lines["masking"].startswith("Masked language modelling: which tokens a model")
    assert shown.index(" ablation ") > shown.index("\nModules of bertlesson.lesson:\n")


def test_versions_and_the_place_of_the_checkpoint_are_shown(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command.main([])
    *_, versions, checkpoint = capsys.readouterr().out.splitlines()
    torch = importlib.metadata.version("torch")
    assert versions.startswith(f"Python {sys.version.split()[0]}, numpy ")
    assert f", torch {torch}, tqdm " in versions
    assert "accelerate" not in versions
    folder = cache / f"tiny-{tiny.key(tiny.Settings())}"
    assert checkpoint.startswith("The lesson's small BERT is not trained yet: python -m bertlesson")
    assert checkpoint.endswith(str(folder))
    folder.mkdir()
    command.main([])
    assert capsys.readouterr().out.endswith(f"\nThe lesson's small BERT is in {folder}\n")


@pytest.mark.slow
def test_training_says_where_how_long_and_how_well(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tiny, "Settings", lambda: SMALL)
    assert command.main(["train"]) == 0
    said = capsys.readouterr()
    (folder,) = cache.glob("tiny-*[!k]")
    assert said.out.startswith(f"Trained, into {folder}\n")
    assert " s, 1 threads; at the last step loss " in said.out
    assert "100%" in said.err
    assert command.main(["train"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"Trained before, into {folder}\n")
    assert "BERTLESSON_CACHE" in said.out
    assert not said.err


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "LESSON_ALONE", ("filelock", "no_such_package"))
    assert command.main([]) == 0
    assert capsys.readouterr().out.endswith(
        'needs no_such_package, not installed: pip install "bertlesson[lesson]"\n'
    )
    assert command.main(["train"]) == 1
    said = capsys.readouterr()
    assert said.err == (
        'training needs no_such_package, not installed: pip install "bertlesson[lesson]"\n'
    )


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (file := tmp_path / "file").write_text("")
    monkeypatch.setenv("BERTLESSON_CACHE", str(file))
    assert command.main(["train"]) == 1
    said = capsys.readouterr().err
    assert str(file) in said
    assert said.endswith("name one in BERTLESSON_CACHE\n")


@pytest.mark.parametrize("given", [["trian"], ["train", "now"], ["--steps", "3"]])
def test_a_word_that_it_does_not_know_ends_it(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(given)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("usage: python -m bertlesson")
    assert given[-1] in said


def test_it_runs_as_a_module() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "bertlesson", "--help"],
        env=os.environ | {"PYTHONPATH": str(command.PACKAGE.parent)},
        capture_output=True,
        text=True,
    )
    assert run.stdout.startswith("usage: python -m bertlesson [-h] COMMAND ...\n")
    assert "train the lesson's small BERT" in run.stdout
