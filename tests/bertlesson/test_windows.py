"""Windows: no word is lost, each is learned and predicted once, where it has most context."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import pre_tokenizers
from transformers import BertTokenizer, DataCollatorForTokenClassification, EvalPrediction
from transformers.trainer_utils import PredictionOutput

from bertlesson.entities import encode_entities
from bertlesson.heads import IGNORE_INDEX
from bertlesson.tags import encode_tags
from bertlesson.windows import Windows, decode_windows, encode_windows
from tests.bertlesson.small_tokenizer import (
    LABELS,
    PIECES,
    byte_level,
    make_tokenizer,
    sentence_piece,
)
from tests.bertlesson.test_tags import SENTENCE_TAGS, SENTENCES
from tests.bertlesson.test_words import KINDS, ZERO_WIDTH

rng = random.Random(0)
WORDS = ["Ada", "was", "in", "Bergen", "Gretalof", "a", ZERO_WIDTH, "Green-Owl", "[SEP]", "x"]


class Column:
    """As that of a data frame of which rows were left out: it has no row 0."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __getitem__(self, rows: Any) -> Any:
        return {}[rows]

    def __bool__(self) -> bool:
        raise ValueError("The truth value is ambiguous")


def sentence(words: int) -> tuple[list[str], list[str]]:
    chosen = [rng.choice(WORDS) for _ in range(words)]
    tags = ["O" if word == ZERO_WIDTH else rng.choice(LABELS) for word in chosen]
    return chosen, tags


def learned(windows: Windows) -> list[list[int]]:
    """The labels as a perfect model would predict them."""
    return [[max(label, 0) for label in row["labels"]] for row in windows.rows]


@pytest.mark.parametrize("kind", ["WordPiece", "white space", "SentencePiece"])
@pytest.mark.parametrize(("length", "stride"), [(8, 0), (8, 3), (9, None), (20, 17), (64, None)])
def test_no_word_is_lost_and_none_is_learned_twice(
    kind: str, length: int, stride: int | None
) -> None:
    sentences, tags = map(list, zip(*(sentence(n) for n in (0, 1, 7, 40, 200)), strict=True))
    tokenizer = KINDS[kind]()
    windows = encode_windows(tokenizer, sentences, tags, LABELS, max_length=length, stride=stride)
    assert max(len(row["input_ids"]) for row in windows.rows) <= length
    seen = [
        (windows.text[row], word) for row in range(len(windows)) for word, _ in windows.words[row]
    ]
    assert len(seen) == len({*seen}) == sum(map(len, sentences)) - windows.dropped
    labels = sum(label != IGNORE_INDEX for row in windows.rows for label in row["labels"])
    assert labels == len(seen)
    assert decode_windows(learned(windows), windows, LABELS) == tags
    whole = tokenizer(sentences, is_split_into_words=True)["input_ids"]
    pieces = [set(row["input_ids"]) for row in windows.rows]
    for number, ids in enumerate(whole):  # every piece is read in some row
        rows = [row for row, text in zip(pieces, windows.text, strict=True) if text == number]
        assert set(ids) == set.union(*rows)


def test_a_word_is_in_the_window_where_it_has_most_context() -> None:
    words = [f"w{number}" for number in range(100)]
    tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate([*PIECES[:5], *words])})
    windows = encode_windows(tokenizer, [words], max_length=12, stride=6)
    contexts: dict[int, list[int]] = {}
    for row in windows.rows:
        shown = [tokenizer.convert_ids_to_tokens(id) for id in row["input_ids"]][1:-1]
        for at, word in enumerate(shown):
            contexts.setdefault(words.index(word), []).append(min(at, len(shown) - 1 - at))
    assert max(map(len, contexts.values())) >= 2
    for row, its_words in zip(windows.rows, windows.words, strict=True):
        for word, piece in its_words:
            here = min(piece - 1, len(row["input_ids"]) - 2 - piece)
            assert here == max(contexts[word])
            assert tokenizer.convert_ids_to_tokens(row["input_ids"][piece]) == words[word]
    inner = [max(contexts[word]) for word in range(10, 90)]
    assert min(inner) >= 2  # a stride of 6 leaves each word 2 or more on either side


@pytest.mark.parametrize("kind", ["WordPiece", "white space", "SentencePiece"])
def test_rows_that_fit_are_those_of_encode_tags(kind: str) -> None:
    tokenizer = KINDS[kind]()
    windows = encode_windows(tokenizer, SENTENCES, SENTENCE_TAGS, LABELS)
    batch = DataCollatorForTokenClassification(tokenizer)([*windows])  # type: ignore[misc]
    features = encode_tags(tokenizer, SENTENCES, SENTENCE_TAGS, LABELS)
    assert batch.keys() == features.keys()
    for name, tensor in features.items():
        assert torch.equal(batch[name], tensor), name


def test_texts_with_entities_are_those_of_encode_entities_and_come_back() -> None:
    tokenizer = make_tokenizer()
    texts = ["Ada was in Bergen.", "", "Who was at the Green Owl?"]
    entities: list[Any] = [[(0, 3, "PER"), (11, 17, "LOC")], [], [(15, 24, "ORG")]]
    windows = encode_windows(tokenizer, texts, entities, LABELS)
    batch = DataCollatorForTokenClassification(tokenizer)([*windows])  # type: ignore[misc]
    for name, tensor in encode_entities(tokenizer, texts, entities, LABELS).items():
        assert torch.equal(batch[name], tensor), name
    assert decode_windows(learned(windows), windows, LABELS) == entities
    long, moved = " ".join([texts[0]] * 30), []
    for number in range(30):
        moved += [
            (start + 19 * number, end + 19 * number, kind) for start, end, kind in entities[0]
        ]
    windows = encode_windows(tokenizer, [long], [moved], LABELS, max_length=12)
    assert len(windows) > 15
    assert decode_windows(learned(windows), windows, LABELS) == [moved]


def test_predictions_may_be_scores_tensors_or_padded_arrays() -> None:
    tokenizer = make_tokenizer(8)
    words, tags = sentence(50)
    windows = encode_windows(tokenizer, [words], [tags], LABELS)
    numbers = np.full((len(windows), 15), -100)
    for row, labels in enumerate(learned(windows)):
        numbers[row, : len(labels)] = labels
    scores = np.eye(len(LABELS))[numbers.clip(0)]
    for predicted in (numbers, scores, torch.tensor(scores).bfloat16(), torch.tensor(numbers)):
        assert decode_windows(predicted, windows, LABELS) == [tags]
    with pytest.raises(ValueError, match=r"predicted has \d+ rows of \[15\] pieces, and windows"):
        decode_windows(numbers[1:], windows, LABELS)
    message = "one prediction for each piece of each row, in order, and all padding on the right$"
    with pytest.raises(ValueError, match=message):
        decode_windows(numbers[:, :5], windows, LABELS)
    nothing = encode_windows(tokenizer, [])
    assert decode_windows([], nothing, LABELS) == []
    with pytest.raises(ValueError, match="and windows 0 rows of up to 0; expected"):
        decode_windows(numbers, nothing, LABELS)


def test_a_text_that_is_split_is_no_reason_to_warn(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tokenizer says that the text is too long for the model, before it is split."""
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    tokenizer = make_tokenizer(8)
    encode_windows(tokenizer, [["Ada"] * 50])
    assert caplog.messages == []
    tokenizer(["Ada"] * 50, is_split_into_words=True)
    assert "longer than the specified maximum" in caplog.text


def test_predictions_in_another_order_or_without_numbers_are_refused() -> None:
    """As `Trainer` returns them with ``group_by_length``; a row of NaN would be all O."""
    sentences, tags = map(list, zip(*(sentence(n) for n in (3, 30, 9, 20)), strict=True))
    windows = encode_windows(make_tokenizer(), sentences, tags, LABELS)
    width = max(len(row["input_ids"]) for row in windows.rows) + 2
    labels = np.full((len(windows), width), IGNORE_INDEX)
    for row, its_labels in enumerate(windows.rows):
        labels[row, : len(its_labels["labels"])] = its_labels["labels"]
    scores = np.eye(len(LABELS))[labels.clip(0)]
    for kind in (EvalPrediction, lambda *parts: PredictionOutput(*parts, {})):
        right = kind(scores, labels)
        assert decode_windows(right, windows, LABELS) == tags
        assert decode_windows(kind((scores, "states"), labels), windows, LABELS) == tags
        order = [1, 3, 2, 0]
        with pytest.raises(ValueError, match="row 0 of the predictions has other labels than"):
            decode_windows(kind(scores[order], labels[order]), windows, LABELS)
        with pytest.raises(ValueError, match=r"predicted has 3 rows .* and windows 4 rows"):
            decode_windows(kind(scores[1:], labels[1:]), windows, LABELS)
    scores[2, 4, 1] = np.nan
    for form in (np.asarray, list, torch.tensor):
        with pytest.raises(ValueError, match="scores are NaN in 1 of 4 rows, the first is row 2"):
            decode_windows(form(scores), windows, LABELS)


def test_dropped_words_are_counted_and_come_back_outside() -> None:
    windows = encode_windows(
        make_tokenizer(), [["Ada", ZERO_WIDTH, "was"]], [["B-PER", "I-PER", "O"]], LABELS
    )
    assert windows.dropped == 1
    assert decode_windows(learned(windows), windows, LABELS) == [["B-PER", "O", "O"]]


def test_a_long_sentence_takes_no_longer_than_its_words() -> None:
    words, tags = sentence(10_000)
    windows = encode_windows(make_tokenizer(), [words], [tags], LABELS)
    assert decode_windows(learned(windows), windows, LABELS) == [tags]


def test_columns_of_tables_are_taken_for_lists() -> None:
    tokenizer = make_tokenizer()
    words, tags = [["Ada", "was"], ["in", "Delft"]], [["B-PER", "O"], ["O", "B-LOC"]]
    expected = encode_windows(tokenizer, words, tags, LABELS)
    for form in (np.array, Column):
        given: Any = form(words), form(tags)
        assert encode_windows(tokenizer, *given, LABELS).rows == expected.rows
    texts, entities = ["Ada was", "in Delft"], [[(0, 3, "PER")], []]
    expected = encode_windows(tokenizer, texts, entities, LABELS)
    for column in (np.array(texts), Column(texts)):
        given = column, Column(entities)
        assert encode_windows(tokenizer, *given, LABELS).rows == expected.rows


@pytest.mark.parametrize("kind", [*KINDS, "first"])
def test_words_have_the_pieces_that_they_have_in_a_text(kind: str) -> None:
    """Byte-level tokenizers would read them as one long word."""
    tokenizer = sentence_piece() if kind == "first" else KINDS[kind]()
    if kind == "first":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    words = ["Ada", "was", "in", "", "Éire", "at", "in", "Malta"]
    tags = ["B-PER", "O", "O", "O", "B-LOC", "O", "O", "B-LOC"]
    windows = encode_windows(tokenizer, [words], [tags], LABELS, max_length=64)
    text = "Ada was in Éire at in Malta"
    assert windows.rows[0]["input_ids"] == tokenizer(text)["input_ids"]
    assert decode_windows(learned(windows), windows, LABELS) == [tags]


def test_words_of_scripts_without_spaces_have_none() -> None:
    tokenizer = byte_level(trim_offsets=True)
    for words in (["東", "京", "は", "IBM", "の"], ["ใน", "กรุงเทพ"], ["在", "。", "在"]):
        [row] = encode_windows(tokenizer, [words]).rows
        assert row["input_ids"] == tokenizer("".join(words))["input_ids"]
    [row] = encode_windows(tokenizer, [["서울", "에", "IBM"]]).rows
    assert row["input_ids"] == tokenizer("서울 에 IBM")["input_ids"]


def test_what_does_not_fit_is_refused() -> None:
    tokenizer = make_tokenizer()
    cases: list[tuple[Any, type[Exception], str]] = [
        (("Ada was", [["O"]]), TypeError, "texts is the string 'Ada was'"),
        (([["Ada"], "was"], [["O"], ["O"]]), TypeError, "texts are of both kinds"),
        ((["Ada", None], [[], []]), TypeError, r"texts\[1\] is None; expected a string"),
        ((["Ada \ud83d"], [[]]), ValueError, r"texts\[0\] has half of a surrogate pair"),
        (([["Ada", 7]], [["O", "O"]]), TypeError, r"sentences\[0\]\[1\] is 7; expected a str"),
        (([None], [["O"]]), TypeError, r"sentences\[0\] is None; expected a list of words"),
        (([["Ada"]], [["O", "O"]]), ValueError, r"texts\[0\] has 1 words and truth\[0\] 2 tags"),
        (([["Ada"]], [["B-MISC"]]), ValueError, r"truth\[0\] holds 'B-MISC'; expected one of"),
        ((["Ada"], [[(0, 2, "PER")]]), ValueError, "does not begin and end with a word"),
        (([["Ada"]], [["O"], ["O"]]), ValueError, "1 texts and 2 truth"),
    ]
    for arguments, error, message in cases:
        with pytest.raises(error, match=message):
            encode_windows(tokenizer, *arguments, LABELS)
    with pytest.raises(ValueError, match="expected O among them"):
        encode_windows(tokenizer, ["Ada"], [[]], ["B-PER"])
    with pytest.raises(ValueError, match="expected each of them once"):
        encode_windows(tokenizer, [["Ada"]], [["O"]], ["O", "B-PER", "O"])
    long = [["Ada"] * 600]
    for settings in ({"stride": 62}, {"stride": -1}, {"max_length": 2}):
        with pytest.raises(ValueError, match=r"stride is .*, and rows have room for \d+ pieces"):
            encode_windows(tokenizer, long, **settings)  # type: ignore[arg-type]
    tokenizer.model_max_length = 10**30
    with pytest.raises(ValueError, match="a text has 602 pieces, and the tokenizer has no model"):
        encode_windows(tokenizer, long)
    assert len(encode_windows(tokenizer, long, max_length=602)) == 1
    assert len(encode_windows(tokenizer, [["Ada"] * 510])) == 1
    tokenizer.padding_side = "left"
    with pytest.raises(ValueError, match="padding_side is 'left'; expected 'right'"):
        encode_windows(tokenizer, long)
