"""Imports without an import statement: by `importlib`, `exec`, `runpy`, or ``python -m``.

The key of an example contains the code of everything it imports. If a call names its import in the
source, it is found here. If only running the code would reveal it, the line and the reason are
reported.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from textwrap import dedent
from unicodedata import normalize

# Calls that import the module named by their first argument.
IMPORTERS = {
    "builtins.__import__",
    "importlib.__import__",
    "importlib.import_module",
    "pkgutil.resolve_name",
    "runpy.run_module",
}
# Calls that run the code in their first argument.
RUNNERS = {"builtins.eval", "builtins.exec"}
TIMERS = {"timeit.Timer", "timeit.repeat", "timeit.timeit"}  # the same, or they call a function
# Calls that run a file, or are a step towards running one.
LOADERS = {
    "importlib.machinery.SourceFileLoader",
    "importlib.util.module_from_spec",
    "importlib.util.spec_from_file_location",
    "runpy.run_path",
}
# Calls that start a process.
STARTERS = re.compile(
    r"subprocess\.(?:run|call|check_call|check_output|getoutput|getstatusoutput|Popen)"
    r"|os\.(?:system|popen|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?)"
    r"|asyncio\.(?:subprocess\.)?create_subprocess_(?:exec|shell)"
)
PYTHON = re.compile(r"(?:.*[/\\])?(?:python[\d.]*|torchrun|accelerate)(?:\.exe)?")
SHELL = re.compile(r"(?:.*[/\\])?(?:ba|da|z)?sh")

# All of these begin with one of these names; code without them, which most is, is not gone through.
SPOKEN_OF = re.compile(
    r"__import__|\b(?:asyncio|builtins|eval|exec|getattr|importlib|os|pkgutil|runpy|subprocess|timeit)\b"
)

DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

MODULE = "imports something known only at run time: name it as a string in the call, or import it"
CODE = "runs code known only at run time: write it as a string in the call, or as statements"
FILE = "runs a file, whose imports are not seen: import a module instead"
COMMAND = (
    "starts something known only at run time: write the command as a list of strings in the call, "
    "and start Python with -m and a module, or -c and its code"
)
USE = "is passed on, so its arguments are not seen: call it directly"


@dataclass
class Hidden:
    """What a file imports without an import statement.

    Attributes:
        names: Modules and names in them (such as ``bertlesson.nsp``), each with a line.
        unseen: Lines whose imports are known only at run time, each with the reason.
    """

    names: dict[str, int] = field(default_factory=dict)
    unseen: list[tuple[int, str]] = field(default_factory=list)


@lru_cache(maxsize=256)
def hidden_imports(code: str) -> Hidden:
    """What a script or a module imports without an import statement.

    >>> hidden_imports("import importlib\\nimportlib.import_module('json')").names
    {'json': 2}
    >>> hidden_imports("eval(input())").unseen[0][0]
    1
    """
    if not SPOKEN_OF.search(normalize("NFKC", code)):  # as Python reads names
        return Hidden()
    return _Reader(ast.parse(code)).found


class _Reader:
    """Goes through the calls of a file and resolves the names in them."""

    def __init__(self, tree: ast.Module) -> None:
        self.found = Hidden()
        self.origins: dict[str, str] = {}  # name -> what was imported under it
        self.stored = Counter(_stored(tree))
        nodes = list(ast.walk(tree))
        given = [node for node in nodes if isinstance(node, ast.Assign)]
        names = [(node.targets[0], node.value) for node in given]
        # a name that is assigned only once has that value everywhere
        self.given = {
            name.id: value
            for name, value in names
            if isinstance(name, ast.Name) and self.stored[name.id] == 1
        }
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    self.origins[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    self.origins[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        for call in calls:
            self._call(call, self._origin(call.func))
        called = {id(call.func) for call in calls}
        for node in nodes:
            if isinstance(node, ast.Name | ast.Attribute) and id(node) not in called:
                origin = self._origin(node)
                starts = STARTERS.fullmatch(origin) and not origin.endswith("Popen")  # a type
                if starts or origin in IMPORTERS | RUNNERS | LOADERS:
                    self._unseen(node, origin, USE)

    def _origin(self, node: ast.expr) -> str:
        """What a name refers to, such as "importlib.import_module"; "" if unknown."""
        if isinstance(node, ast.Attribute):
            origin = self._origin(node.value)
            return f"{origin}.{node.attr}" if origin else ""
        if not isinstance(node, ast.Name):
            return ""
        builtin = "" if self.stored[node.id] else f"builtins.{node.id}"
        return self.origins.get(node.id, builtin)

    def _text(self, node: ast.expr | None) -> str | None:
        """The string value of an expression; None if it is known only at run time."""
        if isinstance(node, ast.Name) and node.id in self.given:
            node = self.given[node.id]
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        parts: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            parts = [node.left, node.right]
        elif isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.FormattedValue) else p for p in node.values]
        elif node and self._origin(node) == "sys.executable":
            return "python"
        texts = [self._text(part) for part in parts]
        return "".join(text for text in texts if text) if parts and None not in texts else None

    def _words(self, node: ast.expr) -> Iterator[str | None]:
        """The words of a command; None for words known only at run time."""
        if isinstance(node, ast.Name) and node.id in self.given:
            node = self.given[node.id]
        if isinstance(node, ast.List | ast.Tuple):
            for part in node.elts:
                yield from self._words(part)
        elif isinstance(node, ast.BinOp) and self._text(node) is None:  # of lists
            yield from self._words(node.left)
            yield from self._words(node.right)
        else:
            yield self._text(node)

    def _unseen(self, node: ast.expr, origin: str, why: str) -> None:
        self.found.unseen.append((node.lineno, f"{origin.removeprefix('builtins.')} {why}"))

    def _call(self, call: ast.Call, origin: str) -> None:
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        if origin in IMPORTERS:
            self._import(call, origin, keywords)
        elif origin in RUNNERS:
            self._run(call, origin, *call.args[:1])
        elif origin in TIMERS:
            codes = [*call.args, *keywords.values()]
            strings = [
                c for c in codes if self._text(c) is not None or isinstance(c, ast.JoinedStr)
            ]
            self._run(call, origin, *strings)
        elif origin in LOADERS:
            self._unseen(call, origin, FILE)
        elif STARTERS.fullmatch(origin):
            # in `subprocess`, only the first positional argument is the command
            given = call.args[:1] if origin.startswith("subprocess.") else [*call.args]
            given += [keywords[name] for name in ("args", "cmd") if name in keywords]
            self._start(call, origin, [word for each in given for word in self._words(each)])
        elif origin == "builtins.getattr" and call.args:
            of = self._origin(call.args[0])
            if of in ("builtins", "importlib", "runpy"):
                self._unseen(call, f"getattr of {of}", USE)

    def _import(self, call: ast.Call, origin: str, keywords: dict[str | None, ast.expr]) -> None:
        given = [*call.args, *keywords.values()]
        name = self._text(given[0]) if given else None
        if origin == "importlib.import_module" and name and name.startswith("."):
            package = self._text(given[1]) if len(given) > 1 else None
            name = f"{package}{name}" if package and name.count(".") == 1 else None
        if origin.endswith("__import__") and len(given) > 1:
            name = None  # it may import what the other arguments name
        if name is None:
            self._unseen(call, origin, MODULE)
        else:
            main = [f"{name}.__main__"] if origin == "runpy.run_module" else []
            self._name(call, name.replace(":", "."), *main)

    def _name(self, call: ast.Call, *names: str) -> None:
        """Record what a call imports."""
        self.found.names |= dict.fromkeys(names, call.lineno)

    def _run(self, call: ast.Call, origin: str, *codes: ast.expr) -> None:
        for code in codes:
            if isinstance(code, ast.Name) and code.id in self.given:
                code = self.given[code.id]
            if isinstance(code, ast.Call) and self._origin(code.func) == "builtins.compile":
                code = code.args[0] if code.args else code
            text = self._text(code)
            if text is None:
                self._unseen(call, origin, CODE)
            else:
                self._read(call, text)

    def _read(self, call: ast.Call, code: str) -> None:
        """Record the imports of code in a string, with or without import statements."""
        try:
            tree = ast.parse(dedent(code).strip())
        except (SyntaxError, ValueError):
            return  # running it will raise the error
        inner = _Reader(tree).found
        self._name(call, *inner.names)
        self.found.unseen += [(call.lineno, why) for _, why in inner.unseen]
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._name(call, *(alias.name for alias in node.names))
            elif isinstance(node, ast.ImportFrom) and not node.level:
                self._name(call, *(f"{node.module}.{alias.name}" for alias in node.names))

    def _start(self, call: ast.Call, origin: str, words: list[str | None]) -> None:
        in_shell = bool(words and words[0] and SHELL.fullmatch(words[0]))
        if in_shell or len(words) == 1:
            words = [part for word in words for part in _split(word)]
        at = next((n for n, word in enumerate(words) if word and PYTHON.fullmatch(word)), None)
        if at is None:  # another program, unless it is unknown
            if words[:1] in ([], [None]) or (in_shell and None in words):
                self._unseen(call, origin, COMMAND)
            return
        if at + 1 < len(words) and PYTHON.fullmatch(words[at + 1] or ""):
            at += 1  # os.execv is also given the name that the program will see
        options, flag, what = words[at + 1 :], None, []
        for place, word in enumerate(options):
            if word in ("-m", "-c"):
                options, flag, what = options[:place], word, options[place + 1 :]
                break
        values = {n + 1 for n, word in enumerate(options) if word in ("-X", "-W")}
        known = [n in values or (word or "").startswith("-") for n, word in enumerate(options)]
        if not all(known) or (flag and what[:1] in ([], [None])):
            self._unseen(call, origin, COMMAND)
        elif flag == "-c":
            self._read(call, what[0] or "")
        else:
            # some modules run others: python -m cProfile -m bertlesson.nsp
            self._name(
                call, *(name for word in what if word for name in (word, f"{word}.__main__"))
            )


def _split(line: str | None) -> list[str | None]:
    """The words of a shell command line."""
    try:
        return [*shlex.split(line)] if line else [line]
    except ValueError:
        return [line]


def _stored(tree: ast.Module) -> Iterator[str]:
    """The names that a file assigns, once for each assignment."""
    nodes = list(ast.walk(tree))
    methods = {id(part) for node in nodes if isinstance(node, ast.ClassDef) for part in node.body}
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, DEFINITION) and id(node) not in methods:
            yield node.name
