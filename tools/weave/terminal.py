"""Printed text as a terminal finally shows it: without colours, and bars in their final state.

A page cannot contain control characters, and they mean nothing to its readers.
"""

from __future__ import annotations

import re

from tools.run.record import ENVIRONMENT

ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)(?P<numbers>[0-?]*)[ -/]*(?P<command>[@-~])"  # moves, erases, colours
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # titles, links
    r"|\x1b[ -/]*[0-~]"
)
# Control characters, and what is not a character: surrogates, and two code points that XML forbids.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
PIECE = re.compile(rf"{ESCAPE.pattern}|[\x00-\x08\x0a-\x1f\x7f-\x9f]|[\t\x20-\x7e\xa0-\U0010ffff]+")
NEW_LINE = "\n\v\f\x85"
MARGIN = int(ENVIRONMENT["COLUMNS"])  # the cursor cannot move further to the right


def plain(text: str) -> str:
    """The text without escape sequences and control characters; newlines and tabs are kept.

    >>> plain("\\x1b[31mred\\x1b[0m\\a")
    'red'
    """
    return CONTROL.sub("", ESCAPE.sub("", text))


def screen(text: str) -> str:
    """The text as a terminal finally shows it: overwritten parts are gone.

    >>> screen("1 of 2\\r2 of 2\\ndone\\b!")
    '2 of 2\\ndon!'
    """
    if not CONTROL.search(text):
        return text
    shown = _Screen()
    for piece in PIECE.finditer(text):
        if piece["command"]:
            shown.obey(piece["command"], piece["numbers"])
        else:
            shown.write(piece[0])
    return plain("\n".join("".join(line) for line in shown.lines))


class _Screen:
    """Lines of characters, and a cursor."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.row = self.column = 0

    def write(self, piece: str) -> None:
        if piece in NEW_LINE:
            self.row, self.column = self.row + 1, 0
            if self.row == len(self.lines):
                self.lines.append([])
        elif piece == "\r":
            self.column = 0
        elif piece == "\b":
            self.column = max(0, self.column - 1)
        elif piece == "\t" or (piece >= " " and not "\x7f" <= piece[0] <= "\x9f"):
            line = self.lines[self.row]
            line.extend(" " * (self.column - len(line)))
            line[self.column : self.column + len(piece)] = piece
            self.column += len(piece)

    def obey(self, command: str, numbers: str) -> None:
        """Move or erase, depending on the last letter of a sequence; colours are ignored."""
        given = [int(number[:4]) for number in numbers.split(";") if number.isdigit()]
        first = given[0] if given else 0
        by = max(1, first)
        if command in "ABEF":
            up = command in "AF"
            self._go(self.row - by if up else self.row + by, 0 if command in "EF" else self.column)
        elif command in "CD":
            self._go(self.row, self.column + (by if command == "C" else -by))
        elif command == "G":
            self._go(self.row, by - 1)
        elif command in "Hf":
            self._go(by - 1, given[1] - 1 if len(given) > 1 else 0)
        elif command == "K":
            self._erase(self.row, first)
        elif command == "J":
            for row in range(len(self.lines)):
                if first >= 2 or (row > self.row if first == 0 else row < self.row):
                    self._erase(row, 2)
            if first < 2:
                self._erase(self.row, first)

    def _go(self, row: int, column: int) -> None:
        self.row = min(max(0, row), len(self.lines) - 1)
        self.column = min(max(0, column), max(MARGIN, self.column))

    def _erase(self, row: int, what: int) -> None:
        """Erase a row from the cursor on (0), up to the cursor (1), or completely (2)."""
        line = self.lines[row]
        if what == 1:
            line[: self.column + 1] = " " * min(self.column + 1, len(line))
        else:
            del line[self.column if what == 0 else 0 :]
