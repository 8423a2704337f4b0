"""Which number of a claim a reader may guess before it is shown, and how the page marks it."""

from __future__ import annotations

import ast
import math
from html import escape
from typing import NamedTuple

from tools.run.records import Claim, Outcome, Plain, show_values
from tools.weave import terminal

LEAST_UPPER, LEAST_LOWER = 0.1, 0.05  # claims with a smaller bound are about a tolerance
MOST = 10_000_000  # nobody guesses numbers of more digits
UP, DOWN = {">", "≥"}, {"<", "≤"}


class Asked(NamedTuple):
    """A number to guess.

    Attributes:
        operand: Which operand of the claim it is.
        again: Whether an earlier claim of the example asks for the same number.
    """

    operand: int
    again: bool


def asked(outcome: Outcome) -> dict[int, Asked]:
    """What to guess of an example's claims, by their places in it."""
    found: dict[int, Asked] = {}
    before: set[tuple[str, str]] = set()
    for number, claim in enumerate(outcome.result.claims):
        operand = to_guess(claim)
        if operand is not None:
            same = claim.sources[operand], repr(claim.values[operand])
            found[number] = Asked(operand, same in before)
            before.add(same)
    return found


def to_guess(claim: Claim) -> int | None:
    """The operand that a reader may guess; None if the claim has no number worth a guess.

    It is the measured one, or the left one of two. The claim must say that it is more or less than
    something. Left out are:

    - a claim that two sides are equal, or one that compares anything but numbers;
    - a distance from a known value, ``abs(…)``, and whatever is to be under a tenth: a tolerance;
    - a claim about zero or about a very small number, which is about the sign;
    - numbers of more than seven digits.
    """
    measured = [n for n, source in enumerate(claim.sources) if not _is_constant(source)]
    if not claim.passed or not measured or (len(measured) > 1 and len(claim.values) > 2):
        return None
    operand = measured[0]
    if not all(_is_number(value) for value in claim.values):
        return None
    if claim.sources[operand].startswith("abs(") or abs(_number(claim, operand)) > MOST:
        return None
    upper = [_number(claim, at) for at in _beside(claim, operand, UP, DOWN)]
    lower = [_number(claim, at) for at in _beside(claim, operand, DOWN, UP)]
    if len(upper) + len(lower) != len(claim.signs):
        return None  # some sign is another one
    tolerance = any(bound < LEAST_UPPER for bound in upper)
    sign_only = any(bound < LEAST_LOWER for bound in lower)
    return None if tolerance or sign_only else operand


def comparison_html(claim: Claim, question: Asked | None) -> str:
    """The comparison with its measured values; what is to be guessed is marked by ``<data>``.

    Its ``value`` is the measured number, its ``data-bound`` the largest of the other sides.
    """
    whole = terminal.screen(claim.comparison)
    if question is None:
        return escape(whole)
    operand = question.operand
    shown = show_values(claim.values)[operand]
    before, equals, after = whole.partition(f"{claim.sources[operand]} = {shown}")
    if not equals:
        raise ValueError(f"{whole!r} does not show {shown}; expected every measured value in it")
    others = [_number(claim, n) for n in range(len(claim.values)) if n != operand]
    bound = max(map(abs, others))
    again = ' class="again"' if question.again else ""
    data = f'<data{again} value="{_number(claim, operand):.6g}" data-bound="{bound:.6g}">'
    source = escape(f"{before}{claim.sources[operand]} = ")
    return f"{source}{data}{escape(shown)}</data>{escape(after)}"


def _beside(claim: Claim, operand: int, left: set[str], right: set[str]) -> list[int]:
    """The neighbours of an operand that a sign on its left or its right sets apart from it."""
    found = []
    if operand and claim.signs[operand - 1] in left:
        found.append(operand - 1)
    if operand < len(claim.signs) and claim.signs[operand] in right:
        found.append(operand + 1)
    return found


def _is_constant(source: str) -> bool:
    """Whether an operand names nothing that was measured, as ``2 / 3`` does."""
    return not any(isinstance(node, ast.Name) for node in ast.walk(ast.parse(source, mode="eval")))


def _is_number(value: Plain) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number(claim: Claim, operand: int) -> float:
    value = claim.values[operand]
    assert isinstance(value, int | float)
    return float(value)
