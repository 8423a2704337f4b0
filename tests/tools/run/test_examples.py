"""What a result depends on: code, modules, versions and the recorder, and nothing else."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.conftest import ROOT, Workshop
from tests.tools.run.helpers import text_of
from tools.run import examples as examples_module
from tools.run.cells import Problem
from tools.run.examples import load_examples


@pytest.mark.parametrize(
    "line",
    [
        "from pack import heads",
        "from pack import lonely, heads as h",
        "import pack.heads",
        "import pack.heads as h",
        "from pack.heads import size",
        "from pack import nsp",  # which imports it
        "from pack.masking import nsp",  # which imports what imports it
        "def later():\n    from pack import heads",
        "from pack import *",  # whatever `__all__` names
        "import importlib\nimportlib.import_module('pack.heads')",
        "__import__('pack.masking')",
        "exec('from pack import heads')",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pack.nsp'])",
    ],
)
def test_every_way_to_import_a_module_is_seen(workshop: Workshop, package: Path, line: str) -> None:
    text = f"# %%\n{line}\n"
    before = workshop.example("one", text).key
    heads = package / "heads.py"
    heads.write_text(heads.read_text().replace("return 3", "return 4"))
    assert workshop.example("one", text).key != before


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (
            "import importlib\nimportlib.import_module(input())",
            "5: importlib.import_module imports",
        ),
        ("x = input()\nexec(x)", "5: exec runs code known only at run time"),
        ("import runpy\nrunpy.run_path('x.py')", "5: runpy.run_path runs a file"),
        ("import subprocess\nsubprocess.run(x)", "5: subprocess.run starts something known only"),
    ],
)
def test_an_import_that_only_a_run_knows_is_refused(
    workshop: Workshop, package: Path, line: str, why: str
) -> None:
    with pytest.raises(Problem) as caught:
        workshop.example("one", f"# %% [markdown]\n# Words.\n# %%\n{line}\n")
    assert str(caught.value).partition("one.py:")[2].startswith(why)


def test_the_package_imports_itself_by_statements_alone(workshop: Workshop, package: Path) -> None:
    workshop.example("good", "# %%\nfrom pack import heads\n")
    heads = package / "heads.py"
    for line, why in (
        (
            "import importlib\nimportlib.import_module('.nsp', 'pack')",
            "imports pack.nsp without an",
        ),
        ("def __getattr__(name):\n    return __import__(name)", "imports something known only"),
    ):
        heads.write_text(f"{line}\n")
        found, (problem,) = load_examples(workshop.folder / "examples")
        assert not found
        assert (problem.path, problem.line) == (heads, 2)
        assert why in problem.message


def test_a_module_may_begin_with_a_byte_order_mark(workshop: Workshop, package: Path) -> None:
    text = "# %%\nfrom pack import heads\nprint(heads.size())\n"
    before = workshop.example("one", text).key
    heads = package / "heads.py"
    heads.write_bytes(b"\xef\xbb\xbf" + heads.read_bytes().replace(b"\n", b"\r\n"))
    assert workshop.example("one", text).key == before
    (outcome,) = workshop.run(workshop.example("one", text))
    assert text_of(outcome) == "3\n"


def test_a_module_that_is_not_imported_changes_nothing(workshop: Workshop, package: Path) -> None:
    text = "# %%\nfrom pack import heads\n"
    before = workshop.example("one", text).key
    (package / "lonely.py").write_text("x = 2\n")
    assert workshop.example("one", text).key == before
    (package / "__init__.py").write_text("x = 2\n")  # importing a module runs this
    assert workshop.example("one", text).key != before


def test_comments_and_docstrings_of_modules_change_nothing(
    workshop: Workshop, package: Path
) -> None:
    text = "# %%\nfrom pack import heads\n"
    before = workshop.example("one", text).key
    heads = package / "heads.py"
    heads.write_text('def size():\n    """Others."""\n\n    return (3)  # others\n')
    assert workshop.example("one", text).key == before
    heads.write_text('def size():\n    return "two  spaces"\n')
    with_two = workshop.example("one", text).key
    heads.write_text('def size():\n    return "two spaces"\n')
    assert workshop.example("one", text).key != with_two


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("# %% [markdown]\n# Other words.\n\n# %% code\nx = 1\n\n# %% more\ny = 2\n", True),
        ("# %% [markdown]\n# Words.\n\n# %% other title\nx = 1\n\n# %% more\ny = 2\n", True),
        ("# %% [markdown]\n# Words.\n\n# %% code\nx = 3\n\n# %% more\ny = 2\n", False),
        ("# %% [markdown]\n# Words.\n\n# %% code\nx = 1\ny = 2\n", False),  # other cells
        ("# %% [markdown]\n# Words.\n\n# %% more\ny = 2\n\n# %% code\nx = 1\n", False),
    ],
)
def test_an_example_is_run_for_its_code_and_not_for_its_prose(
    workshop: Workshop, text: str, same: bool
) -> None:
    first = "# %% [markdown]\n# Words.\n\n# %% code\nx = 1\n\n# %% more\ny = 2\n"
    assert (workshop.example("one", first).key == workshop.example("one", text).key) is same


def test_two_examples_of_the_same_code_are_two(workshop: Workshop) -> None:
    assert workshop.example("one", "# %%\n1\n").key != workshop.example("two", "# %%\n1\n").key


@pytest.mark.parametrize("name", ["torch", "transformers", "tokenizers", "numpy", "matplotlib"])
def test_another_version_runs_it_anew(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = workshop.example("one", "# %%\n1\n").key
    monkeypatch.setattr(examples_module, "version", lambda n: "0" if n == name else version(n))
    assert workshop.example("one", "# %%\n1\n").key != before


def test_another_python_or_recorder_runs_it_anew(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {workshop.example("one", "# %%\n1\n").key}
    with monkeypatch.context() as patch:
        patch.setattr(platform, "python_version", lambda: "4.0.0")
        keys.add(workshop.example("one", "# %%\n1\n").key)
    record, rc = examples_module.RECORDER
    assert (record.name, rc.name) == ("record.py", "matplotlibrc")
    for changed in (record, rc):
        copy = tmp_path / changed.name
        copy.write_text(changed.read_text() + "\n")
        both = tuple(copy if path == changed else path for path in (record, rc))
        monkeypatch.setattr(examples_module, "RECORDER", both)
        keys.add(workshop.example("one", "# %%\n1\n").key)
    assert len(keys) == 4


def test_the_package_has_nothing_but_modules() -> None:
    found = {
        path.name
        for path in (ROOT / "src" / "bertlesson").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and path.name != "py.typed"
    }
    assert not found, f"keys of results know nothing of {found}"


def test_a_broken_script_does_not_hide_the_others(workshop: Workshop) -> None:
    workshop.example("good", "# %%\n1\n")
    (workshop.folder / "examples" / "bad.py").write_text("# %%\n1 +\n")
    found, (problem,) = load_examples(workshop.folder / "examples")
    assert list(found) == ["good"]
    assert (problem.path.name, problem.line) == ("bad.py", 2)


def test_a_broken_module_of_the_package_is_named(workshop: Workshop, package: Path) -> None:
    workshop.example("good", "# %%\nfrom pack import heads\n")
    (package / "heads.py").write_text("x = 1\ndef size(:\n")
    found, (problem,) = load_examples(workshop.folder / "examples")
    assert not found
    assert (problem.path, problem.line) == (package / "heads.py", 2)
