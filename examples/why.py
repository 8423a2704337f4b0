# %% [markdown]
# # Why this guess?
# What each token adds to a guess at `[MASK]`, where attention looks instead,
# in which layer the guess appears, and when the model learned it.
# [The lesson's page](../deeper/why.md) explains it.

# %% set-up
import json
import random
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from transformers import BertForMaskedLM

from bertlesson.lesson import corpus_text, tiny
from bertlesson.lesson.corpus import generate_documents
from bertlesson.lesson.export import write_model
from bertlesson.why import cover, log_odds, read_layers

SENTENCES = 200  # held out

checkpoint = tiny.load()
tokenizer, mask = checkpoint.tokenizer, checkpoint.tokenizer.mask_token_id
model = BertForMaskedLM(checkpoint.model.config)
model.load_state_dict(checkpoint.model.state_dict(), strict=False)  # no NSP
model.eval().set_attn_implementation("eager")  # the one that returns weights


def words(ids):
    """The tokens of these ids."""
    return tokenizer.convert_ids_to_tokens(ids)


# %% cover and see
TEXT = (
    "Felix took a train to the museum in Lille. "
    "[MASK] wrote to Beatrix about the charming museum."
)
inputs = tokenizer(TEXT, return_tensors="pt")
tokens = words(inputs["input_ids"][0])
hole = tokens.index("[MASK]")
changes = cover(model, inputs, hole, mask)  # (length)
with torch.no_grad():
    output = model(**inputs, output_attentions=True)
odds = log_odds(output.logits[0, hole])
guess = odds.argmax()
print(f"the guess is {words(guess.item())}, log-odds {odds[guess]:+.1f}")
for n in changes.argsort()[:5].tolist():
    print(f"{changes[n]:+5.1f}  without {tokens[n]}")


# %% attention at the hole
def attention_from(attentions, position):
    """How each head divides its attention there: (layers * heads, length)."""
    return torch.cat(attentions, dim=1)[0, :, position]


heads = attention_from(output.attentions, hole)
off = (heads.sum(-1) - 1).abs().max().item()
needed = changes.argmin()
sure = heads.max(-1).values > 0.9  # nearly all of it on one token
right_one = (sure & (heads.argmax(-1) == needed)).sum().item()
wrong_one = sure.sum().item() - right_one
assert tokens[needed] == "felix", "The guess rests on the name that it repeats"
assert off < 1e-5, "What each head divides among the tokens adds up to 1"
assert wrong_one > right_one, (
    "Of the heads that put over 90% on one token, more look at one that the "
    "guess does not need"
)

# %% what it goes by tags=["hide-input"]
fig, (left, right) = plt.subplots(
    1, 2, figsize=(5.4, 5.6), sharey=True, width_ratios=(1, 1.1)
)
rows = range(len(tokens))
colours = ["C1" if change < 0 else "C0" for change in changes]
left.barh(rows, changes, color=colours)
left.axvline(0, color="0.5", linewidth=0.8)
left.set_yticks(rows, tokens)
left.invert_yaxis()
left.set_title(f"“{words(guess.item())}”, if covered")
left.set_xlabel("change of log-odds")
places = [(head, n) for head in range(len(heads)) for n in rows]
right.scatter(*zip(*places, strict=True), s=120 * heads.flatten(), marker="s")
right.set_xlim(-0.6, len(heads) - 0.4)
right.axvline(3.5, color="0.5", linewidth=0.8)
right.set_xticks(range(8), ["1", "2", "3", "4"] * 2)
right.set_xlabel("heads of layer 1, of layer 2")
right.set_title("attention from [MASK]")
fig.set_label(
    "Two charts with a row for each token. Left, what covering it does to the "
    "log-odds of the guess: "
    + ", ".join(f"{t} {c:+.1f}" for t, c in zip(tokens, changes, strict=True))
    + ". Right, the attention of each of the eight heads."
)


# %% many sentences
def holes():
    """Held-out sentences, one random token of each hidden, and its place."""
    rng = random.Random(0)
    for story in generate_documents(SENTENCES, seed=0, split="test"):
        text = rng.choice(story.sentences).text
        inputs = tokenizer(text, return_tensors="pt")
        place = rng.randrange(1, inputs["input_ids"].shape[1] - 1)
        inputs["input_ids"][0, place] = mask
        yield inputs, place


sentences = list(holes())

# %% both in each sentence
same, by_chance, moved, best = 0, 0.0, [], torch.zeros(8)
for inputs, place in sentences:
    changes = cover(model, inputs, place, mask)
    with torch.no_grad():
        output = model(**inputs, output_attentions=True)
    heads = attention_from(output.attentions, place)
    others = torch.ones(len(changes), dtype=torch.bool)
    others[[0, place, -1]] = False  # [CLS], the hole, [SEP]
    changes, heads = changes[others], heads[:, others]
    most, looked_at = changes.argmin(), heads.mean(0).argmax()
    same += (most == looked_at).item()
    best += heads.argmax(-1) == most
    by_chance += 1 / len(changes)
    moved.append([changes[most].item(), changes[looked_at].item()])

# %% where covering and attention part tags=["hide-input"]
agree, by_chance = same / SENTENCES, by_chance / SENTENCES
best_head = best.max().item() / SENTENCES
needed, seen = torch.tensor(moved).median(0).values.tolist()
idle = sum(change > -0.1 for _, change in moved) / SENTENCES
print(
    f"the same token: {agree:.0%} of the sentences; by chance {by_chance:.0%}"
)
print(f"the best of the eight heads alone: {best_head:.0%}")
print(f"covering the most needed token: {needed:+.1f} (median)")
print(f"covering the one most attended to: {seen:+.1f} (median)")
assert agree < 0.5, (
    "In fewer than half of the sentences, the token that the heads attend to "
    "most is the one whose covering hurts the guess most"
)
assert best_head < 0.5, "Nor is it so for any single head"
assert agree > 3 * by_chance, (
    "Attention still finds that token over three times as often as chance does"
)

# %% layer by layer
inputs = tokenizer(TEXT, return_tensors="pt")
names = ("embeddings", "layer 1", "layer 2")
for name, scores in zip(names, read_layers(model, inputs, hole), strict=True):
    first = words(scores.topk(4).indices.tolist())
    rank = (scores > scores[guess]).sum().item() + 1
    print(f"{name:11}{words(guess.item())}: rank {rank:3}   {' '.join(first)}")

# %% when the guess appears
leads = torch.zeros(3)
for inputs, place in sentences:
    scores = read_layers(model, inputs, place)  # (3, vocab)
    leads += scores.argmax(-1) == scores[-1].argmax()
embeddings, layer_1, _ = (leads / SENTENCES).tolist()
print(f"the guess leads: embeddings {embeddings:.0%}, layer 1 {layer_1:.0%}")
assert embeddings < 0.15, (
    "At the embeddings, where [MASK] knows only its position, the head makes "
    "the final guess in less than 15% of the sentences"
)
assert layer_1 > 0.4, "After layer 1, it does in over 40%"
assert layer_1 < 0.7, "In over 30% the guess needs layer 2"

# %% two texts, one hole
DULL = "Emil [MASK] the bakery for its boring baker."
FINE = DULL.replace("boring", "lovely")


def odds_in(text):
    """Log-odds of each piece at the first [MASK], (vocab)."""
    inputs = tokenizer(text, return_tensors="pt")
    place = inputs["input_ids"][0].tolist().index(mask)
    with torch.no_grad():
        return log_odds(model(**inputs).logits[0, place])


dull, fine = odds_in(DULL), odds_in(FINE)
likely = torch.maximum(dull, fine).sigmoid() > 0.05
gained = (fine - dull).masked_fill(~likely, 0)
for n in gained.abs().argsort(descending=True)[: likely.sum()].tolist():
    print(
        f"{gained[n]:+5.1f}  {words(n):12}"
        f"{dull[n].sigmoid():4.0%} with boring, {fine[n].sigmoid():4.0%} lovely"
    )


# %% a name that is there
def repeated_names():
    """Two held-out sentences with a person in both, hidden in the second."""
    for story in generate_documents(100, seed=1, split="test"):
        for first, second in pairwise(story.sentences):
            for start, end, label in second.entities:
                name = second.text[start:end]
                if label == "PER" and name in first.text:
                    before, after = second.text[:start], second.text[end:]
                    yield f"{first.text} {before}[MASK]{after}", name.lower()


texts, names = zip(*repeated_names(), strict=True)
inputs = tokenizer(list(texts), return_tensors="pt", padding=True)
is_hole = inputs["input_ids"] == mask  # (texts, length)
answers = torch.tensor(tokenizer.convert_tokens_to_ids(names))  # (texts)
people = (*corpus_text.WOMEN, *corpus_text.MEN)
people = tokenizer.convert_tokens_to_ids([name.lower() for name in people])

# %% four moments
last = len(checkpoint.history["loss"])
models = {step: checkpoint.at(step) for step in checkpoint.earlier}
models[last] = checkpoint.model
pieces, a_person, right = {}, {}, {}
print(f"{len(texts)} texts  different guesses  a person   right")
for step, moment in models.items():
    with torch.no_grad():
        guesses = moment(**inputs).prediction_logits[is_hole].argmax(-1)
    pieces[step] = words(guesses.unique().tolist())
    a_person[step] = torch.isin(guesses, torch.tensor(people)).float().mean()
    right[step] = (guesses == answers).float().mean()
    print(
        f"step {step:5,} {len(pieces[step]):18} "
        f"{a_person[step]:9.1%} {right[step]:7.1%}"
    )
assert set(pieces[50]) <= {"the", ".", ","}, (
    "After 50 steps it guesses only the most frequent pieces, whatever the text"
)
assert a_person[500] > 0.8, "After 500 it knows that a person is missing"
assert right[500] < 0.2, "But it guesses one without looking who was named"
assert right[last] > 0.9, "At the end it reads the name"

# %% the moments for the page
LEARNED = ("nothing yet", "frequent words", "kinds of words", "reading")
files = [f"step-{step}" for step in checkpoint.earlier]
for step, file in zip(checkpoint.earlier, files, strict=True):
    write_model(f"{file}.safetensors", models[step], tokenizer)
listed = zip(models, LEARNED, (*files, "pretrained"), strict=True)
moments = [{"step": s, "knows": k, "file": f} for s, k, f in listed]
Path("moments.json").write_text(json.dumps(moments))

# %%
values = {
    "sure": sure.sum().item(),
    "right_one": right_one,
    "sentences": SENTENCES,
    "agree": agree,
    "chance": by_chance,
    "best_head": best_head,
    "needed": needed,
    "seen": seen,
    "idle": idle,
    "layer_1": layer_1,
    "steps": last,
}

# %% in your own project
import torch
from transformers import BertForMaskedLM

from bertlesson.lesson import tiny
from bertlesson.why import cover, read_layers

checkpoint = tiny.load()
tokenizer = checkpoint.tokenizer  # or AutoTokenizer.from_pretrained(...)
# or AutoModelForMaskedLM.from_pretrained(...), and the same from here on
model = BertForMaskedLM(checkpoint.model.config).eval()
model.load_state_dict(checkpoint.model.state_dict(), strict=False)

inputs = tokenizer("Ada loved the [MASK] in Lille.", return_tensors="pt")
ids = inputs["input_ids"][0].tolist()
place = ids.index(tokenizer.mask_token_id)
changes = cover(model, inputs, place, tokenizer.mask_token_id).tolist()
for token, change in zip(ids, changes, strict=True):
    print(f"{change:+5.1f}  {tokenizer.convert_ids_to_tokens(token)}")
for scores in read_layers(model, inputs, place):  # embeddings, then layers
    print(tokenizer.convert_ids_to_tokens(scores.topk(3).indices.tolist()))
