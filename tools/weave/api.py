"""The public names of the package, read from its sources without importing them.

A page of the reference names a module in a line of its own, `::: bertlesson.masking`, and
mkdocstrings fills in what it has. Here is what else is known of the names: the lines where they are
defined, and what they say of themselves as plain text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bertlesson.lesson.fingerprint import modules_of
from tools.run.cells import Problem
from tools.run.examples import PACKAGE
from tools.run.memo import memoized
from tools.weave.pages import fenced

PREFIX = PACKAGE.name
LINE = re.compile(rf"^::: ({PREFIX}[\w.]*)$", re.MULTILINE)


@dataclass(frozen=True)
class Name:
    """A public name of a module.

    Attributes:
        name: As it is imported.
        lines: The first and the last line of its definition; None if another module defines it.
        signature: What it is called with; "" if it is no function and no class.
        docstring: What it says of itself; may be empty.
    """

    name: str
    lines: tuple[int, int] | None
    signature: str
    docstring: str


@dataclass(frozen=True)
class Module:
    """A module with public names, which are those in its ``__all__``."""

    name: str
    path: Path
    docstring: str
    names: tuple[Name, ...]


@cache  # a build asks many times; `weave` clears it at the start of each
def public_modules(package: Path = PACKAGE) -> dict[str, Module]:
    """The modules that have an ``__all__``, by their whole names."""
    found = {}
    for path in sorted(modules_of(package).values()):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        if module := _read(".".join(parts), path, path.read_text("utf-8")):
            found[module.name] = module
    return found


@memoized()
def _read(name: str, path: Path, text: str) -> Module | None:
    tree = ast.parse(text)
    defined: dict[str, ast.stmt] = {}
    public: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined.setdefault(node.name, node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            parts = [part for target in targets for part in getattr(target, "elts", [target])]
            names = [part.id for part in parts if isinstance(part, ast.Name)]
            defined |= dict.fromkeys(names, node)
            if "__all__" in names and node.value:
                public = ast.literal_eval(node.value)
    if not public:
        return None
    names_of = tuple(_name(each, defined.get(each)) for each in public)
    return Module(name, path, ast.get_docstring(tree) or "", names_of)


def _name(name: str, node: ast.stmt | None) -> Name:
    if node is None:
        return Name(name, None, "", "")
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
    lines = first, node.end_lineno or node.lineno
    if isinstance(node, ast.FunctionDef):
        returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        signature = f"{name}({ast.unparse(node.args)}){returned}"
        return Name(name, lines, signature, ast.get_docstring(node) or "")
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(map(ast.unparse, node.bases))
        signature = f"class {name}({bases})" if bases else f"class {name}"
        return Name(name, lines, signature, ast.get_docstring(node) or "")
    return Name(name, lines, "", "")


def as_markdown(module: Module, anchors: bool = False) -> str:
    """A module's part of the reference as plain Markdown.

    Args:
        module: With its public names.
        anchors: Give the headings the anchors that mkdocstrings gives them.
    """

    def heading(level: str, name: str, anchor: str) -> str:
        return f"{level} `{name}`" + (f" {{ #{anchor} }}" if anchors else "")

    parts = [heading("##", module.name, module.name), _text(module.docstring)]
    for each in module.names:
        said = "\n\n".join(filter(None, (each.signature, each.docstring)))
        parts += [heading("###", each.name, f"{module.name}.{each.name}"), _text(said)]
    return "\n\n".join(filter(None, parts))


def _text(said: str) -> str:
    """Words as a fence, because docstrings are laid out with spaces."""
    return fenced(said).replace("python", "text", 1).rstrip("\n") if said else ""


def filled_in(markdown: str, anchors: bool = False) -> str:
    """A page of the reference with the text of the modules that it names; see `as_markdown`."""
    if not LINE.search(markdown):
        return markdown
    modules = public_modules()
    return LINE.sub(
        lambda line: as_markdown(modules[line[1]], anchors) if line[1] in modules else line[0],
        markdown,
    )


def unknown_modules(pages: Mapping[str, str], docs: Path) -> Iterator[Problem]:
    """Each line of a page that names no module with public names."""
    modules = public_modules()
    for uri in pages:
        text = (docs / uri).read_text("utf-8", "replace")
        for found in LINE.finditer(text):
            if found[1] not in modules:
                line = 1 + text.count("\n", 0, found.start())
                message = (
                    f"there is no module {found[1]} with an __all__; correct or remove the line"
                )
                yield Problem(docs / uri, line, message)
