"""Changes by rule, as mutmut makes them: which are tried, and what is kept of them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tools.release import mutants
from tools.release.mutants import all_modules, change, main, settings, share, status

DIFF = """--- src/bertlesson/masking.py
+++ src/bertlesson/masking.py
@@ -3,5 +3,5 @@
 def keep(self):
-    return 1 - (
-        self.mask)
+    return 2 - (
+        self.mask)
"""


def test_a_survivor_is_known_by_its_function_and_its_lines() -> None:
    name = "bertlesson.masking.xǁMaskingRecipeǁkeep__mutmut_12"
    wanted = {"in": "MaskingRecipe.keep", "old": "return 1 - (\nself.mask)"}
    assert change(name, DIFF) == wanted | {"new": "return 2 - (\nself.mask)"}
    assert change("bertlesson.masking.x__replace__mutmut_3", DIFF)["in"] == "_replace"
    assert change("bertlesson.nsp.x_grow__mutmut_3", DIFF)["in"] == "grow"


def test_an_end_that_is_no_verdict_is_told_apart() -> None:
    assert [status(code) for code in (0, 1, 3, 33, -24)] == [
        "survived",
        "killed",
        "killed",
        "untested",
        "timed out",
    ]
    assert status(-11).startswith("suspicious")
    assert status(2).startswith("suspicious")


def test_each_module_has_tests_to_hold_it_to() -> None:
    assert {"masking", "collating", "nsp", "padding", "lesson.corpus"} < set(all_modules())
    for module in ("masking", "collating", "padding", "heads", "reference", "entities"):
        assert mutants.tests_of(module)
        assert all((ROOT / path).exists() for path in mutants.tests_of(module))
    assert mutants.tests_of("collating")[0] == "tests/bertlesson/test_collating.py"
    assert mutants.tests_of("lesson.files") == ["tests/bertlesson/lesson/test_files.py"]
    without = {module for module in all_modules() if not mutants.tests_of(module)}
    assert without == {"lesson.corpus_text"}


def test_mutmut_is_told_of_one_module_and_its_tests() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8") + settings("masking"))
    mutmut = told["tool"]["mutmut"]
    assert mutmut["only_mutate"] == ["src/bertlesson/masking.py"]
    assert mutmut["pytest_add_cli_args_test_selection"] == ["tests/bertlesson/test_masking.py"]
    assert mutmut["process_isolation"] == "forkserver"
    told = tomllib.loads(settings("lesson.corpus"))["tool"]["mutmut"]
    assert told["only_mutate"] == ["src/bertlesson/lesson/corpus.py"]


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As if modules had been tried: 9 of 10 are noticed in masking, 8 in others."""
    path = tmp_path / "mutants.json"
    path.write_text(json.dumps({"segments": {"of": 1}}))
    monkeypatch.setattr(mutants, "FOUND", path)

    def tried(module: str, sample: int, seed: int, before: Any) -> dict[str, Any]:
        killed = 7 if module == "masking" else 6
        survived = [{"in": "f", "old": f"x = {n}", "new": "x = 9"} for n in range(8 - killed)]
        found = {"of": 50, "tried": 10, "killed": killed, "timed_out": 2, "survived": survived}
        return found | {"asked": [sample, seed, before]}

    monkeypatch.setattr(mutants, "try_module", tried)
    return path


def test_a_module_is_kept_beside_the_others(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["masking", "--seed", "3", "--sample", "10", "--floor", "0.9"]) == 0
    kept = json.loads(results.read_text("utf-8"))
    assert [*kept] == ["masking", "segments"]
    assert kept["masking"]["asked"] == [10, 3, None]
    before = kept["masking"]
    assert main(["masking", "--again"]) == 0
    assert json.loads(results.read_text("utf-8"))["masking"]["asked"][2] == before
    assert share(kept["masking"]) == 0.9
    assert (
        "masking: 90.0% of 10 changes noticed (50 possible), 1 survived" in capsys.readouterr().out
    )


def test_too_few_noticed_fail(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["masking", "nsp", "--floor", "0.9"]) == 1
    said = capsys.readouterr().out
    assert "below 90%: nsp; add tests" in said
    assert "  f\n  - x = 1\n  + x = 9" in said
    assert main(["nsp"]) == 0


def test_a_module_that_is_not_there_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["maskings"])
    assert ended.value.code == 2
    assert "maskings: expected a module of the package with tests" in capsys.readouterr().err
