# %% [markdown]
# # The masking mix, small
# Five of the paper's recipes once more, on an encoder and a text so small
# that [the lesson's page](../lesson/masking.md#yourself) trains them in
# seconds, with the same draws.

# %% set-up
import hashlib
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from tqdm import tqdm

from bertlesson.lesson.small_mix import (
    MEASURES,
    Settings,
    make_text,
    page_data,
    train,
)
from bertlesson.masking import MaskingRecipe

torch.set_num_threads(1)
SEEDS = 3
SHARES = {  # mask and random, in % of the selected tokens; the rest is kept
    "80/10/10": (80, 10),
    "100/0/0": (100, 0),
    "80/20/0": (80, 20),
    "80/0/20": (80, 0),
    "0/100/0": (0, 100),
}
settings = Settings()

# %% the text
text = make_text()
words = sum(len(sentence) for story in text.stories for sentence in story)
print(
    f"{len(text.stories)} stories, {words:,} tokens, {len(text.pieces)} pieces"
)
for sentence in text.stories[0][:2]:  # a row is two neighbours
    print(" ".join(sentence))

# %% one run
curve = train(text, MaskingRecipe(mask=0.8, random=0.1), seed=0)
for point in curve[::4]:
    scores = "  ".join(f"{score:.2f}" for score in point.scores)
    print(f"step {point.step:3}  loss {point.loss:.2f}  {scores}")


# %% all of them
def built(name, seed):
    """A run as the page's file has it; of most, only the end is measured."""
    mask, random = SHARES[name]
    if (name, seed) == ("80/10/10", 0):
        points = curve
    else:
        recipe = MaskingRecipe(mask=mask / 100, random=random / 100)
        points = train(text, recipe, seed, every=settings.steps)[1:]
    return {"select": 15, "mask": mask, "random": random, "seed": seed}, points


runs = [
    built(name, seed)
    for name in tqdm(SHARES, desc="five small recipes")
    for seed in range(SEEDS)
]
# (recipes, seeds, measures)
scores = np.array([points[-1].scores for _, points in runs])
scores = scores.reshape(len(SHARES), SEEDS, len(MEASURES))
measured = dict(zip(SHARES, scores, strict=True))

# %% what a small run shows tags=["hide-input"]
print(f"mean of {SEEDS} seeds, {settings.steps} steps")
print("mask/random/")
print(f"{'kept':9}" + "".join(f"{name:>9}" for name in MEASURES))
for name, each in measured.items():
    means = "".join(f"{mean:9.2f}" for mean in each.mean(axis=0))
    print(f"{name:9}{means}")


def ahead(other, measure):
    """By how much 80/10/10 is ahead with the seed where it is least so."""
    column = MEASURES.index(measure)
    return (measured["80/10/10"] - measured[other])[:, column].min()


unkept = min(ahead("80/20/0", "visible"), ahead("100/0/0", "visible"))
certain = ahead("80/0/20", "repaired")
vectors = ahead("100/0/0", "probe")
unmasked = ahead("0/100/0", "at [MASK]")
assert unkept > 0.2, (
    "Without the kept tenth, every seed names 20 points fewer visible tokens"
)
assert certain > 0.2, (
    "Without the random tenth, it repairs 20 points fewer wrong ones"
)
assert vectors > 0.03, (
    "With [MASK] alone, the probe is at least 3 points behind"
)
assert unmasked > 0.03, (
    "With random tokens alone, it fills in at least 3 points fewer"
)

# %% the chart tags=["hide-input"]
steps = [point.step for point in curve]
fig, ax = plt.subplots(figsize=(5.4, 3))
for number, name in enumerate(MEASURES):
    shares = [point.scores[number] for point in curve]
    ax.plot(steps, shares, label=name)
    ax.annotate(
        name,
        (steps[-1], shares[-1]),
        xytext=(4, -3),
        textcoords="offset points",
        color=f"C{number}",
    )
ax.set_xlabel("steps")
ax.set_ylim(0, 1)
ax.set_title("80/10/10 learns all four")
ends = ", ".join(
    f"{name} {share:.2f}"
    for name, share in zip(MEASURES, curve[-1].scores, strict=True)
)
fig.set_label(f"A curve for each measure over the steps. At the end: {ends}.")


# %% the data for the page tags=["hide-input"]
def points_of(points):
    """Points as the page has them; there is no loss before the first step."""
    return [
        {
            "step": step,
            "loss": round(loss, 6) if step else None,
            "scores": [round(score, 6) for score in scores],
        }
        for step, loss, scores in points
    ]


data = page_data(text) | {
    "built": [run | {"points": points_of(points)} for run, points in runs]
}
data["stamp"] = hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]
Path("small-mix.json").write_text(json.dumps(data), "utf-8")

values = {
    "stories": len(text.stories),
    "steps": settings.steps,
}
