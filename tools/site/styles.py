"""All styles of the site in one file: a page shows nothing before each of its styles has come."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

NAME = "assets/site.css"
OF_THEME = ("main", "palette")  # Material's own; a hash of their content is part of their names


def write(site: Path, own: Iterable[Path]) -> None:
    """Join Material's styles, as they lie in the built site, and then our own."""
    folder = site / "assets" / "stylesheets"
    parts = [next(folder.glob(f"{name}.*.min.css")).read_text("utf-8") for name in OF_THEME]
    parts += [re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S) for path in own]
    (site / NAME).write_text("\n".join(parts), "utf-8")
