# %% [markdown]
# # Stage one: pretraining
# Two objectives in one step, the run that made the small BERT, and its skills.
# [The lesson's page](../lesson/pretraining.md) explains it.

# %% set-up
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from transformers import BertConfig

from bertlesson.collating import MaskingCollator
from bertlesson.heads import IGNORE_INDEX
from bertlesson.lesson import corpus_text, tiny
from bertlesson.lesson.corpus import generate_documents
from bertlesson.lesson.export import write_model
from bertlesson.optimization import make_optimizer, make_schedule
from bertlesson.pretraining import PretrainingModel

checkpoint = tiny.load()  # the first call trains it, which takes a few minutes
tokenizer, model = checkpoint.tokenizer, checkpoint.model
stories = generate_documents(1_000, seed=0, split="test")  # not trained on
length = tokenizer.model_max_length
pairs = tiny.sentence_pairs(stories, tokenizer, length, seed=0)

# %% one batch
collator = MaskingCollator(tokenizer, seed=0)
batch = collator([pairs[row] for row in range(32)])
for name, tensor in batch.items():
    print(f"{name:20}{tuple(tensor.shape)}")

# %% to its loss
with torch.inference_mode():
    output = model(**batch)
is_target = batch["labels"] != IGNORE_INDEX  # (batch, length)
targets = batch["labels"][is_target]  # (selected,)
print("MLM logits ", tuple(output.selected_logits.shape))
print("NSP logits ", tuple(output.seq_relationship_logits.shape))
print(f"MLM loss    {output.mlm_loss:.4f} nats, mean of {len(targets)}")
print(f"NSP loss    {output.nsp_loss:.4f} nats, mean of {len(is_target)}")
print(f"together    {output.loss:.4f}")
difference = abs(output.loss - output.mlm_loss - output.nsp_loss).item()
assert difference < 1e-5, "The loss is the plain sum of the two"

# %% a run in miniature
torch.manual_seed(0)
config = BertConfig(**model.config.to_diff_dict())
fresh = PretrainingModel(config).train()  # the same model, with random weights
batches = [
    collator([pairs[row] for row in range(start, start + 32)])
    for start in range(0, 640, 32)
]
optimizer = make_optimizer(fresh, learning_rate=2e-3)  # AdamW
schedule = make_schedule(optimizer, warmup_steps=10, total_steps=100)
losses = []
for step in range(100):
    loss = fresh(**batches[step % len(batches)]).loss  # forward
    loss.backward()  # the gradients
    torch.nn.utils.clip_grad_norm_(fresh.parameters(), 1.0)
    optimizer.step()  # the update
    schedule.step()
    optimizer.zero_grad()
    losses.append(loss.item())
print(f"loss of step 1: {losses[0]:.2f}, of step 100: {losses[-1]:.2f}")
assert losses[-1] < losses[0] - 1, (
    "A hundred steps bring the loss down by more than one nat"
)

# %% the curves tags=["hide-input"]
is_word = pairs.special_tokens_mask == 0
counts = np.bincount(pairs.input_ids[is_word]).astype(float)
shares = counts[counts > 0] / counts.sum()
unigram = -(shares * np.log(shares)).sum()  # nats: word frequencies alone
coin = math.log(2)  # nats: the best without reading the pair


def smooth(losses, width=50):
    """The mean of each stretch of `width` steps."""
    whole = len(losses) // width * width
    return np.reshape(losses[:whole], (-1, width)).mean(axis=1)


fig, ax = plt.subplots()
history = checkpoint.history
curves = {
    "MLM": smooth(history["mlm_loss"]),
    "NSP": smooth(history["nsp_loss"]),
}
steps = (np.arange(len(curves["MLM"])) + 0.5) * 50
baselines = {
    "MLM": (unigram, "word frequencies alone"),
    "NSP": (coin, "a coin"),
}
for number, (name, curve) in enumerate(curves.items()):
    colour = f"C{number}"
    near = {"textcoords": "offset points", "color": colour}
    level, text = baselines[name]
    ax.plot(steps, curve, color=colour)
    ax.axhline(level, color=colour, linestyle=":", linewidth=1)
    below = {"xytext": (0, -3), "ha": "right", "va": "top"}
    ax.annotate(text, (steps[-1], level), **below, **near)
    ax.annotate(
        name, (steps[-1], curve[-1]), xytext=(6, 0), va="center", **near
    )
ax.set_ylim(0)
ax.set_title("Both losses end far below their baselines")
ax.set_xlabel("training step")
ax.set_ylabel("loss, nats")
# steps until the loss on pairs is clearly below a coin's
below_a_coin = int(50 * np.argmax(curves["NSP"] < 0.9 * coin))
mlm_end, nsp_end = curves["MLM"][-1], curves["NSP"][-1]
fig.set_label(
    f"Line chart of the two losses over {len(history['loss']):,} steps. The "
    f"MLM loss falls from {curves['MLM'][0]:.1f} to {mlm_end:.2f} nats, below "
    f"the {unigram:.2f} of word frequencies alone. The NSP loss falls from "
    f"{curves['NSP'][0]:.2f} to {nsp_end:.2f}, below the {coin:.2f} of a coin."
)
assert mlm_end < unigram / 2, (
    "MLM ends at less than half of what word frequencies alone allow"
)
assert nsp_end < coin / 2, "NSP ends at less than half of a coin's loss"

# %% held out
masked = collator([pairs[row] for row in range(len(pairs))])
with torch.inference_mode():
    parts = zip(*(masked[name].split(64) for name in masked), strict=True)
    outputs = [model(**dict(zip(masked, part, strict=True))) for part in parts]
words = torch.cat([each.selected_logits for each in outputs])
verdicts = torch.cat([each.seq_relationship_logits for each in outputs])
guess = words.argmax(-1)  # (selected,)
truth = masked["labels"][masked["labels"] != IGNORE_INDEX]
accuracy = (guess == truth).float().mean().item()
judged = verdicts.argmax(-1) == masked["next_sentence_label"]  # (pairs,)
nsp_accuracy = judged.float().mean().item()
print(f"selected tokens named correctly  {accuracy:.1%}")
print(f"pairs judged correctly           {nsp_accuracy:.1%}")
assert accuracy > 2 / 3, "It names more than two of three selected tokens"
assert nsp_accuracy > 0.9, "It judges more than nine of ten pairs correctly"

# %% what it can and cannot tags=["hide-input"]
names = [name.lower() for name in (*corpus_text.WOMEN, *corpus_text.MEN)]
people = torch.tensor(tokenizer.convert_tokens_to_ids(names))
row, column = (masked["labels"] != IGNORE_INDEX).nonzero(as_tuple=True)
hidden = masked["input_ids"][row, column] == tokenizer.mask_token_id
is_person = hidden & torch.isin(truth, people)
elsewhere = (masked["input_ids"][row] == truth[:, None]).any(dim=1)
right, names_someone = guess == truth, torch.isin(guess, people)
read = right[is_person & elsewhere].float().mean().item()
unread = right[is_person & ~elsewhere].float().mean().item()
someone = names_someone[is_person & ~elsewhere].float().mean().item()
print("a masked person      named  some person named")
print(f"appears elsewhere   {read:6.1%}")
print(f"appears only here   {unread:6.1%} {someone:18.1%}")
assert read > 0.5, (
    "It names more than half of the masked persons that appear elsewhere"
)
assert unread < 0.15, (
    "It gets fewer than 15% of the others right, which cannot be known"
)
assert someone > 0.8, (
    "Even then, it names a person in more than eight of ten cases"
)

# %% the model for the page
write_model("pretrained.safetensors", model, tokenizer)

# %%
values = {
    "steps": len(history["loss"]),
    "selected": len(targets),
    "positions": batch["labels"].numel(),
    "below_a_coin": below_a_coin,
    "coin": coin,
    "parameters": model.num_parameters(),
    "vocabulary": len(tokenizer),
    "batch_size": tiny.Settings.batch_size,
    "nsp_weight": tiny.Settings.nsp_weight,
    "seconds": checkpoint.run.seconds,
    "threads": checkpoint.run.threads,
    "processor": checkpoint.run.processor,
}
