"""Entities: a label for each token, and back from the labels to names in the text (paper §5.3).

An entity is given by its characters in the text, but models see pieces. The functions here convert
a name's characters to labels of pieces, and labels back to characters. For data that come as words
with a tag each, such as CoNLL's files, use `bertlesson.tags`.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import cast

import torch
from transformers import PreTrainedTokenizerFast

from .characters import checked_texts
from .heads import IGNORE_INDEX
from .inputs import Features, check_same_number
from .tag_counts import are_tags, count_tags
from .tags import PLACES, counted, cut_message, parse_tag, read_tags
from .words import Word, encodings_of, visible_words

__all__ = ["Entity", "decode_entities", "encode_entities", "entity_f1"]

Entity = tuple[int, int, str]  # first character, the one after the last, kind
CUT_OFF = -1  # stands for the piece of a word beyond the row's end


def encode_entities(
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    entities: Sequence[Sequence[Entity]],
    labels: Sequence[str],
) -> Features:
    """Tokenize texts and label the first piece of each word; all other labels are -100.

    This follows the paper (§5.3). A word is a unit that the tokenizer splits into pieces
    separately. An entity must begin and end at word boundaries; spaces at its ends, and characters
    there that the tokenizer drops, are ignored.

    Args:
        tokenizer: A fast tokenizer, which knows the characters that a piece came from. Texts longer
            than its ``model_max_length`` are cut off with a warning. If it has none (1e30, as in
            tokenizers that were not made for a model), no text is cut, and the model will fail on
            one that is too long.
        texts: The texts to tokenize.
        entities: The entities of each text, as ``(start, end, kind)`` in characters.
        labels: All labels, see `bio_labels`; the label at index i has the number i. If they include
            E and S (or L and U) for a kind, entities of that kind end in E, or are S if they are a
            single word.

    Returns:
        ``input_ids``, ``token_type_ids``, ``attention_mask`` and ``labels``, each int64 of shape
        ``(texts, length)``.

    Raises:
        ValueError: If an entity contains no word, begins or ends inside a word, overlaps another or
            extends past the end of its text, or if its label is not among `labels`.
    """
    check_same_number(texts=texts, entities=entities)
    texts = checked_texts("texts", texts)
    if "O" not in labels:
        raise ValueError(f"the labels are {list(labels)}; expected O among them: see bio_labels")
    encoded = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    targets = torch.full_like(encoded["input_ids"], IGNORE_INDEX)  # (texts, length)
    texts_cut = entities_cut = 0
    for row, (text, spans) in enumerate(zip(texts, entities, strict=True)):
        encoding = encodings_of(encoded)[row]
        # read the part that is cut off as well: it shows where entities end and which are lost
        cut = [word for rest in encoding.overflowing for word in visible_words(rest, text)]
        cut = [word._replace(piece=CUT_OFF) for word in cut]
        words = sorted([*visible_words(encoding, text), *cut], key=lambda word: word.start)
        spelled = spell(f"texts[{row}]", text, spans, words, list(labels))
        for word, number in zip(words, spelled, strict=True):
            if word.piece != CUT_OFF:
                targets[row, word.piece] = number
        texts_cut += bool(cut)
        entities_cut += sum(bool(_within(span, cut)) for span in spans)
    if texts_cut:
        lost = f"{counted(entities_cut, 'entity', 'entities')}, in whole or in part"
        message = cut_message(f"{texts_cut} of {len(texts)} texts", targets.shape[1], lost)
        warnings.warn(message, stacklevel=2)
    return {**encoded, "labels": targets}


def decode_entities(
    predicted: Sequence[int], words: Sequence[Word], labels: Sequence[str]
) -> list[Entity]:
    """Read the entities from the labels of first pieces, in characters.

    Args:
        predicted: A label number for each piece, ``(length,)``, such as ``logits.argmax(-1)``.
        words: See `find_words`.
        labels: See `bio_labels`; labels of other schemes work too, see `read_tags`.

    Raises:
        ValueError: If a word's label belongs to no scheme.

    >>> from bertlesson.tags import bio_labels
    >>> words = [Word(1, 0, 3), Word(2, 4, 7), Word(4, 8, 12)]
    >>> decode_entities([0, 1, 2, 0, 3], words, bio_labels(["PER", "LOC"]))
    [(0, 7, 'PER'), (8, 12, 'LOC')]
    """
    tags = [labels[predicted[word.piece]] for word in words]
    return [
        (words[first].start, words[after - 1].end, kind) for first, after, kind in read_tags(tags)
    ]


def entity_f1(
    truth: Sequence[Sequence[Entity]] | Sequence[Sequence[str]],
    predicted: Sequence[Sequence[Entity]] | Sequence[Sequence[str]],
    *,
    zero_division: float = 1.0,
) -> float:
    """F1 over whole entities; one is correct if its start, its end and its kind are all correct.

    Args:
        truth: The true entities of each text, or its tags, see `bertlesson.tags.read_tags`.
        predicted: The same for what was found; that of `bertlesson.finding.find_entities` is taken
            without its scores. `bertlesson.report` scores each kind by itself.
        zero_division: What to return if there are no entities and none were found, so that F1 is
            0 / 0. Nothing is wrong then, hence the default of 1; seqeval and CoNLL's script
            return 0.

    Returns:
        2 · correct / (true entities + entities found), from 0 to 1.

    Raises:
        ValueError: If the two do not cover the same number of texts, or of words where they are
            tags.

    >>> entity_f1([[(0, 3, "PER"), (8, 12, "LOC")]], [[(0, 3, "PER"), (8, 10, "LOC")]])
    0.5
    >>> entity_f1([["B-PER", "I-PER", "B-LOC"]], [["B-PER", "I-PER", "O"]]) == 2 / 3
    True
    >>> entity_f1([[]], [[]]), entity_f1([[]], [[]], zero_division=0.0)
    (1.0, 0.0)
    """
    check_same_number(truth=truth, predicted=predicted)
    if are_tags(truth) or are_tags(predicted):
        tags = cast(tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]], (truth, predicted))
        counts = count_tags(*tags)
        right, true, found = (sum(numbers.values()) for numbers in counts)
        total = true + found
    else:
        entities = cast(tuple[Sequence[Sequence[Entity]], ...], (truth, predicted))
        right = sum(len(bare(a) & bare(b)) for a, b in zip(*entities, strict=True))
        total = sum(map(len, truth)) + sum(map(len, predicted))
    return 2 * right / total if total else zero_division


def bare(entities: Sequence[Entity]) -> set[Entity]:
    """The entities without the scores of `find_entities`; JSON gives them as lists.

    >>> bare([(0, 3, "PER", 0.9)]) == bare([[0, 3, "PER"]]) == {(0, 3, "PER")}
    True
    """
    try:
        return {(start, end, kind) for start, end, kind, *_ in entities}
    except (TypeError, ValueError):
        raise TypeError(
            f"the entities of a text are {entities!r:.60}; expected (start, end, kind) for each, "
            "or tags such as 'B-PER': turn numbers of labels into these"
        ) from None


def _numbers(labels: Sequence[str]) -> dict[tuple[str, str], int]:
    """Label numbers by IOBES letter and kind; O has no kind. Labels of no scheme are left out."""
    numbers = {("O", ""): labels.index("O")}
    for number, label in enumerate(labels):
        if label.partition("-")[0] in PLACES:
            numbers.setdefault(parse_tag(label), number)
    return numbers


def _places(words: int) -> str:
    """The IOBES letters of an entity's words.

    >>> _places(1), _places(4)
    ('S', 'BIIE')
    """
    return "S" if words == 1 else "B" + "I" * (words - 2) + "E" if words else ""


def spell(
    name: str,
    text: str,
    entities: Sequence[Entity],
    words: Sequence[Word],
    labels: Sequence[str],
) -> list[int]:
    """The number of each word's label."""
    numbers = _numbers(labels)
    spelled = [numbers["O", ""]] * len(words)
    taken = 0  # words up to the end of the entity before
    for start, end, kind in sorted(entities):
        inside = _within((start, end, kind), words)
        problem = _problem((start, end, kind), text, [words[at] for at in inside])
        if not problem and inside[0] < taken:
            problem = "overlaps the one before it; expected one label per word"
        if not problem and not {("B", kind), ("I", kind)} <= numbers.keys():
            problem = f"is of kind {kind}; expected one of the labels, {labels}"
        if problem:
            shown = _excerpt(text[max(start, 0) : end], 0)
            raise ValueError(
                f"{name}, {_excerpt(text, start)}: the entity {start}:{end}, {shown}, {problem}"
            )
        for at, place in zip(inside, _places(len(inside)), strict=True):
            plain = {"E": "I", "S": "B"}.get(place, place)  # for labels without E and S
            spelled[at] = numbers.get((place, kind), numbers[plain, kind])
        taken = inside[-1] + 1
    return spelled


def _within(entity: Entity, words: Sequence[Word]) -> range:
    """The words that share characters with an entity. Dropped characters are in no word."""
    start, end, _ = entity
    first = bisect_right(words, start, key=lambda word: word.end)
    return range(first, max(first, bisect_left(words, end, key=lambda word: word.start)))


def _problem(entity: Entity, text: str, words: Sequence[Word]) -> str:
    """What is wrong with an entity that covers these words; empty if nothing is."""
    start, end, _ = entity
    if not 0 <= start < end <= len(text):
        return f"is not within these {len(text)} characters; expected a start before an end"
    if not words:
        return "contains no word; expected one that begins and ends with a word"
    first, last = words[0].start, words[-1].end
    if first < start or end < last:
        wider = words[0] if first < start else words[-1]
        return (
            "does not begin and end with a word; expected whole words: "
            f"{text[wider.start : wider.end]!r} ({wider.start}:{wider.end}) is one word to this "
            f"tokenizer. Give the entity as {first}:{last}, put a space in the text where it ends, "
            "or use a tokenizer that splits there"
        )
    return ""


def _excerpt(text: str, at: int, most: int = 60) -> str:
    """The text around one of its characters."""
    if len(text) <= most:
        return repr(text)
    start = max(0, min(at, len(text)) - most // 2)
    return f"…{text[start : start + most]!r}…"
