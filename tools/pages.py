"""What the pages embed from the examples: sections with their outputs, and measured values.

In a page:

    --8<-- "examples/masking.py:three fates"     a section: its code, its output, its claims
    {{ masking.selected:.1% }}                   an entry of the dict `values` that it leaves behind
    {{ masking.passage:tokens }}                 a list of tokens with their fates, drawn as chips
    {{ claims }}                                 the list of all claims (on the page of checks)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools import render
from tools.examples import EXAMPLES, ROOT, Example, Problem
from tools.runner import Outcome

INCLUDE = re.compile(r'^(?P<indent>\s*)-{1,}8<-{1,} +(?P<quote>["\'])(?P<target>.*?)(?P=quote)\s*$')
VALUE = re.compile(r"\{\{\s*(?P<example>\w+)\.(?P<key>\w+)\s*(?::(?P<format>[^}]*))?\}\}")
CLAIMS = "{{ claims }}"
FENCE = re.compile(r"^\s*(`{3,}|~{3,})")


@dataclass
class Site:
    """The examples, what is known of each, and where the pages show them."""

    examples: dict[str, Example]
    outcomes: dict[str, Outcome]
    problems: list[Problem] = field(default_factory=list)
    shown: dict[tuple[str, int], tuple[Path, int]] = field(default_factory=dict)  # cell -> page

    def state(self, name: str) -> str:
        return self.outcomes[name].state


@dataclass
class Page:
    """One page while it is being made."""

    site: Site
    path: Path
    slots: dict[str, str] = field(default_factory=dict)  # placeholder -> HTML
    used: list[str] = field(default_factory=list)  # names of the examples that it shows

    def expand(self, markdown: str, first_line: int = 1) -> str:
        """Replace includes and values; what is wrong is noted with its line, and shown."""
        lines, fence = [], ""
        for number, line in enumerate(markdown.splitlines(), first_line):
            if opened := FENCE.match(line):
                mark = opened[1][:3]
                fence = mark if not fence else "" if line.strip().startswith(fence) else fence
            included = INCLUDE.match(line)
            try:
                if included and not fence:
                    line = self._include(included["target"], included["indent"], number)
                elif not fence:
                    line = VALUE.sub(lambda match: self._value(match), line)
            except (KeyError, ValueError) as error:
                line = self._problem(number, str(error.args[0]), line)
            lines.append(line)
        return "\n".join(lines) + "\n"

    def fill(self, html: str) -> str:
        """Put the outputs where Markdown has left their placeholders."""
        for placeholder, content in self.slots.items():
            html = html.replace(placeholder, content)
        return html

    def _slot(self, content: str) -> str:
        placeholder = f'<div class="slot" data-slot="{len(self.slots)}"></div>'
        self.slots[placeholder] = content
        return placeholder

    def _problem(self, number: int, message: str, line: str) -> str:
        self.site.problems.append(Problem(self.path, number, message))
        indent = line[: len(line) - len(line.lstrip())]
        return f"{indent}{self._slot(render.problem_html(f'{self.path.name}:{number}: {message}'))}\n"

    def _include(self, target: str, indent: str, number: int) -> str:
        path, _, section = target.partition(":")
        if Path(path).parent.name != "examples" or Path(path).suffix != ".py":
            return self._snippet(target, path, section, indent)
        example = self._example(Path(path).stem)
        if not section:
            raise ValueError(f'name a section of {path}, as in "{path}:{example.cells[-1].title}"')
        cell = example.section(section)
        index = example.cells.index(cell)
        key = (example.name, index)
        if self.site.shown.setdefault(key, (self.path, number)) != (self.path, number):
            other, line = self.site.shown[key]
            raise ValueError(f'"{target}" is already shown at {other.name}:{line}')
        code = [f'```python title="{path}: {section}"', *render.shown_code(cell).splitlines(), "```"]
        if "hide-input" in cell.tags:
            code = ['??? code "The code of this figure"', "", *(f"    {line}" for line in code)]
        outcome = self.site.outcomes[example.name]
        output = render.output_html(example, index, outcome)
        if outcome.state in ("running", "waiting"):
            output = render.pending_html(example, outcome)
        block = [*code, "", self._slot(output), ""]
        return "\n".join(f"{indent}{line}" if line else "" for line in block)

    def _snippet(self, target: str, path: str, section: str, indent: str) -> str:
        """An include that is left to pymdownx.snippets, after what it does not check itself."""
        file = ROOT / path
        if not file.is_file():
            raise ValueError(f'"{target}": there is no file {path}')
        text = file.read_text("utf-8")
        for mark in ("start", "end") if section and not section[0].isdigit() else ():
            if f"[{mark}:{section}]" not in text:
                raise ValueError(f'"{target}": {path} has no "--8<-- [{mark}:{section}]"')
        return f'{indent}--8<-- "{target}"'

    def _example(self, name: str) -> Example:
        if name not in self.site.examples:
            if any(problem.path == EXAMPLES / f"{name}.py" for problem in self.site.problems):
                raise KeyError(f"examples/{name}.py cannot be read; see its own message")
            names = ", ".join(sorted(self.site.examples))
            raise KeyError(f"there is no examples/{name}.py; there are: {names}")
        if name not in self.used:
            self.used.append(name)
        return self.site.examples[name]

    def _value(self, match: re.Match[str]) -> str:
        example = self._example(match["example"])
        outcome = self.site.outcomes[example.name]
        if outcome.state != "done":
            return '<span class="pending">…</span>'
        values = outcome.result["values"]
        if match["key"] not in values:
            has = ", ".join(values) or "none"
            raise KeyError(f"examples/{example.path.name} leaves no value {match['key']!r}; it has {has}")
        value, spec = values[match["key"]], (match["format"] or "").strip()
        if spec == "tokens":
            return render.tokens_html(value)
        try:
            text = format(value, spec)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{match[0]}: {value!r} cannot be shown as {spec!r}: {error}") from None
        return render.measured_html(example, match["key"], text)


def claims_html(site: Site, link: Callable[[Path, str], str]) -> str:
    """All claims by example, each with its values and a link to where a page shows it."""
    parts = []
    for example in site.examples.values():
        outcome = site.outcomes[example.name]
        if outcome.state in ("running", "waiting"):
            parts.append(f"<h2>{example.path.name}</h2>{render.pending_html(example, outcome)}")
            continue
        rows = []
        for claim in render.numbered_claims(outcome):
            page, _ = site.shown.get((example.name, claim["cell"]), (None, 0))
            item = render.claim_html(example, claim)
            if page:
                href = link(page, render.claim_id(example, claim))
                item = item.replace("</li>", f' <a href="{href}">where it is said</a></li>')
            rows.append(item)
        listed = f'<ul class="claims">{"".join(rows)}</ul>' if rows else "<p>No claims.</p>"
        anchor = f"claims-{example.name}"
        parts.append(f'<h2 id="{anchor}"><code>examples/{example.path.name}</code></h2>{listed}')
    return "".join(parts)
