"""Rows of a fixed length for pretraining, tokenized once: no token of any document is lost.

The special tokens are the tokenizer's own: what it puts before a text opens each row, what it puts
after one closes each row and separates documents in it. For BERT these are ``[CLS]`` and ``[SEP]``,
for RoBERTa ``<s>`` and ``</s>``.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding
from tqdm.auto import tqdm
from transformers import PreTrainedTokenizerBase

from .replacing import replacing
from .texts import Part, Texts, parts_of

__all__ = ["Row", "TokenRows", "encode_rows", "special_ends"]

Row = dict[str, list[int]]

AT_ONCE = 2**18  # characters to tokenize in one call
SPECIAL = -1  # the word of a special token


class TokenRows:
    """Rows kept as one array of 4 bytes a token, in memory or in a file: a dataset for `Trainer`.

    Args:
        rows: What `encode_rows` yields.
        file: Keep the array in this file instead of in memory. The file is written beside it and
            moved into place at the end. An existing one is replaced.

    Raises:
        ValueError: If there are no rows.

    >>> rows = TokenRows([{"input_ids": [2, 7, 3]}, {"input_ids": [2, 8, 9, 3]}])
    >>> len(rows), rows[-1], rows.tokens
    (2, {'input_ids': [2, 8, 9, 3]}, 7)
    """

    def __init__(self, rows: Iterable[Row], file: str | Path | None = None) -> None:
        self._file = None if file is None else Path(file).absolute()
        self._keys: list[str] = []
        self._ends: NDArray[Any]
        self._flat: NDArray[Any]  # (tokens, keys)
        with nullcontext() if file is None else replacing(file) as part:
            self._collect(rows, part)
        if file is not None:
            self._flat = np.memmap(file, np.int32, "r")
        self._flat = self._flat.reshape(-1, len(self._keys))

    def _collect(self, rows: Iterable[Row], part: Path | None) -> None:
        ends, flat = array("q", [0]), array("i")
        file = None if part is None else part.open("wb")
        for row in rows:
            self._keys = self._keys or list(row)
            if len(self._keys) == 1:
                flat.extend(row[self._keys[0]])
            else:  # values that belong to a token side by side
                flat.extend(np.array([row[key] for key in self._keys], np.int32).T.ravel())
            ends.append(ends[-1] + len(row[self._keys[0]]))
            if file and len(flat) > 2**20:
                file.write(flat)
                flat = array("i")
        if file:
            file.write(flat)
            file.close()
        if len(ends) == 1:
            raise ValueError("there are no rows; expected text: are all documents empty?")
        self._ends = np.array(ends)
        self._flat = np.array(flat, np.int32)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the array, if that is in a file."""
        return self.__dict__ if self._file is None else self.__dict__ | {"_flat": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy in a loader's worker opens the file itself."""
        self.__dict__.update(state)
        if self._file is not None:
            self._flat = np.memmap(self._file, np.int32, "r").reshape(-1, len(self._keys))

    def __len__(self) -> int:
        """The number of rows."""
        return len(self._ends) - 1

    @property
    def tokens(self) -> int:
        """The number of tokens, special ones included."""
        return int(self._ends[-1])

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        """One row, as `encode_rows` yields it; for a slice such as ``[:100]`` a list of them."""
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        index = range(len(self))[index]
        columns = self._flat[self._ends[index] : self._ends[index + 1]]
        return {key: columns[:, at].tolist() for at, key in enumerate(self._keys)}

    def __iter__(self) -> Iterator[Row]:
        """All rows in order."""
        return (self[index] for index in range(len(self)))

    def share_of(self, token_id: int | None) -> float:
        """The share of the tokens that are this one, such as the unknown token."""
        at = self._keys.index("input_ids")
        found = 0
        for start in range(0, self.tokens, 2**20):
            found += int((self._flat[start : start + 2**20, at] == token_id).sum())
        return found / self.tokens


def encode_rows(
    texts: Iterable[str],
    tokenizer: PreTrainedTokenizerBase,
    length: int,
    *,
    join: bool = True,
    word_ids: bool = False,
    progress: bool = False,
) -> Iterator[Row]:
    """Tokenize documents and fill rows with them, as a stream.

    Special tokens that are spelled out in a text, such as "[MASK]", are taken for text.

    Args:
        texts: `Texts`, or anything that yields documents as strings.
        tokenizer: A fast tokenizer of any kind.
        length: The length of a row in tokens, special tokens included.
        join: Fill each row, with several documents where they are short. Only the very last row is
            shorter, and one whose document ends just before the row does. If False, each document
            begins a row of its own, and what is left at its end becomes a shorter row.
        word_ids: Add a key of this name to each row, for whole-word masking with a vocabulary that
            does not mark the pieces which continue a word: the number of each token's word, and -1
            for special tokens. `Trainer` drops it unless ``remove_unused_columns=False``.
        progress: Show a progress bar with the rate and the time left.

    Yields:
        Rows with ``input_ids``.

    Raises:
        TypeError: If the tokenizer is not a fast one, or `texts` does not yield strings.
        ValueError: If the tokenizer or a row has no room for text of this length.

    >>> from transformers import BertTokenizer
    >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] a great film".split()
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> for row in encode_rows(["A great film", "A film"], tokenizer, length=6):
    ...     print(tokenizer.decode(row["input_ids"]))
    [CLS] a great film [SEP]
    [CLS] a film [SEP]
    """
    first, last = special_ends(tokenizer)
    room = length - len(first) - len(last)
    if room < 1 or length > tokenizer.model_max_length:
        raise ValueError(
            f"length is {length}; expected from {len(first) + len(last) + 1} to "
            f"{tokenizer.model_max_length}: the tokenizer adds {len(first) + len(last)} special "
            "tokens to a row, and its model reads no more than its model_max_length"
        )
    return _fill(texts, tokenizer, first, last, room, join, word_ids, progress)


def special_ends(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """The special tokens that a tokenizer puts before and after a text.

    Args:
        tokenizer: A fast tokenizer of any kind.

    Raises:
        TypeError: If it is not a fast one.

    >>> from transformers import BertTokenizer
    >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK]".split()
    >>> special_ends(BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}))
    ([2], [3])
    """
    if not tokenizer.is_fast:
        raise TypeError(
            f"{type(tokenizer).__name__} is not a fast tokenizer; expected one: "
            "load it with AutoTokenizer.from_pretrained"
        )
    ids = tokenizer("", truncation=False, padding=False)["input_ids"]
    marked = tokenizer("a", truncation=False, padding=False, return_special_tokens_mask=True)
    before = [*marked["special_tokens_mask"], 0].index(0)
    return list(ids[:before]), list(ids[before:])


def _fill(
    texts: Iterable[str],
    tokenizer: PreTrainedTokenizerBase,
    first: list[int],
    last: list[int],
    room: int,
    join: bool,
    word_ids: bool,
    progress: bool,
) -> Iterator[Row]:
    ids: list[int] = []  # of the row that is being filled, and of those after it
    words: list[int] = []
    next_word = 0
    pieces = 0  # of the document

    def row(start: int) -> Row:
        filled = {"input_ids": [*first, *ids[start : start + room], *last]}
        if word_ids:
            own = words[start : start + room]
            number = next((word for word in own if word != SPECIAL), 0)  # each row counts from 0
            own = [word if word == SPECIAL else word - number for word in own]
            filled["word_ids"] = [*[SPECIAL] * len(first), *own, *[SPECIAL] * len(last)]
        return filled

    for encoding, ends in _encodings(texts, tokenizer, progress):
        ids += encoding.ids
        pieces += len(encoding.ids)
        if word_ids:
            own = [SPECIAL if word is None else next_word + word for word in encoding.word_ids]
            next_word = max(own, default=next_word - 1) + 1
            words += own
        start = 0
        while len(ids) - start > room:
            yield row(start)
            start += room
        ids, words = ids[start:], words[start:]
        if not ends or not pieces:  # nothing is left of a document that the tokenizer drops
            continue
        pieces = 0
        if join and len(ids) + len(last) < room:
            ids += last
            words += [SPECIAL] * len(last)
        else:
            yield row(0)
            ids, words = [], []
    if ids:  # the last document has a separator after it
        ids = ids[: len(ids) - len(last)]
        words = words[: len(ids)]
        yield row(0)


def _encodings(
    texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, progress: bool
) -> Iterator[tuple[Encoding, bool]]:
    """Each part of a document, tokenized without special tokens, and whether it is the last."""
    total = texts.characters if isinstance(texts, Texts) else None
    with tqdm(
        total=total, desc="tokenizing", unit="char", unit_scale=True, disable=not progress
    ) as bar:
        for batch in _batches(parts_of(texts)):
            encoded = tokenizer(
                [part for part, _ in batch],
                add_special_tokens=False,
                split_special_tokens=True,
                truncation=False,  # some tokenizers come with a limit of their own
                padding=False,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,  # of texts longer than a row: they are cut into rows
            )
            assert encoded.encodings is not None
            for encoding, (part, last) in zip(encoded.encodings, batch, strict=True):
                bar.update(len(part))
                yield encoding, last


def _batches(parts: Iterator[Part]) -> Iterator[list[Part]]:
    """Parts enough to keep the tokenizer busy, few enough to stay small."""
    batch: list[Part] = []
    size = 0
    for part, last in parts:
        batch.append((part, last))
        size += len(part)
        if size >= AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
