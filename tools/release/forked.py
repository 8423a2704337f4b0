"""Run examples in processes that have the libraries already, each with a package of its own.

`planted.py` starts this file and writes a job to its standard input, one on a line, as JSON:

    {"package": FOLDER, "cells": [...], "script": PATH, "result": PATH, "seconds": 60,
     "checkpoint": FOLDER, "cache": FOLDER}

Each job gets a process of its own. Importing torch and transformers takes longer than most
examples, so it is done once, and the processes are forked. The package is not imported here, since
each job brings another one.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tools.run import record

LIBRARIES = (
    "accelerate",
    "matplotlib.pyplot",
    "numpy",
    "safetensors.torch",
    "tokenizers",
    "torch.utils.data",
    "transformers.trainer",
    "transformers.models.bert.modeling_bert",
    "transformers.models.bert.tokenization_bert",
)


def main() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


def _run(job: dict[str, Any]) -> None:
    """Run one job in this process, which does not return."""
    signal.alarm(job["seconds"])  # ends the process, unless the example has another use for it
    script = Path(job["script"])
    os.chdir(script.parent)
    os.environ["PYTHONPATH"] = job["package"]  # for the processes that the example starts
    os.environ["BERTLESSON_CACHE"] = job["cache"]
    sys.path[:] = [job["package"], *(each for each in sys.path if each not in ("", os.getcwd()))]
    sys.stdin.close()
    _lend(job["checkpoint"], Path(job["cache"]))
    # what an example prints past sys.stdout is not for whom this process reports to
    os.dup2(2, 1)
    with contextlib.redirect_stderr(io.StringIO()):
        recorded = record.run(job["cells"], str(script), lambda index: None)
    Path(job["result"]).write_text(json.dumps(recorded), "utf-8", errors="replace")
    os._exit(0)


def _lend(checkpoint: str, cache: Path) -> None:
    """Have the package find this checkpoint, which another state of its code has trained."""
    tiny = importlib.import_module("bertlesson.lesson.tiny")
    (cache / f"tiny-{tiny.key(tiny.Settings())}").symlink_to(checkpoint)


if __name__ == "__main__":
    main()
