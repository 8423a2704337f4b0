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


@remembered
def notebook(example: Example, outcome: Outcome) -> str:
    """The text of the .ipynb file."""
    cells = []
    count = 0
    for number, cell in enumerate(example.cells):
        if cell.kind == "markdown":
            made = nbformat.v4.new_markdown_cell(cell.source)
        else:
            outputs = _outputs(example, outcome, count)
            count += 1
            made = nbformat.v4.new_code_cell(cell.source, outputs=outputs, execution_count=count)
            if cell.title:
                made.metadata["title"] = cell.title
        made["id"] = f"cell-{number}"
        cells.append(made)
    if outcome.pending:
        note = "**Outputs are on their way.** They fill in when the example has run."
        cells.insert(1, nbformat.v4.new_markdown_cell(note, id="pending"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    made = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(made)
    return str(nbformat.writes(made)) + "\n"


def _outputs(example: Example, outcome: Outcome, index: int) -> list[Any]:
    made = []
    for number, output in enumerate(outputs_of(outcome, index)):
        if isinstance(output, Text):
            text = terminal.screen(output.text)
            made.append(nbformat.v4.new_output("stream", name="stdout", text=text))
        else:
            alt = terminal.screen(output.alt)
            svg = figure_svg(example, index, number, output)
            data = {"image/svg+xml": svg, "text/plain": alt}
            made.append(nbformat.v4.new_output("display_data", data=data))
    if found := findings_html(example, outcome, index):
        lines = [item.get_text() for item in BeautifulSoup(found, "html.parser").select("li, pre")]
        data = {"text/html": found, "text/plain": "\n".join(lines) + "\n"}
        made.append(nbformat.v4.new_output("display_data", data=data))
    return made
