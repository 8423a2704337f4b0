# %% [markdown]
# # Masked language modelling
# One passage through the four steps, the shares over many rows, and what a
# small BERT has learned. [The lesson's page](../lesson/masking.md) explains it.

# %% set-up
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import torch

from bertlesson.collating import MaskingCollator
from bertlesson.heads import IGNORE_INDEX
from bertlesson.lesson import tiny
from bertlesson.lesson.corpus import generate_documents
from bertlesson.masking import mask_tokens

ROWS, LENGTH = 10_000, 128  # rows to measure the shares on, tokens in each

checkpoint = tiny.load()  # the first call trains it, which takes a few minutes
tokenizer, model = checkpoint.tokenizer, checkpoint.model

# %% pieces
[story] = generate_documents(
    1, seed=3, split="test"
)  # not in the training text
opening = " ".join(sentence.text for sentence in story.sentences[:3])
encoded = tokenizer(
    opening, return_special_tokens_mask=True, return_tensors="pt"
)
pieces = tokenizer.convert_ids_to_tokens(encoded.input_ids[0])
print(textwrap.fill(opening, 44), "\n")
print(textwrap.fill(" ".join(pieces), 44))


# %% the masking function
def mask(input_ids, special_tokens_mask):
    """What the model sees and what it has to predict, (batch, length) each."""
    may_be_selected = special_tokens_mask == 0
    selected = (torch.rand(input_ids.shape) < 0.15) & may_be_selected
    labels = input_ids.masked_fill(~selected, -100)  # -100: no loss here

    fate = torch.rand(input_ids.shape)  # one draw decides among the three
    masked = selected & (fate < 0.8)
    random = selected & (fate >= 0.8) & (fate < 0.9)
    any_token = torch.randint(len(tokenizer), input_ids.shape)

    seen = input_ids.masked_fill(masked, tokenizer.mask_token_id)
    seen = torch.where(random, any_token, seen)
    return seen, labels  # the last tenth is kept


# %% three fates
torch.manual_seed(252)  # few seeds give so short a passage all three fates
input_ids, labels = mask(encoded.input_ids, encoded.special_tokens_mask)
print("piece    before   seen  label")
for n in range(6, 14):
    before, seen = encoded.input_ids[0, n], input_ids[0, n]  # 4 is [MASK]
    print(f"{pieces[n]:8}{before:7}{seen:7}{labels[0, n]:7}")

# %%
passage = []
seen = tokenizer.convert_ids_to_tokens(input_ids[0])
for piece, shown, label in zip(pieces, seen, labels[0], strict=True):
    fate = "masked" if shown == "[MASK]" else "random"
    fate = "kept" if shown == piece else fate
    fate = "" if label == IGNORE_INDEX else fate
    passage.append({"piece": piece, "seen": shown, "fate": fate})

# %% shares
text = torch.randint(5, len(tokenizer), (ROWS, LENGTH))  # no special tokens
hidden, answers = mask(text, special_tokens_mask=torch.zeros_like(text))
selected = answers != IGNORE_INDEX  # (rows, length)
is_mask = hidden[selected] == tokenizer.mask_token_id  # (selected,)
is_same = hidden[selected] == text[selected]  # (selected,)
share_selected = selected.float().mean().item()
share_masked = is_mask.float().mean().item()
share_kept = is_same.float().mean().item()
share_random = 1 - share_masked - share_kept

print(f"selected {share_selected:.2%} of {text.numel():,} tokens; of these")
print(f"masked {share_masked:.2%}", end=", ")
print(f"random {share_random:.2%}, kept {share_kept:.2%}")
assert abs(share_selected - 0.15) < 0.002, (
    "15% of the tokens are selected, to within 0.2 points"
)
assert abs(share_masked - 0.80) < 0.005, (
    "80% of these become [MASK], to within half a point"
)
assert abs(share_random - 0.10) < 0.005, (
    "10% of these become another token, to within half a point"
)
assert abs(share_kept - 0.10) < 0.005, (
    "10% of these stay as they are, to within half a point"
)

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
label = f"fixed count:\n{fixed[0]} in every row"
ax.annotate(label, (fixed[0] + 6.5, 0.085), color="C1")
ax.annotate("each token\ndrawn separately", (1, 0.05), color="C0")
ax.set_title(f"Drawn separately, rows of {LENGTH} get different numbers")
ax.set_xlabel("selected tokens in a row")
ax.set_ylabel("share of the rows")
fig.set_label(
    f"Histogram of the number of selected tokens in {ROWS:,} rows of {LENGTH}: "
    f"a bell from {each.min()} to {each.max()} around {each.mean():.1f}. With "
    f"a fixed count, every row has {fixed[0]}."
)
assert fixed.min() == fixed.max(), (
    "With a fixed count, every row has the same number of targets"
)

# %% held-out predictions
stories = generate_documents(1_000, seed=0, split="test")
length = tokenizer.model_max_length
pairs = tiny.sentence_pairs(stories, tokenizer, length, seed=0)[:]
truth = torch.from_numpy(pairs["input_ids"])  # (pairs, length)
batch = MaskingCollator(tokenizer, seed=0)(pairs)


def predict(batch):
    """The most likely token at every position: (pairs, length)."""
    arguments = ("input_ids", "attention_mask", "token_type_ids")
    parts = [batch[name].split(64) for name in arguments]
    with torch.inference_mode():
        predicted = [
            model(*part).prediction_logits.argmax(-1)
            for part in zip(*parts, strict=True)
        ]
    return torch.cat(predicted)


predicted = predict(batch)
right = predicted == truth

# %% at [MASK]
at_mask = batch["input_ids"] == tokenizer.mask_token_id
accuracy = right[at_mask].float().mean().item()

# %% held-out text tags=["hide-input"]
written = generate_documents(5_000, seed=0)
corpus = tiny.sentence_pairs(written, tokenizer, length, seed=0).input_ids
special = np.isin(corpus, tokenizer.all_special_ids)
words = np.where(special, 0, corpus)  # (pairs, length)
size = (len(tokenizer), len(tokenizer))
after = np.zeros(size, dtype=np.int64)  # [left, right] -> count
np.add.at(after, (corpus[:, :-1].ravel(), words[:, 1:].ravel()), 1)
before = np.zeros_like(after)  # [right, left] -> count
np.add.at(before, (corpus[:, 1:].ravel(), words[:, :-1].ravel()), 1)
after[:, 0] = before[:, 0] = 0  # a special token is never the answer

row, column = at_mask.nonzero(as_tuple=True)
answer = truth[row, column].numpy()  # (masked,)
no_context = (answer == after.sum(axis=0).argmax()).mean()
by_left = (answer == after.argmax(axis=1)[truth[row, column - 1]]).mean()
by_right = (answer == before.argmax(axis=1)[truth[row, column + 1]]).mean()
best_neighbour = max(by_left, by_right)
print(f"always the most frequent token        {no_context:6.1%}")
print(f"the most frequent after the left one  {by_left:6.1%}")
print(f"the most frequent before the right one{by_right:6.1%}")
print(f"the small BERT, from both sides       {accuracy:6.1%}")
assert accuracy > no_context + 0.3, (
    "The model beats the best guess without context by at least 30 points"
)
assert accuracy > best_neighbour + 0.1, (
    "It beats the best guess from one true neighbour by at least 10 points"
)

# %% fill in
context = "Greta spent a lovely Monday at the bakery in Bergen. "
first = []  # the most likely token at each [MASK]
for masked in (
    "At the [MASK], Hugo loved the [MASK] cake.",
    "[MASK] smiled at the [MASK].",
):
    inputs = tokenizer(context + masked, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**inputs).prediction_logits[0]  # (length, vocab)
    print(masked)
    is_mask = inputs["input_ids"][0] == tokenizer.mask_token_id
    for scores in logits[is_mask].softmax(-1):
        best = scores.topk(3)
        words = tokenizer.convert_ids_to_tokens(best.indices)
        guesses = zip(words, best.values.tolist(), strict=True)
        print("   ", ", ".join(f"{word} {p:.0%}" for word, p in guesses))
        first.append(words[0])
found = first.count("bakery")
assert found == 2, (
    "It recovers the masked bakery both times: the first sentence mentions it"
)

# %% in your own project
from bertlesson.collating import MaskingCollator
from bertlesson.lesson import tiny
from bertlesson.masking import MaskingRecipe

tokenizer = tiny.load().tokenizer  # or AutoTokenizer.from_pretrained(...)
collator = MaskingCollator(tokenizer, MaskingRecipe(select=0.2))
texts = ["The soup at the inn was cold.", "Hugo praised the cake."]
rows = [{"input_ids": ids} for ids in tokenizer(texts)["input_ids"]]
batch = collator(rows)  # or Trainer(..., data_collator=collator)
for name, tensor in batch.items():
    print(f"{name:15}{tuple(tensor.shape)} {tensor.dtype}")

# %%
values = {"passage": passage, "rows": ROWS}
