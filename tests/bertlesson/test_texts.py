"""Text files: what is read, what is left out, and what is refused with file and line."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from bertlesson.texts import PART, parts_of, parts_of_file, read_texts


def write(folder: Path, **files: str | bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / f"{name}.txt").write_bytes(data)
    return folder


def test_a_folder_is_read_in_order_and_what_is_left_out_is_named(tmp_path: Path) -> None:
    write(tmp_path, b="Two.", a="One.", c=" \n\n", copy="One.\n", e="")
    write(tmp_path / "within", train="Three.")
    write(tmp_path / ".cache", d="Four.")
    (tmp_path / "notes.md").write_text("Five.")
    texts = read_texts(tmp_path)
    assert list(texts) == ["One.", "Two.", "Three."]
    assert (len(texts), texts.documents, texts.characters) == (3, 3, len("One.Two.Three."))
    assert {path.name: why for path, why in texts.left_out.items()} == {
        "c.txt": "empty",
        "e.txt": "empty",
        "copy.txt": f"a copy of {tmp_path / 'a.txt'}",
        "d.txt": "hidden",
        "notes.md": "no match of **/*.txt",
    }
    assert str(texts).splitlines()[0] == "3 files, 3 documents, 14 characters"
    assert str(texts).count("left out: ") == 5
    one = read_texts(tmp_path, pattern="*.md")
    assert list(one) == ["Five."]
    assert str(one).splitlines()[0] == "1 file, 1 document, 5 characters"


def test_files_are_read_whatever_their_names_and_once(tmp_path: Path) -> None:
    write(tmp_path, a="One.", b="Two.")
    (tmp_path / "README").write_text("Three.")
    paths = [tmp_path / "b.txt", tmp_path / "README", tmp_path / "b.txt"]
    assert list(read_texts(paths)) == ["Two.", "Three."]
    assert list(read_texts(str(tmp_path / "a.txt"))) == ["One."]


def test_files_are_found_from_another_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "folder", a="One.", copy="One.")
    monkeypatch.chdir(tmp_path)
    texts = [read_texts("folder"), read_texts(Path("folder", "a.txt"))]
    monkeypatch.chdir("/")
    assert [list(some) for some in texts] == [["One."]] * 2
    assert str(texts[0]).endswith(
        f"left out: {Path('folder', 'copy.txt')} (a copy of {Path('folder', 'a.txt')})"
    )


def test_marks_and_line_ends_of_windows_are_dropped(tmp_path: Path) -> None:
    write(tmp_path, a=b"\xef\xbb\xbfOne\r\nline.\r\n\r\nTwo\rlines.\r\n")
    assert list(read_texts(tmp_path)) == ["One\nline.\n\nTwo\nlines."]
    assert list(read_texts(tmp_path, ends="blank line")) == ["One\nline.", "Two\nlines."]
    assert list(read_texts(tmp_path, ends="line")) == ["One", "line.", "Two", "lines."]


def test_only_line_feeds_end_lines(tmp_path: Path) -> None:
    text = "One\u2028still one\x0cand\x85still"
    write(tmp_path, a=text + "\n \t\n\n\nTwo")
    assert list(read_texts(tmp_path, ends="blank line")) == [text, "Two"]
    assert list(read_texts(tmp_path, ends="line")) == [text, "Two"]


@pytest.mark.parametrize("at", [0, 70_000, 2**16 - 1, 2**16])
def test_broken_utf8_is_refused_with_file_and_line(tmp_path: Path, at: int) -> None:
    good = b"caf\xc3\xa9 line\n"
    before = good * (at // len(good)) + b"x" * (at % len(good))
    write(tmp_path, good="fine", latin=before + "caf\xe9 au lait\n".encode("latin-1"))
    line = before.count(b"\n") + 1
    with pytest.raises(ValueError, match=rf"latin\.txt, line {line}: the byte 0xe9 is not UTF-8"):
        read_texts(tmp_path)
    write(tmp_path, latin="One".encode("utf-16"))
    with pytest.raises(ValueError, match="iconv -f UTF-16"):
        read_texts(tmp_path)
    write(tmp_path, latin=gzip.compress(b"One"))
    with pytest.raises(ValueError, match=r"in UTF-8: it is compressed: unpack it$"):
        read_texts(tmp_path)
    write(tmp_path, latin=b"cut \xc3")  # in the middle of a character
    with pytest.raises(ValueError, match=r"latin\.txt, line 1: the byte 0xc3"):
        read_texts(tmp_path)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist; expected a text file"):
        read_texts(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"has no file that matches \*\*/\*\.txt"):
        read_texts(tmp_path)
    with pytest.raises(ValueError, match=r"^the empty list of paths has no file that"):
        read_texts([])
    write(tmp_path, a="\n")
    with pytest.raises(ValueError, match=r"a\.txt: no text; expected at least one"):
        read_texts(tmp_path)
    with pytest.raises(ValueError, match="ends is 'paragraph'; expected one of"):
        read_texts(tmp_path, ends="paragraph")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="document 1 has half of a surrogate pair"):
        list(parts_of(["One.", "Two \ud83d."]))
    with pytest.raises(TypeError, match="texts is the string 'One"):
        list(parts_of("One."))
    with pytest.raises(TypeError, match="document 1 is NoneType; expected a string"):
        list(parts_of(["One.", None]))  # type: ignore[list-item]


def test_parts_add_up_and_begin_where_white_space_does(tmp_path: Path) -> None:
    rng = random.Random(0)
    words = ["word", "naïve", "字字字", "a\u0301", "🙂"]
    text = "".join(
        rng.choice(words) + rng.choice([" ", "\n", "  ", "\t", "\n\n"]) for _ in range(80_000)
    ).strip()
    write(tmp_path, long=text, short="Short.", empty="\n" * 200_000)
    texts = read_texts(tmp_path)
    assert list(texts) == [text, "Short."]
    parts = list(texts.parts())
    assert [part for part, last in parts if last][1:] == ["Short."]
    assert max(len(part) for part, _ in parts) <= PART
    starts = [part for part, _ in parts[1:-1]]
    assert len(starts) > 3
    assert all(part[0].isspace() for part in starts)
    assert not any(part[-1].isspace() for part, _ in parts)


@pytest.mark.slow
def test_a_line_of_ten_megabytes_is_read_in_parts(tmp_path: Path) -> None:
    spaced, solid = "word " * 2_000_000, "字" * 3_400_000
    write(tmp_path, solid=solid, spaced=spaced)
    texts = read_texts(tmp_path, ends="line")
    assert list(texts) == [solid, spaced.rstrip()]
    assert max(len(part) for part, _ in texts.parts()) <= 16 * PART


def test_one_of_so_many_documents_is_held_out(tmp_path: Path) -> None:
    write(tmp_path, a="0\n\n1\n\n2", b="3\n\n4\n\n5\n\n6")
    texts = read_texts(tmp_path, ends="blank line")
    train, held_out = texts.hold_out(every=3)
    assert (list(train), list(held_out)) == (["1", "2", "4", "5"], ["0", "3", "6"])
    assert (len(train), train.characters, len(held_out), held_out.characters) == (4, 4, 3, 3)
    with pytest.raises(ValueError, match="held out of 4; expected 2 documents or more"):
        train.hold_out()
    with pytest.raises(ValueError, match="one of every 20 documents was to be held out of 1"):
        read_texts(tmp_path / "a.txt").hold_out()


def test_of_two_documents_one_is_held_out(tmp_path: Path) -> None:
    write(tmp_path, a="0\n\n1")
    train, held_out = read_texts(tmp_path, ends="blank line").hold_out(every=2)
    assert (list(train), list(held_out)) == (["1"], ["0"])
    with pytest.raises(ValueError, match="one of every 1 documents was to be held out of 2"):
        read_texts(tmp_path, ends="blank line").hold_out(every=1)


def test_a_stretch_of_a_file_is_read(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfOne\n" + "\ufeffdeux é\nTrois\n".encode()
    write(tmp_path, a=content)
    path, start = tmp_path / "a.txt", len(b"\xef\xbb\xbfOne\n")
    assert list(parts_of_file(path, "line", 0, start)) == [("One", True)]
    assert list(parts_of_file(path, "line", start)) == [("\ufeffdeux é", True), ("Trois", True)]
    assert list(parts_of_file(path, "line", len(content) - 6)) == [("Trois", True)]


@pytest.mark.parametrize("before", [1, 3, 2**16 - 1, 2**16, 2**17 + 1])
def test_broken_utf8_in_a_stretch_is_told_by_the_line_in_the_file(
    tmp_path: Path, before: int
) -> None:
    write(tmp_path, a=b"\n" * before + b"good\nbad \xe9\n" + b"more\n" * 9)
    with pytest.raises(ValueError, match=rf"a\.txt, line {before + 2}: the byte 0xe9"):
        list(parts_of_file(tmp_path / "a.txt", "line", before))
