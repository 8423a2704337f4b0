"""Put it in order: what every order of a function's lines computes.

The lines of a function are put into all orders, and each function that this makes is run. So a page
can say of any order what Python makes of it, though it runs no Python itself.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, permutations
from textwrap import dedent
from types import CodeType, FunctionType
from typing import Any, NamedTuple

__all__ = ["Draws", "Mistake", "Orders", "Result", "every_draw", "run_orders"]

FILE = "<order>"  # what Python calls the code that is put together here
MOST_LINES = 7  # 5,040 orders; 8 lines would have 40,320


class Result(NamedTuple):
    """What an order computes, or where it stops.

    Attributes:
        text: What it computes, or Python's error message.
        stops: The place of the line at which Python stops, counted from 0; None if it does not.
    """

    text: str
    stops: int | None = None


class Mistake(NamedTuple):
    """A common mistake.

    Attributes:
        order: The lines, by their numbers in the right order, counted from 0.
        word: What is wrong with it.
    """

    order: tuple[int, ...]
    word: str


@dataclass(frozen=True)
class Orders:
    """All orders of the lines of a function.

    Attributes:
        head: The ``def`` line, which stays first.
        lines: The lines to put in order, in the right one.
        end: The ``return`` line, which stays last.
        results: Each result once; the first is the right one.
        of: For each order, in the order of `itertools.permutations`, the number of its result.
    """

    head: str
    lines: tuple[str, ...]
    end: str
    results: tuple[Result, ...]
    of: tuple[int, ...]

    @property
    def right(self) -> int:
        """How many orders compute what they should."""
        return self.of.count(0)

    @property
    def stopped(self) -> int:
        """How many orders end with an error."""
        return sum(self.results[number].stops is not None for number in self.of)

    def result(self, mistake: Mistake) -> int:
        """The number of the result of a mistake."""
        return self.of[[*permutations(range(len(self.lines)))].index(mistake.order)]

    def shuffled(self, seed: int) -> list[int]:
        """An order that is wrong, in which no line follows the one it should."""
        rng = random.Random(seed)
        order = list(range(len(self.lines)))
        numbers = dict(zip(permutations(order), self.of, strict=True))
        while True:
            rng.shuffle(order)
            apart = all(b != a + 1 for a, b in pairwise(order))
            if apart and numbers[tuple(order)] != 0:
                return order

    def written(self, order: list[int]) -> str:
        """The function with its lines in this order."""
        return "\n".join([self.head, *(self.lines[n] for n in order), self.end])

    def published(self, mistakes: list[Mistake], seed: int) -> dict[str, Any]:
        """All that a page needs to know, as JSON can hold it.

        Raises:
            ValueError: A mistake computes what it should, or stops with an error, or two compute
                the same.
        """
        words: dict[int, str] = {}
        for mistake in mistakes:
            number = self.result(mistake)
            if number == 0 or self.results[number].stops is not None or number in words:
                raise ValueError(
                    f"the order {mistake.order} gives {self.results[number].text!r}; expected "
                    "something wrong, without an error, that no other mistake gives: list another"
                )
            words[number] = mistake.word
        results = [
            {"text": text, "stops": stops, "word": words.get(number)}
            for number, (text, stops) in enumerate(self.results)
        ]
        return {"shuffled": self.shuffled(seed), "results": results, "of": list(self.of)}


def run_orders(function: FunctionType, compute: Callable[[FunctionType], str]) -> Orders:
    """Run a function with its lines in every order.

    Args:
        function: Of one ``def`` line, at most seven lines, and a ``return`` line. It is read from
            its source, so each line of code must fit on a line of the file.
        compute: What a function computes, as text. Two orders for which it gives the same text are
            equally right, or wrong in the same way.

    Returns:
        What each order computes.

    Raises:
        ValueError: If the function has more lines, or no ``return`` at its end.
    """
    head, *lines, end = dedent(inspect.getsource(function)).rstrip().split("\n")
    if len(lines) > MOST_LINES or not end.lstrip().startswith("return"):
        raise ValueError(
            f"{function.__name__} has {len(lines)} lines between {head!r} and {end!r}; expected at "
            f"most {MOST_LINES} between a def line and a return line"
        )
    numbers: dict[Result, int] = {}
    of = []
    for order in permutations(lines):
        result = _result([head, *order, end], function.__globals__, compute)
        of.append(numbers.setdefault(result, len(numbers)))
    return Orders(head, tuple(lines), end, tuple(numbers), tuple(of))


def _result(
    lines: list[str], names: dict[str, Any], compute: Callable[[FunctionType], str]
) -> Result:
    try:
        code = compile("\n".join(lines), FILE, "exec")
        [body] = [each for each in code.co_consts if isinstance(each, CodeType)]
        return Result(compute(FunctionType(body, names)))
    except SyntaxError as error:
        message = str(error.msg).partition(" on line ")[0]
        return Result(f"{type(error).__name__}: {message}", (error.lineno or 2) - 2)
    except Exception as error:
        return Result(f"{type(error).__name__}: {error}", _line(error) - 2)


def _line(error: Exception) -> int:
    """The last line of the function that an error went through, counted from 1."""
    found, step = 2, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == FILE:
            found = step.tb_lineno
        step = step.tb_next
    return found


class Draws:
    """Stands in for `random.Random` and gives what it is told to; see `every_draw`."""

    def __init__(self, told: list[int]) -> None:
        self.told = told
        self.taken: list[tuple[int, int]] = []  # of each draw: which of how many

    def _take(self, count: int) -> int:
        number = len(self.taken)
        which = self.told[number] if number < len(self.told) else 0
        self.taken.append((which, count))
        return which

    def randrange(self, start: int, stop: int | None = None) -> int:
        """As that of `random.Random`, for one number or two."""
        start, stop = (0, start) if stop is None else (start, stop)
        if stop <= start:
            raise ValueError(f"the range is {start} to {stop}; expected a number in it")
        return start + self._take(stop - start)

    def random(self) -> float:
        """A quarter or three quarters: enough to decide what is done half of the time."""
        return (0.25, 0.75)[self._take(2)]


def every_draw(function: Callable[[Draws], Any]) -> Iterator[tuple[Any, Fraction]]:
    """What a function can return, depending on what it draws, each with its probability.

    >>> [(each, str(p)) for each, p in every_draw(lambda rng: rng.random() < 0.5)]
    [(True, '1/2'), (False, '1/2')]
    """
    told: list[int] | None = []
    while told is not None:
        draws = Draws(told)
        returned = function(draws)
        share = Fraction(1)
        for _, count in draws.taken:
            share /= count
        yield returned, share
        told = _next(draws.taken)


def _next(taken: list[tuple[int, int]]) -> list[int] | None:
    """What to draw next, as the hands of a clock go on; None if all was drawn."""
    while taken and taken[-1][0] == taken[-1][1] - 1:
        taken = taken[:-1]
    return [*(which for which, _ in taken[:-1]), taken[-1][0] + 1] if taken else None
