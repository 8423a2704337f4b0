# %% [markdown]
# # Find the bug
# Eight short pieces of code, each with one wrong line: what it does, and what
# the right one does.
# [The lesson's page](../practice/bugs.md) asks the questions.

# %% set-up
import math
import random
import re

import matplotlib.pyplot as plt
import torch
from torch.nn import functional as F  # noqa: N812
from tqdm.auto import tqdm
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForNextSentencePrediction,
    BertForSequenceClassification,
    BertModel,
)

from bertlesson.heads import IGNORE_INDEX, mean_loss
from bertlesson.lesson.corpus import SENTIMENTS, generate_documents
from bertlesson.lesson.labelled import sentiment_examples
from bertlesson.nsp import IS_NEXT, IS_RANDOM

STEPS, BATCH = 200, 32  # of each small training here
LENGTH = 32  # of a row of text, in words

PAD, CLS, SEP, MASK = range(4)
stories = generate_documents(600, seed=0)
examples = sentiment_examples(1_500, seed=0, split="train")


def split(text):
    return re.findall(r"\w+|[^\w\s]", text.lower())


everything = " ".join([s.text for s in stories] + [e.text for e in examples])
words = sorted(set(split(everything)))
vocab = {word: i for i, word in enumerate(words, start=4)}
VOCAB_SIZE = 4 + len(vocab)


def encode(text, length):
    """The ids of a text, cut and padded to one length."""
    ids = [vocab[word] for word in split(text)][:length]
    return ids + [PAD] * (length - len(ids))


def small_bert(kind, vocab_size=VOCAB_SIZE, seed=0):
    """A BERT of two narrow layers from a random start."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=vocab_size,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=256,
        max_position_embeddings=64,
        initializer_range=0.1,  # BERT's 0.02 is made for a width of 768
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return kind(config)


def train(model, make_batch, steps=STEPS, learning_rate=2e-3):
    """Update on one batch after another; return the losses."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=learning_rate)
    losses = []
    for _ in tqdm(range(steps), desc=type(model).__name__):
        loss = model(**make_batch()).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


# (stories, length)
text = torch.tensor([encode(story.text, LENGTH) for story in stories])

# %% 1 the shares
torch.manual_seed(0)
selected = torch.rand(1_000_000) < 0.15
to_random = selected & (torch.rand(selected.shape) < 0.1)
to_keep = selected & ~to_random & (torch.rand(selected.shape) < 0.1)
to_mask = selected & ~to_random & ~to_keep

parts = {"masked": to_mask, "random": to_random, "kept": to_keep}
chosen = selected.sum()
shares = {name: (part.sum() / chosen).item() for name, part in parts.items()}
print(*(f"{name} {share:.1%}" for name, share in shares.items()))
assert abs(shares["masked"] - 0.81) < 0.005, (
    "About 81% of the selected tokens are masked"
)
assert abs(shares["kept"] - 0.09) < 0.005, "About 9% of them are kept"

# %% 1 cured
draw = torch.rand(selected.shape)
to_mask = selected & (draw < 0.8)
to_random = selected & (draw >= 0.8) & (draw < 0.9)
to_keep = selected & (draw >= 0.9)

parts = {"masked": to_mask, "random": to_random, "kept": to_keep}
cured = {name: (part.sum() / chosen).item() for name, part in parts.items()}
print(*(f"{name} {share:.1%}" for name, share in cured.items()))
assert abs(cured["masked"] - 0.80) < 0.005, "Now about 80% of them are masked"
assert abs(cured["kept"] - cured["random"]) < 0.005, (
    "Random and kept tokens are equally frequent, to within half a point"
)

# %% 2 slots of a row tags=["hide-input"]
torch.manual_seed(0)
SLOTS, REAL = 20, 7
weights = (torch.arange(SLOTS) < REAL).float()  # (slots,)
targets = torch.randint(4, 1_000, (SLOTS,))  # (slots,)
targets = targets.masked_fill(weights == 0, PAD)
logits = torch.randn(SLOTS, 1_000)  # (slots, vocab)
logits[range(REAL), targets[:REAL]] += 6  # it does well at the real slots
mean_of_real = F.cross_entropy(logits[:REAL], targets[:REAL])


# %% 2 padded predictions
def mlm_loss(logits, targets, weights):  # (slots, vocab), (slots,), (slots,)
    loss = F.cross_entropy(logits, targets)
    return (weights * loss).sum() / weights.sum()


weighted = mlm_loss(logits, targets, weights)
unweighted = mlm_loss(logits, targets, torch.ones(SLOTS))
print(f"with the weights        {weighted:.5f}")
print(f"all weights set to 1    {unweighted:.5f}")
print(f"mean of the real slots  {mean_of_real:.5f}")
assert abs(weighted - unweighted) < 1e-5, "The weights make no difference"
assert weighted > 1.5 * mean_of_real, (
    "The loss is more than 1.5 times that of the real slots"
)


# %% 2 cured
def mlm_loss(logits, targets, weights):
    loss = F.cross_entropy(logits, targets, reduction="none")  # (slots,)
    return (weights * loss).sum() / weights.sum()


weighted = mlm_loss(logits, targets, weights)
print(f"with the weights        {weighted:.5f}")
assert abs(weighted - mean_of_real) < 1e-5, (
    "The loss is the mean of the real slots"
)


# %% 3 a fine loss
def make_batch():
    rows = text[torch.randint(len(text), (BATCH,))]  # (batch, length)
    chosen = torch.rand(rows.shape) < 0.15
    return {"input_ids": rows.masked_fill(chosen, MASK), "labels": rows}


model = small_bert(BertForMaskedLM)
reported = train(model, make_batch)
print(f"loss of the last step: {reported[-1]:.2f}")


# %% 3 what it hides tags=["hide-input"]
def loss_at_mask(model):
    """The loss at hidden tokens alone, on some batches."""
    with torch.inference_mode():
        batches = [make_batch() for _ in range(32)]
        # (rows, length)
        ids = torch.cat([batch["input_ids"] for batch in batches])
        labels = torch.cat([batch["labels"] for batch in batches])
        logits = model(ids).logits  # (rows, length, vocab)
    return F.cross_entropy(logits[ids == MASK], labels[ids == MASK]).item()


hidden_loss = loss_at_mask(model)
print(f"after the last step, loss at [MASK]: {hidden_loss:.2f}")
fig, ax = plt.subplots()
ax.plot(reported, color="C0")
beside = (STEPS * 0.35, reported[int(STEPS * 0.35)] + 0.4)
ax.annotate("loss as reported", beside, color="C0")
ax.axhline(hidden_loss, color="C1", linestyle="--")
above = (STEPS * 0.5, hidden_loss + 0.15)
ax.annotate("at [MASK], at the end", above, color="C1")
ax.set_title("The reported loss hides the loss at [MASK]")
ax.set_xlabel("step")
ax.set_ylabel("loss, nats")
ax.set_ylim(bottom=0)
fig.set_label(
    f"The reported loss falls from {reported[0]:.1f} to {reported[-1]:.1f} in "
    f"{STEPS} steps. At the end the loss at [MASK] alone, a dashed line, is "
    f"still {hidden_loss:.1f}."
)
assert hidden_loss > 1.5 * reported[-1], (
    "At [MASK] the loss is more than 1.5 times the one reported"
)


# %% 3 cured
def make_batch():
    rows = text[torch.randint(len(text), (BATCH,))]  # (batch, length)
    chosen = torch.rand(rows.shape) < 0.15
    labels = rows.masked_fill(~chosen, IGNORE_INDEX)
    return {"input_ids": rows.masked_fill(chosen, MASK), "labels": labels}


model = small_bert(BertForMaskedLM)
honest = train(model, make_batch)
last_steps, at_mask = sum(honest[-10:]) / 10, loss_at_mask(model)
print(f"loss of the last steps  {last_steps:.2f}")
print(f"at [MASK]               {at_mask:.2f}")
assert abs(last_steps - at_mask) < 0.3, (
    "The reported loss now agrees with the loss at [MASK], to within 0.3"
)

# %% 4 short rows
model = small_bert(BertForMaskedLM)
losses = []
for row in text[:, :8].split(1):  # one row of 8 tokens at a time
    chosen = torch.rand(row.shape) < 0.15
    labels = row.masked_fill(~chosen, IGNORE_INDEX)
    with torch.inference_mode():
        logits = model(row.masked_fill(chosen, MASK)).logits  # (1, 8, vocab)
    losses.append(F.cross_entropy(logits.flatten(0, 1), labels.flatten()))
failed = torch.stack(losses).isnan().float().mean().item()
print(f"loss is NaN in {failed:.0%} of {len(losses)} steps")
assert abs(failed - 0.85**8) < 0.08, (
    "The loss is NaN about as often as eight draws select nothing"
)


# %% 4 one such step
def nan_after_a_step(loss_of):
    """The share of NaN in the model after a step with nothing selected."""
    model, row = small_bert(BertForMaskedLM), text[0, :8]
    loss_of(model(row[None]).logits[0], row).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    torch.optim.AdamW(model.parameters()).step()
    weights = torch.cat([w.flatten() for w in model.parameters()])
    return weights.isnan().float().mean().item()


nothing = torch.full((8,), IGNORE_INDEX)
no_weight = torch.zeros(8)
by_labels = nan_after_a_step(lambda out, row: F.cross_entropy(out, nothing))
by_weights = nan_after_a_step(lambda out, row: mlm_loss(out, row, no_weight))
print("weights of the model that are NaN")
print(f"with labels of -100     {by_labels:4.0%}")
print(f"with loss weights of 0  {by_weights:4.0%}")
assert by_labels == 0, "With labels of -100, no weight of the model becomes NaN"
assert by_weights == 1, (
    "With loss weights of 0, every weight of the model becomes NaN"
)

# %% 4 cured
model = small_bert(BertForMaskedLM)
losses = []
for row in text[:, :8].split(1):
    chosen = torch.rand(row.shape) < 0.15
    labels = row.masked_fill(~chosen, IGNORE_INDEX)
    with torch.inference_mode():
        logits = model(row.masked_fill(chosen, MASK)).logits
    # the sum divided by max(1, number of labels)
    losses.append(mean_loss(logits, labels))
failed = torch.stack(losses).isnan().sum().item()
print(f"loss is NaN in {failed} of {len(losses)} steps")
assert failed == 0, "No loss is NaN"

# %% 5 the random partner
rng = random.Random(0)
pairs = []  # A and B, each as (story, sentence), and the label
for story, document in enumerate(stories):
    for sentence in range(len(document.sentences) - 1):
        a, b, label = (story, sentence), (story, sentence + 1), IS_NEXT
        if rng.random() < 0.5:
            b = (story, rng.randrange(len(document.sentences)))
            label = IS_RANDOM
        pairs.append((a, b, label))

torn = [(a, b) for a, b, label in pairs if label == IS_RANDOM]
follows = sum(b == (a[0], a[1] + 1) for a, b in torn) / len(torn)
print(f"labelled random: {len(torn):,}")
print(f"B does follow A in {follows:.1%}")
assert follows > 0.05, (
    "In more than 5% of the pairs labelled random, B follows A"
)

# %% 5 cured
pairs = []
for story, document in enumerate(stories):
    for sentence in range(len(document.sentences) - 1):
        a, b, label = (story, sentence), (story, sentence + 1), IS_NEXT
        if rng.random() < 0.5:
            other = rng.choice([i for i in range(len(stories)) if i != story])
            b = (other, rng.randrange(len(stories[other].sentences)))
            label = IS_RANDOM
        pairs.append((a, b, label))

torn = [(a, b) for a, b, label in pairs if label == IS_RANDOM]
follows = sum(b == (a[0], a[1] + 1) for a, b in torn)
print(f"labelled random: {len(torn):,}")
print(f"B does follow A in {follows}")
assert follows == 0, "In no pair labelled random does B follow A"

# %% 6 a pair and its padding tags=["hide-input"]
encoder = small_bert(BertModel).eval()
head = torch.nn.Linear(64, 2)
torch.nn.init.normal_(head.weight, std=0.3)
# (100, 16)
ids = torch.tensor([encode(story.text, 16) for story in stories[:100]])
ids[:, 0], ids[:, 8], ids[:, 15] = CLS, SEP, SEP
padded = F.pad(ids, (0, 48), value=PAD)  # (100, 64), the same pairs


def largest_change(p_next):
    """How much the verdict changes when a pair is padded."""
    with torch.inference_mode():
        return (p_next(ids) - p_next(padded)).abs().max().item()


# %% 6 padding speaks
def p_next(input_ids):  # (batch, length)
    mask = (input_ids != PAD).long()
    segments = (torch.arange(input_ids.shape[1]) > 8).long()
    output = encoder(input_ids, mask, segments.expand_as(input_ids))
    hidden = output.last_hidden_state  # (batch, length, hidden)
    logits = head(hidden.mean(dim=1))  # (batch, 2)
    return logits.softmax(-1)[:, IS_NEXT]


change = largest_change(p_next)
print("with more padding, P(is next) moves")
print(f"by up to {change:.3f}")
assert change > 0.01, "Padding alone changes the probability by more than 0.01"


# %% 6 cured
def p_next(input_ids):
    mask = (input_ids != PAD).long()
    segments = (torch.arange(input_ids.shape[1]) > 8).long()
    output = encoder(input_ids, mask, segments.expand_as(input_ids))
    hidden = output.last_hidden_state  # (batch, length, hidden)
    pooled = torch.tanh(encoder.pooler.dense(hidden[:, 0]))  # of [CLS]
    logits = head(pooled)  # (batch, 2)
    return logits.softmax(-1)[:, IS_NEXT]


change = largest_change(p_next)
print("with more padding, P(is next) moves")
print(f"by up to {change:.6f}")
assert change < 1e-4, (
    "Read from [CLS], the probability changes by less than 0.0001"
)

# %% 7 pairs of topics tags=["hide-input"]
TOPICS, WORDS = 4, 4  # topics, and words of each


def draw_pairs(is_next):
    """[CLS] A [SEP] B [SEP]: of one topic if B is next, else of two."""
    a = torch.randint(TOPICS, is_next.shape)
    another = (a + torch.randint(1, TOPICS, a.shape)) % TOPICS
    b = torch.where(is_next, a, another)
    ids = [
        4 + topic[:, None] * WORDS + torch.randint(WORDS, (len(topic), 5))
        for topic in (a, b)
    ]
    cls, sep = (torch.full((len(a), 1), i) for i in (CLS, SEP))
    input_ids = torch.cat([cls, ids[0], sep, ids[1], sep], dim=1)  # (pairs, 13)
    segments = (torch.arange(13) > 6).long().expand_as(input_ids)
    return {"input_ids": input_ids, "token_type_ids": segments}


# %% 7 below guessing
def make_batch():
    is_next = torch.rand(64) < 0.5
    return {**draw_pairs(is_next), "labels": is_next.long()}


model = small_bert(BertForNextSentencePrediction, vocab_size=4 + TOPICS * WORDS)
reported = train(model, make_batch, steps=250, learning_rate=1e-3)
is_next = torch.rand(1_000) < 0.5
with torch.inference_mode():
    p = model(**draw_pairs(is_next)).logits.softmax(-1)[:, IS_NEXT]
accuracy = ((p > 0.5) == is_next).float().mean().item()
loss = sum(reported[-20:]) / 20
print(f"training loss {loss:.3f}")
print(f"accuracy on new pairs {accuracy:.1%}")
assert loss < 0.5 * math.log(2), (
    "The training loss is less than half that of guessing"
)
assert accuracy < 0.25, "Fewer than one in four verdicts are right"


# %% 7 cured
def make_batch():
    is_next = torch.rand(64) < 0.5
    labels = torch.where(is_next, IS_NEXT, IS_RANDOM)
    return {**draw_pairs(is_next), "labels": labels}


model = small_bert(BertForNextSentencePrediction, vocab_size=4 + TOPICS * WORDS)
reported = train(model, make_batch, steps=250, learning_rate=1e-3)
with torch.inference_mode():
    p = model(**draw_pairs(is_next)).logits.softmax(-1)[:, IS_NEXT]
accuracy = ((p > 0.5) == is_next).float().mean().item()
loss = sum(reported[-20:]) / 20
print(f"training loss {loss:.3f}")
print(f"accuracy on new pairs {accuracy:.1%}")
assert accuracy > 0.75, "More than three in four verdicts are right"

# %% 8 labelled sentences tags=["hide-input"]
sentences = torch.tensor([encode(e.text, 24) for e in examples])
sentences = F.pad(sentences, (1, 0), value=CLS)  # (examples, 25)
# (examples,)
moods = torch.tensor([SENTIMENTS.index(e.sentiment) for e in examples])
for_training = 1_000


def make_batch():
    """Some of the labelled sentences, padding hidden."""
    rows = torch.randint(for_training, (BATCH,))
    ids = sentences[rows]
    return {
        "input_ids": ids,
        "attention_mask": (ids != PAD).long(),
        "labels": moods[rows],
    }


def accuracy_of(model):
    """The share of the other sentences that it classifies correctly."""
    ids = sentences[for_training:]
    with torch.inference_mode():
        logits = model(ids, attention_mask=(ids != PAD).long()).logits
    classes = logits.argmax(-1)
    return (classes == moods[for_training:]).float().mean().item()


# %% 8 hardly learning
model = small_bert(BertForSequenceClassification)
for weight in model.bert.parameters():
    weight.requires_grad = False
losses = train(model, make_batch)

trained = sum(w.numel() for w in model.parameters() if w.requires_grad)
everything = sum(w.numel() for w in model.parameters())
frozen_loss, frozen = sum(losses[-20:]) / 20, accuracy_of(model)
print(f"weights that are trained: {trained} of {everything:,}")
print(f"training loss {frozen_loss:.3f}")
print(f"accuracy on new ones {frozen:.1%}")
assert trained < 0.01 * everything, "Less than 1% of the weights are trained"

# %% 8 cured
model = small_bert(BertForSequenceClassification)
losses = train(model, make_batch)

tuned_loss, tuned = sum(losses[-20:]) / 20, accuracy_of(model)
print(f"training loss {tuned_loss:.3f}")
print(f"accuracy on new ones {tuned:.1%}")
assert tuned_loss < frozen_loss / 2, (
    "With all weights tuned, the training loss is less than half as high"
)
assert tuned > frozen + 0.1, (
    "Accuracy is more than 10 points higher than with a frozen encoder"
)

# %%
values = {"slots": SLOTS, "real": REAL}
