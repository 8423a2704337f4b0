"""What the pages embed from the examples: sections with their outputs, and measured values.

In a page:

    --8<-- "examples/masking.py:three fates"     a section: its code, its output, its claims
    --8<-- "docs/assets/bert/bert.js:layer"      a section of another file, between two marks
    {{ masking.selected:.1% }}                   an entry of the example's dict `values`
    {{ masking.passage:tokens }}                 a list of tokens with their fates, drawn as chips
    {{ claims }}                                 the list of all claims (on the page of checks)
    {{ times }}                                  words and minutes of all pages (on the overview)
    {{ mutants }}                                and two more, see `noticed.py`
    {{ speed of masking }}                       a table of what was timed, see `speed.py`
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from tools.run.cells import ROOT, Cell, Problem
from tools.run.examples import EXAMPLES, Example
from tools.run.records import Outcome, Plain
from tools.weave import speed
from tools.weave.blocks import raw_block
from tools.weave.code import check_fence, shown_code
from tools.weave.noticed import NOTICED
from tools.weave.outputs import output_html, problem_html
from tools.weave.snippets import INCLUDE, snippet
from tools.weave.values import PENDING, value_html

SCISSORS = re.compile(r"^\s*-+8<")  # a line that begins like this is meant as an include
VALUE = re.compile(r"\{\{\s*(?P<example>\w+)\.(?P<key>\w+)\s*(?::(?P<format>[^}]*))?\}\}")
CLAIMS, TIMES = "{{ claims }}", "{{ times }}"  # each on a line of its own
MARKS = {CLAIMS: "⟦claims⟧", TIMES: "⟦times⟧"}  # where `weave` fills them in
CODE_SPAN = re.compile(r"((?<!`)(`+)(?!`).*?(?<!`)\2(?!`))")
FENCE = re.compile(r"^[>\s]*(?P<mark>`{3,}|~{3,})(?P<rest>.*)$")


@dataclass
class Lesson:
    """The examples, what is known about each, and where the pages show them."""

    examples: dict[str, Example]
    outcomes: dict[str, Outcome]
    problems: list[Problem] = field(default_factory=list)
    shown: dict[tuple[str, int], tuple[Path, int]] = field(default_factory=dict)  # cell -> page


@dataclass
class Page:
    """One page while it is woven."""

    lesson: Lesson
    path: Path
    used: list[str] = field(default_factory=list)  # names of the examples that it shows

    def expand(self, markdown: str) -> str:
        """Replace includes and values; problems are recorded with their line, and shown."""
        lines, fence, opened = [], "", 0
        written = markdown.removesuffix("\n").split("\n")
        front = front_matter(written)
        for number, line in enumerate(written, 1):
            before, fence = fence, fence_after(line, fence)
            opened = number if fence and not before else opened
            try:
                if number <= front:
                    lines.append(_plain(line))
                    continue
                if fence and not before:
                    check_fence(FENCE.match(line)["rest"])  # type: ignore[index]
                lines.append(self._expand_line(line, number, in_fence=bool(before)))
            except (KeyError, ValueError) as error:
                lines.append(self._problem(number, str(error.args[0]), line))
        if fence:
            lines.append(self._problem(opened, f"this fence is not closed by {fence}", ""))
        return "\n".join(lines) + "\n"

    def _problem(self, number: int, message: str, line: str) -> str:
        problem = Problem(self.path, number, message)
        self.lesson.problems.append(problem)
        return self.problem(problem, _indent(line))

    def _expand_line(self, line: str, number: int, in_fence: bool) -> str:
        if included := INCLUDE.match(line):
            target, indent = included["target"], included["indent"]
            path, _, section = target.partition(":")
            if not in_fence and Path(path).match("examples/*.py") and path.count("/") == 1:
                return self._section(target, path, section, indent, number)
            return _indented("\n".join(snippet(target, ROOT)), indent)
        if SCISSORS.match(line):
            raise ValueError('an include is one line, as in --8<-- "path/to/file:section"')
        if in_fence:
            return line
        if line in (CLAIMS, TIMES):
            return MARKS[line]
        if line in NOTICED:
            return NOTICED[line](self.lesson.examples, self.lesson.outcomes)
        if line.startswith(speed.MARK):
            return speed.table_of(line)
        # Text and code spans alternate: text, span, its marks, text, …
        parts = CODE_SPAN.split(line)
        for index in range(0, len(parts), 3):
            parts[index] = _plain(VALUE.sub(self._value, parts[index]))
        del parts[2::3]  # the marks that the pattern captures
        return "".join(parts)

    def _section(self, target: str, path: str, section: str, indent: str, number: int) -> str:
        """A section of an example: its code as a fence, and its output."""
        example = self._example(Path(path).stem)
        if not section:
            raise ValueError(f'name a section of {path}, as in "{path}:{example.code[-1].title}"')
        cell = example.section(section)
        index = example.code.index(cell)
        here = (self.path, number)
        if (first := self.lesson.shown.setdefault((example.name, index), here)) != here:
            raise ValueError(f'"{target}" is already shown at {first[0].name}:{first[1]}')
        code = self.code(cell, f"{path}: {section}")
        return f"{_indented(code, indent)}\n{self.output(example, index, indent)}"

    def _example(self, name: str) -> Example:
        if name not in self.lesson.examples:
            for problem in self.lesson.problems:
                if problem.path == EXAMPLES / f"{name}.py":
                    raise KeyError(f"examples/{name}.py cannot be read: {problem}")
            names = ", ".join(sorted(self.lesson.examples)) or "none that could be read"
            raise KeyError(f"there is no examples/{name}.py; there are: {names}")
        if name not in self.used:
            self.used.append(name)
        return self.lesson.examples[name]

    def _value(self, match: re.Match[str]) -> str:
        example = self._example(match["example"])
        outcome = self.lesson.outcomes[example.name]
        if outcome.pending or outcome.result.failure:
            return PENDING
        values = outcome.result.values
        key, spec = match["key"], (match["format"] or "").strip()
        if key not in values:
            has = ", ".join(values) or "none"
            raise KeyError(f"examples/{example.path.name} leaves no value {key!r}; it has {has}")
        try:
            return self.value(example, key, values[key], spec)
        except ValueError as error:
            raise ValueError(f"{match[0]}: {error}") from None

    # How things are shown: as HTML where Markdown has nothing for them

    def code(self, cell: Cell, title: str) -> str:
        fence = fenced(shown_code(cell), title)
        if "hide-input" in cell.tags:
            return f'??? code "The code behind this"\n\n{_indented(fence, "    ")}'
        return fence

    def output(self, example: Example, index: int, indent: str) -> str:
        outcome = self.lesson.outcomes[example.name]
        html = output_html(example, outcome, index, may_guess(self.path))
        return raw_block(html, indent) if html else ""

    def value(self, example: Example, key: str, value: Plain, spec: str) -> str:
        return value_html(example, key, value, spec)

    def problem(self, problem: Problem, indent: str) -> str:
        return raw_block(problem_html(str(problem)), indent)


def _plain(text: str) -> str:
    """The text, in which nothing is left that is meant to be filled in.

    Raises:
        ValueError: there is.
    """
    if "{{" in text:
        raise ValueError(
            "{{ opens a value, as in {{ masking.selected:.1% }}; for the two braces themselves, "
            "use a code span; {{ claims }} and {{ times }} have a line of their own"
        )
    if "-8<-" in text:
        raise ValueError('an include has a line of its own, as in --8<-- "path/to/file:section"')
    return text


def may_guess(page: Path) -> bool:
    """Whether readers of a page may guess the numbers of its claims before they see them.

    In the practice the claims say what is wrong with a piece of code, which is what to think about.
    """
    return "practice" not in page.parts


def front_matter(lines: list[str]) -> int:
    """The number of lines of a page's settings, which stand between two lines of dashes."""
    if lines[0].rstrip() != "---":
        return 0
    ends = (number for number, line in enumerate(lines[1:], 2) if line.rstrip() == "---")
    return next(ends, 0)


def fenced(source: str, title: str = "") -> str:
    """Python code as a fence, longer than any row of backquotes in it."""
    fence = "`" * (1 + max(2, *(len(run) for run in re.findall("`+", source)), 0))
    named = f' title="{escape(title)}"' if title else ""
    return f"{fence}python{named}\n{source}\n{fence}\n"


def fence_after(line: str, fence: str) -> str:
    """The mark of the code fence that is open after this line; "" if there is none."""
    found = FENCE.match(line)
    if not found:
        return fence
    mark, rest = found["mark"], found["rest"]
    if fence:
        return "" if mark == fence and not rest.strip() else fence
    return "" if "`" in mark and "`" in rest else mark


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _indented(text: str, indent: str) -> str:
    return "\n".join(f"{indent}{line}" if line else "" for line in text.split("\n"))
