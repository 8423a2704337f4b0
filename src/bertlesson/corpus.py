"""The lesson's text: small stories with their feelings, names and answers marked.

A document is a story of twelve sentences about two people, each of whom was in some town on some
day, and about a place that is loved or hated from beginning to end. A word hidden in one sentence
can therefore be inferred from the others: the mood, the person, the answer to a question. All of it
is drawn from the handwritten words and sentences in `corpus_text`, and the same seed gives the same
text everywhere.

Labelled training data avoid the people, towns, place names and adjectives in `HELD_OUT`. Labelled
test data use them: all of their names and some of their adjectives are in no labelled training
example, but all are in the pretraining text.

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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import accumulate
from string import Formatter
from typing import Literal, NamedTuple
from zlib import crc32

from bertlesson import corpus_text as text

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
class Question:
    """A question about a context, in SQuAD's terms.

    Attributes:
        question: The question.
        context: The text that contains the answer, if there is one.
        answer: The answer, ``context[answer_start : answer_start + len(answer)]``, or "".
        answer_start: Where the answer begins, in characters; None if the context has no answer.
    """

    question: str
    context: str
    answer: str
    answer_start: int | None

    @property
    def is_impossible(self) -> bool:
        """Whether the context has no answer."""
        return self.answer_start is None


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
# a quarter of the names, and one in three adjectives, frequent and rare alike
HELD_OUT = Words(
    women=ALL_WORDS.women[18:],
    men=ALL_WORDS.men[18:],
    towns=ALL_WORDS.towns[24:],
    place_adjectives=ALL_WORDS.place_adjectives[8:],
    place_nouns=ALL_WORDS.place_nouns[8:],
    adjectives={mood: words[2::3] for mood, words in text.ADJECTIVES.items()},
)
WORDS: dict[Split, Words] = {
    "train": Words(
        women=ALL_WORDS.women[:18],
        men=ALL_WORDS.men[:18],
        towns=ALL_WORDS.towns[:24],
        place_adjectives=ALL_WORDS.place_adjectives[:8],
        place_nouns=ALL_WORDS.place_nouns[:8],
        adjectives={
            mood: [word for word in words if word not in HELD_OUT.adjectives[mood]]
            for mood, words in text.ADJECTIVES.items()
        },
    ),
    "test": replace(HELD_OUT, adjectives=text.ADJECTIVES),
}


# The text


def generate_documents(n: int, seed: int, split: Split = "train") -> list[Document]:
    """Generate stories to pretrain on.

    Args:
        n: Number of stories. A larger number adds stories after the same first ones.
        seed: Each seed gives different stories.
        split: "train", or "test" for held-out stories: the same words, drawn independently.

    Raises:
        ValueError: `n` is negative, or the split is neither "train" nor "test".

    >>> document = generate_documents(3, seed=0)[2]
    >>> document == generate_documents(5, seed=0)[2]
    True
    >>> {sentence.sentiment for sentence in document.sentences} == {document.sentiment, None}
    True
    """
    rng = _seeded("documents", n, seed, split)
    return [Story(rng, ALL_WORDS).document() for _ in range(n)]


# The labelled data


def sentiment_examples(n: int, seed: int, split: Split) -> list[Sentence]:
    """Sentences that express a feeling by adjectives alone, half of them positive on average.

    A third of the adjectives are in no training example. No sentence is in both splits.

    Args:
        n: Number of sentences.
        seed: Each seed gives different sentences.
        split: "train" or "test".

    >>> for sentence in sentiment_examples(3, seed=0, split="test")[1:]:
    ...     print(f"{sentence.sentiment}: {sentence.text}")
    negative: The zoo, said Nora, had a ridiculous otter.
    negative: To Magda, the porter of the hotel seemed hideous.
    """
    return _draw_sentences("sentiment", n, seed, split, lambda story: story.remark())


def entity_examples(n: int, seed: int, split: Split) -> list[Sentence]:
    """Sentences of all kinds with their names marked: people, towns and named places.

    No name is in both splits.

    Args:
        n: Number of sentences.
        seed: Each seed gives different sentences.
        split: "train" or "test".

    >>> sentence = entity_examples(21, seed=0, split="train")[20]
    >>> sentence.text
    'Felix smiled at the Copper Goose, a splendid library in Lille.'
    >>> [(sentence.text[start:end], label) for start, end, label in sentence.entities]
    [('Felix', 'PER'), ('Copper Goose', 'ORG'), ('Lille', 'LOC')]
    """
    return _draw_sentences(
        "entities", n, seed, split, lambda story: story.rng.choice(story.document().sentences)
    )


def question_examples(n: int, seed: int, split: Split, impossible: float = 0.0) -> list[Question]:
    """Questions about a story: where or when someone was, or who was there.

    The context does not contain the question. It names two people, one of whom was there. No name
    is in both splits.

    Args:
        n: Number of questions.
        seed: Each seed gives different questions.
        split: "train" or "test".
        impossible: The share of questions about a person, town or day of another story, which the
            context does not mention.

    Raises:
        ValueError: `n` is negative, the split is neither "train" nor "test", or `impossible` is not
            between 0 and 1.

    >>> example = question_examples(1, seed=0, split="train")[0]
    >>> print(example.question, example.answer)
    On which day did Edgar see the library in Delft? Tuesday
    >>> example.context[example.answer_start :][:31]
    'Tuesday. Edgar wrote to Fiona a'
    """
    if not 0 <= impossible <= 1:
        raise ValueError(f"impossible={impossible}; expected a share from 0 to 1")
    rng = _seeded("questions", n, seed, split)
    return [_question(rng, WORDS[split], rng.random() < impossible) for _ in range(n)]


def _draw_sentences(
    kind: str, n: int, seed: int, split: Split, draw: Callable[[Story], Sentence]
) -> list[Sentence]:
    """One sentence from each of n stories, from this split's half of all sentences."""
    rng = _seeded(kind, n, seed, split)
    sentences: list[Sentence] = []
    while len(sentences) < n:
        sentence = draw(Story(rng, WORDS[split]))
        # a sentence without a name could be drawn for both splits; its checksum assigns it to one
        if crc32(sentence.text.encode()) % 2 == (split == "test"):
            sentences.append(sentence)
    return sentences


def _question(rng: random.Random, words: Words, impossible: bool) -> Question:
    story = Story(rng, words)
    told = story.trip(0)
    sentences = [told, story.link(), story.arrival()]
    rng.shuffle(sentences)
    context = " ".join(sentence.text for sentence in sentences)

    asked = rng.choice("PTD")
    frame = rng.choice(text.QUESTIONS[asked])
    if not impossible:
        answer = story.trip_words(0)[asked]
        # a name may appear elsewhere too: the answer is its mention in the sentence on the trip
        start = context.index(answer, context.index(told.text))
        return Question(story.fill(frame).text, context, answer, start)
    while True:  # until the context has none of the question's names and days
        stranger = Story(rng, words)
        asked_about = [w for slot, w in stranger.trip_words(0).items() if f"{{{slot}}}" in frame]
        if not any(word in context for word in asked_about):
            return Question(stranger.fill(frame).text, context, "", None)


def _seeded(kind: str, n: int, seed: int, split: str) -> random.Random:
    """A generator for each kind of text, so that one seed gives each kind different draws."""
    if n < 0:
        raise ValueError(f"n={n}; expected the number of examples, 0 or more")
    if split not in WORDS:
        raise ValueError(f'split={split!r}; expected "train" or "test"')
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
