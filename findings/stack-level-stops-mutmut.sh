#!/usr/bin/env bash
# mutmut 3.8.1, a test of warnings.warn(..., stacklevel=2)
#
# Guess: before it changes anything, mutmut runs the tests on the code as it is, and they pass
# there as they do without it.
# Seen: each function is called through a wrapper, which adds a frame. stacklevel=2 then names a
# file of mutmut's instead of the caller's, the test of that fails, and the run stops before the
# first mutant. It says that it failed to collect stats:
#
#     pytest: 2 passed
#     mutmut: 1 failed, 11 mutants not checked
#     mutmut without that test: 0 mutants not checked
#
# Deprecation warnings are tested in this way. Deselect these tests for mutmut.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mutmut==3.8.1 pytest==9.2.0
cd "$folder"
mkdir -p src/lesson tests
cat >src/lesson/__init__.py <<'PYTHON'
import warnings


def masked(share):
    warnings.warn("masked is called corrupted now", DeprecationWarning, stacklevel=2)
    return share + 1
PYTHON
cat >tests/test_masked.py <<'PYTHON'
import pytest
from lesson import masked


def test_value():
    with pytest.warns(DeprecationWarning):
        assert masked(1) == 2


def test_warning_names_the_caller():
    with pytest.warns(DeprecationWarning) as seen:
        masked(1)
    assert seen[0].filename == __file__
PYTHON
cat >pyproject.toml <<'TOML'
[tool.mutmut]
source_paths = ["src/"]
pytest_add_cli_args_test_selection = ["tests/"]
[tool.pytest.ini_options]
pythonpath = ["src"]
TOML
count() { venv/bin/mutmut results --all true | grep -c "not checked" || true; }
seen="pytest: $(venv/bin/python -m pytest -q | grep -oE '[0-9]+ passed')"
venv/bin/mutmut run >log 2>&1 || true
grep -q "failed to collect stats" log
seen="$seen
mutmut: $(grep -oE '[0-9]+ failed' log), $(count) mutants not checked"
sed -i 's#\["tests/"\]#["tests/", "-k", "test_value"]#' pyproject.toml
rm -rf mutants
venv/bin/mutmut run >log 2>&1
seen="$seen
mutmut without that test: $(count) mutants not checked"
echo "$seen"
[ "$seen" = "pytest: 2 passed
mutmut: 1 failed, 11 mutants not checked
mutmut without that test: 0 mutants not checked" ]
