"""The layers of the tools import in one direction: site, then weave, then run."""

from __future__ import annotations

import ast

import pytest

from tests.conftest import ROOT

GENERATORS = ("mkdocs", "material", "mkdocs_jupyter", "zensical")
FORBIDDEN = {
    "run": ("tools.weave", "tools.site", *GENERATORS, "html", "markdown", "bs4", "nbformat"),
    "weave": ("tools.site", *GENERATORS),
    "release": ("tools.site", "tools.weave", *GENERATORS),
}


def imports(code: str, package: str) -> set[str]:
    """All that a module imports, also inside functions, with the names taken from modules.

    Args:
        code: The module's source.
        package: The package that it is in, such as "tools.run".
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) + 1 - node.level] if node.level else []
            module = ".".join(filter(None, [*above, node.module]))
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def wrong_imports(code: str, layer: str) -> list[str]:
    """What a module of this layer imports and must not."""
    forbidden = FORBIDDEN[layer]
    return sorted(
        name
        for name in imports(code, f"tools.{layer}")
        if any(name == other or name.startswith(f"{other}.") for other in forbidden)
    )


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_a_layer_imports_only_what_is_below_it(layer: str) -> None:
    paths = sorted((ROOT / "tools" / layer).rglob("*.py"))
    assert paths
    found = {path.name: wrong_imports(path.read_text("utf-8"), layer) for path in paths}
    assert not {name: wrong for name, wrong in found.items() if wrong}


@pytest.mark.parametrize(
    ("layer", "code", "wrong"),
    [
        ("run", "import tools.weave.render", ["tools.weave.render"]),
        ("run", "from tools import site", ["tools.site"]),
        ("run", "from tools.weave import render", ["tools.weave", "tools.weave.render"]),
        ("run", "from ..weave import pages", ["tools.weave", "tools.weave.pages"]),
        ("run", "from .. import weave", ["tools.weave"]),
        ("run", "def late():\n    import html as h", ["html"]),
        ("run", "from html import escape", ["html", "html.escape"]),
        ("run", "import markdown, bs4\nimport nbformat.v4", ["bs4", "markdown", "nbformat.v4"]),
        ("run", "if x:\n    from mkdocs.plugins import event_priority",
         ["mkdocs.plugins", "mkdocs.plugins.event_priority"]),
        ("weave", "from tools.site import checks", ["tools.site", "tools.site.checks"]),
        ("weave", "import mkdocs_jupyter, material.plugins\nimport zensical",
         ["material.plugins", "mkdocs_jupyter", "zensical"]),
        ("run", "import json\nfrom tools.run.store import Store\nfrom . import records", []),
        ("run", "from xml.etree import ElementTree\nimport html5lib", []),
        ("weave", "import html\nimport nbformat\nfrom tools.run.records import Result", []),
    ],
)  # fmt: skip
def test_an_import_against_the_direction_is_found(layer: str, code: str, wrong: list[str]) -> None:
    assert wrong_imports(code, layer) == wrong
