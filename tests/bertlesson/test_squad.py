"""SQuAD: what its files say is read, what is wrong in them is told with its place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertlesson.squad import GoldAnswer, SquadQuestion, read_squad, write_predictions

CONTEXT = "Ada was in Kraków, Greta in Delft."


def asked(identity: str = "7", **changes: Any) -> dict[str, Any]:
    answers = [{"text": "Ada", "answer_start": 0}, {"text": "Greta", "answer_start": 19}]
    question = {"id": identity, "question": "Who?", "answers": answers} | changes
    return {key: value for key, value in question.items() if value is not ...}


def write(folder: Path, *questions: Any, context: Any = CONTEXT, **dump: Any) -> Path:
    path = folder / "some.json"
    paragraphs = [{"context": "x", "qas": []}, {"context": context, "qas": list(questions)}]
    data = {"version": "v2.0", "data": [{"title": "t", "paragraphs": paragraphs}]}
    path.write_text(json.dumps(data, **dump), "utf-8")
    return path


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("indent", [None, 1])
def test_both_versions_are_read(tmp_path: Path, ascii_only: bool, indent: int | None) -> None:
    impossible = asked("é8", answers=[], is_impossible=True, plausible_answers=[{"text": "x"}])
    path = write(tmp_path, asked(), impossible, ensure_ascii=ascii_only, indent=indent)
    first, second = read_squad(path)
    both = (GoldAnswer("Ada", 0), GoldAnswer("Greta", 19))
    assert first == SquadQuestion("7", "Who?", CONTEXT, both, False)
    assert first.span == (0, 3)
    assert second == SquadQuestion("é8", "Who?", CONTEXT, (), True)
    assert second.span is None
    assert read_squad(str(path)) == [first, second]


def test_a_byte_order_mark_is_no_part_of_the_json(tmp_path: Path) -> None:
    path = write(tmp_path, asked())
    expected = read_squad(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_squad(path) == expected


def test_questions_to_predict_need_no_answers(tmp_path: Path) -> None:
    path = write(tmp_path, asked(answers=...), asked("8", answers=[]), asked("9"))
    assert [len(each.answers) for each in read_squad(path, labelled=False)] == [0, 0, 2]
    with pytest.raises(ValueError, match="question '7': no key answers among id, question"):
        read_squad(path)


def at(text: str, start: Any) -> dict[str, Any]:
    return asked(
        answers=[{"text": "Ada", "answer_start": 0}, {"text": text, "answer_start": start}]
    )


PLACE = r"some\.json, article 1, paragraph 2, question '7'"


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (at("Greta", 20), rf"{PLACE}, answer 2: answer_start is 20, .*'reta '.*it begins at 19"),
        (at("Delft", -6), r"answer_start is -6, .* it begins at 28"),
        (at("greta", 19), r"it is nowhere in the context"),
        (at("Delft.", 29), r"has 'elft.'; expected 'Delft.'"),
        (at(" ", 3), "text is ' '"),
        (at("Greta", "19"), "answer_start is a text, '19'; expected a whole number"),
        (at("Greta", 19.0), "answer_start is a number, 19.0; expected a whole number"),
        (at("Greta", True), "answer_start is true or false"),
        (asked(answers=[]), f"{PLACE}: no answers; expected 1 or more: set is_impossible"),
        (asked(is_impossible=True), f"{PLACE}: is_impossible is true, but there are 2 answers"),
        (asked(is_impossible="false"), "is_impossible is a text, 'false'"),
        (asked(question=...), f"{PLACE}: no key question among id, answers"),
        (asked(answers={"text": ["Ada"], "answer_start": [0]}), "answers is an object"),
        (asked(id=...), "paragraph 2, question 1: no key id among question, answers"),
        (asked(question="\ud83d?"), f"{PLACE}: question has half of a surrogate pair"),
        (asked(id=7), "id is a number, 7; expected a text"),
        (asked(answers=["Ada"]), f"{PLACE}, answer 1: a text; expected an object"),
        ("Who?", "question 1: a text; expected an object with the key id"),
    ],
)
def test_what_is_wrong_with_a_question_is_told_with_its_place(
    tmp_path: Path, question: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read_squad(write(tmp_path, question))


def test_an_id_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"{PLACE}: the id is also that of article 1, parag"):
        read_squad(write(tmp_path, asked(), asked("8"), asked()))


def test_a_file_of_several_lines_is_told_with_the_line(tmp_path: Path) -> None:
    path = write(tmp_path, asked("6"), asked(answers=[]), indent=1)
    line = path.read_text("utf-8").splitlines().index('       "id": "7",') + 1
    with pytest.raises(ValueError, match=rf"some\.json, line {line}, article 1, .* '7': no answ"):
        read_squad(path)


def test_the_line_is_looked_for_only_if_something_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole text is searched for it: for each question, SQuAD would take an hour."""
    looked_for: list[str] = []
    monkeypatch.setattr(
        "bertlesson.squad._with_line",
        lambda text, identity, place, path: looked_for.append(identity) or place,
    )
    assert len(read_squad(write(tmp_path, asked("6"), asked("7"), indent=1))) == 2
    assert looked_for == []
    with pytest.raises(ValueError, match="question '8': no answers"):
        read_squad(write(tmp_path, asked("7"), asked("8", answers=[]), indent=1))
    assert looked_for == ["8"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "some.json is empty"),
        (b"\xef\xbb\xbf \n", "some.json is empty"),
        (b'{"data": [],\nx}', "some.json, line 2: .* at column 1; expected one JSON object"),
        (b'{"id": "1"}\n{"id": "2"}\n', "some.json, line 2: Extra data"),
        (b'[{"id": "1"}]', r'holds a list; expected an object .*"paragraphs"'),
        (b'{"rows": []}', "some.json: no key data among rows"),
        (b'{"data": {}}', "data is an object, {}; expected a list"),
        (b'{"data": []}', "some.json has no questions"),
        (b'{"data": [{"paragraphs": [{"context": 1}]}]}', "paragraph 1: context is a number, 1"),
        (b'{"data": [{"paragraphs": [{"qas": []}]}]}', "paragraph 1: no key context among qas"),
        (
            gzip.compress(b'{"data": []}', mtime=0),
            "expected JSON in UTF-8: it is compressed: unpack it",
        ),
        (b'{"data": [{"paragraphs": [{"context": ""}]}]}', "paragraph 1: no key qas among context"),
        # of long texts only the beginning is shown
        (b'{"data": "%b"}' % (b"x" * 58), "data is a text, 'x{58}'; expected a list"),
        (b'{"data": "%b"}' % (b"x" * 59), r"data is a text, 'x{56}\.{3}; expected a list"),
        (
            b'{"data":\n [{"title": "Krak\xf3w"}]\n}\n',
            "line 2: 0xf3 at byte 26 is not UTF-8; expected JSON in UTF-8: save the file in that "
            "encoding$",
        ),
        ('{"data": []}'.encode("utf-16"), "line 1: 0xff at byte 0 is not UTF-8"),
    ],
)
def test_a_file_that_is_not_squads_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "some.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_squad(path)


def test_predictions_are_one_object_in_ascii(tmp_path: Path) -> None:
    path = tmp_path / "predictions.json"
    write_predictions(path, {"7": "Kraków", "é8": "", "9": np.float32(-1.5)})
    assert path.read_bytes().isascii()
    assert json.loads(path.read_text()) == {"7": "Kraków", "é8": "", "9": -1.5}
    with pytest.raises(TypeError, match="the prediction of '8' is None; expected a text"):
        write_predictions(path, {"7": "x", "8": None})  # type: ignore[dict-item]
    assert json.loads(path.read_text())["7"] == "Kraków"
    assert [each.name for each in tmp_path.iterdir()] == ["predictions.json"]
