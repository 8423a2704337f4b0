"""What is installed: the wheel and the source distribution hold the package alone."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

import bertlesson
from tests.bertlesson.test_storeys import first_parts
from tests.conftest import ROOT

PACKAGE = Path(bertlesson.__file__).parent
BUILD = """
from setuptools import build_meta
build_meta.build_sdist("dist")
build_meta.build_wheel("dist")
"""
UNSEEN = {"accelerate"}  # no module imports it, but transformers.Trainer stops without it
OPTIONAL = {"datasets"}  # an example takes its data sets, and says so, if it is installed


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both, built from a copy of what git has, in a folder without git."""
    copy = tmp_path_factory.mktemp("clean") / "copy"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("src", "tests", "tools", "docs", "examples"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    subprocess.run([sys.executable, "-c", BUILD], cwd=copy, check=True, capture_output=True)
    return copy / "dist"


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Iterator[ZipFile]:
    (path,) = dist.glob("*.whl")
    with ZipFile(path) as opened:
        yield opened


def sources() -> set[str]:
    found = {path.relative_to(PACKAGE.parent).as_posix() for path in PACKAGE.rglob("*.py")}
    return found | {"bertlesson/py.typed"}


@pytest.mark.slow
def test_the_wheel_holds_the_package_its_types_and_its_licence(wheel: ZipFile) -> None:
    about = {name for name in wheel.namelist() if ".dist-info/" in name}
    assert set(wheel.namelist()) - about == sources()
    assert {name.partition("/")[2] for name in about} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "licenses/LICENSE",
        "top_level.txt",
    }


@pytest.mark.slow
def test_the_source_distribution_holds_no_more_than_builds_the_wheel(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as opened:
        files = {member.name.partition("/")[2] for member in opened if member.isfile()}
    made = {name for name in files if "egg-info/" in name} | {"PKG-INFO", "setup.cfg"}
    assert files - made == {
        "LICENSE",
        "README.md",
        "pyproject.toml",
        *(f"src/{name}" for name in sources()),
    }


@pytest.mark.slow
def test_it_requires_what_it_imports_and_no_more(wheel: ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    about = Parser().parsestr(wheel.read(name).decode())
    required: dict[bool, set[str]] = {False: set(), True: set()}
    for need in about.get_all("Requires-Dist", []):
        extra = "extra ==" in need
        assert not extra or need.endswith('; extra == "lesson"')
        required[extra].add(re.split(r"[^\w.-]", need)[0])
    imported: dict[bool, set[str]] = {False: set(), True: set()}
    for path in PACKAGE.rglob("*.py"):
        found = first_parts(path) - sys.stdlib_module_names - {"bertlesson"}
        imported["lesson" in path.relative_to(PACKAGE).parts] |= found
    for path in (ROOT / "examples").glob("*.py"):
        imported[True] |= first_parts(path) - sys.stdlib_module_names - {"bertlesson"}
    assert required[False] == imported[False]
    assert required[True] - UNSEEN == imported[True] - imported[False] - UNSEEN - OPTIONAL
    assert (
        about["Version"]
        == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    )


@pytest.mark.slow
def test_the_wheel_alone_runs(dist: Path, tmp_path: Path) -> None:
    """Installed without what it requires, it says what is there and what to install."""
    (path,) = dist.glob("*.whl")
    pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    installed = tmp_path / "installed"
    subprocess.run([sys.executable, *pip, "--target", installed, path], check=True)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", "-m", "bertlesson", *arguments],  # -S: no other package
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
        )

    said = run()
    assert said.returncode == 0, said.stderr
    assert "torch (not installed)" in said.stdout
    assert said.stdout.endswith('pip install "bertlesson[lesson]"\n')
    failed = run("train")
    assert failed.returncode == 1
    assert failed.stderr.startswith("training needs filelock and platformdirs, not installed")


def test_versions_are_those_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert cited["version"] == version, "CITATION.cff: expected the version of pyproject.toml"


def test_every_public_module_is_typed() -> None:
    """py.typed promises it: each function that can be called from outside has annotations."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.returns is not None, f"{path.name}: {node.name}"
