# %% [markdown]
# # Why new objectives
# One small transformer, three tasks, and how much of each answer stands in the input.
# [The lesson's page](../lesson/objectives.md) has the words to it.

# %% set-up
import math
from collections.abc import Callable
from functools import cache

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from tqdm import tqdm

LETTERS, LENGTH, BATCH = 12, 32, 64  # kinds of token, tokens in a row, rows in a step
WIDTH, HEADS, STEPS = 64, 4, 400
MASK, IGNORE = LETTERS, -100  # the id of [MASK], the label without loss
SELECT = 0.15  # the share of tokens that masked language modelling hides
SEED = 0

torch.set_num_threads(1)  # tensors this small gain nothing from a second thread

# %% a text whose entropy is known
generator = torch.Generator().manual_seed(SEED)
table = torch.zeros(
    LETTERS, LETTERS, dtype=torch.float64
)  # P(next letter) by [letter, next letter]
for share in (0.5, 0.25, 0.15, 0.1):  # permutations make all letters equally frequent
    table[range(LETTERS), torch.randperm(LETTERS, generator=generator)] += share


def write(rows: int) -> Tensor:
    """New text: (rows, LENGTH), each letter drawn by the one before it."""
    text = torch.randint(LETTERS, (rows, 1), generator=generator)
    while text.shape[1] < LENGTH:
        following = torch.multinomial(table[text[:, -1]], 1, generator=generator)  # (rows, 1)
        text = torch.cat([text, following], dim=1)
    return text


for row in write(3):
    print("".join("abcdefghijklmnopqrstuvwxyz"[letter] for letter in row))


# %% entropies
@cache
def entropy_between(left: int, right: int) -> float:
    """Nats left in a letter once those so many places to its left and right are known."""
    before, after = table.matrix_power(left), table.matrix_power(right)
    joint = before[:, :, None] * after[None] / LETTERS  # (letter before, letter, letter after)
    known = joint.sum(dim=1, keepdim=True)
    return (torch.xlogy(joint, known) - torch.xlogy(joint, joint)).sum().item()


def nearest_visible(places: int, hidden: float) -> list[tuple[int, float]]:
    """How far the nearest visible letter on one side is, with the probability of each distance."""
    near = [(gap, (1 - hidden) * hidden ** (gap - 1)) for gap in range(1, places + 1)]
    return [*near, (99, hidden**places)]  # 99 places away: as good as nothing


def two_sided_entropy(hidden: float) -> float:
    """Nats left in a letter of a row once the others are known, each hidden with `hidden`."""
    return sum(
        p * q * entropy_between(left, right) / LENGTH
        for place in range(LENGTH)
        for left, p in nearest_visible(place, hidden)
        for right, q in nearest_visible(LENGTH - 1 - place, hidden)
    )


# %% the least loss
entropy = {
    "next": -torch.xlogy(table, table).sum().item() / LETTERS,
    "others": two_sided_entropy(hidden=0.0),
    "masked": two_sided_entropy(hidden=SELECT),
}
print(f"a letter, when nothing is known               {math.log(LETTERS):.3f} nats")
print(f"the next letter, given all before it          {entropy['next']:.3f}")
print(f"a letter, given all others on both sides      {entropy['others']:.3f}")
print(f"a masked letter, given all that are visible   {entropy['masked']:.3f}")


# %% who may see what
def first_look(sight: str, tokens: Tensor, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What a position starts from, what it reads of others, and of which: (position, read)."""
    everyone = torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool)
    both = tokens + places  # (batch, length, width)
    if sight == "causal":
        return both, both, everyone.tril()
    if sight == "others":  # a position starts without its own token, and does not read it either
        return places.expand_as(tokens), both, everyone ^ torch.eye(len(everyone), dtype=torch.bool)
    return both, both, everyone


# %% the model
class Layer(nn.Module):
    """Attention from `state` to `source`, then a feed-forward part."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.norm_state, self.norm_source = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)
        )

    def forward(self, state: Tensor, source: Tensor, may_see: Tensor) -> Tensor:
        asking, read = self.norm_state(state), self.norm_source(source)  # (batch, length, width)
        heads = (
            part.unflatten(-1, (HEADS, -1)).transpose(1, 2)  # (batch, heads, length, width / heads)
            for part in (self.query(asking), self.key(read), self.value(read))
        )
        attended = scaled_dot_product_attention(*heads, attn_mask=may_see)
        state = state + self.out(attended.transpose(1, 2).flatten(2))
        return state + self.feed_forward(state)


class Transformer(nn.Module):
    """Letters in, a score for every letter at every position out."""

    def __init__(self, layers: int, sight: str) -> None:
        super().__init__()
        self.sight = sight
        self.token, self.position = nn.Embedding(LETTERS + 1, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        self.head = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, LETTERS))

    def forward(self, input_ids: Tensor) -> Tensor:
        places = self.position.weight[: input_ids.shape[1]]  # (length, width)
        state, source, may_see = first_look(self.sight, self.token(input_ids), places)
        for layer in self.layers:
            state = source = layer(state, source, may_see)
            if self.sight != "causal":
                may_see = torch.ones_like(may_see)  # later layers: everyone reads everyone
        return self.head(state)  # (batch, length, LETTERS)


# %% the tasks
Task = Callable[[Tensor], tuple[Tensor, Tensor]]  # text -> input_ids, labels


def name_the_next(text: Tensor) -> tuple[Tensor, Tensor]:
    """At every position but the last, the token to its right."""
    return text, torch.cat([text[:, 1:], torch.full_like(text[:, :1], IGNORE)], dim=1)


def name_your_own(text: Tensor) -> tuple[Tensor, Tensor]:
    """At every position, the token that stands there."""
    return text, text


def name_the_masked(text: Tensor) -> tuple[Tensor, Tensor]:
    """At the selected positions, the token that stood there; no position holds it any more."""
    selected = torch.rand(text.shape, generator=generator) < SELECT
    return text.masked_fill(selected, MASK), text.masked_fill(~selected, IGNORE)


# %% training
def loss_of(model: nn.Module, input_ids: Tensor, labels: Tensor) -> Tensor:
    """The mean over the positions with a label, in nats."""
    return cross_entropy(model(input_ids).flatten(0, 1), labels.flatten(), ignore_index=IGNORE)


def train(layers: int, sight: str, task: Task, bar: tqdm) -> tuple[nn.Module, list[float]]:
    """A model trained on text that never comes twice, so that nothing can be learned by heart."""
    torch.manual_seed(SEED)
    model = Transformer(layers, sight)
    optimizer = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=STEPS)
    losses = []
    for _ in range(STEPS):
        loss = loss_of(model, *task(write(BATCH)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        bar.update()
    return model, losses


objectives = {
    "causal": ("causal", name_the_next),
    "full": ("full", name_the_next),
    "others": ("others", name_your_own),
    "masked": ("full", name_the_masked),
}
models, curves, final, signal = {}, {}, {}, {}
test = write(4_000)  # text of no training step
with tqdm(total=2 * STEPS * len(objectives), desc="training", unit="step") as bar:
    for name, (sight, task) in objectives.items():
        input_ids, labels = task(test)
        signal[name] = (labels != IGNORE).double().mean().item()
        for layers in (1, 2):
            models[name, layers], curves[name, layers] = train(layers, sight, task, bar)
            with torch.inference_mode():
                final[name, layers] = loss_of(models[name, layers], input_ids, labels).item()


def report(name: str, line: str) -> None:
    """The losses on new text beside what the text allows."""
    for layers in (1, 2):
        plural = "s" * (layers - 1)
        loss = f"{final[name, layers]:.3f} (entropy {entropy[line]:.3f})"
        print(f"{name:7} {layers} layer{plural:1}  {loss}")


# %% the next token
report("causal", "next")
report("full", "next")
off = max(abs(final["causal", layers] - entropy["next"]) for layers in (1, 2))
copied = max(final["full", layers] for layers in (1, 2))
assert off < 0.05, "With a causal mask, the loss comes down to the entropy of the text"
assert copied < 0.1 * entropy["next"], "With full attention it falls far below, with one layer too"

# %% a text not yet written
accuracy = {}
for name in ("causal", "full"):
    for layers in (1, 2):
        right = []
        for end in range(1, LENGTH):  # the text ends here: there is no next token to look at
            with torch.inference_mode():
                guess = models[name, layers](test[:, :end])[:, -1].argmax(-1)  # (rows,)
            right.append((guess == test[:, end]).double().mean().item())
        accuracy[name, layers] = sum(right) / len(right)
        print(f"{name:7} {layers} layer{'s' * (layers - 1):1}  {accuracy[name, layers]:.1%} right")
best = table.max(dim=1).values.mean().item()
print(f"whoever knows the table  {best:.1%}, blind guessing {1 / LETTERS:.1%}")
causal_right = min(accuracy["causal", layers] for layers in (1, 2))
full_right = max(accuracy["full", layers] for layers in (1, 2))
assert causal_right > best - 0.03, "The causal model continues a text about as well as anyone can"
assert full_right < 0.6 * causal_right, "The model with full attention fails at it"

# %% all from the others
report("others", "others")
one, two = final["others", 1], final["others", 2]
assert abs(one - entropy["others"]) < 0.05, "With one layer nothing leaks: the loss is the entropy"
assert two < 0.1 * entropy["others"], "With two layers the answer comes back through the neighbours"

# %% the masked ones
report("masked", "masked")
least, most = (
    min(final["masked", 1], final["masked", 2]),
    max(final["masked", 1], final["masked", 2]),
)
assert least > entropy["masked"], "With [MASK] neither depth gets below the entropy: nothing leaks"
assert most < math.log(LETTERS) / 2, "The visible tokens tell more than half of what was hidden"

# %% the curves tags=["hide-input"]
fig, axes = plt.subplots(2, 2, figsize=(5.4, 5.2), sharex=True, sharey=True)
panels = {
    "causal": ("Next token, causal mask:\ndown to the entropy", "next"),
    "full": ("Next token, full attention:\none layer is enough to copy", "next"),
    "others": ("All from the others:\ntwo layers leak", "others"),
    "masked": ("Masked tokens:\nneither depth leaks", "masked"),
}
for ax, (name, (title, line)) in zip(axes.flat, panels.items(), strict=True):
    for layers, colour, style in ((1, "C0", "-"), (2, "C1", "--")):
        smooth = torch.tensor(curves[name, layers]).unfold(0, 10, 1).mean(dim=-1)  # over 10 steps
        ax.plot(range(10, STEPS + 1), smooth, color=colour, linestyle=style)
    ax.axhline(entropy[line], color="C2", linewidth=1.2)
    ax.set_title(title)
    ax.text(
        STEPS,
        entropy[line] + 0.12 * (1 if name == "full" else -1),
        "entropy",
        color="C2",
        ha="right",
        va="bottom" if name == "full" else "top",
    )
axes[0, 0].text(200, 2.2, "1 layer: solid", color="C0")
axes[0, 0].text(200, 1.9, "2 layers: dashed", color="C1")
for ax in axes[1]:
    ax.set_xlabel("training steps")
for ax in axes[:, 0]:
    ax.set_ylabel("loss, nats")
    ax.set_ylim(-0.1, 2.7)
fig.set_label(
    "Four charts of the training loss against the entropy of the text, each for one and for two "
    f"layers. Next token with a causal mask: both end on the line at {entropy['next']:.2f}. With "
    "full attention: both fall through it to nearly 0. Every token from all the others: one layer "
    f"ends on the line at {entropy['others']:.2f}, two layers at nearly 0. Masked tokens: both end "
    f"above the line at {entropy['masked']:.2f}."
)

# %% the signal
for name in objectives:
    print(f"{name:7} {signal[name]:6.1%} of the positions carry a loss")
assert signal["masked"] < 0.2 < signal["causal"], "MLM learns from few positions of a row"

# %%
values = {
    "letters": LETTERS,
    "next": entropy["next"],
    "masked": entropy["masked"],
}
