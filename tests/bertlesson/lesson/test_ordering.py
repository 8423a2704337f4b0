"""What every order of a function's lines computes."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import permutations
from types import FunctionType

import pytest

from bertlesson.lesson.ordering import Mistake, Orders, Result, every_draw, run_orders

STEP = 3


def increase(number):  # type: ignore[no-untyped-def]
    doubled = number * 2
    total = doubled + STEP
    total = -total
    return doubled, total


def halve(numbers):  # type: ignore[no-untyped-def]
    halves = []
    for number in numbers:
        halves.append(number / 2)
    return halves


def largest(numbers: list[int]) -> int:
    empty = not numbers
    return 0 if empty else max(numbers) // len(numbers[1:])


def computed(function: FunctionType) -> str:
    return str(function(5))


@pytest.fixture(scope="module")
def orders() -> Orders:
    return run_orders(increase, computed)


def test_the_lines_are_those_of_the_source(orders: Orders) -> None:
    assert orders.head == "def increase(number):  # type: ignore[no-untyped-def]"
    assert orders.lines == (
        "    doubled = number * 2",
        "    total = doubled + STEP",
        "    total = -total",
    )
    assert orders.end == "    return doubled, total"


def test_each_order_has_its_result_and_the_right_one_comes_first(orders: Orders) -> None:
    assert orders.results[0] == Result("(10, -13)")
    assert len(orders.of) == 6
    by_order = {
        order: orders.results[number]
        for order, number in zip(permutations(range(3)), orders.of, strict=True)
    }
    assert by_order[0, 2, 1].stops == 1
    assert by_order[1, 0, 2].text.startswith("UnboundLocalError: ")
    assert by_order[1, 0, 2].stops == 0
    assert by_order[2, 1, 0].stops == 0
    assert (orders.right, orders.stopped) == (1, 5)


def test_orders_that_compute_the_same_are_equally_right() -> None:
    def both():  # type: ignore[no-untyped-def]
        a = 1
        b = 2
        return a, b

    assert run_orders(both, lambda function: str(function())).of == (0, 0)


def test_a_line_out_of_its_block_is_an_error_at_its_place() -> None:
    orders = run_orders(halve, lambda function: str(function([2, 4])))
    assert orders.results[0].text == "[1.0, 2.0]"
    found = {orders.results[number] for number in orders.of[1:]}
    assert any(text.startswith("IndentationError: expected an indented") for text, _ in found)
    assert all(" on line " not in text for text, _ in found)
    unexpected, expected = (orders.results[orders.of[number]] for number in (1, 2))
    assert unexpected == Result("IndentationError: unexpected indent", 1)  # of the line in the loop
    assert expected.stops == 1  # the line after `for`, which is not indented


def test_an_error_within_what_is_called_is_put_down_to_the_line_that_calls() -> None:
    def call():  # type: ignore[no-untyped-def]
        row = [1, 2]
        most = largest(row)
        row.pop()
        return most

    orders = run_orders(call, lambda function: str(function()))
    number = orders.result(Mistake((0, 2, 1), ""))
    assert orders.results[number].text.startswith("ZeroDivisionError: ")
    assert orders.results[number].stops == 2


def test_a_shuffled_order_is_wrong_and_separates_neighbours() -> None:
    def four():  # type: ignore[no-untyped-def]
        a = 1
        b = a + 1
        c = b + 1
        d = c + 1
        return d

    orders = run_orders(four, lambda function: str(function()))
    for seed in range(5):
        order = orders.shuffled(seed)
        assert sorted(order) == [0, 1, 2, 3]
        assert orders.result(Mistake(tuple(order), "")) != 0
        assert not any(order.index(n) + 1 == order.index(n + 1) for n in range(3))
    written = orders.written([3, 2, 1, 0]).split("\n")
    assert [line.split()[0] for line in written] == ["def", "d", "c", "b", "a", "return"]


def swap(a, b):  # type: ignore[no-untyped-def]
    kept = a
    a = b
    b = kept
    b = b + 0
    return a, b


def test_what_is_published_has_a_word_on_each_mistake() -> None:
    orders = run_orders(swap, lambda function: str(function(1, 2)))
    late = Mistake((1, 0, 2, 3), "A is overwritten before it is kept.")
    published = orders.published([late], seed=0)
    number = orders.result(late)
    assert published["results"][number] == {"text": "(2, 2)", "stops": None, "word": late.word}
    assert published["results"][0] == {"text": "(2, 1)", "stops": None, "word": None}
    assert published["of"] == list(orders.of)
    for seed in range(5):
        assert orders.published([late], seed)["shuffled"] == orders.shuffled(seed)


@pytest.mark.parametrize(
    "mistakes",
    [
        [Mistake((0, 1, 2, 3), "this is right")],
        [Mistake((0, 1, 3, 2), "so is this")],
        [Mistake((2, 0, 1, 3), "this stops")],
        [Mistake((1, 0, 2, 3), "one"), Mistake((1, 0, 2, 3), "the same again")],
    ],
)
def test_a_mistake_that_is_none_is_refused(mistakes: list[Mistake]) -> None:
    orders = run_orders(swap, lambda function: str(function(1, 2)))
    with pytest.raises(ValueError, match="expected something wrong"):
        orders.published(mistakes, seed=0)


def test_a_function_may_have_seven_lines() -> None:
    def seven(n):  # type: ignore[no-untyped-def]
        n += 1
        n += 1
        n += 1
        n += 1
        n += 1
        n += 1
        n += 1
        return n

    assert run_orders(seven, computed).of == (0,) * 5040


def test_a_function_of_too_many_lines_or_without_return_is_refused() -> None:
    def long():  # type: ignore[no-untyped-def]
        a = 1
        a = 2
        a = 3
        a = 4
        a = 5
        a = 6
        a = 7
        a = 8
        return a

    def silent():  # type: ignore[no-untyped-def]
        print(1)
        print(2)

    with pytest.raises(ValueError, match=r"long has 8 lines .* at most 7"):
        run_orders(long, computed)
    with pytest.raises(ValueError, match="and a return line"):
        run_orders(silent, computed)


def test_everything_that_can_be_drawn_is_drawn_once() -> None:
    def draw(rng: random.Random) -> tuple[int, ...]:
        first = rng.randrange(1, 3)
        return (first, rng.randrange(3)) if rng.random() < 0.5 else (first,)

    found = list(every_draw(draw))  # type: ignore[arg-type]
    assert dict(found) == {
        (1, 0): Fraction(1, 12),
        (1, 1): Fraction(1, 12),
        (1, 2): Fraction(1, 12),
        (1,): Fraction(1, 4),
        (2, 0): Fraction(1, 12),
        (2, 1): Fraction(1, 12),
        (2, 2): Fraction(1, 12),
        (2,): Fraction(1, 4),
    }
    assert len(found) == 8
    assert sum(share for _, share in found) == 1
    assert list(every_draw(lambda rng: 7)) == [(7, 1)]


def test_nothing_can_be_drawn_from_an_empty_range() -> None:
    with pytest.raises(ValueError, match="the range is 0 to 0; expected a number in it"):
        list(every_draw(lambda rng: rng.randrange(0)))
