"""Which modules an import runs, in a package with another inside, and what of them is code."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertlesson.lesson.fingerprint import (
    code_alone,
    imported_modules,
    modules_of,
    path_of,
    run_by_importing,
)

MODULES = {
    "__init__": "",
    "heads": "x = 1\n",
    "nsp": "from .heads import x\n",
    "lonely": "",
    "inner.__init__": "",
    "inner.text": "",
    "inner.corpus": "from . import text\n",
    "inner.tiny": "from ..nsp import x\nfrom .corpus import text\n",
    "inner.above": "from .. import heads\n",
    "inner.deep.__init__": "from ...lonely import y\n",
    "inner.deep.deepest": "from ..corpus import text\n",
}
CORPUS = {"inner.corpus", "inner.text"}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    for name, code in MODULES.items():
        path = path_of(name, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
    return folder


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import torch", set()),
        ("from .heads import x", set()),  # a script is in no package
        ("import pack", {"__init__"}),
        ("import pack.heads", {"__init__", "heads"}),
        ("from pack.nsp import x", {"__init__", "nsp", "heads"}),
        ("from pack import inner", {"__init__", "inner.__init__"}),
        ("from pack.inner import corpus", {"__init__", "inner.__init__", *CORPUS}),
        ("from pack.inner.corpus import text", {"__init__", "inner.__init__", *CORPUS}),
        ("import pack.inner.corpus as c", {"__init__", "inner.__init__", *CORPUS}),
        (
            "from pack.inner import tiny",
            {"__init__", "inner.__init__", "inner.tiny", "nsp", "heads", *CORPUS},
        ),
        ("import pack.inner.above", {"__init__", "inner.__init__", "inner.above", "heads"}),
        (
            "from pack.inner.deep import deepest",
            {
                "__init__",
                "inner.__init__",
                "inner.deep.__init__",
                "inner.deep.deepest",
                "lonely",
                *CORPUS,
            },
        ),
        ("from pack import *", set(MODULES)),
        (
            "from pack.inner import *",
            {"__init__", "nsp", "heads", "lonely"} | {n for n in MODULES if "inner" in n},
        ),
        ("import package.heads", set()),
        ("import pack.missing", {"__init__"}),
    ],
)
def test_a_script_runs_what_it_imports_even_indirectly(
    package: Path, tmp_path: Path, code: str, found: set[str]
) -> None:
    script = tmp_path / "script.py"
    script.write_text(code)
    assert imported_modules(script, package) == found


def test_a_module_at_depth_two_counts_its_dots_from_where_it_is(package: Path) -> None:
    found = imported_modules(package / "inner" / "tiny.py", package)
    assert found == {"__init__", "inner.__init__", "nsp", "heads", *CORPUS}


def test_names_alone_are_enough(package: Path) -> None:
    names = ["pack.inner.corpus.Document", "torch.nn"]
    assert run_by_importing(names, package) == {"__init__", "inner.__init__", "inner.corpus"}
    assert run_by_importing(["pack.inner.*"], package) == {
        "__init__",
        *(name for name in MODULES if name.startswith("inner.")),
    }
    assert run_by_importing(["torch.nn"], package) == set()
    assert run_by_importing(["torch.nn", "pack.heads"], package) == {"__init__", "heads"}


def test_each_module_has_a_name_and_each_name_a_file(package: Path) -> None:
    assert modules_of(package).keys() == MODULES.keys()
    for name, path in modules_of(package).items():
        assert path_of(name, package) == path


def test_comments_and_docstrings_are_no_code(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text('"""Words."""\n\n\ndef f(x):\n    """Words."""\n    return x  # words\n')
    two.write_text("def f(x): return (x)\n")
    assert code_alone(one) == code_alone(two)
    two.write_text("def f(x): return -x\n")
    assert code_alone(one) != code_alone(two)
