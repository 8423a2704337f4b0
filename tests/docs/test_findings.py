"""The table of other tools is held to the programs in `findings/`: versions, and what they show."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

HEADERS = {
    path.stem: path.read_text("utf-8").split("\n", 2)[1]
    for path in sorted((ROOT / "findings").glob("*.sh"))
}
PAGE = (ROOT / "docs/reference/libraries.md").read_text("utf-8").replace("<wbr>", "")
TABLE = PAGE.partition("{ #others }")[2]
ROWS = re.findall(r"^\| ([\w-]+) (\d[\d.]*\d)(.*?) \|", TABLE, re.MULTILINE)


def test_the_table_has_rows() -> None:
    assert len(ROWS) > 10
    assert len(ROWS) == len(re.findall(r"^\| [a-z]", TABLE, re.MULTILINE))


@pytest.mark.parametrize(("tool", "version", "what"), ROWS)
def test_each_line_is_what_a_program_shows(tool: str, version: str, what: str) -> None:
    asked = re.findall(r"`(\w+)", what)
    about = [header for header in HEADERS.values() if re.search(rf"\b{tool} {version}\b", header)]
    assert about, f"no program in findings/ has {tool} {version}"
    assert not asked or any(name in header for name in asked for header in about), (
        f"no header of {tool} {version} names {' or '.join(asked)}"
    )
