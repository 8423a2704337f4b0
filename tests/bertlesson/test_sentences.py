"""Where sentences end, and where a dot ends none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertlesson.sentences import split_sentences


@pytest.mark.parametrize(
    "text",
    [
        "It rained.|It snowed!|Did it?|It did …|So it did.",
        "She met Prof. Lindqvist and Mrs. Blum.|They spoke.",
        "J. R. R. Tolkien wrote it.|C. S. Lewis read it.",
        "See Smith et al. (2019) and Fig. 3.|Both agree.",
        "It costs 3.50 or 4.00 a piece.|That is cheap.",
        "Bread, cheese, etc. were sold.|The market closed.",
        "They sold bread, cheese, etc.|The market closed.",
        "“Come in.”|“Why?” she asked.|He left (at last).|So did I.|Nobody spoke.",
        "On Jan. 12 it froze.|On Dec. 3 it thawed.",
        "The U.S. team won.|It was late.",
        "¿Qué pasa?|¡Nada!|El Sr. Ruiz duerme.",
        "我喜欢书。|你呢？|他说：「好。」|走吧！",
        "Version 2.0 is out.|2.1 follows.",
        "She left. “never mind” was all. (so he says)",
        "They sold bread, cheese, etc.|A market closed.",
        "It is far, i.e. 5 km.|We walked, cf. [3].",
        "Malcolm X. Smith left.|So did I.",
    ],
)
def test_borders(text: str) -> None:
    sentences = text.split("|")
    together = ("" if "。" in text else " ").join(sentences)
    assert split_sentences(together) == sentences


def test_an_empty_line_ends_a_sentence_and_a_line_break_does_not() -> None:
    assert split_sentences("A heading\n\nA text that\ngoes on.  \n \n") == [
        "A heading",
        "A text that goes on.",
    ]


@pytest.mark.parametrize("text", ["", " \n\n ", "\n"])
def test_nothing_has_no_sentence(text: str) -> None:
    assert split_sentences(text) == []


@given(st.text(alphabet='aB .!?…"”)(1。」\n', max_size=60))
def test_nothing_is_lost(text: str) -> None:
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())
    assert all(sentence == sentence.strip() for sentence in split_sentences(text))
