# %% [markdown]
# # Stage one: pretraining
# Two objectives in one step, the run that made the small BERT, and what came of it.
# [The lesson's page](../lesson/pretraining.md) has the words to it.

# %% set-up
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from transformers import BertConfig

from bertlesson import corpus_text, tiny
from bertlesson.browser import write_model
from bertlesson.corpus import generate_documents
from bertlesson.masking import IGNORE_INDEX, MaskingCollator
from bertlesson.pretraining import PretrainingModel, make_optimizer, make_schedule, train

checkpoint = tiny.load()  # the first call trains it, which takes a few minutes
tokenizer, model = checkpoint.tokenizer, checkpoint.model
stories = generate_documents(1_000, seed=0, split="test")  # the small BERT never saw them
pairs = tiny.sentence_pairs(stories, tokenizer, tokenizer.model_max_length, seed=0)

# %% one batch
collator = MaskingCollator(tokenizer, seed=0)
batch = collator([pairs[row] for row in range(32)])
for name, tensor in batch.items():
    print(f"{name:20}{tuple(tensor.shape)}")

# %% to its loss
with torch.inference_mode():
    output = model(**batch)
targets = batch["labels"][batch["labels"] != IGNORE_INDEX]  # (selected,)
print(f"scores for the vocabulary  {tuple(output.selected_logits.shape)}")
print(f"scores for the pair        {tuple(output.seq_relationship_logits.shape)}")
print(f"masked tokens   {output.mlm_loss:.4f} nats, the mean of {len(targets)}")
print(f"next sentence   {output.nsp_loss:.4f} nats, the mean of {len(batch['labels'])}")
print(f"together        {output.loss:.4f}")
difference = abs(output.loss - output.mlm_loss - output.nsp_loss).item()
assert difference < 1e-5, "The loss is the plain sum of the two"

# %% a run in miniature
torch.manual_seed(0)
fresh = PretrainingModel(BertConfig(**model.config.to_diff_dict()))  # the same, from a random start
rows = [pairs[row] for row in range(640)]
batches = [collator(rows[start : start + 32]) for start in range(0, 640, 32)]
optimizer = make_optimizer(fresh, learning_rate=2e-3)
schedule = make_schedule(optimizer, warmup_steps=10, total_steps=100)
history = train(fresh, batches, optimizer, schedule, steps=100)
print("step      1: loss", round(history["loss"][0], 2))
print("step    100: loss", round(history["loss"][-1], 2))
assert history["loss"][-1] < history["loss"][0] - 1, "A hundred steps bring the loss down"

# %% the curves tags=["hide-input"]
counts = np.bincount(pairs.input_ids[pairs.special_tokens_mask == 0]).astype(float)
shares = counts[counts > 0] / counts.sum()
unigram = -(shares * np.log(shares)).sum()  # nats: the best loss without any context


def smooth(losses, width=50):
    """The mean of each stretch of `width` steps."""
    whole = len(losses) // width * width
    return np.reshape(losses[:whole], (-1, width)).mean(axis=1)


fig, ax = plt.subplots()
curves = {name: smooth(checkpoint.history[name]) for name in ("mlm_loss", "nsp_loss")}
steps = (np.arange(len(curves["mlm_loss"])) + 0.5) * 50
for number, (name, level, text) in enumerate(
    (("mlm_loss", unigram, "word frequencies alone"), ("nsp_loss", math.log(2), "a coin"))
):
    colour, offset = f"C{number}", {"textcoords": "offset points", "color": f"C{number}"}
    ax.plot(steps, curves[name], color=colour)
    ax.axhline(level, color=colour, linestyle=":", linewidth=1)
    ax.annotate(text, (steps[-1], level), xytext=(0, -3), ha="right", va="top", **offset)
    end = steps[-1], curves[name][-1]
    ax.annotate(name.split("_")[0].upper(), end, xytext=(6, 0), va="center", **offset)
ax.set_ylim(0)
ax.set_title("Both losses fall below what can be had without reading")
ax.set_xlabel("training step")
ax.set_ylabel("loss, nats")
below_a_coin = int(50 * np.argmax(curves["nsp_loss"] < 0.9 * math.log(2)))  # steps before that
mlm_end, nsp_end = curves["mlm_loss"][-1], curves["nsp_loss"][-1]
fig.set_label(
    f"Line chart of the two losses over {len(checkpoint.history['loss']):,} steps. The loss on "
    f"masked tokens falls from {curves['mlm_loss'][0]:.1f} to {mlm_end:.2f} nats, below the "
    f"{unigram:.2f} of word frequencies; that of next sentences from {curves['nsp_loss'][0]:.2f} "
    f"to {nsp_end:.2f}, below the {math.log(2):.2f} of a coin."
)
assert mlm_end < unigram / 2, "MLM ends at less than half of what word frequencies alone allow"
assert nsp_end < math.log(2) / 2, "NSP ends at less than half of a coin's loss"

# %% held out
masked = collator([pairs[row] for row in range(len(pairs))])
with torch.inference_mode():
    parts = [masked[name].split(64) for name in masked]
    outputs = [model(**dict(zip(masked, part, strict=True))) for part in zip(*parts, strict=True)]
guess = torch.cat([part.selected_logits for part in outputs]).argmax(-1)  # (selected,)
verdict = torch.cat([part.seq_relationship_logits for part in outputs]).argmax(-1)  # (pairs,)
truth = masked["labels"][masked["labels"] != IGNORE_INDEX]
accuracy = (guess == truth).float().mean().item()
nsp_accuracy = (verdict == masked["next_sentence_label"]).float().mean().item()
print(f"selected tokens named {accuracy:.1%}, pairs judged rightly {nsp_accuracy:.1%}")
assert accuracy > 2 / 3, "Two of three selected tokens are named"
assert nsp_accuracy > 0.9, "Nine of ten pairs are judged rightly"

# %% what it can and cannot tags=["hide-input"]
people = tokenizer.convert_tokens_to_ids(
    [name.lower() for name in (*corpus_text.WOMEN, *corpus_text.MEN)]
)
row, column = (masked["labels"] != IGNORE_INDEX).nonzero(as_tuple=True)
hidden = masked["input_ids"][row, column] == tokenizer.mask_token_id
is_person = hidden & torch.isin(truth, torch.tensor(people))
elsewhere = (masked["input_ids"][row] == truth[:, None]).any(dim=1)
read = (guess == truth)[is_person & elsewhere].float().mean().item()
unread = (guess == truth)[is_person & ~elsewhere].float().mean().item()
says_person = torch.isin(guess, torch.tensor(people))[is_person & ~elsewhere].float().mean().item()
print("a masked person whose name            named  at least a person")
print(f"stands elsewhere in the passage      {read:6.1%}")
print(f"stands nowhere else                  {unread:6.1%} {says_person:10.1%}")
assert read > 0.5, "A masked name that stands elsewhere in the passage is mostly found"
assert unread < 0.15, "One that stands nowhere else cannot be known, and is not"
assert says_person > 0.8, "Even then the model nearly always says the name of a person"

# %% the model for the page
write_model("pretrained.safetensors", model, tokenizer)

# %%
values = {
    "steps": len(checkpoint.history["loss"]),
    "selected": len(targets),
    "positions": batch["labels"].numel(),
    "below_a_coin": below_a_coin,
    "coin": math.log(2),
    "parameters": model.num_parameters(),
    "vocabulary": len(tokenizer),
}
