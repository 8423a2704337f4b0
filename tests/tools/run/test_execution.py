"""An example is executed as a reader would, and its process leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Workshop
from tests.tools.run.helpers import alive, message_of, text_of, until
from tools.run import execution


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


@pytest.mark.slow
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


def test_what_the_runner_cannot_do_is_a_failure_of_the_example(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "PYTHON", ("/no/such/python",))
    (outcome,) = workshop.run(workshop.example("one", "# %%\n1\n"))
    assert outcome.result.failure
    assert "exit code" in outcome.result.failure.message
    assert "/no/such/python" in outcome.result.failure.traceback


def test_a_variable_named_values_that_is_no_dict_is_a_problem(workshop: Workshop) -> None:
    (said,) = workshop.problems("one", "# %% first\nx = 1\n# %% last\nvalues = [1, 2]\n")
    assert said.startswith("one.py:4: `values` is [1, 2]; expected a dict of what is measured")


def test_a_result_that_is_cut_off_is_explained(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk leaves half of it."""
    recorder = tmp_path / "recorder.py"
    recorder.write_text(
        "import sys\n"
        "with open(sys.argv[3], 'w') as file:\n"
        "    file.write('{\"outputs\": [')\n"
        "sys.exit('OSError: no room')\n"
    )
    monkeypatch.setattr(execution, "RECORD", recorder)
    (outcome,) = workshop.run(workshop.example("one", "# %%\n1\n"))
    said = "its result is incomplete (OSError: no room); it needs room for some megabytes in "
    assert message_of(outcome).startswith(said)
