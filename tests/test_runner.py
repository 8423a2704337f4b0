"""The runner: once, side by side, never stale, and nothing wrong goes unsaid."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.conftest import ROOT, Workshop
from tools import examples as examples_module
from tools import runner as runner_module
from tools.examples import Example, Problem, checkpoint_key, load_examples, parse
from tools.process import BAR, bar_in_words, ending_in_words
from tools.results import Outcome, Store, describe_claim, problems_of


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Wait for it, but not for ever."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this takes too long"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def text_of(outcome: Outcome, cell: int = 0) -> str:
    return "".join(o["text"] for o in outcome.result["outputs"][cell] if o["type"] == "text")


def counting(log: Path, more: str = "") -> str:
    """An example that leaves a line in a file each time it is run."""
    return f'# %% count\nwith open({str(log)!r}, "a") as log:\n    log.write("x")\n{dedent(more)}'


# Once


def test_an_example_runs_once(workshop: Workshop, tmp_path: Path) -> None:
    log = tmp_path / "log"
    example = workshop.example("one", counting(log, 'print("done")\n'))
    runner = workshop.runner()
    for _ in range(2):
        runner.want([example])
        runner.wait()
    again = parse(example.path)
    (outcome,) = workshop.run(again)  # another process would find the same
    assert (outcome.state, text_of(outcome)) == ("done", "done\n")
    assert log.read_text() == "x"


def test_a_failure_is_not_tried_again_and_not_kept(workshop: Workshop, tmp_path: Path) -> None:
    log = tmp_path / "log"
    example = workshop.example("one", counting(log, "1 / 0\n"))
    runner = workshop.runner()
    for _ in range(2):
        runner.want([example])
        runner.wait()
    assert runner.outcome(example).state == "failed"
    assert log.read_text() == "x"
    assert workshop.run(example)[0].state == "failed"
    assert log.read_text() == "xx"


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
    assert outcome.result["files"] == ["left.txt"]
    left = workshop.runner().store.file(example, "left.txt")
    assert left.read_text() == "words"
    left.unlink()  # without it, the result is not whole
    assert workshop.run(example)[0].state == "done"
    assert (left.read_text(), log.read_text()) == ("words", "xx")


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


# What a result depends on


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that stands in for the lesson's."""
    folder = tmp_path / "pack"
    folder.mkdir()
    modules = {
        "__init__": '"""Words."""\n',
        "heads": '"""Words."""\n# more words\ndef size():\n    """Words."""\n    return 3\n',
        "nsp": "from .heads import size\n",
        "masking": "from . import nsp\n",
        "lonely": "x = 1\n",
    }
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.setattr(examples_module, "PACKAGE", folder)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return folder


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
    real = examples_module.version
    monkeypatch.setattr(examples_module, "version", lambda n: "0" if n == name else real(n))
    assert workshop.example("one", "# %%\n1\n").key != before


def test_another_python_or_recorder_runs_it_anew(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {workshop.example("one", "# %%\n1\n").key}
    with monkeypatch.context() as patch:
        patch.setattr(examples_module.platform, "python_version", lambda: "4.0.0")
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


def test_a_changed_module_runs_what_imports_it_and_nothing_else(
    workshop: Workshop, package: Path, tmp_path: Path
) -> None:
    with_it = counting(tmp_path / "with", "from pack.masking import nsp\nprint(nsp.size())\n")
    without = counting(tmp_path / "without", "import pack.lonely\n")
    texts = {"one": with_it, "two": without}
    workshop.run(*(workshop.example(name, text) for name, text in texts.items()))
    heads = package / "heads.py"
    heads.write_text(heads.read_text().replace("return 3", "return 4"))
    outcome, _ = workshop.run(*(workshop.example(name, text) for name, text in texts.items()))
    assert text_of(outcome) == "4\n"
    assert (tmp_path / "with").read_text() == "xx"
    assert (tmp_path / "without").read_text() == "x"


# What is reported


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            """
            # %% [markdown]
            # Words.

            # %% first
            x = 1

            # %% second
            x / 0
            """,
            "one.py:8: ZeroDivisionError: division by zero",
            id="a line",
        ),
        pytest.param(
            """
            # %% first
            def divide(x):
                return x / 0

            # %% second
            print("before")
            divide(1)
            """,
            "one.py:3: ZeroDivisionError: division by zero",
            id="a function of another cell",
        ),
        pytest.param(
            """
            # %% first
            x = [
                1,
                int("no"),
            ]
            """,
            "one.py:4: ValueError: invalid literal for int() with base 10: 'no'",
            id="a statement of several lines",
        ),
        pytest.param(
            """
            # %% first
            import json

            json.loads("{")
            """,
            "one.py:4: json.decoder.JSONDecodeError: Expecting property name",
            id="a library",
        ),
        pytest.param(
            """
            # %% first
            exec("x =")
            """,
            "one.py:2: SyntaxError: invalid syntax",
            id="a syntax error while it runs",
        ),
        pytest.param(
            """
            # %% first
            import sys

            sys.exit(0)
            """,
            "one.py:4: SystemExit: 0",
            id="sys.exit",
        ),
        pytest.param(
            """
            # %% first
            x = 1

            # %% second
            import os

            os._exit(0)
            """,
            "one.py:5: its process ended with exit code 0 and without a result",
            id="os._exit",
        ),
        pytest.param(
            """
            # %% first
            import ctypes

            # %% second
            def fall():
                ctypes.string_at(0)

            fall()
            """,
            "one.py:6: its process was ended by SIGSEGV",
            id="a segmentation fault",
        ),
        pytest.param(
            """
            # %% first
            x = 1

            # %% second
            import os

            os.kill(os.getpid(), 9)
            """,
            "one.py:5: its process was ended by SIGKILL",
            id="killed from outside",
        ),
        pytest.param(
            """
            # %% first
            input("name? ")
            """,
            "one.py:2: EOFError: EOF when reading a line",
            id="reads standard input",
        ),
        pytest.param(
            """
            # %% first
            import matplotlib.pyplot as plt

            plt.plot([1, 2])
            """,
            "one.py:2: ValueError: a figure needs a text alternative",
            id="a figure without a text alternative",
        ),
        pytest.param(
            """
            # %% first
            def check():
                assert 1 > 2, "in a function"

            check()
            """,
            "one.py:3: AssertionError: in a function",
            id="an assert in a function",
        ),
        pytest.param(
            """
            # %% first
            assert 1 > 2
            """,
            "one.py:2: AssertionError",
            id="an assert without a sentence",
        ),
        pytest.param(
            """
            # %% first
            x = 1
            assert x.missing, "a claim that cannot be evaluated"
            """,
            "one.py:3: AttributeError: 'int' object has no attribute 'missing'",
            id="a claim that raises",
        ),
    ],
)
def test_what_goes_wrong_is_reported_with_its_line(
    workshop: Workshop, text: str, expected: str
) -> None:
    (problem,) = workshop.problems("one", text)
    assert problem.startswith(expected)


def test_what_was_shown_before_an_error_is_there(workshop: Workshop) -> None:
    example = workshop.example("one", "# %%\nprint('a')\n\n# %%\nprint('b')\n1 / 0\n\n# %%\n1\n")
    (outcome,) = workshop.run(example)
    assert [text_of(outcome, 0), text_of(outcome, 1)] == ["a\n", "b\n"]
    assert outcome.result["error"]["cell"] == 1
    assert "ZeroDivisionError" in outcome.result["error"]["traceback"]
    assert len(outcome.result["outputs"]) == 2  # nothing runs after it


def test_false_claims_are_reported_and_the_others_still_evaluated(workshop: Workshop) -> None:
    text = """
    # %% first
    kept, never = 0.25, 0.5

    assert kept > 0.1, "first"
    assert kept > never, "kept is above never"

    # %% second
    assert kept == 0.25, "last"
    """
    assert workshop.problems("one", text) == [
        "one.py:5: claim is false: kept is above never (kept = 0.25 > never = 0.5)"
    ]
    (outcome,) = workshop.run(workshop.example("one", text))
    found = [(c["sentence"], c["passed"], c["cell"]) for c in outcome.result["claims"]]
    assert found == [("first", True, 0), ("kept is above never", False, 0), ("last", True, 1)]


@pytest.mark.parametrize(
    ("claim", "passed", "shown"),
    [
        ("assert 0 < x < 1, 's'", True, "0 < x = 0.25 < 1"),
        ("assert 0 < 2 * x < x, 's'", False, "0 < 2 * x = 0.5 < x = 0.25"),
        ("assert 1 > 0 > x > -1, 's'", False, "1 > 0 > x = 0.25 > -1"),
        ("assert x >= 0.25, 's'", True, "x = 0.25 ≥ 0.25"),
        ("assert x <= 0.2, 's'", False, "x = 0.25 ≤ 0.2"),
        ("assert x != 0.25, 's'", False, "x = 0.25 ≠ 0.25"),
        ("assert n == 3, 's'", True, "n = 3 = 3"),
        ("assert isinstance(x, float), 's'", True, "isinstance(x, float) = True"),
        ("assert not x, 's'", False, "not x = False"),
        ("assert word in ['a'], 's'", True, "word in ['a'] = True"),
        ("assert word == 'b', 's'", False, "word = 'a' = 'b'"),
        ("assert numpy.float32(0.5) > x, 's'", True, "numpy.float32(0.5) = 0.5 > x = 0.25"),
        ("assert numpy.array([1, 2]).sum() == 3, 's'", True, "numpy.array([1, 2]).sum() = 3 = 3"),
        ("assert (numpy.arange(3) < 3).all(), 's'", True, "(numpy.arange(3) < 3).all() = True"),
        ("assert 0.90001 > 0.9 + x * 0, 's'", True, "0.90001 > 0.9 + x * 0 = 0.9"),
        ("assert x + 1e-6 > x, 's'", True, "x + 1e-06 = 0.250001 > x = 0.25"),
    ],
)
def test_claims_say_what_was_measured(
    workshop: Workshop, claim: str, passed: bool, shown: str
) -> None:
    text = f"# %%\nimport numpy\nx, n, word = 0.25, 3, 'a'\n{claim}\n"
    (outcome,) = workshop.run(workshop.example("one", text))
    (found,) = outcome.result["claims"]
    assert found["passed"] is passed
    assert describe_claim(found) == shown


def test_a_tensor_is_a_number(workshop: Workshop) -> None:
    text = """
    # %% first
    import torch

    loss = torch.tensor(0.5)
    share = torch.tensor([3, 1]).bool().float().mean()
    assert loss < share, f"loss is below {share:.0f}"
    values = {"loss": loss, "row": torch.arange(3), "flag": torch.tensor(True), "name": "n"}
    """
    (outcome,) = workshop.run(workshop.example("one", text))
    (claim,) = outcome.result["claims"]
    assert claim["sentence"] == "loss is below 1"
    assert claim["values"] == [0.5, 1.0]
    assert outcome.result["values"] == {"loss": 0.5, "row": [0, 1, 2], "flag": True, "name": "n"}


def test_every_assert_with_a_message_at_the_top_is_a_claim(workshop: Workshop) -> None:
    text = """
    # %% first
    how = "words"
    assert 2 > 1, "in " + how
    assert 2 > 1, f"in {how}"
    assert 2 > 1, ("in "
                   "words")
    if True:
        assert 2 > 1, "inside of something"
    assert 2 > 1
    """
    (outcome,) = workshop.run(workshop.example("one", text))
    assert [claim["sentence"] for claim in outcome.result["claims"]] == ["in words"] * 3


# Addresses in memory, which are others in the next build

MADE = "# %% [markdown]\n# Words.\n\n# %% made\nclass A: ...\na = A()\n\n# %% shown\n"
ADDRESS = "holds an address in memory, <__main__.A object at 0x…>, which differs in each build"
HOLDS = "the output holds an address in memory,"
LONG = "f" * 44


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 1\nprint(a)", f"10: the output {ADDRESS}"),
        ("print(1)\nprint([a])", f"9: the output {ADDRESS}"),  # which of the two is not known
        ("import textwrap\nprint(textwrap.fill(repr(a), 20))", f"10: the output {ADDRESS}"),
        ("x = 1\nassert a, f'{a} is there'", f"10: the claim {ADDRESS}"),
        ("x = 1\nassert a == a, 'it is itself'", f"10: the claim {ADDRESS}"),
        ("values = {\n    'x': 1,\n    'it': {'deep': [a]},\n}", f"11: the value 'it' {ADDRESS}"),
        ("values = dict(\n    it=a)", f"10: the value 'it' {ADDRESS}"),
        ("values = {}\nvalues['it'] = a", f"10: the value 'it' {ADDRESS}"),
        ("print(lambda: 0)", f"9: {HOLDS} <function <lambda> at 0x…>"),
        ("print((x for x in []))", f"9: {HOLDS} <generator object <genexpr> at 0x…>"),
        ("print(memoryview(b''))", f"9: {HOLDS} <memory at 0x…>"),
        ("import sys\nprint(sys._getframe())", f"10: {HOLDS} <frame at 0x…>"),
        (f"def {LONG}(): ...\n\nvalues = {{'it': {LONG}}}", "11: the value 'it' holds"),
        ("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.set_title(repr(a))\n"
         "fig.set_label('a title')", f"9: the figure {ADDRESS}"),
        ("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nfig.set_label(repr(a))",
         f"9: the figure {ADDRESS}"),
    ],
)  # fmt: skip
def test_an_address_in_memory_is_told_with_its_line(
    workshop: Workshop, code: str, expected: str
) -> None:
    found, *more = workshop.problems("one", f"{MADE}{code}\n")
    assert not more
    assert found.startswith(f"one.py:{expected}")


@pytest.mark.parametrize(
    "text",
    ["0x1f", "at 0xdeadbeef", "a < 3, read at 0xdeadbeef", "<p at 0x1f>", "<b>x</b> at 0x7fa1b2c3"],
)
def test_other_numbers_are_no_addresses(workshop: Workshop, text: str) -> None:
    assert not workshop.problems("one", f"# %%\nprint({text!r})\nvalues = {{'x': {text!r}}}\n")


def test_what_two_builds_would_show_differently_is_not_kept(workshop: Workshop) -> None:
    example = workshop.example("one", "# %%\nprint(object())\n")
    (outcome,) = workshop.run(example)
    assert outcome.state == "failed"
    assert not list((workshop.folder / "cache").glob("one-*.json"))


# What cannot be read


def test_an_example_in_another_encoding_says_so_with_its_line(workshop: Workshop) -> None:
    path = workshop.folder / "examples" / "latin.py"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes("# %% a\nx = 1\ny = 'é'\n".encode("latin-1"))
    with pytest.raises(Problem, match=r"latin\.py:3: not UTF-8"):
        parse(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# %%\nx = (\n", "2: not Python: '(' was never closed"),
        ("# %% [markdown]\n# Words.\n\n# %%\n\nx = 1\nreturn x\n", "7: not Python: 'return'"),
        ("x = 1\n", "1: an example starts with a cell"),
        ("x = 1\n# %%\ny = 1\n", "1: an example starts with a cell"),
        ("# %% [markdown]\n# Words.\n", "1: an example has at least one code cell"),
        ("# %% a\nx = 1\n\n# %% a\ny = 1\n", '4: a second section is called "a"'),
        ("# %% a\nx = (1,\n# %% b\n2)\n", "2: not Python: '(' was never closed"),
        ("# %% a\nx = 1\n\n#%% b\ny = 1\n", "4: each cell starts with a line '# %% title'"),
        ("# %% a\nx = 1\n\n# %% [raw]\n# y\n", "4: a cell is code or [markdown], not [raw]"),
        ("# %% a\nx = 1\n\n# %% [md] b\n# y\n", "4: a cell is code or [markdown], not [md]"),
        ("# %% a\nx = 1\n\n# %% b [markdown]\n# y\n", "4: '# %% [markdown]' must be alone"),
        ("# %% a\nx = 1\n\n# %%time\ny = 1\n", "4: each cell starts with a line '# %% title'"),
        ("# %% a\nx = 1\n\f# %% b\ny = 1\n", "3: each cell starts with a line '# %% title'"),
        ("# %% a tags=hide-input\nx = 1\n", "1: tags are a list of strings at the end"),
        ("# %% a\nx = 1\n# %% b tags=[1]\ny = 1\n", "3: tags are a list of strings at the end"),
        ('# %% a tags=["b"] c\nx = 1\n', "1: tags are a list of strings at the end"),
        (
            "# %% a\nx = 1\n\n# %% [markdown]\n# y\nz = 1\n",
            "6: in a [markdown] cell each line",
        ),
        ('# %% a\nx = 1\n\n# %% [markdown]\n"""y"""\n', "5: in a [markdown] cell each line"),
        ("# %% a\nx = 1\n\n# %% [markdown]\n#y\n", "5: in a [markdown] cell each line"),
        ("# %% a\n# -*- coding: latin-1 -*-\nx = 1\n", "2: declares the encoding iso-8859-1"),
        ("# %% a\n# coding: klingon\nx = 1\n", "1: not Python: unknown encoding: klingon"),
        ("# %% a\nx = 1\ny = '\0'\n", "3: not Python: a null byte"),
    ],
)
def test_a_script_that_is_no_example_says_why(workshop: Workshop, text: str, expected: str) -> None:
    with pytest.raises(Problem) as caught:
        workshop.example("one", text)
    assert str(caught.value).partition("one.py:")[2].startswith(expected)


@pytest.mark.parametrize(
    ("heading", "title", "tags"),
    [
        ("# %%", "", []),
        ("# %%   two  words ", "two  words", []),
        ("# %% [CLS] before fine-tuning", "[CLS] before fine-tuning", []),
        ("# %% [CLS]", "[CLS]", []),
        ("# %% where [MASK] stands", "where [MASK] stands", []),
        ("# %% a set {1, 2}", "a set {1, 2}", []),
        ('# %% braces {"a": 1}', 'braces {"a": 1}', []),
        ("# %% MaskingRecipe(select=0.15, mask=0.8)", "MaskingRecipe(select=0.15, mask=0.8)", []),
        ("# %% select=0.15", "select=0.15", []),
        ('# %% a "b" it\'s `c` <d> &amp; \\n %% é', 'a "b" it\'s `c` <d> &amp; \\n %% é', []),
        ('# %% folded tags=["hide-input"]', "folded", ["hide-input"]),
        ("# %% tags=['a', \"b\"]", "", ["a", "b"]),
        ("# %% select=0.15 tags=[]", "select=0.15", []),
    ],
)
def test_a_title_is_what_is_written(
    workshop: Workshop, heading: str, title: str, tags: list[str]
) -> None:
    (cell,) = workshop.example("one", f"{heading}\nx = 1\n").cells
    assert (cell.kind, cell.title, [*cell.tags], cell.line) == ("code", title, tags, 2)


@pytest.mark.parametrize(
    "code",
    [
        "x = 1  # a remark",
        "# copy the weights first",
        "# cat and dog are words",
        "# !pip install torch",
        "# %d is how a number is printed",
        "# %load_ext autoreload",
        "# ls",
        "# ?",
        "x = [\n# %time comes later\n]",
        's = "a\u2028b\u2029c\x85d\x1ce\x0bf\x0cg"',
        "# a comment with \u2028 in it",
        "\x0cx = 1\n\x0c\ny = 2",
        's = """\n# %% no cell\n\n\n\n#%% none either\n"""',
        "def f():\n    # %% within a block\n    return 1  # %% behind code",
        "x = 1 \\\n    + 2",
        "é = '\\N{BYTE ORDER MARK}'",
        "x = 1\n\n\n# the end",
        "",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_an_example_is_what_python_reads(
    workshop: Workshop, code: str, newline: str, mark: bytes
) -> None:
    path = workshop.folder / "one.py"
    text = f"# %% first\n\n{code}\n\n# %% [markdown]\n# Words.\n\n# %% last\nraise ValueError\n"
    path.write_bytes(mark + text.replace("\n", newline).encode())
    first, words, last = parse(path).cells
    assert first.source == code
    assert (words.kind, words.source) == ("markdown", "Words.")
    assert last.source == "raise ValueError"
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        exec(compile(path.read_bytes(), str(path), "exec"), {})
    assert caught.traceback[-1].lineno + 1 == last.line


def test_lines_are_pythons_whatever_stands_in_a_string(workshop: Workshop) -> None:
    odd = "\u2028\u2029\x85\x1c\x0b\x0c"
    text = f"# %%\ns = '{odd}'\nassert len(s) < 3, 's is short'\n\n# %%\n\x0cx = '{odd}'\n1 / 0\n"
    assert workshop.problems("one", text) == [
        "one.py:3: claim is false: s is short (len(s) = 6 < 3)",
        "one.py:7: ZeroDivisionError: division by zero",
    ]


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


# What an example may do


def test_an_example_runs_as_a_reader_runs_it(workshop: Workshop) -> None:
    text = """
    # %% first
    from __future__ import annotations

    import os
    import sys
    from pathlib import Path

    print(__name__, sys.argv, __file__, Path.cwd())
    print(sorted(os.listdir()))
    Path("left.txt").write_text("behind")
    print(Path("left.txt").read_text())

    # %% second
    def typed(x: NotDefined) -> None: ...


    print(typed.__annotations__["x"], __name__ == "__main__")
    import inspect

    print(inspect.getsource(typed))
    """
    (outcome,) = workshop.run(workshop.example("one", text))
    assert text_of(outcome, 0) == (
        "__main__ ['examples/one.py'] examples/one.py .\n['one.py']\nbehind\n"
    )
    assert text_of(outcome, 1).splitlines()[:2] == [
        "NotDefined True",
        "def typed(x: NotDefined) -> None: ...",
    ]
    # kept with the result, and nowhere else
    assert [path.parent.parent.name for path in workshop.folder.rglob("left.txt")] == ["cache"]


def test_annotations_are_evaluated_as_python_does(workshop: Workshop) -> None:
    text = "# %%\ndef f(x: Missing): ...\n"
    assert workshop.problems("one", text) == ["one.py:2: NameError: name 'Missing' is not defined"]


def test_nothing_of_the_project_is_on_the_path(workshop: Workshop) -> None:
    text = "# %%\nimport tools\n"
    (problem,) = workshop.problems("one", text)
    assert problem == "one.py:2: ModuleNotFoundError: No module named 'tools'"


def test_what_bypasses_python_does_not_mix_with_the_events(workshop: Workshop) -> None:
    text = """
    # %% first
    import os
    import subprocess
    import sys

    os.write(1, b"half a line")
    subprocess.run(["echo", '{"cell": 7}'])
    print("through Python")

    # %% second
    sys.__stdout__.write("more")
    print("still there")
    """
    (outcome,) = workshop.run(workshop.example("one", text))
    assert outcome.state == "done"
    assert [text_of(outcome, 0), text_of(outcome, 1)] == ["through Python\n", "still there\n"]


def test_workers_of_a_loader_may_print(workshop: Workshop) -> None:
    text = """
    # %% first
    from torch.utils.data import DataLoader


    class Squares:
        def __len__(self):
            return 4

        def __getitem__(self, i):
            print("in a worker")
            return i * i


    if __name__ == "__main__":
        print([batch.tolist() for batch in DataLoader(Squares(), 2, num_workers=1)])
    """
    (outcome,) = workshop.run(workshop.example("one", text))
    assert outcome.state == "done", outcome.result
    assert text_of(outcome) == "[[0, 1], [4, 9]]\n"


def test_what_an_example_leaves_running_ends_with_it(workshop: Workshop, tmp_path: Path) -> None:
    text = f"""
    # %% first
    import subprocess
    from pathlib import Path

    child = subprocess.Popen(["sleep", "600"])
    Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
    """
    (outcome,) = workshop.run(workshop.example("one", text))
    assert outcome.state == "done"
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not alive(pid))


def test_outputs_come_back_as_they_were(workshop: Workshop) -> None:
    shown = ["<script>alert(1)</script>", "**no** {{ markdown }}", "ä→中\u2028😀", "x" * 20_000]
    text = f"# %%\nfor line in {shown!r}:\n    print(line)\nprint(chr(0xD800))\n"
    (outcome,) = workshop.run(workshop.example("one", text))
    assert text_of(outcome) == "\n".join([*shown, "?"]) + "\n"


def test_two_cold_executions_give_the_same_bytes(workshop: Workshop) -> None:
    text = """
    # %% first
    import matplotlib.pyplot as plt
    import torch

    print({"a", "b", "c", "d"}, torch.get_num_threads())
    torch.manual_seed(0)
    print(torch.randn(300, 300).matmul(torch.randn(300, 300)).sum().item())

    # %% second
    fig, ax = plt.subplots()
    ax.plot([1, 2], label="line")
    ax.fill_between([0, 1], [1, 2], [2, 3])
    ax.set_title("Ä title")
    fig.set_label("a line")
    """
    example = workshop.example("one", text)
    kept = []
    for cache in ("first", "second"):
        (outcome,) = workshop.run(example, cache=cache)
        assert outcome.state == "done", outcome.result
        kept.append((workshop.folder / cache / f"one-{example.key}.json").read_bytes())
    assert kept[0] == kept[1]


# Interruptions


def slow(log: Path, seconds: float = 600) -> str:
    return counting(log, f"import time\ntime.sleep({seconds})\n")


def running(workshop: Workshop, example: Any, log: Path) -> tuple[Any, int]:
    """A runner that is in the midst of the example, and the process that runs it."""
    runner = workshop.runner()
    runner.want([example])
    job = runner._jobs[example.name]
    until(lambda: log.exists() and job.process is not None)  # the script may be quicker than Popen
    leash = job.process.pid
    children = Path(f"/proc/{leash}/task/{leash}/children").read_text().split()
    return runner, int(children[0])


def test_a_killed_execution_leaves_nothing_and_runs_again(
    workshop: Workshop, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    example = workshop.example("one", slow(log))
    runner, child = running(workshop, example, log)
    os.kill(child, signal.SIGKILL)
    runner.wait()
    outcome = runner.outcome(example)
    assert outcome.result["error"]["message"] == "its process was ended by SIGKILL"
    assert not list((workshop.folder / "cache").glob("one-*"))
    log.unlink()
    running(workshop, example, log)


def test_stop_ends_the_run_and_all_that_it_started(workshop: Workshop, tmp_path: Path) -> None:
    log, pid = tmp_path / "log", tmp_path / "pid"
    more = f"""
    import subprocess, sys
    child = subprocess.Popen(["sleep", "600"])
    open({str(pid)!r}, "w").write(str(child.pid))
    """
    example = workshop.example("one", counting(log, dedent(more)) + "child.wait()\n")
    runner, child = running(workshop, example, log)
    until(lambda: pid.exists() and pid.read_text())
    runner.stop()
    assert not runner._jobs
    until(lambda: not alive(child) and not alive(int(pid.read_text())))
    assert not list((workshop.folder / "cache").glob("one-*"))


PARENT = """
import logging, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tools.examples import parse
from tools.runner import Runner
logging.basicConfig(level=logging.INFO)
signal.signal(signal.SIGINT, signal.default_int_handler)  # `make test &` has it ignored
runner = Runner(Path({cache!r}), 2)
runner.want([parse(Path({example!r}))])
try:
    runner.wait()
except KeyboardInterrupt:
    runner.stop()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_ends_with_the_build_however_that_ends(
    workshop: Workshop, tmp_path: Path, how: signal.Signals
) -> None:
    log, where = tmp_path / "log", tmp_path / "where"
    text = f"import os\nopen({str(where)!r}, 'w').write(f'{{os.getpid()}} {{os.getcwd()}}')\n"
    example = workshop.example("one", counting(log, text) + "import time\ntime.sleep(600)\n")
    code = PARENT.format(root=str(ROOT), cache=str(tmp_path / "cache"), example=str(example.path))
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    until(lambda: where.exists() and where.read_text())
    pid, room = where.read_text().split()
    parent.send_signal(how)
    parent.wait(30)
    until(lambda: not alive(int(pid)))
    until(lambda: not Path(room).exists())
    assert not list((tmp_path / "cache").glob("one-*"))
    log.unlink()
    running(workshop, example, log)  # the next build runs it, and no lock is left


def test_two_builds_at_once_run_an_example_once(workshop: Workshop, tmp_path: Path) -> None:
    log = tmp_path / "log"
    example = workshop.example("one", slow(log, 0.5))
    code = PARENT.format(root=str(ROOT), cache=str(tmp_path / "cache"), example=str(example.path))
    builds = [subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path) for _ in range(2)]
    runner = workshop.runner()
    runner.want([example])
    runner.wait()
    assert [build.wait(60) for build in builds] == [0, 0]
    assert runner.outcome(example).state == "done"
    assert log.read_text() == "x"


def test_a_run_that_waits_for_another_build_can_be_stopped(
    workshop: Workshop, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    example = workshop.example("one", slow(log))
    running(workshop, example, log)
    other = workshop.runner()
    other.want([example])
    until(lambda: other.outcome(example).progress == "another build is running it")
    began = time.monotonic()
    other.stop()
    assert time.monotonic() - began < 5
    assert not other._jobs
    assert log.read_text() == "x"


def test_an_edit_stops_the_outdated_run(workshop: Workshop, tmp_path: Path) -> None:
    log = tmp_path / "log"
    example = workshop.example("one", slow(log))
    ended: list[str] = []
    runner, child = running(workshop, example, log)
    runner.on_done = ended.append
    edited = workshop.example("one", counting(log, "print('new')\n"))
    runner.want([edited])
    runner.wait()
    assert not alive(child)
    assert text_of(runner.outcome(edited)) == "new\n"
    assert log.read_text() == "xx"
    assert ended == ["one"]  # nobody is told of the one that was stopped


def test_an_edit_of_prose_lets_the_run_go_on(workshop: Workshop, tmp_path: Path) -> None:
    log = tmp_path / "log"
    text = slow(log, 0.5)
    runner, _ = running(workshop, workshop.example("one", text), log)
    edited = workshop.example("one", f"# %% [markdown]\n# New words.\n\n{text}1 / 0\n")
    runner.want([workshop.example("one", f"# %% [markdown]\n# New words.\n\n{text}")])
    runner.wait()
    assert log.read_text() == "x"
    assert runner.outcome(edited).state != "done"


def test_lines_are_told_for_the_text_as_it_is_now(workshop: Workshop) -> None:
    text = "# %% code\nx = 1\nassert x > 2, 'large'\n"
    runner = workshop.runner()
    runner.want([workshop.example("one", text)])
    runner.wait()
    moved = workshop.example("one", f"# %% [markdown]\n# Words.\n\n{text}")
    ((_, problem),) = problems_of(moved, runner.outcome(moved))
    assert problem.line == 6


def test_a_result_of_code_that_changed_meanwhile_is_not_kept(
    workshop: Workshop, package: Path, tmp_path: Path
) -> None:
    gate, log = tmp_path / "gate", tmp_path / "log"
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.02)\n"
    text = counting(log, wait + "from pack import heads\n")
    example = workshop.example("one", text)
    runner, _ = running(workshop, example, log)
    heads = package / "heads.py"
    old = heads.read_text()
    heads.write_text(old.replace("return 3", "return 4"))
    gate.touch()
    runner.wait()
    assert "edited while it ran" in runner.outcome(example).result["error"]["message"]
    assert not list((workshop.folder / "cache").glob("one-*"))
    heads.write_text(old)
    runner.want([workshop.example("one", text)])
    runner.wait()
    assert runner.outcome(example).state == "done"


# Side by side


def meeting(mine: Path, other: Path) -> str:
    """An example that ends when the other has begun."""
    return f"""
    # %% meet
    import time
    from pathlib import Path

    Path({str(mine)!r}).touch()
    end = time.monotonic() + 20
    while not Path({str(other)!r}).exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    """


def test_independent_examples_run_side_by_side(workshop: Workshop, tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    outcomes = workshop.run(
        workshop.example("one", meeting(a, b)), workshop.example("two", meeting(b, a)), cores=2
    )
    assert [outcome.state for outcome in outcomes] == ["done", "done"]


def test_no_more_run_than_there_are_cores(workshop: Workshop, tmp_path: Path) -> None:
    text = f"""
    # %% alone
    import os, time

    os.mkdir({str(tmp_path / "busy")!r})
    time.sleep(0.1)
    os.rmdir({str(tmp_path / "busy")!r})
    """
    examples = [workshop.example(name, text) for name in ("one", "two", "three")]
    assert {outcome.state for outcome in workshop.run(*examples, cores=1)} == {"done"}


def test_the_longest_runs_first(workshop: Workshop, tmp_path: Path) -> None:
    order = tmp_path / "order"

    def make(number: int) -> list[Any]:
        text = "# %%\nopen({!r}, 'a').write('{} ')\nimport time\ntime.sleep({})\nx = {}\n"
        seconds = {"a": 0.0, "b": 0.6, "spans": 0.2}
        return [
            workshop.example(name, text.format(str(order), name, s, number))
            for name, s in seconds.items()
        ]

    workshop.run(*make(0), cores=1)
    assert order.read_text() == "spans a b ", "nothing is known yet but what is long as a rule"
    order.unlink()
    workshop.run(*make(1), cores=1)
    assert order.read_text() == "b spans a "


def test_what_is_long_as_a_rule_is_there() -> None:
    assert set(runner_module.LONG) <= {path.stem for path in (ROOT / "examples").glob("*.py")}


def test_a_failure_does_not_stop_the_others(workshop: Workshop) -> None:
    outcomes = workshop.run(
        workshop.example("a", "# %%\n1 / 0\n"),
        workshop.example("b", "# %%\nimport os\nos.abort()\n"),
        workshop.example("c", "# %%\nprint('there')\n"),
        cores=1,
    )
    assert [outcome.state for outcome in outcomes] == ["failed", "failed", "done"]


def test_a_fault_of_the_runner_is_shown_and_stops_nothing_else(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = Store.keep

    def full(store: Store, example: Example, *rest: Any) -> None:
        if example.name == "one":
            raise OSError("no space left on device")
        keep(store, example, *rest)

    monkeypatch.setattr(Store, "keep", full)
    examples = [workshop.example(name, "# %%\n1\n") for name in ("one", "two")]
    one, two = workshop.run(*examples, cores=1)
    assert one.result["error"]["message"] == "the runner failed: no space left on device"
    assert two.state == "done"


def test_what_the_runner_cannot_do_is_a_failure_of_the_example(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "PYTHON", ("/no/such/python",))
    (outcome,) = workshop.run(workshop.example("one", "# %%\n1\n"))
    message = outcome.result["error"]["message"]
    assert "exit code" in message
    assert "/no/such/python" in outcome.result["error"]["traceback"]


# The checkpoint


@pytest.fixture
def tiny(package: Path) -> Path:
    """A checkpoint's module in the package that stands in for the lesson's."""
    lesson = package / "lesson"
    lesson.mkdir()
    (lesson / "__init__.py").touch()
    (lesson / "tiny.py").write_text("from .. import heads\n")
    return lesson / "tiny.py"


USES = "# %%\nimport pack.lesson.tiny\n"


def test_the_checkpoint_is_made_before_what_uses_it(
    workshop: Workshop, tiny: Path, tmp_path: Path
) -> None:
    made, log = tmp_path / "made", tmp_path / "log"
    code = f"import time; time.sleep(0.3); open({str(made)!r}, 'a').write('x')"
    uses = USES + f"print(open({str(made)!r}).read())\n"
    runner = workshop.runner(checkpoint_command=[sys.executable, "-c", code])
    examples = [workshop.example("uses", uses), workshop.example("free", counting(log))]
    assert [example.needs_checkpoint for example in examples] == [True, False]
    runner.want(examples)
    assert runner.outcome(examples[0]).progress == "training the small BERT: starting"
    runner.wait()
    assert text_of(runner.outcome(examples[0])) == "x\n"
    runner.want([*examples, workshop.example("also", uses)])
    runner.wait()
    assert made.read_text() == "x"  # it is there already

    tiny.write_text("from .. import heads\nsteps = 2\n")
    again = workshop.example("uses", uses)
    runner.want([again])
    runner.wait()
    assert text_of(runner.outcome(again)) == "xx\n"  # of the new code


def test_nothing_is_trained_for_what_does_not_use_it(
    workshop: Workshop, tiny: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    command = [sys.executable, "-c", f"open({str(made)!r}, 'w')"]
    workshop.run(workshop.example("free", "# %%\n1\n"), checkpoint_command=command)
    assert not made.exists()


def test_a_failed_checkpoint_is_reported_for_each_that_uses_it(
    workshop: Workshop, tiny: Path
) -> None:
    code = "import sys; print('no room left', file=sys.stderr); sys.exit(3)"
    examples = [workshop.example(name, USES) for name in ("a", "b")]
    free = workshop.example("free", "# %%\n1\n")
    outcomes = workshop.run(*examples, free, checkpoint_command=[sys.executable, "-c", code])
    assert [outcome.state for outcome in outcomes] == ["failed", "failed", "done"]
    for outcome in outcomes[:2]:
        error = outcome.result["error"]
        assert error["message"].startswith("the small BERT could not be trained: its process ended")
        assert "exit code 3" in error["message"]
        assert error["traceback"] == "no room left"


def test_an_edit_of_its_code_stops_the_training(
    workshop: Workshop, tiny: Path, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    code = (
        f"import os, time; print(os.getpid(), file=open({str(pids)!r}, 'a'), flush=True); "
        f"time.sleep(600 * (open({str(tiny)!r}).read() == 'x = 1\\n'))"
    )
    tiny.write_text("x = 1\n")
    key = checkpoint_key()
    runner = workshop.runner(checkpoint_command=[sys.executable, "-c", code])
    runner.want([workshop.example("uses", USES)])
    until(lambda: pids.exists() and pids.read_text())
    tiny.write_text("x = 2\n")
    assert checkpoint_key() != key
    edited = workshop.example("uses", USES)
    runner.want([edited])
    runner.wait()
    assert runner.outcome(edited).state == "done"
    first, _ = map(int, pids.read_text().split())
    assert not alive(first)


# Progress


@pytest.mark.parametrize(
    ("bar", "words"),
    [
        (" 17%|█▋        | 2/12 [00:02<00:10,  1.00s/it]", "2 of 12, 10 s left"),
        ("seed 1:  50%|█████     | 50/100 [01:05<01:05,  1.3s/it]",
         "seed 1: 50 of 100, 1 min 5 s left"),
        ("train: 75%|███| 1.2k/1.6k [2:01:00<1:00:03, 8.2it/s, mlm=2.31, nsp=0.52]",
         "train: 1.2k of 1.6k, 60 min 3 s left, mlm=2.31, nsp=0.52"),
        ("  0%|          | 0/12 [00:00<?, ?it/s]", "0 of 12"),
        ("100%|██████████| 12/12 [00:02<00:00,  5.9it/s]", "12 of 12, 0 s left"),
    ],
)  # fmt: skip
def test_a_progress_bar_in_words(bar: str, words: str) -> None:
    found = BAR.search(bar)
    assert found
    assert bar_in_words(found) == words


def test_the_bars_that_tqdm_draws_are_understood(workshop: Workshop, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    text = f"""
    # %% train it
    import os, time
    from tqdm import tqdm

    bar = tqdm(range(4), desc="seed 1", mininterval=0)
    for step in bar:
        bar.set_postfix(loss=0.5)
        while step == 2 and not os.path.exists({str(gate)!r}):
            time.sleep(0.02)
    """
    example = workshop.example("one", text)
    runner = workshop.runner()
    runner.want([example])
    wanted = ("cell 1 of 1 (train it): seed 1: 2 of 4", "loss=0.5")
    until(lambda: all(part in runner.outcome(example).progress for part in wanted))
    gate.touch()
    runner.wait()
    assert runner.outcome(example).state == "done"


def test_progress_is_logged_example_by_example(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    one = workshop.example("one", "# %% hello\n1\n")
    two = workshop.example("two", "# %%\n1 / 0\n")
    workshop.run(one, two, cores=1)
    # as many seconds as the machine takes
    assert [re.sub(r"\d+ s", "0 s", message) for message in caplog.messages] == [
        "examples/one.py: cell 1 of 1 (hello)",
        "examples/one.py: done in 0 s (1 of 2)",
        "examples/two.py: cell 1 of 1",
        "examples/two.py: failed after 0 s (2 of 2)",
        f"{two.path}:2: ZeroDivisionError: division by zero",
    ]


def test_endings_are_said_in_words() -> None:
    assert ending_in_words(139) == "was ended by SIGSEGV"
    assert ending_in_words(3) == "ended with exit code 3 and without a result"


def test_the_command_line_runs_everything_and_says_what_is_wrong(
    new_project: Callable[[], Any],
) -> None:
    project = new_project()
    project.write("examples/good.py", "# %%\nassert 2 > 1, 'two is more'\n")
    command = [sys.executable, "-m", "tools.runner"]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=project.folder, capture_output=True, text=True)

    assert run().returncode == 0
    project.write("examples/bad.py", "# %%\nassert 1 > 2, 'one is more'\n")
    project.write("examples/worse.py", "x = 1\n")
    ended = run()
    assert ended.returncode == 1
    assert "examples/bad.py:2: claim is false: one is more (1 > 2)" in ended.stderr
    assert "examples/worse.py:1: an example starts with a cell" in ended.stderr
    kept = json.loads(next((project.folder / ".cache/examples").glob("good-*.json")).read_text())
    assert kept["claims"][0]["passed"]


def test_tests_that_wait_for_the_examples_say_how_far_these_are(tmp_path: Path) -> None:
    (tmp_path / "test_waits.py").write_text(
        "from tests.conftest import Workshop, progress_shown\n"
        "def test_waits(tmp_path, pytestconfig):\n"
        "    workshop = Workshop(tmp_path)\n"
        "    example = workshop.example('a', '# %%\\nx = 1\\n')\n"
        "    print('kept quiet')\n"
        "    with progress_shown(pytestconfig):\n"
        "        workshop.run(example)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml")]
    ended = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path / "test_waits.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout
    assert "examples/a.py: done in" in ended.stderr
    assert "kept quiet" not in ended.stdout + ended.stderr
