"""Write the lesson as Markdown and notebooks, with everything filled in.

    python -m tools.weave OUT           runs what has no result yet, then writes into the folder OUT
    python -m tools.weave --site OUT    a site for Zensical: settings too, notebooks as pages

Generators of sites that have the Markdown extensions of mkdocs.yml can take it from there. OUT must
be empty, or missing.
"""

from __future__ import annotations

import logging
import shutil
import sys
from argparse import ArgumentParser
from pathlib import Path

from tools.run import memo
from tools.run.cells import ROOT
from tools.run.examples import load_examples
from tools.run.runner import Runner
from tools.weave import export
from tools.weave.claims import FILE as CLAIMS_FILE
from tools.weave.downloads import FOLDER
from tools.weave.pages import Lesson
from tools.weave.project import Woven, weave
from tools.weave.settings import read_settings
from tools.weave.source import commit_of

log = logging.getLogger("tools.weave")


def main(arguments: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = ArgumentParser("python -m tools.weave", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, help="a folder that is empty, or that is made")
    parser.add_argument("--site", action="store_true", help="a whole site, ready for Zensical")
    given = parser.parse_args(arguments)
    out: Path = given.out
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        log.error("%s: expected an empty folder or none; name another, or remove it", out)
        return 2
    runner = Runner()
    memo.read()
    examples, problems = load_examples()
    try:
        runner.want(examples.values())
        runner.wait()
    except KeyboardInterrupt:
        runner.stop()
        return 130
    outcomes = {name: runner.outcome(example) for name, example in examples.items()}
    settings = read_settings(ROOT / "mkdocs.yml")
    docs = ROOT / "docs"
    lesson = Lesson(examples, outcomes, problems)
    woven = weave(lesson, docs, runner.store, settings, commit=commit_of())
    memo.write()
    for problem in woven.problems:
        log.error("%s", problem)
    if woven.problems:
        log.error("nothing was written; what is listed above must not be published")
        return 1
    if given.site:
        export.write(woven, lesson, docs, settings, out)
    else:
        write(woven, docs, out)
    log.info("%d pages and %d notebooks are in %s", len(woven.pages), len(woven.notebooks), out)
    return 0


def write(woven: Woven, docs: Path, out: Path) -> None:
    """Write pages, notebooks, claims, downloads, and what else is in the folder of the pages."""
    shutil.copytree(docs, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.md"))
    texts = {**woven.pages, CLAIMS_FILE: woven.texts[CLAIMS_FILE]}
    for name, text in woven.notebooks.items():
        texts |= {f"examples/{name}.ipynb": text, f"{FOLDER}/{name}.ipynb": text}
    for uri, text in texts.items():
        (out / uri).parent.mkdir(parents=True, exist_ok=True)
        (out / uri).write_text(text, "utf-8")
    for uri, path in woven.files.items():
        (out / uri).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, out / uri)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
