"""Results of pure functions, kept from one process to the next.

From one build to the next nearly all code, figures and pages are the same. What was made of them is
read again, as long as the code of the tools and the versions that made it are the same.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
from collections.abc import Callable
from functools import cache, update_wrapper
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

from bertlesson.lesson import fingerprint
from tools.run.files import keep, remove_parts

Given = ParamSpec("Given")
Made = TypeVar("Made")

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache" / "memo"
LIMIT = 4096  # results of one function, so that days of editing do not fill the memory
# Whose code decides the results.
TOOLS = ROOT / "tools"
VERSIONED = ("beautifulsoup4", "markdown", "pygments", "pymdown-extensions")

_functions: list[Memoized[..., Any]] = []


class Memoized(Generic[Given, Made]):
    """A function that knows what it has made before, see `memoized`."""

    def __init__(self, function: Callable[Given, Made], still: Callable[..., bool] | None) -> None:
        update_wrapper(self, function)
        self.function, self.still = function, still
        self.kept: dict[str, Made] = {}
        self.used: dict[str, None] = {}  # since the results were read, in this order
        self.new = False

    def __call__(self, *args: Given.args, **kwargs: Given.kwargs) -> Made:
        key = self._key([*args, *kwargs.items()])
        if key not in self.kept:
            made = self.function(*args, **kwargs)
            if self.still and not self.still(*args, **kwargs):
                return made
            self.kept[key], self.new = made, True
        self.used.pop(key, None)
        self.used[key] = None
        if len(self.used) > LIMIT:
            oldest = next(iter(self.used))
            del self.used[oldest], self.kept[oldest]
        return self.kept[key]

    def _key(self, given: list[object]) -> str:
        digest = hashlib.sha256()
        for each in given:
            if isinstance(each, set | frozenset):
                name = self.function.__name__
                raise TypeError(f"{name} got a set; expected a tuple, in its order")
            text = each if isinstance(each, str) else repr(each)
            part = text.encode("utf-8", "surrogatepass")
            digest.update(f"{type(each).__name__} {len(part)} ".encode())
            digest.update(part)
        return digest.hexdigest()

    def path(self, folder: Path) -> Path:
        return folder / f"{self.function.__module__}.{self.function.__name__}"


def memoized(
    *, still: Callable[..., bool] | None = None
) -> Callable[[Callable[Given, Made]], Memoized[Given, Made]]:
    """Keep the results of a pure function, by what its arguments print as. No error is kept.

    Args:
        still: For a function that reads files as well, whose digest is among its arguments: whether
            the files still have that digest. If not, the result is not kept.
    """

    def decorate(function: Callable[Given, Made]) -> Memoized[Given, Made]:
        made = Memoized(function, still)
        _functions.append(made)
        return made

    return decorate


def read(folder: Path = FOLDER) -> None:
    """Take over what another process has kept; what cannot be read is made again."""
    for function in _functions:
        function.used.clear()
        function.new = False
        try:
            made_with, _, kept = function.path(folder).read_bytes().partition(b"\n")
            function.kept = pickle.loads(kept) if made_with == _made_with() else {}
        except Exception:  # a damaged pickle may raise anything
            function.kept = {}


def write(folder: Path = FOLDER) -> None:
    """Keep the results that this process has used, of the functions that it has called."""
    remove_parts(folder)
    for function in _functions:
        used = {key: function.kept[key] for key in [*function.used]}
        if used and (function.new or len(used) < len(function.kept)):
            keep(function.path(folder), _made_with() + b"\n" + pickle.dumps(used))
            function.kept, function.new = used, False


@cache
def _made_with() -> bytes:
    code = [
        path.read_bytes() for path in [*sorted(TOOLS.rglob("*.py")), Path(fingerprint.__file__)]
    ]
    versions = [platform.python_version(), *map(version, VERSIONED)]
    parts = [*code, *(each.encode() for each in versions)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest().encode()
