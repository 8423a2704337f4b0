r"""Plain text from files: an explicit list of files, or all files of a folder by a pattern.

All files are read once before anything else is done with them: broken UTF-8 is an error with file
and line, and empty files and exact copies are left out by name. After that the text is read again
as a stream, in parts of limited size, so neither a file nor a line needs to fit into memory.

A byte-order mark is dropped, and ``\r\n`` and ``\r`` become ``\n``.
"""

from __future__ import annotations

import codecs
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from .characters import has_half_pair

__all__ = ["Documents", "Texts", "not_utf8", "parts_of", "parts_of_file", "read_texts"]

Documents = Literal["file", "blank line", "line"]
Part = tuple[str, bool]  # some text of a document, and whether it is the last of the document

BLOCK = 2**16  # bytes to read at once
PART = 2**16  # characters of a document to pass on at once
KINDS = {  # how files that are no text begin, and what to do with them
    b"\x1f\x8b": "it is compressed: unpack it",
    b"PK\x03\x04": "it is a zip archive or a spreadsheet: unpack it, or save the sheet as CSV",
    b"PAR1": "it is a Parquet file: convert it, with pandas.read_parquet and to_json",
    b"%PDF": "it is a PDF: save its text in a file",
}
MOST = 16 * PART  # of text without white space: then it is cut anywhere


@dataclass(frozen=True)
class Texts:
    """Documents in files. Iterating over them reads the files, as often as you like.

    ``print(texts)`` says what was found and what was left out.

    Attributes:
        files: The files that are read, in order, as absolute paths.
        left_out: The files that are not, each with the reason.
        documents: The number of documents.
        characters: The number of characters in all documents.
        ends: What ends a document, see `read_texts`.
        every: Every how many documents one is held out, see `hold_out`; 0 if none is.
        held_out: Whether these are the documents that are held out, or the others.
    """

    files: tuple[Path, ...]
    left_out: dict[Path, str]
    documents: int
    characters: int
    ends: Documents = "file"
    every: int = field(default=0, repr=False)
    held_out: bool = field(default=False, repr=False)

    def __iter__(self) -> Iterator[str]:
        """Each document as one string."""
        text: list[str] = []
        for part, last in self.parts():
            text.append(part)
            if last:
                yield "".join(text)
                text = []

    def __len__(self) -> int:
        """The number of documents."""
        return self.documents

    def __str__(self) -> str:
        """What was found and what was left out, in a line each."""
        lines = [
            f"{_count(len(self.files), 'file')}, {_count(self.documents, 'document')}, "
            f"{_count(self.characters, 'character')}"
        ]
        return "\n".join([*lines, *(f"left out: {p} ({why})" for p, why in self.left_out.items())])

    def parts(self) -> Iterator[Part]:
        """The documents in parts of about 65,000 characters at most.

        A part ends where white space begins. Only if there is none within a million characters does
        it end somewhere else.

        Yields:
            Some text, and whether it ends its document. The parts of a document add up to it.
        """
        number = 0
        for path in self.files:
            for part, last in parts_of_file(path, self.ends):
                if not self.every or (number % self.every == 0) == self.held_out:
                    yield part, last
                number += last

    def hold_out(self, every: int = 20) -> tuple[Texts, Texts]:
        """Set documents aside to measure on: the first, and then one of every so many.

        Args:
            every: 20 holds out one document in 20.

        Returns:
            The documents to train on, and those held out.

        Raises:
            ValueError: If either would be empty.
        """
        if every < 2 or self.documents < 2 or self.every:
            raise ValueError(
                f"one of every {every} documents was to be held out of {self.documents}; expected "
                "2 documents or more, of which none is held out yet: give a file to measure on, "
                'or let documents end at each "blank line" or "line"'
            )
        count, characters = -(-self.documents // every), 0
        held = replace(self, every=every, held_out=True, documents=count)
        characters = sum(len(part) for part, _ in held.parts())
        return (
            replace(
                self,
                every=every,
                documents=self.documents - count,
                characters=self.characters - characters,
            ),
            replace(held, characters=characters),
        )


def read_texts(
    paths: str | Path | Iterable[str | Path],
    *,
    pattern: str = "**/*.txt",
    ends: Documents = "file",
) -> Texts:
    r"""Find the files, check all of them, and count the documents.

    Args:
        paths: A file, a folder, or several of them. A file is read whatever its name is.
        pattern: Which files of a folder to read, as for `pathlib.Path.glob`; ``**/`` includes all
            folders within. Files and folders whose name begins with a dot are left out.
        ends: What ends a document: the end of its ``"file"``, a ``"blank line"`` (as in the
            reference's input and the lesson's stories), or each ``"line"``.

    Raises:
        FileNotFoundError: If a path does not exist.
        ValueError: If a file is not in UTF-8, no file matches, or none has any text.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, text in {"a.txt": "One.\n\nTwo.", "b.txt": " ", "c.md": "Three."}.items():
    ...         _ = (Path(folder) / name).write_text(text)
    ...     texts = read_texts(folder, ends="blank line")
    ...     list(texts), [(path.name, why) for path, why in texts.left_out.items()]
    (['One.', 'Two.'], [('c.md', 'no match of **/*.txt'), ('b.txt', 'empty')])
    """
    if ends not in get_args(Documents):
        raise ValueError(f"ends is {ends!r}; expected one of {get_args(Documents)}")
    found: dict[Path, None] = {}
    left_out: dict[Path, str] = {}
    given = [paths] if isinstance(paths, (str, Path)) else list(paths)
    for path in map(Path, given):
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist; expected a text file or a folder")
        if path.is_dir():
            found |= dict.fromkeys(_of_folder(path, pattern, left_out))
        else:
            found[path] = None
    if not found:
        named = ", ".join(map(str, given)) or "the empty list of paths"
        raise ValueError(
            f"{named} has no file that matches {pattern}; expected one or more: "
            "give another pattern, such as '**/*.md', or name the files"
        )
    files: list[Path] = []
    seen: dict[bytes, Path] = {}
    documents = characters = 0
    for path in found:
        digest = hashlib.blake2b(digest_size=20)
        docs = chars = 0
        for part, last in parts_of_file(path, ends):
            # a document that contains the mark of its own end is improbable, and no catastrophe
            digest.update(part.encode() + b"\0" * last)
            docs, chars = docs + last, chars + len(part)
        if not docs:
            left_out[path] = "empty"
        elif (first := seen.setdefault(digest.digest(), path)) != path:
            left_out[path] = f"a copy of {first}"
        else:
            files.append(path.absolute())  # a program may change its directory
            documents, characters = documents + docs, characters + chars
    if not files:
        raise ValueError(f"{', '.join(map(str, found))}: no text; expected at least one document")
    return Texts(tuple(files), left_out, documents, characters, ends)


def parts_of(texts: Iterable[str]) -> Iterator[Part]:
    """Documents in parts of limited size, see `Texts.parts`.

    Args:
        texts: `Texts`, or anything that yields documents as strings, such as a column of
            `datasets`. Documents without text are left out.

    Raises:
        TypeError: If `texts` is one string, or yields anything but strings.
        ValueError: If a document has half of a surrogate pair.

    >>> list(parts_of(["One document.", " ", "Another."]))
    [('One document.', True), ('Another.', True)]
    """
    if isinstance(texts, str):
        raise TypeError(f"texts is the string {texts[:40]!r}; expected documents: pass a list")
    return texts.parts() if isinstance(texts, Texts) else _parts_of_strings(texts)


def _parts_of_strings(texts: Iterable[str]) -> Iterator[Part]:
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(
                f"document {number} is {type(text).__name__}; expected a string: "
                "pass the column with the text"
            )
        if has_half_pair(text):
            raise ValueError(
                f"document {number} has half of a surrogate pair; expected whole characters"
            )
        yield from _parts([text], "file")


def parts_of_file(
    path: Path, ends: Documents, start: int = 0, stop: int | None = None
) -> Iterator[Part]:
    """The documents of a file, or of a stretch of it, in parts; see `Texts.parts`.

    Args:
        path: The file.
        ends: Where documents end, see `read_texts`.
        start: The byte to begin at, where a document begins.
        stop: The byte to stop before, where one ends. Default: the end of the file.

    Raises:
        ValueError: If it is not in UTF-8; the message names file and line.
    """
    return _parts(_blocks(path, start, stop), ends)


def not_text(head: bytes) -> str:
    r"""What a file is that does not hold text, and what to do with it; empty if that is unknown.

    Args:
        head: How it begins.

    >>> not_text(b"\x1f\x8b\x08"), not_text(b"caf\xe9")
    ('it is compressed: unpack it', '')
    """
    return next((advice for mark, advice in KINDS.items() if head.startswith(mark)), "")


def not_utf8(path: Path, line: int, error: UnicodeDecodeError) -> str:
    """The message for a file in another encoding.

    Args:
        path: The file.
        line: The line of the first byte that is wrong, from 1.
        error: What the decoder raised.
    """
    if error.object.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and line == 1:
        likely = "UTF-16"
    else:
        likely = "WINDOWS-1252"
    advice = f"convert it, perhaps with iconv -f {likely} -t UTF-8"
    return (
        f"{path}, line {line}: the byte 0x{error.object[error.start]:02x} is not UTF-8; expected a "
        f"file in UTF-8: {not_text(error.object) or advice}"
    )


def _of_folder(folder: Path, pattern: str, left_out: dict[Path, str]) -> list[Path]:
    """The files that match, in order; the others are entered in `left_out`."""
    matching = {path for path in folder.glob(pattern) if path.is_file()}
    files = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            if path in matching:
                left_out[path] = "hidden"
        elif path in matching:
            files.append(path)
        else:
            left_out[path] = f"no match of {pattern}"
    return files


def _blocks(path: Path, start: int, stop: int | None) -> Iterator[str]:
    """The text between two bytes of a file, in blocks that may end anywhere."""
    utf8 = codecs.getincrementaldecoder("utf-8" if start else "utf-8-sig")()
    decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
    lines = 0
    with path.open("rb") as file:
        file.seek(start)
        while True:
            raw = file.read(BLOCK if stop is None else min(BLOCK, stop - file.tell()))
            try:
                yield decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                lines += _lines_before(path, start) + error.object.count(b"\n", 0, error.start)
                problem = not_utf8(path, lines + 1, error)
                raise ValueError(f"{problem}") from None
            if not raw:
                return
            lines += raw.count(b"\n")


def _lines_before(path: Path, stop: int) -> int:
    lines = 0
    with path.open("rb") as file:
        while stop > 0 and (raw := file.read(min(BLOCK, stop))):
            lines += raw.count(b"\n")
            stop -= len(raw)
    return lines


def _parts(blocks: Iterable[str], ends: Documents) -> Iterator[Part]:
    """Join the fragments of each document, and cut it into parts; leave out empty documents."""
    held, size, started = [], 0, False
    for fragment, last in _fragments(blocks, ends):
        held.append(fragment)
        size += len(fragment)
        if size < PART and not last:
            continue
        text = "".join(held)
        text = text.rstrip() if last else text
        text = text if started else text.lstrip()
        while len(text) > PART:
            cut = _last_space(text[:PART]) or _last_space(text[:MOST])
            if not cut:
                if len(text) < MOST and not last:
                    break
                cut = MOST
            started = True
            yield text[:cut], False
            text = text[cut:]
        if last and (text or started):
            yield text, True
        held, size = ([], 0) if last else ([text], len(text))
        started = started and not last


def _last_space(text: str) -> int:
    """Where the white space before the last word begins; 0 if there is none within."""
    head = text.rsplit(None, 1)
    return len(head[0]) if len(head) == 2 else 0


def _fragments(blocks: Iterable[str], ends: Documents) -> Iterator[Part]:
    """Text as it comes, and whether a document ends after it."""
    blank = True  # so far, the line that is being read
    for block in blocks:
        if ends == "file":
            yield block, False
            continue
        *lines, rest = block.split("\n")  # not splitlines, which takes U+2028 for an end as well
        for line in lines:
            if ends == "line":
                yield line, True
            else:
                blank = blank and not line.strip()
                yield line + "\n", blank
                blank = True
        yield rest, False
        blank = blank and not rest.strip()
    yield "", True


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"
