"""The masking mix once more, so small that a web page trains it in seconds.

A text of 200 stories with a token for each word, and an encoder with two layers of width 32. All
draws (the initial weights, the order of the rows, the masks) come from `Draws`, whose numbers a
page can draw too. A page that takes the same steps gets the same results, but for rounding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BertConfig

from ..heads import MaskedLMModel, mean_loss
from ..masking import DEFAULT_RECIPE, MaskingRecipe
from ..optimization import make_optimizer, make_schedule
from ..tags import read_tags
from ..training import Batch, take_step
from .corpus import ENTITY_LABELS, Sentence, generate_documents
from .labelled import entity_examples
from .last_layer import hidden_at

__all__ = [
    "MEASURES",
    "Draws",
    "Point",
    "Settings",
    "Text",
    "draw_weights",
    "make_text",
    "page_data",
    "train",
]

MEASURES = ("at [MASK]", "visible", "repaired", "probe")
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNK, CLS, SEP, MASK = range(len(SPECIAL_TOKENS))
LABELS = ("O", *(f"I-{kind}" for kind in ENTITY_LABELS))
HELD_OUT_SEED = 1_000_000  # of the masks of the held-out rows, whatever the run's seed
PROBE_STEPS = 100
PROBE_DECAY = 1.0
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """Everything about a run but its recipe and its seed."""

    hidden_size: int = 32
    intermediate_size: int = 64
    layers: int = 2
    heads: int = 2
    initializer_range: float = 0.1
    batch_size: int = 32
    steps: int = 500
    learning_rate: float = 0.01
    beta2: float = 0.98
    every: int = 25  # steps from one measurement to the next
    stories: int = 200
    held_out: int = 150  # rows
    labelled: int = 100  # sentences, for the probe to learn from
    tested: int = 150  # sentences, to score it on


SETTINGS = Settings()


class Draws:
    """Numbers from 0 up to 1, the same ones from the same seed (mulberry32).

    In the pages' scripts, `seededDraws` gives the same numbers one by one.

    Args:
        seed: From 0 to 2³² − 1.

    >>> draws = Draws(7)
    >>> draws.take(2).tolist() + draws.take(1).tolist() == Draws(7).take(3).tolist()
    True
    """

    def __init__(self, seed: int) -> None:
        self._state = seed

    def take(self, n: int) -> Floats:
        """The next n numbers, ``(n,)``."""
        steps = np.arange(1, n + 1, dtype=np.uint64)
        state = (self._state + 0x6D2B79F5 * steps).astype(np.uint32)
        self._state = (self._state + 0x6D2B79F5 * n) % 2**32
        mixed = (state ^ (state >> 15)) * (state | 1)  # the lower 32 bits, as of Math.imul
        mixed ^= mixed + (mixed ^ (mixed >> 7)) * (mixed | 61)
        numbers: Floats = (mixed ^ (mixed >> 14)) / 2**32
        return numbers


class Labelled(NamedTuple):
    """Sentences as tokens, and a tag for each token."""

    sentences: list[list[str]]
    tags: list[list[str]]


@dataclass(frozen=True)
class Text:
    """What is learned from and measured on, as tokens: words and punctuation in lower case.

    Attributes:
        pieces: The vocabulary.
        stories: The sentences of each story.
        held_out: Rows of other stories.
        labelled: For the probe to learn from.
        tested: For the probe to be scored on; its names are in none of the labelled sentences.
    """

    pieces: list[str]
    stories: list[list[list[str]]]
    held_out: list[list[str]]
    labelled: Labelled
    tested: Labelled

    @property
    def rows(self) -> list[list[str]]:
        """The rows to train on: all pairs of neighbouring sentences."""
        return [a + b for story in self.stories for a, b in pairwise(story)]

    @property
    def longest(self) -> int:
        """The number of tokens of the longest row, ``[CLS]`` and ``[SEP]`` included."""
        every = [*self.rows, *self.held_out, *self.labelled.sentences, *self.tested.sentences]
        return max(map(len, every)) + 2

    def encode(self, rows: Sequence[Sequence[str]]) -> Ints:
        """The ids of the rows, ``(rows, longest)``; only the padding is 0."""
        ids = {piece: n for n, piece in enumerate(self.pieces)}
        made = np.full((len(rows), self.longest), PAD)
        for n, row in enumerate(rows):
            made[n, : len(row) + 2] = [CLS, *(ids.get(token, UNK) for token in row), SEP]
        return made


class Point(NamedTuple):
    """What was measured after a step.

    Attributes:
        step: Counted from 1; at 0, nothing has been learned.
        loss: The mean loss of the last steps, in nats, as many as lie between two measurements by
            the settings; NaN at step 0.
        scores: For each of `MEASURES`, from 0 to 1.
    """

    step: int
    loss: float
    scores: tuple[float, ...]


def make_text(settings: Settings = SETTINGS) -> Text:
    """Take the text from the lesson's corpus.

    >>> text = make_text(Settings(stories=1, held_out=1, labelled=1, tested=1))
    >>> " ".join(text.stories[0][0])
    'anton yawned at the sleepy kettle , a ghastly hotel in pisa .'
    """
    stories = [
        [tokens_of(sentence.text) for sentence in story.sentences]
        for story in generate_documents(settings.stories, seed=0)
    ]
    held_out = []
    for n, story in enumerate(generate_documents(settings.held_out, seed=0, split="test")):
        first, second = story.sentences[n % 11 : n % 11 + 2]  # of a story's 12, each in turn
        held_out.append(tokens_of(first.text) + tokens_of(second.text))
    labelled = with_tags(entity_examples(settings.labelled, seed=0, split="train"))
    tested = with_tags(entity_examples(settings.tested, seed=0, split="test"))
    seen = {token for story in stories for sentence in story for token in sentence}
    return Text([*SPECIAL_TOKENS, *sorted(seen)], stories, held_out, labelled, tested)


def tokens_of(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.lower())


def with_tags(sentences: Sequence[Sentence]) -> Labelled:
    """Sentences as tokens; a token of a name is tagged with the name's kind."""
    made = Labelled([], [])
    for text, entities in ((sentence.text, sentence.entities) for sentence in sentences):
        kinds = {at: kind for start, end, kind in entities for at in range(start, end)}
        places = [match.start() for match in re.finditer(r"\w+|[^\w\s]", text)]
        made.sentences.append(tokens_of(text))
        made.tags.append([f"I-{kinds[at]}" if at in kinds else "O" for at in places])
    return made


# The model and its batches


def new_model(text: Text, seed: int, settings: Settings = SETTINGS) -> MaskedLMModel:
    """A model that has learned nothing."""
    config = BertConfig(
        vocab_size=len(text.pieces),
        hidden_size=settings.hidden_size,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=settings.intermediate_size,
        max_position_embeddings=text.longest,
        pad_token_id=None,  # a random token may be [PAD], and is learned from like any other
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    with torch.random.fork_rng(devices=[]):  # transformers draws weights, which are overwritten
        model = MaskedLMModel(config)
    draw_weights(model, Draws(3 * seed), settings.initializer_range)
    return model


@torch.no_grad()
def draw_weights(model: MaskedLMModel, draws: Draws, spread: float) -> None:
    """Give a model new weights, in place.

    Biases become 0 and the scales of LayerNorm 1. The others are drawn from a normal distribution,
    in the order of the model's parameters, two draws for each (Box and Muller).

    Args:
        model: Its weights are overwritten.
        draws: The numbers to use.
        spread: The standard deviation.
    """
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()
        elif name.endswith("LayerNorm.weight"):
            parameter.fill_(1)
        else:
            far, angle = draws.take(2 * parameter.numel()).reshape(-1, 2).T
            numbers = spread * np.sqrt(-2 * np.log(1 - far)) * np.cos(2 * np.pi * angle)
            parameter.copy_(torch.from_numpy(numbers).view_as(parameter))


def batch_of(rows: Ints, seen: Ints | None = None) -> Batch:
    """The model's arguments for rows of which it may see others than the true tokens."""
    ids = torch.from_numpy(rows if seen is None else seen)
    mask = torch.from_numpy((rows != PAD).astype(np.int64))
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}


def hide(rows: Ints, pieces: int, recipe: MaskingRecipe, draws: Draws) -> tuple[Ints, Bools]:
    """Select tokens and give each its fate, as `bertlesson.masking.mask_tokens` does.

    Each token takes three draws, whatever becomes of it. So with the same seed, all recipes select
    the same tokens.

    Args:
        rows: ``(rows, length)``, 0 where there is padding.
        pieces: The size of the vocabulary.
        recipe: The shares.
        draws: The numbers to use.

    Returns:
        What the model sees, and where a token was selected, both ``(rows, length)``.
    """
    present = rows != PAD
    own = np.ones((*rows.shape, 3))
    own[present] = draws.take(3 * int(present.sum())).reshape(-1, 3)
    select, fate, other = np.moveaxis(own, -1, 0)
    selected = (select < recipe.select) & (rows >= len(SPECIAL_TOKENS))
    masked = selected & (fate < recipe.mask)
    replaced = selected & ~masked & (fate < recipe.mask + recipe.random)
    words = (other * pieces).astype(np.int64)
    return np.where(masked, MASK, np.where(replaced, words, rows)), selected


def batches(text: Text, recipe: MaskingRecipe, seed: int, size: int) -> Iterator[Any]:
    """Rows, what is seen of them, and where a token was selected, batch after batch."""
    rows = text.encode(text.rows)
    order, masks = Draws(3 * seed + 1), Draws(3 * seed + 2)
    waiting: list[int] = []
    while True:
        while len(waiting) < size:
            shuffled = list(range(len(rows)))
            for last, draw in zip(
                range(len(rows) - 1, 0, -1), order.take(len(rows) - 1), strict=True
            ):
                other = int(draw * (last + 1))
                shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
            waiting += shuffled
        drawn, waiting = rows[waiting[:size]], waiting[size:]
        yield drawn, *hide(drawn, len(text.pieces), recipe, masks)


# A run and its measurements


def train(
    text: Text,
    recipe: MaskingRecipe = DEFAULT_RECIPE,
    seed: int = 0,
    settings: Settings = SETTINGS,
    *,
    every: int | None = None,
) -> list[Point]:
    """Train a small model with a recipe, and measure it on its way.

    The learning rate rises for the first tenth of the steps, then falls to zero.

    Args:
        text: From `make_text`.
        recipe: The shares of tokens and fates.
        seed: Seed for the initial weights, the order of the rows and the masks.
        settings: The sizes of the model and of the run.
        every: So many steps lie between two measurements; None = those of the settings.

    Returns:
        What was measured, before the first step and then after every so many, the last included.
    """
    every = every or settings.every
    model = new_model(text, seed, settings)
    optimizer = make_optimizer(model, settings.learning_rate, betas=(0.9, settings.beta2))
    schedule = make_schedule(
        optimizer, warmup_steps=settings.steps // 10, total_steps=settings.steps
    )
    exam = Exam(text)
    points = [Point(0, float("nan"), exam.scores(model))]
    drawn = batches(text, recipe, seed, settings.batch_size)
    losses = []
    for step in range(1, settings.steps + 1):
        rows, seen, selected = next(drawn)
        where = torch.from_numpy(selected)  # (rows, length)
        vectors = hidden_at(model.bert, batch_of(rows, seen), where)  # (selected, hidden)
        truth = torch.from_numpy(rows)[where]
        loss = mean_loss(model.cls["predictions"](vectors), truth)
        take_step(model, loss, optimizer, schedule)
        losses.append(loss.item())
        if step % every == 0 or step == settings.steps:
            begin = (step - 1) // settings.every * settings.every  # however often it is measured
            points.append(Point(step, float(np.mean(losses[begin:])), exam.scores(model)))
    return points


class Exam:
    """The four measures of the ablation, on held-out text."""

    def __init__(self, text: Text) -> None:
        self.rows = text.encode(text.held_out)
        pieces = len(text.pieces)
        self.masked, self.holes = hide(
            self.rows, pieces, MaskingRecipe(mask=1.0, random=0.0), Draws(HELD_OUT_SEED)
        )
        self.visible = (self.rows >= len(SPECIAL_TOKENS)) & ~self.holes
        self.wrong, selected = hide(
            self.rows, pieces, MaskingRecipe(mask=0.0, random=1.0), Draws(HELD_OUT_SEED)
        )
        self.replaced = selected & (self.wrong != self.rows)
        self.labelled, self.tested = (
            (text.encode(part.sentences), [tag for tags in part.tags for tag in tags])
            for part in (text.labelled, text.tested)
        )
        self.truth = text.tested.tags

    @torch.no_grad()
    def scores(self, model: MaskedLMModel) -> tuple[float, ...]:
        """For each of `MEASURES`, from 0 to 1."""
        either = self.holes | self.visible
        right = self.named(model, self.masked, either) == self.rows[either]
        repaired = self.named(model, self.wrong, self.replaced) == self.rows[self.replaced]
        return (
            float(right[self.holes[either]].mean()),
            float(right[self.visible[either]].mean()),
            float(repaired.mean()),
            self.probe(model),
        )

    def named(self, model: MaskedLMModel, seen: Ints, where: Bools) -> Ints:
        """The ids that the model predicts there, ``(positions,)``."""
        vectors = hidden_at(model.bert, batch_of(self.rows, seen), torch.from_numpy(where))
        named: Ints = model.cls["predictions"](vectors).argmax(-1).numpy()
        return named

    def probe(self, model: MaskedLMModel) -> float:
        """F1 of the names that a linear layer finds in the vectors, which stay as they are."""
        (rows, tags), (others, _) = self.labelled, self.tested
        numbers = np.array([LABELS.index(tag) for tag in tags])
        weights = fit_probe(vectors_of(model, rows), numbers, len(LABELS))
        guesses = (vectors_of(model, others) @ weights).argmax(1).tolist()
        found = right = existing = 0
        for tags_of in self.truth:
            own, guesses = guesses[: len(tags_of)], guesses[len(tags_of) :]
            names, guessed = set(read_tags(tags_of)), set(read_tags([LABELS[n] for n in own]))
            found, existing = found + len(guessed), existing + len(names)
            right += len(names & guessed)
        return 2 * right / (found + existing)


def vectors_of(model: MaskedLMModel, rows: Ints) -> Floats:
    """The encoder's vectors of all words, each with a 1 at its end, ``(words, hidden + 1)``."""
    hidden = model.bert(**batch_of(rows)).last_hidden_state.double().numpy()
    vectors = hidden[~np.isin(rows, (PAD, CLS, SEP))]
    return np.concatenate([vectors, np.ones((len(vectors), 1))], axis=1)


def fit_probe(vectors: Floats, numbers: Ints, classes: int) -> Floats:
    """Fit a linear layer by its cross-entropy.

    Each step minimizes a parabola that touches the loss and lies above it (Böhning 1992), so the
    loss falls in every step, without a learning rate.

    Args:
        vectors: ``(words, width)``.
        numbers: The class of each, ``(words,)``.
        classes: How many there are.

    Returns:
        The weights, ``(width, classes)``.
    """
    wanted = np.eye(classes)[numbers]  # (words, classes)
    width = vectors.shape[1]
    bound = np.linalg.inv(vectors.T @ vectors / 2 + PROBE_DECAY * np.eye(width))
    weights = np.zeros((width, classes))
    for _ in range(PROBE_STEPS):
        scores = vectors @ weights
        shares = np.exp(scores - scores.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        weights += bound @ (vectors.T @ (wanted - shares) - PROBE_DECAY * weights)
    return weights


def page_data(text: Text, settings: Settings = SETTINGS) -> dict[str, Any]:
    """All of it as data for a page; tokens are joined by spaces."""

    def joined(part: Labelled) -> list[list[str]]:
        return [[" ".join(x) for x in pair] for pair in zip(*part, strict=True)]

    return {
        "settings": {
            **asdict(settings),
            "longest": text.longest,
            "held_out_seed": HELD_OUT_SEED,
        },
        "pieces": text.pieces,
        "special": len(SPECIAL_TOKENS),
        "labels": LABELS,
        "stories": [[" ".join(sentence) for sentence in story] for story in text.stories],
        "heldOut": [" ".join(row) for row in text.held_out],
        "labelled": joined(text.labelled),
        "tested": joined(text.tested),
    }
