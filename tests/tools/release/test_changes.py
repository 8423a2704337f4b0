"""What a change of the sources changes in outputs and claims."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Workshop
from tools.release.changes import figure_writer, main, read, report, state_of, write
from tools.run.records import Claim, Figure, Result, Text

STATE: dict[str, Any] = {
    "versions": {"python": "3.11.7", "torch": "2.13.0"},
    "examples": {
        "mix": {
            "sections": {
                "shares": [
                    "kept 0.1\nmasked 0.8\nrandom 0.1\n",
                    {"svg": "<svg>1</svg>", "alt": "a"},
                ],
                "cell 2": [],
            },
            "claims": {"A tenth stays": "kept = 0.1 > 0.09"},
            "values": {"kept": 0.1, "table": [1, 2]},
        },
        "nsp": {"sections": {}, "claims": {}, "values": {}},
    },
}  # fmt: skip


@pytest.fixture
def new() -> dict[str, Any]:
    return deepcopy(STATE)


def lines(old: dict[str, Any], new: dict[str, Any], out: Path) -> list[str]:
    return "\n".join(report(old, new, figure_writer(out))).splitlines()


def test_the_same_is_said_to_be_the_same(new: dict[str, Any], tmp_path: Path) -> None:
    assert lines(STATE, new, tmp_path) == ["No output and no claim has changed."]
    assert not [*tmp_path.iterdir()]


def test_an_output_that_changed_is_shown_with_its_neighbours(
    new: dict[str, Any], tmp_path: Path
) -> None:
    new["examples"]["mix"]["sections"]["shares"][0] = "kept 0.2\nmasked 0.8\nrandom 0.1\n"
    assert lines(STATE, new, tmp_path) == [
        "1 of 2 examples show something else.",
        "",
        "## `examples/mix.py`",
        "",
        "",
        "### shares",
        "",
        "~~~diff",
        "@@ -1,3 +1,3 @@",
        "-kept 0.1",
        "+kept 0.2",
        " masked 0.8",
        " random 0.1",
        "~~~",
    ]


def test_claims_are_found_again_by_their_words(new: dict[str, Any], tmp_path: Path) -> None:
    claims = new["examples"]["mix"]["claims"]
    claims["A tenth stays"] = "kept = 0.11 > 0.09"
    claims["Eight tenths `go`"] = "masked = 0.8 > `x`"
    shown = lines(STATE, new, tmp_path)
    assert "- A tenth stays: was `kept = 0.1 > 0.09`, is `kept = 0.11 > 0.09`" in shown
    assert "- New claim: Eight tenths `go`: `` masked = 0.8 > `x` ``" in shown
    assert "- Claim gone: Eight tenths `go`: `` masked = 0.8 > `x` ``" in lines(
        new, STATE, tmp_path
    )


def test_figures_are_kept_side_by_side(new: dict[str, Any], tmp_path: Path) -> None:
    figures = new["examples"]["mix"]["sections"]["shares"]
    figures[1] = {"svg": "<svg>2</svg>", "alt": "a"}
    figures.append({"svg": "<svg>3</svg>", "alt": "b"})
    shown = lines(STATE, new, tmp_path)
    assert "Figure 1: [before](mix-shares-1.before.svg), [after](mix-shares-1.after.svg)" in shown
    assert "Figure 2: [after](mix-shares-2.after.svg)" in shown
    assert (tmp_path / "mix-shares-1.before.svg").read_text() == "<svg>1</svg>"
    assert (tmp_path / "mix-shares-1.after.svg").read_text() == "<svg>2</svg>"


def test_values_versions_and_whole_examples(new: dict[str, Any], tmp_path: Path) -> None:
    new["versions"]["torch"] = "2.14.0"
    new["examples"]["mix"]["values"] = {"kept": 0.123456789, "long": ["x" * 100]}
    del new["examples"]["nsp"]
    new["examples"]["spans"] = {"sections": {}, "claims": {"It finds": "f1 = 1"}, "values": {}}
    shown = lines(STATE, new, tmp_path)
    assert shown[0] == "2 of 3 examples show something else."
    assert "- torch: 2.13.0 → 2.14.0" in shown
    assert "- value `kept`: was `0.1`, is `0.123457`" in shown
    assert "- value `table`: was `[1, 2]`, is `null`" in shown
    assert max(map(len, shown)) < 120
    assert "- New claim: It finds: `f1 = 1`" in shown


def test_a_fence_is_longer_than_those_in_the_output(new: dict[str, Any], tmp_path: Path) -> None:
    new["examples"]["mix"]["sections"]["shares"][0] = "~~~~\n# <b>heading</b>\n"
    shown = lines(STATE, new, tmp_path)
    assert shown.count("~~~~~") == 1
    assert "~~~~~diff" in shown


def test_without_an_earlier_state_it_says_so(new: dict[str, Any], tmp_path: Path) -> None:
    assert write(None, new, tmp_path / "out") == "There is no earlier state to compare with."
    text = (tmp_path / "out" / "changes.md").read_text("utf-8")
    assert text.endswith("\n\nThere is no earlier state to compare with.\n")


def test_a_state_is_what_the_example_shows(workshop: Workshop) -> None:
    example = workshop.example("small", "# %% one\nprint(1)\n# %%\nprint(2)\n")
    result = Result(
        outputs=((Text("1\n"), Figure("<svg/>", "alt")), (Text("2\n"),)),
        claims=(Claim(0, 0, "It is so", True, ("x", "0"), (">",), (1, 0)),),
        values={"x": 1},
    )
    assert state_of(example, result) == {
        "sections": {"one": ["1\n", {"svg": "<svg/>", "alt": "alt"}], "cell 2": ["2\n"]},
        "claims": {"It is so": "x = 1 > 0"},
        "values": {"x": 1},
    }


def test_files_are_compared(
    new: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, state in ("old", STATE), ("new", new):
        (tmp_path / f"{name}.json").write_text(json.dumps(state), "utf-8")
    arguments = [str(tmp_path / name) for name in ("old.json", "new.json", "out")]
    assert main(["compare", *arguments]) == 0
    assert capsys.readouterr().out == "No output and no claim has changed.\n"
    assert main(["compare", str(tmp_path / "none.json"), *arguments[1:]]) == 0
    assert capsys.readouterr().out == "There is no earlier state to compare with.\n"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"versions": {}, "examples": []}',
             '{"versions": {}, "examples": {"a": {"claims": {}}}}'],
)  # fmt: skip
def test_another_file_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.json").write_text(text)
    with pytest.raises(ValueError, match=r"expected what `python -m tools\.release\.changes keep`"):
        read(tmp_path / "new.json")
    old, out = str(tmp_path / "old.json"), str(tmp_path / "out")
    assert main(["compare", old, str(tmp_path / "new.json"), out]) == 1
    assert str(tmp_path / "new.json") in capsys.readouterr().err
