"""Rows and sentence pairs from shards of text, as streams.

`build_rows` and `build_pairs` are plain generators, which can be sent to another process.
`bertlesson.stored` writes files from the same blocks.

All that is drawn is set by the seed and the shard. So is what is cut: rows end with their shard.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .encoding import Encoder
from .layout import SpecialIds
from .nsp import SentencePairs
from .pair_arrays import PieceCorpus, pair_corpus
from .sentences import split_sentences
from .shards import Shard

__all__ = ["blocks_of_pairs", "blocks_of_rows", "build_pairs", "build_rows"]

BLOCK = 2**21  # characters of the documents that may be partners of each other
MOST = 2**19  # of one document; a longer one is cut
BYTES = 4  # of an id


def build_rows(
    shards: Iterable[Shard], encoder: Encoder, length: int
) -> Iterator[dict[str, NDArray[np.int64]]]:
    """Fill rows with documents, see `bertlesson.rows.encode_rows`; each shard begins a row.

    Args:
        shards: The text.
        encoder: The tokenizer.
        length: Tokens of a row, special tokens included.

    Yields:
        Rows with ``input_ids``, ``(tokens,)``, int64.

    Raises:
        ValueError: If a file is not in UTF-8, or `length` has no room for text.
    """
    for shard in shards:
        for block in blocks_of_rows(shard, encoder, length):
            yield from ({"input_ids": row} for row in block.astype(np.int64))


def blocks_of_rows(shard: Shard, encoder: Encoder, length: int) -> Iterator[NDArray[np.int32]]:
    """The rows of `build_rows`, several of one width at once.

    Args:
        shard: The text.
        encoder: The tokenizer.
        length: Tokens of a row.

    Yields:
        ``(rows, width)``, where the width is `length`, or less for a single row.
    """
    room = length - len(encoder.opening) - len(encoder.closing)
    if room < 1:
        raise ValueError(
            f"length is {length}; expected more than the {length - room} special tokens of a row"
        )
    closing = np.array(encoder.closing, np.int32).tobytes()
    size, mark = BYTES * room, len(closing)
    held = bytearray()

    def rows(count: int, width: int) -> NDArray[np.int32]:
        middle = np.frombuffer(bytes(held[: BYTES * count * width]), np.int32)
        made = np.empty((count, length - room + width), np.int32)
        first = len(encoder.opening)
        made[:, :first] = encoder.opening
        made[:, first : first + width] = middle.reshape(count, width)
        made[:, first + width :] = encoder.closing
        return made

    some = False  # whether anything of the document is left by the tokenizer
    for part, last in shard.parts():
        found = encoder(part)
        held += found
        some = some or bool(found)
        if len(held) > size:
            count = (len(held) - 1) // size
            yield rows(count, room)
            del held[: count * size]
        if last and some:
            some = False
            if len(held) + mark < size:
                held += closing
            else:
                yield rows(1, len(held) // BYTES)
                held.clear()
    if held:  # the last document has a separator after it
        yield rows(1, (len(held) - mark) // BYTES)


def build_pairs(
    shards: Iterable[Shard],
    encoder: Encoder,
    length: int,
    short_seq_prob: float = 0.1,
    seed: int = 0,
) -> Iterator[dict[str, Any]]:
    """Make sentence pairs, see `bertlesson.nsp.create_pairs`.

    The partner of a segment comes from documents near it: those of the same two million characters.
    A document of more than half a million is taken for several.

    Args:
        shards: The text.
        encoder: A tokenizer with ``[CLS]``, ``[SEP]`` and ``##`` pieces, as BERT's are.
        length: Tokens of a row, 5 or more.
        short_seq_prob: Probability that a document is cut into shorter pairs.
        seed: Another seed makes other pairs.

    Yields:
        Rows as `SentencePairs` has them.

    Raises:
        ValueError: If a file is not in UTF-8, the tokenizer is not of BERT's kind, or a shard has
            fewer than two documents with two sentences.
    """
    for shard in shards:
        for pairs in blocks_of_pairs(shard, encoder, length, short_seq_prob, seed):
            yield from (pairs[row] for row in range(len(pairs)))


def blocks_of_pairs(
    shard: Shard, encoder: Encoder, length: int, short_seq_prob: float = 0.1, seed: int = 0
) -> Iterator[SentencePairs]:
    """The pairs of `build_pairs`, those of each block of documents at once."""
    if len(encoder.opening) != 1 or len(encoder.closing) != 1 or not encoder.continues.any():
        raise ValueError(
            f"the tokenizer puts {len(encoder.opening)} and {len(encoder.closing)} tokens around a "
            "text; expected one of BERT's kind, with [CLS], [SEP] and pieces that begin with ##"
        )
    if length < 5:
        raise ValueError(f"length is {length}; expected 5 or more: three special tokens and text")
    special = SpecialIds(encoder.opening[0], encoder.closing[0], encoder.pad)
    continues = encoder.continues
    for number, block in enumerate(_blocks(shard, encoder, length - 3)):
        ids = np.frombuffer(b"".join(block.ids), np.int32)
        corpus = PieceCorpus(ids, block.sentences, block.documents, continues)
        # a string is hashed in one way everywhere
        rng = random.Random(f"{seed} {shard.number} {number}")
        yield pair_corpus(corpus, special, length, short_seq_prob, rng)


@dataclass
class _Block:
    """Documents that may be partners of each other."""

    ids: list[bytes] = field(default_factory=list)
    sentences: list[int] = field(default_factory=list)
    documents: list[int] = field(default_factory=list)
    characters: int = 0

    @property
    def complete(self) -> bool:
        """Whether a random B can be drawn."""
        return sum(count >= 2 for count in self.documents) >= 2

    def __iadd__(self, other: _Block) -> _Block:
        self.ids += other.ids
        self.sentences += other.sentences
        self.documents += other.documents
        return self


def _blocks(shard: Shard, encoder: Encoder, room: int) -> Iterator[_Block]:
    held, block = _Block(), _Block()
    for text in _documents(shard):
        before = len(block.sentences)
        for sentence in split_sentences(text):
            ids = encoder(sentence)
            for at in range(0, len(ids), BYTES * room) if len(ids) > BYTES * room else (0,):
                _add(block, ids[at : at + BYTES * room])
        if len(block.sentences) > before:
            block.documents.append(len(block.sentences) - before)
        block.characters += len(text)
        if block.characters >= BLOCK and block.complete:
            if held.documents:
                yield held
            held, block = block, _Block()
    if not block.complete:
        held += block
        block = _Block()
    if not held.documents and not block.documents:
        return
    if held.documents and not held.complete:
        raise ValueError(
            f"{shard.ranges[0][0]}: shard {shard.number} has fewer than two documents with two "
            "sentences, and a random B comes from another one; expected more: cut larger shards, "
            'or let documents end at each "blank line"'
        )
    yield from (each for each in (held, block) if each.documents)


def _add(block: _Block, ids: bytes) -> None:
    """Add a sentence, or what a long one is cut into."""
    if ids:
        block.ids.append(ids)
        block.sentences.append(len(ids) // BYTES)


def _documents(shard: Shard) -> Iterator[str]:
    text: list[str] = []
    size = 0
    for part, last in shard.parts():
        text.append(part)
        size += len(part)
        if last or size >= MOST:
            yield "".join(text)
            text, size = [], 0
