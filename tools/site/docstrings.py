"""What griffe does not see in docstrings and modules; mkdocstrings loads this extension.

Doctests become blocks of code (outside of a section of examples they would be read as quotations),
names that are assigned together, as in ``A, B = 0, 1``, become attributes as others are, and
special methods that say nothing are left out.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from griffe import Attribute, Class, Extension, Module, Object

DOCTEST = re.compile(r"^(?P<indent> *)>>> .*(?:\n(?P=indent)(?! *$).*)*", re.MULTILINE)


def with_fences(docstring: str) -> str:
    """The docstring with each doctest as a fence.

    >>> print(with_fences("Adds.\\n\\n>>> 1 + 1\\n2\\n\\nMore."))
    Adds.
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    <BLANKLINE>
    More.
    """

    def fenced(found: re.Match[str]) -> str:
        indent = found["indent"]
        return f"{indent}```pycon\n{found[0]}\n{indent}```"

    return DOCTEST.sub(fenced, docstring)


class Docstrings(Extension):
    """Changes what griffe has read of each object."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = with_fences(obj.docstring.value)

    def on_class_members(self, *, cls: Class, **_: Any) -> None:
        for name in [*cls.members]:
            # `__init__` is merged into its class
            special = name.startswith("__") and name != "__init__"
            if special and not cls.members[name].docstring:
                cls.del_member(name)

    def on_module_members(self, *, node: Any, mod: Module, **_: Any) -> None:
        if not isinstance(node, ast.Module):
            return
        for statement in node.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
                for target in statement.targets[0].elts:
                    if isinstance(target, ast.Name) and target.id not in mod.members:
                        line = statement.lineno
                        made = Attribute(target.id, lineno=line, endlineno=line, parent=mod)
                        mod.set_member(target.id, made)
