"""An example as an executed notebook; equal executions give equal bytes."""

from __future__ import annotations

from typing import Any

import nbformat
from bs4 import BeautifulSoup

from tools.run.examples import Example
from tools.run.records import Outcome, Text
from tools.weave import terminal
from tools.weave.memory import remembered
from tools.weave.outputs import figure_svg, findings_html, outputs_of


def description(name: str) -> str:
    """What the page of this notebook is, in one sentence."""
    return f"examples/{name}.py as a notebook, executed"


@remembered
def notebook(example: Example, outcome: Outcome) -> str:
    """The text of the .ipynb file."""
    cells: list[dict[str, Any]] = []
    count = 0
    for number, cell in enumerate(example.cells):
        if cell.kind == "markdown":
            made: dict[str, Any] = {"cell_type": "markdown", "metadata": {}, "source": cell.source}
        else:
            outputs = _outputs(example, outcome, count)
            count += 1
            made = {
                "cell_type": "code",
                "metadata": {"title": cell.title} if cell.title else {},
                "source": cell.source,
                "outputs": outputs,
                "execution_count": count,
            }
        cells.append({"id": f"cell-{number}"} | made)
    if outcome.pending:
        note = "**Outputs are on their way.** They fill in when the example has run."
        markdown = {"cell_type": "markdown", "metadata": {}, "source": note}
        cells.insert(1, {"id": "pending"} | markdown)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    # checked as a whole, which takes a tenth of the time of `nbformat.v4.new_code_cell` and others
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    nbformat.validate(whole)
    return str(nbformat.writes(nbformat.from_dict(whole))) + "\n"


def _outputs(example: Example, outcome: Outcome, index: int) -> list[Any]:
    made: list[dict[str, Any]] = []
    for number, output in enumerate(outputs_of(outcome, index)):
        if isinstance(output, Text):
            text = terminal.screen(output.text)
            made.append({"output_type": "stream", "name": "stdout", "text": text})
        else:
            alt = terminal.screen(output.alt)
            svg = figure_svg(example, index, number, output)
            data = {"image/svg+xml": svg, "text/plain": alt}
            made.append({"output_type": "display_data", "metadata": {}, "data": data})
    if found := findings_html(example, outcome, index):
        lines = [item.get_text() for item in BeautifulSoup(found, "html.parser").select("li, pre")]
        data = {"text/html": found, "text/plain": "\n".join(lines) + "\n"}
        made.append({"output_type": "display_data", "metadata": {}, "data": data})
    return made
