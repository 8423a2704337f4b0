"""All claims of the lesson: for the page of checks, and as data in `claims.json`."""

from __future__ import annotations

import json
import math
import os.path
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.run.cells import Problem
from tools.run.examples import VERSIONED, Example
from tools.run.problems import problems_of
from tools.run.records import Claim, Plain
from tools.weave.blocks import raw_block
from tools.weave.guessing import asked
from tools.weave.outputs import claim_html, claim_id, claims_list, pending_html, problem_html
from tools.weave.pages import Lesson, may_guess
from tools.weave.seeds import seeds
from tools.weave.source import Commit, package_version

FILE = "claims.json"


def same_addresses(lesson: Lesson) -> Iterator[Problem]:
    """Each claim that an address would not tell from another one of its example."""
    for name, example in lesson.examples.items():
        first: dict[str, int] = {}
        for claim in lesson.outcomes[name].result.claims:
            line = _line(example, claim)
            before = first.setdefault(claim_id(example, claim), line)
            if before != line:
                message = (
                    f'the claim "{claim.sentence}" has the words of the one in line {before}; '
                    "give it other words, since its address is made from them"
                )
                yield Problem(example.path, line, message)


def claims_markdown(lesson: Lesson, docs: Path, uri: str, suffix: str) -> str:
    """All claims by example, each with its values and links to itself and to where it is stated.

    Args:
        lesson: The examples and their outcomes.
        docs: The folder of the pages.
        uri: The page that lists them.
        suffix: The ending of a page's address.
    """
    parts = []
    for name, example in lesson.examples.items():
        parts.append(f"## `examples/{example.path.name}` {{#claims-{name}}}\n")
        outcome = lesson.outcomes[name]
        items, questions = [], asked(outcome)
        for number, claim in enumerate(outcome.result.claims):
            anchor = claim_id(example, claim)
            stated_on = docs / stated_in(lesson, docs, example, claim)
            asks = stated_on.suffix == ".md" and may_guess(stated_on)
            question = questions.get(number) if asks else None
            page = stated_on.relative_to(docs).with_suffix(suffix)
            stated = f"{os.path.relpath(page, Path(uri).parent)}#{anchor}"
            more = (
                f' <a href="{stated}">where it is stated</a> <a class="headerlink"'
                f' href="#{anchor}" title="Link to this claim" data-search-exclude>¶</a>'
            )
            items.append(claim_html(example, claim, question, more))
        if outcome.pending:
            html = pending_html(example, outcome)
        elif outcome.result.failure:
            problems = problems_of(example, outcome.result)
            html = "".join(problem_html(str(problem)) for _, problem in problems)
        else:
            html = claims_list(items) if items else "<p>No claims.</p>"
        parts.append(raw_block(html))
    return "\n".join(parts)


def stated_in(lesson: Lesson, docs: Path, example: Example, claim: Claim) -> str:
    """The page that shows the claim's section; the notebook, if there is none."""
    if shown := lesson.shown.get((example.name, claim.cell)):
        return shown[0].relative_to(docs).as_posix()
    return f"examples/{example.name}.ipynb"


def claims_json(
    lesson: Lesson, docs: Path, checks: str, suffix: str, title: str, commit: Commit | None
) -> str:
    """All claims as data; two builds of one commit give the same bytes.

    Args:
        lesson: The examples and their outcomes.
        docs: The folder of the pages.
        checks: The page that lists the claims; "" if there is none.
        suffix: The ending of a page's address.
        title: The name of the site.
        commit: What git says of the sources.
    """
    listed = [
        _as_data(lesson, docs, example, claim, checks, suffix)
        for name, example in lesson.examples.items()
        for claim in lesson.outcomes[name].result.claims
    ]
    whole = {
        "title": title,
        "version": package_version(),
        "commit": commit and commit._asdict(),
        "versions": _versions(lesson),
        "claims": listed,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _as_data(
    lesson: Lesson, docs: Path, example: Example, claim: Claim, checks: str, suffix: str
) -> dict[str, Any]:
    anchor = claim_id(example, claim)

    def address(page: str) -> str:
        return f"{Path(page).with_suffix(suffix).as_posix()}#{anchor}"

    sides = zip(claim.sources, claim.values, strict=True)
    return {
        "id": anchor,
        "sentence": claim.sentence,
        "holds": claim.passed,
        "sides": [{"code": code, "value": _finite(value)} for code, value in sides],
        "signs": claim.signs,
        "example": f"examples/{example.path.name}",
        "section": example.code[claim.cell].title,
        "line": _line(example, claim),
        "seeds": seeds(tuple(cell.source for cell in example.code[: claim.cell + 1])),
        "stated": address(stated_in(lesson, docs, example, claim)),
        "checked": address(checks) if checks else None,
    }


def _line(example: Example, claim: Claim) -> int:
    return example.code[claim.cell].line + claim.row


def _finite(value: Plain) -> Plain:
    """The value for JSON, which has no NaN and no infinity; those become words."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return value


def _versions(lesson: Lesson) -> dict[str, str]:
    """What the examples were run with; all of them with the same."""
    for example in lesson.examples.values():
        python, *others = (version.rpartition("==")[2] for version in example.versions)
        return {"python": python, **dict(zip(VERSIONED, others, strict=True))}
    return {}
