"""What in a result must not be published, and where: failures, false claims, addresses."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from xml.etree import ElementTree

from tools.run.cells import Problem
from tools.run.examples import Example
from tools.run.records import Place, Result, Text

# An address in a repr, as in <function <lambda> at 0x7f30>; a long repr is cut and ends with "…".
ADDRESS = re.compile(
    r"<(?=\S)(?:[^<>\n]|<[^<>\n]*>)*?\sat\s+0x(?:[0-9a-fA-F]{6,}(?=[^\n]*>)|[0-9a-fA-F]*…)"
)
# Characters that matplotlib writes as they are, but that XML does not allow.
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def problems_of(example: Example, result: Result) -> list[tuple[int, Problem]]:
    """What in this result must not be published, each with the code cell that shows it."""
    problems = []
    for claim in result.claims:
        if not claim.passed:
            text = f"claim is false: {claim.sentence} ({claim.comparison})"
            problems.append((claim.cell, _problem(example, Place(claim.cell, claim.row), text)))
    return problems + other_problems(example, result)


def other_problems(example: Example, result: Result) -> list[tuple[int, Problem]]:
    """The same without false claims, which are shown as false anyway."""
    problems = []
    if failure := result.failure:
        problems.append((failure.cell, _problem(example, failure.place, failure.message)))
    for find_place, where, text in _texts(example, result):
        if "0x" in text and (found := ADDRESS.search(text)):
            place = find_place()
            shown = re.sub(r"\s+at\s+0x\w*…?$", " at 0x…>", found[0])
            message = (
                f"{where} holds an address in memory, {shown}, which differs in each build; show "
                "the contents of the object instead"
            )
            problems.append((place.cell, _problem(example, place, message)))
    return problems


def _problem(example: Example, place: Place, message: str) -> Problem:
    return Problem(example.path, example.code[place.cell].line + place.row, message)


def _texts(example: Example, result: Result) -> Iterator[tuple[Callable[[], Place], str, str]]:
    """All text of a result: (a function that finds its place, its name, the text).

    The place is found only on demand, because that requires parsing the example and there are
    hundreds of values.
    """
    for index, outputs in enumerate(result.outputs):
        for output in outputs:
            if isinstance(output, Text):
                yield partial(_place_of_print, example, index), "the output", output.text
            else:
                drawn = text_of_svg(output.svg) if " at 0x" in output.svg else ""
                yield partial(Place, index, 0), "the figure", f"{drawn}\n{output.alt}"
    for claim in result.claims:
        said = f"{claim.sentence}\n{claim.comparison}"
        yield partial(Place, claim.cell, claim.row), "the claim", said
    for key, value in result.values.items():
        text = json.dumps(value, ensure_ascii=False)
        yield partial(_place_of_value, example, key), f"the value {key!r}", text


def text_of_svg(svg: str) -> str:
    """The text of a figure, and that of its attributes, which may be links or names."""
    tree = ElementTree.fromstring(NOT_XML.sub("", svg))
    attributes = (value for element in tree.iter() for value in element.attrib.values())
    return "\n".join(["".join(tree.itertext()), *attributes])


def _place_of_print(example: Example, index: int) -> Place:
    """The line of a cell's only `print`; the cell's first line if there are more, or none."""
    nodes = ast.walk(ast.parse(example.code[index].source))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    rows = [n.lineno - 1 for n in calls if isinstance(n.func, ast.Name) and n.func.id == "print"]
    return Place(index, rows[0] if len(rows) == 1 else 0)


def _place_of_value(example: Example, key: str) -> Place:
    """The line that names a value last."""
    place = Place(len(example.code) - 1, 0)
    for index, cell in enumerate(example.code):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Constant | ast.keyword):
                named = node.arg if isinstance(node, ast.keyword) else node.value
                if named == key:
                    place = Place(index, node.lineno - 1)
    return place
