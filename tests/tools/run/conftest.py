"""A package that stands in for the lesson's, so that its modules can be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.run import examples as examples_module


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


@pytest.fixture
def tiny(package: Path) -> Path:
    """A checkpoint's module in the package that stands in for the lesson's."""
    lesson = package / "lesson"
    lesson.mkdir()
    (lesson / "__init__.py").touch()
    (lesson / "tiny.py").write_text("from .. import heads\n")
    return lesson / "tiny.py"
