"""Schemes: each spells the same entities, and a strict reading leaves out what breaks the rules."""

from __future__ import annotations

import random

import pytest

from bertlesson.schemes import SCHEMES, convert_tags, read_strictly, spell_tags, tag_labels
from bertlesson.tags import read_tags

ENTITIES = [(0, 1, "PER"), (1, 3, "PER"), (3, 4, "LOC"), (5, 8, "LOC")]
SPELLED = {
    "IOB1": "I-PER B-PER I-PER I-LOC O I-LOC I-LOC I-LOC",
    "IOB2": "B-PER B-PER I-PER B-LOC O B-LOC I-LOC I-LOC",
    "IOE2": "E-PER I-PER E-PER E-LOC O I-LOC I-LOC E-LOC",
    "IOBES": "S-PER B-PER E-PER S-LOC O B-LOC I-LOC E-LOC",
    "BILOU": "U-PER B-PER L-PER U-LOC O B-LOC I-LOC L-LOC",
    "BMES": "S-PER B-PER E-PER S-LOC O B-LOC M-LOC E-LOC",
}


def test_all_schemes_are_spelled() -> None:
    assert SPELLED.keys() == SCHEMES.keys()
    for scheme, tags in SPELLED.items():
        assert (
            spell_tags(ENTITIES, 8, scheme) == spell_tags(ENTITIES[::-1], 8, scheme) == tags.split()
        )
        if scheme != "IOB1":
            assert read_strictly(tags.split(), scheme) == ENTITIES
        for other, converted in SPELLED.items():
            assert convert_tags(tags.split(), other) == converted.split()
    assert {*SPELLED["IOBES"].split()} < {*tag_labels([SPELLED["IOBES"].split()], "IOBES")}
    assert tag_labels([["O"], ["B-X", "O"]]) == ["O", "B-X", "I-X"]


def test_any_entities_survive_any_scheme() -> None:
    rng = random.Random(0)
    for _ in range(300):
        entities, at = [], 0
        while (at := at + rng.choice([0, 0, 1, 2])) < 12:
            after = at + rng.randint(1, 4)
            entities.append((at, after, rng.choice(["X", "Y-Z"])))
            at = after
        for scheme in SCHEMES:
            tags = spell_tags(entities, 16, scheme)
            assert read_tags(tags) == entities
            assert convert_tags(tags, scheme) == tags
            assert {*tags} <= {*tag_labels([tags], scheme)}


@pytest.mark.parametrize(
    ("scheme", "tags", "entities"),
    [
        ("IOB2", "I-X I-X O B-X I-Y I-X", [(3, 4, "X")]),
        ("IOB2", "B-X B-X I-X", [(0, 1, "X"), (1, 3, "X")]),
        ("IOE2", "I-X O E-X E-X I-X I-Y E-Y", [(2, 3, "X"), (3, 4, "X"), (5, 7, "Y")]),
        ("IOBES", "B-X O B-X B-X E-X E-X S-X I-X", [(3, 5, "X"), (6, 7, "X")]),
        ("IOBES", "B-X I-X E-Y B-X I-Y E-X", []),
        ("BILOU", "U-X L-X B-X L-X B-X", [(0, 1, "X"), (2, 4, "X")]),
    ],
)
def test_broken_rules_spell_nothing_in_strict_reading(
    scheme: str, tags: str, entities: list[tuple[int, int, str]]
) -> None:
    """As seqeval 1.2.2 reads them with mode="strict"; more in test_report.py."""
    assert read_strictly(tags.split(), scheme) == entities


def test_what_a_scheme_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="scheme is 'BIO'; expected one of"):
        convert_tags(["O"], "BIO")
    with pytest.raises(ValueError, match="the tag is 'S-X'; expected O, or IOB2's B, I"):
        read_strictly(["S-X"], "IOB2")
    with pytest.raises(ValueError, match="scheme is 'IOB1'; expected another, or read_tags"):
        read_strictly(["I-X"], "IOB1")
    for entities in ([(0, 2, "X"), (1, 3, "X")], [(2, 4, "X")], [(1, 1, "X")]):
        with pytest.raises(ValueError, match="is not within these 3 words, or overlaps another"):
            spell_tags(entities, 3)
