# %% [markdown]
# # Fine-tuning on every token: named entities
# Persons, towns and named places, in sentences whose names no label has shown.
# [The lesson](../lesson/fine-tuning.md#entities) explains it.

# %% set-up
import copy
import math
from functools import cache

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bertlesson.entities import decode_entities, encode_entities, entity_f1
from bertlesson.finetuning import fine_tune, predict, with_encoder
from bertlesson.heads import IGNORE_INDEX, TokenClassificationModel
from bertlesson.lesson import learning_curve, tiny
from bertlesson.lesson.corpus import ENTITY_LABELS
from bertlesson.lesson.export import write_model
from bertlesson.lesson.labelled import entity_examples
from bertlesson.lesson.last_layer import read_labelled_only
from bertlesson.tags import bio_labels
from bertlesson.words import find_words

SIZES = (16, 32, 64, 256, 1024)  # labelled sentences
SEEDS = 5
STEPS = 150  # updates of 16 sentences, for both starts and every size
RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
LABELS = bio_labels(ENTITY_LABELS)

checkpoint = tiny.load()
tokenizer = checkpoint.tokenizer


# %% a sentence to look at
def continues(piece):
    """Whether it continues the word of the piece before it."""
    return piece.startswith("##")


shown = next(  # the first one with a word in several pieces
    sentence
    for sentence in entity_examples(500, seed=0, split="train")
    if any(map(continues, tokenizer.tokenize(sentence.text)))
)


# %% labels for pieces
def encode(sentences):
    """The inputs, and a label for the first piece of each word."""
    texts = [sentence.text for sentence in sentences]
    entities = [sentence.entities for sentence in sentences]
    return encode_entities(tokenizer, texts, entities, LABELS)


features = encode([shown])
pieces = tokenizer.convert_ids_to_tokens(features["input_ids"][0])
labels = features["labels"][0].tolist()
for piece, label in zip(pieces, labels, strict=True):
    print(f"{piece:12}{'-100' if label == IGNORE_INDEX else LABELS[label]}")
later = [n for n, piece in enumerate(pieces) if continues(piece)]
given = {labels[n] for n in later}
assert given == {IGNORE_INDEX}, (
    "A piece that continues a word is left out, with -100"
)

# %% a head on every token
torch.manual_seed(0)
encoder = copy.deepcopy(checkpoint.model.bert)  # pretrained
head = nn.Linear(encoder.config.hidden_size, len(LABELS))  # new
labels = features.pop("labels")  # (batch, length)
tokens = encoder(**features).last_hidden_state  # (batch, length, hidden)
logits = head(tokens)  # (batch, length, labels)
loss = cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
print(f"untrained: loss {loss:.2f}, a blind guess {math.log(len(LABELS)):.2f}")


# %% from both starts
def start(pretrained, seed):
    """A model with a new head; without pretraining, its encoder is new, too."""
    torch.manual_seed(seed)
    config = copy.deepcopy(checkpoint.model.config)
    config.id2label = dict(enumerate(LABELS))
    config.label2id = {label: number for number, label in enumerate(LABELS)}
    model = TokenClassificationModel(config)
    if pretrained:
        model = with_encoder(model, checkpoint.model.bert)
    return read_labelled_only(model)  # the loss sees no other position


@cache  # both starts and all learning rates get the same sentences
def labelled(size, seed):
    """The features of this number of sentences, with labels."""
    return encode(entity_examples(size, seed, split="train"))


@cache  # some models are shown again below
def train(pretrained, size, seed, rate):
    """A model, tuned on this number of labelled sentences."""
    model = start(pretrained, seed)
    features = labelled(size, seed)
    settings = {"steps": STEPS, "learning_rate": rate, "seed": seed}
    fine_tune(model, features, progress=False, **settings)
    return model


# %% back to names
@cache  # every model reads the same sentences
def pieces_and_words(texts):
    """The inputs, and where the words of each sentence are among them."""
    encoded = tokenizer(list(texts), padding=True, return_tensors="pt")
    words = [find_words(encoded, row, text) for row, text in enumerate(texts)]
    return encoded, words


def find(model, sentences):
    """The entities that the model finds in each sentence, in characters."""
    texts = tuple(sentence.text for sentence in sentences)
    encoded, words = pieces_and_words(texts)
    labels = predict(model, encoded)["logits"].argmax(-1).tolist()
    pairs = zip(labels, words, strict=True)
    return [decode_entities(*each, LABELS) for each in pairs]


held_out = {
    "dev": entity_examples(300, seed=2_000, split="train"),
    "test": entity_examples(1_000, seed=0, split="test"),
}


def f1(model, split):
    """F1 over whole entities."""
    sentences = held_out[split]
    truth = [sentence.entities for sentence in sentences]
    return entity_f1(truth, find(model, sentences))


# %% both starts tags=["hide-input"]
curve = learning_curve.measure(
    train, f1, sizes=SIZES, seeds=SEEDS, rates=RATES, tuning_size=64
)
print(curve.summary(".3f"))
gap = curve.gaps[16]
at_most = curve.mean("pretrained", SIZES[-1])
closest = min(curve.gaps.values())
four_times = max(
    curve.mean("pretrained", size) - curve.mean("random", 4 * size)
    for size in SIZES
    if 4 * size in SIZES
)
assert gap >= 0.1, (
    "With 16 labelled sentences, pretraining is worth at least 10 points of F1"
)
assert four_times >= 0, (
    "At some number of labels, a random start needs at least four times as many"
)
assert at_most >= 0.9, (
    "With 1,024 labelled sentences and pretraining, F1 is at least 0.9"
)
assert closest > 0, "With every number of labels tried, pretraining is ahead"

# %% the chart tags=["hide-input"]
fig = learning_curve.draw(
    curve,
    title="After pretraining, it finds names that no label has shown",
    unit="entity F1",
    labels="labelled sentences",
)

# %% new names
model = train(True, 64, 0, curve.rates["pretrained"])
sentences = held_out["test"][:4]
for sentence, found in zip(sentences, find(model, sentences), strict=True):
    print(sentence.text)
    for first, after, label in found:
        print(f"    {label}  {sentence.text[first:after]}")

# %% the model for the page
model = train(True, SIZES[-1], 0, curve.rates["pretrained"])
write_model(
    "entities.safetensors",
    model,
    tokenizer,
    labels=LABELS,
    before=start(True, seed=0),
)
