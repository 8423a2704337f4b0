"""Which numbers of claims readers may guess, and how they are marked."""

from __future__ import annotations

import pytest

from tools.run.records import Claim, Outcome, Plain, Result
from tools.weave.guessing import Asked, asked, comparison_html, to_guess


def claim(*parts: str | float | bool | list[Plain], passed: bool = True) -> Claim:
    """From sources and values with signs between them: "a", 1.0, ">", "0.5", 0.5."""
    return Claim(
        cell=0,
        row=0,
        sentence="So it is",
        passed=passed,
        sources=tuple(str(part) for part in parts[::3]),
        values=tuple(parts[1::3]),
        signs=tuple(str(part) for part in parts[2::3]),
    )


@pytest.mark.parametrize(
    ("operand", "parts"),
    [
        (0, ("accuracy", 0.94, ">", "0.9", 0.9)),
        (0, ("accuracy", 0.76, ">", "2 / 3", 0.667)),
        (0, ("size", 724_310, "<", "2000000", 2_000_000)),
        (0, ("gap", 0.35, "≥", "0.15", 0.15)),
        (1, ("0.9", 0.9, "<", "accuracy", 0.94)),
        (0, ("a", 0.5, ">", "b + 0.1", 0.3)),  # of two measured sides, the left one
        (1, ("0.15", 0.15, "<", "saved", 0.18, "<", "0.2", 0.2)),
        (0, ("unread", 0.002, "<", "0.15", 0.15)),  # little, but it might have been more
    ],
)
def test_the_measured_side_of_an_inequality_is_guessed(operand: int, parts: tuple) -> None:  # type: ignore[type-arg]
    assert to_guess(claim(*parts)) == operand


@pytest.mark.parametrize(
    "parts",
    [
        ("failed", 0, "=", "0", 0),
        ("rows", 7, "=", "distinct", 7),
        ("kind", "'a'", ">", "other", "'b'"),
        ("labels", [1, 2], ">", "others", [1, 1]),
        ("fine", True),
        ("fine", True, ">", "other", False),
        ("abs(share - 0.8)", 0.2, "<", "0.5", 0.5),
        ("off", 0.004, "<", "0.01", 0.01),
        ("ahead", 0.025, "<", "0.05", 0.05),
        ("closest", 0.14, ">", "0", 0),
        ("off", 0.003, ">", "0.0001", 0.0001),
        ("total", 42_598_400_000, "<", "if_all_long / 3", 4.4e10),
        ("a", 0.15, "<", "0.2", 0.2, "<", "b", 0.97),
        ("loss", float("nan"), "<", "1", 1),
        ("loss", 1.0, "≠", "2", 2),
        ("2", 2, ">", "1", 1),
    ],
)
def test_what_is_no_number_to_guess_is_not_asked_for(parts: tuple) -> None:  # type: ignore[type-arg]
    assert to_guess(claim(*parts)) is None


def test_a_false_claim_shows_its_number_at_once() -> None:
    assert to_guess(claim("accuracy", 0.8, ">", "0.9", 0.9, passed=False)) is None


def test_the_same_number_is_asked_for_once() -> None:
    claims = (
        claim("accuracy", 0.75, ">", "base + 0.3", 0.42),
        claim("fine", True),
        claim("accuracy", 0.75, ">", "best + 0.1", 0.44),
        claim("accuracy", 0.8, ">", "0.5", 0.5),  # measured again
    )
    outcome = Outcome("done", Result(claims=claims))
    assert asked(outcome) == {0: Asked(0, False), 2: Asked(0, True), 3: Asked(0, False)}


def test_the_number_is_marked_with_both_sides_as_measured() -> None:
    found = claim("accuracy", 0.763731, ">", "2 / 3", 2 / 3)
    assert comparison_html(found, Asked(0, False)) == (
        'accuracy = <data value="0.763731" data-bound="0.666667">0.7637</data> &gt; 2 / 3 = 0.6667'
    )
    assert comparison_html(found, Asked(0, True)).startswith('accuracy = <data class="again" value')
    assert comparison_html(found, None) == "accuracy = 0.7637 &gt; 2 / 3 = 0.6667"


def test_a_number_in_the_middle_is_marked_and_the_larger_side_is_its_bound() -> None:
    found = claim("0.15", 0.15, "<", "saved['a']", 0.1838, "<", "0.2", 0.2)
    assert comparison_html(found, Asked(1, False)) == (
        "0.15 &lt; saved[&#x27;a&#x27;] = "
        '<data value="0.1838" data-bound="0.2">0.1838</data> &lt; 0.2'
    )
