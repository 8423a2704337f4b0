"""Rows of a fixed length: nothing of a text is lost, and special tokens are the tokenizer's own."""

from __future__ import annotations

import copy
import logging
import pickle
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import decoders
from transformers import BertTokenizer, PreTrainedTokenizerBase

from bertlesson.collating import MaskingCollator
from bertlesson.masking import MaskingRecipe
from bertlesson.rows import TokenRows, encode_rows, special_ends
from bertlesson.texts import parts_of, read_texts
from tests.bertlesson.small_tokenizer import make_foreign_tokenizer, make_tokenizer

KINDS = ["wordpiece", "byte-level", "trimmed", "metaspace", "xlnet"]
WORDS = [
    *["who", "was", "in", "the", "green", "owl", ",", "ada", "lofgreta", "delft", "xyz"],
    "Bergen's",
]


def tokenizer_of(kind: str) -> PreTrainedTokenizerBase:
    return make_tokenizer() if kind == "wordpiece" else make_foreign_tokenizer(kind)


def documents(seed: int = 0) -> list[str]:
    """From one word to several rows, some a row exactly."""
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(1, 60))) for _ in range(60)]


def whole(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False, truncation=False)["input_ids"]
    return ids


def without(row: list[int], tokenizer: PreTrainedTokenizerBase) -> list[int]:
    return [i for i in row if i not in (tokenizer.cls_token_id, tokenizer.sep_token_id)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [5, 16, 64])
def test_joined_rows_hold_every_token_in_order(kind: str, length: int) -> None:
    tokenizer, texts = tokenizer_of(kind), documents()
    rows = [row["input_ids"] for row in encode_rows(texts, tokenizer, length)]
    assert [i for row in rows for i in without(row, tokenizer)] == [
        i for text in texts for i in whole(tokenizer, text)
    ]
    first, last = special_ends(tokenizer)
    assert all(row[: len(first)] == first and row[len(row) - len(last) :] == last for row in rows)
    short = [row for row in rows[:-1] if len(row) < length]
    assert all(length - len(row) <= len(last) for row in short)  # a document ended just there
    assert max(map(len, rows)) <= length
    # separators are between documents and nowhere else
    inner = [row[len(first) : len(row) - len(last)] for row in rows]
    separators = sum(row.count(tokenizer.sep_token_id) for row in inner)
    assert separators <= len(texts) - 1
    assert not any(row[0] in last or row[-1] in last for row in inner)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_single_documents_keep_the_remainder(kind: str) -> None:
    tokenizer, texts = tokenizer_of(kind), documents()
    rows = iter(encode_rows(texts, tokenizer, 16, join=False))
    first, last = special_ends(tokenizer)
    room = 16 - len(first) - len(last)
    for text in texts:
        ids = whole(tokenizer, text)
        for start in range(0, len(ids), room):
            assert next(rows)["input_ids"] == [*first, *ids[start : start + room], *last]
    assert next(rows, None) is None


@pytest.mark.parametrize("join", [True, False])
def test_a_document_that_the_tokenizer_drops_leaves_no_separator(join: bool) -> None:
    tokenizer = make_tokenizer()
    texts = ["\u200b", "Ada was", "\u200b", "\u200b\u00ad", "in Delft", "\u200b"]
    rows = list(encode_rows(texts, tokenizer, 16, join=join, word_ids=True))
    assert rows == list(encode_rows(texts[1::3], tokenizer, 16, join=join, word_ids=True))


def test_a_text_that_fits_is_encoded_as_the_tokenizer_does() -> None:
    for kind in KINDS:
        tokenizer = tokenizer_of(kind)
        (row,) = encode_rows(["Who was in Bergen ?"], tokenizer, 64)
        assert row["input_ids"] == tokenizer("Who was in Bergen ?")["input_ids"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wordpiece", "byte-level"])
def test_a_long_document_read_in_parts_gives_the_tokens_of_the_whole(
    kind: str, tmp_path: Path
) -> None:
    text = " ".join(random.Random(1).choices([*WORDS, "\n", "\n\n "], k=20_000))
    (tmp_path / "long.txt").write_text(text)
    tokenizer = tokenizer_of(kind)
    rows = encode_rows(read_texts(tmp_path), tokenizer, 32)
    ids = [i for row in rows for i in without(row["input_ids"], tokenizer)]
    assert ids == whole(tokenizer, text.strip())


def test_parts_of_a_document_and_batches_of_documents_leave_no_seam(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokenizer, texts = make_tokenizer(), documents()
    expected = {join: list(encode_rows(texts, tokenizer, 16, join=join)) for join in (True, False)}
    monkeypatch.setattr("bertlesson.texts.PART", 40)
    monkeypatch.setattr("bertlesson.rows.AT_ONCE", 200)
    assert len(list(parts_of(texts))) > 2 * len(texts)
    for join, rows in expected.items():
        assert list(encode_rows(texts, tokenizer, 16, join=join)) == rows


def test_the_bar_goes_to_the_end_of_the_texts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("\n".join(documents()))
    texts = read_texts(tmp_path, ends="line")
    given = texts, make_tokenizer(), 16
    rows = list(encode_rows(*given))
    assert capsys.readouterr().err == ""
    assert list(encode_rows(*given, progress=True)) == rows
    assert "\rtokenizing: 100%" in capsys.readouterr().err
    assert list(encode_rows([*texts], *given[1:], progress=True)) == rows
    assert "\rtokenizing: " in capsys.readouterr().err


def test_a_text_longer_than_a_row_is_no_reason_to_warn(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    tokenizer = make_tokenizer(16)
    list(encode_rows(["ada was in delft " * 9], tokenizer, 16))
    assert caplog.messages == []


def test_the_share_of_a_token_is_of_more_than_a_million() -> None:
    rows = TokenRows({"input_ids": [2, *[7] * (2**18 - 1)]} for _ in range(9))
    assert rows.share_of(2) == 2**-18


def test_decoding_gives_the_text_back() -> None:
    tokenizer = make_foreign_tokenizer("byte-level")
    tokenizer.backend_tokenizer.decoder = decoders.ByteLevel()
    texts = ["Naïve café: 字 🙂\n\n  indented", "the second\ttext"]
    rows = encode_rows(texts, tokenizer, 8)
    ids = [i for row in rows for i in without(row["input_ids"], tokenizer)]
    assert tokenizer.decode(ids) == "".join(texts)


def test_special_tokens_in_a_text_are_text() -> None:
    tokenizer = make_foreign_tokenizer("byte-level")
    tokenizer.backend_tokenizer.decoder = decoders.ByteLevel()
    (row,) = encode_rows(["a [SEP] b"], tokenizer, 64)
    assert row["input_ids"].count(tokenizer.sep_token_id) == 1
    assert "[SEP] b" in tokenizer.decode(row["input_ids"], skip_special_tokens=True)


def test_a_limit_or_padding_of_the_tokenizer_itself_changes_nothing() -> None:
    tokenizer = make_tokenizer()
    expected = list(encode_rows(["who was in bergen ?"] * 9, tokenizer, 32))
    backend: Any = tokenizer.backend_tokenizer
    backend.enable_truncation(3)
    backend.enable_padding(length=40)
    assert list(encode_rows(["who was in bergen ?"] * 9, tokenizer, 32)) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("join", [True, False])
def test_words_are_numbered_within_each_row(kind: str, join: bool) -> None:
    tokenizer, texts = tokenizer_of(kind), documents()
    special = (tokenizer.cls_token_id, tokenizer.sep_token_id)
    expected = []
    for number, text in enumerate(texts):
        encoded = tokenizer(text, add_special_tokens=False)
        expected += [(number, word) for word in encoded.word_ids()]
    seen = 0
    for row in encode_rows(texts, tokenizer, 16, join=join, word_ids=True):
        ids, words = row["input_ids"], row["word_ids"]
        assert [i in special for i in ids] == [word == -1 for word in words]
        inner = [word for word in words if word != -1]
        assert inner[0] == 0
        there = expected[seen : seen + len(inner)]
        seen += len(inner)
        same = [a == b for a, b in pairwise(inner)]
        assert same == [a == b for a, b in pairwise(there)]
    assert seen == len(expected)


def test_whole_words_are_masked_with_a_vocabulary_without_prefixes() -> None:
    tokenizer = make_foreign_tokenizer("byte-level")
    tokenizer.add_special_tokens({"mask_token": "[MASK]"})
    rows = TokenRows(encode_rows(documents(), tokenizer, 32, word_ids=True))
    recipe = MaskingRecipe(select=0.3, mask=1, random=0)
    batch = MaskingCollator(tokenizer, recipe, seed=0, whole_word_mask=True)(list(rows))
    selected = (batch["labels"] != -100).numpy()
    assert selected.any()
    for row, chosen in zip(rows, selected, strict=True):
        words = np.array(row["word_ids"])
        for word in set(words.tolist()) - {-1}:
            assert len(set(chosen[: len(words)][words == word].tolist())) == 1
        assert not chosen[: len(words)][words == -1].any()


@pytest.mark.parametrize("words", [True, False])
def test_rows_are_kept_in_memory_or_in_a_file(tmp_path: Path, words: bool) -> None:
    tokenizer = make_tokenizer()
    rows = list(encode_rows(documents(), tokenizer, 16, word_ids=words))
    kept = TokenRows(rows), TokenRows(iter(rows), tmp_path / "rows.bin")
    for some in kept:
        assert list(some) == rows
        assert some[-1] == rows[-1]
        for part in (slice(2), slice(-3, None), slice(None, None, -2), slice(5, 5)):
            assert some[part] == rows[part]
        assert some.tokens == sum(len(row["input_ids"]) for row in rows)
        unknown = [i == tokenizer.unk_token_id for row in rows for i in row["input_ids"]]
        assert some.share_of(tokenizer.unk_token_id) == pytest.approx(np.mean(unknown))
        with pytest.raises(IndexError):
            some[len(rows)]
    assert [path.name for path in tmp_path.iterdir()] == ["rows.bin"]


def test_a_copy_for_a_worker_opens_the_file_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"input_ids": list(range(1000)), "word_ids": [7] * 1000}] * 100
    monkeypatch.chdir(tmp_path)
    kept = TokenRows(rows, "rows.bin")
    packed = pickle.dumps(kept)
    assert len(packed) < 10_000  # of 800,000
    monkeypatch.chdir("/")
    assert list(pickle.loads(packed)) == list(copy.deepcopy(kept)) == rows
    assert list(pickle.loads(pickle.dumps(TokenRows(rows)))) == rows


def test_a_file_is_not_left_half_written(tmp_path: Path) -> None:
    def broken() -> Any:
        yield {"input_ids": [2, 3]}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TokenRows(broken(), tmp_path / "rows.bin")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="there are no rows; expected text"):
        TokenRows([], tmp_path / "rows.bin")
    assert not list(tmp_path.iterdir())


def test_a_length_without_room_and_a_slow_tokenizer_are_refused() -> None:
    tokenizer = make_tokenizer(length=64)
    message = "length is {}; expected from 3 to 64: the tokenizer adds 2 special tokens to a row"
    for length in (2, 65):
        with pytest.raises(ValueError, match=message.format(length)):
            encode_rows(["a"], tokenizer, length)

    class Slow(BertTokenizer):
        is_fast = False

    with pytest.raises(TypeError, match="Slow is not a fast tokenizer"):
        encode_rows(["a"], Slow(vocab=tokenizer.get_vocab()), 16)
