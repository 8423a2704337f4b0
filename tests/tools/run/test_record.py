"""What the recorder notes: outputs, claims, values, and the line of an error."""

from __future__ import annotations

import pytest

from tests.conftest import Workshop
from tests.tools.run.helpers import text_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            """
            # %% [markdown]
            # Words.

            # %% first
            x = 1

            # %% second
            x / 0
            """,
            "one.py:8: ZeroDivisionError: division by zero",
            id="a line",
        ),
        pytest.param(
            """
            # %% first
            def divide(x):
                return x / 0

            # %% second
            print("before")
            divide(1)
            """,
            "one.py:3: ZeroDivisionError: division by zero",
            id="a function of another cell",
        ),
        pytest.param(
            """
            # %% first
            x = [
                1,
                int("no"),
            ]
            """,
            "one.py:4: ValueError: invalid literal for int() with base 10: 'no'",
            id="a statement of several lines",
        ),
        pytest.param(
            """
            # %% first
            import json

            json.loads("{")
            """,
            "one.py:4: json.decoder.JSONDecodeError: Expecting property name",
            id="a library",
        ),
        pytest.param(
            """
            # %% first
            exec("x =")
            """,
            "one.py:2: SyntaxError: invalid syntax",
            id="a syntax error while it runs",
        ),
        pytest.param(
            """
            # %% first
            import sys

            sys.exit(0)
            """,
            "one.py:4: SystemExit: 0",
            id="sys.exit",
        ),
        pytest.param(
            """
            # %% first
            x = 1

            # %% second
            import os

            os._exit(0)
            """,
            "one.py:5: its process ended with exit code 0 and without a result",
            id="os._exit",
        ),
        pytest.param(
            """
            # %% first
            import ctypes

            # %% second
            def fall():
                ctypes.string_at(0)

            fall()
            """,
            "one.py:6: its process was ended by SIGSEGV",
            id="a segmentation fault",
        ),
        pytest.param(
            """
            # %% first
            x = 1

            # %% second
            import os

            os.kill(os.getpid(), 9)
            """,
            "one.py:5: its process was ended by SIGKILL",
            id="killed from outside",
        ),
        pytest.param(
            """
            # %% first
            input("name? ")
            """,
            "one.py:2: EOFError: EOF when reading a line",
            id="reads standard input",
        ),
        pytest.param(
            """
            # %% first
            import matplotlib.pyplot as plt

            plt.plot([1, 2])
            """,
            "one.py:2: ValueError: a figure needs a text alternative",
            id="a figure without a text alternative",
        ),
        pytest.param(
            """
            # %% first
            def check():
                assert 1 > 2, "in a function"

            check()
            """,
            "one.py:3: AssertionError: in a function",
            id="an assert in a function",
        ),
        pytest.param(
            """
            # %% first
            assert 1 > 2
            """,
            "one.py:2: AssertionError",
            id="an assert without a sentence",
        ),
        pytest.param(
            """
            # %% first
            x = 1
            assert x.missing, "a claim that cannot be evaluated"
            """,
            "one.py:3: AttributeError: 'int' object has no attribute 'missing'",
            id="a claim that raises",
        ),
    ],
)
def test_what_goes_wrong_is_reported_with_its_line(
    workshop: Workshop, text: str, expected: str
) -> None:
    (problem,) = workshop.problems("one", text)
    assert problem.startswith(expected)


def test_what_was_shown_before_an_error_is_there(workshop: Workshop) -> None:
    example = workshop.example("one", "# %%\nprint('a')\n\n# %%\nprint('b')\n1 / 0\n\n# %%\n1\n")
    (outcome,) = workshop.run(example)
    assert [text_of(outcome, 0), text_of(outcome, 1)] == ["a\n", "b\n"]
    assert outcome.result.failure
    assert outcome.result.failure.cell == 1
    assert "ZeroDivisionError" in outcome.result.failure.traceback
    assert len(outcome.result.outputs) == 2  # nothing runs after it


def test_false_claims_are_reported_and_the_others_still_evaluated(workshop: Workshop) -> None:
    text = """
    # %% first
    kept, never = 0.25, 0.5

    assert kept > 0.1, "first"
    assert kept > never, "kept is above never"

    # %% second
    assert kept == 0.25, "last"
    """
    assert workshop.problems("one", text) == [
        "one.py:5: claim is false: kept is above never (kept = 0.25 > never = 0.5)"
    ]
    (outcome,) = workshop.run(workshop.example("one", text))
    found = [(c.sentence, c.passed, c.cell) for c in outcome.result.claims]
    assert found == [("first", True, 0), ("kept is above never", False, 0), ("last", True, 1)]


@pytest.mark.parametrize(
    ("claim", "passed", "shown"),
    [
        ("assert 0 < x < 1, 's'", True, "0 < x = 0.25 < 1"),
        ("assert 0 < 2 * x < x, 's'", False, "0 < 2 * x = 0.5 < x = 0.25"),
        ("assert 1 > 0 > x > -1, 's'", False, "1 > 0 > x = 0.25 > -1"),
        ("assert x >= 0.25, 's'", True, "x = 0.25 ≥ 0.25"),
        ("assert x <= 0.2, 's'", False, "x = 0.25 ≤ 0.2"),
        ("assert x != 0.25, 's'", False, "x = 0.25 ≠ 0.25"),
        ("assert n == 3, 's'", True, "n = 3 = 3"),
        ("assert isinstance(x, float), 's'", True, "isinstance(x, float) = True"),
        ("assert not x, 's'", False, "not x = False"),
        ("assert word in ['a'], 's'", True, "word in ['a'] = True"),
        ("assert word == 'b', 's'", False, "word = 'a' = 'b'"),
        ("assert numpy.float32(0.5) > x, 's'", True, "numpy.float32(0.5) = 0.5 > x = 0.25"),
        ("assert numpy.array([1, 2]).sum() == 3, 's'", True, "numpy.array([1, 2]).sum() = 3 = 3"),
        ("assert (numpy.arange(3) < 3).all(), 's'", True, "(numpy.arange(3) < 3).all() = True"),
        ("assert 0.90001 > 0.9 + x * 0, 's'", True, "0.90001 > 0.9 + x * 0 = 0.9"),
        ("assert x + 1e-6 > x, 's'", True, "x + 1e-06 = 0.250001 > x = 0.25"),
    ],
)
def test_claims_say_what_was_measured(
    workshop: Workshop, claim: str, passed: bool, shown: str
) -> None:
    text = f"# %%\nimport numpy\nx, n, word = 0.25, 3, 'a'\n{claim}\n"
    (outcome,) = workshop.run(workshop.example("one", text))
    (found,) = outcome.result.claims
    assert found.passed is passed
    assert found.comparison == shown


@pytest.mark.slow
def test_a_tensor_is_a_number(workshop: Workshop) -> None:
    text = """
    # %% first
    import torch

    loss = torch.tensor(0.5)
    share = torch.tensor([3, 1]).bool().float().mean()
    assert loss < share, f"loss is below {share:.0f}"
    values = {"loss": loss, "row": torch.arange(3), "flag": torch.tensor(True), "name": "n"}
    """
    (outcome,) = workshop.run(workshop.example("one", text))
    (claim,) = outcome.result.claims
    assert claim.sentence == "loss is below 1"
    assert claim.values == (0.5, 1.0)
    assert outcome.result.values == {"loss": 0.5, "row": [0, 1, 2], "flag": True, "name": "n"}


def test_every_assert_with_a_message_at_the_top_is_a_claim(workshop: Workshop) -> None:
    text = """
    # %% first
    how = "words"
    assert 2 > 1, "in " + how
    assert 2 > 1, f"in {how}"
    assert 2 > 1, ("in "
                   "words")
    if True:
        assert 2 > 1, "inside of something"
    assert 2 > 1
    """
    (outcome,) = workshop.run(workshop.example("one", text))
    assert [claim.sentence for claim in outcome.result.claims] == ["in words"] * 3


def test_lines_are_pythons_whatever_stands_in_a_string(workshop: Workshop) -> None:
    odd = "\u2028\u2029\x85\x1c\x0b\x0c"
    text = f"# %%\ns = '{odd}'\nassert len(s) < 3, 's is short'\n\n# %%\n\x0cx = '{odd}'\n1 / 0\n"
    assert workshop.problems("one", text) == [
        "one.py:3: claim is false: s is short (len(s) = 6 < 3)",
        "one.py:7: ZeroDivisionError: division by zero",
    ]


def test_annotations_are_evaluated_as_python_does(workshop: Workshop) -> None:
    text = "# %%\ndef f(x: Missing): ...\n"
    assert workshop.problems("one", text) == ["one.py:2: NameError: name 'Missing' is not defined"]


def test_outputs_come_back_as_they_were(workshop: Workshop) -> None:
    shown = ["<script>alert(1)</script>", "**no** {{ markdown }}", "ä→中\u2028😀", "x" * 20_000]
    text = f"# %%\nfor line in {shown!r}:\n    print(line)\nprint(chr(0xD800))\n"
    (outcome,) = workshop.run(workshop.example("one", text))
    assert text_of(outcome) == "\n".join([*shown, "?"]) + "\n"


@pytest.mark.slow
def test_two_cold_executions_give_the_same_bytes(workshop: Workshop) -> None:
    text = """
    # %% first
    import matplotlib.pyplot as plt
    import torch

    print({"a", "b", "c", "d"}, torch.get_num_threads())
    torch.manual_seed(0)
    print(torch.randn(300, 300).matmul(torch.randn(300, 300)).sum().item())

    # %% second
    fig, ax = plt.subplots()
    ax.plot([1, 2], label="line")
    ax.fill_between([0, 1], [1, 2], [2, 3])
    ax.set_title("Ä title")
    fig.set_label("a line")
    """
    example = workshop.example("one", text)
    kept = []
    for cache in ("first", "second"):
        (outcome,) = workshop.run(example, cache=cache)
        assert outcome.state == "done", outcome.result
        kept.append((workshop.folder / cache / f"one-{example.key}.json").read_bytes())
    assert kept[0] == kept[1]
