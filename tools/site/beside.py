"""What is written into the built site beside mkdocs' own pages."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig

from tools.run.files import write_at_once
from tools.site import card
from tools.weave.downloads import FOLDER
from tools.weave.project import Woven

SITEMAP = "sitemap.xml"


def write(built: Path, woven: Woven, config: MkDocsConfig) -> None:
    """Write the notebooks to download, the pages as Markdown, their index, and the claims.

    Args:
        built: The folder of the built site.
        woven: The lesson.
        config: The settings. Without the address of the site there is no map of it and no picture
            for links to it, since both need whole addresses.
    """
    # None of them is one of the build's files, or mkdocs would make a second page from it.
    texts = {f"{FOLDER}/{name}.ipynb": text for name, text in woven.notebooks.items()}
    for uri, text in (texts | woven.texts).items():
        (built / uri).parent.mkdir(parents=True, exist_ok=True)
        write_at_once(built / uri, text)
    # mkdocs writes the map in any case, and compressed with the time of the build.
    (built / f"{SITEMAP}.gz").unlink(missing_ok=True)
    if config.site_url:
        drawn = card.png(config.site_name, " ".join((config.site_description or "").split()))
        (built / card.NAME).write_bytes(drawn)
    else:
        (built / SITEMAP).unlink(missing_ok=True)
