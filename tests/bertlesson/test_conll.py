"""Files of columns: what is a word in them, and what is wrong with them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from bertlesson.annotations import Annotated
from bertlesson.conll import read_conll, write_conll

UNIVERSAL = """\
# text = Vámonos al mar
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\t_\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\t_\t_\t5\tcase\t_\t_
4\tel\tel\tDET\t_\t_\t5\tdet\t_\t_
5\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\t_
5.1\tfue\tir\tVERB\t_\t_\t_\t_\t1:conj\t_

# sent_id = 2
1\t20 000\t20 000\tNUM\t_\t_\t0\troot\t_\t_
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.txt"


@pytest.mark.parametrize(
    "text",
    [
        "Ada NNP I-PER\nslept VBD O\n\nMalta NNP B-LOC\n",
        "Ada NNP I-PER\nslept VBD O\n\nMalta NNP B-LOC",  # no final line end
        "\ufeffAda NNP I-PER\nslept VBD O\n\nMalta NNP B-LOC\n",
        "Ada NNP I-PER\r\nslept VBD O\r\n\r\nMalta NNP B-LOC\r\n",
        "Ada\tNNP\tI-PER\nslept\tVBD\tO\n\nMalta\tNNP\tB-LOC\n",
        "Ada  NNP \tI-PER \nslept VBD O\n \t\n\n\nMalta NNP B-LOC\n\n\n",
        "-DOCSTART- -X- O\n\nAda NNP I-PER\nslept VBD O\n-DOCSTART- -X- O\nMalta NNP B-LOC\n",
        "\ufeff-DOCSTART- -X- O O\n\nAda NNP I-PER\nslept VBD O\n\nMalta NNP B-LOC\n",
    ],
)
def test_sentences_are_read_with_their_tags(file: Path, text: str) -> None:
    file.write_bytes(text.encode())
    assert read_conll(file) == (
        [["Ada", "slept"], ["Malta"]],
        [["I-PER", "O"], ["B-LOC"]],
    )


@pytest.mark.parametrize("space", ["\u00a0", "\u3000", "\u2028", "\x85", "\x0b", "\x1c", "\u200b"])
def test_only_ascii_spaces_and_tabs_end_a_word(file: Path, space: str) -> None:
    word = f"20{space}000"
    file.write_text(f"{word} O\n{space} O\n", "utf-8")
    assert read_conll(file).texts == [[word, space]]


def test_a_word_may_begin_with_a_number_sign(file: Path) -> None:
    file.write_text("# O\n#1 B-X\n", "utf-8")
    assert read_conll(file).texts == [["#", "#1"]]
    assert read_conll(file, comments=False).texts == [["#", "#1"]]
    file.write_text("# id 1 domain=en\nAda B-PER\n", "utf-8")
    assert read_conll(file, comments=True).texts == [["Ada"]]
    with pytest.raises(ValueError, match=r"file.txt:2: there are 2 columns.*4\b.*file.txt:1$"):
        read_conll(file, labels=["id", "domain=en"])


def test_universal_dependencies_have_ranges_empty_nodes_and_words_with_spaces(
    tmp_path: Path,
) -> None:
    path = tmp_path / "es.conllu"
    path.write_text(UNIVERSAL, "utf-8")
    parts = ["VERB", "PRON", "ADP", "DET", "NOUN", "NUM"]
    expected = [["Vamos", "nos", "a", "el", "mar"], ["20 000"]]
    assert read_conll(path, tag="UPOS", labels=parts) == (
        expected,
        [["VERB", "PRON", "ADP", "DET", "NOUN"], ["NUM"]],
    )
    assert read_conll(path, tag=None) == (expected, [[], []])
    assert read_conll(path, word="LEMMA", tag=None).texts[1] == ["20 000"]
    with pytest.raises(ValueError, match=r"es.conllu:3: the tag is '_'.*choose the column"):
        read_conll(path)
    with pytest.raises(ValueError, match=r"es.conllu:3: the column asked for is 'NER'; .*'UPOS'"):
        read_conll(path, tag="NER")


def test_columns_may_be_named_by_the_file_or_by_the_caller(file: Path) -> None:
    rows = "1\tAda\tB-PER\n2\tslept\tO\n"
    file.write_text(f"# global.columns = ID FORM NER\n{rows}", "utf-8")
    expected = Annotated([["Ada", "slept"]], [["B-PER", "O"]])
    assert read_conll(file) == read_conll(file, tag="NER") == expected
    file.write_text(rows, "utf-8")
    assert read_conll(file, columns=["ID", "FORM", "NER"], tag="NER") == expected
    assert read_conll(file, word=1, tag=2) == read_conll(file, word=-2) == expected
    message = r"file.txt:1: there are 3 columns separated by tabs; expected 2: \['FORM', 'NER'\]"
    with pytest.raises(ValueError, match=message):
        read_conll(file, columns=["FORM", "NER"])


def test_lines_of_another_width_that_look_like_comments_are_said_to(file: Path) -> None:
    file.write_text("Ada B-PER\n\n# a new text\nAda B-PER\n", "utf-8")
    with pytest.raises(ValueError, match=r"file.txt:3: .*file.txt:1: for comments, comments=True$"):
        read_conll(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "file.txt: the file has no sentence"),
        (b"\n\n-DOCSTART- -X- O\n", "file.txt: the file has no sentence"),
        (
            b"Ada B-PER\n\nslept\n",
            "file.txt:3: there are 1 columns.*expected 2 as in .*file.txt:1$",
        ),
        (b"Ada B-PER\nslept VBD O\n", "file.txt:2: there are 3 columns"),
        (b"Ada B-PER\nslept X\n", "file.txt:2: the tag is 'X'; expected O, or B, I, E or S"),
        (b"Ada B-PER\nslept b-per\n", "file.txt:2: the tag is 'b-per'"),
        (
            gzip.compress(b"Ada B-PER", mtime=0),
            "file.txt:1: byte 2 is 0x8b; expected utf-8: it is compressed",
        ),
        (b"Ada B-PER\rslept O\r", "file.txt:1: there is a carriage return within the line; .* LF"),
        (b"Ada B-PER\n\xe9t\xe9 O\n", "file.txt:2: byte 1 is 0xe9; expected utf-8"),
    ],
)
def test_what_cannot_be_read_is_named_by_file_and_line(
    file: Path, content: bytes, message: str
) -> None:
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_conll(file)


def test_labels_and_encoding_are_those_asked_for(file: Path) -> None:
    file.write_bytes("été B-TIME\n".encode("latin-1"))
    assert read_conll(file, encoding="latin-1").texts == [["été"]]
    with pytest.raises(ValueError, match=r"file.txt:1: the tag is 'B-TIME'; expected one of"):
        read_conll(file, encoding="latin-1", labels=["O", "B-PER"])
    with pytest.raises(ValueError, match=r"file.txt:1: the column asked for is 4; .* from 0 to 1"):
        read_conll(file, encoding="latin-1", tag=4)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_lines_may_end_in_more_than_one_byte(file: Path, encoding: str) -> None:
    """U+0A0A has the bytes of two line feeds."""
    text = "\ufeffAda B-PER\r\n\u0a0a O\n\nBergen B-LOC\n"
    file.write_bytes(text.encode(encoding))
    found = read_conll(file, encoding=encoding)
    assert found.texts == [["Ada", "\u0a0a"], ["Bergen"]]
    assert found.truth == [["B-PER", "O"], ["B-LOC"]]
    file.write_bytes(text.encode(encoding)[:-1])
    with pytest.raises(ValueError, match=rf"file.txt: byte \d+ is 0x..; expected {encoding}: save"):
        read_conll(file, encoding=encoding)


def test_what_is_written_can_be_read(file: Path) -> None:
    words = [["a\u00a0b"] * 10_000, ["#", "b"]]
    tags = [["B-X"] * 10_000, ["O", "I-X"]]
    write_conll(file, words, tags)
    assert read_conll(file) == (words, tags)
    write_conll(file, words, tags, tags)
    assert read_conll(file, tag=1) == (words, tags)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("words", "columns", "message"),
    [
        ([["a b"]], [[["O"]]], "sentence 0 holds 'a b'"),
        ([["a"], [""]], [[["O"], ["O"]]], "sentence 1 holds ''"),
        ([["a"]], [[["O", "O"]]], r"sentence 0 has 1 words, and its columns have \[2\]"),
        ([["a"], ["b"]], [[["O"]]], r"sentence 1 has 1 words"),
        ([["a"]], [[["O"], ["O"]]], r"there are 1 sentences, and columns for \[2\]"),
        ([[]], [[[]]], "sentence 0 has 0 words"),
    ],
)
def test_nothing_is_written_that_could_not_be_read(
    file: Path, words: list[list[str]], columns: list[list[list[str]]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_conll(file, words, *columns)
    assert not file.exists()


def test_columns_may_be_arrays(file: Path) -> None:
    write_conll(file, np.array([["Ada", "slept"]]), np.array([["B-PER", "O"]]))
    assert read_conll(file) == ([["Ada", "slept"]], [["B-PER", "O"]])
