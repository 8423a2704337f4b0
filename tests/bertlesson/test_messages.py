"""Every error of the package says what was given, what was expected, and what to do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import bertlesson
from bertlesson.lesson.fingerprint import modules_of

MODULES = modules_of(Path(bertlesson.__file__).parent)


def literal_text(message: ast.expr) -> str:
    """The text of a message; what is filled in stands as its source, in braces."""
    match message:
        case ast.Constant():
            return str(message.value)
        case ast.JoinedStr():
            return "".join(literal_text(part) for part in message.values)
        case ast.FormattedValue():
            return f"{{{ast.unparse(message.value)}}}"
    return ast.unparse(message)


def messages_in(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            yield node.lineno, literal_text(node.exc.args[0])


@pytest.mark.parametrize("name", MODULES)
def test_messages_have_one_shape(name: str) -> None:
    for line, text in messages_in(MODULES[name]):
        # "x is 3; expected …", where the end may be filled in
        assert "; expected " in text or text.endswith(("{expected}", "EXPECTED}", "{problem}")), (
            f"line {line}: {text}"
        )


def test_there_are_messages_to_check() -> None:
    assert sum(len(list(messages_in(path))) for path in MODULES.values()) > 50
