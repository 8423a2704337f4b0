"""Imports without an import statement are found, or refused with their line and the reason."""

from __future__ import annotations

import doctest
import re

import pytest

from tools.run import hidden_imports as module
from tools.run.hidden_imports import hidden_imports

FOUND = [
    "import importlib\nimportlib.import_module('pack.heads')",
    "import importlib\nimportlib.import_module(name='pack.heads')",
    "from importlib import import_module as get\nget('.heads', 'pack')",
    "import importlib as i\ni.import_module('.heads', package='pack')",
    "import importlib\nNAME = 'pack.heads'\nimportlib.import_module(NAME)",
    "import importlib\nimportlib.import_module('pack' + '.heads')",
    "PACK = 'pack'\nimport importlib\nimportlib.import_module(f'{PACK}.heads')",
    "__import__('pack.heads')",
    "import builtins\nbuiltins.__import__('pack.heads')",
    "import pkgutil\npkgutil.resolve_name('pack.heads:size')",
    "import runpy\nrunpy.run_module('pack.heads', run_name='__main__')",
    "exec('from pack import heads')",
    "exec('''\n    import pack.heads\n    ''')",
    "CODE = 'import pack.heads'\nexec(CODE, {})",
    "exec(compile('import pack.heads', 'x', 'exec'))",
    "eval(\"__import__('pack.heads')\")",
    "ｅｘｅｃ('import pack.heads')",  # to Python, these are the letters of exec
    "exec('exec(\"import pack.heads\")')",
    "class Shell:\n    def exec(self): ...\n\nexec('import pack.heads')",
    "import timeit\ntimeit.timeit('heads.size()', setup='from pack import heads', number=2)",
    "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pack.heads'], check=True)",
    "import subprocess, sys\nsubprocess.run(args=(sys.executable, '-m', 'pack.heads'))",
    "import subprocess, sys\nsubprocess.run([sys.executable] + ['-m', 'pack.heads'])",
    "import subprocess\nsubprocess.check_output('python3 -X utf8 -m pack.heads', shell=True)",
    "import subprocess\nsubprocess.call(['bash', '-c', 'cd x && python -m pack.heads'])",
    "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'from pack import heads'])",
    "import subprocess\nsubprocess.run(['python', '-m', 'cProfile', '-m', 'pack.heads'])",
    "import sys\nfrom subprocess import Popen\ncommand = [sys.executable, '-m', 'pack.heads']\n"
    "Popen(command)",
    "import os, sys\nos.system(f'{sys.executable} -m pack.heads')",
    "import os, sys\nos.execv(sys.executable, ['python', '-m', 'pack.heads'])",
    "import asyncio, sys\nasyncio.create_subprocess_exec(sys.executable, '-m', 'pack.heads')",
]
REFUSED = {
    "import importlib\nfor name in ('a', 'b'):\n    importlib.import_module(name)": (3, "imports"),
    "import importlib\n\nimportlib.import_module(f'pack.{x}')": (3, "importlib.import_module"),
    "import importlib\nimportlib.import_module('.heads', __package__)": (2, "imports something"),
    "import importlib\nimportlib.import_module('..heads', 'pack.x')": (2, "imports something"),
    "__import__('pack', fromlist=['heads'])": (1, "__import__ imports something known only"),
    "exec(open('x.py').read())": (1, "exec runs code known only"),
    "x = 1\neval(input())": (2, "eval runs code known only"),
    "code = 'a'\ncode = 'b'\nexec(code)": (3, "exec runs code"),
    "exec('eval(x)')": (1, "eval runs code"),
    "import timeit\ntimeit.timeit(f'{x}()')": (2, "timeit.timeit runs code"),
    "import runpy\nrunpy.run_path('x.py')": (2, "runpy.run_path runs a file"),
    "import importlib.util as u\nu.spec_from_file_location('a', 'b')": (2, "runs a file"),
    "from importlib.machinery import SourceFileLoader as L\nL('a', 'b')": (2, "runs a file"),
    "import subprocess\nsubprocess.run(command)": (2, "subprocess.run starts something known"),
    "import subprocess\nsubprocess.run(['sh', '-c', x])": (2, "starts something known only"),
    "import subprocess, sys\nsubprocess.run([sys.executable, 'x.py'])": (2, "with -m and a module"),
    "import subprocess, sys\nsubprocess.run([sys.executable, '-m', x])": (2, "starts something"),
    "import subprocess, sys\nsubprocess.run([sys.executable, 'x', '-m', 'y'])": (2, "starts"),
    "import os\nos.system(x)": (2, "os.system starts"),
    "run = exec\nrun('import pack.heads')": (1, "exec is passed on"),
    "list(map(__import__, ['pack.heads']))": (1, "__import__ is passed on"),
    "import subprocess\nfrom functools import partial\npartial(subprocess.run, [])": (
        3,
        "passed on",
    ),
    "import importlib\ngetattr(importlib, 'import_module')('pack')": (2, "getattr of importlib"),
}
FINE = [
    "model.eval()",
    "def eval(model): return model\n\neval(3)",
    "def run(exec): exec('x')",
    "exec = 3\nprint(exec)",
    "import importlib.metadata\nimportlib.metadata.version('torch')",
    "import subprocess\nsubprocess.Popen(['sleep', '600'])",
    "import subprocess\nsubprocess.run(['git', 'log', path], cwd=folder)",
    "import subprocess, sys\nsubprocess.run([sys.executable, '--version'])",
    "import subprocess\n\ndef stop(process: subprocess.Popen[str]) -> None: ...",
    "import timeit\ntimeit.timeit(lambda: f(x), number=3 * 2)",
    "print('python -m pack.heads')",
    '"""Words: exec(x)."""',
]


@pytest.mark.parametrize("code", FOUND)
def test_what_the_code_names_is_found(code: str) -> None:
    found = hidden_imports(code)
    assert not found.unseen
    assert {"pack.heads", "pack.heads.size"} & set(found.names)


@pytest.mark.parametrize("code", REFUSED)
def test_what_only_a_run_knows_is_refused_with_its_line(code: str) -> None:
    line, why = REFUSED[code]
    (found,) = hidden_imports(code).unseen
    assert found[0] == line
    assert why in found[1]


@pytest.mark.parametrize("code", FINE)
def test_what_imports_nothing_is_left_alone(code: str) -> None:
    found = hidden_imports(code)
    assert not found.unseen
    assert not [name for name in found.names if name.startswith("pack")]


def test_code_is_skipped_only_if_it_has_none_of_the_names() -> None:
    tables = module.IMPORTERS | module.RUNNERS | module.TIMERS | module.LOADERS
    started = re.findall(r"(\w+)\\\.\(", module.STARTERS.pattern)
    assert started == ["subprocess", "os", "asyncio"]
    for name in (*tables, *started, "builtins.getattr"):
        assert module.SPOKEN_OF.search(name.removeprefix("builtins."))


def test_its_documentation_tells_the_truth() -> None:
    assert doctest.testmod(module).failed == 0
