"""What the pages embed from the examples: sections with their outputs, and measured values.

In a page:

    --8<-- "examples/masking.py:three fates"     a section: its code, its output, its claims
    {{ masking.selected:.1% }}                   an entry of the example's dict `values`
    {{ masking.passage:tokens }}                 a list of tokens with their fates, drawn as chips
    {{ claims }}                                 the list of all claims (on the page of checks)
    {{ times }}                                  words and minutes of all pages (on the overview)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import cast

from tools.run.cells import ROOT, Problem
from tools.run.examples import EXAMPLES, Example
from tools.run.problems import problems_of
from tools.run.records import Outcome
from tools.weave import reading, render

INCLUDE = re.compile(r'^(?P<indent>\s*)-+8<-+[ \t]+(?P<quote>["\'])(?P<target>.*?)(?P=quote)\s*$')
SCISSORS = re.compile(r"^\s*-+8<")  # a line that begins like this is meant as an include
VALUE = re.compile(r"\{\{\s*(?P<example>\w+)\.(?P<key>\w+)\s*(?::(?P<format>[^}]*))?\}\}")
CLAIMS = "{{ claims }}"
CODE_SPAN = re.compile(r"((?<!`)(`+)(?!`).*?(?<!`)\2(?!`))")
FENCE = re.compile(r"^\s*(?P<mark>`{3,}|~{3,})(?P<rest>.*)$")


@dataclass
class Site:
    """The examples, what is known about each, and where the pages show them."""

    examples: dict[str, Example]
    outcomes: dict[str, Outcome]
    problems: list[Problem] = field(default_factory=list)
    shown: dict[tuple[str, int], tuple[Path, int]] = field(default_factory=dict)  # cell -> page


@dataclass
class Page:
    """One page while it is being built."""

    site: Site
    path: Path
    slots: dict[str, str] = field(default_factory=dict)  # placeholder -> HTML
    used: list[str] = field(default_factory=list)  # names of the examples that it shows

    def expand(self, markdown: str, first_line: int = 1) -> str:
        """Replace includes and values; problems are recorded with their line, and shown."""
        lines, fence = [], ""
        for number, line in enumerate(markdown.split("\n"), first_line):
            try:
                lines.append(self._expand_line(line, number, in_fence=bool(fence)))
            except (KeyError, ValueError) as error:
                lines.append(self._problem(number, str(error.args[0]), line))
            fence = fence_after(line, fence)
        return "\n".join(lines) + "\n"

    def fill(self, html: str) -> str:
        """Replace the placeholders that Markdown has kept with the outputs."""
        for placeholder, content in self.slots.items():
            # Markdown turns a placeholder on its own line into a paragraph.
            html = html.replace(f"<p>{placeholder}</p>", content).replace(placeholder, content)
        return html

    def _slot(self, content: str) -> str:
        # Plain text, because inside `<div markdown>` Markdown rewrites or escapes elements.
        placeholder = f"⟦slot {len(self.slots)}⟧"
        self.slots[placeholder] = content
        return placeholder

    def _problem(self, number: int, message: str, line: str) -> str:
        problem = Problem(self.path, number, message)
        self.site.problems.append(problem)
        indent = line[: len(line) - len(line.lstrip())]
        return f"{indent}{self._slot(render.problem_html(str(problem)))}\n"

    def _expand_line(self, line: str, number: int, in_fence: bool) -> str:
        if included := INCLUDE.match(line):
            target, indent = included["target"], included["indent"]
            path, _, section = target.partition(":")
            if not in_fence and Path(path).parent == Path("examples"):
                return self._section(target, path, section, indent, number)
            check_snippet(target)
            return f'{indent}--8<-- "{target}"'  # pymdownx.snippets does the rest
        if SCISSORS.match(line):
            raise ValueError('an include is one line, as in --8<-- "path/to/file:section"')
        if in_fence or line.strip() in (CLAIMS, reading.TIMES):
            return line
        # Text and code spans alternate: text, span, its marks, text, …
        parts = CODE_SPAN.split(line)
        for index in range(0, len(parts), 3):
            parts[index] = VALUE.sub(self._value, parts[index])
            if "{{" in parts[index]:
                raise ValueError(
                    "{{ opens a value, as in {{ masking.selected:.1% }}; for the two braces "
                    "themselves, use a code span"
                )
        del parts[2::3]  # the marks that the pattern captures
        return "".join(parts)

    def _section(self, target: str, path: str, section: str, indent: str, number: int) -> str:
        """A section of an example: its code as a fence, and a slot for its output."""
        example = self._example(Path(path).stem)
        if not section:
            raise ValueError(f'name a section of {path}, as in "{path}:{example.code[-1].title}"')
        cell = example.section(section)
        index = example.code.index(cell)
        here = (self.path, number)
        if (first := self.site.shown.setdefault((example.name, index), here)) != here:
            raise ValueError(f'"{target}" is already shown at {first[0].name}:{first[1]}')
        source = render.shown_code(cell)
        fence = "`" * (1 + max(2, *(len(run) for run in re.findall("`+", source)), 0))
        title = f'title="{path}: {section}"'
        if '"' in section:  # it would end the title and break the fence
            title = f'title="{path}: {escape(section)}" title_mode="html"'
        code = [f"{fence}python {title}", *source.split("\n"), fence]
        if "hide-input" in cell.tags:
            code = ['??? code "The code behind this"', "", *(f"    {line}" for line in code)]
        outcome = self.site.outcomes[example.name]
        output = render.output_html(example, index, outcome)
        if outcome.pending:
            output = render.pending_html(example, outcome)
        block = [*code, "", self._slot(output), ""]
        return "\n".join(f"{indent}{line}" if line else "" for line in block)

    def _example(self, name: str) -> Example:
        if name not in self.site.examples:
            for problem in self.site.problems:
                if problem.path == EXAMPLES / f"{name}.py":
                    raise KeyError(f"examples/{name}.py cannot be read: {problem}")
            names = ", ".join(sorted(self.site.examples)) or "none that could be read"
            raise KeyError(f"there is no examples/{name}.py; there are: {names}")
        if name not in self.used:
            self.used.append(name)
        return self.site.examples[name]

    def _value(self, match: re.Match[str]) -> str:
        example = self._example(match["example"])
        outcome = self.site.outcomes[example.name]
        if outcome.pending or outcome.result.failure:
            return '<span class="pending">…</span>'
        values = outcome.result.values
        name, key, spec = example.path.name, match["key"], (match["format"] or "").strip()
        if key not in values:
            has = ", ".join(values) or "none"
            raise KeyError(f"examples/{name} leaves no value {key!r}; it has {has}")
        try:
            if spec == "tokens":
                return render.tokens_html(cast(list[dict[str, str]], values[key]))
            return render.measured_html(example, key, format(values[key], spec))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            message = f"{match[0]}: {values[key]!r} cannot be shown as {spec!r}: {error}"
            raise ValueError(message) from None


def fence_after(line: str, fence: str) -> str:
    """The mark of the code fence that is open after this line; "" if there is none."""
    found = FENCE.match(line)
    if not found:
        return fence
    mark, rest = found["mark"], found["rest"]
    if fence:
        closes = mark[0] == fence[0] and len(mark) >= len(fence) and not rest.strip()
        return "" if closes else fence
    return "" if "`" in mark and "`" in rest else mark


def check_snippet(target: str, seen: frozenset[str] = frozenset()) -> None:
    """Check what pymdownx.snippets would not, or would report without page and line.

    Raises:
        ValueError: the file, or the start or end of the section, is missing, here or in a file that
            it includes.
    """
    path, _, section = target.partition(":")
    file = ROOT / path
    if not file.is_file() or not file.resolve().is_relative_to(ROOT.resolve()):
        raise ValueError(f'"{target}": there is no file {path} in this project')
    text = file.read_text("utf-8")
    if section and not section[0].isalpha():
        raise ValueError(f'"{target}": name a section, because line numbers change')
    if not re.fullmatch(r"[\w-]*", section):
        raise ValueError(f'"{target}": only the sections of examples have spaces in their names')
    after = 0  # the end has to come after the start
    for mark in ("start", "end") if section else ():
        pattern = rf"-8<-+[ \t]+\[[ \t]*{mark}[ \t]*:[ \t]*{re.escape(section)}[ \t]*\]"
        found = re.compile(pattern).search(text, after)
        if not found:
            where = " after its start" if mark == "end" else ""
            raise ValueError(f'"{target}": {path} has no "--8<-- [{mark}:{section}]"{where}')
        after = found.end()
    for line in text.split("\n"):
        if (included := INCLUDE.match(line)) and included["target"] not in seen:
            check_snippet(included["target"], seen | {target})


def claims_html(site: Site, link: Callable[[Path, str], str]) -> str:
    """All claims by example, each with its values and a link to where a page shows it."""
    return "".join(
        f'<h2 id="claims-{name}"><code>examples/{example.path.name}</code></h2>'
        f"{_claims_of(site, example, site.outcomes[name], link)}"
        for name, example in site.examples.items()
    )


def _claims_of(
    site: Site, example: Example, outcome: Outcome, link: Callable[[Path, str], str]
) -> str:
    if outcome.pending:
        return render.pending_html(example, outcome)
    if outcome.result.failure:
        problems = problems_of(example, outcome.result)
        return "".join(render.problem_html(str(problem)) for _, problem in problems)
    items = []
    for number, claim in render.numbered_claims(outcome):
        page, _ = site.shown.get((example.name, claim.cell), (None, 0))
        more = ""
        if page:
            href = link(page, render.claim_id(example, number))
            more = f' <a href="{href}">where it is stated</a>'
        items.append(render.claim_html(example, number, claim, more))
    return render.claims_list(items) if items else "<p>No claims.</p>"
