# %% [markdown]
# # Fine-tune it yourself: two small sets
# Sixteen labelled sentences, and sixteen with the people marked: what both
# starts learn from them in forty steps, and the data of the page's widget.
# In [the lesson](../lesson/fine-tuning.md#yourself), your browser trains.

# %% set-up
import json
from pathlib import Path

import torch

from bertlesson.entities import encode_entities
from bertlesson.finetuning import fine_tune, predict, with_encoder
from bertlesson.heads import (
    IGNORE_INDEX,
    SequenceClassificationModel,
    TokenClassificationModel,
)
from bertlesson.lesson import learning_curve, tiny
from bertlesson.lesson.corpus import SENTIMENTS, generate_documents
from bertlesson.lesson.labelled import entity_examples, sentiment_examples
from bertlesson.lesson.last_layer import read_first_only, read_labelled_only
from bertlesson.tags import bio_labels

SIZES = (4, 8, 16)  # labelled sentences
STEPS = 40  # updates, for both starts and every size
RATES = (3e-4, 1e-3, 3e-3)
HELD_OUT = 100  # sentences that the page measures on
LABELS = bio_labels(["PER"])

checkpoint = tiny.load()
tokenizer = checkpoint.tokenizer


# %% labelled sentences
def sentences_with_moods(size, seed, split="train"):
    """As many negative sentences as positive ones, in turn."""
    drawn = sentiment_examples(10 * size, seed, split)
    moods = [[s for s in drawn if s.sentiment == mood] for mood in SENTIMENTS]
    return [s for pair in zip(*moods, strict=False) for s in pair][:size]


for sentence in sentences_with_moods(4, seed=0):
    print(SENTIMENTS.index(sentence.sentiment), sentence.text)


# %% inputs and labels
def encode_moods(sentences):
    """The features of sentences with one label each."""
    texts = [sentence.text for sentence in sentences]
    labels = [SENTIMENTS.index(sentence.sentiment) for sentence in sentences]
    inputs = dict(tokenizer(texts, padding=True, return_tensors="pt"))
    return {**inputs, "labels": torch.tensor(labels)}


def people_in(sentence):
    """The people's names, in characters; towns and places are left out."""
    return [entity for entity in sentence.entities if entity.label == "PER"]


def encode_people(sentences):
    """The features of sentences with a label for each word."""
    texts = [sentence.text for sentence in sentences]
    people = [people_in(sentence) for sentence in sentences]
    return encode_entities(tokenizer, texts, people, LABELS)


# %% both starts
def start(kind, pretrained, seed):
    """A model with a new head; without pretraining, all of it is new."""
    torch.manual_seed(seed)
    model = kind(checkpoint.model.config)  # two classes
    return with_encoder(model, checkpoint.model.bert) if pretrained else model


def train_on(model, features, rate, seed):
    size = len(features["labels"])
    fine_tune(
        model,
        features,
        steps=STEPS,
        learning_rate=rate,
        batch_size=min(size, 16),
        seed=seed,
        progress=False,
    )
    return model


def share_right(model, features):
    """The share of sentences in which every label is right."""
    predicted = predict(model, features)["logits"].argmax(-1)
    labels = features["labels"]
    right = (predicted == labels) | (labels == IGNORE_INDEX)
    return right.reshape(len(labels), -1).all(-1).float().mean()


# %% one label for each sentence tags=["hide-input"]
def train_moods(pretrained, size, seed, rate):
    model = start(SequenceClassificationModel, pretrained, seed)
    features = encode_moods(sentences_with_moods(size, seed))
    return train_on(read_first_only(model), features, rate, seed)


moods = {
    "dev": encode_moods(sentences_with_moods(300, seed=2_000)),
    "test": encode_moods(sentences_with_moods(300, seed=0, split="test")),
}
mood_curve = learning_curve.measure(
    train_moods,
    lambda model, split: share_right(model, moods[split]),
    sizes=SIZES,
    seeds=10,
    rates=RATES,
    tuning_size=64,
)
print(mood_curve.summary())
sure = mood_curve.mean("pretrained", 16)
lead = mood_curve.gaps[16]
assert sure >= 0.9, (
    "From 16 labels, the pretrained start is right nine times in ten"
)
assert lead >= 0.2, "It is at least 20 points ahead of the random start"


# %% a label for each word tags=["hide-input"]
def start_people(pretrained, seed):
    config = checkpoint.model.config
    before = config.num_labels
    config.num_labels = len(LABELS)
    try:
        return start(TokenClassificationModel, pretrained, seed)
    finally:
        config.num_labels = before


def train_people(pretrained, size, seed, rate):
    features = encode_people(entity_examples(size, seed, split="train"))
    model = read_labelled_only(start_people(pretrained, seed))
    return train_on(model, features, rate, seed)


people = {
    "dev": encode_people(entity_examples(300, seed=2_000, split="train")),
    "test": encode_people(entity_examples(300, seed=0, split="test")),
}
people_curve = learning_curve.measure(
    train_people,
    lambda model, split: share_right(model, people[split]),
    sizes=SIZES,
    seeds=5,
    rates=RATES,
    tuning_size=64,
)
print(people_curve.summary())
ahead = people_curve.gaps[16]
assert ahead >= 0.2, (
    "With 16 sentences, more are right in every word, by at least 20 points"
)


# %% the data for the page tags=["hide-input"]
def set_for(kinds, curve, labelled, held_out, label):
    """What the widget shows, trains on and measures on."""

    def rows(sentences):
        return [{"text": s.text, **label(s)} for s in sentences]

    counts = {
        size: [curve.mean(start, size) for start in learning_curve.STARTS]
        for size in SIZES
    }
    return {
        "kinds": kinds,
        "rates": [curve.rates[start] for start in learning_curve.STARTS],
        "measured": counts,
        "draws": curve.scores[learning_curve.STARTS[0]].shape[1],
        "labelled": rows(labelled),
        "heldOut": rows(held_out),
    }


labelled = {
    "moods": sentences_with_moods(16, seed=0),
    "people": entity_examples(16, seed=0, split="train"),
}
held_out = {
    "moods": sentences_with_moods(HELD_OUT, seed=0, split="test"),
    "people": entity_examples(HELD_OUT, seed=0, split="test"),
}
seen = {s.text for sentences in labelled.values() for s in sentences}
kept = {s.text for sentences in held_out.values() for s in sentences}
common = len(seen & kept)
assert common == 0, "No held-out sentence is among the labelled ones"

# to label: a sentence from each of some stories, of all sorts
stories = generate_documents(HELD_OUT, seed=7, split="test")
drawn = [story.sentences[n % 12].text for n, story in enumerate(stories)]

data = {
    "steps": STEPS,
    "range": checkpoint.model.config.initializer_range,
    "sentences": set_for(
        list(SENTIMENTS),
        mood_curve,
        labelled["moods"],
        held_out["moods"],
        lambda s: {"label": SENTIMENTS.index(s.sentiment)},
    ),
    "words": set_for(
        ["person"],
        people_curve,
        labelled["people"],
        held_out["people"],
        lambda s: {"spans": [[start, end] for start, end, _ in people_in(s)]},
    ),
    "stories": [text for text in drawn if text not in kept],
}
Path("fine-tuning.json").write_text(json.dumps(data), "utf-8")

draws = mood_curve.scores["pretrained"][-1]
values = {
    "pretrained": sure,
    "random": mood_curve.mean("random", 16),
    "worst": draws.min(),
    "best": draws.max(),
    "draws": len(draws),
    "steps": STEPS,
    "held_out": HELD_OUT,
    "people": people_curve.mean("pretrained", 16),
    "people_random": people_curve.mean("random", 16),
}
