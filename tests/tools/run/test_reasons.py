"""What the log says of why something runs again."""

from __future__ import annotations

import doctest
import platform
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.conftest import Workshop
from tests.tools.run.helpers import text_of
from tools.run import examples as examples_module
from tools.run import reasons
from tools.run.examples import checkpoint_parts
from tools.run.reasons import digest, why

PARTS = {"cell 1": digest("x = 1"), "heads.py": digest("y = 1"), "numpy": "2.4.0"}


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (None, "runs for the first time"),
        (PARTS, "runs again: its result is missing or damaged"),
        (PARTS | {"heads.py": digest("y = 2")}, "runs again: heads.py changed"),
        (PARTS | {"numpy": "2.3.5"}, "runs again: numpy 2.3.5 → 2.4.0"),
        (PARTS | {"nsp.py": digest("z")}, "runs again: nsp.py was removed"),
        ({"cell 1": digest("x"), "numpy": "2.4.0"},
         "runs again: cell 1 changed, heads.py was added"),
        (dict(reversed(PARTS.items())), "runs again: its cells are in another order"),
        ({}, "runs again: cell 1 was added, heads.py was added, numpy was added"),
        ({"a": "1", "b": "1"},
         "runs again: cell 1 was added, heads.py was added, numpy was added and 2 more changes"),
    ],
)  # fmt: skip
def test_the_reason_names_what_changed(before: dict[str, str] | None, reason: str) -> None:
    assert why(before, PARTS) == reason


def test_its_documentation_tells_the_truth() -> None:
    assert doctest.testmod(reasons).failed == 0


# The parts of an example's key

TEXT = "# %% first\nimport pack.lesson.tiny\n\n# %%\nx = 1\n"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("x = 1", "x = 2", "cell 2 changed"),
        ("import pack.lesson.tiny", "import pack.lesson.tiny as t", 'the cell "first" changed'),
        ("x = 1", "x = 1\n# %% more\ny = 1", 'the cell "more" was added'),
        ("x = 1", "x = 1\nimport pack.lonely", "cell 2 changed, lonely.py was added"),
    ],
)
def test_a_changed_cell_is_named(
    workshop: Workshop, tiny: Path, old: str, new: str, reason: str
) -> None:
    before = workshop.example("one", TEXT).parts
    after = workshop.example("one", TEXT.replace(old, new)).parts
    assert why(before, after) == f"runs again: {reason}"


def test_a_changed_module_is_named_and_the_checkpoint_with_it(
    workshop: Workshop, tiny: Path
) -> None:
    before, trained = workshop.example("one", TEXT).parts, checkpoint_parts()
    free = workshop.example("free", "# %%\nimport pack.heads\n").parts
    heads = tiny.parent.with_name("heads.py")
    heads.write_text(heads.read_text().replace("return 3", "return 4"))
    after = workshop.example("one", TEXT).parts
    assert why(before, after) == "runs again: heads.py changed, the small BERT changed"
    assert why(trained, checkpoint_parts()) == "runs again: heads.py changed"
    changed = workshop.example("free", "# %%\nimport pack.heads\n").parts
    assert why(free, changed) == "runs again: heads.py changed"


@pytest.mark.parametrize("name", examples_module.VERSIONED)
def test_a_changed_version_is_named(
    workshop: Workshop, tiny: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before, trained = workshop.example("one", TEXT).parts, checkpoint_parts()
    monkeypatch.setattr(examples_module, "version", lambda n: "0.1" if n == name else version(n))
    reason = f"runs again: {name} {version(name)} → 0.1"
    assert why(before, workshop.example("one", TEXT).parts) == reason
    assert (why(trained, checkpoint_parts()) == reason) is (name != "matplotlib")


def test_a_changed_python_or_recorder_is_named(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = workshop.example("one", "# %%\n1\n").parts
    with monkeypatch.context() as patch:
        patch.setattr(platform, "python_version", lambda: "4.0.0")
        after = workshop.example("one", "# %%\n1\n").parts
        assert why(before, after) == f"runs again: Python {before['Python']} → 4.0.0"
    record, rc = examples_module.RECORDER
    copy = tmp_path / record.name
    copy.write_text(record.read_text() + "\n")
    monkeypatch.setattr(examples_module, "RECORDER", (copy, rc))
    after = workshop.example("one", "# %%\n1\n").parts
    assert why(before, after) == "runs again: tools/run/record.py changed"


def test_the_log_says_why_an_example_runs(
    workshop: Workshop, package: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    text = "# %%\nfrom pack import heads\nprint(heads.size())\n"

    def run() -> list[str]:
        caplog.clear()
        example = workshop.example("one", text)
        (outcome,) = workshop.run(example)
        assert text_of(outcome)
        return [said for said in caplog.messages if "runs" in said]

    heads = package / "heads.py"
    assert run() == ["examples/one.py runs for the first time"]
    assert run() == []
    heads.write_text(heads.read_text().replace("return 3", "return 4"))
    assert run() == ["examples/one.py runs again: heads.py changed"]
    for kept in (workshop.folder / "cache").glob("one-*.json"):
        kept.unlink()
    assert run() == ["examples/one.py runs again: its result is missing or damaged"]
