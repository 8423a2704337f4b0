"""Train the small BERT and run all examples as a processor with narrower vectors would.

    python -m tools.release.processor

There sums are added up in another order, and a training that differs in the last digits ends with
another model. The claims have to hold for that one, too: the processors of contributors and of
the machines that publish the site differ. By hand and weekly; it takes half an hour.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from tools.release.twice import copy_of
from tools.run.cells import ROOT

# What torch calls a processor, and what makes torch, MKL and oneDNN take it for the one below it.
NARROWER = {
    "AVX512": ("avx2", "AVX2", "AVX2"),
    "AVX2": ("default", "SSE4_2", "SSE41"),
}


def main() -> int:
    capability = torch.backends.cpu.get_cpu_capability()
    if capability not in NARROWER:
        print(f"{capability}: expected one of {', '.join(NARROWER)}: run this on x86-64")
        return 2
    with TemporaryDirectory() as folder:
        copy = copy_of(ROOT, Path(folder) / "copy")
        shutil.rmtree(copy / ".cache", ignore_errors=True)  # what the full width has given
        environment = os.environ | narrower(capability)
        environment |= {"PYTHONPATH": str(copy / "src"), "BERTLESSON_CACHE": f"{folder}/small BERT"}
        command = [sys.executable, "-m", "tools.run"]
        return subprocess.run(command, cwd=copy, env=environment, check=False).returncode


def narrower(capability: str) -> dict[str, str]:
    """The environment in which torch takes a processor for the one below it."""
    torchs, mkls, onednns = NARROWER[capability]
    return {
        "ATEN_CPU_CAPABILITY": torchs,
        "MKL_ENABLE_INSTRUCTIONS": mkls,
        "ONEDNN_MAX_CPU_ISA": onednns,
    }


if __name__ == "__main__":
    sys.exit(main())
