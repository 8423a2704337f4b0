"""A processor is taken for one with narrower vectors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tools.release import processor
from tools.release.processor import NARROWER, main, narrower

CAPABILITY = torch.backends.cpu.get_cpu_capability()


@pytest.mark.skipif(CAPABILITY not in NARROWER, reason="a processor of another family")
def test_torch_takes_it_for_the_one_below() -> None:
    command = "import torch; print(torch.backends.cpu.get_cpu_capability().lower())"
    told = subprocess.run(
        [sys.executable, "-c", command],
        env=os.environ | narrower(CAPABILITY),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert told.strip() == narrower(CAPABILITY)["ATEN_CPU_CAPABILITY"] != CAPABILITY.lower()


def test_all_is_run_from_nothing_in_a_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def copy_of(checkout: Path, folder: Path) -> Path:
        (folder / ".cache").mkdir(parents=True)
        return folder

    def run(
        command: list[str], cwd: Path, env: dict[str, str], check: bool
    ) -> subprocess.CompletedProcess[str]:
        assert command[1:] == ["-m", "tools.run"]
        assert not (cwd / ".cache").exists()
        assert Path(env["PYTHONPATH"]) == cwd / "src"
        assert Path(env["BERTLESSON_CACHE"]).parent == cwd.parent
        assert narrower("AVX512").items() <= env.items()
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(processor, "copy_of", copy_of)
    monkeypatch.setattr(subprocess, "run", run)
    assert main() == 1


def test_another_family_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    assert main() == 2
    assert capsys.readouterr().out == "DEFAULT: expected one of AVX512, AVX2: run this on x86-64\n"
