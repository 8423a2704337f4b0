"""Turn recorded executions into HTML, SVG and notebooks. Does not depend on mkdocs."""

from __future__ import annotations

import ast
import html
import re
from typing import Any

import nbformat

from tools.run.cells import Cell
from tools.run.examples import Example
from tools.run.problems import other_problems
from tools.run.record import is_claim
from tools.run.records import Claim, Figure, Outcome, Output, Text
from tools.weave import terminal

NARROW = 38  # characters of code in a line on a telephone, see docs/assets/lesson.css

# The colours of tools/run/matplotlibrc as CSS variables of the page, with themselves as fallback.
COLOURS = {
    "#0072b2": "var(--chart-1, #0072b2)",
    "#d55e00": "var(--chart-2, #d55e00)",
    "#009e73": "var(--chart-3, #009e73)",
    "#cc79a7": "var(--chart-4, #cc79a7)",
    "#b0b0b0": "var(--chart-grid, #b0b0b0)",
    "#000000": "currentColor",
}


def shown_code(cell: Cell) -> str:
    """The code of a section as a page shows it: without its claims, which are shown below it.

    Consecutive blank lines are reduced to one, except in strings.
    """
    tree = ast.parse(cell.source)
    claims = {row for node in tree.body if is_claim(node) for row in _rows(node)}
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr))
    quoted = {row for node in strings for row in _rows(node)}
    shown = [""]
    for row, line in enumerate(cell.source.split("\n"), 1):  # as Python counts lines
        if row not in claims and (line or shown[-1] or row in quoted):
            shown.append(line)
    return "\n".join(shown).strip("\n")


def _rows(node: ast.stmt | ast.expr) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def escaped(text: str) -> str:
    """The text for a page: as a terminal would show it, with HTML escaped."""
    return html.escape(terminal.screen(text))


def themed_svg(svg: str, name: str, alt: str) -> str:
    """A figure that adapts to the page's colours, font and width; ``name`` makes its ids unique.

    Invisible detail is left out: coordinates are rounded to hundredths of a point, and rotations by
    0 are removed.
    """
    svg = terminal.plain(svg[svg.index("<svg") :])
    svg = re.sub(r"\s*<metadata>.*?</metadata>|\s*<style.*?</style>", "", svg, flags=re.S)
    svg = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"', "", svg, count=1)
    svg = re.sub(r"font-family: [^;\"]+(sans-serif)", r"font-family: inherit", svg)
    for colour, variable in COLOURS.items():
        svg = re.sub(colour, variable, svg, flags=re.I)
    used = set(re.findall(r'(?:url\(|href=")#([\w.-]+)', svg))
    svg = re.sub(r' id="([\w.-]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", svg)
    svg = re.sub(r'(url\(|href=")#', rf"\1#{name}-", svg)
    svg = re.sub(r' transform="rotate\(-?0 [^"]*"', "", svg)
    svg = re.sub(r' (d|x|y|transform)="[^"]*"', lambda m: _rounded(m[0]), svg)
    svg = re.sub(r"\s*\n\s*", " ", svg).replace("> <", "><").strip()
    svg = _without_idle_groups(svg)
    head = f'<svg role="img" aria-label="{escaped(alt)}" fill="currentColor" '
    return svg.replace("<svg ", head, 1)


def _without_idle_groups(svg: str) -> str:
    """The figure without groups that have no attributes."""
    idle: list[bool] = []  # one entry per open group

    def kept(tag: re.Match[str]) -> str:
        if tag[0] == "</g>":
            return "" if idle.pop() else tag[0]
        idle.append(tag[0] == "<g>")
        return "" if idle[-1] else tag[0]

    return re.sub(r"<g(?: [^>]*[^>/])?>|</g>", kept, svg)


def lighter_code(page: str) -> str:
    """The page without tags around code tokens that look like the text around them."""
    return re.sub(r'<span class="(?:n|p|w)">([^<]*)</span>', r"\1", page)


def wrapping_code(page: str) -> str:
    """The page with code whose long lines a narrow screen can wrap."""
    block = re.compile(r"(<pre>(?:<span></span>)?<code[^>]*>)(.*?)(</code></pre>)", re.S)
    return block.sub(lambda found: found[1] + wrapping_lines(found[2]) + found[3], page)


def wrapping_lines(code: str) -> str:
    """Highlighted code with each long line in an element of its own, which knows its indent.

    >>> wrapping_lines("short\\n" + "    " + "x" * 50 + "\\n").count("--in:4ch")
    1
    """
    lines = []
    for line in code.split("\n"):
        text = html.unescape(re.sub("<[^>]+>", "", line))
        indent = len(text) - len(text.lstrip())
        if len(text) > NARROW:
            line = f'<span class="long" style="--in:{indent}ch">{line}</span>'
        lines.append(line)
    return "\n".join(lines)


def text_output(text: str) -> str:
    """What an example printed. The number of its columns sets the size of type on a telephone."""
    columns = max(map(len, text.split("\n")))
    style = f' style="--columns:{columns}"' if columns > NARROW else ""
    opening = f'<pre class="output" tabindex="0" aria-label="Output"{style}>'
    return f"{opening}{escaped(text)}</pre>"


def framed_tables(page: str) -> str:
    """The page with each plain table in a box of its own.

    Material's script wraps these tables, and the browser then recomputes the styles of everything
    in the same box. Without this, that is the whole page.
    """
    return re.sub("<table>.*?</table>", r"<div>\g<0></div>", page, flags=re.S)


def _rounded(attribute: str) -> str:
    """The attribute with its numbers rounded to two decimals."""
    return re.sub(r"\d+\.\d+", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), attribute)


def output_html(example: Example, index: int, outcome: Outcome) -> str:
    """The output of a code cell: its text, its figures, and its claims with their values."""
    parts = []
    for number, output in enumerate(outputs_of(index, outcome)):
        if isinstance(output, Text):
            parts.append(text_output(output.text.rstrip("\n")))
        else:
            svg = themed_svg(output.svg, f"{example.name}-{index}-{number}", output.alt)
            parts.append(f'<figure class="chart">{svg}</figure>')
    return "".join(parts) + findings_html(example, index, outcome)


def outputs_of(index: int, outcome: Outcome) -> list[Output]:
    """The outputs of a code cell, with text as a terminal finally shows it.

    Empty if the execution did not get that far.
    """
    outputs = outcome.result.outputs[index : index + 1]
    return [
        Text(terminal.screen(output.text))
        if isinstance(output, Text)
        else Figure(output.svg, terminal.screen(output.alt))
        for output in (outputs[0] if outputs else ())
    ]


def findings_html(example: Example, index: int, outcome: Outcome) -> str:
    """The claims of a code cell with their values, and its other problems."""
    items = [claim_html(example, n, c) for n, c in numbered_claims(outcome) if c.cell == index]
    found = claims_list(items) if items else ""
    return found + "".join(
        problem_html(str(problem))
        for cell, problem in other_problems(example, outcome.result)
        if cell == index
    )


def numbered_claims(outcome: Outcome) -> list[tuple[int, Claim]]:
    return [*enumerate(outcome.result.claims, 1)]


def claim_id(example: Example, number: int) -> str:
    return f"claim-{example.name}-{number}"


def claim_html(example: Example, number: int, claim: Claim, more: str = "") -> str:
    kind, sign = ("checked", "✓") if claim.passed else ("failed", "✗ false:")
    sentence = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped(claim.sentence))
    return (
        f'<li class="claim {kind}" id="{claim_id(example, number)}">'
        f'<span class="sign">{sign}</span> {sentence} '
        f"<code>{escaped(claim.comparison)}</code>{more}</li>"
    )


def claims_list(items: list[str]) -> str:
    label = "Checked when this page was built"
    return f'<ul class="claims" aria-label="{label}">{"".join(items)}</ul>'


def problem_html(message: str) -> str:
    return (
        '<div class="admonition failure"><p class="admonition-title">This must not be published</p>'
        f"<pre>{escaped(message)}</pre></div>"
    )


def pending_html(example: Example, outcome: Outcome) -> str:
    return (
        f'<p class="pending" data-pending="{example.name}">The output of this code is on its way: '
        f"<span>{escaped(outcome.progress)}</span></p>"
    )


def inline_text(text: str) -> str:
    """Text on one line that Markdown leaves unchanged, wherever in a line it is."""
    text = re.sub(r"\s*\n\s*", " ", terminal.screen(text))
    return re.sub(r"[^\w\s.,;%/()'+-]|_", lambda match: f"&#{ord(match[0])};", text)


def measured_html(example: Example, key: str, text: str) -> str:
    title = f"{key}, measured by examples/{example.path.name} when this page was built"
    return f'<span class="measured" title="{inline_text(title)}">{inline_text(text)}</span>'


# The fates of a token, each with a sign that shows it without colour.
FATES = {"masked": "▢", "random": "⇄", "kept": "="}


def tokens_html(tokens: list[dict[str, str]]) -> str:
    """A row of chips that wraps.

    Each token is a dict with its ``piece`` and, where applicable, what the model sees in its place
    (``seen``), its ``fate``, and its ``segment`` ("A" or "B").
    """
    chips = []
    for token in tokens:
        fate, segment = token.get("fate", ""), token.get("segment", "")
        classes = ["token", fate, f"segment-{segment.lower()}" * bool(segment)]
        classes.append("structural" * token["piece"].startswith("["))
        piece = inline_text(token["piece"])
        if fate and token["seen"] != token["piece"]:
            piece = f"<b>{inline_text(token['seen'])}</b> <s>{piece}</s>"
        said = f'role="img" aria-label="{fate}" title="{fate}"'
        sign = f"<i {said}>{FATES[fate]}</i> " if fate else ""
        chips.append(f'<span class="{" ".join(filter(None, classes))}">{sign}{piece}</span>')
    return f'<span class="tokens">{" ".join(chips)}</span>'


def notebook(example: Example, outcome: Outcome) -> str:
    """The example as an executed notebook; equal executions give equal bytes."""
    cells = []
    count = 0
    for number, cell in enumerate(example.cells):
        if cell.kind == "markdown":
            made = nbformat.v4.new_markdown_cell(cell.source)
        else:
            outputs = _notebook_outputs(example, count, outcome)
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


def _notebook_outputs(example: Example, index: int, outcome: Outcome) -> list[Any]:
    made = []
    for number, output in enumerate(outputs_of(index, outcome)):
        if isinstance(output, Text):
            made.append(nbformat.v4.new_output("stream", name="stdout", text=output.text))
        else:
            svg = themed_svg(output.svg, f"{example.name}-{index}-{number}", output.alt)
            data = {"image/svg+xml": svg, "text/plain": output.alt}
            made.append(nbformat.v4.new_output("display_data", data=data))
    if found := findings_html(example, index, outcome):
        plain = re.sub("<[^>]+>", "", found.replace("</li>", "\n"))
        data = {"text/html": found, "text/plain": html.unescape(plain)}
        made.append(nbformat.v4.new_output("display_data", data=data))
    return made
