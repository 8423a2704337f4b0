"""The project's prose, taken apart once for all tests that read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.conftest import ROOT
from tests.docs import prose
from tests.docs.prose import Word
from tools.site import whole

SOURCES = [
    path
    for folder in ("docs/assets", "src", "tools")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".js", ".css") or (path.suffix == ".py" and folder == "src")
]


def once(file: Path, read: Callable[[], dict[str, list[Word]]]) -> dict[str, list[Word]]:
    """What `read` finds, kept in a file for the other workers of pytest-xdist."""
    with FileLock(f"{file}.lock"):
        if not file.exists():
            file.write_text(json.dumps(read()), "utf-8")
    kept: dict[str, list[list[str]]] = json.loads(file.read_text("utf-8"))
    return {name: [(word, place) for word, place in words] for name, words in kept.items()}


@pytest.fixture(scope="session")
def page_prose(site: Path, shared_folder: Path) -> dict[str, list[Word]]:
    """The words of each built page, with their places, by its address."""

    def read() -> dict[str, list[Word]]:
        pages = sorted({*site.rglob("*.html")} - {site / whole.NAME})  # it has the others' words
        names = [page.relative_to(site).as_posix() for page in pages]
        return {name: [*prose.of_page((site / name).read_text("utf-8"), name)] for name in names}

    return once(shared_folder / "page-prose.json", read)


@pytest.fixture(scope="session")
def source_prose(shared_folder: Path) -> dict[str, list[Word]]:
    """The words of the strings and comments of each source, with their places, by its path."""

    def read() -> dict[str, list[Word]]:
        names = {path.relative_to(ROOT).as_posix(): path for path in SOURCES}
        return {name: [*prose.of_source(path, name)] for name, path in names.items()}

    return once(shared_folder / "source-prose.json", read)
