# %% [markdown]
# # The arithmetic of pretraining
# What is easily guessed wrong, counted: shares, predictions, weights, work.
# [The lesson's page](../deeper/arithmetic.md) asks the questions first.

# %% set-up
import random
from fractions import Fraction
from functools import cache

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig

from bertlesson.heads import (
    IGNORE_INDEX,
    QuestionAnsweringModel,
    SequenceClassificationModel,
    TokenClassificationModel,
)
from bertlesson.lesson import tiny
from bertlesson.masking import mask_tokens
from bertlesson.optimization import make_optimizer
from bertlesson.pretraining import PretrainingModel
from bertlesson.reference import create_pretraining_instances

torch.manual_seed(0)
checkpoint = tiny.load()  # the first call trains it, which takes a few minutes
ROWS = 20_000  # to measure a share on


# %% random pairs
@cache
def expected(sentences):
    """Pairs, and random pairs, that a document of so many sentences gives."""
    if sentences == 1:  # nothing is left to be B: no coin is tossed
        return Fraction(1), Fraction(1)
    cuts = range(1, sentences)  # A takes one sentence or more, but not all
    # tails: B comes from elsewhere, and what A left is used again
    rest = [expected(sentences - cut) for cut in cuts]
    pairs = sum(pair for pair, _ in rest) / len(cuts)
    drawn = sum(draw for _, draw in rest) / len(cuts)
    half = Fraction(1, 2)
    return 1 + half * pairs, half * (1 + drawn)


for sentences in (1, 2, 3, 5, 10):
    pairs, drawn = expected(sentences)
    share = f"{drawn / pairs}".rjust(9)
    print(f"{sentences:2} sentences: {share} = {float(drawn / pairs):.1%}")

# %% random pairs, measured
pairs, drawn = expected(10)
exact = float(drawn / pairs)
instances = create_pretraining_instances(
    [[["word"]] * 10] * 2_000,  # documents -> sentences -> pieces
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "word"],
    max_seq_length=64,
    dupe_factor=1,
    short_seq_prob=0.0,
    masked_lm_prob=0.15,
    max_predictions_per_seq=3,
    whole_word_mask=False,
    rng=random.Random(0),
)
measured = sum(each.is_random_next for each in instances) / len(instances)
print(f"ten sentences, by our copy of the code: {measured:.1%}", end=" ")
print(f"of {len(instances):,} pairs")
off = abs(measured - exact)
assert off < 0.015, (
    "For ten sentences, our copy of the code agrees to within 1.5 points"
)

# %% rows without a target
for candidates in (8, 20, 40, 128):
    nothing = (1 - 0.15) ** candidates
    print(f"{candidates:3} candidates: {nothing:.2g} of the rows")
rows = torch.full((ROWS, 8), 5)  # (rows, candidates)
none_special = torch.zeros_like(rows)
ids = {"mask_token_id": 4, "vocab_size": 6}
_, labels = mask_tokens(rows, none_special, **ids)
empty = (labels == IGNORE_INDEX).all(dim=1).float().mean().item()
off = abs(empty - 0.85**8)
assert off < 0.01, (
    "The lesson's masking leaves as many rows of 8 empty, to within a point"
)

# %% short rows
for length in (8, 10, 16, 30, 64, 128, 512):
    count = max(1, round(length * 0.15))
    candidates = length - 3  # without [CLS] and two [SEP]
    share = count / candidates
    print(f"{length:3} tokens: {count:2} of {candidates:3} = {share:.1%}")


# %% long words
@cache
def chosen(words, room):
    """Words of each length that are expected to be selected: a tuple."""
    left = sum(words)
    total = [Fraction(0)] * len(words)
    for index, count in enumerate(words):  # the next word, at random
        if count:
            fits = index + 1 <= room  # a longer one is skipped
            fewer = tuple(c - (i == index) for i, c in enumerate(words))
            then = chosen(fewer, room - (index + 1) * fits)
            for i, later in enumerate(then):
                now = fits and i == index
                total[i] += Fraction(count, left) * (later + now)
    return tuple(total)


WORDS, ROOM = (10, 2, 2), 3  # words of one, two, three pieces; predictions
pieces = sum(count * size for size, count in enumerate(WORDS, 1))
relative = []
print("pieces  selected  of its share")
for size, words in enumerate(chosen(WORDS, ROOM), 1):
    share = float(words / WORDS[size - 1])
    relative.append(share / (ROOM / pieces))
    print(f"{size:6}{share:10.1%}{relative[-1]:14.2f}")

# %% long words, measured
word_ids = torch.tensor([*range(10), 10, 10, 11, 11, 12, 12, 12, 13, 13, 13])
rows = torch.full((ROWS, len(word_ids)), 5)  # (rows, pieces)
_, labels = mask_tokens(
    rows,
    torch.zeros_like(rows),
    word_ids=word_ids.expand_as(rows),
    max_predictions_per_seq=ROOM,
    **ids,
)
selected = (labels != IGNORE_INDEX).float()
long = selected[:, -6:].mean().item() / selected.mean().item()
off = abs(long - relative[2])
assert relative[2] < 0.5, (
    "In this row, words of three pieces get less than half of their share"
)
assert off < 0.03, (
    "The lesson's masking gives words of three pieces as much, to within 0.03"
)


# %% the first update
def first_update(**settings):
    """By how many learning rates the first step moves a weight."""
    model = torch.nn.Linear(1, 1, bias=False)
    before = model.weight.item()
    optimizer = make_optimizer(model, 1e-4, weight_decay=0, **settings)
    model.weight.grad = torch.full_like(model.weight, 0.3)
    optimizer.step()
    return abs(model.weight.item() - before) / 1e-4


corrected, uncorrected = first_update(), first_update(bias_correction=False)
print("the first step, in learning rates")
print(f"Adam                     {corrected:.2f}")
print(f"without bias correction  {uncorrected:.2f}")
by_hand = (1 - 0.9) / (1 - 0.999) ** 0.5
off = abs(uncorrected - by_hand)
assert off < 0.01, (
    "Uncorrected, the first step is (1 - β1) / √(1 - β2), to within 0.01"
)


# %% new weights
def new_weights(model):
    """The weights of a fine-tuning head."""
    encoder = {id(weight) for weight in model.bert.parameters()}
    return sum(w.numel() for w in model.parameters() if id(w) not in encoder)


heads = {
    "sequence, 2 classes": (SequenceClassificationModel, 2),
    "token, 7 labels": (TokenClassificationModel, 7),
    "span": (QuestionAnsweringModel, 2),
}
added = {}
print(" " * 20 + "  here  BERT base")
for name, (model_class, labels) in heads.items():
    for size, config in (
        ("here", checkpoint.model.config.to_diff_dict()),
        ("base", {}),
    ):
        with torch.device("meta"):  # shapes without numbers
            model = model_class(BertConfig(**config, num_labels=labels))
        added[name, size] = new_weights(model)
    print(f"{name:20}{added[name, 'here']:6,}{added[name, 'base']:11,}")


# %% work for a token
def forward_work(model, length, positions):
    """Multiplications for a token in a forward pass, logits at positions."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        encoded = model.bert(torch.ones(1, length, dtype=torch.int64))
        hidden = encoded.last_hidden_state[:, :positions]  # (1, positions, ...)
        model.cls["predictions"](hidden)
        model.cls["seq_relationship"](encoded.pooler_output)
    # it counts a multiplication and an addition as two
    return counter.get_total_flops() / 2 / length


with torch.device("meta"):  # shapes without numbers
    base = PretrainingModel(BertConfig()).eval()
    small = PretrainingModel(
        BertConfig(**checkpoint.model.config.to_diff_dict())
    ).eval()
everywhere = forward_work(base, 128, positions=128)
selected_only = forward_work(base, 128, positions=round(0.15 * 128))
saved = 1 - selected_only / everywhere
print("BERT base, rows of 128, for each token")
print("million multiplications")
print(f"logits at all positions    {everywhere / 1e6:4.0f}")
print(f"at the selected positions  {selected_only / 1e6:4.0f}")
assert 0.15 < saved < 0.2, (
    "Scoring 15% of the positions saves BERT base between 15% and 20%"
)

# %% the cost
run, steps = checkpoint.run, len(checkpoint.history["loss"])
length, batch = checkpoint.tokenizer.model_max_length, tiny.Settings.batch_size
passes = 3  # one forward, and a backward pass that costs two
here = forward_work(small, length, round(0.15 * length))
pace = passes * here * steps * batch * length / run.seconds
long = forward_work(base, 512, positions=round(0.15 * 512))
of_short = 0.9e6 * 256 * 128 * selected_only  # 90% of 1,000,000 steps
of_long = 0.1e6 * 256 * 512 * long
work = passes * (of_short + of_long)
years = work / pace / (365 * 24 * 3600)
print("multiplications")
print(f"our run    {pace * run.seconds:.1e}: {pace:.1e} a second")
print(f"BERT base  {work:.1e}: {years:.0f} years at that pace")

# %%
values = {
    f"{head.split(',')[0].split()[0]}_{size}": count
    for (head, size), count in added.items()
} | {"years": years, "saved": saved}
