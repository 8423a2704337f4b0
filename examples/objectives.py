# %% [markdown]
# # Why new objectives
# One small transformer, three training tasks: which let it copy the answer?
# [The lesson's page](../lesson/objectives.md) explains it.

# %% set-up
import math
from collections.abc import Callable
from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from torch import Tensor, nn
from torch.nn.functional import (
    cross_entropy,
    pad,
    scaled_dot_product_attention,
)
from tqdm import tqdm

LETTERS = 12  # kinds of token
LENGTH, BATCH = 32, 64  # tokens in a row, rows in a step
WIDTH, HEADS, STEPS = 64, 4, 400
MASK, IGNORE = LETTERS, -100  # the id of [MASK]; the label without a loss
SELECT = 0.15  # the share of tokens that masked language modelling hides
SEED = 0

torch.set_num_threads(1)  # tensors this small gain nothing from a second thread

# %% a text whose entropy is known
generator = torch.Generator().manual_seed(SEED)
table = torch.zeros(LETTERS, LETTERS, dtype=torch.float64)
for share in (0.5, 0.25, 0.15, 0.1):  # P(next letter): [letter, next letter]
    following = torch.randperm(LETTERS, generator=generator)
    table[range(LETTERS), following] += share


def write(rows: int) -> Tensor:
    """New text, (rows, LENGTH): each letter depends on the one before it."""
    text = torch.randint(LETTERS, (rows, 1), generator=generator)
    while text.shape[1] < LENGTH:
        probabilities = table[text[:, -1]]  # (rows, LETTERS)
        following = torch.multinomial(probabilities, 1, generator=generator)
        text = torch.cat([text, following], dim=1)
    return text


for row in write(3):
    print("".join("abcdefghijklmnopqrstuvwxyz"[letter] for letter in row))


# %% entropies tags=["hide-input"]
@cache
def entropy_between(left: int, right: int) -> float:
    """Nats left in a letter, given those this far to its left and right."""
    before, after = table.matrix_power(left), table.matrix_power(right)
    # (letter before, letter, letter after)
    joint = before[:, :, None] * after[None] / LETTERS
    known = joint.sum(dim=1, keepdim=True)
    return (torch.xlogy(joint, known) - torch.xlogy(joint, joint)).sum().item()


def nearest_visible(letters: int, hidden: float) -> list[tuple[int, float]]:
    """Distances to the nearest visible letter on one side, with probabilities.

    There are so many letters on that side, each hidden with `hidden`.
    """
    near = [
        (gap, (1 - hidden) * hidden ** (gap - 1))
        for gap in range(1, letters + 1)
    ]
    return [*near, (99, hidden**letters)]  # 99 letters away says nothing


def two_sided_entropy(hidden: float) -> float:
    """Nats left in a letter, given the rest of its row.

    Each other letter is hidden with the probability `hidden`.
    """
    return sum(
        p * q * entropy_between(left, right) / LENGTH
        for position in range(LENGTH)
        for left, p in nearest_visible(position, hidden)
        for right, q in nearest_visible(LENGTH - 1 - position, hidden)
    )


# %% the least loss
entropy = {
    "next": -torch.xlogy(table, table).sum().item() / LETTERS,
    "others": two_sided_entropy(hidden=0.0),
    "masked": two_sided_entropy(hidden=SELECT),
}
print(f"a letter, knowing nothing                 {math.log(LETTERS):.3f}")
print(f"the next letter, knowing all before it    {entropy['next']:.3f}")
print(f"a letter, knowing all the others          {entropy['others']:.3f}")
print(f"a masked letter, knowing the visible ones {entropy['masked']:.3f}")


# %% who may read whom
def first_layer(
    sight: str, tokens: Tensor, positions: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Where a position starts, what it reads of others, and of whom it may.

    Each (..., length, width); the last is a mask, (position, read).
    """
    length = tokens.shape[1]
    everyone = torch.ones(length, length, dtype=torch.bool)
    both = tokens + positions  # (batch, length, width)
    if sight == "causal":
        return both, both, everyone.tril()
    if sight == "others":  # no position starts with its own token, or reads it
        but_me = everyone ^ torch.eye(length, dtype=torch.bool)
        return positions.expand_as(tokens), both, but_me
    return both, both, everyone


# %% which tokens reach which position tags=["hide-input"]
SHOWN = 6  # positions of a row
HIDDEN = (1, 4)  # of these, the masked ones
everyone = torch.ones(SHOWN, SHOWN)
reach = {  # (position, token), and how far ahead the answer is
    "Next token,\ncausal mask": (everyone.tril(), 1),
    "Next token,\nfull attention": (everyone, 1),
    "All from the others,\nafter one layer": (everyone - torch.eye(SHOWN), 0),
    "All from the others,\nafter two layers": (everyone, 0),
    "Masked tokens,\nafter any layer": (everyone, 0),
}
fig, axes = plt.subplots(2, 3, figsize=(5.4, 4.3))
for ax, (title, (reached, ahead)) in zip(
    axes.flat, reach.items(), strict=False
):
    masked = title.startswith("Masked")
    if masked:
        reached = reached.clone()
        reached[:, HIDDEN] = 0
        for row in range(SHOWN):
            for column in HIDDEN:
                ax.text(column, row, "M", ha="center", va="center", size=8)
    edges = pad(reached, (1, 1)).diff(dim=1)  # 1 where filled squares begin
    begins, ends = (edges == 1).nonzero(), (edges == -1).nonzero()
    squares = [
        Path.unit_rectangle().transformed(
            Affine2D().scale(end - begin, 1).translate(begin - 0.5, row - 0.5)
        )
        for (row, begin), (_, end) in zip(
            begins.tolist(), ends.tolist(), strict=True
        )
    ]
    filled = Path.make_compound_path(*squares)
    ax.add_patch(PathPatch(filled, facecolor="C0", alpha=0.35, linewidth=0))
    lines = [
        Path([(line - 0.5, -0.5), (line - 0.5, SHOWN - 0.5)])
        for line in range(SHOWN + 1)
    ]
    lines += [Path(line.vertices[:, ::-1]) for line in lines]
    grid = Path.make_compound_path(*lines)
    ax.add_patch(PathPatch(grid, facecolor="none", edgecolor="#b0b0b0", lw=0.6))
    rows = HIDDEN if masked else range(SHOWN - ahead)
    nudge = 0.28 if masked else 0
    ax.plot(
        [row + ahead + nudge for row in rows],
        [row + nudge for row in rows],
        "o",
        color="C1",
        ms=5,
    )
    ax.set(xlim=(-0.5, SHOWN - 0.5), ylim=(SHOWN - 0.5, -0.5), aspect="equal")
    ax.set_title(title, fontsize=9)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
key = axes.flat[-1]
key.axis("off")
for height, text, colour in (
    (0.95, "row: a position", None),
    (0.78, "column: a token", None),
    (0.61, "filled: the token\nreaches the position", "C0"),
    (0.33, "dot: the answer;\non a filled square\nit leaks", "C1"),
    (-0.02, "M: [MASK]", None),
):
    key.text(0, height, text, color=colour, va="top", fontsize=9)
fig.set_label(
    "Five grids; a row is a position, a column a token, a filled square says "
    "that the token reaches the position, a dot marks the answer. Next token "
    "with a causal mask: the triangle up to the diagonal is filled, and the "
    "answers lie just outside it. With full attention: all is filled, so each "
    "answer lies on a filled square. All from the others, after one layer: "
    "all is filled but the diagonal, where the answers are. After two layers: "
    "the diagonal is filled, too. Masked tokens: all is filled but the columns "
    "of the masked tokens, which hold [MASK]; the answers are in these columns."
)


# %% the model
class Layer(nn.Module):
    """Attention from `state` to `source`, then a feed-forward part."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.value, self.out = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.norm_state = nn.LayerNorm(WIDTH)
        self.norm_source = nn.LayerNorm(WIDTH)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(WIDTH),
            nn.Linear(WIDTH, 4 * WIDTH),
            nn.GELU(),
            nn.Linear(4 * WIDTH, WIDTH),
        )

    def forward(
        self, state: Tensor, source: Tensor, may_read: Tensor
    ) -> Tensor:
        asking = self.norm_state(state)  # (batch, length, width)
        read = self.norm_source(source)  # (batch, length, width)
        heads = (  # (batch, heads, length, width / heads)
            part.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for part in (self.query(asking), self.key(read), self.value(read))
        )
        attended = scaled_dot_product_attention(*heads, attn_mask=may_read)
        state = state + self.out(attended.transpose(1, 2).flatten(2))
        return state + self.feed_forward(state)


EVERYWHERE, LAST = slice(None), slice(-1, None)  # positions to ask about


class Transformer(nn.Module):
    """Letters in, a score for every letter at each position asked about out."""

    def __init__(self, layers: int, sight: str) -> None:
        super().__init__()
        self.sight = sight
        self.token = nn.Embedding(LETTERS + 1, WIDTH)
        self.position = nn.Embedding(LENGTH, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        self.head = nn.Sequential(
            nn.LayerNorm(WIDTH), nn.Linear(WIDTH, LETTERS)
        )

    def forward(self, input_ids: Tensor, asked: slice = EVERYWHERE) -> Tensor:
        tokens = self.token(input_ids)  # (batch, length, width)
        positions = self.position.weight[: input_ids.shape[1]]
        state, source, may_read = first_layer(self.sight, tokens, positions)
        for layer in self.layers:
            if layer is self.layers[-1]:  # nothing reads the other positions
                state, may_read = state[:, asked], may_read[asked]
            state = source = layer(state, source, may_read)
            if self.sight != "causal":  # later layers read everything
                may_read = torch.ones_like(may_read)
        return self.head(state)  # (batch, asked, LETTERS)


# %% the tasks
def next_token(text: Tensor) -> tuple[Tensor, Tensor]:
    """Input and labels: the next token, at every position but the last."""
    following = text.roll(-1, dims=1)
    following[:, -1] = IGNORE
    return text, following


def each_token(text: Tensor) -> tuple[Tensor, Tensor]:
    """Input and labels: each token, from all the others (see the figure)."""
    return text, text


def masked_token(text: Tensor) -> tuple[Tensor, Tensor]:
    """Input and labels: a few tokens, taken out of the input."""
    selected = torch.rand(text.shape, generator=generator) < SELECT
    return text.masked_fill(selected, MASK), text.masked_fill(~selected, IGNORE)


# %% training
Task = Callable[[Tensor], tuple[Tensor, Tensor]]  # text -> input_ids, labels


def loss_of(model: nn.Module, input_ids: Tensor, labels: Tensor) -> Tensor:
    """The mean over the positions with a label, in nats."""
    scores = model(input_ids).flatten(0, 1)  # (batch * length, LETTERS)
    return cross_entropy(scores, labels.flatten(), ignore_index=IGNORE)


def train(
    layers: int, sight: str, task: Task, bar: tqdm
) -> tuple[nn.Module, list[float]]:
    """A model trained on text that never repeats, so it cannot be memorized."""
    torch.manual_seed(SEED)
    model = Transformer(layers, sight)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=3e-3, total_steps=STEPS
    )
    losses = []
    for text in write(STEPS * BATCH).split(BATCH):
        loss = loss_of(model, *task(text))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        bar.update()
    return model, losses


objectives = {
    "causal": ("causal", next_token),
    "full": ("full", next_token),
    "others": ("others", each_token),
    "masked": ("full", masked_token),
}
models, curves, final, signal = {}, {}, {}, {}
test = write(4_000)  # text that no training step has seen
total = 2 * STEPS * len(objectives)
with tqdm(total=total, desc="training", unit="step") as bar:
    for name, (sight, task) in objectives.items():
        input_ids, labels = task(test)
        signal[name] = (labels != IGNORE).double().mean().item()
        for layers in (1, 2):
            model, curve = train(layers, sight, task, bar)
            models[name, layers], curves[name, layers] = model, curve
            with torch.inference_mode():
                loss = loss_of(model, input_ids, labels).item()
            final[name, layers] = loss


def report(name: str, line: str) -> None:
    """The losses on new text, beside the lowest that the text allows."""
    for layers in (1, 2):
        plural = "s" * (layers - 1)
        loss = f"{final[name, layers]:.3f} (entropy {entropy[line]:.3f})"
        print(f"{name:7} {layers} layer{plural:1}  {loss}")


# %% the next token
report("causal", "next")
report("full", "next")
off = max(abs(final["causal", layers] - entropy["next"]) for layers in (1, 2))
copied = max(final["full", layers] for layers in (1, 2)) / entropy["next"]
assert off < 0.05, (
    "With a causal mask, the loss ends within 0.05 nats of the entropy"
)
assert copied < 0.1, (
    "With full attention, it ends below a tenth of the entropy at either depth"
)

# %% a text not yet written tags=["hide-input"]
accuracy = {}
for name in ("causal", "full"):
    for layers in (1, 2):
        model = models[name, layers]
        with torch.inference_mode():
            if name == "causal":  # no score depends on what comes later
                guess = model(test[:, :-1]).argmax(-1)  # (rows, LENGTH - 1)
            else:  # the text ends before each token: there is none to see
                ends = range(1, LENGTH)
                scores = [model(test[:, :end], LAST) for end in ends]
                guess = torch.cat(scores, dim=1).argmax(-1)
        right = (guess == test[:, 1:]).double().mean().item()
        accuracy[name, layers] = right
        share = f"{accuracy[name, layers]:.1%}"
        print(f"{name:7} {layers} layer{'s' * (layers - 1):1}  {share} right")
best = table.max(dim=1).values.mean().item()
print(f"best possible   {best:.1%} (from the table)")
print(f"blind guess     {1 / LETTERS:.1%}")
causal_right = min(accuracy["causal", layers] for layers in (1, 2))
full_right = max(accuracy["full", layers] for layers in (1, 2))
assert causal_right > best - 0.03, (
    "The causal models come within 3 points of the best possible"
)
assert full_right < 0.6 * causal_right, (
    "Those with full attention get less than 60% as many right"
)

# %% all from the others
report("others", "others")
one, two = final["others", 1], final["others", 2] / entropy["others"]
assert abs(one - entropy["others"]) < 0.05, (
    "With one layer, the loss ends within 0.05 nats of the entropy"
)
assert two < 0.1, "With two layers, it ends below a tenth of the entropy"

# %% the masked ones
report("masked", "masked")
least = min(final["masked", layers] for layers in (1, 2))
most = max(final["masked", layers] for layers in (1, 2))
assert least > entropy["masked"], (
    "With [MASK], the loss ends above the entropy at either depth"
)
assert most < math.log(LETTERS) / 2, (
    "Both remove more than half of the uncertainty of a blind guess"
)

# %% the curves tags=["hide-input"]
fig, axes = plt.subplots(2, 2, figsize=(5.4, 5.2), sharex=True, sharey=True)
panels = {
    "causal": ("Next token, causal mask:\ndown to the entropy", "next"),
    "full": (
        "Next token, full attention:\none layer is enough to copy",
        "next",
    ),
    "others": ("All from the others:\ntwo layers leak", "others"),
    "masked": ("Masked tokens:\nneither depth leaks", "masked"),
}
for ax, (name, (title, line)) in zip(axes.flat, panels.items(), strict=True):
    for layers, colour, style in ((1, "C0", "-"), (2, "C1", "--")):
        curve = torch.tensor(curves[name, layers])
        smooth = curve.unfold(0, 10, 5).mean(dim=-1)  # of 10 steps, every 5
        steps = range(10, STEPS + 1, 5)
        ax.plot(steps, smooth, color=colour, linestyle=style)
    ax.axhline(entropy[line], color="C2", linewidth=1.2)
    ax.set_title(title)
    above = name == "full"
    ax.text(
        STEPS,
        entropy[line] + (0.12 if above else -0.12),
        "entropy",
        color="C2",
        ha="right",
        va="bottom" if above else "top",
    )
axes[0, 0].text(200, 2.2, "1 layer: solid", color="C0")
axes[0, 0].text(200, 1.9, "2 layers: dashed", color="C1")
for ax in axes[1]:
    ax.set_xlabel("training steps")
for ax in axes[:, 0]:
    ax.set_ylabel("loss, nats")
    ax.set_ylim(-0.1, 2.7)
fig.set_label(
    "Four charts of the training loss against the entropy of the text, each "
    "with one curve for one layer and one for two. Next token with a causal "
    f"mask: both end on the line at {entropy['next']:.2f}. With full "
    "attention: both fall through it to nearly 0. All from the others: one "
    f"layer ends on the line at {entropy['others']:.2f}, two layers end at "
    "nearly 0. Masked tokens: both end above the line at "
    f"{entropy['masked']:.2f}."
)

# %% the signal
for name in ("causal", "full", "others", "masked"):
    print(f"{name:7} {signal[name]:6.1%} of the positions carry a loss")
assert signal["masked"] < 0.2 < 0.9 < signal["causal"], (
    "MLM has a loss at under a fifth of the positions, "
    "next-token prediction at over nine tenths"
)

# %%
values = {
    "letters": LETTERS,
    "blind": math.log(LETTERS),
    "next": entropy["next"],
    "masked": entropy["masked"],
    "steps": STEPS,
}
