"""Entities: a label for each token, and back from the labels to names in the text (paper §5.3).

Words are found in text by characters, models see pieces. What stands here goes from one to the
other and back: a name's characters to the labels of its pieces, and labels to characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from transformers import BatchEncoding, PreTrainedTokenizerFast

from bertlesson.heads import IGNORE_INDEX
from bertlesson.inputs import Features, check_same_number

Entity = tuple[int, int, str]  # first character, the one after the last, kind


def bio_labels(kinds: Sequence[str]) -> list[str]:
    """The labels of a tagger: O outside, B where an entity begins, I inside of it.

    >>> bio_labels(["PER", "LOC"])
    ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC']
    """
    return ["O", *(f"{place}-{kind}" for kind in kinds for place in "BI")]


class Word(NamedTuple):
    """A word of a tokenized text."""

    piece: int  # where its first piece is in the row
    start: int  # its first character
    end: int  # the character after its last


def find_words(encoded: BatchEncoding, row: int) -> list[Word]:
    """The words of one row, from left to right.

    Args:
        encoded: From a fast tokenizer, as it returned it.
        row: Which of its texts.

    Raises:
        TypeError: If it is something else, which does not know which characters a piece came from.
    """
    words: list[Word] = []
    encodings = getattr(encoded, "encodings", None)
    if encodings is None:
        raise TypeError(
            f"encoded is a {type(encoded).__name__} without word boundaries; expected what a fast "
            "tokenizer returned, as it is"
        )
    encoding = encodings[row]
    known: int | None = None
    for piece, (word, (start, end)) in enumerate(
        zip(encoding.word_ids, encoding.offsets, strict=True)
    ):
        if word is None:
            continue
        if word == known:
            words[-1] = words[-1]._replace(end=end)
        else:
            words.append(Word(piece, start, end))
        known = word
    return words


def encode_entities(
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    entities: Sequence[Sequence[Entity]],
    labels: Sequence[str],
) -> Features:
    """Pieces and their labels: the first piece of each word is labelled, all else is -100.

    That is the paper's way (§5.3). A word is what the tokenizer splits into pieces by itself.

    Args:
        tokenizer: A fast one: it knows which characters a piece came from.
        texts: What to tokenize.
        entities: Those of each text, as ``(start, end, kind)`` in characters.
        labels: All labels, see `bio_labels`; the label at index i has the number i.

    Returns:
        ``input_ids``, ``token_type_ids``, ``attention_mask`` and ``labels``, each int64 of shape
        ``(texts, length)``.

    Raises:
        ValueError: If an entity holds no word, begins or ends within one, overlaps another or
            passes the end of its text, or its label is not among `labels`.
    """
    check_same_number(texts=texts, entities=entities)
    if "O" not in labels:
        raise ValueError(f"the labels are {list(labels)}; expected O among them, see bio_labels")
    encoded = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
    numbers = torch.full_like(encoded["input_ids"], IGNORE_INDEX)  # (texts, length)
    for row, (text, spans) in enumerate(zip(texts, entities, strict=True)):
        words = find_words(encoded, row)
        starts, ends = {word.start for word in words}, {word.end for word in words}
        read_to = max(ends, default=0)  # where the row ends, the rest of the text is cut off
        taken = 0
        for start, end, kind in sorted(spans):
            name = f"the entity {start}:{end} of {text!r}, {text[start:end]!r},"
            if not 0 <= start < end <= len(text):
                raise ValueError(f"{name} does not lie in these {len(text)} characters")
            if (start < read_to and start not in starts) or (end <= read_to and end not in ends):
                raise ValueError(f"{name} does not begin and end with a word")
            if start < taken:
                raise ValueError(f"{name} overlaps the one before it; a word has one label")
            if not {f"B-{kind}", f"I-{kind}"} <= set(labels):
                raise ValueError(f"{name} is of kind {kind}; the labels are {list(labels)}")
            taken = end
        for word in words:
            label = "O"
            for start, end, kind in spans:
                if start <= word.start < end:
                    label = f"{'B' if start == word.start else 'I'}-{kind}"
            numbers[row, word.piece] = labels.index(label)
    return {**encoded, "labels": numbers}


def decode_entities(
    predicted: Sequence[int], words: Sequence[Word], labels: Sequence[str]
) -> list[Entity]:
    """The entities that the labels of first pieces spell, in characters.

    An I without a B before it begins an entity, as in CoNLL's own script.

    Args:
        predicted: A label's number for each piece, ``(length,)``, such as ``logits.argmax(-1)``.
        words: See `find_words`.
        labels: See `bio_labels`.

    >>> words = [Word(1, 0, 3), Word(2, 4, 7), Word(4, 8, 12)]
    >>> decode_entities([0, 1, 2, 0, 3], words, bio_labels(["PER", "LOC"]))
    [(0, 7, 'PER'), (8, 12, 'LOC')]
    """
    found: list[Entity] = []
    previous = ""  # the kind of the word before, if it is in an entity
    for word in words:
        place, _, kind = labels[predicted[word.piece]].partition("-")
        if place == "I" and kind == previous:
            found[-1] = (found[-1][0], word.end, kind)
        elif kind:
            found.append((word.start, word.end, kind))
        previous = kind
    return found


def entity_f1(truth: Sequence[Sequence[Entity]], predicted: Sequence[Sequence[Entity]]) -> float:
    """F1 over whole entities: right are those with the right characters and the right label.

    Args:
        truth: The entities of each text.
        predicted: What was found in each.

    Returns:
        2 · right / (entities that are there + entities found), from 0 to 1; 1 if there are none
        and none was found.

    Raises:
        ValueError: If the two are not of the same texts.

    >>> entity_f1([[(0, 3, "PER"), (8, 12, "LOC")]], [[(0, 3, "PER"), (8, 10, "LOC")]])
    0.5
    """
    check_same_number(truth=truth, predicted=predicted)
    right = sum(len(set(a) & set(b)) for a, b in zip(truth, predicted, strict=True))
    total = sum(map(len, truth)) + sum(map(len, predicted))
    return 2 * right / total if total else 1.0
