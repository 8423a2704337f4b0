"""The lesson's vocabulary: which pieces it has, and that it is the same in every process."""

from __future__ import annotations

import pytest

from bertlesson.lesson import vocabulary
from bertlesson.lesson.corpus import Document, Sentence, generate_documents
from tests.bertlesson.lesson.story_words import printed_in_every_process


def test_pieces_are_words_stems_endings_and_letters() -> None:
    words = {"the": 9, "boring": 3, "amazing": 2, "ring": 2, "zebra": 1}
    pieces = vocabulary.make_pieces(words, whole_words=1, endings=2)
    assert {"the", "bor", "amaz", "##ing", "ring", "zebra"} <= set(pieces)
    assert {"boring", "amazing", "##ring"}.isdisjoint(pieces)
    assert {letter for word in words for letter in word} <= set(pieces)
    assert len(pieces) == len(set(pieces))
    often = {"amazing": 1, "boring": 9, "walking": 2}
    pieces = vocabulary.make_pieces(often, whole_words=1, endings=2)
    assert {"boring", "amaz", "walk", "##ing"} <= set(pieces)
    assert "amazing" not in pieces


def test_a_word_is_cut_where_most_letters_are_shared() -> None:
    def cut(*words: str) -> set[str]:
        pieces = vocabulary.make_pieces(dict.fromkeys(words, 1), whole_words=0, endings=2)
        return {piece for piece in pieces if len(piece.removeprefix("##")) > 1}

    # two words share 5 letters, three share 3: 10 against 9
    pieces = {"swif", "grea", "##tness", "princ", "##ess"}
    assert cut("swiftness", "greatness", "princess") == pieces
    # an ending has 3 to 5 letters, and a stem at least as many as 3
    assert cut("abcdefuvwxyz", "ghijkluvwxyz") == {"abcdefu", "ghijklu", "##vwxyz"}
    assert cut("boring", "ring", "amazing") == {"bor", "amaz", "##ing", "ring"}
    # of two that share as many letters, the later one in the alphabet
    assert cut("aaabbb", "cccbbb", "aaaddd", "cccddd") == {"aaa", "ccc", "##bbb", "##ddd"}


def test_five_words_make_an_ending_unless_told_otherwise() -> None:
    words = dict.fromkeys(("boring", "amazing", "walking", "talking", "running"), 1)
    assert "##ing" in vocabulary.make_pieces(words, whole_words=0)
    del words["running"]
    assert "##ing" not in vocabulary.make_pieces(words, whole_words=0)


def test_the_tokenizer_is_that_of_its_words() -> None:
    texts = (
        "Tea, walking; WALKING! Caf\u00e9s",
        "walking, boring tea talking singing running hiding.",
    )
    documents = [Document((Sentence(text),), "positive") for text in texts]
    tokenizer = vocabulary.make_tokenizer(documents, whole_words=1, max_seq_length=7)
    pieces = {piece for piece in tokenizer.get_vocab() if len(piece.removeprefix("##")) > 1}
    stems = {"bor", "talk", "sing", "runn", "hid"}
    assert pieces == {*vocabulary.SPECIAL_TOKENS, "walking", *stems, "##ing", "tea", "cafes"}
    assert tokenizer.convert_ids_to_tokens(range(5)) == [*vocabulary.SPECIAL_TOKENS]
    assert tokenizer.model_max_length == 7
    assert tokenizer.tokenize("CAF\u00c9S, singing") == ["cafes", ",", "sing", "##ing"]


@pytest.mark.slow
def test_the_tokenizer_knows_every_word_of_the_text_and_is_the_same_in_every_process() -> None:
    documents = generate_documents(50, seed=0)
    tokenizer = vocabulary.make_tokenizer(documents, whole_words=100, max_seq_length=64)
    for document in documents:
        ids = tokenizer(document.text, truncation=False, verbose=False)["input_ids"]
        assert tokenizer.unk_token_id not in ids
    code = (
        "from bertlesson.lesson.corpus import generate_documents\n"
        "from bertlesson.lesson.vocabulary import make_tokenizer\n"
        "tokenizer = make_tokenizer(generate_documents(50, seed=0), 100, 64)\n"
        "print(sorted(tokenizer.get_vocab().items()))"
    )
    assert printed_in_every_process(code)
