"""Small sites that are built by mkdocs: a good one, one with odd texts, and broken ones."""

from __future__ import annotations

from tests.tools.weave.small_lesson import VALUES

GOOD = {
    "docs/index.md": "# Start\n\n[The page](page.md), [its end](page.md#the-end).\n",
    "docs/checks.md": "# Checks\n\n{{ claims }}\n",
    "docs/page.md": """
        ---
        description: Words
        ---

        # Page

        | a | b |
        |---|---|
        | {{ one.word }} | {{ one.n:,}} |

        {{ one.passage:tokens }}

        --8<-- "examples/one.py:code"

        !!! note

            --8<-- "examples/one.py:figure"

        1. In a list

            --8<-- "examples/one.py:folded"

        <div class="box" markdown>

        ??? question "Folded in a box"

            --8<-- "examples/one.py:boxed"

        </div>

        ## The end
        """,
    "examples/one.py": """
        # %% [markdown]
        # # One
        # To [the page](../page.md#the-end), [the other](two.ipynb) and [out](https://example.org).
        #
        # ## Twice
        # ## Twice

        # %% code
        values = VALUES
        print("<script>alert('&')</script>", "**bold**", "{{ no.value }}", "äöü → 😀")
        print("--8<-- 'no.txt'")
        print("long " * 200)
        assert len(values) == 5, "there are *five* `values` & <b>"

        # %% figure
        import matplotlib.pyplot as plt

        fig, ax = plt.subplots()
        ax.plot([1, 2])
        fig.set_label("a rising line")

        # %% folded tags=["hide-input"]
        fig, ax = plt.subplots()
        ax.bar(["a", "b"], [1, 2])
        fig.set_label("two bars")

        # %% boxed
        print("in the box")
        """.replace("VALUES", repr(VALUES)),
    "examples/two.py": "# %% [markdown]\n# # Two\n\n# %%\nassert 2 > 1, 'two is more'\n"
    "with open('two.bin', 'wb') as file:\n    file.write(bytes(range(256)))\n",
}

# What a page or a notebook could take amiss
ODD = {
    "docs/index.md": "# Start\n",
    "docs/odd.md": """
        # Odd

        | Before | Value | After |
        |---|---|---|
        | x | {{ odd.coloured }} | y |

        --8<-- "examples/odd.py:a "title" it's {select=0.15}"

        --8<-- "examples/odd.py:drawn"
        """,
    "examples/odd.py": r"""
        # %% [markdown]
        # # Another heading than its name

        # %% a "title" it's {select=0.15}
        # !pip install is a comment
        print("\033[31mred\033[0m, a bell \a and a nul \0")
        print("\r 50%|█ | 1/2\r100%|██| 2/2")
        text = "LINE"
        assert len(text) == 3, "a \033[1mbold\033[0m \a claim"
        assert text + "\033" > "", "it has values"
        values = {"coloured": "\033[31mred\033[0m\n\n# and more"}

        # %% drawn
        import matplotlib.pyplot as plt

        fig, ax = plt.subplots()
        ax.set_title("a \a title")
        fig.set_label("an \033[1mold\033[0m \a label")
        """.replace("LINE", "a\u2028b"),
}
NAVIGATION = """
nav:
  - index.md
  - The page: odd.md
  - Examples: [The example: examples/odd.ipynb]
"""

ONE_PAGE = "# Page\n\nwords\n\n{}\n\n## The end\n"
TWO = "# %% [markdown]\n# # Two\n# {}\n\n# %% code\nx = 1\n\n# %% more\n{}\n"

# What each breaks, and what the build must say
BROKEN = {
    "an error": (
        {"docs/page.md": ONE_PAGE.format('--8<-- "examples/two.py:more"'),
         "examples/two.py": TWO.format("", "y = 2\nx / 0")},
        "docs/page.md:5: shows examples/two.py:10: ZeroDivisionError: division by zero",
    ),
    "an error of a section that no page shows": (
        {"examples/two.py": TWO.format("", "x / 0")},
        "examples/two.py:9: ZeroDivisionError: division by zero",
    ),
    "a false claim": (
        {"docs/page.md": ONE_PAGE.format('--8<-- "examples/two.py:code"'),
         "examples/two.py": TWO.format("", "assert x > 1.5, 'x is large'")},
        "docs/page.md:5: shows examples/two.py:9: claim is false: x is large (x = 1 > 1.5)",
    ),
    "a script that is no example": (
        {"examples/two.py": "x = 1\n"}, "examples/two.py:1: an example starts with a cell",
    ),
    "a file that two examples leave": (
        {"examples/two.py": TWO.format("", "open('one.py', 'w').close()")},
        'examples/two.py:1: leaves a file "one.py", and the site has one already',
    ),
    "a missing section": (
        {"docs/page.md": ONE_PAGE.format('--8<-- "examples/two.py:no"')},
        'docs/page.md:5: examples/two.py has no section "no"',
    ),
    "an unknown value": (
        {"docs/page.md": ONE_PAGE.format("a {{ one.no }}")},
        "docs/page.md:5: examples/one.py leaves no value 'no'",
    ),
    "a missing end": (
        {"docs/page.md": ONE_PAGE.format('--8<-- "part.txt:a"'),
         "part.txt": "--8<-- [start:a]\nwords\n"},
        'docs/page.md:5: "part.txt:a": part.txt has no "--8<-- [end:a]"',
    ),
    "a wrong path": (
        {"docs/page.md": ONE_PAGE.format('```python\n--8<-- "src/no.py"\n```')},
        'docs/page.md:6: "src/no.py": there is no file src/no.py',
    ),
    "a broken link": (
        {"docs/page.md": ONE_PAGE.format("no.md is [here](no.md)")},
        'docs/page.md:5: "no.md" leads nowhere',
    ),
    "a broken anchor": (
        {"docs/page.md": ONE_PAGE.format("[here](#no)")},
        'docs/page.md:5: "#no" leads to a page without the anchor "no"',
    ),
    "a broken anchor of another page": (
        {"docs/page.md": ONE_PAGE.format("[here](index.md#no)")},
        'docs/page.md:5: "index.html#no" leads to a page without the anchor "no"',
    ),
    "an empty link": (
        {"docs/page.md": ONE_PAGE.format("[here]()")}, 'docs/page.md:5: "" is an empty link',
    ),
    "a broken link of an example": (
        {"examples/two.py": TWO.format("[here](../no.md)", "x")},
        'examples/two.py:3: "../no.md" leads nowhere',
    ),
    "a missing image": (
        {"docs/page.md": ONE_PAGE.format("![alt](no.png)")},
        'docs/page.md:5: "no.png" leads nowhere',
    ),
    "an id used twice": (
        {"docs/page.md": ONE_PAGE.format('<p id="the-end">a</p>')},
        'docs/page.md:5: the id "the-end" is used 2 times',
    ),
    "an image of another host": (
        {"docs/page.md": ONE_PAGE.format("![alt](https://example.org/a.png)")},
        'docs/page.md:5: "https://example.org/a.png" would be loaded from another host',
    ),
    "a script of another host": (
        {"docs/page.md": ONE_PAGE.format('<script src="//example.org/a.js"></script>')},
        'docs/page.md:5: "//example.org/a.js" would be loaded from another host',
    ),
    "an import from another host": (
        {"docs/page.md": ONE_PAGE.format(
            '<script type="module">import x from "https://example.org/a.js"</script>')},
        'docs/page.md:5: "https://example.org/a.js" would be loaded from another host',
    ),
    "a style of another host": (
        {"docs/page.md": ONE_PAGE.format('<p style="background: url(//example.org/a.png)">a</p>')},
        'docs/page.md:5: "//example.org/a.png" would be loaded from another host',
    ),
    "a style sheet of another host": (
        {"docs/assets/lesson.css": '@import "https://example.org/a.css";\n'},
        'lesson.css:1: "https://example.org/a.css" would be loaded from another host',
    ),
    "a drawing for which a script is fetched": (
        {"docs/page.md": ONE_PAGE.format('<pre class="mermaid">a</pre>')},
        '"https://unpkg.com/mermaid" would be loaded from another host',
    ),
}  # fmt: skip

# Builds in one process what would take two seconds each in processes of their own.
BUILD_ALL = """
import io, json, logging, sys
from pathlib import Path
from mkdocs.commands.build import build
from mkdocs.config import load_config

cases, results = json.load(sys.stdin), {}
for name, files in cases.items():
    before = {}
    for path, text in files.items():
        before[path] = Path(path).read_text() if Path(path).exists() else None
        Path(path).write_text(text)
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logging.getLogger("mkdocs").addHandler(handler)
    try:
        build(load_config("mkdocs.yml", site_dir="broken-site"))
        error = None
    except BaseException as caught:
        error = repr(caught)
    logging.getLogger("mkdocs").removeHandler(handler)
    results[name] = {"error": error, "said": said.getvalue()}
    for path, text in before.items():
        Path(path).unlink() if text is None else Path(path).write_text(text)
print(json.dumps(results))
"""
