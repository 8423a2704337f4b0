"""Change the package in small ways, one at a time, and count which changes its tests notice.

    python -m tools.release.mutants masking nsp         those modules, or lesson.corpus
    python -m tools.release.mutants masking --sample 0  all changes of a module, not a sample
    python -m tools.release.mutants masking --seed 2    another sample
    python -m tools.release.mutants masking --again     what survived, after tests were added

This is what `make mutants MODULE=masking` runs; without a module, it takes all of them. mutmut
makes the changes and runs the tests, in a copy of the sources and with packages of its own, so
that neither the sources nor the environment change. What it finds is kept in
`tools/release/noticed/mutants.json`, from which a page is made. By hand and weekly: a change costs
about a second.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tools.release.planting import FOLDER, commit, copied, read_found, update
from tools.run.cells import ROOT

MUTMUT = "mutmut==3.8.1"
FOUND = FOLDER / "mutants.json"
PACKAGE = ROOT / "src" / "bertlesson"
SAMPLE = 150  # changes of a module that are tried, unless told otherwise

# The tests that a module is held to; by default those of its own name.
TESTS: Mapping[str, tuple[str, ...]] = {
    "answers": ("answers", "ranking", "spans", "asking"),
    "building": ("stored",),
    "collating": ("collating", "collating_like_transformers"),
    "contexts": ("ranking", "spans", "asking", "windows"),
    "diagnosis_repeats": ("diagnosis_repeats",),
    "diagnosis_rows": ("diagnosis_rows", "diagnosis"),
    "diagnosis_runs": ("diagnosis_runs",),
    "diagnosis_shares": ("diagnosis_shares", "diagnosis"),
    "diagnosis_table": ("diagnosis_table", "diagnosis"),
    "encoding": ("stored",),
    "inputs": ("inputs", "finetuning", "training", "finding", "asking", "tags"),
    "lesson.corpus": ("corpus", "labelled"),
    "lesson.corpus_text": (),  # it is data alone
    "layout": ("pair_arrays", "reference_arrays"),
    "mlm_head": ("heads",),
    "outputs": ("outputs", "classification", "windows", "squad", "finding"),
    "packed_models": ("packing",),
    "padding": ("padding", "collating"),
    "reference_draws": ("reference_arrays",),
    "shards": ("stored",),
    "spans": ("spans", "ranking"),
    "tag_counts": ("report", "entities"),
}
# What needs no trained model and at most a second, and neither trains nor starts processes.
QUICK = (
    "-m",
    "not (slow or lesson or browser or timing)",
    "-k",
    "not (trainer or trains or worker or take_seconds)",
)
ARGUMENTS = (*QUICK, "-p", "no:cacheprovider", "--hypothesis-seed=0")
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}

# mutmut has no command that makes the mutants without running them, nor one that shows many.
MAKE = (
    "from mutmut import __main__ as m;"
    " m.set_mutant_under_test('mutant_generation');"
    " m.copy_src_dir(); m.copy_also_copy_files(); m.setup_source_paths(); m.create_mutants(1)"
)
SHOW = (
    "import json, sys; from mutmut.mutation.diff_apply import get_diff_for_mutant as d;"
    " print(json.dumps({name: d(name, path=sys.argv[1]) for name in json.load(sys.stdin)}))"
)
STATUS = {1: "killed", 3: "killed", 0: "survived", 5: "untested", 33: "untested"}
TIMED_OUT = (36, -24, 24, 152, 255, -9)


def main(arguments: list[str] | None = None) -> int:
    parser = ArgumentParser("python -m tools.release.mutants")
    parser.add_argument("module", nargs="*", help="default: all that have tests of their name")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="0 for all changes")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--again", action="store_true", help="only what survived before")
    parser.add_argument("--floor", type=float, default=0.0, help="fail below this share noticed")
    given = parser.parse_args(arguments)
    modules = given.module or [name for name in all_modules() if tests_of(name)]
    for name in modules:
        if not tests_of(name):
            known = ", ".join(all_modules())
            parser.error(f"{name}: expected a module of the package with tests; there are {known}")
    low = []
    for name in modules:
        before = read_found(FOUND).get(name) if given.again else None
        found = try_module(name, given.sample, given.seed, before)
        keep(name, found)
        print(in_words(name, found), flush=True)
        for change in found["survived"]:
            print(f"  {change['in']}\n  - {change['old']}\n  + {change['new']}")
        if share(found) < given.floor:
            low.append(name)
    if low:
        print(f"below {given.floor:.0%}: {', '.join(low)}; add tests that notice what is listed")
    return 1 if low else 0


def all_modules() -> list[str]:
    """All modules of the package; the lesson's own are named as in `lesson.corpus`."""
    paths = (path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("[!_]*.py"))
    return sorted(".".join(path.parts) for path in paths)


def source_of(module: str) -> str:
    return f"src/bertlesson/{module.replace('.', '/')}.py"


def tests_of(module: str) -> list[str]:
    """The files of tests that a module is held to."""
    folder, dot, own = module.rpartition(".")
    names = TESTS.get(module, (own,))
    paths = [f"tests/bertlesson/{folder}{dot and '/'}test_{name}.py" for name in names]
    return [path for path in paths if (ROOT / path).exists()]


def share(found: Mapping[str, Any]) -> float:
    """How many of the changes that were tried the tests have noticed."""
    return float((found["killed"] + found["timed_out"]) / max(1, found["tried"]))


def in_words(name: str, found: Mapping[str, Any]) -> str:
    tried, of = found["tried"], found["of"]
    return (
        f"{name}: {share(found):.1%} of {tried} changes noticed ({of} possible), "
        f"{len(found['survived'])} survived"
    )


def keep(module: str, found: Mapping[str, Any]) -> None:
    """Put what was found of one module into the file, whose other entries stay."""
    update(FOUND, lambda kept: dict(sorted({**kept, module: found}.items())))


def try_module(
    module: str, sample: int, seed: int, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Try changes of one module.

    Args:
        module: Its name.
        sample: How many changes to try; 0 for all.
        seed: Decides which.
        before: What was found before, to try only what survived then. The module must be as it was.

    Returns:
        How many there are (``of``), were ``tried``, ``killed`` and ``timed_out``; and each that
        ``survived``, with the function that it is in and the lines before and after it.

    Raises:
        ValueError: What survived before is no change of the module any more.
    """
    source = source_of(module)
    with copied() as root, tempfile.TemporaryDirectory(prefix="mutmut-") as packages:
        uv = str(Path(sys.executable).with_name("uv"))
        install = [uv, "pip", "install", "--quiet", "--target", packages]
        install += ["--python", sys.executable, "--constraint", "requirements.in", MUTMUT]
        subprocess.run(install, cwd=ROOT, check=True)
        project = (root / "pyproject.toml").read_text("utf-8")
        (root / "pyproject.toml").write_text(project + settings(module), "utf-8")
        run(root, packages, ["-c", MAKE])
        left_out = failing(root, packages, module)
        (root / "pyproject.toml").write_text(project + settings(module, left_out), "utf-8")
        names = sorted(results(root, source))
        shown = run(root, packages, ["-c", SHOW, source], json.dumps(names))
        diffs: dict[str, str] = json.loads(shown.strip().splitlines()[-1])
        changes = {name: change(name, diff) for name, diff in diffs.items()}
        chosen = names
        if before:
            chosen, left = [], [*before["survived"]]
            for name in names:  # two places of a function may have the same line
                if changes[name] in left:
                    chosen.append(name)
                    left.remove(changes[name])
            if left:
                raise ValueError(f"{module} is not what it was; expected a run without --again")
        elif 0 < sample < len(names):
            chosen = sorted(random.Random(f"{module} {seed}").sample(names, sample))
        log = run(root, packages, ["-m", "mutmut", "run", "--max-children", "1", *chosen])
        codes = {name: results(root, source)[name] for name in chosen}
    if None in codes.values():
        raise RuntimeError(f"{module}: mutmut ended before it was done:\n{log[-3000:]}")
    words = {name: status(code) for name, code in codes.items()}
    counts = Counter(words.values())
    survived = [changes[name] for name, word in words.items() if word in ("survived", "untested")]
    found = {
        "of": len(names),
        "tried": len(chosen),
        "killed": counts["killed"],
        "timed_out": counts["timed out"],
    }
    if before:
        found = {key: before[key] for key in ("of", "tried")} | {
            key: before[key] + found[key] for key in ("killed", "timed_out")
        }
    survived.sort(key=lambda one: [*one.values()])
    return found | {"survived": survived, "commit": commit()}


def failing(root: Path, packages: str, module: str) -> list[str]:
    """The tests that fail without a change, since mutmut wraps the functions: they are left out."""
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", *ARGUMENTS]
    within = root / "mutants"
    paths = os.pathsep.join([str(within / "src"), packages])
    environment = ENVIRONMENT | {"PYTHONPATH": paths, "MUTANT_UNDER_TEST": ""}
    ended = subprocess.run(
        ["nice", "-n", "10", *command, *tests_of(module)],
        cwd=within,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^(?:FAILED|ERROR) (\S+::\w+)", ended.stdout, re.MULTILINE)
    return sorted(set(found))


def settings(module: str, left_out: Iterable[str] = ()) -> str:
    """What `pyproject.toml` says to mutmut.

    Its default, `fork`, lets a test take the end of another one's process for its own.
    """
    chosen = {
        "source_paths": ["src"],
        "only_mutate": [source_of(module)],
        "also_copy": ["benchmarks", "docs", "examples", "findings", "tools", "mkdocs.yml"],
        "process_isolation": "forkserver",
        "use_git_change_detection": False,
        # The limit is 15 times what the tests take and this. With mutmut's own, 1 s, a busy machine
        # passes for a loop without an end.
        "timeout_constant": 10.0,
        "pytest_add_cli_args": [*ARGUMENTS, *(f"--deselect={test}" for test in left_out)],
        "pytest_add_cli_args_test_selection": tests_of(module),
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in chosen.items()]
    return "\n".join(["", "[tool.mutmut]", *lines, ""])


def run(root: Path, packages: str, arguments: Iterable[str], given: str = "") -> str:
    """What a Python with mutmut prints, started in the copy."""
    environment = os.environ | ENVIRONMENT | {"PYTHONPATH": packages}
    command = ["nice", "-n", "10", sys.executable, *arguments]
    ended = subprocess.run(
        command, cwd=root, env=environment, input=given, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"mutmut failed:\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}")
    return ended.stdout


def results(root: Path, source: str) -> dict[str, int | None]:
    """The exit code of the tests for each change; None for one that was not tried."""
    meta = json.loads((root / "mutants" / f"{source}.meta").read_text("utf-8"))
    codes: dict[str, int | None] = meta["exit_code_by_key"]
    return codes


def status(code: int | None) -> str:
    if code in TIMED_OUT:
        return "timed out"
    return STATUS.get(code or 0, f"suspicious: exit code {code}")


def change(name: str, diff: str) -> dict[str, str]:
    """One change: the function that it is in, and the lines before and after it."""
    lines = diff.splitlines()[2:]
    old, new = (
        "\n".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    function = re.sub(r"__mutmut_\d+$", "", name.rpartition(".")[2])
    function = re.sub(r"^x_?", "", function).replace("ǁ", ".").strip(".")
    return {"in": function, "old": old, "new": new}


if __name__ == "__main__":
    sys.exit(main())
