# %% [markdown]
# # The masking mix
# The paper's six recipes on the lesson's text: what each teaches a small model.
# [The lesson](../lesson/masking.md#why-the-mix-is-not-arbitrary) explains it.

# %% set-up
import matplotlib.pyplot as plt
import numpy as np
import torch
from tqdm import tqdm

from bertlesson.collating import MaskingCollator
from bertlesson.entities import decode_entities, encode_entities, entity_f1
from bertlesson.heads import IGNORE_INDEX
from bertlesson.lesson import tiny
from bertlesson.lesson.ablation import accuracy, restore, train_masked_lm
from bertlesson.lesson.corpus import ENTITY_LABELS, generate_documents
from bertlesson.lesson.labelled import entity_examples
from bertlesson.masking import MaskingRecipe, mask_tokens
from bertlesson.tags import bio_labels
from bertlesson.words import find_words

SEEDS = 3
STEPS, BATCH, LENGTH = 300, 32, 32  # updates of so many rows of so many tokens
ROWS = 1_000  # held out, to measure on
SENTENCES = 400  # labelled, for the probe

tokenizer = tiny.load().tokenizer

# %% the recipes of Table 8
RECIPES = {  # mask/random/kept, in % of the selected tokens
    "80/10/10": MaskingRecipe(mask=0.8, random=0.1),
    "100/0/0": MaskingRecipe(mask=1.0, random=0.0),
    "80/20/0": MaskingRecipe(mask=0.8, random=0.2),
    "80/0/20": MaskingRecipe(mask=0.8, random=0.0),
    "0/80/20": MaskingRecipe(mask=0.0, random=0.8),
    "0/100/0": MaskingRecipe(mask=0.0, random=1.0),
}

# %% a model for each
pairs = tiny.sentence_pairs(
    generate_documents(3_000, seed=0), tokenizer, LENGTH, seed=0
)


def pretrain(recipe, seed, bar):
    """A model with two layers that has learned MLM alone."""
    collator = MaskingCollator(tokenizer, recipe, seed=seed)
    batches = tiny.shuffled_batches(pairs, collator, BATCH, seed)
    return train_masked_lm(
        tokenizer,
        batches,
        steps=STEPS,
        length=LENGTH,
        seed=seed,
        on_step=bar.update,
    )


# %% reading, trust and doubt
rows = tiny.sentence_pairs(
    generate_documents(500, 0, "test"), tokenizer, LENGTH, seed=0
)[:ROWS]
held_out = {name: torch.from_numpy(array) for name, array in rows.items()}
truth, structural = held_out["input_ids"], held_out["special_tokens_mask"]


def hidden_rows(**shares):
    """The held-out rows, tokens replaced in one way only, and where."""
    hidden, labels = mask_tokens(
        truth,
        structural,
        mask_token_id=tokenizer.mask_token_id,
        vocab_size=len(tokenizer),
        recipe=MaskingRecipe(**shares),
        generator=torch.Generator().manual_seed(0),
    )
    changed = (labels != IGNORE_INDEX) & (hidden != truth)
    return {**held_out, "input_ids": hidden}, changed


MASKED, HOLES = hidden_rows(mask=1.0, random=0.0)
WRONG, REPLACED = hidden_rows(mask=0.0, random=1.0)
VISIBLE = (MASKED["input_ids"] == truth) & (structural == 0)


# %% features that stay as they are
LABELS = bio_labels(ENTITY_LABELS)
labelled = {
    "train": entity_examples(SENTENCES, seed=0, split="train"),
    "test": entity_examples(1_000, seed=0, split="test"),
}


encoded = {
    split: encode_entities(
        tokenizer,
        [sentence.text for sentence in sentences],
        [sentence.entities for sentence in sentences],
        LABELS,
    )
    for split, sentences in labelled.items()
}
test_texts = [sentence.text for sentence in labelled["test"]]
test_pieces = tokenizer(test_texts, padding=True)
WORDS = [
    find_words(test_pieces, row, text) for row, text in enumerate(test_texts)
]


def features_of(model, split):
    """The last layer's vectors, (sentences, length, hidden)."""
    names = ("input_ids", "attention_mask")
    parts = zip(
        *(encoded[split][name].split(100) for name in names), strict=True
    )
    with torch.no_grad():
        return torch.cat(
            [model.bert(*part).last_hidden_state for part in parts]
        )


def probe(model):
    """Entity F1 of a linear layer on the frozen features."""
    labels = encoded["train"]["labels"]
    learned = labels != IGNORE_INDEX
    vectors, targets = features_of(model, "train")[learned], labels[learned]
    linear = torch.nn.Linear(vectors.shape[1], len(LABELS))
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    optimizer = torch.optim.LBFGS(linear.parameters(), max_iter=100)

    def closure():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(linear(vectors), targets)
        (loss + 1e-3 * linear.weight.square().sum()).backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        predicted = linear(features_of(model, "test")).argmax(-1).tolist()
    found = [
        decode_entities(*each, LABELS)
        for each in zip(predicted, WORDS, strict=True)
    ]
    return entity_f1(
        [sentence.entities for sentence in labelled["test"]], found
    )


# %% all of them
MEASURES = ("at [MASK]", "visible", "repaired", "probe")
scores = {name: np.zeros((SEEDS, len(MEASURES))) for name in RECIPES}
with tqdm(
    total=SEEDS * len(RECIPES) * STEPS, desc="six recipes", unit="step"
) as bar:
    for name, recipe in RECIPES.items():
        for seed in range(SEEDS):
            model = pretrain(recipe, seed, bar)
            right = restore(model, MASKED, HOLES | VISIBLE) == truth
            scores[name][seed] = (
                right[HOLES].float().mean(),
                right[VISIBLE].float().mean(),
                accuracy(model, WRONG, truth, REPLACED),
                probe(model),
            )

# %% what each recipe teaches tags=["hide-input"]
print(f"mean of {SEEDS} seeds")
print("mask/random/")
print(f"{'kept':9}" + "".join(f"{name:>9}" for name in MEASURES))
for name, each in scores.items():
    print(f"{name:9}" + "".join(f"{mean:9.2f}" for mean in each.mean(axis=0)))
print("standard deviation")
for name, each in scores.items():
    print(f"{name:9}" + "".join(f"{sd:9.2f}" for sd in each.std(axis=0)))

# %% what the mix teaches tags=["hide-input"]
fills, trusts, doubts, features = (
    {name: measured[:, number].mean() for name, measured in scores.items()}
    for number in range(len(MEASURES))
)
others = [name for name in RECIPES if name != "80/10/10"]
ahead = max(fills[name] for name in others) - fills["80/10/10"]
with_kept = min(trusts["80/10/10"], trusts["80/0/20"])
trust = with_kept - max(trusts["100/0/0"], trusts["80/20/0"])
doubt = doubts["80/10/10"] - doubts["80/0/20"]
gained = features["80/10/10"] - features["100/0/0"]
lost = features["80/10/10"] - max(features["80/20/0"], features["80/0/20"])
# on the measure where it is furthest behind
behind = (
    scores["80/10/10"].mean(axis=0) - scores["0/80/20"].mean(axis=0)
).max()
lowest = min(features, key=features.get)
assert ahead < 0.05, "At [MASK], no recipe is ahead of 80/10/10 by 5 points"
assert trust > 0.3, (
    "With kept tokens, visible ones are trusted: at least 30 points more"
)
assert doubt > 0.15, "80/10/10 repairs at least 15 points more than 80/0/20"
assert gained > 0.05, (
    "80/10/10 is at least 5 points ahead of [MASK] alone on the probe"
)
assert lost > 0.05, (
    "80/20/0 and 80/0/20 are at least 5 points behind it on the probe"
)
assert behind < 0.1, (
    "Without [MASK], 0/80/20 is less than 10 points behind it on every measure"
)
assert lowest == "0/100/0", "Random tokens alone score lowest on the probe"

# %% the chart tags=["hide-input"]
fig, axes = plt.subplots(2, 2, figsize=(5.4, 4.4), sharey=True)
titles = (
    "Fills in: at [MASK]",
    "Trusts: visible",
    "Doubts: repaired",
    "Vectors: F1 of the probe",
)
for number, (ax, title) in enumerate(zip(axes.flat, titles, strict=True)):
    for row, measured in enumerate(scores.values()):
        colour = "C0" if row == 0 else "C1"
        each = measured[:, number]
        ax.plot([each.min(), each.max()], [row, row], color=colour, linewidth=1)
        ax.plot(each.mean(), row, color=colour, marker="o")
    ax.set_xlim(0, 1.05)
    ax.set_title(title)
axes[0, 0].set_yticks(range(len(RECIPES)), list(RECIPES))
axes[0, 0].invert_yaxis()
for ax in axes[:, 0]:
    ax.set_ylabel("mask/random/kept")
fig.supxlabel(
    "dot: mean of the seeds; line: from the lowest to the highest",
    fontsize="small",
)
scored = "; ".join(
    f"{title}: "
    + ", ".join(
        f"{name} {m[:, number].mean():.2f}" for name, m in scores.items()
    )
    for number, title in enumerate(titles)
)
fig.set_label(
    f"Four dot charts, a row for each recipe as mask/random/kept. {scored}."
)

# %%
values = {"seeds": SEEDS, "steps": STEPS}
