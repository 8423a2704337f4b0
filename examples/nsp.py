# %% [markdown]
# # Next sentence prediction
# From documents to pairs, and from a pair to the verdict of the head on
# `[CLS]`. [The lesson's page](../lesson/nsp.md) explains it.

# %% set-up
import json
import random
from itertools import chain
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from bertlesson.lesson import tiny
from bertlesson.lesson.corpus import generate_documents
from bertlesson.lesson.corpus_text import VENUES
from bertlesson.nsp import IS_NEXT, IS_RANDOM, create_pairs
from bertlesson.reference import create_pretraining_instances

STORIES = 1_000  # held out: the small BERT never saw them
PUBLISHED = 40  # of these, for the page to draw pairs from

checkpoint = tiny.load()  # the first call trains it, which takes a few minutes
tokenizer, model = checkpoint.tokenizer, checkpoint.model
stories = generate_documents(STORIES, seed=0, split="test")

# %% a document
for number, sentence in enumerate(stories[0].sentences):
    print(number, sentence.text)


# %% making a pair
def make_pair(document, other, rng):
    """A, B and the label, from two documents, each a list of sentences."""
    cut = rng.randrange(1, len(document))
    a, rest = document[:cut], document[cut:]
    if rng.random() < 0.5:
        return a, rest, IS_NEXT  # 0
    start = rng.randrange(len(other))
    return a, other[start:], IS_RANDOM  # 1; the rest is used again


def shorten(a, b, room, rng):
    """Drop pieces, one by one, until A and B fit."""
    while len(a) + len(b) > room:
        longer = a if len(a) > len(b) else b
        longer.pop(0 if rng.random() < 0.5 else -1)


# %% one pair
documents = [  # documents -> sentences -> pieces
    [tokenizer.tokenize(sentence.text) for sentence in story.sentences]
    for story in stories
]
length = tokenizer.model_max_length
rng = random.Random(0)
a, b, label = make_pair(documents[0], documents[1], rng)
a, b = list(chain(*a)), list(chain(*b))  # sentences -> pieces
print(f"label {label}: {len(a)} + {len(b)} pieces")
shorten(a, b, length - 3, rng)  # [CLS] and two [SEP] need room, too
print(f"cut to {len(a)} + {len(b)}")

# %% pairs tags=["hide-input"]
pairs = create_pairs(
    documents,
    tokenizer.get_vocab(),
    max_seq_length=length,
    short_seq_prob=0.0,
    rng=random.Random(0),
)
print(f"room for {length - 3} pieces")
print("label          story  sentences  pieces  kept")
for row in range(4):
    label = pairs.next_sentence_label[row]
    name = "0, is next" if label == IS_NEXT else "1, random"
    for segment, source in enumerate(pairs.sources[row].tolist()):
        story, first, after = source
        taken = sum(map(len, documents[story][first:after]))
        in_it = pairs.token_type_ids[row] == segment
        kept = np.sum(in_it & (pairs.special_tokens_mask[row] == 0))
        print(f"{'' if segment else name:11}{'AB'[segment]}{story:8}", end="")
        print(f"{f'{first} to {after - 1}':>11}{taken:8}{kept:6}")
source_a = pairs.sources[:, 0]  # (pairs, 3): story, first, after
source_b = pairs.sources[:, 1]
same_story = source_a[:, 0] == source_b[:, 0]
follows = same_story & (source_a[:, 2] == source_b[:, 1])
wrong = int(np.sum(follows != (pairs.next_sentence_label == 0)))
assert wrong == 0, (
    "The label is 0 for exactly those pairs in which B begins where A ends"
)

# %%
first = pairs[0]
pair = [
    {"piece": piece, "segment": "AB"[segment]}
    for piece, segment, real in zip(
        tokenizer.convert_ids_to_tokens(first["input_ids"]),
        first["token_type_ids"],
        first["attention_mask"],
        strict=True,
    )
    if real
]

# %% the reference's pairs
instances = create_pretraining_instances(
    documents,
    tokenizer.convert_ids_to_tokens(range(len(tokenizer))),
    max_seq_length=tokenizer.model_max_length,
    dupe_factor=1,
    short_seq_prob=0.1,
    masked_lm_prob=0.15,
    max_predictions_per_seq=20,
    whole_word_mask=False,
    rng=random.Random(0),
)
random_reference = np.mean([instance.is_random_next for instance in instances])
random_here = np.mean(pairs.next_sentence_label == IS_RANDOM)
print("pairs that are random")
print(f"the authors' code  {random_reference:.1%} of {len(instances):,}")
print(f"this lesson's      {random_here:.1%} of {len(pairs):,}")
assert random_reference > 0.53, (
    "The authors' code makes more than 53% of the pairs random"
)
assert abs(random_here - 0.5) < 0.05, (
    "This lesson's makes half of them random, to within 5 points"
)

# %% the head
inputs = {name: torch.from_numpy(array[None]) for name, array in first.items()}
arguments = ("input_ids", "attention_mask", "token_type_ids")
inputs = {name: inputs[name] for name in arguments}
with torch.inference_mode():
    hidden = model.bert(**inputs).last_hidden_state  # (1, length, hidden)
    cls = hidden[:, 0]  # (1, hidden), the vector at [CLS]
    pooled = torch.tanh(model.bert.pooler.dense(cls))  # (1, hidden)
    logits = model.cls["seq_relationship"](pooled)  # (1, 2): is next, random
    output = model(**inputs)
print("logits", *(f"{logit:.3f}" for logit in logits[0]))
print(f"P(is next) = {logits.softmax(-1)[0, IS_NEXT]:.3f} for the pair above")
largest = (logits - output.seq_relationship_logits).abs().max().item()
assert largest < 1e-5, "Written out, the head gives the logits of the model"

# %% the verdict on held-out pairs
parts = [torch.from_numpy(getattr(pairs, name)).split(64) for name in arguments]
with torch.inference_mode():
    each = [
        model.bert(*part).pooler_output for part in zip(*parts, strict=True)
    ]
    scores = model.cls["seq_relationship"](torch.cat(each))  # (pairs, 2)
p_next = scores.softmax(-1)[:, IS_NEXT].numpy()
is_next = pairs.next_sentence_label == IS_NEXT  # (pairs,)
accuracy = ((p_next > 0.5) == is_next).mean()
guessing = max(is_next.mean(), 1 - is_next.mean())
print(f"right on {accuracy:.1%} of {len(pairs):,} pairs")
print(f"by guessing: {guessing:.1%}")
assert accuracy > 0.9, (
    "The head judges at least nine of ten held-out pairs correctly"
)

# %% one word alone
kinds = tokenizer.convert_tokens_to_ids(list(VENUES))  # bakery, theatre, ...
named = pairs.input_ids[:, :, None] == np.array(kinds)  # (pairs, length, kinds)
in_b = pairs.token_type_ids[:, :, None] == 1  # (pairs, length, 1)
in_both = (named & ~in_b).any(1) & (named & in_b).any(1)  # (pairs, kinds)
same_topic = in_both.any(1)  # (pairs,)
by_topic = (same_topic == is_next).mean()
print(f"'is next' if both name the same kind of place: right on {by_topic:.1%}")
assert by_topic > 0.8, (
    "Whether both name one kind of place settles more than eight of ten pairs"
)

# %% its certainty tags=["hide-input"]
fig, ax = plt.subplots()
bins = np.linspace(0, 1, 21)
for chosen, name, colour, where in (
    (is_next, "B is next", "C0", 0.62),
    (~is_next, "B is random", "C1", 0.08),
):
    weights = np.full(chosen.sum(), 1 / chosen.sum())
    ax.hist(p_next[chosen], bins, weights=weights, color=colour, alpha=0.75)
    ax.annotate(name, (where, 0.5), color=colour)
ax.set_title("The head is mostly sure, and mostly right")
ax.set_xlabel("P(is next), by the head")
ax.set_ylabel("share of the pairs")
sure = ((p_next > 0.9) | (p_next < 0.1)).mean()
fig.set_label(
    "Two histograms of the probability that the head gives to 'B is next': "
    "pairs in which it is next pile up at 1, random pairs at 0; "
    f"{sure:.0%} of all pairs are above 0.9 or below 0.1."
)

# %%
few = [
    [sentence.text for sentence in story.sentences]
    for story in stories[:PUBLISHED]
]
Path("stories.json").write_text(json.dumps(few), "utf-8")

values = {"pair": pair, "stories": STORIES}
