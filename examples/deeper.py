# %% [markdown]
# # Going deeper
# Five questions that the lesson only touches, each measured: static and dynamic
# masking, whole words, selected positions, `[CLS]` before fine-tuning, and
# masking rates. [The lesson's page](../deeper/index.md) explains it.

# %% set-up
import random

import numpy as np
import torch
from torch.nn.functional import normalize
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm
from transformers import BertConfig, BertForPreTraining

from bertlesson.collating import MaskingCollator
from bertlesson.finetuning import fine_tune, with_encoder
from bertlesson.heads import (
    IGNORE_INDEX,
    MaskedLMModel,
    SequenceClassificationModel,
)
from bertlesson.lesson import corpus_text, tiny
from bertlesson.lesson.ablation import accuracy, train_masked_lm
from bertlesson.lesson.corpus import SENTIMENTS, generate_documents
from bertlesson.lesson.labelled import sentiment_examples
from bertlesson.masking import MaskingRecipe
from bertlesson.pretraining import PretrainingModel

LENGTH = 32  # tokens in a row
STEPS, BATCH = 300, 32  # of each small model
SEEDS = 2

torch.manual_seed(0)
checkpoint = tiny.load()
tokenizer, model = checkpoint.tokenizer, checkpoint.model
written = generate_documents(3_000, seed=0)
training = tiny.sentence_pairs(written, tokenizer, LENGTH, seed=0)
held_out = generate_documents(500, seed=0, split="test")
rows = tiny.sentence_pairs(held_out, tokenizer, LENGTH, seed=0)[:]
truth = torch.from_numpy(rows["input_ids"])
all_masked = MaskingRecipe(mask=1, random=0)
hidden_words = MaskingCollator(tokenizer, all_masked, seed=0)(rows)


def score(small):
    """How often a small model names a masked token of held-out text."""
    where = hidden_words["labels"] != IGNORE_INDEX
    return accuracy(small, hidden_words, truth, where)


def pretrain(batches, seed, bar):
    """A model with two layers, 128 wide, that has learned MLM alone."""
    settings = {"steps": STEPS, "length": LENGTH, "seed": seed}
    return train_masked_lm(tokenizer, batches, on_step=bar.update, **settings)


def report(name, scores):
    """The mean, and the score of each seed."""
    each = " ".join(f"{score:.1%}" for score in scores)
    print(f"{name:16}{np.mean(scores):6.1%}   seeds: {each}")


# %% masks drawn once
FEW = 400  # rows, so that each is seen many times


def orders(count, seed):
    """Batches of row numbers, in a new order in each epoch."""
    rng = np.random.default_rng(seed)
    while True:
        whole = rng.permutation(count)[: count // BATCH * BATCH]
        yield from whole.reshape(-1, BATCH)


def static_batches(copies, seed):
    """Batches of the few rows, in so many copies whose masks never change."""
    copied = training[np.tile(np.arange(FEW), copies)]
    masked = MaskingCollator(tokenizer, seed=seed)(copied)
    for chosen in orders(FEW * copies, seed):
        yield {name: tensor[chosen] for name, tensor in masked.items()}


def dynamic_batches(seed):
    """Batches of the few rows, with new masks each time."""
    collator = MaskingCollator(tokenizer, seed=seed)
    for chosen in orders(FEW, seed):
        yield collator(training[chosen])


# %% static and dynamic masking tags=["hide-input"]
ways = {
    "one fixed mask": lambda seed: static_batches(1, seed),
    "ten fixed masks": lambda seed: static_batches(10, seed),
    "new masks": dynamic_batches,
}
static = {}
total = len(ways) * SEEDS * STEPS
with tqdm(total=total, desc="static and dynamic masks", unit="step") as bar:
    for way, batches in ways.items():
        static[way] = [
            score(pretrain(batches(seed), seed, bar)) for seed in range(SEEDS)
        ]
for way, scores in static.items():
    report(way, scores)
once, ten_times, always = (np.mean(scores) for scores in static.values())
assert always > once + 0.1, (
    "New masks beat one that never changes by more than 10 points"
)
assert always < ten_times + 0.1, (
    "Ten fixed masks are less than 10 points behind new ones"
)

# %% whole words
collator = MaskingCollator(tokenizer, all_masked, whole_word_mask=True, seed=0)
batch = collator(rows)  # each selected word is hidden as a whole
vocabulary = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
is_continuation = torch.tensor([piece[:2] == "##" for piece in vocabulary])
continues = is_continuation[truth]  # (rows, length)
opens = ~continues & continues.roll(-1, dims=1)  # first of several pieces
selected = opens & (batch["labels"] != IGNORE_INDEX)

reader = MaskedLMModel(model.config).eval()
reader.load_state_dict(model.state_dict(), strict=False)  # no NSP head
rest_shown = torch.where(continues, truth, batch["input_ids"])
shown = accuracy(reader, {**batch, "input_ids": rest_shown}, truth, selected)
hidden = accuracy(reader, batch, truth, selected)
print("first pieces named correctly")
print(f"when the rest of the word is shown  {shown:.1%}")
print(f"when the whole word is hidden       {hidden:.1%}")
assert shown > hidden + 0.05, (
    "Showing the rest of a word is worth more than 5 points at its first piece"
)

# %% selected positions
config = BertConfig(
    vocab_size=30_522,  # BERT's own
    hidden_size=128,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=512,
    attn_implementation="eager",  # torch counts no fused attention on a CPU
)
ours = PretrainingModel(config).eval()  # no dropout
dense = BertForPreTraining(config).eval()
# at first this bias is zero, so a head without it would not be noticed
torch.nn.init.normal_(ours.cls["predictions"].bias)
dense.load_state_dict(ours.state_dict())
ids = torch.randint(1_000, 30_522, (32, 128))  # (batch, length)
chosen = torch.rand(ids.shape) < 0.15
example = {
    "input_ids": ids.masked_fill(chosen, 103),
    "labels": ids.masked_fill(~chosen, IGNORE_INDEX),
    "next_sentence_label": torch.randint(2, (32,)),
}


# %% counting
def work_of(step_of):
    """The multiplications for a loss and its gradients, and the loss."""
    with FlopCounterMode(display=False) as counter:
        loss = step_of(**example).loss
        loss.backward()
    # it counts a multiplication and an addition as two
    return counter.get_total_flops() / 2, loss.item()


# %% what they save
everywhere, loss = work_of(dense)
selected, same_loss = work_of(ours)
difference = abs(loss - same_loss)
print("billion multiplications")
print(f"logits at all {ids.numel():,} positions {everywhere / 1e9:5.1f}")
print(f"at the {int(chosen.sum())} selected ones   {selected / 1e9:8.1f}")
times_less = everywhere / selected
assert difference < 1e-5, "The loss is the same"
assert times_less > 3, (
    "In this small model, a step takes less than a third of the work"
)

# %% the same in other words
FORMS = (
    "To {who}, the {what} of the {where} seemed {how}.",
    "The {what} of the {where} was {how}, said {who}.",
)
rng = random.Random(0)
mood = torch.tensor([rng.randrange(len(SENTIMENTS)) for _ in range(200)])
statements = [
    {
        "who": rng.choice((*corpus_text.WOMEN, *corpus_text.MEN)),
        "where": (where := rng.choice(list(corpus_text.VENUES))),
        "what": rng.choice(corpus_text.VENUES[where]),
        "how": rng.choice(corpus_text.ADJECTIVES[SENTIMENTS[number]]),
    }
    for number in mood
]
for form in FORMS:
    print(form.format(**statements[0]))


# %% [CLS] before fine-tuning
def read(encoder, form):
    """The pooled [CLS] and the mean over tokens: (statements, hidden) each."""
    texts = [form.format(**statement) for statement in statements]
    features = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        encoded = encoder(**features)
    real = features["attention_mask"][..., None]  # (statements, length, 1)
    mean = (encoded.last_hidden_state * real).sum(1) / real.sum(1)
    return {"pooled": encoded.pooler_output, "mean": mean}


def compare(encoder, vector):
    """How often the nearest vector has the same statement, the same mood."""
    first = normalize(read(encoder, FORMS[0])[vector], dim=-1)
    second = normalize(read(encoder, FORMS[1])[vector], dim=-1)
    nearest = (first @ second.T).argmax(-1)  # (statements,), by cosine
    same = nearest == torch.arange(len(statements))
    same_mood = mood[nearest] == mood
    return same.float().mean().item(), same_mood.float().mean().item()


# %% its neighbours
sentences = sentiment_examples(256, seed=0, split="train")
texts = [sentence.text for sentence in sentences]
moods = [SENTIMENTS.index(sentence.sentiment) for sentence in sentences]
labelled = dict(tokenizer(texts, padding=True, return_tensors="pt"))
labelled["labels"] = torch.tensor(moods)
torch.manual_seed(0)
tuned = with_encoder(SequenceClassificationModel(model.config), model.bert)
settings = {"steps": 150, "learning_rate": 1e-3, "seed": 0}
fine_tune(tuned, labelled, progress=False, **settings)

torch.manual_seed(0)
untrained = PretrainingModel(model.config).eval()  # random weights

at_random, at_random_mood = compare(untrained.bert, "pooled")
pooled, pooled_mood = compare(model.bert, "pooled")
pooled_after, mood_after = compare(tuned.bert, "pooled")
mean, mean_mood = compare(model.bert, "mean")
print("nearest vector has    the same statement   mood")
print(f"[CLS], random weights {at_random:19.1%} {at_random_mood:6.1%}")
print(f"[CLS], pretrained     {pooled:19.1%} {pooled_mood:6.1%}")
print(f"[CLS], fine-tuned     {pooled_after:19.1%} {mood_after:6.1%}")
print(f"mean of all tokens    {mean:19.1%} {mean_mood:6.1%}")
behind = mean - max(pooled, pooled_after)
given_up = at_random - pooled
kept = min(pooled_mood, mood_after)
assert behind > 0.2, (
    "[CLS], tuned or not, is more than 20 points behind the mean"
)
assert given_up > 0.2, (
    "With random weights, [CLS] is more than 20 points ahead of the pretrained"
)
assert kept >= 0.9, (
    "[CLS], tuned or not, is nearest to one of the same mood nine times in ten"
)

# %% masking rates tags=["hide-input"]
rates = {0.05: [], 0.15: [], 0.4: [], 0.8: []}
total = len(rates) * SEEDS * STEPS
with tqdm(total=total, desc="masking rates", unit="step") as bar:
    for rate, scores in rates.items():
        for seed in range(SEEDS):
            recipe = MaskingRecipe(select=rate)
            collator = MaskingCollator(tokenizer, recipe, seed=seed)
            batches = tiny.shuffled_batches(training, collator, BATCH, seed)
            scores.append(score(pretrain(batches, seed, bar)))
for rate, scores in rates.items():
    report(f"{rate:.0%} selected", scores)
few, usual, more, most = (np.mean(scores) for scores in rates.values())
assert more > usual + 0.05, (
    "After the same steps, 40% is more than 5 points ahead of 15%"
)
assert more > most + 0.05, "80% is more than 5 points behind 40%"
assert usual > few + 0.05, "5% is more than 5 points behind 15%"

# %%
values = {"statements": len(statements)}
