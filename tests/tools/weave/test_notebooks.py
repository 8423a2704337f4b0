"""Examples as executed notebooks."""

from __future__ import annotations

import nbformat

from tools.run.records import Outcome, Result
from tools.weave.notebooks import notebook
from tools.weave.pages import Lesson


def test_a_notebook_is_valid_and_complete(lesson: Lesson) -> None:
    text = notebook(lesson.examples["one"], lesson.outcomes["one"])
    assert text == notebook(lesson.examples["one"], lesson.outcomes["one"])
    made = nbformat.reads(text, as_version=4)
    nbformat.validate(made)
    words, first, figure, last = made.cells
    assert (words.cell_type, words.source) == ("markdown", "# Words")
    assert first.source.splitlines()[1] == 'assert x < 1, "x is `small` & <b>"'
    assert first.outputs[0].text.startswith("<script>")
    assert "x is not zero <code>x = 0.123 &gt; 0</code>" in first.outputs[1].data["text/html"]
    assert "✓ x is small & <b> x = 0.123 < 1" in first.outputs[1].data["text/plain"]
    assert figure.outputs[0].data["image/svg+xml"].startswith("<svg")
    assert figure.outputs[0].data["text/plain"] == 'a "line"'
    assert [cell.execution_count for cell in (first, figure, last)] == [1, 2, 3]


def test_a_pending_notebook_says_so_and_a_failed_one_why(lesson: Lesson) -> None:
    example = lesson.examples["one"]
    pending = nbformat.reads(notebook(example, Outcome("running")), as_version=4)
    assert "on their way" in pending.cells[1].source
    failed = Outcome("failed", Result.failed("ValueError: no", cell=2))
    (output,) = nbformat.reads(notebook(example, failed), as_version=4).cells[3].outputs
    assert "ValueError: no" in output.data["text/html"]
