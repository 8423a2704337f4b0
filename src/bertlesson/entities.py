"""Entities: a label for each token, and back from the labels to names in the text (paper §5.3).

An entity is given by its characters in the text, but models see pieces. The functions here convert
a name's characters to labels of pieces, and labels back to characters. For data that come as words
with a tag each, such as CoNLL's files, use `encode_tags` and `decode_tags`.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import torch
from tokenizers import Encoding
from transformers import BatchEncoding, PreTrainedTokenizerFast

from bertlesson.heads import IGNORE_INDEX
from bertlesson.inputs import Features, check_same_number
from bertlesson.words import Word, encodings_of, find_words, visible_words

__all__ = [
    "Entity",
    "Word",
    "bio_labels",
    "decode_entities",
    "decode_tags",
    "encode_entities",
    "encode_tags",
    "entity_f1",
    "find_words",
    "read_tags",
]

Entity = tuple[int, int, str]  # first character, the one after the last, kind

CUT_OFF = -1  # stands for the piece of a word beyond the row's end

# the letters of all schemes -> IOBES: L and U are BILOU's "last" and "unit", M is BMES's "middle"
PLACES = {"O": "O", "B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I"}


def bio_labels(kinds: Sequence[str]) -> list[str]:
    """The labels of a tagger: O outside of entities, B where one begins, I inside.

    >>> bio_labels(["PER", "LOC"])
    ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC']
    """
    return ["O", *(f"{place}-{kind}" for kind in kinds for place in "BI")]


def read_tags(tags: Sequence[str]) -> list[Entity]:
    """The entities in a row of tags, each as first word, word after the last, and kind.

    Reads IOB1, IOB2, IOBES and, under other letters, BILOU and BMES. Sequences that no scheme
    allows are read as by seqeval's default (1.2.2, `get_entities`) and CoNLL's own script: an I or
    E begins an entity if none is open or if the one before is of another kind. The kind is
    everything after the first hyphen, or "_" if there is none.

    Args:
        tags: One for each word, such as ``"B-PER"``.

    Raises:
        ValueError: If a tag is not O, or B, I, E or S (L, U, M) with a kind.

    >>> read_tags(["B-PER", "E-PER", "O", "S-work-of-art", "I-LOC"])
    [(0, 2, 'PER'), (3, 4, 'work-of-art'), (4, 5, 'LOC')]
    """
    found: list[Entity] = []
    open_kind = ""  # of the entity that the next word may continue
    for word, tag in enumerate(tags):
        place, kind = _parse(tag)
        if place in "IE" and kind == open_kind:
            found[-1] = (found[-1][0], word + 1, kind)
        elif place != "O":
            found.append((word, word + 1, kind))
        open_kind = kind if place in "BI" else ""
    return found


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
    if "O" not in labels:
        raise ValueError(f"the labels are {list(labels)}; expected O among them: see bio_labels")
    encoded = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
    targets = torch.full_like(encoded["input_ids"], IGNORE_INDEX)  # (texts, length)
    texts_cut = entities_cut = 0
    for row, (text, spans) in enumerate(zip(texts, entities, strict=True)):
        encoding = encodings_of(encoded)[row]
        # read the part that is cut off as well: it shows where entities end and which are lost
        cut = [word for rest in encoding.overflowing for word in visible_words(rest, text)]
        cut = [word._replace(piece=CUT_OFF) for word in cut]
        words = sorted([*visible_words(encoding, text), *cut], key=lambda word: word.start)
        spelled = _spell(f"texts[{row}]", text, spans, words, list(labels))
        for word, number in zip(words, spelled, strict=True):
            if word.piece != CUT_OFF:
                targets[row, word.piece] = number
        texts_cut += bool(cut)
        entities_cut += sum(bool(_within(span, cut)) for span in spans)
    if texts_cut:
        lost = f"{_counted(entities_cut, 'entity', 'entities')}, in whole or in part"
        message = _cut_message(f"{texts_cut} of {len(texts)} texts", targets.shape[1], lost)
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

    >>> words = [Word(1, 0, 3), Word(2, 4, 7), Word(4, 8, 12)]
    >>> decode_entities([0, 1, 2, 0, 3], words, bio_labels(["PER", "LOC"]))
    [(0, 7, 'PER'), (8, 12, 'LOC')]
    """
    tags = [labels[predicted[word.piece]] for word in words]
    return [
        (words[first].start, words[after - 1].end, kind) for first, after, kind in read_tags(tags)
    ]


def encode_tags(
    tokenizer: PreTrainedTokenizerFast,
    sentences: Sequence[Sequence[str]],
    tags: Sequence[Sequence[str]],
    labels: Sequence[str],
) -> Features:
    """Tokenize data that come as words with a tag each, and label the pieces.

    The first piece of each word gets the number of its tag; all other labels are -100.

    Args:
        tokenizer: See `encode_entities`.
        sentences: The words of each sentence, as they are in the data: ``["U.S.-led", "talks"]``
            are two words, however the tokenizer splits them.
        tags: One of `labels` for each word, of any scheme.
        labels: All labels; the label at index i has the number i.

    Returns:
        See `encode_entities`.

    Raises:
        TypeError: If a sentence is a string instead of a list of words.
        ValueError: If the words and tags of a sentence differ in number, or if a tag is not among
            `labels`.

    >>> from transformers import BertTokenizer
    >>> pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "u", "s", ".", "talks"]
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> labels = bio_labels(["LOC"])
    >>> features = encode_tags(tokenizer, [["U.S.", "talks"]], [["B-LOC", "O"]], labels)
    >>> features["labels"].tolist()
    [[-100, 1, -100, -100, -100, 0, -100]]
    """
    check_same_number(sentences=sentences, tags=tags)
    encoded = tokenizer(
        _checked(sentences),
        is_split_into_words=True,
        padding=True,
        truncation=True,
        return_tensors="pt",
    )
    targets = torch.full_like(encoded["input_ids"], IGNORE_INDEX)  # (sentences, length)
    for row, (words, its_tags) in enumerate(zip(sentences, tags, strict=True)):
        if len(words) != len(its_tags):
            raise ValueError(
                f"sentences[{row}] has {len(words)} words and tags[{row}] {len(its_tags)}; "
                "expected one tag for each word"
            )
        if unknown := [tag for tag in its_tags if tag not in labels]:
            raise ValueError(
                f"tags[{row}] holds {unknown[0]!r}; expected one of the labels, {list(labels)}"
            )
        for word, piece in _first_pieces(encodings_of(encoded)[row]).items():
            targets[row, piece] = labels.index(its_tags[word])
    _warn_of_words_cut(encodings_of(encoded))
    return {**encoded, "labels": targets}


def decode_tags(
    predicted: Sequence[Sequence[int]],
    encoded: BatchEncoding,
    sentences: Sequence[Sequence[str]],
    labels: Sequence[str],
) -> list[list[str]]:
    """Read a tag for each word at its first piece; `read_tags` turns tags into entities.

    Args:
        predicted: A label number for each piece of each row, ``(sentences, length)``.
        encoded: The sentences, as tokenized by a fast tokenizer with ``is_split_into_words=True``.
        sentences: The words of each sentence.
        labels: The labels used in training.

    Returns:
        One tag per word. A word without a piece is O: either the tokenizer drops all of it, or it
        is cut off at the end of the row, which causes a warning.

    Raises:
        TypeError: If a sentence is a string, or the rows do not come from a fast tokenizer.
        ValueError: If the three arguments do not belong to the same sentences.

    >>> from transformers import BertTokenizer
    >>> pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "u", "s", ".", "talks"]
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> sentences = [["U.S.", "talks"]]
    >>> encoded = tokenizer(sentences, is_split_into_words=True)
    >>> decode_tags([[0, 1, 0, 2, 2, 0, 0]], encoded, sentences, bio_labels(["LOC"]))
    [['B-LOC', 'O']]
    """
    check_same_number(predicted=predicted, sentences=sentences)
    rows = [_first_pieces(encoding) for encoding in encodings_of(encoded)]
    counts = [len(words) for words in _checked(sentences)]
    reached = [max(pieces, default=-1) + 1 for pieces in rows]  # in words
    if len(rows) != len(counts) or any(a > b for a, b in zip(reached, counts, strict=True)):
        raise ValueError(
            f"sentences of {counts} words, and rows of {reached}; expected rows made from these "
            "sentences: tokenize them with is_split_into_words=True"
        )
    _warn_of_words_cut(encodings_of(encoded))
    return [
        [labels[numbers[pieces[word]]] if word in pieces else "O" for word in range(count)]
        for numbers, pieces, count in zip(predicted, rows, counts, strict=True)
    ]


def entity_f1(
    truth: Sequence[Sequence[Entity]],
    predicted: Sequence[Sequence[Entity]],
    *,
    zero_division: float = 1.0,
) -> float:
    """F1 over whole entities; one is correct if its characters and its kind are both correct.

    Args:
        truth: The true entities of each text.
        predicted: The entities found in each text.
        zero_division: What to return if there are no entities and none were found, so that F1 is
            0 / 0. Nothing is wrong then, hence the default of 1; seqeval and CoNLL's script
            return 0.

    Returns:
        2 · correct / (true entities + entities found), from 0 to 1.

    Raises:
        ValueError: If the two do not cover the same number of texts.

    >>> entity_f1([[(0, 3, "PER"), (8, 12, "LOC")]], [[(0, 3, "PER"), (8, 10, "LOC")]])
    0.5
    >>> entity_f1([[]], [[]]), entity_f1([[]], [[]], zero_division=0.0)
    (1.0, 0.0)
    """
    check_same_number(truth=truth, predicted=predicted)
    right = sum(len(set(a) & set(b)) for a, b in zip(truth, predicted, strict=True))
    total = sum(map(len, truth)) + sum(map(len, predicted))
    return 2 * right / total if total else zero_division


def _parse(tag: str) -> tuple[str, str]:
    """The position of a word in its entity, as an IOBES letter, and the entity's kind."""
    letter, _, kind = tag.partition("-")
    if letter not in PLACES:
        raise ValueError(
            f"the label {tag!r}; expected O, or B, I, E or S (L, U, M) and a kind: such as 'B-PER'"
        )
    return PLACES[letter], kind or "_"


def _numbers(labels: Sequence[str]) -> dict[tuple[str, str], int]:
    """Label numbers by IOBES letter and kind; O has no kind. Labels of no scheme are left out."""
    numbers = {("O", ""): labels.index("O")}
    for number, label in enumerate(labels):
        if label.partition("-")[0] in PLACES:
            numbers.setdefault(_parse(label), number)
    return numbers


def _places(words: int) -> str:
    """The IOBES letters of an entity's words.

    >>> _places(1), _places(4)
    ('S', 'BIIE')
    """
    return "S" if words == 1 else "B" + "I" * (words - 2) + "E" if words else ""


def _spell(
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
        return f"is not within these {len(text)} characters"
    if not words:
        return "does not begin and end with a word: it contains none"
    first, last = words[0].start, words[-1].end
    if first < start or end < last:
        wider = words[0] if first < start else words[-1]
        return (
            f"does not begin and end with a word: {text[wider.start : wider.end]!r} "
            f"({wider.start}:{wider.end}) is one word to this tokenizer. Give the entity as "
            f"{first}:{last}, put a space in the text where it ends, or use a tokenizer that "
            "splits there"
        )
    return ""


def _excerpt(text: str, at: int, most: int = 60) -> str:
    """The text around one of its characters."""
    if len(text) <= most:
        return repr(text)
    start = max(0, min(at, len(text)) - most // 2)
    return f"…{text[start : start + most]!r}…"


def _first_pieces(encoding: Encoding) -> dict[int, int]:
    """The position of each word's first piece, in a row that was given as words."""
    firsts: dict[int, int] = {}
    for piece, word in enumerate(encoding.word_ids):
        if word is not None:
            firsts.setdefault(word, piece)
    return firsts


def _warn_of_words_cut(rows: Sequence[Encoding]) -> None:
    lost = [
        len({word for rest in row.overflowing for word in _first_pieces(rest)} - {*row.word_ids})
        for row in rows
    ]
    if sum(lost):
        sentences = f"{sum(map(bool, lost))} of {len(rows)} sentences"
        words = _counted(sum(lost), "word with its tag", "words with their tags")
        warnings.warn(_cut_message(sentences, len(rows[0].ids), words), stacklevel=3)


def _cut_message(texts: str, length: int, lost: str) -> str:
    return (
        f"{texts} did not fit into a row of {length} pieces; cut off: {lost}. Divide long ones, or "
        "set a larger tokenizer.model_max_length, up to the model's limit"
    )


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _checked(sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    for row, words in enumerate(sentences):
        if isinstance(words, str):
            raise TypeError(
                f"sentences[{row}] is the text {words[:60]!r}; expected a list of words"
            )
    return [list(words) for words in sentences]
