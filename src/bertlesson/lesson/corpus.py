"""The lesson's text: small stories with their feelings, names and answers marked.

A document is a story of twelve sentences about two people, each of whom was in some town on some
day, and about a place that is loved or hated from beginning to end. A word hidden in one sentence
can therefore be inferred from the others: the mood, the person, the answer to a question. All of it
is drawn from the handwritten words and sentences in `corpus_text`, and the same seed gives the same
text everywhere.

Labelled examples are drawn from the same stories by `bertlesson.lesson.labelled`.

>>> for sentence in generate_documents(1, seed=5)[0].sentences[:4]:
...     print(sentence.text)
Thea spent a beautiful Sunday at the garden in Lucca.
Thea wrote to Otto about the marvellous garden.
Otto spent a wonderful Saturday at the garden in Cadiz.
Who was at the garden in Cadiz? Otto.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from string import Formatter
from typing import Literal, NamedTuple, get_args

from . import corpus_text as text

__all__ = [
    "ENTITY_LABELS",
    "SENTIMENTS",
    "Document",
    "Entity",
    "Sentence",
    "Sentiment",
    "Split",
    "generate_documents",
]

Split = Literal["train", "test"]
Sentiment = Literal["positive", "negative"]

SENTIMENTS: tuple[Sentiment, Sentiment] = ("negative", "positive")
ENTITY_LABELS = ("PER", "LOC", "ORG")  # person, town, named place; as in CoNLL-2003
MOOD_SLOTS = ("a", "b", "an", "loved", "smiled")


class Entity(NamedTuple):
    """A name in a sentence: `text[start:end]`, in characters."""

    start: int
    end: int
    label: str  # one of ENTITY_LABELS


@dataclass(frozen=True)
class Sentence:
    """One sentence and its labels.

    Attributes:
        text: The text of the sentence.
        entities: Its names, from left to right.
        sentiment: "positive" or "negative"; None if it expresses no feeling.
    """

    text: str
    entities: tuple[Entity, ...] = ()
    sentiment: Sentiment | None = None


@dataclass(frozen=True)
class Document:
    """One story.

    Attributes:
        sentences: The sentences in order; a question and its answer count as one.
        sentiment: The sentiment of all sentences that have one.
    """

    sentences: tuple[Sentence, ...]
    sentiment: Sentiment

    @property
    def text(self) -> str:
        """All sentences, joined by spaces."""
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True)
class Words:
    """The words that may fill the slots. Adjectives are grouped by mood, most frequent first."""

    women: Sequence[str] = text.WOMEN
    men: Sequence[str] = text.MEN
    towns: Sequence[str] = text.TOWNS
    place_adjectives: Sequence[str] = text.PLACE_ADJECTIVES
    place_nouns: Sequence[str] = text.PLACE_NOUNS
    adjectives: Mapping[str, Sequence[str]] = field(default_factory=lambda: text.ADJECTIVES)


ALL_WORDS = Words()


def generate_documents(n: int, seed: int, split: Split = "train") -> list[Document]:
    """Generate stories to pretrain on.

    Args:
        n: Number of stories. A larger number adds stories after the same first ones.
        seed: Each seed gives different stories.
        split: "train", or "test" for held-out stories: the same words, drawn independently.

    Raises:
        ValueError: If `n` is negative, or the split is neither "train" nor "test".

    >>> document = generate_documents(3, seed=0)[2]
    >>> document == generate_documents(5, seed=0)[2]
    True
    >>> {sentence.sentiment for sentence in document.sentences} == {document.sentiment, None}
    True
    """
    rng = seeded("documents", n, seed, split)
    return [Story(rng, ALL_WORDS).document() for _ in range(n)]


def seeded(kind: str, n: int, seed: int, split: str) -> random.Random:
    """A generator for each kind of text, so that one seed gives each kind different draws."""
    if n < 0:
        raise ValueError(f"n is {n}; expected the number of examples, 0 or more")
    if split not in get_args(Split):
        raise ValueError(f'split is {split!r}; expected "train" or "test"')
    return random.Random(f"{kind} {split} {seed}")  # a string seeds the same in every process


class Story:
    """One setting (two people, two trips, a place and a mood) and the sentences about it."""

    def __init__(self, rng: random.Random, words: Words) -> None:
        self.rng = rng
        self.sentiment: Sentiment = rng.choice(SENTIMENTS)
        self.adjectives = words.adjectives[self.sentiment]
        woman, man = rng.choice(words.women), rng.choice(words.men)
        people = [(woman, "she"), (man, "he")]
        rng.shuffle(people)
        self.people, self.pronouns = zip(*people, strict=True)
        self.towns = rng.sample(words.towns, 2)
        self.days = rng.sample(text.DAYS, 2)
        self.venue = rng.choice(list(text.VENUES))
        self.place = f"{rng.choice(words.place_adjectives)} {rng.choice(words.place_nouns)}"

    def document(self) -> Document:
        """Two trips with questions about both, and a place with feelings about it."""
        talk = [self.talk(0), self.talk(1)]
        self.rng.shuffle(talk)
        trips = [self.trip(0), self.link(), self.trip(1), *talk]
        place = [self.arrival(), *(self.feeling() for _ in range(6))]
        parts = [*trips, *place] if self.rng.random() < 1 / 2 else [*place, *trips]
        return Document(tuple(parts), self.sentiment)

    def link(self) -> Sentence:
        """A sentence that connects the two people."""
        return self.fill(self.rng.choice(text.LINKS))

    def trip(self, number: int) -> Sentence:
        """Who was where on which day, for trip 0 or 1."""
        return self.fill(self.rng.choice(text.TRIPS), number)

    def arrival(self) -> Sentence:
        """The kind of place, and its name."""
        return self.fill(self.rng.choice(text.ARRIVALS))

    def somebody(self) -> int:
        """The person with the feeling, and so the trip; twice as often the first of the two."""
        return self.rng.choices([0, 1], [2, 1])[0]

    def opinion(self) -> Sentence:
        """A feeling expressed by a verb and by adjectives."""
        return self.fill(self.rng.choice(text.OPINIONS), self.somebody())

    def remark(self) -> Sentence:
        """A feeling expressed by adjectives alone."""
        return self.fill(self.rng.choice(text.REMARKS), self.somebody())

    def feeling(self) -> Sentence:
        """A remark or an opinion; opinions are twice as likely."""
        return self.remark() if self.rng.random() < 1 / 3 else self.opinion()

    def talk(self, number: int) -> Sentence:
        """A question about trip 0 or 1, and its answer."""
        asked = self.rng.choice("PTD")
        question = self.rng.choice(text.QUESTIONS[asked])
        answer = self.rng.choice(text.ANSWERS[asked])
        return self.fill(f"{question} {answer}", number)

    def trip_words(self, number: int) -> dict[str, str]:
        """Person, town and day of trip 0 or 1."""
        return {
            "P": self.people[number],
            "Q": self.people[1 - number],
            "T": self.towns[number],
            "D": self.days[number],
        }

    def fill(self, frame: str, number: int = 0) -> Sentence:
        """Fill the slots of a frame with words, and mark the names."""
        rng = self.rng
        things = rng.sample(text.VENUES[self.venue], 2)
        weights = _falling_weights(len(self.adjectives))
        adjectives = rng.choices(self.adjectives, cum_weights=weights, k=2)
        while adjectives[0] == adjectives[1]:
            adjectives = rng.choices(self.adjectives, cum_weights=weights, k=2)
        neighbour, another = rng.sample(text.NEIGHBOURS, 2)
        subjects = self.people[number], self.pronouns[number], another
        words = self.trip_words(number) | {
            "o": rng.choice(text.BELONGINGS),
            "V": self.venue,
            "O": self.place,
            "n": things[0],
            "m": things[1],
            "a": adjectives[0],
            "b": adjectives[1],
            "an": f"{'an' if adjectives[0][0] in 'aeiou' else 'a'} {adjectives[0]}",
            "loved": rng.choice(text.LOVED[self.sentiment]),
            "smiled": rng.choice(text.SMILED[self.sentiment]),
            "S": neighbour,
            "X": rng.choices(subjects, [18, 1, 1])[0],
        }
        labels = dict.fromkeys(self.people, "PER") | {self.place: "ORG"}
        labels |= dict.fromkeys(self.towns, "LOC")
        written, entities, feeling = "", [], False
        for literal, slot in _parse(frame):
            written += literal
            if slot is not None:
                start = len(written)
                written += words[slot]
                feeling = feeling or slot in MOOD_SLOTS
                if label := labels.get(words[slot]):
                    entities.append(Entity(start, len(written), label))
        sentiment = self.sentiment if feeling else None
        return Sentence(_capitalise(written), tuple(entities), sentiment)


@cache
def _parse(frame: str) -> list[tuple[str, str | None]]:
    """The literal parts of a frame, each with the slot after it."""
    return [(literal, slot) for literal, slot, _, _ in Formatter().parse(frame)]


@cache
def _falling_weights(n: int) -> list[float]:
    """Running totals of 1 / (rank + 3)."""
    return list(accumulate(1 / (rank + 3) for rank in range(n)))


def _capitalise(sentence: str) -> str:
    """Capitalise the first letter, and any letter that begins a sentence within."""
    return re.sub(r"(^|[.?!] )([a-z])", lambda match: match[1] + match[2].upper(), sentence)
