# %% [markdown]
# # Masked language modelling
# One passage through the four steps, the shares over many rows, and what a small BERT has learned
# from them. [The lesson's page](../lesson/masking.md) has the words to it.

# %% set-up
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import torch

from bertlesson import tiny
from bertlesson.corpus import generate_documents
from bertlesson.masking import IGNORE_INDEX, MaskingCollator, MaskingRecipe, mask_tokens

ROWS, LENGTH = 10_000, 128  # how many rows the shares are measured on, in tokens each

checkpoint = tiny.load()  # the first call trains it, which takes a few minutes
tokenizer, model = checkpoint.tokenizer, checkpoint.model

# %% pieces
story = generate_documents(1, seed=3, split="test")[0]  # held out: the model never saw it
opening = " ".join(sentence.text for sentence in story.sentences[:3])
encoded = tokenizer(opening, return_special_tokens_mask=True, return_tensors="pt")
pieces = tokenizer.convert_ids_to_tokens(encoded.input_ids[0])
print(textwrap.fill(opening), "\n")
print(textwrap.fill(" ".join(pieces)))

# %% three fates
torch.manual_seed(10)  # few seeds give so short a passage all three fates
input_ids, labels = mask_tokens(
    encoded.input_ids,  # (1, length)
    encoded.special_tokens_mask,
    mask_token_id=tokenizer.mask_token_id,
    vocab_size=len(tokenizer),
)
print("before", *encoded.input_ids[0, :16].tolist(), "...")
print("input ", *input_ids[0, :16].tolist(), "...")
print("labels", *labels[0, :16].tolist(), "...")

# %%
seen = tokenizer.convert_ids_to_tokens(input_ids[0])
passage = []
for piece, shown, label in zip(pieces, seen, labels[0], strict=True):
    fate = "masked" if shown == "[MASK]" else "kept" if shown == piece else "random"
    selected = label != IGNORE_INDEX
    passage.append({"piece": piece, "seen": shown, "fate": fate if selected else ""})

# %% shares
text = torch.randint(5, len(tokenizer), (ROWS, LENGTH))  # (rows, length), no special tokens
hidden, answers = mask_tokens(
    text,
    torch.zeros_like(text),
    mask_token_id=tokenizer.mask_token_id,
    vocab_size=len(tokenizer),
)
selected = answers != IGNORE_INDEX  # (rows, length)
share_selected = selected.float().mean().item()
share_masked = (hidden[selected] == tokenizer.mask_token_id).float().mean().item()
share_kept = (hidden[selected] == text[selected]).float().mean().item()
share_random = 1 - share_masked - share_kept

print(f"selected {share_selected:.2%} of {text.numel():,} tokens")
print(f"of these: masked {share_masked:.2%}, random {share_random:.2%}, kept {share_kept:.2%}")
assert abs(share_selected - 0.15) < 0.002, "15% of the tokens are selected"
assert abs(share_masked - 0.80) < 0.005, "80% of the selected tokens become [MASK]"
assert abs(share_random - 0.10) < 0.005, "10% of them become a random token"
assert abs(share_kept - 0.10) < 0.005, "10% of them stay as they are"

# %% targets per row tags=["hide-input"]
each = selected.sum(dim=1).numpy()  # (rows,)
_, fixed_labels = mask_tokens(
    text,
    torch.zeros_like(text),
    mask_token_id=tokenizer.mask_token_id,
    vocab_size=len(tokenizer),
    max_predictions_per_seq=20,
)
fixed = (fixed_labels != IGNORE_INDEX).sum(dim=1).numpy()  # (rows,)

fig, ax = plt.subplots()
counts = np.bincount(each, minlength=40)[:40] / ROWS
ax.bar(np.arange(40), counts, width=0.85)
ax.axvline(fixed[0], color="C1")
ax.annotate(f"fixed count:\n{fixed[0]} in every row", (fixed[0] + 6.5, 0.085), color="C1")
ax.annotate("each token\nby itself", (4.5, 0.05), color="C0")
ax.set_title(f"Rows of {LENGTH} tokens differ in how many are selected")
ax.set_xlabel("selected tokens in a row")
ax.set_ylabel("share of the rows")
fig.set_label(
    f"Histogram of the number of selected tokens in {ROWS:,} rows of {LENGTH}: a bell from "
    f"{each.min()} to {each.max()} around {each.mean():.1f}; with a fixed count all rows have "
    f"{fixed[0]}."
)
assert fixed.min() == fixed.max(), "With a fixed count, every row has as many targets as the next"

# %% held-out predictions
stories = generate_documents(1_000, seed=0, split="test")
pairs = tiny.sentence_pairs(stories, tokenizer, tokenizer.model_max_length, seed=0)[:]
truth = torch.from_numpy(pairs["input_ids"])  # (pairs, length)
batch = MaskingCollator(tokenizer, MaskingRecipe(), seed=0)(pairs)


def predict(batch):
    """The likeliest token at every position: (pairs, length)."""
    arguments = ("input_ids", "attention_mask", "token_type_ids")
    parts = [batch[name].split(64) for name in arguments]
    with torch.inference_mode():
        scores = [model(*part).prediction_logits.argmax(-1) for part in zip(*parts, strict=True)]
    return torch.cat(scores)


predicted = predict(batch)
right = predicted == truth

# %% where [MASK] stands
is_mask = batch["input_ids"] == tokenizer.mask_token_id
at_mask = right[is_mask].float().mean().item()

# %% held-out text tags=["hide-input"]
corpus = tiny.sentence_pairs(
    generate_documents(5_000, seed=0), tokenizer, tokenizer.model_max_length, seed=0
).input_ids
words = np.where(np.isin(corpus, tokenizer.all_special_ids), 0, corpus)  # (pairs, length)
after = np.zeros((len(tokenizer), len(tokenizer)), dtype=np.int64)  # [left, right] -> count
np.add.at(after, (corpus[:, :-1].ravel(), words[:, 1:].ravel()), 1)
before = np.zeros_like(after)  # [right, left] -> count
np.add.at(before, (corpus[:, 1:].ravel(), words[:, :-1].ravel()), 1)
after[:, 0] = before[:, 0] = 0  # a special token is never the answer

row, column = is_mask.nonzero(as_tuple=True)
answer = truth[row, column].numpy()  # (masked,)
commonest = (answer == after.sum(axis=0).argmax()).mean()
by_left = (answer == after.argmax(axis=1)[truth[row, column - 1]]).mean()
by_right = (answer == before.argmax(axis=1)[truth[row, column + 1]]).mean()
best_neighbour = max(by_left, by_right)
print(f"always the commonest token         {commonest:6.1%}")
print(f"the commonest after the left one   {by_left:6.1%}")
print(f"the commonest before the right one {by_right:6.1%}")
print(f"the small BERT, from both sides    {at_mask:6.1%}")
assert at_mask > commonest + 0.3, "The model beats the best guess without context"
assert at_mask > best_neighbour + 0.1, "It also beats the best guess from one true neighbour"

# %% fill in
context = "Greta spent a lovely Monday at the bakery in Bergen. "
first = []  # the likeliest at each hole
for hole in ("At the [MASK], Hugo loved the [MASK] cake.", "[MASK] smiled at the [MASK]."):
    inputs = tokenizer(context + hole, return_tensors="pt")
    with torch.inference_mode():
        scores = model(**inputs).prediction_logits[0].softmax(-1)  # (length, vocab)
    print(hole)
    for position in (inputs["input_ids"][0] == tokenizer.mask_token_id).nonzero():
        likeliest = scores[position].squeeze(0).topk(4)
        guesses = zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True)
        print("   ", *(f"{tokenizer.decode(token)} {p:.0%} " for token, p in guesses))
        first.append(tokenizer.decode(likeliest.indices[0]))
places = first.count("bakery")
assert places == 2, "Both hidden places are named: they stand in the sentence before"

# %% collator
collator = MaskingCollator(tokenizer, seed=0)
rows = tokenizer([story.text for story in stories[:32]], truncation=True)["input_ids"]
first, second = collator(rows), collator(rows)
for name, tensor in first.items():
    print(f"{name:15}{tuple(tensor.shape)} {tensor.dtype}")
same = torch.equal(first["labels"], second["labels"])
assert not same, "The same rows come back with other masks"

# %%
values = {"passage": passage, "rows": ROWS}
