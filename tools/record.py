"""Run one example, cell by cell, and record what it shows.

The runner starts this file in a process of its own, in an empty folder that holds a copy of the
example, with nothing of the project on the path but the installed package: what a reader has.
It uses the standard library alone (and matplotlib, if the example does).

    python -P record.py CELLS_JSON SCRIPT RESULT_JSON

Its standard output carries one JSON line per cell begun; progress bars go to standard error.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import operator
import sys
import traceback
import types
from pathlib import Path
from typing import Any

COMPARE = {
    ast.Gt: (">", operator.gt),
    ast.GtE: ("≥", operator.ge),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("≤", operator.le),
    ast.Eq: ("=", operator.eq),
    ast.NotEq: ("≠", operator.ne),
}


class ClaimRecorder(ast.NodeTransformer):
    """Replace ``assert condition, "sentence"`` at the top level by a call that records both sides."""

    def __init__(self) -> None:
        self.operators: list[type[ast.cmpop]] = []

    def transform(self, cell: ast.Module) -> ast.Module:
        cell.body = [self.record(node) if is_claim(node) else node for node in cell.body]
        return ast.fix_missing_locations(cell)

    def record(self, node: ast.stmt) -> ast.stmt:
        assert isinstance(node, ast.Assert)
        test = node.test
        plain = isinstance(test, ast.Compare) and all(type(op) in COMPARE for op in test.ops)
        operands = [test.left, *test.comparators] if plain else [test]  # type: ignore[attr-defined]
        signs = [COMPARE[type(op)][0] for op in test.ops] if plain else []  # type: ignore[attr-defined]
        about = {"line": node.lineno, "signs": signs, "sources": [ast.unparse(o) for o in operands]}
        call = ast.Call(
            func=ast.Name("__record_claim__", ast.Load()),
            args=[node.msg, ast.Constant(json.dumps(about)), *operands],
            keywords=[],
        )
        return ast.copy_location(ast.Expr(call), node)


def is_claim(node: ast.stmt) -> bool:
    """An assert with a sentence: a string, or an f-string."""
    if not isinstance(node, ast.Assert) or node.msg is None:
        return False
    return isinstance(node.msg, ast.JoinedStr) or (
        isinstance(node.msg, ast.Constant) and isinstance(node.msg.value, str)
    )


def plain_value(value: Any) -> Any:
    """A number, string or truth value that JSON can hold; anything else as its repr."""
    if hasattr(value, "item") and getattr(value, "size", None) is not None:
        with contextlib.suppress(ValueError, RuntimeError):
            value = value.item()  # NumPy scalars, tensors of one element
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(k): plain_value(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(v) for v in value]
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def make_claim(sentence: str, about: str, values: tuple[Any, ...]) -> dict[str, Any]:
    claim = json.loads(about)
    signs = {sign: function for sign, function in COMPARE.values()}
    if claim["signs"]:
        pairs = zip(claim["signs"], values, values[1:], strict=False)
        passed = all(bool(signs[sign](left, right)) for sign, left, right in pairs)
    else:
        passed = bool(values[0])
    return claim | {
        "sentence": sentence,
        "passed": passed,
        "values": [plain_value(value) for value in values],
    }


def figures() -> list[dict[str, str]]:
    """The figures that the cell has left open, as SVG with their text alternative; closes them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    outputs = []
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        if not figure.get_label():
            raise ValueError("a figure needs a text alternative: fig.set_label('what it shows')")
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        outputs.append({"type": "figure", "svg": svg.getvalue(), "alt": figure.get_label()})
        pyplot.close(figure)
    return outputs


def run(cells: list[dict[str, Any]], script: str, events: Any) -> dict[str, Any]:
    """Run the cells in one ``__main__``, as Python would run the script."""
    main = types.ModuleType("__main__")
    main.__file__ = script
    sys.modules["__main__"] = main
    sys.argv = [script]
    sys.path.insert(0, str(Path(script).parent))

    result: dict[str, Any] = {"outputs": {}, "claims": [], "values": {}, "error": None}
    code = [(index, cell) for index, cell in enumerate(cells) if cell["kind"] == "code"]
    for done, (index, cell) in enumerate(code):
        print(json.dumps({"cell": cell["title"], "done": done, "of": len(code)}), file=events)
        claims: list[dict[str, Any]] = []
        main.__dict__["__record_claim__"] = lambda sentence, about, *values, to=claims: to.append(
            make_claim(sentence, about, values)
        )
        tree = ast.increment_lineno(ast.parse(cell["source"]), cell["line"] - 1)
        compiled = compile(ClaimRecorder().transform(tree), script, "exec")
        printed = io.StringIO()
        outputs: list[dict[str, str]] = []
        try:
            with contextlib.redirect_stdout(printed):
                exec(compiled, main.__dict__)
                outputs = figures()
        except (Exception, SystemExit) as error:
            result["error"] = describe(error, script, cell)
        if printed.getvalue():
            outputs.insert(0, {"type": "text", "text": printed.getvalue()})
        result["outputs"][str(index)] = outputs
        result["claims"] += [claim | {"cell": index} for claim in claims]
        if result["error"]:
            return result
    result["values"] = plain_value(dict(main.__dict__.get("values", {})))
    return result


def describe(error: BaseException, script: str, cell: dict[str, Any]) -> dict[str, Any]:
    """Where in the example it went wrong, and what Python said."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == script]
    return {
        "line": (lines[0] if lines else None) or cell["line"],
        "message": "".join(traceback.format_exception_only(error)).strip(),
        "traceback": "".join(traceback.format_exception(error)),
    }


if __name__ == "__main__":
    cells_file, script_file, result_file = sys.argv[1:4]
    stdout = sys.stdout
    # The event channel must survive whatever the example does with its standard output.
    recorded = run(json.loads(Path(cells_file).read_text("utf-8")), script_file, stdout)
    Path(result_file).write_text(json.dumps(recorded, ensure_ascii=False), "utf-8")
