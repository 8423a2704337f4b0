"""Reports equal seqeval's; the golden ones were made with seqeval 1.2.2, see the script there."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bertlesson.entities import entity_f1
from bertlesson.finding import Found
from bertlesson.report import entity_report
from bertlesson.tag_counts import count_tags
from bertlesson.tags import read_tags

GOLDEN = json.loads((Path(__file__).parent / "golden_seqeval/reports.json").read_text("utf-8"))


@pytest.mark.parametrize("case", GOLDEN["reports"])
def test_reports_are_those_of_seqeval(case: dict[str, Any]) -> None:
    truth, predicted = ([row.split() for row in case[name]] for name in ("truth", "predicted"))
    report = entity_report(
        truth, predicted, scheme=case["scheme"], zero_division=case["zero_division"]
    )
    assert report.rows().keys() == case["rows"].keys()
    for name, score in report.rows().items():
        assert score == pytest.approx(case["rows"][name], abs=1e-12), name
    assert str(report) == case["text"]
    if case["scheme"] is None:
        entities = [[read_tags(row) for row in rows] for rows in (truth, predicted)]
        assert entity_report(*entities, zero_division=case["zero_division"]) == report
        assert entity_f1(truth, predicted) == pytest.approx(report.micro.f1)
        assert entity_f1(*entities) == entity_f1(truth, predicted)


def test_tags_are_counted_as_they_are_read() -> None:
    rng = random.Random(0)
    letters, kinds = "BIESLUM", ["X", "Y", "a-b"]
    for _ in range(300):
        truth, predicted = [], []
        for _ in range(rng.randint(1, 5)):
            row = [_tag(rng, letters, kinds) for _ in range(rng.randint(0, 8))]
            truth.append(row)
            predicted.append([tag if rng.random() < 0.8 else "O" for tag in row])
        counts = count_tags(truth, predicted)
        a, b = ([{*read_tags(row)} for row in rows] for rows in (truth, predicted))
        for kind in counts.true:
            of_kind = [
                sum(e[2] == kind for row in rows for e in row)
                for rows in ([x & y for x, y in zip(a, b, strict=True)], a, b)
            ]
            assert of_kind == [counts.right[kind], counts.true[kind], counts.found[kind]]
        assert sum(counts.true.values()) == sum(map(len, a))


def _tag(rng: random.Random, letters: str, kinds: list[str]) -> str:
    return "O" if rng.random() < 0.3 else f"{rng.choice(letters)}-{rng.choice(kinds)}"


def test_nothing_to_find_has_a_report_where_seqeval_has_none() -> None:
    report = entity_report([["O", "O"]], [["O", "O"]])
    assert report.kinds == {}
    assert report.micro == report.macro == report.weighted == (0.0, 0.0, 0.0, 0)
    assert entity_report([["O"]], [["O"]], zero_division=1.0).macro == (1.0, 1.0, 1.0, 0)
    assert "micro avg" in str(report)
    assert entity_report([[]], [[]]) == report
    assert entity_f1([["O"]], [["O"]]) == 1.0


def test_digits_and_wide_names_keep_the_columns_apart() -> None:
    name = "a-very-long-kind-of-entity"
    lines = entity_report([[f"B-{name}"]], [[f"B-{name}"]]).as_text(digits=4).splitlines()
    assert lines[2] == f"{name}     1.0000    1.0000    1.0000         1"
    assert len({len(line) for line in lines if line}) == 1


def test_entities_are_taken_from_json_and_from_find_entities() -> None:
    """The first has lists, the second a score behind each."""
    truth, found = [[(0, 3, "PER"), (5, 9, "LOC")]], [[Found(0, 3, "PER", 0.9)]]
    expected = entity_report(truth, [[(0, 3, "PER")]])
    assert expected.micro.f1 == pytest.approx(2 / 3)
    assert entity_report(truth, found) == expected  # type: ignore[arg-type]
    assert entity_report([[[0, 3, "PER"], [5, 9, "LOC"]]], found) == expected  # type: ignore[list-item, arg-type]
    assert entity_f1(truth, found) == pytest.approx(2 / 3)  # type: ignore[arg-type]
    assert entity_f1([[[0, 3, "PER"], [5, 9, "LOC"]]], found) == pytest.approx(2 / 3)  # type: ignore[list-item, arg-type]


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match=r"truth\[1\] has 1 tags and predicted\[1\] 2; expected"):
        entity_report([["O"], ["O"]], [["O"], ["O", "O"]])
    with pytest.raises(ValueError, match=r"truth\[0\] has 1 tags"):
        entity_f1([["O"]], [["O", "O"]])
    with pytest.raises(ValueError, match="1 truth and 2 predicted"):
        entity_report([["O"]], [["O"], ["O"]])
    flat: Any
    for flat in (["O", "B-PER"], ["O O"]):
        with pytest.raises(TypeError, match="truth has tags; expected a list of them for each"):
            entity_report(flat, flat)
        with pytest.raises(TypeError, match="predicted has tags; expected a list of them"):
            entity_f1([["O"]] * len(flat), flat)
    numbers: Any = [[0, 1]]
    for score in (entity_report, entity_f1):
        with pytest.raises(TypeError, match=r"of a text are \[0, 1\]; expected \(start, end, kind"):
            score(numbers, numbers)
    with pytest.raises(ValueError, match="the label is None; expected O"):
        entity_report([["O", None]], [["O", "O"]])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="the label is 'X'"):
        entity_report([["X"]], [["O"]])
    with pytest.raises(ValueError, match="scheme is 'IOB2' with entities; expected tags"):
        entity_report([[(0, 1, "X")]], [[]], scheme="IOB2")
