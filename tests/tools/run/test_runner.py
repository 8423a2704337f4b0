"""The runner: once, never stale, and whatever interrupts it leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from tests.conftest import ROOT, Workshop
from tests.tools.run.helpers import (
    PARENT,
    alive,
    counting,
    message_of,
    running,
    slow,
    text_of,
    until,
)
from tools.run.examples import parse


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


def test_a_killed_execution_leaves_nothing_and_runs_again(
    workshop: Workshop, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    example = workshop.example("one", slow(log))
    runner, child = running(workshop, example, log)
    os.kill(child, signal.SIGKILL)
    runner.wait()
    outcome = runner.outcome(example)
    assert message_of(outcome) == "its process was ended by SIGKILL"
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
    assert not runner.scheduler.jobs
    until(lambda: not alive(child) and not alive(int(pid.read_text())))
    assert not list((workshop.folder / "cache").glob("one-*"))


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
    assert not other.scheduler.jobs
    assert log.read_text() == "x"


def test_an_edit_stops_the_outdated_run(workshop: Workshop, tmp_path: Path) -> None:
    log = tmp_path / "log"
    example = workshop.example("one", slow(log))
    ended: list[str] = []
    runner, child = running(workshop, example, log)
    runner.scheduler.on_done = ended.append
    edited = workshop.example("one", counting(log, "print('new')\n"))
    runner.want([edited])
    runner.wait()
    assert not alive(child)
    assert text_of(runner.outcome(edited)) == "new\n"
    assert log.read_text() == "xx"
    assert ended == ["examples/one.py"]  # nobody is told of the one that was stopped


def test_an_edit_of_prose_lets_the_run_go_on(workshop: Workshop, tmp_path: Path) -> None:
    log = tmp_path / "log"
    text = slow(log, 0.5)
    runner, _ = running(workshop, workshop.example("one", text), log)
    runner.want([workshop.example("one", f"# %% [markdown]\n# New words.\n\n{text}")])
    runner.wait()
    assert log.read_text() == "x"
    edited = workshop.example("one", f"# %% [markdown]\n# New words.\n\n{text}1 / 0\n")
    assert runner.outcome(edited).state != "done"


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
    assert "edited while it ran" in message_of(runner.outcome(example))
    assert not list((workshop.folder / "cache").glob("one-*"))
    heads.write_text(old)
    runner.want([workshop.example("one", text)])
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
        "examples/one.py runs for the first time",
        "examples/one.py: cell 1 of 1 (hello)",
        "examples/one.py: done in 0 s (1 of 2)",
        "examples/two.py runs for the first time",
        "examples/two.py: cell 1 of 1",
        f"{two.path}:2: ZeroDivisionError: division by zero",
        "examples/two.py: failed after 0 s (2 of 2)",
    ]


@pytest.mark.slow
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
