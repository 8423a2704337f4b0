"""Run one example, cell by cell, and record what it shows.

The runner starts this file in a separate process, in a folder that contains only a copy of the
example. Like a reader, it has nothing of the project on the path but the installed package. It uses
only the standard library (and matplotlib, if the example does).

    python -P record.py CELLS_JSON SCRIPT RESULT_JSON

It writes one JSON line to standard output as each cell begins; progress bars go to standard error.
Locations are recorded as (cell, row), both counted from 0, and do not depend on the prose between
cells.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import io
import json
import operator
import os
import sys
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

# The environment of the process, so that the same code gives the same bytes everywhere.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",  # another number gives different sums; and two examples run at once
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",  # the order of sets
    "PYTHONUTF8": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",  # the package's folder is watched while serving
    "HF_HUB_OFFLINE": "1",
    "COLUMNS": "80",
}

COMPARE: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Gt: (">", operator.gt),
    ast.GtE: ("≥", operator.ge),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("≤", operator.le),
    ast.Eq: ("=", operator.eq),
    ast.NotEq: ("≠", operator.ne),
}
SIGNS = dict(COMPARE.values())
RECORD_CLAIM = "__record_claim__"


def is_claim(node: ast.stmt) -> bool:
    """Whether a statement is an assert with a sentence."""
    return isinstance(node, ast.Assert) and node.msg is not None


def claim_call(node: ast.Assert) -> ast.Expr:
    """Turn ``assert left > right, "sentence"`` into a call that records all three."""
    operands, signs = [node.test], []
    if isinstance(node.test, ast.Compare) and all(type(op) in COMPARE for op in node.test.ops):
        operands = [node.test.left, *node.test.comparators]
        signs = [COMPARE[type(op)][0] for op in node.test.ops]
    about = {"row": node.lineno - 1, "signs": signs, "sources": [ast.unparse(o) for o in operands]}
    assert node.msg is not None
    call = ast.Call(
        func=ast.Name(RECORD_CLAIM, ast.Load()),
        args=[node.msg, ast.Constant(json.dumps(about)), *operands],
        keywords=[],
    )
    return ast.copy_location(ast.Expr(ast.copy_location(call, node)), node)


def make_claim(sentence: object, about: str, values: tuple[Any, ...]) -> dict[str, Any]:
    """A claim with its measured values, and whether every comparison in its chain holds."""
    claim: dict[str, Any] = json.loads(about)
    passed = bool(values[0])
    if claim["signs"]:
        pairs = zip(claim["signs"], values, values[1:], strict=False)
        passed = all(bool(SIGNS[sign](left, right)) for sign, left, right in pairs)
    shown = [plain_value(value) for value in values]
    return claim | {"sentence": str(sentence), "passed": passed, "values": shown}


def plain_value(value: Any) -> Any:
    """A value that JSON can hold: numbers, strings, booleans, lists, dicts; else the repr."""
    if hasattr(value, "tolist"):
        value = value.tolist()  # arrays and tensors; one without axes becomes a number
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(k): plain_value(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(v) for v in value]
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def take_figures() -> list[dict[str, str]]:
    """Close the figures that the cell has left open; return them as SVG with text alternatives."""
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


def run(cells: list[dict[str, Any]], script: str, tell: Callable[[int], None]) -> dict[str, Any]:
    """Run the cells in one ``__main__``, as Python would run the script."""
    main = types.ModuleType("__main__")
    main.__file__ = script
    sys.modules["__main__"] = main
    sys.argv = [script]
    sys.path.insert(0, str(Path(script).parent))

    result: dict[str, Any] = {"outputs": [], "claims": [], "values": {}, "error": None}
    flags = 0  # of `from __future__ import …`, which applies to the cells below it too

    for index, cell in enumerate(cells):
        tell(index)

        def record_claim(sentence: object, about: str, *values: Any, index: int = index) -> None:
            result["claims"].append(make_claim(sentence, about, values) | {"cell": index})

        main.__dict__[RECORD_CLAIM] = record_claim
        printed = io.StringIO()
        outputs: list[dict[str, str]] = []
        try:
            tree = ast.parse(cell["source"])
            flags |= future_flags(tree)
            tree.body = [claim_call(n) if is_claim(n) else n for n in tree.body]
            tree = ast.increment_lineno(ast.fix_missing_locations(tree), cell["line"] - 1)
            code = compile(tree, script, "exec", flags, dont_inherit=True)
            with contextlib.redirect_stdout(printed):
                exec(code, main.__dict__)
                outputs = take_figures()
        except (Exception, SystemExit) as error:
            result["error"] = describe(error, script, cells, index)
        if printed.getvalue():
            outputs.insert(0, {"type": "text", "text": printed.getvalue()})
        result["outputs"].append(outputs)
        if result["error"]:
            return result
    result["values"] = plain_value(main.__dict__.get("values", {}))
    return result


def future_flags(tree: ast.Module) -> int:
    names = [
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for alias in node.names
    ]
    return sum(getattr(__future__, name).compiler_flag for name in names)


def describe(
    error: BaseException, script: str, cells: list[dict[str, Any]], index: int
) -> dict[str, Any]:
    """Python's error message, and the innermost line of the example in its traceback."""
    lines = [
        f.lineno or 1 for f in traceback.extract_tb(error.__traceback__) if f.filename == script
    ]
    place = {"cell": index, "row": 0}
    if lines:
        cell = max(i for i, cell in enumerate(cells) if cell["line"] <= lines[-1])
        place = {"cell": cell, "row": lines[-1] - cells[cell]["line"]}
    said = traceback.format_exception_only(error)
    message = next(text for text in said if not text.startswith("  "))  # without the code it quotes
    return {
        "cell": index,
        "place": place,
        "message": message.strip(),
        "traceback": "".join(traceback.format_exception(error)),
    }


if __name__ == "__main__":
    cells_file, script_file, result_file = sys.argv[1:4]
    # Events get a separate channel, so that output that bypasses sys.stdout (from C libraries or
    # other processes) does not mix with them.
    events = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    recorded = run(
        json.loads(Path(cells_file).read_text("utf-8")),
        script_file,
        lambda index: print(json.dumps({"cell": index}), file=events),
    )
    text = json.dumps(recorded, ensure_ascii=False)
    Path(result_file).write_text(text, "utf-8", errors="replace")
