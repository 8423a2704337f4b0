"""Sentences of plain text, for next sentence prediction.

To BERT a "sentence" is any stretch of contiguous text (Devlin et al. 2019, §3.1), so a border that
is off costs little; what matters is that a text has borders at all. The rules are made for European
languages, Chinese and Japanese. For others, or where borders matter, give `create_pairs` sentences
from a tool for the language.
"""

from __future__ import annotations

import re

__all__ = ["split_sentences"]

# what an abbreviation's dot follows; case does not count
TITLES = "adm|capt|col|dr|fr|gen|gov|hon|lt|messrs|mlle|mme|mr|mrs|ms|mt|prof|rev|sen|sgt|sr|st"
OTHERS = (
    "al|approx|apr|art|aug|ca|cf|ch|co|corp|dec|dept|ed|eds|eg|est|etc|feb|fig|ie|inc|jan|jr|jul"
    "|jun|ltd|mar|no|nos|nov|oct|p|pp|sec|sep|sept|trans|univ|vol|vs"
)
CLOSING = "\"'”’»)\\]"
OPENING = "\"'“‘«([¿¡"
# a sentence's end: its mark, what closes after it, and white space
END = re.compile(rf"(?<=[.!?…])[{CLOSING}]*(?P<space>\s+)|(?<=[。！？])[」』）]*(?P<none>)(?=\S)")
LAST_WORD = re.compile(r"[\w.]*\.$")


def split_sentences(text: str) -> list[str]:
    """Split a text after full stops, question marks and exclamation marks.

    A dot ends no sentence after an initial or a common abbreviation of English, between digits, or
    before a lower-case letter. After an abbreviation that can end a sentence ("etc."), one ends if
    a capital follows that begins no name after a title. An empty line ends a sentence, too.

    Args:
        text: Plain text.

    Returns:
        The sentences, without white space around them; joined by spaces they are the text, its
        white space aside.

    >>> split_sentences("Dr. A. Okafor left St. Gallen on Jan. 12. Why? It snowed, e.g. at 3.5 km.")
    ['Dr. A. Okafor left St. Gallen on Jan. 12.', 'Why?', 'It snowed, e.g. at 3.5 km.']
    """
    return [
        sentence
        for paragraph in re.split(r"\n\s*\n", text)
        for sentence in _of_paragraph(" ".join(paragraph.split()))
        if sentence
    ]


def _of_paragraph(text: str) -> list[str]:
    sentences, start = [], 0
    for end in END.finditer(text):
        if _ends(text, start, end):
            border = end.start("space") if end["space"] else end.end()
            sentences.append(text[start:border])
            start = end.end()
    return [*sentences, text[start:]]


def _ends(text: str, start: int, end: re.Match[str]) -> bool:
    """Whether the mark before this match ends a sentence."""
    following = text[end.end() : end.end() + 5].lstrip(OPENING)[:1]
    if following.islower():
        return False
    if text[end.start() - 1] != ".":
        return True
    found = LAST_WORD.search(text, start, end.start())
    word = found[0].rstrip(".").lower() if found else ""
    if re.fullmatch(TITLES, word):
        return False
    if len(word) == 1 and word.isalpha():  # an initial; "I" is more often a word
        return word == "i"
    if re.fullmatch(OTHERS, word.replace(".", "")):
        # "et al. (2019)" and "Jan. 12" go on; "etc. The" does not
        return following.isalpha()
    return True
