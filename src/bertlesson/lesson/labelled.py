"""The lesson's labelled data: sentences with their feelings or names, questions with answers.

Training data avoid the people, towns, place names and adjectives in `HELD_OUT`. Test data use them:
all of their names and some of their adjectives are in no training example, but all are in the
pretraining text of `bertlesson.lesson.corpus`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from zlib import crc32

from . import corpus_text as text
from .corpus import ALL_WORDS, Sentence, Split, Story, Words, seeded

__all__ = [
    "HELD_OUT",
    "Question",
    "entity_examples",
    "question_examples",
    "sentiment_examples",
]

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
# What the pretraining text asks for is one word; a place's name has two, a neighbour up to three.
QUESTIONS = text.QUESTIONS | {
    "O": ("What was the {V} in {T} called?", "What was the {V} that {P} saw called?"),
    "S": ("Who did {P} ask for the {V}?", "Who was asked for the {V} by {P}?"),
}
[ASKING] = [frame for frame in text.ARRIVALS if "{S}" in frame]


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
    """Questions about a story: who was where and when, whom they asked, what the place was called.

    An answer has one to three words. The context does not contain the question. It names two
    people, one of whom was there. No name is in both splits.

    Args:
        n: Number of questions.
        seed: Each seed gives different questions.
        split: "train" or "test".
        impossible: The share of questions about a person, town or day of another story, which the
            context does not mention.

    Raises:
        ValueError: If `n` is negative, the split is neither "train" nor "test", or `impossible` is
            not between 0 and 1.

    >>> example = question_examples(8, seed=0, split="train")[7]
    >>> print(example.question, example.answer)
    What was the garden in Lille called? Lucky Owl
    >>> example.context[example.answer_start :][:26]
    'Lucky Owl, an adorable gar'
    """
    if not 0 <= impossible <= 1:
        raise ValueError(f"impossible is {impossible}; expected a share from 0 to 1")
    rng = seeded("questions", n, seed, split)
    return [_question(rng, WORDS[split], rng.random() < impossible) for _ in range(n)]


def _draw_sentences(
    kind: str, n: int, seed: int, split: Split, draw: Callable[[Story], Sentence]
) -> list[Sentence]:
    """One sentence from each of n stories, from this split's half of all sentences."""
    rng = seeded(kind, n, seed, split)
    sentences: list[Sentence] = []
    while len(sentences) < n:
        sentence = draw(Story(rng, WORDS[split]))
        # a sentence without a name could be drawn for both splits; its checksum assigns it to one
        if crc32(sentence.text.encode()) % 2 == (split == "test"):
            sentences.append(sentence)
    return sentences


def _question(rng: random.Random, words: Words, impossible: bool) -> Question:
    asked = rng.choice(list(QUESTIONS))
    frame = rng.choice(QUESTIONS[asked])
    story = Story(rng, words)
    told, place = story.trip(0), story.fill(ASKING) if asked == "S" else story.arrival()
    sentences = [told, story.link(), place]
    rng.shuffle(sentences)
    context = " ".join(sentence.text for sentence in sentences)

    if not impossible:
        neighbour = next((each for each in text.NEIGHBOURS if each in place.text), "")
        answers = story.trip_words(0) | {"O": story.place, "S": neighbour}
        # a name may appear elsewhere too: the answer is its mention where the story tells of it
        source = place if asked in "OS" else told
        within = _mention(answers[asked], source.text)
        assert within, f"{answers[asked]!r} is not in {source.text!r}"
        start = context.index(source.text) + within.start()
        return Question(story.fill(frame).text, context, answers[asked], start)
    while True:  # until the context has none of the question's names and days
        stranger = Story(rng, words)
        asked_about = [w for slot, w in stranger.trip_words(0).items() if f"{{{slot}}}" in frame]
        if not any(_mention(word, context) for word in asked_about):
            return Question(stranger.fill(frame).text, context, "", None)


def _mention(words: str, within: str) -> re.Match[str] | None:
    """The first mention of whole words: Frida is not in Friday."""
    return re.search(rf"\b{re.escape(words)}\b", within)
