"""How fast the package is beside its peers, as Markdown.

`benchmarks/` measures by hand and keeps the rows in `tools/release/speed/`; here they are only
shown. A page has each table on a line of its own, such as `{{ speed of masking }}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tools.run.cells import ROOT

FOLDER = ROOT / "tools" / "release" / "speed"
MARK = "{{ speed of "


def table_of(line: str) -> str:
    """The table that a line of a page asks for.

    Args:
        line: Such as `{{ speed of masking }}`.

    Raises:
        ValueError: No benchmark of this name has kept its rows.
    """
    name = line.removeprefix(MARK).removesuffix("}}").strip()
    kept = {path.stem: path for path in FOLDER.glob("*.json")}
    if name not in kept:
        names = ", ".join(sorted(kept))
        raise ValueError(f"no benchmark named {name!r} is kept; there are: {names}")
    found: dict[str, Any] = json.loads(kept[name].read_text("utf-8"))
    has_limit = any(row["limit"] is not None for row in found["rows"])
    heads = ["what", "there", "here", "ratio"]  # the page names the other side
    heads += ["limit"] * has_limit
    lines = [_cells(heads), "|---|" + "--:|" * (len(heads) - 1)]
    lines += [_cells(_row(row, has_limit)) for row in found["rows"]]
    versions = ", ".join(f"{package} {version}" for package, version in found["versions"].items())
    about = f"Measured on {found['date']}, {found['processor']}, one thread; {versions}."
    return "\n".join([*lines, "", about])


def _row(row: Mapping[str, Any], has_limit: bool) -> list[str]:
    sides = ["theirs", "ours", *["limit"] * has_limit]
    theirs, ours, *limit = (_number(row[side], row["unit"]) for side in sides)
    spread = "" if row["low"] is None else f" ({_ratio(row['low'])}–{_ratio(row['high'])})"
    return [row["what"], theirs, ours, f"**{_ratio(row['ratio'])}**{spread}", *limit]


def _number(value: float | None, unit: str) -> str:
    """Two digits, and all that are before the point; with a space that does not break."""
    if value is None:
        return ""
    digits = f"{value:,.0f}" if value >= 10 else f"{value:.2g}" if value < 1 else f"{value:.1f}"
    return f"{digits}\u00a0{unit}"


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _cells(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
