"""Cells are what Python reads; what is no example says why, with its line."""

from __future__ import annotations

import pytest

from tests.conftest import Workshop
from tools.run.cells import Problem
from tools.run.examples import parse


def test_an_example_in_another_encoding_says_so_with_its_line(workshop: Workshop) -> None:
    path = workshop.folder / "examples" / "latin.py"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes("# %% a\nx = 1\ny = 'é'\n".encode("latin-1"))
    with pytest.raises(Problem, match=r"latin\.py:3: not UTF-8"):
        parse(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# %%\nx = (\n", "2: not Python: '(' was never closed"),
        ("# %% [markdown]\n# Words.\n\n# %%\n\nx = 1\nreturn x\n", "7: not Python: 'return'"),
        ("x = 1\n", "1: an example starts with a cell"),
        ("x = 1\n# %%\ny = 1\n", "1: an example starts with a cell"),
        ("# %% [markdown]\n# Words.\n", "1: an example has at least one code cell"),
        ("# %% a\nx = 1\n\n# %% a\ny = 1\n", '4: a second section is called "a"'),
        ("# %% a\nx = (1,\n# %% b\n2)\n", "2: not Python: '(' was never closed"),
        ("# %% a\nx = 1\n\n#%% b\ny = 1\n", "4: each cell starts with a line '# %% title'"),
        ("# %% a\nx = 1\n\n# %% [raw]\n# y\n", "4: a cell is code or [markdown], not [raw]"),
        ("# %% a\nx = 1\n\n# %% [md] b\n# y\n", "4: a cell is code or [markdown], not [md]"),
        ("# %% a\nx = 1\n\n# %% b [markdown]\n# y\n", "4: '# %% [markdown]' must be alone"),
        ("# %% a\nx = 1\n\n# %%time\ny = 1\n", "4: each cell starts with a line '# %% title'"),
        ("# %% a\nx = 1\n\f# %% b\ny = 1\n", "3: each cell starts with a line '# %% title'"),
        ("# %% a tags=hide-input\nx = 1\n", "1: tags are a list of strings at the end"),
        ("# %% a\nx = 1\n# %% b tags=[1]\ny = 1\n", "3: tags are a list of strings at the end"),
        ('# %% a tags=["b"] c\nx = 1\n', "1: tags are a list of strings at the end"),
        (
            "# %% a\nx = 1\n\n# %% [markdown]\n# y\nz = 1\n",
            "6: in a [markdown] cell each line",
        ),
        ('# %% a\nx = 1\n\n# %% [markdown]\n"""y"""\n', "5: in a [markdown] cell each line"),
        ("# %% a\nx = 1\n\n# %% [markdown]\n#y\n", "5: in a [markdown] cell each line"),
        ("# %% a\n# -*- coding: latin-1 -*-\nx = 1\n", "2: declares the encoding iso-8859-1"),
        ("# %% a\n# coding: klingon\nx = 1\n", "1: not Python: unknown encoding: klingon"),
        ("# %% a\nx = 1\ny = '\0'\n", "3: not Python: a null byte"),
    ],
)
def test_a_script_that_is_no_example_says_why(workshop: Workshop, text: str, expected: str) -> None:
    with pytest.raises(Problem) as caught:
        workshop.example("one", text)
    assert str(caught.value).partition("one.py:")[2].startswith(expected)


@pytest.mark.parametrize(
    ("heading", "title", "tags"),
    [
        ("# %%", "", []),
        ("# %%   two  words ", "two  words", []),
        ("# %% [CLS] before fine-tuning", "[CLS] before fine-tuning", []),
        ("# %% [CLS]", "[CLS]", []),
        ("# %% where [MASK] stands", "where [MASK] stands", []),
        ("# %% a set {1, 2}", "a set {1, 2}", []),
        ('# %% braces {"a": 1}', 'braces {"a": 1}', []),
        ("# %% MaskingRecipe(select=0.15, mask=0.8)", "MaskingRecipe(select=0.15, mask=0.8)", []),
        ("# %% select=0.15", "select=0.15", []),
        ('# %% a "b" it\'s `c` <d> &amp; \\n %% é', 'a "b" it\'s `c` <d> &amp; \\n %% é', []),
        ('# %% folded tags=["hide-input"]', "folded", ["hide-input"]),
        ("# %% tags=['a', \"b\"]", "", ["a", "b"]),
        ("# %% select=0.15 tags=[]", "select=0.15", []),
    ],
)
def test_a_title_is_what_is_written(
    workshop: Workshop, heading: str, title: str, tags: list[str]
) -> None:
    (cell,) = workshop.example("one", f"{heading}\nx = 1\n").cells
    assert (cell.kind, cell.title, [*cell.tags], cell.line) == ("code", title, tags, 2)


@pytest.mark.parametrize(
    "code",
    [
        "x = 1  # a remark",
        "# copy the weights first",
        "# cat and dog are words",
        "# !pip install torch",
        "# %d is how a number is printed",
        "# %load_ext autoreload",
        "# ls",
        "# ?",
        "x = [\n# %time comes later\n]",
        's = "a\u2028b\u2029c\x85d\x1ce\x0bf\x0cg"',
        "# a comment with \u2028 in it",
        "\x0cx = 1\n\x0c\ny = 2",
        's = """\n# %% no cell\n\n\n\n#%% none either\n"""',
        "def f():\n    # %% within a block\n    return 1  # %% behind code",
        "x = 1 \\\n    + 2",
        "é = '\\N{BYTE ORDER MARK}'",
        "x = 1\n\n\n# the end",
        "",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_an_example_is_what_python_reads(
    workshop: Workshop, code: str, newline: str, mark: bytes
) -> None:
    path = workshop.folder / "one.py"
    text = f"# %% first\n\n{code}\n\n# %% [markdown]\n# Words.\n\n# %% last\nraise ValueError\n"
    path.write_bytes(mark + text.replace("\n", newline).encode())
    first, words, last = parse(path).cells
    assert first.source == code
    assert (words.kind, words.source) == ("markdown", "Words.")
    assert last.source == "raise ValueError"
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        exec(compile(path.read_bytes(), str(path), "exec"), {})
    assert caught.traceback[-1].lineno + 1 == last.line
