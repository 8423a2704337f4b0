# %% [markdown]
# # Find the bug
# Eight short pieces of code, each with one wrong line: what it does, and what the right one does.
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

from bertlesson.corpus import SENTIMENTS, generate_documents, sentiment_examples
from bertlesson.heads import IGNORE_INDEX, mean_loss
from bertlesson.nsp import IS_NEXT, IS_RANDOM

STEPS, BATCH = 200, 32  # of each small training here
LENGTH = 32  # of a row of text, in words

PAD, CLS, SEP, MASK = range(4)
stories = generate_documents(600, seed=0)
examples = sentiment_examples(1_500, seed=0, split="train")


def split(text):
    return re.findall(r"\w+|[^\w\s]", text.lower())


everything = " ".join([s.text for s in stories] + [e.text for e in examples])
vocab = {word: i for i, word in enumerate(sorted(set(split(everything))), start=4)}
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
    """Update on one batch after the other; return the losses that were reported."""
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


text = torch.tensor([encode(story.text, LENGTH) for story in stories])  # (stories, length)

# %% 1 the shares
torch.manual_seed(0)
selected = torch.rand(1_000_000) < 0.15
to_random = selected & (torch.rand(selected.shape) < 0.1)
to_keep = selected & ~to_random & (torch.rand(selected.shape) < 0.1)
to_mask = selected & ~to_random & ~to_keep

parts = {"masked": to_mask, "random": to_random, "kept": to_keep}
shares = {name: (part.sum() / selected.sum()).item() for name, part in parts.items()}
print(*(f"{name} {share:.1%}" for name, share in shares.items()))
assert abs(shares["masked"] - 0.81) < 0.005, "81% of the selected tokens are masked"
assert abs(shares["kept"] - 0.09) < 0.005, "9% of them are kept"

# %% 1 cured
draw = torch.rand(selected.shape)
to_mask = selected & (draw < 0.8)
to_random = selected & (draw >= 0.8) & (draw < 0.9)
to_keep = selected & (draw >= 0.9)

parts = {"masked": to_mask, "random": to_random, "kept": to_keep}
cured = {name: (part.sum() / selected.sum()).item() for name, part in parts.items()}
print(*(f"{name} {share:.1%}" for name, share in cured.items()))
assert abs(cured["masked"] - 0.80) < 0.005, "With one draw, 80% of them are masked"
assert abs(cured["kept"] - cured["random"]) < 0.005, "As many are kept as are replaced"

# %% 2 slots of a row tags=["hide-input"]
torch.manual_seed(0)
SLOTS, REAL = 20, 7
weights = (torch.arange(SLOTS) < REAL).float()  # (slots,)
targets = torch.randint(4, 1_000, (SLOTS,)).masked_fill(weights == 0, PAD)  # (slots,)
logits = torch.randn(SLOTS, 1_000)  # (slots, vocab)
logits[range(REAL), targets[:REAL]] += 6  # where there is something to predict, it does well
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
assert weighted > 1.5 * mean_of_real, "It is not the loss of the real slots"


# %% 2 cured
def mlm_loss(logits, targets, weights):
    loss = F.cross_entropy(logits, targets, reduction="none")  # (slots,)
    return (weights * loss).sum() / weights.sum()


weighted = mlm_loss(logits, targets, weights)
print(f"with the weights        {weighted:.5f}")
assert abs(weighted - mean_of_real) < 1e-5, "It is the mean of the slots that hold a prediction"


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
    """The loss where a token is hidden, on some batches."""
    with torch.inference_mode():
        batches = [make_batch() for _ in range(32)]
        ids = torch.cat([batch["input_ids"] for batch in batches])  # (rows, length)
        labels = torch.cat([batch["labels"] for batch in batches])
        logits = model(ids).logits  # (rows, length, vocab)
    return F.cross_entropy(logits[ids == MASK], labels[ids == MASK]).item()


hidden_loss = loss_at_mask(model)
print(f"loss at [MASK] alone, after the last step: {hidden_loss:.2f}")
fig, ax = plt.subplots()
ax.plot(reported, color="C0")
ax.annotate("loss as reported", (STEPS * 0.35, reported[int(STEPS * 0.35)] + 0.4), color="C0")
ax.axhline(hidden_loss, color="C1", linestyle="--")
ax.annotate("at [MASK], at the end", (STEPS * 0.5, hidden_loss + 0.15), color="C1")
ax.set_title("The loss falls, but not at the hidden words")
ax.set_xlabel("step")
ax.set_ylabel("loss, nats")
ax.set_ylim(bottom=0)
fig.set_label(
    f"The reported loss falls from {reported[0]:.1f} to {reported[-1]:.1f} in {STEPS} steps; at "
    f"the end the loss at [MASK] alone, a dashed line, is still {hidden_loss:.1f}."
)
assert hidden_loss > 1.5 * reported[-1], "At [MASK] the loss is much higher than reported"


# %% 3 cured
def make_batch():
    rows = text[torch.randint(len(text), (BATCH,))]  # (batch, length)
    chosen = torch.rand(rows.shape) < 0.15
    labels = rows.masked_fill(~chosen, IGNORE_INDEX)
    return {"input_ids": rows.masked_fill(chosen, MASK), "labels": labels}


model = small_bert(BertForMaskedLM)
honest = train(model, make_batch)
last_steps, at_mask = sum(honest[-10:]) / 10, loss_at_mask(model)
print(f"loss of the last steps: {last_steps:.2f}; at [MASK]: {at_mask:.2f}")
assert abs(last_steps - at_mask) < 0.3, "What is reported is now the loss at [MASK]"

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
assert abs(failed - 0.85**8) < 0.08, "It fails as often as eight draws select nothing"


# %% 4 one such step
def nan_after_a_step(loss_of):
    """The share of the weights that are NaN after a step in which nothing is selected."""
    model, row = small_bert(BertForMaskedLM), text[0, :8]
    loss_of(model(row[None]).logits[0], row).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    torch.optim.AdamW(model.parameters()).step()
    return torch.cat([w.flatten() for w in model.parameters()]).isnan().float().mean().item()


nothing = torch.full((8,), IGNORE_INDEX)
by_labels = nan_after_a_step(lambda logits, row: F.cross_entropy(logits, nothing))
by_weights = nan_after_a_step(lambda logits, row: mlm_loss(logits, row, torch.zeros(8)))
print(f"NaN in the model, with labels of -100: {by_labels:.0%} of it")
print(f"NaN in the model, with weights of 0:   {by_weights:.0%} of it")
assert by_labels == 0, "With labels of -100, only the loss that is reported is spoiled"
assert by_weights == 1, "With weights of 0, as in the second piece, every weight of the model is"

# %% 4 cured
model = small_bert(BertForMaskedLM)
losses = []
for row in text[:, :8].split(1):
    chosen = torch.rand(row.shape) < 0.15
    labels = row.masked_fill(~chosen, IGNORE_INDEX)
    with torch.inference_mode():
        logits = model(row.masked_fill(chosen, MASK)).logits
    losses.append(mean_loss(logits, labels))  # the sum divided by max(1, number of labels)
failed = torch.stack(losses).isnan().sum().item()
print(f"loss is NaN in {failed} of {len(losses)} steps")
assert failed == 0, "No step fails"

# %% 5 the random partner
rng = random.Random(0)
pairs = []  # A and B, each as (story, sentence), and the label
for story, document in enumerate(stories):
    for sentence in range(len(document.sentences) - 1):
        a, b, label = (story, sentence), (story, sentence + 1), IS_NEXT
        if rng.random() < 0.5:
            b, label = (story, rng.randrange(len(document.sentences))), IS_RANDOM
        pairs.append((a, b, label))

torn = [(a, b) for a, b, label in pairs if label == IS_RANDOM]
follows = sum(b == (a[0], a[1] + 1) for a, b in torn) / len(torn)
print(f"labelled random: {len(torn):,}; of these B does follow A in {follows:.1%}")
assert follows > 0.05, "More than one in twenty pairs labelled random are pairs that follow"

# %% 5 cured
pairs = []
for story, document in enumerate(stories):
    for sentence in range(len(document.sentences) - 1):
        a, b, label = (story, sentence), (story, sentence + 1), IS_NEXT
        if rng.random() < 0.5:
            other = rng.choice([i for i in range(len(stories)) if i != story])
            b, label = (other, rng.randrange(len(stories[other].sentences))), IS_RANDOM
        pairs.append((a, b, label))

torn = [(a, b) for a, b, label in pairs if label == IS_RANDOM]
follows = sum(b == (a[0], a[1] + 1) for a, b in torn)
print(f"labelled random: {len(torn):,}; of these B does follow A in {follows}")
assert follows == 0, "No pair labelled random is one that follows"

# %% 6 a pair and its padding tags=["hide-input"]
encoder = small_bert(BertModel).eval()
head = torch.nn.Linear(64, 2)
torch.nn.init.normal_(head.weight, std=0.3)
ids = torch.tensor([encode(story.text, 16) for story in stories[:100]])  # (100, 16)
ids[:, 0], ids[:, 8], ids[:, 15] = CLS, SEP, SEP
padded = F.pad(ids, (0, 48), value=PAD)  # (100, 64), the same pairs


def largest_change(p_next):
    """By how much the verdict changes when a pair is padded."""
    with torch.inference_mode():
        return (p_next(ids) - p_next(padded)).abs().max().item()


# %% 6 padding speaks
def p_next(input_ids):  # (batch, length)
    mask = (input_ids != PAD).long()
    segments = torch.arange(input_ids.shape[1]).gt(8).long().expand_as(input_ids)
    hidden = encoder(input_ids, mask, segments).last_hidden_state  # (batch, length, hidden)
    logits = head(hidden.mean(dim=1))  # (batch, 2)
    return logits.softmax(-1)[:, IS_NEXT]


change = largest_change(p_next)
print(f"the same pairs, with more padding: P(is next) changes by up to {change:.3f}")
assert change > 0.01, "The verdict depends on how much padding there is"


# %% 6 cured
def p_next(input_ids):
    mask = (input_ids != PAD).long()
    segments = torch.arange(input_ids.shape[1]).gt(8).long().expand_as(input_ids)
    hidden = encoder(input_ids, mask, segments).last_hidden_state  # (batch, length, hidden)
    logits = head(torch.tanh(encoder.pooler.dense(hidden[:, 0])))  # (batch, 2), from [CLS]
    return logits.softmax(-1)[:, IS_NEXT]


cured_change = largest_change(p_next)
print(f"the same pairs, with more padding: P(is next) changes by up to {cured_change:.6f}")
assert cured_change < 1e-4, "Read from [CLS], the verdict is the same with any padding"

# %% 7 pairs of topics tags=["hide-input"]
TOPICS, WORDS = 4, 4  # topics, and words of each


def draw_pairs(is_next):
    """[CLS] A [SEP] B [SEP]: both of one topic if B is next, of two topics if not."""
    a = torch.randint(TOPICS, is_next.shape)
    b = torch.where(is_next, a, (a + torch.randint(1, TOPICS, a.shape)) % TOPICS)
    ids = [4 + t[:, None] * WORDS + torch.randint(WORDS, (len(t), 5)) for t in (a, b)]
    cls, sep = (torch.full((len(a), 1), i) for i in (CLS, SEP))
    input_ids = torch.cat([cls, ids[0], sep, ids[1], sep], dim=1)  # (pairs, 13)
    return {"input_ids": input_ids, "token_type_ids": torch.arange(13).gt(6).long() + 0 * input_ids}


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
print(f"training loss {loss:.3f}, accuracy on new pairs {accuracy:.1%}")
assert loss < 0.5 * math.log(2), "The training loss is less than half that of guessing"
assert accuracy < 0.25, "On two classes, it is right far less often than a coin"


# %% 7 cured
def make_batch():
    is_next = torch.rand(64) < 0.5
    return {**draw_pairs(is_next), "labels": torch.where(is_next, IS_NEXT, IS_RANDOM)}


model = small_bert(BertForNextSentencePrediction, vocab_size=4 + TOPICS * WORDS)
reported = train(model, make_batch, steps=250, learning_rate=1e-3)
with torch.inference_mode():
    p = model(**draw_pairs(is_next)).logits.softmax(-1)[:, IS_NEXT]
cured = ((p > 0.5) == is_next).float().mean().item()
print(f"training loss {sum(reported[-20:]) / 20:.3f}, accuracy on new pairs {cured:.1%}")
assert cured > 0.75, "The same training with the labels right way round is right far more often"

# %% 8 labelled sentences tags=["hide-input"]
sentences = torch.tensor([encode(e.text, 24) for e in examples])  # (examples, 24)
sentences = F.pad(sentences, (1, 0), value=CLS)  # (examples, 25)
moods = torch.tensor([SENTIMENTS.index(e.sentiment) for e in examples])  # (examples,)
for_training = 1_000


def make_batch():
    """Some of the labelled sentences, padding hidden."""
    rows = torch.randint(for_training, (BATCH,))
    ids = sentences[rows]
    return {"input_ids": ids, "attention_mask": (ids != PAD).long(), "labels": moods[rows]}


def accuracy_of(model):
    """The share of the other sentences that it classifies rightly."""
    ids = sentences[for_training:]
    with torch.inference_mode():
        classes = model(ids, attention_mask=(ids != PAD).long()).logits.argmax(-1)
    return (classes == moods[for_training:]).float().mean().item()


# %% 8 hardly learning
model = small_bert(BertForSequenceClassification)
for weight in model.bert.parameters():
    weight.requires_grad = False
losses = train(model, make_batch)

trained = sum(w.numel() for w in model.parameters() if w.requires_grad)
everything = sum(w.numel() for w in model.parameters())
frozen_loss, frozen_accuracy = sum(losses[-20:]) / 20, accuracy_of(model)
print(f"weights that are trained: {trained} of {everything:,}")
print(f"training loss {frozen_loss:.3f}, accuracy on new sentences {frozen_accuracy:.1%}")
assert trained < 0.01 * everything, "Less than 1% of the weights are trained"

# %% 8 cured
model = small_bert(BertForSequenceClassification)
losses = train(model, make_batch)

tuned_loss, tuned_accuracy = sum(losses[-20:]) / 20, accuracy_of(model)
print(f"training loss {tuned_loss:.3f}, accuracy on new sentences {tuned_accuracy:.1%}")
assert tuned_loss < frozen_loss / 2, "With all weights tuned, the training loss falls further"
assert tuned_accuracy > frozen_accuracy + 0.1, "And it is right more often"

# %%
values = {"slots": SLOTS, "real": REAL}
