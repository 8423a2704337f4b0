"""The instances of `bertlesson.reference`, equal to the last draw, as arrays of ids.

`create_pretraining_instances` moves lists of strings, and spends most of its time on shuffling the
positions of each pair. Here the generator's words come from `bertlesson.mersenne`. A first pass
finds which pieces are in a pair and with which words its draws begin; all else is computed for
thousands of pairs at once.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .layout import ROWS, STRUCTURAL, SpecialIds, continuing, flatten, lay_out
from .mersenne import MOST, Words
from .reference import PretrainingInstance, create_pretraining_instances
from .reference_draws import KEPT, Block, Corpus, Task, draw_pairs
from .segments import Documents, check_count, check_settings, check_share

__all__ = ["PretrainingInstances", "make_pretraining_instances"]

IGNORE_INDEX = -100  # as in bertlesson.heads, which needs torch
WORDS_A_PIECE = 3  # of the generator, a little more than are used
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PretrainingInstances:
    """Pairs with their masks, one per row; all int64, as the models and losses expect.

    ``instances[i]`` is one row and ``instances[[i, j]]`` a batch, each a dict of the model's
    inputs.

    Attributes:
        input_ids: ``(instances, length)``, ``[CLS] A [SEP] B [SEP] [PAD] ...``, masked.
        attention_mask: ``(instances, length)``: 1 = token, 0 = padding.
        token_type_ids: ``(instances, length)``: 1 = B and the ``[SEP]`` after it, 0 = everything
            before them, and padding.
        labels: ``(instances, length)``: the id before masking where one is to be predicted, -100
            elsewhere.
        next_sentence_label: ``(instances,)``: 0 = B follows A, 1 = B was drawn at random.
    """

    input_ids: Ints
    attention_mask: Ints
    token_type_ids: Ints
    labels: Ints
    next_sentence_label: Ints

    def __len__(self) -> int:
        return len(self.input_ids)

    def __getitem__(self, rows: Any) -> dict[str, Any]:
        return {field.name: getattr(self, field.name)[rows] for field in fields(self)}

    def in_words(self, vocab_words: Sequence[str]) -> list[PretrainingInstance]:
        """The same as `create_pretraining_instances` returns it.

        Args:
            vocab_words: All pieces of the vocabulary in the order of their ids.
        """
        made = []
        for row in range(len(self)):
            here = self[row]
            count = int(here["attention_mask"].sum())
            positions = np.flatnonzero(here["labels"] != IGNORE_INDEX)
            made.append(
                PretrainingInstance(
                    [vocab_words[id] for id in here["input_ids"][:count]],
                    here["token_type_ids"][:count].tolist(),
                    bool(here["next_sentence_label"]),
                    positions.tolist(),
                    [vocab_words[id] for id in here["labels"][positions]],
                )
            )
        return made


def make_pretraining_instances(
    documents: Documents,
    vocab_words: Sequence[str],
    *,
    max_seq_length: int,
    dupe_factor: int,
    short_seq_prob: float,
    masked_lm_prob: float,
    max_predictions_per_seq: int,
    whole_word_mask: bool,
    rng: random.Random,
) -> PretrainingInstances:
    """Make the same instances as `create_pretraining_instances`, in less time.

    Args:
        documents: See `create_pretraining_instances`.
        vocab_words: See `create_pretraining_instances`; with ``[PAD]``, ``[CLS]``, ``[SEP]``,
            ``[MASK]`` and every piece of the documents.
        max_seq_length: The length of the rows; see `create_pretraining_instances`.
        dupe_factor: See `create_pretraining_instances`.
        short_seq_prob: See `create_pretraining_instances`.
        masked_lm_prob: See `create_pretraining_instances`.
        max_predictions_per_seq: See `create_pretraining_instances`.
        whole_word_mask: See `create_pretraining_instances`.
        rng: See `create_pretraining_instances`. It is left in the same state.

    Returns:
        The instances in random order.

    Raises:
        TypeError: See `create_pretraining_instances`.
        ValueError: See `create_pretraining_instances`; and if a piece is not in the vocabulary.

    >>> documents = [[["i", "saw", "it"], ["it", "was", "great"]], [["rain"], ["all", "day"]]]
    >>> vocab_words = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "i", "saw", "it", "was", "great"]
    >>> vocab_words += ["rain", "all", "day"]
    >>> made = make_pretraining_instances(
    ...     documents, vocab_words, max_seq_length=8, dupe_factor=2, short_seq_prob=0.1,
    ...     masked_lm_prob=0.15, max_predictions_per_seq=2, whole_word_mask=False,
    ...     rng=random.Random(2),
    ... )
    >>> print(*(vocab_words[id] for id in made.input_ids[0]))
    [CLS] [MASK] [SEP] all day [SEP] [PAD] [PAD]
    >>> made.labels[0].tolist(), vocab_words[9]
    ([-100, 9, -100, -100, -100, -100, -100, -100], 'rain')
    """

    def plain() -> PretrainingInstances:
        """It says what is wrong, or deals with what is merely unusual."""
        made = create_pretraining_instances(
            documents,
            vocab_words,
            max_seq_length=max_seq_length,
            dupe_factor=dupe_factor,
            short_seq_prob=short_seq_prob,
            masked_lm_prob=masked_lm_prob,
            max_predictions_per_seq=max_predictions_per_seq,
            whole_word_mask=whole_word_mask,
            rng=rng,
        )
        return _from_words(made, documents, vocab_words, max_seq_length)

    corpus = _corpus_of(documents, vocab_words)
    if corpus is None or type(rng) is not random.Random:
        return plain()
    check_settings(max_seq_length, short_seq_prob, rng)
    check_share("masked_lm_prob", masked_lm_prob)
    check_count("dupe_factor", dupe_factor)
    check_count("max_predictions_per_seq", max_predictions_per_seq)
    if max_seq_length > MOST:
        return plain()
    room = max_seq_length - 3
    wanted = [
        min(max_predictions_per_seq, max(1, round((pieces + 3) * masked_lm_prob)))
        for pieces in range(room + 1)
    ]
    task = Task(room, dupe_factor, short_seq_prob, wanted, whole_word_mask)
    rng.shuffle(corpus.spans)
    words = Words(rng, WORDS_A_PIECE * dupe_factor * len(corpus.ids))
    blocks = [
        Block.of(found, steps, corpus, task, words)
        for found, steps in draw_pairs(corpus, task, words)
    ]
    order = list(range(sum(len(block.found) for block in blocks)))
    rng.shuffle(order)
    return _to_arrays(blocks, np.array(order, np.intp), corpus, max_seq_length)


def _corpus_of(documents: Documents, vocab_words: Sequence[str]) -> Corpus | None:
    """The documents by ids; None if anything is out of order."""
    if type(vocab_words) not in (list, tuple):
        return None
    try:
        vocab = dict(zip(vocab_words, range(len(vocab_words)), strict=True))
        found = flatten(documents, vocab)
        if found is None or len(vocab) < len(vocab_words):
            return None
        special, mask = SpecialIds.of(vocab), vocab["[MASK]"]
        continues = continuing(vocab)
    except (TypeError, KeyError):
        return None
    ids, lengths, counts = found
    if ((ids == special.cls) | (ids == special.sep)).any():  # they would not be selected
        return None
    owners = np.repeat(np.arange(len(counts)), counts)[np.flatnonzero(lengths)]
    stops = accumulate(np.bincount(owners, minlength=len(counts)).tolist(), initial=0)
    return Corpus(
        ids,
        list(accumulate(filter(None, lengths), initial=0)),
        [span for span in pairwise(stops) if span[0] < span[1]],
        ~continues[ids],
        special,
        mask,
        len(vocab_words),
    )


def _to_arrays(
    blocks: list[Block], order: NDArray[np.intp], corpus: Corpus, length: int
) -> PretrainingInstances:
    found, columns, new = map(np.concatenate, zip(*blocks, strict=True))
    input_ids, attention_mask, token_type_ids, labels = (
        np.empty((len(order), length), np.int64) for _ in range(4)
    )
    for first in range(0, len(order), ROWS):
        part, rows = slice(first, first + ROWS), order[first : first + ROWS]
        layout = lay_out(found[rows], length)
        layout.fill(corpus.ids, corpus.special, input_ids[part])
        attention_mask[part] = layout.present
        token_type_ids[part] = layout.of_b
        labels[part] = IGNORE_INDEX
        selected = columns[rows]
        row, place = np.nonzero(selected >= 0)
        column, seen = selected[row, place], new[rows[row], place]
        original = labels[part][row, column] = input_ids[part][row, column]
        input_ids[part][row, column] = np.where(seen == KEPT, original, seen)
    label = found[order, 4]
    return PretrainingInstances(input_ids, attention_mask, token_type_ids, labels, label)


def _from_words(
    made: list[PretrainingInstance],
    documents: Documents,
    vocab_words: Sequence[str],
    length: int,
) -> PretrainingInstances:
    vocab = {piece: id for id, piece in enumerate(vocab_words)}
    needed = {*chain.from_iterable(chain.from_iterable(documents)), *STRUCTURAL, "[MASK]"}
    if missing := needed - vocab.keys():
        raise ValueError(
            f"vocab_words has no {min(missing)}; expected every piece of the documents in it, and "
            "[PAD], [CLS], [SEP] and [MASK]"
        )
    shape = (len(made), length)
    input_ids = np.full(shape, vocab["[PAD]"])
    attention_mask, token_type_ids = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    labels = np.full(shape, IGNORE_INDEX)
    for row, each in enumerate(made):
        count = len(each.tokens)
        input_ids[row, :count] = [vocab[piece] for piece in each.tokens]
        attention_mask[row, :count] = 1
        token_type_ids[row, :count] = each.segment_ids
        labels[row, each.masked_lm_positions] = [vocab[piece] for piece in each.masked_lm_labels]
    label = np.array([int(each.is_random_next) for each in made], np.int64)
    return PretrainingInstances(input_ids, attention_mask, token_type_ids, labels, label)
