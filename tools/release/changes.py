"""What a change of the sources changes in the outputs and the claims that the pages show.

    python -m tools.release.changes keep STATE.json              what the examples show now
    python -m tools.release.changes compare OLD.json NEW.json OUT    the differences, into OUT

`keep` wants the results of all examples, as `python -m tools.run` leaves them. `compare` writes
`changes.md`, and both states of each figure that differs. A claim is found again by its words, as
its address on the site is made from them; a section by its name.
"""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any, TypeAlias

from tools.run.cells import ROOT
from tools.run.examples import VERSIONED, Example, load_examples
from tools.run.records import Result, Text
from tools.run.runner import CACHE
from tools.run.store import Store

State: TypeAlias = dict[str, Any]
KEYS = {"versions", "examples"}
OF_EXAMPLE = {"sections", "claims", "values"}
NOTHING: State = {"sections": {}, "claims": {}, "values": {}}


def main(arguments: list[str] | None = None) -> int:
    parser = ArgumentParser("python -m tools.release.changes")
    commands = parser.add_subparsers(dest="command", required=True)
    keeping = commands.add_parser("keep", help="write what the examples show now")
    keeping.add_argument("state", type=Path)
    comparing = commands.add_parser("compare", help="write the differences into a folder")
    for name in ("old", "new", "out"):
        comparing.add_argument(name, type=Path)
    given = parser.parse_args(arguments)
    try:
        if given.command == "keep":
            given.state.write_text(json.dumps(now(), ensure_ascii=False, indent=1) + "\n", "utf-8")
        else:
            old = read(given.old) if given.old.exists() else None
            print(write(old, read(given.new), given.out))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


# What the examples show


def now(folder: Path = CACHE) -> State:
    """What all examples show, from their kept results.

    Raises:
        ValueError: An example has no result.
    """
    examples, _ = load_examples()
    store = Store(folder)
    shown = {}
    for name, example in examples.items():
        result = store.read(example)
        if result is None or result.failure:
            raise ValueError(
                f"{example.path.relative_to(ROOT)}: expected a result of its present code, "
                "found none; run python -m tools.run"
            )
        shown[name] = state_of(example, result)
    python, *others = next(iter(examples.values())).versions
    found = (version.rpartition("==")[2] for version in (python, *others))
    return {"versions": dict(zip(("python", *VERSIONED), found, strict=True)), "examples": shown}


def state_of(example: Example, result: Result) -> State:
    """The outputs of each section, the claims by their sentences, and the values."""
    sections: dict[str, list[Any]] = {}
    for index, outputs in enumerate(result.outputs):
        title = example.code[index].title or f"cell {index + 1}"
        sections.setdefault(title, []).extend(
            output.text if isinstance(output, Text) else {"svg": output.svg, "alt": output.alt}
            for output in outputs
        )
    claims = {claim.sentence: claim.comparison for claim in result.claims}
    return {"sections": sections, "claims": claims, "values": result.values}


def read(path: Path) -> State:
    """A state that `keep` wrote.

    Raises:
        ValueError: It is something else.
    """
    advice = "expected what `python -m tools.release.changes keep` writes"
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {error}; {advice}") from error
    whole = isinstance(found, dict) and set(found) == KEYS and isinstance(found["examples"], dict)
    if not whole or any(set(each) != OF_EXAMPLE for each in found["examples"].values()):
        raise ValueError(f"{path}: not a state of the examples; {advice}")
    return dict(found)


# What differs


def write(old: State | None, new: State, out: Path) -> str:
    """Write `changes.md` and the figures that differ; return the summary's first line."""
    out.mkdir(parents=True, exist_ok=True)
    if old is None:
        text = "There is no earlier state to compare with."
    else:
        text = "\n".join(report(old, new, figure_writer(out)))
    (out / "changes.md").write_text(f"# What changed in outputs and claims\n\n{text}\n", "utf-8")
    return text.partition("\n")[0]


def figure_writer(out: Path) -> Callable[[str, str, str], str]:
    def write_figure(name: str, which: str, svg: str) -> str:
        file = f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.{which}.svg"
        (out / file).write_text(svg, "utf-8")
        return file

    return write_figure


def report(old: State, new: State, figure: Callable[[str, str, str], str]) -> Iterator[str]:
    """The lines of the report, as Markdown.

    Args:
        old: The state before.
        new: The state after.
        figure: Keeps a figure, given a name, "before" or "after", and its SVG; returns its file.
    """
    names = [*new["examples"], *(set(old["examples"]) - set(new["examples"]))]
    parts = {}
    for name in sorted(names):
        before = old["examples"].get(name, NOTHING)
        after = new["examples"].get(name, NOTHING)
        lines = [*_claims(before["claims"], after["claims"])]
        lines += _sections(name, before["sections"], after["sections"], figure)
        lines += _values(before["values"], after["values"])
        if lines:
            parts[name] = lines
    versions = [*_pairs(old["versions"], new["versions"])]
    number = f"{len(parts)} of {len(names)} examples"
    yield f"{number} show something else." if parts else "No output and no claim has changed."
    if versions:
        yield "\n## Versions\n"
        yield from (f"- {key}: {before} → {after}" for key, before, after in versions)
    for name, lines in parts.items():
        yield f"\n## `examples/{name}.py`\n"
        yield from lines


def _claims(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for sentence, was, now_is in _pairs(before, after):
        if was is None:
            yield f"- New claim: {sentence}: {_code(now_is)}"
        elif now_is is None:
            yield f"- Claim gone: {sentence}: {_code(was)}"
        else:
            yield f"- {sentence}: was {_code(was)}, is {_code(now_is)}"


def _values(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for key, was, now_is in _pairs(before, after):
        yield f"- value {_code(key)}: was {_code(_short(was))}, is {_code(_short(now_is))}"


def _sections(
    name: str,
    before: Mapping[str, list[Any]],
    after: Mapping[str, list[Any]],
    figure: Callable[[str, str, str], str],
) -> Iterator[str]:
    for title, was, now_is in _pairs(before, after):
        yield f"\n### {title}\n"
        old_text, new_text = _text(was), _text(now_is)
        if old_text != new_text:
            longest = max(map(len, re.findall("~+", old_text + new_text)), default=0)
            fence = "~" * max(3, 1 + longest)
            differing = unified_diff(old_text.splitlines(), new_text.splitlines(), n=2, lineterm="")
            lines = [*differing][2:]
            yield "\n".join([f"{fence}diff", *lines, fence])
        old_figures, new_figures = _figures(was), _figures(now_is)
        for index in range(max(len(old_figures), len(new_figures))):
            pair = [found[index : index + 1] for found in (old_figures, new_figures)]
            if pair[0] == pair[1]:
                continue
            kept = [
                f"[{which}]({figure(f'{name} {title} {index + 1}', which, found[0]['svg'])})"
                for which, found in zip(("before", "after"), pair, strict=True)
                if found
            ]
            yield f"\nFigure {index + 1}: {', '.join(kept)}"


def _pairs(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What differs: its key, and both sides; None where it is missing."""
    for key in [*after, *(key for key in before if key not in after)]:
        was, now_is = before.get(key), after.get(key)
        if was != now_is:
            yield key, was, now_is


def _text(outputs: list[Any] | None) -> str:
    return "".join(each for each in outputs or [] if isinstance(each, str))


def _figures(outputs: list[Any] | None) -> list[Any]:
    return [each for each in outputs or [] if not isinstance(each, str)]


def _short(value: Any) -> str:
    shown = f"{value:.6g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 80 else f"{shown[:79]}…"


def _code(text: str) -> str:
    """As code in Markdown, whatever the text has in it."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{' ' * (len(fence) > 1)}{text}{' ' * (len(fence) > 1)}{fence}"


if __name__ == "__main__":
    sys.exit(main())
