"""From what an execution recorded to HTML, SVG and notebooks. Knows nothing of mkdocs."""

from __future__ import annotations

import ast
import html
import re
from typing import Any

import nbformat

from tools.examples import Cell, Example
from tools.record import is_claim
from tools.runner import Outcome, describe_claim

# The colours of tools/matplotlibrc, as variables of the page with the same colours to fall back on.
COLOURS = {
    "#0072b2": "var(--chart-1, #0072b2)",
    "#d55e00": "var(--chart-2, #d55e00)",
    "#009e73": "var(--chart-3, #009e73)",
    "#cc79a7": "var(--chart-4, #cc79a7)",
    "#b0b0b0": "var(--chart-grid, #b0b0b0)",
    "#000000": "currentColor",
}


def shown_code(cell: Cell) -> str:
    """The code of a section as a page shows it: without its claims, which stand below it."""
    lines = cell.source.splitlines()
    for node in ast.parse(cell.source).body:
        if is_claim(node):
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = "\0"
    text = "\n".join(line for line in lines if line != "\0")
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def themed_svg(svg: str, name: str, alt: str) -> str:
    """A figure that follows the page: its colours, its font, its width; ids unique by ``name``."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>|\s*<style.*?</style>", "", svg, flags=re.S)
    svg = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"', "", svg, count=1)
    svg = re.sub(r"font-family: [^;\"]+(sans-serif)", r"font-family: inherit", svg)
    for colour, variable in COLOURS.items():
        svg = re.sub(colour, variable, svg, flags=re.I)
    used = set(re.findall(r'(?:url\(|href=")#([\w.-]+)', svg))
    svg = re.sub(
        r' id="([\w.-]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", svg
    )
    svg = re.sub(r'(url\(|href=")#', rf"\1#{name}-", svg)
    svg = re.sub(r"\s*\n\s*", " ", svg).replace("> <", "><").strip()
    head = f'<svg role="img" aria-label="{html.escape(alt)}" fill="currentColor" '
    return svg.replace("<svg ", head, 1)


def output_html(example: Example, index: int, outcome: Outcome) -> str:
    """What a code cell showed: its text, its figures, and its claims with their values."""
    parts = []
    for number, output in enumerate(outcome.result.get("outputs", {}).get(str(index), [])):
        if output["type"] == "text":
            text = html.escape(output["text"].rstrip("\n"))
            parts.append(f'<pre class="output" tabindex="0" aria-label="Output">{text}</pre>')
        else:
            svg = themed_svg(output["svg"], f"{example.name}-{index}-{number}", output["alt"])
            parts.append(f'<figure class="chart">{svg}</figure>')
    claims = [c for c in numbered_claims(outcome) if c["cell"] == index]
    if claims:
        items = "".join(claim_html(example, claim) for claim in claims)
        parts.append(f'<ul class="claims" aria-label="Checked when this page was built">{items}</ul>')
    error = outcome.result.get("error")
    if error and example.cells[index].line <= error["line"] < _end(example.cells[index]):
        text = f"examples/{example.path.name}:{error['line']}: {error['message']}"
        parts.append(problem_html(text))
    return "".join(parts)


def _end(cell: Cell) -> int:
    return cell.line + len(cell.source.splitlines())


def numbered_claims(outcome: Outcome) -> list[dict[str, Any]]:
    return [c | {"number": n} for n, c in enumerate(outcome.result.get("claims", []), 1)]


def claim_id(example: Example, claim: dict[str, Any]) -> str:
    return f"claim-{example.name}-{claim['number']}"


def claim_html(example: Example, claim: dict[str, Any]) -> str:
    sign = ("checked", "✓") if claim["passed"] else ("failed", "✗ false:")
    return (
        f'<li class="claim {sign[0]}" id="{claim_id(example, claim)}">'
        f'<span class="sign">{sign[1]}</span> {html.escape(claim["sentence"])} '
        f"<code>{html.escape(describe_claim(claim))}</code></li>"
    )


def problem_html(message: str) -> str:
    return (
        '<div class="admonition failure"><p class="admonition-title">This must not be published</p>'
        f"<pre>{html.escape(message)}</pre></div>"
    )


def pending_html(example: Example, outcome: Outcome) -> str:
    return (
        f'<p class="pending" data-pending="{example.name}">The output of this code is on its way: '
        f"<span>{html.escape(outcome.progress)}</span></p>"
    )


def measured_html(example: Example, key: str, text: str) -> str:
    title = f"{key}, measured by examples/{example.path.name} when this page was built"
    return f'<span class="measured" title="{title}">{html.escape(text)}</span>'


# What has become of a token, and the sign that says so without colour.
FATES = {"masked": "▢", "random": "⇄", "kept": "="}


def tokens_html(tokens: list[dict[str, str]]) -> str:
    """A row of chips that wraps.

    Each token is a dict of its ``piece`` and, where it applies, what the model sees in its place
    (``seen``), its ``fate``, and its ``segment`` ("A" or "B").
    """
    chips = []
    for token in tokens:
        fate, segment = token.get("fate", ""), token.get("segment", "")
        classes = ["token", fate, f"segment-{segment.lower()}" * bool(segment)]
        classes.append("structural" * token["piece"].startswith("["))
        piece = html.escape(token["piece"])
        if fate and token["seen"] != token["piece"]:
            piece = f"<b>{html.escape(token['seen'])}</b> <s>{piece}</s>"
        sign = f'<i title="{fate}">{FATES[fate]}</i> ' if fate else ""
        chips.append(f'<span class="{" ".join(filter(None, classes))}">{sign}{piece}</span>')
    return f'<span class="tokens">{" ".join(chips)}</span>'


def notebook(example: Example, outcome: Outcome) -> str:
    """The example as an executed notebook; equal executions give equal bytes."""
    cells = []
    count = 0
    for index, cell in enumerate(example.cells):
        if cell.kind == "markdown":
            made = nbformat.v4.new_markdown_cell(cell.source)
        else:
            count += 1
            outputs = _notebook_outputs(example, index, outcome)
            made = nbformat.v4.new_code_cell(cell.source, outputs=outputs, execution_count=count)
            if cell.title:
                made.metadata["title"] = cell.title
        made["id"] = f"cell-{index}"
        cells.append(made)
    if outcome.state != "done":
        note = "**Outputs are on their way.** They fill in when the example has run."
        cells.insert(1, nbformat.v4.new_markdown_cell(note, id="pending"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    made = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(made)
    return nbformat.writes(made) + "\n"


def _notebook_outputs(example: Example, index: int, outcome: Outcome) -> list[Any]:
    outputs = []
    for number, output in enumerate(outcome.result.get("outputs", {}).get(str(index), [])):
        if output["type"] == "text":
            outputs.append(nbformat.v4.new_output("stream", name="stdout", text=output["text"]))
        else:
            svg = themed_svg(output["svg"], f"{example.name}-{index}-{number}", output["alt"])
            data = {"image/svg+xml": svg, "text/plain": output["alt"]}
            outputs.append(nbformat.v4.new_output("display_data", data=data))
    claims = [c for c in numbered_claims(outcome) if c["cell"] == index]
    if claims:
        lines = [f"- ✓ {c['sentence']} (`{describe_claim(c)}`)" for c in claims]
        data = {"text/markdown": "\n".join(lines), "text/plain": "\n".join(lines)}
        outputs.append(nbformat.v4.new_output("display_data", data=data))
    return outputs
