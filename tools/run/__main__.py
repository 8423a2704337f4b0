"""Run all examples that have no result yet, with progress.

python -m tools.run
python -m tools.run --durations     write how long each took last to durations.json
"""

from __future__ import annotations

import argparse
import json
import logging
import sys

from tools.run import memo
from tools.run.examples import load_examples
from tools.run.files import write_at_once
from tools.run.problems import problems_of
from tools.run.process import log
from tools.run.runner import Runner
from tools.run.store import DURATIONS


def main() -> int:
    """Run the examples; the exit code tells whether something must not be published."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--durations", action="store_true", help="write durations.json instead")
    only_durations = parser.parse_args().durations
    memo.read()
    examples, problems = load_examples()
    runner = Runner()
    if only_durations and not problems:
        seconds = {name: runner.store.seconds(example) for name, example in examples.items()}
        known = {name: round(took) for name, took in seconds.items() if took < float("inf")}
        write_at_once(DURATIONS, json.dumps(known, indent=2) + "\n")
        return 0
    if only_durations:
        for problem in problems:
            log.error("%s", problem)
        log.error("durations.json stays as it is: what is listed above cannot be read")
        return 1
    runner.want(examples.values())
    memo.write()
    try:
        runner.wait()
    except KeyboardInterrupt:
        runner.stop()
        return 130
    for example in examples.values():
        problems += [found for _, found in problems_of(example, runner.outcome(example).result)]
    for problem in problems:
        log.error("%s", problem)
    log.info("%d examples, %d problems", len(examples), len(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
