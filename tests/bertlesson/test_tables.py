"""Tables: values stay what was written, and every problem has its file and line."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import EvalPrediction
from transformers.trainer_utils import PredictionOutput

from bertlesson.lesson.files import write_table
from bertlesson.tables import read_table, write_predictions

ODD = ["null", "NA", "N/A", "nan", "007", "1e5", "2024-01-02", "True", "-", "a,b", 'say "x"']


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".tsv"])
def test_texts_stay_what_was_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table{suffix}"
    rows = [{"text": text, "label": "ab"[n % 2]} for n, text in enumerate(ODD)]
    with path.open("w", newline="") as file:
        if suffix == ".jsonl":
            file.writelines(json.dumps(row) + "\n" for row in rows)
        elif suffix == ".csv":
            writer = csv.DictWriter(file, ["text", "label"])
            writer.writeheader()
            writer.writerows(rows)
        else:  # as GLUE's, where quotation marks are ordinary characters
            file.write("text\tlabel\n")
            file.writelines(f"{row['text']}\t{row['label']}\n" for row in rows)
    table = read_table(path)
    assert table.texts == ODD
    assert table.classes == ("a", "b")
    assert table.labels == [n % 2 for n in range(len(ODD))]
    assert table[1] == {"text": "NA", "label": 1}
    assert len(list(table)) == len(table) == len(ODD)
    assert table.columns() == {"text": ODD, "label": table.labels}


def test_numbers_in_jsonl_are_refused_as_texts_and_taken_as_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "x", "label": 1}\n{"text": 7, "label": 5}\n')
    with pytest.raises(ValueError, match=r"a\.jsonl, line 2: text is 7; expected a string, such"):
        read_table(path)
    path = write(
        tmp_path / "a.jsonl",
        "".join(json.dumps({"text": "x", "label": n}) + "\n" for n in (5, 1, 10, 3)),
    )
    table = read_table(path)
    assert table.classes == ("1", "3", "5", "10")
    assert table.labels == [2, 0, 3, 1]
    assert table.id2label == {0: "1", 1: "3", 2: "5", 3: "10"}
    assert table.label2id["10"] == 3


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("null", "label is empty"),
        ('" "', "label is empty"),
        ("true", "label is true; expected a name or a whole number"),
        ("4.5", "label is 4.5; expected a name"),
        ('["a"]', 'label is ["a"]; expected'),
    ],
)
def test_odd_labels_are_refused(tmp_path: Path, label: str, message: str) -> None:
    lines = ['{"text": "x", "label": "a"}', "", f'{{"text": "y", "label": {label}}}']
    path = write(tmp_path / "a.jsonl", "\n".join(lines))
    with pytest.raises(ValueError, match=re.escape(f"a.jsonl, line 3: {message}")):
        read_table(path)


def test_quoted_line_breaks_count_as_lines(tmp_path: Path) -> None:
    content = 'text,label\r\n"one\r\ntwo\n\nthree",a\r\n\r\nfour,b\r\n,a\r\n'
    path = write(tmp_path / "a.csv", content)
    with pytest.raises(ValueError, match=r"a\.csv, line 8: text is empty; expected text"):
        read_table(path)
    table = read_table(write(path, content.removesuffix(",a\r\n")))
    assert table.texts == ["one\r\ntwo\n\nthree", "four"]
    assert table.lines == [2, 7]


def test_a_byte_order_mark_and_another_delimiter(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text;label\na, b;x\nc;y\n".encode("utf-8-sig"))
    assert read_table(path, delimiter=";").texts == ["a, b", "c"]
    with pytest.raises(
        ValueError, match=r"line 1: the columns are text;label; .* is the delimiter not ','\?"
    ):
        read_table(path)
    lines = '{"text": "a", "label": "x"}\r\n{"text": "c\u2028", "label": "y"}'
    path = write(tmp_path / "a.jsonl", lines.encode("utf-8-sig"))
    assert read_table(path).texts == ["a", "c\u2028"]


@pytest.mark.slow
def test_a_field_of_ten_megabytes(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    long = "word " * 2_000_000
    table = read_table(write(tmp_path / "a.csv", f'text,label\n"{long}",a\nx,b\n'))
    assert table.texts[0] == long
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "a.csv has no rows; expected one or more, with text, label"),
        ("a.csv", "text,label\n", "a.csv has no rows"),
        ("a.jsonl", "\n\n", "a.jsonl has no rows"),
        (
            "a.csv",
            "sentence,label\na,b\n",
            "the columns are sentence, label; expected text",
        ),
        ("a.csv", "text,label,text\na,b,c\n", "expected text once among them"),
        ("a.csv", "text,label\na,x\nb, c,y\n", "line 3: 3 columns; expected 2"),
        ("a.csv", "text,label\na\n", "line 2: 1 columns; expected 2"),
        ("a.csv", 'text,label\na,x\n"b\nc,y\nd,x\n', "line 3: not valid CSV, unexpected end"),
        (
            "a.csv",
            'text,label\na,x\n"b"c,y\n',
            "line 3: not valid CSV, ',' expected after '\"'; expected a row: double the quotation "
            "marks within quotation marks",
        ),
        ("a.csv", b"\ntext,label\nb\xe9,y\n", "line 3: the byte 0xe9 is not UTF-8"),
        ("a.csv", b"text,label\na,x\nb\nc\xe9,y\n", "line 4: the byte 0xe9 is not UTF-8"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "\xff"}', "line 2: the byte 0xff is not UTF-8"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n{"text": "a"}', "line 2: the columns are text;"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n{"text": ', "line 2: not valid JSON, Expecting"),
        ("a.json", '[{"text": "a", "label": "b"},\n', "line 1: not valid JSON"),
        ("a.json", '[{"text": "a"}]', '{"text": "…"}: write an array\'s objects in a line each'),
        ("a.JSON", '{"text": {"0": "a"}, "label": 0}', 'text is {"0": "a"}; expected a string'),
        ("a.csv.gz", gzip.compress(b"text,label\na,x\n", mtime=0), "it is compressed: unpack it"),
        ("a.xlsx", b"PK\x03\x04\xff", "it is a zip archive or a spreadsheet"),
        (
            "a.parquet",
            b"PAR1\n\xff",
            "line 2: the byte 0xff is not UTF-8; expected a file in UTF-8: ",
        ),
        ("a.parquet", b"PAR1\n\xff", "it is a Parquet file: convert it"),
        ("a.csv", "text,label\na,x\nb,x\n", "a.csv: label is x in all rows; expected two"),
        ("a.jsonl", '{"text": "\\ud83d", "label": "b"}', "line 1: text has half of a surrogate"),
        (
            "a.csv",
            "text,label\n" + "".join(f"a,{n}\n" for n in range(30)),
            "a.csv: label has 30 different values in 30 rows",
        ),
    ],
)
def test_a_broken_file_is_refused(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        read_table(write(tmp_path / name, content))
    assert str(caught.value).startswith(str(tmp_path / name))


def test_classes_come_from_the_training_file(tmp_path: Path) -> None:
    train = read_table(write(tmp_path / "train.csv", "text,label\na,good\nb,bad\nc, good \n"))
    assert (train.classes, train.labels) == (("bad", "good"), [1, 0, 1])
    dev = write(tmp_path / "dev.csv", "text,label\na,good\n")
    assert read_table(dev, classes=train.classes).labels == [1]
    write(dev, "text,label\na,good\nb,Good\n")
    with pytest.raises(
        ValueError, match=r"dev\.csv, line 3: label is 'Good'; expected one of bad, good"
    ):
        read_table(dev, classes=train.classes)
    unfit: Any
    # a set has another order in each process
    for unfit in ("good", {"good", "bad"}, {0: "bad", 1: "good"}, [], ["good", "good"]):
        message = rf"classes is {re.escape(repr(unfit))}; expected a list"
        with pytest.raises(ValueError, match=message):
            read_table(dev, classes=unfit)


def test_classes_that_are_numbers_may_be_given_as_such(tmp_path: Path) -> None:
    stars = write(tmp_path / "stars.csv", "text,label\na,5\nb,2\n")
    table = read_table(stars, classes=range(1, 6))
    assert (table.labels, table.classes) == ([4, 1], ("1", "2", "3", "4", "5"))
    with pytest.raises(ValueError, match="line 2: label is '5'; expected one of 1, 2"):
        read_table(stars, classes=[1, 2])
    assert read_table(stars, classes={0: "2", 1: "5"}.values()).labels == [1, 0]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a.ndjson", "a.jsonlines", "a.JSONL", "a.TSV", "a.tab"])
def test_formats_are_known_by_their_other_endings(tmp_path: Path, name: str) -> None:
    content = 'text\tlabel\n"a\tx\nb\ty\n'
    if "json" in name.lower():
        content = '{"text": "\\"a", "label": "x"}\n{"text": "b", "label": "y"}\n'
    table = read_table(write(tmp_path / name, content))
    assert (table.texts, table.labels) == (['"a', "b"], [0, 1])


def test_many_problems_are_named_together(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,label\n" + ",\n" * 4 + "a,b\n" * 2)
    with pytest.raises(ValueError, match="line 2") as caught:
        read_table(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 6
    assert "line 2: label is empty" in lines[0]
    assert lines[-1] == "and 3 more"
    write(path, "text,label\n" + ",x\n" * 5 + "a,b\n" * 2)
    with pytest.raises(ValueError, match="line 2") as caught:
        read_table(path)
    assert [line.partition(": ")[2] for line in str(caught.value).splitlines()] == [
        "text is empty; expected text: leave the row out"
    ] * 5


def test_of_a_long_value_the_beginning_is_shown(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"text": [7] * 99, "label": "a"}) + "\n")
    with pytest.raises(ValueError, match=r"text is \[(7, ){13}; expected a string"):
        read_table(path)
    path = write(tmp_path / "a.jsonl", json.dumps({"text": "a", "label": [7] * 99}) + "\n")
    with pytest.raises(ValueError, match=r"label is \[(7, ){13}; expected a name"):
        read_table(path)


def test_an_unreadable_label_is_one_problem(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "x", "label": true}\n')
    with pytest.raises(ValueError, match="label is true") as caught:
        read_table(path, classes=["a", "b"])
    assert len(str(caught.value).splitlines()) == 1


def test_pairs_and_texts_without_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "p,h,y\nA,B,0\nC,D,1\n")
    table = read_table(path, text="p", text_pair="h", label="y")
    assert table[1] == {"text": "C", "text_pair": "D", "label": 1}
    bare = read_table(path, text="p", label=None)
    assert (bare[0], bare.classes, bare.labels) == ({"text": "A"}, (), [])


def test_the_lessons_own_tables(tmp_path: Path) -> None:
    for suffix in (".csv", ".jsonl"):
        table = read_table(write_table(tmp_path / f"a{suffix}", 20, seed=0))
        assert table.classes == ("negative", "positive")
        assert len(table) == 20


def test_predictions_are_written(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'text,label\n"a\nb",x\nc,y\n')
    table = read_table(path)
    logits: Any = np.log([[0.75, 0.25], [0.9, 0.1]])
    written = write_predictions(tmp_path / "out.csv", table, logits)
    with written.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "text", "label", "predicted", "probability"],
            ["2", "a\nb", "x", "x", "0.7500"],
            ["4", "c", "y", "x", "0.9000"],
        ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "out.csv"]
    for kind in (EvalPrediction, lambda *parts: PredictionOutput(*parts, {})):
        before = written.read_text()
        for scores in (logits, (logits, "states"), logits.astype(np.float32)):
            write_predictions(written, table, kind(scores, np.array([0, 1])))
            assert written.read_text() == before
        with pytest.raises(ValueError, match="row 0 of the predictions has other labels"):
            write_predictions(written, table, kind(logits, np.array([1, 0])))
    write_predictions(written, table, torch.tensor(logits, requires_grad=True).bfloat16())
    with written.open(newline="") as file:
        sure = [float(row["probability"]) for row in csv.DictReader(file)]
    assert sure == pytest.approx([0.75, 0.9], abs=0.01)
    with pytest.raises(ValueError, match="scores are NaN in 1 of 2 rows, the first is row 1"):
        write_predictions(written, table, np.add(logits, [[0.0], [np.nan]]))
    bare = read_table(path, label=None)
    write_predictions(written, bare, logits, classes=table.classes)
    assert written.read_text().startswith("line,text,predicted,probability\n")
    with pytest.raises(ValueError, match=r"logits have shape \(2, 2\); expected \(2, 0\)"):
        write_predictions(written, bare, logits)
