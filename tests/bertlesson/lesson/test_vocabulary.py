"""The lesson's vocabulary: which pieces it has, and that it is the same in every process."""

from __future__ import annotations

import pytest

from bertlesson.lesson import vocabulary
from bertlesson.lesson.corpus import generate_documents
from tests.bertlesson.lesson.story_words import printed_in_every_process


def test_pieces_are_words_stems_endings_and_letters() -> None:
    words = {"the": 9, "boring": 3, "amazing": 2, "ring": 2, "zebra": 1}
    pieces = vocabulary.make_pieces(words, whole_words=1, endings=2)
    assert {"the", "bor", "amaz", "##ing", "ring", "zebra"} <= set(pieces)
    assert {"boring", "amazing", "##ring"}.isdisjoint(pieces)
    assert {letter for word in words for letter in word} <= set(pieces)
    assert len(pieces) == len(set(pieces))


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
