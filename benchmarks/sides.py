"""Two sides that do the same, timed in turns: what each takes, their ratio, and its spread.

A benchmark that compares prints a row for each thing compared. With `--keep` the rows also go to
`tools/release/speed/`, with the versions and the processor; the page *How fast it is* shows them.
"""

from __future__ import annotations

import datetime
import json
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from math import inf
from pathlib import Path
from statistics import median, quantiles
from time import process_time

from bertlesson.lesson.tiny import processor
from bertlesson.replacing import replacing

KEPT = Path(__file__).parent.parent / "tools" / "release" / "speed"
PER_SECOND = {"µs": 1e6, "ms": 1e3, "s": 1.0}
Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """What was compared.

    Attributes:
        what: In words.
        unit: Of the numbers.
        theirs: The median of their turns.
        ours: The median of ours.
        ratio: The median of theirs over ours, turn by turn.
        low: Its lower quartile; None if there was one turn.
        high: Its upper quartile.
        limit: What no way of doing it can save, where it is known.
    """

    what: str
    unit: str
    theirs: float
    ours: float
    ratio: float
    low: float | None
    high: float | None
    limit: float | None = None


def row_of(
    what: str,
    unit: str,
    theirs: Sequence[float],
    ours: Sequence[float],
    limit: Sequence[float] = (),
) -> Row:
    """The row for the turns of both sides."""
    ratios = [one / other for one, other in zip(theirs, ours, strict=True)]
    low, _, high = quantiles(ratios, method="inclusive") if len(ratios) > 1 else 3 * [None]
    least = median(limit) if limit else None
    return Row(what, unit, median(theirs), median(ours), median(ratios), low, high, least)


def take_turns(sides: Sequence[Work], *, turns: int, calls: int = 1) -> list[list[float]]:
    """The processor time of a call in each turn, for each side, in seconds.

    Other load on the machine makes both slower, and counts for neither while they wait.
    """
    times: list[list[float]] = [[] for _ in sides]
    for _ in range(turns):
        for work, kept in zip(sides, times, strict=True):
            start = process_time()
            for _ in range(calls):
                work()
            kept.append((process_time() - start) / calls)
    return times


class Table:
    """Rows that are printed as they come, and kept if the command says so.

    Args:
        name: Of the file that keeps them.
        peer: The other side.
        packages: Whose versions decide.
    """

    def __init__(self, name: str, peer: str, packages: Sequence[str]) -> None:
        self.name, self.peer, self.packages = name, peer, packages
        self.rows: list[Row] = []
        self.missed: list[str] = []
        print(f"{name:40}    {peer:>12}      ours  ratio  (quartiles)", flush=True)

    def add(self, row: Row, at_least: float = 0) -> None:
        """Print a row, and remember it if its ratio is too low."""
        self.rows.append(row)
        least = "" if row.limit is None else f"  limit {row.limit:.4g}"
        bar = f"  at least {at_least:g}" if at_least else ""
        spread = "" if row.low is None else f"  ({row.low:.2f} to {row.high:.2f})"
        print(
            f"{row.what:40} {row.unit:2} {row.theirs:12.4g} {row.ours:9.4g} {row.ratio:6.2f}"
            f"{spread}{least}{bar}",
            flush=True,
        )
        if not at_least <= row.ratio < inf:  # nor is NaN a ratio, of two that never ended
            self.missed.append(f"{row.what}: {row.ratio:.2f}, expected at least {at_least:g}")

    def compare(
        self,
        what: str,
        unit: str,
        sides: Sequence[Work],
        *,
        turns: int,
        calls: int = 1,
        at_least: float = 0,
    ) -> None:
        """Time their side, ours, and perhaps the limit, in turns."""
        theirs, ours, *limit = (
            [seconds * PER_SECOND[unit] for seconds in side]
            for side in take_turns(sides, turns=turns, calls=calls)
        )
        self.add(row_of(what, unit, theirs, ours, *limit), at_least)

    def end(self) -> int:
        """The exit status: 1 if a ratio is too low."""
        for line in self.missed:
            print("too slow:", line, file=sys.stderr)
        if "--keep" in sys.argv:
            made = {
                "peer": self.peer,
                "date": datetime.date.today().isoformat(),
                "processor": processor(),
                "versions": {"Python": platform.python_version()}
                | {name: version(name) for name in self.packages},
                "rows": [asdict(row) for row in self.rows],
            }
            KEPT.mkdir(exist_ok=True)
            with replacing(KEPT / f"{self.name}.json") as part:
                part.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return 1 if self.missed else 0
