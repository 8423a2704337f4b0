"""The seeds that an example's code names."""

from __future__ import annotations

import ast

from tools.run.memo import memoized

NAMES = {"seed", "random_state"}  # of arguments and variables with one seed
COUNT = "SEEDS"  # the constant with the number of seeds, counted from 0
# Functions and classes whose first argument is a seed
SEEDED = {"manual_seed", "set_seed", "seed", "default_rng", "Random", "SeedSequence"}


def seeds(cells: tuple[str, ...]) -> list[int]:
    """Seeds that are written out in these cells, in ascending order.

    A seed that reaches a function as a plain second argument, or from another module, is not known.

    >>> seeds(("SEEDS = 3\\ntorch.manual_seed(7)", "f(seed=7)\\nf(x, 5)"))
    [0, 1, 2, 7]
    """
    return sorted(set[int]().union(*map(_of_cell, cells)))


@memoized()
def _of_cell(cell: str) -> frozenset[int]:
    return frozenset[int]().union(*map(_of, ast.walk(ast.parse(cell))))


def _of(node: ast.AST) -> set[int]:
    if isinstance(node, ast.keyword) and node.arg in NAMES:
        return _number(node.value)
    if isinstance(node, ast.Call) and node.args:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
        name = called.id if isinstance(called, ast.Name) else called
        return _number(node.args[0]) if name in SEEDED else set()
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        name = node.targets[0].id
        if name == COUNT:
            return set(range(max(_number(node.value), default=0)))
        return _number(node.value) if name.lower() in NAMES else set()
    if isinstance(node, ast.arguments):
        positional = [*node.posonlyargs, *node.args]
        pairs = [
            *zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True),
            *zip(node.kwonlyargs, node.kw_defaults, strict=True),
        ]
        return {
            number
            for argument, default in pairs
            if argument.arg in NAMES and default
            for number in _number(default)
        }
    return set()


def _number(node: ast.expr) -> set[int]:
    is_int = isinstance(node, ast.Constant) and type(node.value) is int
    return {node.value} if is_int else set()  # type: ignore[attr-defined]
