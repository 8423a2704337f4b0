"""All prose is spelled as the British do, in the pages and in the sources."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.docs import spelling
from tests.docs.prose import END, Word, of_source
from tests.docs.spelling import OXFORD, forms, listed, sentences, unknown, words_of

# Slips of the hand, American spellings, and words that are often written wrongly.
MISSPELLED = re.findall(
    r"\w+",
    """
    accomodate acheive adress agressive apparant arguement begining beleive calender catagory
    center comparision completly convinient definately dependancy embarass enviroment existance
    favorite fourty garantee gradiant hierachy independant intial langauge lenght maintainance
    manoeuver mispelled modelled neccessary neighbor noticable occured occurence paramter
    performence posession prefered probabilty publically recieve recomend refered relevent
    reproducable seperate sentance succesful supress tendancy threshhold transfered truely
    unneccessary weigth wich
    """,
)


@pytest.fixture(scope="module")
def places(
    page_prose: dict[str, list[Word]], source_prose: dict[str, list[Word]]
) -> dict[str, str]:
    """Each word of the project, with the place where it comes first."""
    found: dict[str, str] = {}
    for page, text in page_prose.items():
        is_reference = page.startswith("api/")  # full of names of the code
        note(words_of(sentences(text) if is_reference else text), found)
    for text in source_prose.values():
        note(words_of(sentences(text)), found)
    return found


def note(words: Iterable[Word], found: dict[str, str]) -> None:
    for word, place in words:
        found.setdefault(word, place)


def test_every_word_is_in_the_dictionary_or_on_the_list(places: dict[str, str]) -> None:
    found = unknown(places, suggest=True)
    said = [
        f"{places[word]}: “{word}” is not in the dictionary"
        + (f"; is it {' or '.join(meant)}?" if meant else "")
        for word, meant in sorted(found.items())
    ]
    more = f"What is right belongs in {spelling.LIST.relative_to(spelling.ROOT)}."
    assert not found, "\n".join(["", *said, more])


def test_a_word_is_written_in_one_way(places: dict[str, str]) -> None:
    """“Tokenize” and “tokenise” are both right, but not in one text."""
    other = {word: OXFORD.sub("s", word) for word in places if OXFORD.search(word)}
    assert {
        f"{z} ({places[z]}), {s} ({places[s]})" for z, s in other.items() if s in places
    } == set()


def test_the_list_holds_no_word_that_nobody_writes_and_is_in_order(places: dict[str, str]) -> None:
    written = {form for word in places for form in forms(word)}
    assert sorted(listed() - written) == []
    lines = [line for line in spelling.LIST.read_text("utf-8").splitlines() if line[:1] != "#"]
    assert lines == sorted({*lines}, key=lambda word: (word.lower(), word))


@pytest.mark.slow
def test_the_list_holds_no_word_that_the_dictionary_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = listed()
    monkeypatch.setattr(spelling, "LIST", tmp_path / "none.txt")
    spelling.LIST.touch()
    assert sorted(words - unknown(words).keys()) == []


@pytest.mark.slow
def test_misspelled_words_are_found_with_what_is_meant() -> None:
    found = unknown(MISSPELLED, suggest=True)
    assert sorted({*MISSPELLED} - found.keys()) == ["modelled"]  # which is right
    assert "receive" in found["recieve"]
    assert "neighbour" in found["neighbor"]
    assert not unknown(["colour's", "Behaviour", "normalizes", "Organization's", "analysed"])


def test_prose_is_read_without_code() -> None:
    text = "See `x`, a_name, f(x) re-trained 12th https://example.org/abc models’ café Größe αβγ 3d"
    words = [word for word, _ in words_of((word, "") for word in text.split())]
    assert words == ["See", "x", "re", "trained", "models", "café", "Größe"]


def test_of_a_source_only_sentences_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    path.write_text(
        "/** Takes what a batchNorm of rows gives.\n *\n * @param {number} ka The first of them.\n"
        " */\nconst b = h('div', {a: 'kb kc'}, \"It is Bert's turn to speak\");\n"
        "const c = `afa aff b55 c04 c3c d00 9fe`;"
    )
    words = " ".join(
        word for word, _ in words_of(sentences(of_source(path, "a.js"))) if word != END
    )
    assert words == "Takes what a of rows gives The first of them It is Bert's turn to speak"
