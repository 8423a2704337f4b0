"""Sections of other files than examples, as in ``--8<-- "docs/assets/bert/bert.js:layer"``."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

INCLUDE = re.compile(r'^(?P<indent>\s*)-+8<-+[ \t]+(?P<quote>["\'])(?P<target>.*?)(?P=quote)\s*$')
MARK = re.compile(r"-8<-+[ \t]+\[[ \t]*(?P<which>start|end)[ \t]*:[ \t]*(?P<name>[\w-]+)[ \t]*\]")


def snippet(target: str, root: Path, inside: tuple[str, ...] = ()) -> list[str]:
    """The lines of a file of the project, or of the section that two marks in it enclose.

    Args:
        target: ``path`` or ``path:section``.
        root: The folder of the project.
        inside: The targets that have led here.

    Raises:
        ValueError: The file, or the start or end of the section, is missing, here or in a file that
            it includes; or files include each other.
    """
    path, _, section = target.partition(":")
    file = root / path
    if not file.is_file() or not file.resolve().is_relative_to(root.resolve()):
        raise ValueError(f'"{target}": there is no file {path} in this project')
    if target in inside:
        raise ValueError(f'"{target}" includes itself, by way of "{inside[-1]}"')
    try:
        lines = file.read_text("utf-8").split("\n")
    except UnicodeDecodeError:
        raise ValueError(f'"{target}": {path} is not UTF-8; save it in that encoding') from None
    if section:
        lines = _section(lines, path, section)
    return _filled(lines, target, root, inside)


def _section(lines: list[str], path: str, section: str) -> list[str]:
    """The lines between the marks of a section, without the indent they share."""
    target = f"{path}:{section}"
    if not section[0].isalpha():
        raise ValueError(f'"{target}": name a section, because line numbers change')
    if not re.fullmatch(r"[\w-]*", section):
        raise ValueError(f'"{target}": only the sections of examples have spaces in their names')
    found: list[int] = []
    for which in ("start", "end"):
        after = found[-1] + 1 if found else 0  # the end has to come after the start
        marks = (n for n in range(after, len(lines)) if _marks(lines[n], which, section))
        number = next(marks, None)
        if number is None:
            where = " after its start" if found else ""
            raise ValueError(f'"{target}": {path} has no "--8<-- [{which}:{section}]"{where}')
        found.append(number)
    return dedent("\n".join(lines[found[0] + 1 : found[1]])).split("\n")


def _marks(line: str, which: str, section: str) -> bool:
    mark = MARK.search(line)
    return bool(mark and (mark["which"], mark["name"]) == (which, section))


def _filled(lines: list[str], target: str, root: Path, inside: tuple[str, ...]) -> list[str]:
    """The lines without marks, and with what they include themselves."""
    filled = []
    for line in lines:
        if included := INCLUDE.match(line):
            parts = snippet(included["target"], root, (*inside, target))
            filled += [f"{included['indent']}{part}" if part else "" for part in parts]
        elif not MARK.search(line):
            filled.append(line)
    while filled and not filled[-1]:
        filled.pop()
    return filled
