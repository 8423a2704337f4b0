"""The pages as plain Markdown, for readers and programs that want no HTML.

Outputs and claims are text, figures and drawings are described in words, and what only mkdocs
understands (settings, attributes, notes that fold) is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import indent as indented

from tools.run.cells import Cell, Problem
from tools.run.examples import Example
from tools.run.memo import memoized
from tools.run.records import Claim, Outcome, Output, Plain, Text
from tools.weave import terminal
from tools.weave.code import shown_code
from tools.weave.memory import remembered
from tools.weave.notes import lines_and_notes
from tools.weave.outputs import other_problems_of, outputs_of
from tools.weave.pages import CODE_SPAN, Page, fence_after, fenced, front_matter

SUFFIX = ".md"

SPECIAL = re.compile(r"([\\`*_\[\]<>|#{}&])")
ATTRIBUTES = re.compile(r"[ \t]*(?<!\\)\{:? *(?:[#.][\w.# -]*|download=\"\") *\}")
DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
ONLY_SCRIPT = re.compile(r'<p class="widget-note">.*?</p>', re.DOTALL)
CODE = re.compile(r"<code>(.*?)</code>")
TAG = re.compile(r"(?<!\\)</?[a-zA-Z][^<>]*>")
NOTEBOOK_LINK = re.compile(r"(\]\((?![a-z]+:)(?![^)]*downloads/)[^)#]*)\.ipynb(?=[)#])")


class PlainPage(Page):
    """A page whose outputs, values and problems become text."""

    def code(self, cell: Cell, title: str) -> str:
        return fenced(shown_code(cell), title)

    def output(self, example: Example, index: int, indent: str) -> str:
        shown = output_text(example, self.lesson.outcomes[example.name], index)
        return f"\n{indented(shown, indent)}\n" if shown else ""

    def value(self, example: Example, key: str, value: Plain, spec: str) -> str:
        try:
            if spec == "tokens":
                return " ".join(map(_token, value))  # type: ignore[arg-type]
            return escaped(format(value, spec))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(str(error)) from None  # the page in HTML says more of it

    def problem(self, problem: Problem, indent: str) -> str:
        return f"{indent}{_problem(problem)}"


def escaped(text: str) -> str:
    """Text on one line, in which Markdown finds no marks."""
    return SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", terminal.screen(text)))


def _token(token: Mapping[str, Plain]) -> str:
    """What the model sees, with the fate of a token that has one, and what it was before."""
    piece = token["piece"]
    seen = token.get("seen", piece)
    if not token.get("fate"):
        return f"`{piece}`"
    before = "" if seen == piece else f", was `{piece}`"
    return f"`{seen}` ({token['fate']}{before})"


@remembered
def output_text(example: Example, outcome: Outcome, index: int) -> str:
    """What a code cell has shown: its outputs, its claims, its problems."""
    if outcome.pending:
        return "*The output of this code is on its way.*"
    parts = [_shown(output) for output in outputs_of(outcome, index)]
    claims = [claim_text(claim) for claim in outcome.result.claims if claim.cell == index]
    parts.append("\n".join(claims))
    parts += [_problem(p) for cell, p in other_problems_of(example, outcome) if cell == index]
    return "\n\n".join(part for part in parts if part)


def _shown(output: Output) -> str:
    if isinstance(output, Text):
        text = terminal.screen(output.text).rstrip("\n")
        mark = "`" * (1 + max(2, *(len(run) for run in re.findall("`+", text)), 0))
        return f"{mark}text\n{text}\n{mark}"
    return f"*Figure: {escaped(output.alt)}*"


def claim_text(claim: Claim, more: str = "") -> str:
    sign = "✓" if claim.passed else "✗ false:"
    mark = "``" if "`" in claim.comparison else "`"
    shown = re.sub(r"\s+", " ", terminal.screen(claim.comparison))
    sentence = "`".join(
        part if number % 2 else escaped(part)
        for number, part in enumerate(claim.sentence.split("`"))
    )
    return f"- {sign} {sentence} ({mark}{shown}{mark}){more}"


def _problem(problem: Problem) -> str:
    return f"**This must not be published:** {escaped(str(problem))}"


@remembered
def notebook_text(example: Example, outcome: Outcome) -> str:
    """An example as a page: its words, its code, and what it has shown."""
    parts, index = [], 0
    for cell in example.cells:
        if cell.kind == "markdown":
            parts.append(cell.source)
            continue
        parts.append(fenced(cell.source, cell.title))
        parts.append(output_text(example, outcome, index))
        index += 1
    return plain("\n\n".join(part.strip("\n") for part in parts if part) + "\n")


@memoized()
def plain(markdown: str) -> str:
    """The Markdown without settings, HTML and what else only mkdocs understands."""
    lines = markdown.split("\n")
    text = "\n".join(_unfolded(lines[front_matter(lines) :]))
    parts = (
        part if is_code else re.sub(r"\n{3,}", "\n\n", _without_html(part))
        for is_code, part in _parts(text.split("\n"))
    )
    return "\n\n".join(filter(None, (part.strip("\n") for part in parts))) + "\n"


def _parts(lines: Iterable[str]) -> Iterator[tuple[bool, str]]:
    """The text in runs of lines: whether it is fenced code, and the run."""
    run: list[str] = []
    fence, was_code = "", False
    for line in lines:
        before, fence = fence, fence_after(line, fence)
        is_code = bool(before or fence)
        if run and (is_code != was_code or (is_code and not before)):
            yield was_code, "\n".join(run)
            run = []
        run.append(line)
        was_code = is_code
    yield was_code, "\n".join(run)


def _unfolded(lines: list[str]) -> list[str]:
    """Notes, folded or not, as their title in bold and their text without the indent."""
    shown: list[str] = []
    for each in lines_and_notes(lines):
        if isinstance(each, str):
            shown.append(each)
        else:
            title = f"**{each.title}**" if each.title else ""
            shown += [title, "", *_unfolded(each.inside)]
    return shown


def _without_html(text: str) -> str:
    """Prose without tags and attributes, except in code spans."""
    text = ONLY_SCRIPT.sub("", DRAWING.sub(_described, text))
    parts = CODE_SPAN.split(text)  # text, span, its marks, text, …
    for number in range(0, len(parts), 3):
        part = re.sub(
            r"<code>(.*?)</code>", lambda code: f"`{TAG.sub('', code[1])}`", parts[number]
        )
        parts[number] = ATTRIBUTES.sub("", TAG.sub("", part))
    del parts[2::3]
    text = NOTEBOOK_LINK.sub(rf"\1{SUFFIX}", "".join(parts))
    return re.sub(r"^[ \t]+$", "", text, flags=re.MULTILINE)


def _described(drawing: re.Match[str]) -> str:
    """What a drawing says of itself."""
    said = [re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", drawing[0]) for tag in ("title", "desc")]
    words = ". ".join(match[1].rstrip(".") for match in said if match)
    return f"\n*Figure: {words}.*\n" if words else ""


def page_of(uri: str) -> str:
    """The path of a page's plain Markdown, beside its HTML."""
    return Path(uri).with_suffix(SUFFIX).as_posix()
