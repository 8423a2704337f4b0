"""The public names of the package, as its sources have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.weave.api import LINE, as_markdown, filled_in, public_modules, unknown_modules

SOURCE = '''"""A module."""
__all__ = ["A", "B", "Kind", "far", "make"]
from elsewhere import far
A, B = 0, 1

@decorated
def make(x: int, *, y: str = "a") -> list[int]:
    """Makes.

    >>> make(1)
    """
    return []

class Kind(Base, Generic[T]):
    pass

def hidden(): ...
'''


@pytest.fixture
def package(tmp_path: Path) -> Path:
    made = tmp_path / "pack"
    (made / "sub").mkdir(parents=True)
    (made / "__init__.py").write_text('"""No names."""\n')
    (made / "one.py").write_text(SOURCE)
    (made / "sub" / "two.py").write_text('__all__ = ["C"]\nC: int = 3\n')
    return made


def test_names_are_those_of_all_with_their_lines(package: Path) -> None:
    modules = public_modules(package)
    assert list(modules) == ["pack.one", "pack.sub.two"]
    names = {each.name: each for each in modules["pack.one"].names}
    assert list(names) == ["A", "B", "Kind", "far", "make"]
    assert names["A"].lines == names["B"].lines == (4, 4)
    assert (names["make"].lines, names["Kind"].lines) == ((6, 12), (14, 15))
    assert names["far"].lines is None
    assert names["make"].signature == "make(x: int, *, y: str='a') -> list[int]"
    assert names["Kind"].signature == "class Kind(Base, Generic[T])"
    (c,) = modules["pack.sub.two"].names
    assert (c.lines, c.signature) == ((2, 2), "")


def test_a_module_as_markdown(package: Path) -> None:
    shown = as_markdown(public_modules(package)["pack.one"])
    assert shown.startswith("## `pack.one`\n\n```text\nA module.\n```\n\n### `A`\n\n### `B`\n\n")
    assert shown.endswith(
        "### `make`\n\n```text\nmake(x: int, *, y: str='a') -> list[int]\n\n"
        "Makes.\n\n>>> make(1)\n```"
    )


def test_the_lines_of_a_page_become_text_and_unknown_ones_stay() -> None:
    page = "# API\n\n::: bertlesson.masking\n\n::: bertlesson.gone\n"
    shown = filled_in(page)
    assert "\n## `bertlesson.masking`\n" in shown
    assert "### `MaskingRecipe`\n\n```text\nclass MaskingRecipe" in shown
    assert shown.endswith("\n\n::: bertlesson.gone\n")
    assert filled_in("# No reference\n") == "# No reference\n"


def test_each_module_with_public_names_is_in_the_reference_once() -> None:
    pages = sorted((ROOT / "docs" / "api").glob("*.md"))
    listed = [name for page in pages for name in LINE.findall(page.read_text("utf-8"))]
    assert sorted(listed) == sorted(public_modules())


def test_a_line_that_names_no_module_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "api.md").write_text("# API\n\n::: bertlesson.masking\n\n::: bertlesson.gone\n")
    (found,) = unknown_modules({"api.md": ""}, tmp_path)
    assert (found.path.name, found.line) == ("api.md", 5)
    assert "there is no module bertlesson.gone with an __all__" in found.message
