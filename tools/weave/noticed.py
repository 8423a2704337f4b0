"""What the tests and the claims have noticed of planted mistakes, as Markdown.

`tools/release` plants them by hand and weekly, and keeps what came of them in
`tools/release/noticed/`; here it is only shown. A page has each part on a line of its own:

    {{ mutants }}                 changes by rule, module by module, and those that survived
    {{ planted in Python }}       mistakes with the claims that they make false
    {{ planted in JavaScript }}   mistakes with the tests that notice them
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.run.cells import ROOT
from tools.run.examples import Example
from tools.run.records import Outcome
from tools.weave.outputs import claim_id

FOLDER = ROOT / "tools" / "release" / "noticed"
CHECKS = "../checks.md"  # the page of all claims, seen from the page that shows this
SPECIAL = re.compile(r"([\\`*_\[\]<>|#{}])")
NO_REASON = "No reason yet: a test is missing."

Examples = Mapping[str, Example]
Outcomes = Mapping[str, Outcome]
Reasons = dict[tuple[str, str, str], str]  # module, line before, line after -> why


def mutants(examples: Examples, outcomes: Outcomes) -> str:
    """A sentence, a table of the modules, and what survived in each, by reason."""
    found: dict[str, Any] = _read("mutants.json")
    reasons = reasons_for(found, tomllib.loads(_text("reasons.toml")))
    tried, noticed = (sum(map(of, found.values())) for of in (_tried, _noticed))
    lines = [
        f"Of {tried:,} changes that were tried in {_counted(len(found), 'module')}, the tests "
        f"noticed {noticed:,}, {noticed / max(1, tried):.1%}.",
        "",
        "| Module | Possible | Tried | Noticed | Share | Survived |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, module in found.items():
        share = _noticed(module) / max(1, _tried(module))
        lines.append(
            f"| `{name}` | {module['of']:,} | {_tried(module):,} | {_noticed(module):,} | "
            f"{share:.1%} | {len(module['survived'])} |"
        )
    lines.append("")
    package = ROOT / "src/bertlesson"
    paths = (path.relative_to(package).with_suffix("") for path in package.rglob("[!_]*.py"))
    others = sorted({".".join(path.parts) for path in paths} - {*found})
    if others:
        lines += [f'??? note "{_counted(len(others), "module")} not tried yet"', ""]
        lines += [*(f"    - `{name}`" for name in others), ""]
    for name, module in found.items():
        if module["survived"]:
            lines += _survivors(name, module["survived"], reasons)
    return "\n".join(lines)


def reasons_for(found: Mapping[str, Any], given: Mapping[str, Any]) -> Reasons:
    """The reason of each survivor that has one.

    Args:
        found: What `tools/release/mutants.py` has kept.
        given: ``change``: a survivor with its reason, ``why``. ``rule``: the reason of all
            survivors in which what matches ``find`` was replaced by ``put``.

    Raises:
        ValueError: A reason fits no survivor.
    """
    reasons: Reasons = {}
    survivors = [
        (name, one["old"], one["new"])
        for name, module in found.items()
        for one in module["survived"]
    ]
    for one in given.get("change", ()):
        key = (one["module"], one["old"], one["new"])
        if key not in survivors:
            raise ValueError(
                f"reasons.toml has a reason for {one['old']!r} in {one['module']}, which survives "
                "no longer; expected one of the survivors: remove it"
            )
        reasons[key] = one["why"]
    for rule in given.get("rule", ()):
        fitting = [key for key in survivors if fits(rule, key[1], key[2])]
        if not fitting:
            raise ValueError(f"reasons.toml has a rule {rule['find']!r} that fits no survivor")
        for key in fitting:
            reasons.setdefault(key, rule["why"])
    return reasons


def fits(rule: Mapping[str, str], old: str, new: str) -> bool:
    """Whether this rule's replacement, at one of its places, makes the new line of the old one."""
    return any(
        old[: match.start()] + match.expand(rule["put"]) + old[match.end() :] == new
        for match in re.finditer(rule["find"], old)
    )


def _survivors(name: str, survived: list[dict[str, str]], reasons: Reasons) -> list[str]:
    by_reason: dict[str, list[dict[str, str]]] = {}
    for one in survived:
        why = reasons.get((name, one["old"], one["new"]), NO_REASON)
        by_reason.setdefault(why, []).append(one)
    lines = [f'??? note "{name}: {len(survived)} survived"', ""]
    for why, changes in by_reason.items():
        lines += [f"    {why}", "", "    ```diff"]
        for one in changes:
            lines += [f"    @@ {one['in']} @@"]
            lines += [f"    -{line}" for line in one["old"].split("\n")]
            lines += [f"    +{line}" for line in one["new"].split("\n")]
        lines += ["    ```", ""]
    return lines


def planted(examples: Examples, outcomes: Outcomes) -> str:
    """A sentence, the changes of each file with what they break, and what none breaks."""
    found = _read("claims.json")
    files = {one["what"]: one["file"] for one in _changes("planted.toml")}
    changes = {what: found["changes"][what] for what in files if what in found["changes"]}
    sound: dict[str, list[str]] = found["claims"]
    fallen = {
        (name, sentence)
        for kept in changes.values()
        for name, told in kept["false"].items()
        for sentence in told
    }
    total = sum(map(len, sound.values()))
    caught = sum(bool(kept["false"] or kept["ended"]) for kept in changes.values())
    everything = sum(len(outcome.result.claims) for outcome in outcomes.values()) or total
    lines = [
        f"{len(changes)} mistakes were planted, one at a time; the build refused {caught} "
        f"of them. They made {len(fallen)} of the {total} claims false that {len(sound)} examples "
        f"state; the site has {everything} claims in all." + _waiting(len(files) - len(changes)),
        "",
    ]
    for file, names in _by_file(changes, files).items():
        lines += [f'??? note "{Path(file).name}: {_counted(len(names), "mistake")}"', ""]
        for what in names:
            lines += [f"    - **{_escaped(what)}.** {_broken(changes[what], examples, outcomes)}"]
        lines.append("")
    left = {
        name: [each for each in sentences if (name, each) not in fallen]
        for name, sentences in sound.items()
    }
    missed = [
        f"    - `{name}`: {_claim(name, sentence, outcomes, examples)}"
        for name, sentences in left.items()
        for sentence in sentences
    ]
    if missed:
        lines += [f'??? note "{_counted(len(missed), "claim")} that no mistake here makes false"']
        lines += ["", *missed, ""]
    others = sorted(
        name for name, outcome in outcomes.items() if name not in sound and outcome.result.claims
    )
    if others:
        lines += [
            f"Not run with mistakes, since they train for minutes: "
            f"{_enumerated(f'`{name}`' for name in others)}.",
            "",
        ]
    return "\n".join(lines)


def _broken(kept: Mapping[str, Any], examples: Examples, outcomes: Outcomes) -> str:
    parts = [
        f"`{name}`: {_claim(name, sentence, outcomes, examples)}"
        for name, told in kept["false"].items()
        for sentence in told
    ]
    for name, why in kept["ended"].items():
        parts.append(f"`{name}` ends: {_escaped(why)}")
    return "; ".join(parts) or "Not noticed by the claims."


def _claim(name: str, sentence: str, outcomes: Outcomes, examples: Examples) -> str:
    """The sentence; as a link, if its example has made this claim."""
    shown = f"“{_escaped(sentence)}”"
    for claim in outcomes[name].result.claims if name in outcomes else ():
        if claim.sentence == sentence:
            return f"[{shown}]({CHECKS}#{claim_id(examples[name], claim)})"
    return shown


def javascript(examples: Examples, outcomes: Outcomes) -> str:
    """A sentence, and the changes file by file with the test that notices each."""
    changes = {one["what"]: one for one in _changes("javascript.toml")}
    told: dict[str, str] = _read("javascript.json")
    found = {what: told[what] for what in changes if what in told}
    caught = sum(map(bool, found.values()))
    lines = [
        f"{len(found)} mistakes were planted in the page's own BERT, one at a time; the tests "
        f"noticed {caught} of them." + _waiting(len(changes) - len(found)),
        "",
    ]
    files = {what: one["file"] for what, one in changes.items()}
    for file, names in _by_file(found, files).items():
        lines += [f'??? note "{Path(file).name}: {_counted(len(names), "mistake")}"', ""]
        for what in names:
            why = changes[what].get("why", NO_REASON)
            said = f"noticed by “{_escaped(found[what])}”" if found[what] else f"not noticed: {why}"
            lines.append(f"    - **{_escaped(what)}**: {said}")
        lines.append("")
    return "\n".join(lines)


def _waiting(number: int) -> str:
    return f" {number} more have not been tried yet." if number else ""


def _by_file(found: Iterable[str], files: Mapping[str, str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for what in found:
        grouped.setdefault(files[what], []).append(what)
    return grouped


def _changes(name: str) -> Iterator[dict[str, Any]]:
    yield from tomllib.loads(_text(name))["change"]


def _read(name: str) -> Any:
    return json.loads(_text(name))


def _text(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def _tried(module: Mapping[str, Any]) -> int:
    return int(module["tried"])


def _noticed(module: Mapping[str, Any]) -> int:
    return int(module["killed"] + module["timed_out"])


def _escaped(text: str) -> str:
    return SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", text))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _enumerated(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


NOTICED: dict[str, Callable[[Examples, Outcomes], str]] = {
    "{{ mutants }}": mutants,
    "{{ planted in Python }}": planted,
    "{{ planted in JavaScript }}": javascript,
}
