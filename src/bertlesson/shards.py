"""Text files in shards of about equal size, so that several processes can share them.

Where shards begin depends on the files and on nothing else, so what is built from each is the same
for any number of processes. The modules that work on shards import neither torch nor transformers:
a process of its own for each core stays small.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from .texts import Documents, Part, Texts, parts_of_file

__all__ = ["Shard", "cut_shards"]

BLOCK = 2**16  # bytes to read at once


@dataclass(frozen=True)
class Shard:
    """Some of the documents, by their place in the files.

    Attributes:
        number: Its number among all shards, from 0.
        ranges: For each file that it reads its path, the first byte and the one after the last.
        ends: What ends a document, see `bertlesson.texts.read_texts`.
    """

    number: int
    ranges: tuple[tuple[str, int, int], ...]
    ends: Documents

    @property
    def size(self) -> int:
        """The number of bytes."""
        return sum(stop - start for _, start, stop in self.ranges)

    def parts(self) -> Iterator[Part]:
        """The documents in parts of limited size, see `bertlesson.texts.Texts.parts`.

        Raises:
            ValueError: If a file is not in UTF-8; the message names file and line.
        """
        for path, start, stop in self.ranges:
            yield from parts_of_file(Path(path), self.ends, start, stop)


def cut_shards(texts: Texts, size: int = 2**24) -> list[Shard]:
    r"""Cut files into shards of about equal size, where documents end.

    Args:
        texts: The files.
        size: Bytes of a shard, about. A document is never cut, so it can be larger.

    Raises:
        ValueError: If some documents are held out, or `size` is not positive.

    >>> import tempfile
    >>> from bertlesson.texts import read_texts
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.txt"
    ...     length = file.write_text("One\nTwo\nThree\nFour\n")
    ...     shards = cut_shards(read_texts(file, ends="line"), size=10)
    ...     [[part for part, _ in shard.parts()] for shard in shards]
    [['One', 'Two', 'Three'], ['Four']]
    """
    if texts.every:
        raise ValueError(
            "some documents of the texts are held out; expected whole files: hold out files"
        )
    if size < 1:
        raise ValueError(f"size is {size}; expected a number of bytes, 1 or more")
    ends = list(accumulate((path.stat().st_size for path in texts.files), initial=0))
    count = max(1, round(ends[-1] / size))
    cuts = [0]
    for number in range(1, count):
        wanted = ends[-1] * number // count
        at = bisect_left(ends, wanted)  # the first file that begins at this byte or later
        if ends[at] != wanted and texts.ends != "file":
            begin = ends[at - 1]
            wanted = begin + _next_document(texts.files[at - 1], wanted - begin, texts.ends)
        else:
            wanted = ends[at]
        cuts.append(max(wanted, cuts[-1]))
    cuts.append(ends[-1])
    shards: list[Shard] = []
    for first, last in pairwise(cuts):
        ranges = tuple(
            (str(path), max(first - begin, 0), min(last, end) - begin)
            for path, (begin, end) in zip(texts.files, pairwise(ends), strict=True)
            if max(first, begin) < min(last, end)
        )
        if ranges:
            shards.append(Shard(len(shards), ranges, texts.ends))
    return shards


def _next_document(path: Path, at: int, ends: Documents) -> int:
    """The byte where the next document begins, after the line that this byte is in."""
    with path.open("rb") as file:
        file.seek(at)
        inside, blank = True, True
        while line := file.readline(BLOCK):  # a part of it, if it is long
            ended = line.endswith(b"\n")
            blank = blank and not line.strip()
            if ended and (ends == "line" or (blank and not inside)):
                break
            if ended:
                inside, blank = False, True
        return file.tell()
