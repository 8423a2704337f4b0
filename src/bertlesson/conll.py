r"""CoNLL's columns: a word on each line with its tags beside it, an empty line after a sentence.

| File       | How to read it                                                           |
| ---------- | ------------------------------------------------------------------------ |
| CoNLL-2003 | `read_conll("eng.train")`: the first column has words, the last has tags |
| CoNLL-2002 | `read_conll("esp.train", encoding="latin-1")`                            |
| WNUT, BIO  | `read_conll("train.txt")`: two columns                                   |
| UNER       | `read_conll("en-ud-dev.iob2", word=1, tag=2, comments=True)`             |
| CoNLL-U    | `read_conll("en.conllu", tag="UPOS", labels=[...])`; columns have names  |
| CoNLL-U+   | the same: the columns are those in `# global.columns`                    |

Columns are separated by tabs and spaces, by ASCII's alone: a no-break space or an ideographic one
is part of a word. In files whose columns have names only tabs separate them, since words of CoNLL-U
may contain spaces.

Tags stay as they are in the file: `bertlesson.schemes.convert_tags` converts them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .annotations import Annotated, check_tag, lines_of
from .replacing import replacing

__all__ = ["CONLL_U", "read_conll", "write_conll"]

CONLL_U = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
BLANKS = re.compile(r"[ \t]+")
UNFIT = re.compile(r"[ \t\r\n]")
NO_WORD = re.compile(r"\d+[-.]\d+")  # the number of a range of words (3-4), or of an empty node
COLUMNS_LINE = re.compile(r"#\s*global\.columns\s*=\s*(.*)")


def read_conll(
    path: str | Path,
    *,
    word: int | str | None = None,
    tag: int | str | None = -1,
    columns: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    comments: bool | None = None,
    encoding: str = "utf-8",
) -> Annotated:
    r"""Read sentences and the tags of their words.

    ``-DOCSTART-`` lines are left out. So are, in files with an ``ID`` column, ranges such as
    ``3-4`` (their words follow) and empty nodes such as ``5.1``.

    Args:
        path: The file, with or without a byte-order mark, with LF or CRLF.
        word: The column of the words, counted from 0 (or from the end, from -1), or its name.
            Default: ``FORM`` where columns have names, otherwise the first.
        tag: The column of the tags, or None to read words alone.
        columns: Names of the columns. Default: those of CoNLL-U if the file's name ends in
            ``.conllu``, or those that the file states in ``# global.columns``.
        labels: The tags that there are. Default: O, and any letter of a scheme with any kind.
        comments: Whether lines that begin with ``#`` are comments. By default they are in files
            whose columns have names; elsewhere ``#`` is a word like any other.
        encoding: The file's, such as ``"latin-1"``.

    Returns:
        The words of each sentence, and their tags; no tags if `tag` is None.

    Raises:
        ValueError: If the file has no sentence, or a line cannot be read: broken UTF-8, CR alone
            at the end of lines, more or fewer columns than in the first line, a column that is not
            there, an unknown tag. The message begins with file and line.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "names.txt"
    ...     _ = path.write_text("-DOCSTART- -X- O\n\nAda NNP I-PER\nslept VBD O\n", "utf-8")
    ...     read_conll(path)
    Annotated(texts=[['Ada', 'slept']], truth=[['I-PER', 'O']])
    """
    names = tuple(columns or (CONLL_U if Path(path).suffix.lower() == ".conllu" else ()))
    annotated = Annotated([], [])
    words: list[str] = []
    tags: list[str] = []
    first: tuple[int, str] | None = None  # how many columns there are, and where that is seen
    for place, line in [*lines_of(path, encoding), ("", "")]:
        if "\r" in line:  # otherwise all of the file would be one line
            raise ValueError(
                f"{place}: there is a carriage return within the line; expected lines that end in "
                "LF or CRLF: convert the file, perhaps with tr '\\r' '\\n'"
            )
        if stated := COLUMNS_LINE.fullmatch(line):
            names = names if columns else tuple(stated[1].split())
        named_here = bool(names)
        if line.startswith("#") and (named_here if comments is None else comments):
            continue
        row = line.split("\t") if named_here else BLANKS.split(line.strip(" \t"))
        blank = not line.strip(" \t")
        if blank or row[0] == "-DOCSTART-":
            if words:
                annotated.texts.append(words)
                annotated.truth.append(tags)
            words, tags = [], []
            continue
        first = first or (len(row), place)
        _check_width(place, row, *first, names)
        if names and names[0] == "ID" and NO_WORD.fullmatch(row[0]):
            continue
        default = "FORM" if "FORM" in names else 0
        words.append(_cell(place, row, default if word is None else word, names))
        if not words[-1]:
            raise ValueError(f"{place}: the word is empty; expected one in each line")
        if tag is not None:
            tags.append(_cell(place, row, tag, names))
            check_tag(place, tags[-1], labels)
    if not annotated.texts:
        raise ValueError(
            f"{path}: the file has no sentence; expected a word on each line, with its tag, and an "
            "empty line after each sentence"
        )
    return annotated


def write_conll(
    path: str | Path,
    sentences: Sequence[Sequence[str]],
    *columns: Sequence[Sequence[str]],
) -> None:
    r"""Write sentences with any number of columns beside the words.

    With the true tags and then the predicted ones this is the input of CoNLL's own script,
    ``perl conlleval < file``, which reads the last two columns. It knows B, I, O and E alone
    (``convert_tags(tags, "IOB2")``).

    Args:
        path: The file. It is replaced in one step, so that it is never there in part.
        sentences: The words of each sentence.
        columns: For each column a list with one item for each word of each sentence.

    Raises:
        ValueError: If a column does not have one item for each word, if a sentence or an item is
            empty, or if an item contains a space, tab or line break.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "predicted.conll"
    ...     write_conll(path, [["Ada", "slept"]], [["B-PER", "O"]], [["B-ORG", "O"]])
    ...     print(path.read_text("utf-8"), end="")
    Ada B-PER B-ORG
    slept O O
    <BLANKLINE>
    """
    blocks = []
    for number, sentence in enumerate(sentences):
        parts = [sentence, *(column[number] for column in columns if number < len(column))]
        lengths = [len(part) for part in parts]
        if len(parts) <= len(columns) or len({*lengths, len(sentence)}) > 1 or not len(sentence):
            raise ValueError(
                f"sentence {number} has {len(sentence)} words, and its columns have {lengths[1:]} "
                f"items; expected 1 or more words, and {len(columns)} columns with one item for "
                "each word"
            )
        for item in (item for part in parts for item in part):
            if not item or UNFIT.search(item):
                raise ValueError(
                    f"sentence {number} holds {item!r}; expected no empty item, and no space, tab "
                    "or line break in one: they separate columns and lines"
                )
        blocks.append("".join(" ".join(line) + "\n" for line in zip(*parts, strict=True)) + "\n")
    if any(len(column) != len(sentences) for column in columns):
        raise ValueError(
            f"there are {len(sentences)} sentences, and columns for {[len(c) for c in columns]}; "
            "expected the same number"
        )
    with replacing(path) as part:
        part.write_text("".join(blocks), "utf-8", newline="\n")


def _check_width(
    place: str, row: Sequence[str], width: int, seen: str, names: Sequence[str]
) -> None:
    if names and len(row) != len(names):
        separated = "columns separated by tabs"
        raise ValueError(
            f"{place}: there are {len(row)} {separated}; expected {len(names)}: {list(names)}"
        )
    if len(row) != width:
        hint = ": for comments, comments=True" if row[0].startswith("#") else ""
        raise ValueError(
            f"{place}: there are {len(row)} columns, separated by tabs or spaces; expected {width} "
            f"as in {seen}{hint}"
        )


def _cell(place: str, row: Sequence[str], column: int | str, names: Sequence[str]) -> str:
    at = column
    if isinstance(at, str):
        at = names.index(at) if at in names else len(row)
    if not -len(row) <= at < len(row):
        known = f"one of {list(names)}" if names else f"a number from 0 to {len(row) - 1}"
        raise ValueError(f"{place}: the column asked for is {column!r}; expected {known}")
    return row[at]
