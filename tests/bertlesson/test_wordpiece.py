"""A vocabulary is the same each time, and BERT's tokenizer reads with it."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoTokenizer, BertConfig

from bertlesson.wordpiece import SPECIAL_TOKENS, train_wordpiece

WORDS = ["hat", "hatter", "mad", "madness", "naïve", "rabbit", "rabbits", "tea", "teapot", "Zürich"]
TEXTS = [" ".join(WORDS[(7 * n + step) % len(WORDS)] for step in range(9)) for n in range(60)]


def test_special_tokens_come_first_and_are_the_only_special_ones() -> None:
    tokenizer = train_wordpiece(TEXTS, vocab_size=90)
    vocab = tokenizer.get_vocab()
    assert sorted(vocab.values()) == [*range(len(vocab))]
    assert [vocab[token] for token in SPECIAL_TOKENS] == [0, 1, 2, 3, 4]
    assert sorted(tokenizer.all_special_ids) == [0, 1, 2, 3, 4]
    assert set(tokenizer.get_added_vocab()) == {*SPECIAL_TOKENS}


def test_frequent_words_are_whole_and_others_are_spelled() -> None:
    tokenizer = train_wordpiece(TEXTS, vocab_size=200)
    assert tokenizer.tokenize("Hatter") == ["hatter"]
    assert tokenizer.decode(tokenizer("a teahat is mad")["input_ids"][1:-1]) == "a teahat is mad"
    assert tokenizer.tokenize("日") == ["[UNK]"]


@pytest.mark.parametrize(
    ("lowercase", "pieces"), [(True, ["naive", "zurich"]), (False, ["naïve", "Zürich"])]
)
def test_case_and_accents_are_kept_or_not(lowercase: bool, pieces: list[str]) -> None:
    tokenizer = train_wordpiece(TEXTS, vocab_size=300, lowercase=lowercase)
    assert tokenizer.tokenize("naïve Zürich") == pieces


def test_the_size_is_a_limit_and_the_rarest_characters_go_first() -> None:
    texts = [*TEXTS, "qx"]
    assert len(train_wordpiece(texts, vocab_size=70)) == 70
    tokenizer = train_wordpiece(texts, vocab_size=300, characters=len(set("".join(TEXTS))))
    assert len(tokenizer) < 300
    few = train_wordpiece(texts, vocab_size=300, characters=8)
    assert sum(len(piece) == 1 for piece in few.get_vocab()) == 8


def test_the_most_frequent_characters_have_pieces() -> None:
    few = train_wordpiece(["zz zzz a b b"], characters=2)
    assert {piece for piece in few.get_vocab() if len(piece) == 1} == {"b", "z"}
    equal = train_wordpiece(["d c b a"] * 5, characters=2)
    assert {piece for piece in equal.get_vocab() if len(piece) == 1} == {"a", "b"}


def test_characters_that_continue_a_word_are_numbered_in_order() -> None:
    vocab = train_wordpiece([*TEXTS, "ox"], vocab_size=200).get_vocab()
    continuing = sorted(piece for piece in vocab if piece.startswith("##") and len(piece) == 3)
    assert "##x" in continuing
    assert [vocab[piece] for piece in continuing] == [*range(5, 5 + len(continuing))]


def test_the_default_size_is_that_of_the_released_bert() -> None:
    default = inspect.signature(train_wordpiece).parameters["vocab_size"].default
    assert default == BertConfig().vocab_size


@pytest.mark.slow
def test_two_processes_train_the_same_vocabulary(tmp_path: Path) -> None:
    code = (
        "import json, sys\n"
        "from tests.bertlesson.test_wordpiece import TEXTS\n"
        "from bertlesson.wordpiece import train_wordpiece\n"
        "print(json.dumps(train_wordpiece(TEXTS, vocab_size=90).get_vocab(), sort_keys=True))\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    vocabularies = {run.stdout for run in runs}
    assert len(vocabularies) == 1
    assert json.loads(vocabularies.pop()) == train_wordpiece(TEXTS, vocab_size=90).get_vocab()


def test_it_comes_back_from_a_folder(tmp_path: Path) -> None:
    tokenizer = train_wordpiece(TEXTS, vocab_size=90, model_max_length=64)
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.get_vocab() == tokenizer.get_vocab()
    assert loaded.model_max_length == 64
    assert loaded(TEXTS)["input_ids"] == tokenizer(TEXTS)["input_ids"]


def test_a_word_that_is_never_read_teaches_no_pieces() -> None:
    """Without spaces for 200,000 characters, as an encoded image, it would take minutes."""
    blob = "to" * 100_000
    tokenizer = train_wordpiece([*TEXTS, blob], vocab_size=90)
    assert tokenizer.get_vocab() == train_wordpiece(TEXTS, vocab_size=90).get_vocab()
    assert tokenizer.tokenize(blob) == tokenizer.tokenize("to" * 51) == ["[UNK]"]
    longest = "to" * 50  # still read
    assert longest in train_wordpiece([longest] * 9, vocab_size=200).get_vocab()


def test_what_cannot_be_trained_on_is_refused() -> None:
    with pytest.raises(TypeError, match=r"texts\[1\] is None; expected a string"):
        train_wordpiece(["one", None])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="texts is the string 'one text'; expected a list"):
        train_wordpiece("one text")
    message = (
        "texts is a generator, which can be read only once; expected a list, or anything else that "
        "can be read twice$"
    )
    with pytest.raises(TypeError, match=message):
        train_wordpiece(text for text in TEXTS)
    with pytest.raises(ValueError, match="texts hold no word; expected text"):
        train_wordpiece(["", " \n"])
    with pytest.raises(ValueError, match=r"vocab_size is 20; expected at least \d+, since the"):
        train_wordpiece(TEXTS, vocab_size=20)
