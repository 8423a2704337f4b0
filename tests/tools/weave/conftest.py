"""The small lesson as a fixture."""

from __future__ import annotations

import pytest

from tests.conftest import Workshop
from tests.tools.weave.small_lesson import CODE, result
from tools.run.records import Outcome
from tools.weave import pages


@pytest.fixture
def lesson(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> pages.Lesson:
    example = workshop.example("one", CODE)
    monkeypatch.setattr(pages, "ROOT", workshop.folder)
    monkeypatch.setattr(pages, "EXAMPLES", workshop.folder / "examples")
    return pages.Lesson({"one": example}, {"one": Outcome("done", result())})
