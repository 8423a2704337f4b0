"""Run examples in processes that have the libraries already, each with a package of its own.

`planted.py` starts this file and writes a job to its standard input, one on a line, as JSON:

    {"package": FOLDER, "cells": [...], "script": PATH, "result": PATH, "seconds": 60,
     "checkpoint": FOLDER, "cache": FOLDER,
     "variants": [{"from": 3, "cells": [...], "result": PATH}, ...]}

Each job gets a process of its own. Importing torch and transformers takes longer than most
examples, so it is done once, and the processes are forked. The package is not imported here, since
each job brings another one.

A variant has other cells, beginning with number `from`: the run is forked there, so that what comes
before is run once. It ends after the first cell with a claim that is false.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import resource
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
    script = Path(job["script"])
    os.chdir(script.parent)
    os.environ["PYTHONPATH"] = job["package"]  # for the processes that the example starts
    os.environ["BERTLESSON_CACHE"] = job["cache"]
    sys.path[:] = [job["package"], *(each for each in sys.path if each not in ("", os.getcwd()))]
    sys.stdin.close()
    # what an example prints past sys.stdout is not for whom this process reports to
    os.dup2(2, 1)
    _limit(job["seconds"])
    with contextlib.redirect_stderr(io.StringIO()):
        _lend(job["checkpoint"], Path(job["cache"]))
        recorded = Branching(job).run()
    Path(job["result"]).write_text(json.dumps(recorded), "utf-8", errors="replace")
    os._exit(0)


class Branching:
    """A run that branches off, at the first cell that is another one, into each of its variants."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.cells = job["cells"]
        self.is_variant = False
        self.claims: list[dict[str, Any]] = []
        self.at = 0

    def run(self) -> dict[str, Any]:
        make_claim = record.make_claim

        def keep(sentence: object, about: str, values: tuple[Any, ...]) -> dict[str, Any]:
            claim = make_claim(sentence, about, values)
            self.claims.append(claim | {"cell": self.at})
            return claim

        record.make_claim = keep
        return record.run(self.cells, self.job["script"], self.begin)

    def begin(self, index: int) -> None:
        """Called before each cell."""
        self.at = index
        if self.is_variant and not all(claim["passed"] for claim in self.claims):
            self.end()  # the build is refused already
        for variant in self.job["variants"]:
            if not self.is_variant and variant["from"] == index:
                child = os.fork()
                if child == 0:
                    _limit(self.job["seconds"])
                    self.is_variant = True
                    self.job |= {"result": variant["result"]}
                    for cell, other in zip(self.cells, variant["cells"], strict=True):
                        cell.update(other)  # in place, since the run has this one in its hands
                else:
                    os.waitpid(child, 0)

    def end(self) -> None:
        recorded: dict[str, Any] = {
            "outputs": [],
            "claims": self.claims,
            "values": {},
            "error": None,
        }
        Path(self.job["result"]).write_text(json.dumps(recorded), "utf-8", errors="replace")
        os._exit(0)


def _limit(seconds: int) -> None:
    """End this process after so many seconds of a core; on a busy machine that may be hours."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _lend(checkpoint: str, cache: Path) -> None:
    """Have the package find this checkpoint, which another state of its code has trained."""
    tiny = importlib.import_module("bertlesson.lesson.tiny")
    (cache / f"tiny-{tiny.key(tiny.Settings())}").symlink_to(checkpoint)


if __name__ == "__main__":
    main()
