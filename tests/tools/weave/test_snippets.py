"""Sections of other files."""

from __future__ import annotations

from tests.conftest import Workshop
from tests.tools.weave.small_lesson import expand, problem
from tools.weave.pages import Lesson


def test_a_file_or_a_section_of_it_is_filled_in(lesson: Lesson, workshop: Workshop) -> None:
    text = "a\n    # --8<-- [start: part]\n    x\n\n      y\n    # -8<- [end:part]\nb\n"
    (workshop.folder / "whole.txt").write_text(text)
    part = '```text\n--8<-- "whole.txt:part"\n```'
    assert expand(lesson, part) == "```text\nx\n\n  y\n```\n"
    assert expand(lesson, '  --8<-- "whole.txt"') == "  a\n      x\n\n        y\n  b\n"


def test_what_a_file_includes_is_filled_in_too(lesson: Lesson, workshop: Workshop) -> None:
    (workshop.folder / "outer.txt").write_text('a\n  --8<-- "inner.txt"\nb\n')
    (workshop.folder / "inner.txt").write_text("c\n")
    assert expand(lesson, '--8<-- "outer.txt"') == "a\n  c\nb\n"


def test_files_that_include_each_other_are_a_problem(lesson: Lesson, workshop: Workshop) -> None:
    (workshop.folder / "a.txt").write_text('--8<-- "b.txt"\n')
    (workshop.folder / "b.txt").write_text('--8<-- "a.txt"\n')
    said = problem(lesson, '--8<-- "a.txt"\n')
    assert said == '1: "a.txt" includes itself, by way of "b.txt"'
