"""What the built site has beside mkdocs' own pages."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from tools.run.cells import ROOT
from tools.run.files import write_at_once
from tools.site import card, reference
from tools.site.serve import PENDING_SCRIPT
from tools.weave.downloads import FOLDER
from tools.weave.project import Woven

SITEMAP = "sitemap.xml"


def add(files: Files, woven: Woven, config: MkDocsConfig, serving: bool) -> None:
    """Add to the build's files what it only copies: downloads, and what shows progress."""
    published = dict(woven.files)
    if serving:
        published[PENDING_SCRIPT] = ROOT / "tools" / "site" / "pending.js"
    for uri, path in published.items():
        files.append(File.generated(config, uri, abs_src_path=str(path)))


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
    (built / reference.UNUSED_STYLE).unlink(missing_ok=True)
    # mkdocs writes the map in any case, and compressed with the time of the build.
    (built / f"{SITEMAP}.gz").unlink(missing_ok=True)
    if config.site_url:
        drawn = card.png(config.site_name, " ".join((config.site_description or "").split()))
        (built / card.NAME).write_bytes(drawn)
    else:
        (built / SITEMAP).unlink(missing_ok=True)
