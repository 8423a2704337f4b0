"""What an execution has shown, as HTML: text, figures, claims, problems, and what is on its way."""

from __future__ import annotations

import hashlib
import re
from html import escape

from tools.run.cells import Problem
from tools.run.examples import Example
from tools.run.problems import other_problems
from tools.run.records import Claim, Figure, Outcome, Output, Text
from tools.weave import terminal
from tools.weave.code import NARROW, long_line
from tools.weave.figures import themed_svg
from tools.weave.guessing import Asked, asked, comparison_html
from tools.weave.memory import remembered

COLUMNS = re.compile(r"\S {2,}\S")  # more than one space between words: they are aligned
WIDE = 53  # columns; with more, no size of type fits on a telephone that can be read


def escaped(text: str) -> str:
    """The text for a page: as a terminal would show it, with HTML escaped."""
    return escape(terminal.screen(text))


@remembered
def output_html(example: Example, outcome: Outcome, index: int, guess: bool) -> str:
    """What a code cell has shown, or that it is on its way.

    Args:
        example: Of this cell.
        outcome: Of the example.
        index: The number of the code cell.
        guess: Whether readers may guess the numbers of its claims first.
    """
    if outcome.pending:
        return pending_html(example, outcome)
    shown = [shown_html(example, index, *each) for each in enumerate(outputs_of(outcome, index))]
    return "".join(shown) + findings_html(example, outcome, index, guess)


def outputs_of(outcome: Outcome, index: int) -> tuple[Output, ...]:
    """The outputs of a code cell; none if the execution did not get that far."""
    outputs = outcome.result.outputs
    return outputs[index] if index < len(outputs) else ()


def shown_html(example: Example, index: int, number: int, output: Output) -> str:
    if isinstance(output, Text):
        return text_html(output.text)
    return f'<figure class="chart">{figure_svg(example, index, number, output)}</figure>'


def figure_svg(example: Example, index: int, number: int, figure: Figure) -> str:
    return themed_svg(figure.svg, f"{example.name}-{index}-{number}", figure.alt)


def text_html(printed: str) -> str:
    """What an example printed. On a telephone, long lines wrap as those of code do.

    Rows of a table do not wrap: their length sets the size of type there. A table that is too wide
    for that can be pushed.

    >>> text_html("loss  1.5")
    '<pre class="output" tabindex="0" aria-label="Output">loss  1.5</pre>'
    """
    lines = terminal.screen(printed).rstrip("\n").split("\n")
    columns = max((len(line) for line in lines if COLUMNS.search(line)), default=0)
    style = f' style="--columns:{columns}"' if NARROW < columns <= WIDE else ""
    kind = "output wide" if columns > WIDE else "output"
    opening = f'<pre class="{kind}" tabindex="0" aria-label="Output"{style}>'
    shown = "\n".join(
        escape(line) if COLUMNS.search(line) else long_line(escape(line), line) for line in lines
    )
    return f"{opening}{shown}</pre>"


def findings_html(example: Example, outcome: Outcome, index: int, guess: bool = False) -> str:
    """The claims of a code cell with their values, and its other problems."""
    questions = asked(outcome) if guess else {}
    items = [
        claim_html(example, claim, questions.get(number))
        for number, claim in enumerate(outcome.result.claims)
        if claim.cell == index
    ]
    problems = [problem for cell, problem in other_problems_of(example, outcome) if cell == index]
    shown = [claims_list(items) if items else "", *(problem_html(str(each)) for each in problems)]
    return "".join(shown)


@remembered
def other_problems_of(example: Example, outcome: Outcome) -> list[tuple[int, Problem]]:
    return other_problems(example, outcome.result)


def claim_id(example: Example, claim: Claim) -> str:
    """The anchor of a claim: made from its sentence, so that no other claim changes it.

    `claims.same_addresses` finds sentences of one example that have the same.
    """
    words = re.findall("[a-z0-9]+", claim.sentence.lower())
    name = "-".join(words) or hashlib.sha256(claim.sentence.encode()).hexdigest()[:8]
    return f"claim-{example.name}-{name}"


def claim_html(
    example: Example, claim: Claim, question: Asked | None = None, more: str = ""
) -> str:
    kind, sign = ("checked", "✓") if claim.passed else ("failed", "✗ false:")
    # Text and code alternate: between backquotes stands code.
    parts = escaped(claim.sentence).split("`")
    if len(parts) % 2 == 0:  # the last backquote has no partner
        parts[-2:] = ["`".join(parts[-2:])]
    parts[1::2] = [f"<code>{part}</code>" for part in parts[1::2]]
    return (
        f'<li class="claim {kind}" id="{claim_id(example, claim)}">'
        f'<span class="sign">{sign}</span> {"".join(parts)} '
        f"<code>{comparison_html(claim, question)}</code>{more}</li>"
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
