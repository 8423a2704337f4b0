# %% [markdown]
# # Put it in order
# Four functions of the lesson, with their lines in every order: what each
# order computes. [The lesson's page](../practice/order.md) has the puzzles.

# %% set-up
import json
from math import inf
from pathlib import Path

import torch

from bertlesson.lesson.ordering import Mistake, every_draw, run_orders
from bertlesson.masking import IGNORE_INDEX
from bertlesson.nsp import IS_NEXT, IS_RANDOM

CLS, SEP = "[CLS]", "[SEP]"
puzzles = {}  # for the page


def shuffle(name, orders, mistakes, seed):
    """Keep a puzzle for the page, and print its lines in a wrong order."""
    puzzles[name] = orders.published(mistakes, seed)
    print(orders.written(puzzles[name]["shuffled"]))


def count(orders):
    """Print how many orders compute what they should."""
    total, right, stopped = len(orders.of), orders.right, orders.stopped
    print(f"Of {total:,} orders, {right} compute this.")
    print(f"{stopped:,} stop with an error,")
    print(f"and {total - right - stopped} compute something else.")


def fail(orders, mistakes):
    """How many of the mistakes compute something else, without an error."""
    results = {orders.result(mistake) for mistake in mistakes}
    return sum(n > 0 and orders.results[n].stops is None for n in results)


# %% 1 in order
def mask(ids, special, draw, fate, other):
    labels = ids.clone()
    selected = draw < 0.15
    selected &= ~special
    labels[~selected] = IGNORE_INDEX
    ids[selected & (fate < 0.8)] = MASK
    swap = selected & (fate >= 0.8) & (fate < 0.9)
    ids[swap] = other[swap]
    return ids, labels


# %% 1 computes tags=["hide-input"]
row = [CLS, "nora", "saw", "a", "small", "otter", SEP]
names = [*row, "[MASK]", "moon"]
MASK, MOON = len(row), len(row) + 1


def show_masked(function):
    """What the model sees of a row, and the labels; nothing is drawn here."""
    ids = torch.arange(len(row))
    special = (ids == 0) | (ids == len(row) - 1)
    draw = torch.tensor([0.05, 0.02, 0.90, 0.11, 0.50, 0.08, 0.13])
    fate = torch.tensor([0.30, 0.40, 0.10, 0.85, 0.20, 0.95, 0.60])
    other = torch.full_like(ids, MOON)
    seen, labels = function(ids, special, draw, fate, other)
    lines = [f"{'seen':8}label"]
    for i, label in zip(seen.tolist(), labels.tolist(), strict=True):
        lines.append(f"{names[i]:8}{names[label] if label >= 0 else label}")
    return "\n".join(lines)


orders = run_orders(mask, show_masked)
mistakes = [
    Mistake(
        (1, 2, 4, 0, 3, 5, 6),
        "The labels are copied when [MASK] is in the row already. There the "
        "model is asked for [MASK], which it sees.",
    ),
    Mistake(
        (1, 2, 4, 5, 6, 0, 3),
        "The labels are copied last, so each is what the model sees. There is "
        "nothing left to predict.",
    ),
    Mistake(
        (0, 1, 3, 2, 4, 5, 6),
        "[CLS] and [SEP] leave the selection when the labels are made "
        "already, so both carry a loss.",
    ),
    Mistake(
        (0, 1, 4, 2, 3, 5, 6),
        "[CLS] and [SEP] are hidden before they leave the selection, and no "
        "label asks for them.",
    ),
    Mistake(
        (0, 1, 3, 4, 5, 6, 2),
        "[CLS] and [SEP] leave the selection last. By then they are hidden, "
        "and have labels.",
    ),
]
print(orders.results[0].text, "\n")
count(orders)
wrong = fail(orders, mistakes)
assert show_masked(mask).split()[2:6] == [CLS, "-100", "[MASK]", "nora"], (
    "[CLS] stays, and the first word is hidden and asked for"
)
assert wrong == len(mistakes), "Each listed mistake masks this row otherwise"

# %% 1 shuffled tags=["hide-input"]
shuffle("mask", orders, mistakes, seed=0)


# %% 2 in order
def make_pair(document, other, room, rng):
    cut = rng.randrange(1, len(document))
    a, b, label = flat(document[:cut]), flat(document[cut:]), IS_NEXT
    if rng.random() < 0.5:
        start = rng.randrange(len(other))
        b, label = flat(other[start:]), IS_RANDOM
    shorten(a, b, room)
    segments = [0] * (len(a) + 2) + [1] * (len(b) + 1)
    return [CLS, *a, SEP, *b, SEP], segments, label


# %% 2 computes tags=["hide-input"]
story = ["nora came", "it rained", "we read"]
elsewhere = ["an otter", "swam by"]


def flat(sentences):
    """The pieces of some sentences, here simply their words."""
    return " ".join(sentences).split()


def shorten(a, b, room):
    """Drop the last piece of the longer segment until both fit."""
    while len(a) + len(b) > room:
        (a if len(a) > len(b) else b).pop()


def show_pairs(function):
    """Every pair that can be drawn, with its probability."""

    def draw(rng):
        row, segments, label = function(story, elsewhere, 5, rng)
        which = "".join(map(str, segments))
        return f"{label} {' '.join(row[1:-1])}\n{'':6}{which}"

    shares = {}
    for pair, share in every_draw(draw):
        shares[pair] = shares.get(pair, 0) + share
    rows = [f"{share!s:4}{pair}" for pair, share in sorted(shares.items())]
    return "\n".join([f"{'P':4}label, A [SEP] B, segments", *rows])


orders = run_orders(make_pair, show_pairs)
mistakes = [
    Mistake(
        (0, 2, 3, 4, 1, 5, 6),
        "The true B is taken after the random one, and replaces it: every "
        "label is 0, whatever the coin says.",
    ),
    Mistake(
        (0, 1, 5, 2, 3, 4, 6),
        "The pair is shortened before its B is known. A random B may be too "
        "long for the row.",
    ),
    Mistake(
        (0, 1, 2, 3, 4, 6, 5),
        "The segments are counted before the pair is shortened, so there are "
        "more of them than tokens.",
    ),
    Mistake(
        (0, 1, 5, 6, 2, 3, 4),
        "The segments are those of the true B. With a random B, their number "
        "need not be that of the tokens.",
    ),
]
print(orders.results[0].text, "\n")
count(orders)
wrong = fail(orders, mistakes)
halves = dict.fromkeys((IS_NEXT, IS_RANDOM), 0)
for (row, segments, label), share in every_draw(
    lambda rng: make_pair(story, elsewhere, 5, rng)
):
    assert len(row) == len(segments) <= 8
    halves[label] += float(share)
assert halves[IS_NEXT] == 0.5, "Half of the pairs are labelled 0, is next"
assert wrong == len(mistakes), "Each listed mistake makes other pairs"

# %% 2 shuffled tags=["hide-input"]
shuffle("pair", orders, mistakes, seed=0)


# %% 3 in order
def label_pieces(words, tags, split):
    pieces, labels = [CLS], [IGNORE_INDEX]
    for word, tag in zip(words, tags, strict=True):
        first, *rest = split(word)
        pieces += [first, *rest]
        labels.append(NUMBERS[tag])
        labels += [IGNORE_INDEX] * len(rest)
    pieces, labels = [*pieces, SEP], [*labels, IGNORE_INDEX]
    return pieces, labels


# %% 3 computes tags=["hide-input"]
NUMBERS = {"O": 0, "B-PER": 1, "I-PER": 2}
PIECES = {"whitcombe": ["whit", "##com", "##be"], "waved": ["wave", "##d"]}


def show_labels(function):
    """The pieces of a sentence of three words, with their labels."""
    words, tags = ["nora", "whitcombe", "waved"], ["B-PER", "I-PER", "O"]
    pieces, labels = function(words, tags, lambda w: PIECES.get(w, [w]))
    rows = zip(pieces, labels, strict=True)
    return "\n".join(f"{piece:8}{label:5}" for piece, label in rows)


orders = run_orders(label_pieces, show_labels)
mistakes = [
    Mistake(
        (0, 1, 2, 3, 5, 4, 6),
        "The label comes after those of -100, so it is on the last piece of "
        "a word. BERT has it on the first.",
    ),
    Mistake(
        (0, 6, 1, 2, 3, 4, 5),
        "[SEP] comes before the words: the row begins with [CLS] [SEP], and "
        "nothing closes it.",
    ),
    Mistake(
        (0, 6, 1, 2, 3, 5, 4),
        "[SEP] comes before the words, and each label is on the last piece "
        "of its word.",
    ),
]
print(orders.results[0].text, "\n")
count(orders)
wrong = fail(orders, mistakes)
assert show_labels(label_pieces).split()[5:9] == [
    "2",
    "##com",
    "-100",
    "##be",
], "The first piece of a word has its label, the next ones have -100"
assert wrong == len(mistakes), "Each listed mistake labels the pieces otherwise"

# %% 3 shuffled tags=["hide-input"]
shuffle("labels", orders, mistakes, seed=0)


# %% 4 in order
def find_answer(starts, ends, in_context):
    none = starts[0] + ends[0]
    starts = starts.masked_fill(~in_context, -inf)
    ends = ends.masked_fill(~in_context, -inf)
    spans = starts[:, None] + ends
    spans = spans.masked_fill(BACKWARDS, -inf)
    first, last = divmod(int(spans.argmax()), len(ends))
    best = spans[first, last]
    return None if none > best else (first, last)


# %% 4 computes tags=["hide-input"]
text = [CLS, "who", "came", SEP, "the", "old", "otter", "came", SEP]
BACKWARDS = torch.ones(len(text), len(text)).tril(-1).bool()
in_text = torch.tensor([piece not in (CLS, SEP) for piece in text])
in_text[:3] = False  # the question
# For four models, the scores of starts and ends at some of the pieces.
SCORES = {
    "a clear one": ({4: 5, 5: 3}, {6: 6, 7: 2}),
    "two crossed": ({6: 6, 4: 3}, {5: 6, 7: 3}),
    "the question": ({1: 7, 5: 4}, {2: 7, 6: 4}),
    "nothing": ({0: 5, 4: 3}, {0: 5, 6: 3}),
}


def show_answers(function):
    """The answer of each model."""
    lines = []
    for name, marked in SCORES.items():
        starts, ends = torch.zeros(2, len(text))
        for scores, at in zip((starts, ends), marked, strict=True):
            scores[list(at)] = torch.tensor([*at.values()]).float()
        found = function(starts, ends, in_text)
        said = "no answer"
        if found:
            first, last = found
            said = " ".join(text[first : last + 1])
            said = said or f"from {text[first]!r} back to {text[last]!r}"
        lines.append(f"scores for {name:15}{said}")
    return "\n".join(lines)


orders = run_orders(find_answer, show_answers)
mistakes = [
    Mistake(
        (1, 2, 0, 3, 4, 5, 6),
        "The score of [CLS] is read when everything outside the context is "
        "excluded. It is minus infinity, so there always is an answer.",
    ),
    Mistake(
        (0, 3, 1, 2, 4, 5, 6),
        "The scores are added before the question is excluded, so the answer "
        "may be in the question.",
    ),
    Mistake(
        (0, 2, 3, 1, 4, 5, 6),
        "The starts are limited to the context after the scores are added, "
        "so an answer may begin in the question.",
    ),
    Mistake(
        (0, 1, 2, 3, 5, 6, 4),
        "The best span is chosen before those that end before they start are "
        "excluded.",
    ),
    Mistake(
        (0, 1, 2, 3, 5, 4, 6),
        "The span is chosen before the impossible ones are excluded. If it "
        "ends before it starts, its score is minus infinity: no answer.",
    ),
]
print(orders.results[0].text, "\n")
count(orders)
wrong = fail(orders, mistakes)
assert show_answers(find_answer).endswith("no answer"), (
    "Where [CLS] scores highest, there is no answer"
)
assert wrong == len(mistakes), "Each listed mistake finds another start or end"

# %% 4 shuffled tags=["hide-input"]
shuffle("answer", orders, mistakes, seed=0)

# %%
Path("order.json").write_text(json.dumps(puzzles, separators=(",", ":")))
