"""What is written into the built site beside mkdocs' own pages."""

from __future__ import annotations

from pathlib import Path

from tools.run.files import write_at_once
from tools.weave.downloads import FOLDER
from tools.weave.project import Woven


def write(built: Path, woven: Woven) -> None:
    """Write the notebooks to download, the pages as Markdown, their index, and the claims."""
    # None of them is one of the build's files, or mkdocs would make a second page from it.
    texts = {f"{FOLDER}/{name}.ipynb": text for name, text in woven.notebooks.items()}
    for uri, text in (texts | woven.texts).items():
        (built / uri).parent.mkdir(parents=True, exist_ok=True)
        write_at_once(built / uri, text)
