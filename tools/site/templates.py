"""The theme's templates, without what mkdocs does with them for nothing."""

from __future__ import annotations

import os
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader
from mkdocs.theme import Theme

# Of Material's files: search in other languages, the styles, which tools/site/styles.py joins, and
# an icon in place of which mkdocs.yml names ours.
UNUSED = ("assets/javascripts/lunr/", "assets/stylesheets/", "assets/images/favicon.png")


class Loader(FileSystemLoader):
    """Lists what the site needs.

    In a hidden folder Material has 14,000 icons, which mkdocs lists to skip them. Of what is listed
    it copies all but the templates into the site.
    """

    def list_templates(self) -> list[str]:
        found = set()
        for folder in self.searchpath:
            for here, folders, names in os.walk(folder):
                folders[:] = [name for name in folders if not name.startswith(".")]
                around = Path(here).relative_to(folder)
                found |= {(around / name).as_posix() for name in names}
        return sorted(name for name in found if not name.startswith(UNUSED))


def lighten(theme: Theme, compiled: Path) -> None:
    """Compile each template once, and leave out the lines that only its logic stands on.

    Material's blank lines are a tenth of a page, and two fifths of its menu.

    Args:
        theme: The theme, which from now on makes such environments.
        compiled: The folder that keeps the compiled templates.
    """
    compiled.mkdir(parents=True, exist_ok=True)

    def get_env() -> Environment:
        env = Theme.get_env(theme)
        env.loader = Loader(theme.dirs)
        env.trim_blocks = env.lstrip_blocks = True
        env.bytecode_cache = FileSystemBytecodeCache(str(compiled))
        return env

    theme.get_env = get_env  # type: ignore[method-assign]
