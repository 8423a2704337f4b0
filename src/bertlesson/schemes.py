"""Schemes of tags: the same entities spelled in another one, and reading by one scheme alone.

| Scheme  | "Ada B. Lee" and "Malta" in one sentence       | Where it is used               |
| ------- | ---------------------------------------------- | ------------------------------ |
| `IOB1`  | I I I O I; B only directly after the same kind | CoNLL-2003's files             |
| `IOB2`  | B I I O B                                      | most data sets, often as "BIO" |
| `IOE2`  | I I E O E                                      | older chunkers                 |
| `IOBES` | B I E O S                                      | Stanza, Flair                  |
| `BILOU` | B I L O U                                      | spaCy                          |
| `BMES`  | B M E O S                                      | Chinese word segmentation      |

`bertlesson.tags.read_tags` reads all of them without being told which one it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from .tags import parse_tag, read_tags

__all__ = ["SCHEMES", "convert_tags", "read_strictly", "spell_tags", "tag_labels"]

# how a single word, and the first, middle and last of several words, are marked
SCHEMES = {
    "IOB1": "IIII",
    "IOB2": "BBII",
    "IOE2": "EIIE",
    "IOBES": "SBIE",
    "BILOU": "UBIL",
    "BMES": "SBME",
}
TagSpan = tuple[int, int, str]  # first word, word after the last, kind


def spell_tags(entities: Sequence[TagSpan], words: int, scheme: str = "IOB2") -> list[str]:
    """The tags of a sentence with these entities: the reverse of `read_tags`.

    Args:
        entities: First word, word after the last, and kind, in any order.
        words: Number of words in the sentence.
        scheme: One of `SCHEMES`.

    Raises:
        ValueError: If the scheme is unknown, or entities overlap or are not within the sentence.

    >>> spell_tags([(0, 2, "PER"), (3, 4, "LOC")], 4, "BILOU")
    ['B-PER', 'L-PER', 'O', 'U-LOC']
    """
    only, first, middle, last = list(_letters(scheme))
    tags = ["O"] * words
    for start, after, kind in entities:
        if not 0 <= start < after <= words or any(tag != "O" for tag in tags[start:after]):
            raise ValueError(
                f"the entity {(start, after, kind)} is not within these {words} words, or overlaps "
                "another; expected one tag for each word"
            )
        inside = middle * (after - start - 2)
        places = only if after - start == 1 else first + inside + last
        tags[start:after] = [f"{place}-{kind}" for place in places]
    if scheme == "IOB1":  # the border between two entities of one kind is marked, no other
        ends = {(after, kind) for _, after, kind in entities}
        for start, _, kind in entities:
            if (start, kind) in ends:
                tags[start] = f"B-{kind}"
    return tags


def convert_tags(tags: Sequence[str], scheme: str = "IOB2") -> list[str]:
    """Spell a sentence's tags in another scheme.

    Args:
        tags: One for each word, in any scheme, see `bertlesson.tags.read_tags`.
        scheme: One of `SCHEMES`.

    Raises:
        ValueError: If a tag belongs to no scheme, or the scheme is unknown.

    >>> convert_tags(["I-PER", "I-PER", "B-PER", "O"], "IOB2")
    ['B-PER', 'I-PER', 'B-PER', 'O']
    >>> convert_tags(["I-PER", "I-PER", "B-PER", "O"], "IOBES")
    ['B-PER', 'E-PER', 'S-PER', 'O']
    """
    return spell_tags(read_tags(tags), len(tags), scheme)


def read_strictly(tags: Sequence[str], scheme: str) -> list[TagSpan]:
    """The entities in a row of tags, without those that break the rules of the scheme.

    `read_tags` is lenient and takes an I after O for the start of an entity, as CoNLL's script
    does. Here it starts none. This is seqeval's (1.2.2) ``mode="strict"``.

    Args:
        tags: One for each word.
        scheme: ``"IOB2"``, ``"IOE2"``, ``"IOBES"``, ``"BILOU"`` or ``"BMES"``. In IOB1 an I may
            follow anything, so nothing breaks its rules: use `read_tags`.

    Raises:
        ValueError: If the scheme is another, or a tag's letter is not in it.

    >>> read_strictly(["I-PER", "O", "B-LOC", "I-LOC"], "IOB2")
    [(2, 4, 'LOC')]
    >>> read_strictly(["B-PER", "I-PER", "O", "S-LOC"], "IOBES")
    [(3, 4, 'LOC')]
    """
    letters = _letters(scheme)
    if scheme == "IOB1":
        raise ValueError("scheme is 'IOB1'; expected another, or read_tags for this one")
    only, first, _, last = (parse_tag(letter)[0] for letter in letters)
    found: list[TagSpan] = []
    start, open_kind = 0, ""  # of the entity that the next word may continue
    for word, tag in enumerate(tags):
        place, kind = parse_tag(tag)
        if place != "O" and tag[0] not in letters:
            shown = ", ".join(dict.fromkeys(letters))
            raise ValueError(f"the tag is {tag!r}; expected O, or {scheme}'s {shown}")
        inside = kind == open_kind and place in "IE"
        if not inside and place in (only, first):
            start, inside = word, True
        open_kind = kind if inside and (scheme == "IOB2" or place not in (only, last)) else ""
        if inside and scheme == "IOB2" and found and found[-1][0] == start:
            found[-1] = (start, word + 1, kind)
        elif inside and (scheme == "IOB2" or place in (only, last)):
            found.append((start, word + 1, kind))
    return found


def tag_labels(tags: Sequence[Sequence[str]], scheme: str = "IOB2") -> list[str]:
    """All labels that a model needs to spell the kinds of entities in these data.

    Taken from the kinds instead of the tags, so that an I is there even if the data happen to have
    no entity of two words.

    Args:
        tags: The tags of each sentence, in any scheme.
        scheme: The scheme of the labels, one of `SCHEMES`; the tags must be in it or be converted.

    Returns:
        O, then the labels of each kind, kinds in alphabetical order.

    >>> tag_labels([["B-PER", "O"], ["B-LOC", "I-LOC"]])
    ['O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER']
    """
    letters = dict.fromkeys("BI" if scheme == "IOB1" else _letters(scheme))
    kinds = {parse_tag(tag)[1] for tag in {tag for row in tags for tag in row} if tag != "O"}
    return ["O", *(f"{letter}-{kind}" for kind in sorted(kinds) for letter in letters)]


def _letters(scheme: str) -> str:
    if scheme not in SCHEMES:
        raise ValueError(f"scheme is {scheme!r}; expected one of {list(SCHEMES)}")
    return SCHEMES[scheme]
