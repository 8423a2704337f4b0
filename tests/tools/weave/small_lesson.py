"""A small lesson: one example that has shown text, a figure and two claims."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tools.run.records import Claim, Figure, Plain, Result, Text
from tools.weave.outputs import problem_html
from tools.weave.pages import Lesson, Page

CODE = '''
# %% [markdown]
# # Words

# %% first
x = 0.123
assert x < 1, "x is `small` & <b>"
assert x > 0, "x is not zero"
print(x)

# %% figure tags=["hide-input"]
y = """
```
"""

# %% last
z = 1
'''

VALUES: dict[str, Plain] = {
    "x": 0.1234,
    "n": 12_000,
    "word": "*a* _b_ `c` [d](e) <b> | {{ f.g }} &amp;",
    "row": [1, 2],
    "passage": [
        {"piece": "[CLS]"},
        {"piece": "*a*", "seen": "[MASK]", "fate": "masked", "segment": "A"},
        {"piece": "b", "seen": "b", "fate": "kept", "segment": "B"},
        {"piece": "##c", "seen": "d", "fate": "random"},
    ],
}


def result(**changes: Any) -> Result:
    claims = (
        Claim(0, 1, "x is `small` & <b>", True, ("x", "1"), ("<",), (0.123, 1)),
        Claim(0, 2, "x is not zero", True, ("x", "0"), (">",), (0.123, 0)),
    )
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="1pt" viewBox="0 0 1 1"><g/></svg>'
    shown = Text("<script>alert('&')</script>\n{{ no }} **bold**\n")
    outputs = ((shown,), (Figure(svg, 'a "line"'),), ())
    return replace(Result(outputs, claims, VALUES), **changes)


def expand(lesson: Lesson, text: str) -> str:
    """The Markdown of a page; there must be no problem."""
    expanded = Page(lesson, Path("page.md")).expand(text)
    assert not lesson.problems, lesson.problems
    return expanded


def problem(lesson: Lesson, text: str) -> str:
    """The only problem of a page, as line: message."""
    shown = Page(lesson, Path("page.md")).expand(text)
    (found,) = lesson.problems
    assert problem_html(str(found)) in shown  # where it stands
    return f"{found.line}: {found.message}"
