"""All styles of the site in one file: a page shows nothing before each of its styles has come."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

NAME = "assets/site.css"
OF_THEME = ("main", "palette")  # Material's own; a hash of their content is part of their names


def write(site: Path, own: Iterable[Path]) -> None:
    """Join Material's styles and our own."""
    parts = [path.read_text("utf-8") for path in of_theme()]
    parts += [re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S) for path in own]
    (site / NAME).write_text("\n".join(parts), "utf-8")


def of_theme() -> list[Path]:
    """Material's styles, where they are installed."""
    found = find_spec("material")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "templates" / "assets" / "stylesheets"
    return [next(folder.glob(f"{name}.*.min.css")) for name in OF_THEME]
