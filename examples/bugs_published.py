# %% [markdown]
# # Find the bug, in published code
# Six faults that published training code has had, each in a short piece of
# code: what it does, and what the right one does.
# [The lesson's page](../practice/bugs.md#published) asks the questions.

# %% set-up
import re

import torch
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import Dataset
from tqdm.auto import tqdm
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForTokenClassification,
    BertModel,
)

from bertlesson.heads import IGNORE_INDEX
from bertlesson.lesson.corpus import ENTITY_LABELS, generate_documents
from bertlesson.lesson.labelled import entity_examples, question_examples

STEPS, BATCH = 80, 32  # of each small training here
LENGTH = 24  # of a row, in words

PAD, CLS, SEP, MASK = range(4)
stories = generate_documents(400, seed=0)
sentences = entity_examples(1_200, seed=0, split="train")
WORD = re.compile(r"\w+|[^\w\s]")


def split(text):
    return WORD.findall(text.lower())


everything = " ".join(each.text for each in [*stories, *sentences])
vocab = {w: i for i, w in enumerate(sorted(set(split(everything))), start=4)}


def encode(text):
    """The ids of a text, cut and padded to one length."""
    ids = [CLS, *(vocab[word] for word in split(text))][: LENGTH - 1]
    return [*ids, SEP] + [PAD] * (LENGTH - 1 - len(ids))


def small_bert(kind, **more):
    """A BERT of two narrow layers from a random start."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=4 + len(vocab),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=256,
        max_position_embeddings=2 * LENGTH,
        initializer_range=0.1,  # BERT's 0.02 is made for a width of 768
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **more,
    )
    return kind(config)


def train(model, loss_of):
    """Update on one batch after another."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in tqdm(range(STEPS), desc=type(model).__name__):
        optimizer.zero_grad()
        loss_of(model, torch.randint(1_000, (BATCH,))).backward()
        optimizer.step()


# two sentences of a story in a row: (pairs, length)
text = torch.tensor(
    [
        encode(f"{a.text} {b.text}")
        for story in stories
        for a, b in zip(
            story.sentences[::2], story.sentences[1::2], strict=False
        )
    ]
)[:1_000]


# %% 9 many epochs
class Rows(Dataset):
    def __init__(self, ids):  # (rows, length)
        self.ids = ids
        self.selected = (torch.rand(ids.shape) < 0.15) & (ids > MASK)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        hidden = self.selected[i]
        labels = self.ids[i].masked_fill(~hidden, IGNORE_INDEX)
        return self.ids[i].masked_fill(hidden, MASK), labels


# %% 9 what they ask for tags=["hide-input"]
EPOCHS = 40


def ever_asked_for(rows):
    """The share of the words that some epoch asks for."""
    asked = torch.zeros(len(rows), LENGTH, dtype=torch.bool)
    for _ in range(EPOCHS):
        asked |= torch.stack([labels for _, labels in rows]) != IGNORE_INDEX
    return (asked.sum() / (rows.ids > MASK).sum()).item()


torch.manual_seed(0)
asked = ever_asked_for(Rows(text[:100]))
print(f"{EPOCHS} epochs ask for {asked:.1%} of the words")
assert asked < 0.2, "In 40 epochs, fewer than 20% of the words are asked for"


# %% 9 cured
class Rows(Dataset):
    def __init__(self, ids):
        self.ids = ids

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        hidden = (torch.rand(LENGTH) < 0.15) & (self.ids[i] > MASK)
        labels = self.ids[i].masked_fill(~hidden, IGNORE_INDEX)
        return self.ids[i].masked_fill(hidden, MASK), labels


asked = ever_asked_for(Rows(text[:100]))
print(f"{EPOCHS} epochs ask for {asked:.1%} of the words")
assert asked > 0.99, "With new masks in each epoch, nearly all are asked for"


# %% 10 easy targets
def select(ids):  # (batch, length)
    draws = torch.rand(ids.shape)
    return (draws < 0.15) & (ids != PAD)


# %% 10 what they teach tags=["hide-input"]
def mlm_loss(model, rows):
    """The loss at selected tokens, all of them masked."""
    ids = text[rows]
    selected = select(ids)
    labels = ids.masked_fill(~selected, IGNORE_INDEX)
    seen = ids.masked_fill(selected, MASK)
    return model(seen, (ids != PAD).long(), labels=labels).loss


def accuracies(model):
    """On all selected tokens of some rows, and on the words among them."""
    selected = select(text)
    with torch.inference_mode():
        seen = text.masked_fill(selected, MASK)
        logits = model(seen, (text != PAD).long()).logits
    right = logits.argmax(-1) == text
    words = selected & (text > MASK)
    return right[selected].float().mean().item(), right[
        words
    ].float().mean().item()


model = small_bert(BertForMaskedLM)
train(model, mlm_loss)
reported, on_words = accuracies(model)
print(f"accuracy {reported:.1%}, on words alone {on_words:.1%}")
assert reported > on_words + 0.05, (
    "The accuracy is more than 5 points higher than on words alone"
)


# %% 10 cured
def select(ids):
    draws = torch.rand(ids.shape)
    special = (ids == PAD) | (ids == CLS) | (ids == SEP)
    return (draws < 0.15) & ~special


model = small_bert(BertForMaskedLM)
train(model, mlm_loss)
honest, on_words = accuracies(model)
print(f"accuracy {honest:.1%}, on words alone {on_words:.1%}")
assert honest == on_words, "Both are the same: every target is a word"

# %% 11 two texts tags=["hide-input"]
encoder = small_bert(BertModel).eval()
a, b, another = text[:3, :LENGTH][:, None]  # (1, length) each


def change(vectors_of):
    """How far the vectors of A move when the text beside it is another."""
    with torch.inference_mode():
        moved = vectors_of(a, b) - vectors_of(a, another)
        return (moved.norm() / vectors_of(a, b).norm()).item()


# %% 11 side by side
def vectors_of_a(a, b):  # (1, length) each
    ids = torch.cat([a, b], dim=1)  # both in one row
    positions = torch.arange(LENGTH).repeat(2)[None]
    mask = (ids != PAD).long()
    output = encoder(ids, mask, position_ids=positions)
    return output.last_hidden_state[:, :LENGTH]


moved = change(vectors_of_a)
print(f"beside another text, A moves by {moved:.1%}")
assert moved > 0.01, "The vectors of A move by more than 1% of their length"


# %% 11 cured
def vectors_of_a(a, b):
    ids = torch.cat([a, b], dim=1)
    positions = torch.arange(LENGTH).repeat(2)[None]
    number = torch.arange(2).repeat_interleave(LENGTH)  # of each one's text
    same = number[:, None] == number  # (2 * length, 2 * length)
    mask = same & (ids != PAD)[:, None, None]  # (1, 1, 2 * length, 2 * length)
    output = encoder(ids, mask, position_ids=positions)
    return output.last_hidden_state[:, :LENGTH]


moved = change(vectors_of_a)
print(f"beside another text, A moves by {moved:.1%}")
assert moved < 1e-5, "The vectors of A are the same, whatever is beside them"

# %% 12 names tags=["hide-input"]
CLASSES = ["O", *ENTITY_LABELS]  # O, number 0, is no name


def classes(sentence):
    """The class of each word, and -100 for [CLS], [SEP] and padding."""
    found = [0] * len(split(sentence.text))
    for n, word in enumerate(WORD.finditer(sentence.text)):
        for start, end, kind in sentence.entities:
            if start <= word.start() < end:
                found[n] = CLASSES.index(kind)
    found = [IGNORE_INDEX, *found][: LENGTH - 1]
    return found + [IGNORE_INDEX] * (LENGTH - len(found))


ids = torch.tensor([encode(sentence.text) for sentence in sentences])
tags = torch.tensor([classes(sentence) for sentence in sentences])


def loss_of_names(model, rows):
    logits = model(ids[rows], (ids[rows] != PAD).long()).logits
    return names_loss(logits, tags[rows])


def found_and_real(model):
    """Of the names, how many are found; of what is found, how much is real."""
    with torch.inference_mode():
        logits = model(ids[1_000:], (ids[1_000:] != PAD).long()).logits
    truth = tags[1_000:]
    found = (logits.argmax(-1) > 0) & (truth != IGNORE_INDEX)
    real = truth > 0
    both = (found & real).sum()
    return (both / real.sum()).item(), (both / found.sum()).item()


# %% 12 every name
def names_loss(logits, labels):  # (batch, length, classes), (batch, length)
    real = labels > 0
    return F.cross_entropy(logits[real], labels[real])


model = small_bert(BertForTokenClassification, num_labels=len(CLASSES))
train(model, loss_of_names)
recall, precision = found_and_real(model)
print(f"of all names, found: {recall:.1%}")
print(f"of what it tags, names: {precision:.1%}")
assert recall > 0.95, "More than 95% of the names are found"
assert precision < 0.5, "Less than half of what is tagged is a name"


# %% 12 cured
def names_loss(logits, labels):
    real = labels != IGNORE_INDEX
    return F.cross_entropy(logits[real], labels[real])


model = small_bert(BertForTokenClassification, num_labels=len(CLASSES))
train(model, loss_of_names)
recall, precision = found_and_real(model)
print(f"of all names, found: {recall:.1%}")
print(f"of what it tags, names: {precision:.1%}")
assert precision > 0.9, "More than nine of ten words that it tags are names"

# %% 13 questions tags=["hide-input"]
questions = question_examples(1_000, seed=0, split="test")  # all with answers
WINDOW = 100  # characters of a context that fit into a row


def say_nothing(question):
    """The answers of a model that declines every question."""
    return ""


# %% 13 long contexts
def is_right(question, answer):
    end = question.answer_start + len(question.answer)
    truth = question.answer if end <= WINDOW else ""  # "" is no answer
    return answer == truth


right = sum(is_right(each, say_nothing(each)) for each in questions)
exact = right / len(questions)
print(f"all {len(questions):,} questions have an answer;")
print(f"a model that never answers: {exact:.1%} exact")
assert exact > 0.25, "Saying nothing is right in more than a quarter of them"


# %% 13 cured
def is_right(question, answer):
    return answer == question.answer


right = sum(is_right(each, say_nothing(each)) for each in questions)
exact = right / len(questions)
print(f"a model that never answers: {exact:.1%} exact")
assert exact == 0, "Saying nothing is never right"

# %% 14 made-up scores tags=["hide-input"]
torch.manual_seed(0)
has_answer = torch.rand(2_000) < 0.5
# by how much the best span beats [CLS]: more, where there is an answer
lead = torch.where(has_answer, 3.0, -3.0) + 2 * torch.randn(2_000)
null = torch.randn(2_000)  # the score of [CLS], as start and as end
best = null + lead  # that of the best span


# %% 14 no answer
def declines(best, null, threshold=0.0):
    return best - null > threshold


declined = declines(best, null)
of_answerable = declined[has_answer].float().mean().item()
of_others = declined[~has_answer].float().mean().item()
print(f"declined, with an answer: {of_answerable:.1%}")
print(f"declined, without one: {of_others:.1%}")
assert of_answerable > 0.8, "More than 80% of the answerable are declined"
assert of_others < 0.2, (
    "Of those without an answer, fewer than 20% are declined"
)


# %% 14 cured
def declines(best, null, threshold=0.0):
    return null - best > threshold


declined = declines(best, null)
of_answerable = declined[has_answer].float().mean().item()
of_others = declined[~has_answer].float().mean().item()
print(f"declined, with an answer: {of_answerable:.1%}")
print(f"declined, without one: {of_others:.1%}")
assert of_others > 0.8, "Of those without an answer, more than 80% are declined"

# %%
values = {"epochs": EPOCHS, "window": WINDOW}
