"""Tags: a label for each word, such as CoNLL's files have, and the schemes that they follow.

`bertlesson.entities` is for entities that are given by their characters in a text.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache

import torch
from tokenizers import Encoding
from transformers import BatchEncoding, PreTrainedTokenizerFast

from .characters import checked_texts
from .heads import IGNORE_INDEX
from .inputs import Features, check_same_number
from .words import encodings_of

__all__ = ["bio_labels", "decode_tags", "encode_tags", "read_tags"]

# the letters of all schemes -> IOBES: L and U are BILOU's "last" and "unit", M is BMES's "middle"
PLACES = {"O": "O", "B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I"}
# Thai, Lao, Burmese, Khmer, Chinese and Japanese, whose words have no spaces between them
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uff9f"
    "\U00020000-\U0003ffff]"
)


def bio_labels(kinds: Sequence[str]) -> list[str]:
    """The labels of a tagger: O outside of entities, B where one begins, I inside.

    >>> bio_labels(["PER", "LOC"])
    ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC']
    """
    return ["O", *(f"{place}-{kind}" for kind in kinds for place in "BI")]


def read_tags(tags: Sequence[str]) -> list[tuple[int, int, str]]:
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
    found: list[tuple[int, int, str]] = []
    open_kind = ""  # of the entity that the next word may continue
    for word, tag in enumerate(tags):
        if tag == "O":  # most words, so they take the short way
            open_kind = ""
            continue
        place, kind = parse_tag(tag)
        if place in "IE" and kind == open_kind:
            found[-1] = (found[-1][0], word + 1, kind)
        elif place != "O":
            found.append((word, word + 1, kind))
        open_kind = kind if place in "BI" else ""
    return found


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

    Warns:
        UserWarning: If words are cut off, or read without the spaces between them, as by the
            byte-level tokenizers of RoBERTa and ModernBERT.

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
    given = checked_words(sentences)
    if with_spaces(tokenizer, given) != given:
        warnings.warn(
            f"{type(tokenizer).__name__} reads words that are given one by one as a text without "
            "spaces; expected one that sees where a word begins: use encode_windows, which adds "
            "the spaces, or load the tokenizer with add_prefix_space=True",
            stacklevel=2,
        )
    encoded = tokenizer(
        given,
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
        for word, piece in first_pieces(encodings_of(encoded)[row]).items():
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
    rows = [first_pieces(encoding) for encoding in encodings_of(encoded)]
    counts = [len(words) for words in checked_words(sentences)]
    reached = [max(pieces, default=-1) + 1 for pieces in rows]  # in words
    if len(rows) != len(counts) or any(a > b for a, b in zip(reached, counts, strict=True)):
        raise ValueError(
            f"sentences have {counts} words, and rows {reached}; expected rows made from these "
            "sentences: tokenize them with is_split_into_words=True"
        )
    _warn_of_words_cut(encodings_of(encoded))
    return [
        [labels[numbers[pieces[word]]] if word in pieces else "O" for word in range(count)]
        for numbers, pieces, count in zip(predicted, rows, counts, strict=True)
    ]


@lru_cache(maxsize=4096)  # files have few tags, and many words with each
def parse_tag(tag: str) -> tuple[str, str]:
    """The position of a word in its entity, as an IOBES letter, and the entity's kind."""
    letter, _, kind = tag.partition("-") if isinstance(tag, str) else ("", "", "")
    if letter not in PLACES:
        raise ValueError(
            f"the label is {tag!r}; expected O, or B, I, E or S (L, U, M) and a kind, such as "
            "'B-PER'"
        )
    return PLACES[letter], kind or "_"


def first_pieces(encoding: Encoding) -> dict[int, int]:
    """The position of each word's first piece, in a row that was given as words."""
    firsts: dict[int, int] = {}
    for piece, word in enumerate(encoding.word_ids):
        if word is not None:
            firsts.setdefault(word, piece)
    return firsts


def _warn_of_words_cut(rows: Sequence[Encoding]) -> None:
    lost = [
        len({word for rest in row.overflowing for word in first_pieces(rest)} - {*row.word_ids})
        for row in rows
    ]
    if sum(lost):
        sentences = f"{sum(map(bool, lost))} of {len(rows)} sentences"
        words = counted(sum(lost), "word with its tag", "words with their tags")
        warnings.warn(cut_message(sentences, len(rows[0].ids), words), stacklevel=3)


def cut_message(texts: str, length: int, lost: str) -> str:
    return (
        f"{texts} did not fit into a row of {length} pieces; cut off: {lost}. Divide long ones, or "
        "set a larger tokenizer.model_max_length, up to the model's limit"
    )


def counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def with_spaces(tokenizer: PreTrainedTokenizerFast, sentences: list[list[str]]) -> list[list[str]]:
    """The words, with the space before each that some tokenizers need to see.

    Most take words that are given one by one for words of a text. The byte-level ones of RoBERTa
    and ModernBERT do not, unless loaded with ``add_prefix_space=True``: they would read
    ``["Ada", "was"]`` as ``"Adawas"``. With the spaces, the pieces are those of the text.
    """
    probe = tokenizer(
        [["a", "a"], ["a", " a"]], is_split_into_words=True, add_special_tokens=False
    )["input_ids"]
    if probe[0] == probe[1] or probe[1] != tokenizer("a a", add_special_tokens=False)["input_ids"]:
        return sentences
    spaced = []
    for words in sentences:
        row, before = [], ""
        for word in words:
            row.append(f" {word}" if _is_space_between(before, word) else word)
            before = word or before
        spaced.append(row)
    return spaced


def _is_space_between(before: str, word: str) -> bool:
    """Whether a text has a space between two words."""
    if not before or not word or word[0].isspace():
        return False
    return not (UNSPACED.match(before[-1]) or UNSPACED.match(word[0]))


def checked_words(sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    found = []
    for row, words in enumerate(sentences):
        if isinstance(words, str) or not isinstance(words, Iterable):
            given = f"the text {words[:60]!r}" if isinstance(words, str) else repr(words)
            raise TypeError(f"sentences[{row}] is {given}; expected a list of words")
        found.append(checked_texts(f"sentences[{row}]", words))
    return found
