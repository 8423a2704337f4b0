"""Windows: sentences and texts of any length become rows, and each word is tagged once.

A text too long for one row is split into windows that overlap. A word in several windows is learned
and predicted in only one of them: the one in which it has most context.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding
from torch import Tensor
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerFast

from .characters import checked_texts
from .contexts import NOT_SET
from .entities import Entity, decode_entities, spell
from .heads import IGNORE_INDEX
from .inputs import check_same_number
from .outputs import check_numbers, check_order, scores_of
from .spans import RELEASED_LENGTH
from .tags import checked_words, first_pieces, with_spaces
from .words import Word, encodings_of, find_words, visible_words

__all__ = ["Windows", "decode_windows", "encode_windows"]

Row = dict[str, list[int]]
Value = TypeVar("Value")


class Windows(Dataset[Row]):
    """Rows of texts, as a data set for `transformers.Trainer` or a `DataLoader`.

    Its rows are of different lengths: pad them with
    `transformers.DataCollatorForTokenClassification`, which pads labels with -100.

    Attributes:
        rows: For each row the model's arguments, ``input_ids``, ``attention_mask`` and, for models
            that have them, ``token_type_ids``, each a list; with ``labels`` if tags or entities
            were given, -100 at all pieces but those where a word is learned.
        text: The index of each row's text, in the order of the texts.
        words: For each row the words that are predicted there, as pairs of the word's index in its
            text and its piece in the row.
        counts: The number of words in each text.
        found: For texts, their words; None for sentences that were given as words.
        dropped: How many words have no piece, because the tokenizer drops all their characters.
            They come back as O.
    """

    def __init__(self, counts: list[int], found: list[list[Word]] | None, dropped: int) -> None:
        self.rows: list[Row] = []
        self.text: list[int] = []
        self.words: list[list[tuple[int, int]]] = []
        self.counts = counts
        self.found = found
        self.dropped = dropped

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Row:
        return self.rows[index]

    def by_word(self, values: Sequence[Sequence[Value]]) -> list[list[Value | None]]:
        """The value of each word of each text, None for a word without a piece.

        Args:
            values: One for each piece of each row; what is beyond a row's end is not read.
        """
        found: list[list[Value | None]] = [[None] * count for count in self.counts]
        for row, text in enumerate(self.text):
            for word, piece in self.words[row]:
                found[text][word] = values[row][piece]
        return found


def encode_windows(
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[Sequence[str]] | Sequence[str],
    truth: Sequence[Sequence[str]] | Sequence[Sequence[Entity]] | None = None,
    labels: Sequence[str] = (),
    *,
    max_length: int | None = None,
    stride: int | None = None,
) -> Windows:
    """Tokenize sentences or texts into rows, without cutting any off.

    Args:
        tokenizer: A fast tokenizer.
        texts: Sentences, each as a list of words (as CoNLL's files have them), or plain texts.
        truth: For sentences a tag for each word; for texts the entities of each, in characters, see
            `bertlesson.entities.encode_entities`. Leave it out to predict.
        labels: All labels; the label at index i has the number i.
        max_length: The longest row, in pieces. Default: ``tokenizer.model_max_length``.
        stride: The least number of pieces that a window shares with the next. Windows of a text are
            spread evenly. Default: a quarter of a row.

    Raises:
        TypeError: If one string is given for all texts, or sentences and texts are mixed.
        ValueError: If tags or entities do not belong to their text or are not among `labels`, if
            the stride leaves no room, or if rows of more than 512 pieces are needed and nothing
            says how long they may be.

    >>> from transformers import BertTokenizer
    >>> pieces = "[PAD] [UNK] [CLS] [SEP] [MASK] ada was in delft".split()
    >>> tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)})
    >>> sentence, tags = ["Ada", "was", "in", "Delft"], ["B-PER", "O", "O", "B-LOC"]
    >>> labels = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    >>> rows = encode_windows(tokenizer, [sentence], [tags], labels, max_length=5, stride=2)
    >>> [tokenizer.decode(row["input_ids"]) for row in rows]
    ['[CLS] ada was in [SEP]', '[CLS] was in delft [SEP]']
    >>> [row["labels"] for row in rows]
    [[-100, 3, 0, -100, -100], [-100, -100, 0, 1, -100]]
    """
    if tokenizer.padding_side != "right":
        raise ValueError(
            f"tokenizer.padding_side is {tokenizer.padding_side!r}; expected 'right', where "
            "predictions are looked for: set it before training"
        )
    return make_windows(tokenizer, texts, truth, labels, max_length=max_length, stride=stride)


def make_windows(
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[Sequence[str]] | Sequence[str],
    truth: Sequence[Sequence[str]] | Sequence[Sequence[Entity]] | None = None,
    labels: Sequence[str] = (),
    *,
    max_length: int | None = None,
    stride: int | None = None,
) -> Windows:
    """As `encode_windows`, for rows that are padded on the right, whatever the tokenizer says."""
    if isinstance(texts, str):
        raise TypeError(f"texts is the string {texts[:60]!r}; expected a list of one or more")
    raw = any(isinstance(text, str) for text in texts)
    if truth is not None:
        check_same_number(texts=texts, truth=truth)
        if raw and "O" not in labels:
            raise ValueError(f"the labels are {list(labels)}; expected O among them")
    if raw and any(isinstance(text, list) for text in texts):
        raise TypeError("texts are of both kinds; expected strings alone, or lists of words alone")
    given: Any = texts
    given = checked_texts("texts", given) if raw else checked_words(given)
    if given and not raw:
        given = with_spaces(tokenizer, given)
    encoded = tokenizer(given, is_split_into_words=not raw, verbose=False) if given else None
    encodings = [] if encoded is None else encodings_of(encoded)
    # for each text the first piece of each of its words, by the word's number
    if encoded is not None and raw:
        words = [find_words(encoded, number, text) for number, text in enumerate(given)]
        pieces = [{n: word.piece for n, word in enumerate(row)} for row in words]
        windows = Windows([len(row) for row in words], words, 0)
    else:
        pieces = [first_pieces(encoding) for encoding in encodings]
        counts = [len(sentence) for sentence in given]
        windows = Windows(counts, None, sum(counts) - sum(map(len, pieces)))
    length = _row_length(tokenizer, encodings, max_length)
    targets: list[Any] = [] if truth is None else list(truth)  # a table numbers it otherwise
    for number, encoding in enumerate(encodings):
        learned = None
        if truth is not None and raw:
            spans = targets[number]
            visible = visible_words(encoding, given[number])
            name = f"texts[{number}]"
            learned = dict(
                zip(
                    (word.piece for word in visible),
                    spell(name, given[number], spans, visible, labels),
                    strict=True,
                )
            )
        elif truth is not None:
            tags = targets[number]
            numbers = _numbers(number, given[number], tags, labels)
            learned = {piece: numbers[word] for word, piece in pieces[number].items()}
        _add_windows(windows, tokenizer, number, encoding, pieces[number], learned, length, stride)
    return windows


def decode_windows(
    predicted: Any, windows: Windows, labels: Sequence[str]
) -> list[list[str]] | list[list[Entity]]:
    """Put the predictions for all rows together again, each word once.

    Args:
        predicted: Logits, ``(rows, length, labels)``, or the number of a label for each piece,
            ``(rows, length)``, as an array, a tensor or lists. Rows may be padded on the right, as
            `transformers.Trainer` returns them from ``predict`` and to ``compute_metrics``. Or all
            that it returns there: then its labels must be those of the windows, row by row.
        windows: See `encode_windows`.
        labels: The labels used in training.

    Returns:
        For sentences a tag for each word; for texts their entities, in characters.

    Raises:
        ValueError: If the predictions do not belong to these rows, come in another order, or are
            NaN, see `bertlesson.outputs`.

    >>> windows = Windows([3], None, 1)  # a sentence of three words, the second without a piece
    >>> windows.rows, windows.text, windows.words = [{"input_ids": [2, 7, 8, 3]}], [0], [
    ...     [(0, 1), (2, 2)]
    ... ]
    >>> decode_windows([[0, 1, 1, 0]], windows, ["O", "B-PER"])
    [['B-PER', 'O', 'B-PER']]
    """
    numbers = predicted_numbers(predicted, windows)
    tags = tags_of(windows, numbers, labels)
    if windows.found is None:
        return tags
    entities = []
    for its_tags, words in zip(tags, windows.found, strict=True):
        in_order = [word._replace(piece=number) for number, word in enumerate(words)]
        names = list(dict.fromkeys(its_tags))
        entities.append(decode_entities([names.index(tag) for tag in its_tags], in_order, names))
    return entities


def tags_of(
    windows: Windows, numbers: Sequence[Sequence[int]], labels: Sequence[str]
) -> list[list[str]]:
    """A tag for each word of each text; O for a word without a piece."""
    return [
        ["O" if number is None else labels[number] for number in its_numbers]
        for its_numbers in windows.by_word(numbers)
    ]


def predicted_numbers(predicted: Any, windows: Windows) -> list[list[int]]:
    """The label numbers for all pieces of the rows, after checking that they fit these rows."""
    check_order(predicted, [row["labels"] for row in windows.rows if "labels" in row])
    predicted = scores_of(predicted)
    if isinstance(predicted, Tensor):
        check_numbers(np.where(predicted.isnan().flatten(1).any(1).cpu(), np.nan, 0.0))
        predicted = (predicted.argmax(-1) if predicted.dim() == 3 else predicted).tolist()
    rows: list[NDArray[Any]] = [np.asarray(row) for row in predicted]
    longest = [len(row["input_ids"]) for row in windows.rows]
    if len(rows) != len(longest) or any(
        len(row) < need for row, need in zip(rows, longest, strict=True)
    ):
        raise ValueError(
            f"predicted has {len(rows)} rows of {sorted({len(row) for row in rows})} pieces, and "
            f"windows {len(longest)} rows of up to {max(longest, default=0)}; expected one "
            "prediction for each piece of each row, in order, and all padding on the right"
        )
    wrong = [row.dtype.kind == "f" and bool(np.isnan(row).any()) for row in rows]
    check_numbers(np.where(wrong, np.nan, 0.0))
    return [(row.argmax(-1) if row.ndim == 2 else row).tolist() for row in rows]


def _add_windows(
    windows: Windows,
    tokenizer: PreTrainedTokenizerFast,
    number: int,
    encoding: Encoding,
    pieces: dict[int, int],
    learned: dict[int, int] | None,
    length: int,
    stride: int | None,
) -> None:
    """Split one text into rows. The special tokens at its ends are repeated in each."""
    ids, special = encoding.ids, encoding.special_tokens_mask
    columns = {
        "input_ids": ids,
        "token_type_ids": encoding.type_ids,
        "attention_mask": encoding.attention_mask,
    }
    columns = {
        name: column for name, column in columns.items() if name in tokenizer.model_input_names
    }
    before = next((at for at, mark in enumerate(special) if not mark), len(ids))
    after = next((at for at, mark in enumerate(reversed(special)) if not mark), 0)
    content, room = len(ids) - before - after, length - before - after
    starts = _starts(content, room, max(0, room) // 4 if stride is None else stride)
    size = min(room, content)
    owners: dict[int, list[tuple[int, int]]] = {start: [] for start in starts}
    for word, piece in pieces.items():
        at = piece - before
        # as in the release's run_squad.py, context is what there is on the poorer side
        holding = starts[bisect_right(starts, at - size) : bisect_right(starts, at)]
        best = max(holding, key=lambda start: min(at - start, start + size - 1 - at))
        owners[best].append((word, piece - best))
    for start, owned in owners.items():
        window = slice(before + start, before + start + size)
        row = {
            name: [*column[:before], *column[window], *column[len(ids) - after :]]
            for name, column in columns.items()
        }
        if learned is not None:
            targets = [IGNORE_INDEX] * len(row["input_ids"])
            for _, piece in owned:
                targets[piece] = learned[piece + start]
            row["labels"] = targets
        windows.rows.append(row)
        windows.text.append(number)
        windows.words.append(owned)


def _starts(content: int, room: int, stride: int) -> list[int]:
    """Where the windows of a text begin: all of one size, and evenly spread.

    >>> _starts(10, 10, 3), _starts(11, 10, 3), _starts(25, 10, 3)
    ([0], [0, 1], [0, 5, 10, 15])
    """
    if content <= room:
        return [0]
    if not 0 <= stride < room:
        raise ValueError(
            f"stride is {stride}, and rows have room for {max(room, 0)} pieces of a text; expected "
            "0 or more, and less than a row: use a smaller stride or a larger max_length"
        )
    gaps = -(-(content - room) // (room - stride))
    return [(content - room) * gap // gaps for gap in range(gaps + 1)]


def _row_length(
    tokenizer: PreTrainedTokenizerFast, encodings: Sequence[Encoding], max_length: int | None
) -> int:
    longest = max((len(encoding.ids) for encoding in encodings), default=0)
    if max_length is not None:
        return max_length
    if tokenizer.model_max_length < NOT_SET:
        return int(tokenizer.model_max_length)
    if longest > RELEASED_LENGTH:
        raise ValueError(
            f"max_length is None, a text has {longest} pieces, and the tokenizer has no "
            "model_max_length; expected the length that the model reads: pass max_length, such as "
            "the model's config.max_position_embeddings"
        )
    return max(longest, 1)


def _numbers(
    sentence: int, words: Sequence[str], tags: Sequence[str], labels: Sequence[str]
) -> list[int]:
    if len(words) != len(tags) or isinstance(tags, str):
        raise ValueError(
            f"texts[{sentence}] has {len(words)} words and truth[{sentence}] {len(tags)} tags; "
            "expected one for each word"
        )
    number_of = {label: number for number, label in enumerate(labels)}
    if len(number_of) < len(labels):
        raise ValueError(f"the labels are {list(labels)}; expected each of them once")
    if unknown := [tag for tag in tags if tag not in number_of]:
        raise ValueError(
            f"truth[{sentence}] holds {unknown[0]!r}; expected one of the labels, {list(labels)}: "
            "tag_labels lists those of a data set"
        )
    return [number_of[tag] for tag in tags]
