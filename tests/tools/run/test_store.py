"""Results are kept whole, and no more of them than needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT, Workshop
from tests.tools.run.helpers import counting
from tools.run import store as store_module
from tools.run.store import LastRun


def test_a_damaged_result_is_made_anew(workshop: Workshop, tmp_path: Path) -> None:
    log = tmp_path / "log"
    example = workshop.example("one", counting(log))
    workshop.run(example)
    (kept,) = (workshop.folder / "cache").glob("one-*.json")
    kept.write_text(kept.read_text()[:-5])
    assert workshop.run(example)[0].state == "done"
    assert log.read_text() == "xx"


def test_files_that_an_example_leaves_are_kept_with_its_result(
    workshop: Workshop, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    leave = "import os\nopen('left.txt', 'w').write('words')\nos.mkdir('folder')\n"
    example = workshop.example("one", counting(log, leave))
    (outcome,) = workshop.run(example)
    assert outcome.result.files == ("left.txt",)
    left = workshop.runner().store.file(example, "left.txt")
    assert left.read_text() == "words"
    left.unlink()  # without it, the result is not whole
    assert workshop.run(example)[0].state == "done"
    assert (left.read_text(), log.read_text()) == ("words", "xx")


@pytest.mark.slow
def test_only_the_last_texts_of_an_example_are_kept(workshop: Workshop) -> None:
    runner = workshop.runner()
    for number in range(10):
        leave = f"open('left.txt', 'w').write('{number}')"
        runner.want([workshop.example("one", f"# %%\n{leave}\n")])
        runner.wait()
    kept = list((workshop.folder / "cache").glob("one-*.json"))
    assert len(kept) == 8
    folders = {path.name for path in (workshop.folder / "cache").glob("one-*") if path.is_dir()}
    assert folders == {path.stem for path in kept}
    last = "# %%\nopen('left.txt', 'w').write('9')\n"
    assert runner.store.path(workshop.example("one", last)) in kept


@pytest.mark.slow
def test_an_example_leaves_the_results_of_one_with_a_longer_name_alone(workshop: Workshop) -> None:
    runner = workshop.runner()
    longer = workshop.example("one-more", "# %%\n1\n")
    runner.want([longer])
    runner.wait()
    for number in range(10):
        runner.want([workshop.example("one", f"# %%\n{number}\n")])
        runner.wait()
    assert runner.store.path(longer).exists()
    assert runner.store.last_run("one-more")


def test_the_durations_for_a_first_run_name_the_examples_that_there_are() -> None:
    names = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert set(json.loads(store_module.DURATIONS.read_text())) == names, (
        "write them with python -m tools.run --durations"
    )


def test_the_last_run_of_an_example_is_kept(workshop: Workshop) -> None:
    example = workshop.example("mix", "# %%\nimport time\ntime.sleep(0.1)\n")
    store = workshop.runner().store
    assert store.last_run("mix") is None
    assert store.seconds(example) == store_module.usual_seconds()["mix"]
    workshop.run(example)
    last = store.last_run("mix")
    assert last
    assert 0.1 < last.seconds == store.seconds(example) < 60
    assert last.parts == example.parts


@pytest.mark.parametrize("text", ["", "[]", '{"seconds": 3}', '{"seconds": "x", "parts": {}}'])
def test_a_damaged_last_run_counts_as_none(workshop: Workshop, text: str) -> None:
    store = workshop.runner().store
    store.keep_run("one", LastRun(3.0, {"numpy": "2.4.0"}))
    assert store.last_run("one") == LastRun(3.0, {"numpy": "2.4.0"})
    (store.folder / "one.last.json").write_text(text)
    assert store.last_run("one") is None
    assert store.seconds(workshop.example("one", "# %%\n1\n")) == float("inf")
