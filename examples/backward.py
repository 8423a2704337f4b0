# %% [markdown]
# # The way back
# What a gradient is, and five formulas that the page's training uses, each
# checked against PyTorch. [The lesson's page](../deeper/backward.md) shows
# them in JavaScript.

# %% set-up
import torch
from torch.nn.functional import cross_entropy, layer_norm, one_hot

from bertlesson.lesson import tiny
from bertlesson.optimization import make_optimizer

torch.manual_seed(0)
checkpoint = tiny.load()  # the first call trains it, which takes a few minutes
model = checkpoint.model.double()
table = model.bert.embeddings.word_embeddings.weight  # (vocab, hidden)


def loss_of(text, word):
    """The MLM loss of one hidden word, and the vectors it comes from."""
    inputs = checkpoint.tokenizer(text, return_tensors="pt")
    mask = checkpoint.tokenizer.mask_token_id
    at = (inputs["input_ids"] == mask).nonzero()[0, 1]
    hidden = model.bert(inputs["input_ids"]).last_hidden_state[0]
    scores = model.cls["predictions"](hidden[at])  # (vocab)
    target = torch.tensor(checkpoint.tokenizer.convert_tokens_to_ids(word))
    return cross_entropy(scores, target), hidden, inputs["input_ids"][0]


TEXT, WORD = "ada loved the [MASK] .", "museum"

# %% a gradient is a slope
weight = model.bert.encoder.layer[0].intermediate.dense.weight
(gradient,) = torch.autograd.grad(loss_of(TEXT, WORD)[0], weight)
STEP = 1e-5
with torch.no_grad():
    place = divmod(gradient.abs().argmax().item(), gradient.shape[1])
    losses = []
    for nudge in (STEP, -2 * STEP, STEP):  # up, down, and back
        weight[place] += nudge
        losses.append(loss_of(TEXT, WORD)[0].item())
slope = (losses[0] - losses[1]) / (2 * STEP)
print(f"the weight nudged: {slope:.6f}   backward: {gradient[place]:.6f}")
off = abs(slope / gradient[place].item() - 1)
assert off < 1e-4, "A gradient says what a nudge of one weight does to the loss"

# %% the loss
scores = torch.randn(3, 5, requires_grad=True)  # (rows, classes)
labels = torch.tensor([4, 0, 2])
cross_entropy(scores, labels).backward()
by_hand = (scores.softmax(-1) - one_hot(labels, 5)) / 3  # a mean of 3 rows
off = (scores.grad - by_hand).abs().max().item()
assert off < 1e-6, "At the scores, the gradient is the guess minus the truth"

# %% softmax
fits = torch.randn(4, 6, requires_grad=True)  # (length, length)
d_shares = torch.randn(4, 6)
shares = fits.softmax(-1)
shares.backward(d_shares)
average = (shares * d_shares).sum(-1, keepdim=True)
off = (fits.grad - shares * (d_shares - average)).abs().max().item()
assert off < 1e-6, "A score matters by how much its share beats the average"

# %% layer norm
vectors = torch.randn(8, 128, dtype=torch.float64, requires_grad=True)
normed = layer_norm(vectors, (128,), eps=1e-12)
normed.backward(torch.randn(8, 128, dtype=torch.float64))
ones = vectors.grad.sum(-1).abs().max().item()
itself = (vectors.grad * normed).sum(-1).abs().max().item()
assert max(ones, itself) < 1e-9, "No gradient shifts or stretches a vector"

# %% one table, two gradients
loss, hidden, ids = loss_of(TEXT, WORD)
(whole,) = torch.autograd.grad(loss, table, retain_graph=True)
(d_hidden,) = torch.autograd.grad(loss, hidden, retain_graph=True)
(read,) = torch.autograd.grad(hidden, table, d_hidden)
scored = whole - read  # what came in through the decoder


def rows(gradient):
    """How many rows of the table it changes."""
    return int((gradient.abs().amax(-1) > 1e-12).sum())


pieces, distinct = len(table), len(ids.unique())
print(f"{pieces} pieces in the table, {distinct} different ones in the text")
print(f"rows with a gradient: {rows(read)} as read, {rows(scored)} as scored")
assert rows(read) == distinct, "Reading teaches only the pieces of the text"
assert rows(scored) > 0.99 * pieces, "Scoring teaches every piece of the table"

# %% the first step of Adam
RATE = 1e-3
model.float()
optimizer = make_optimizer(model, RATE)
kept = {name: w.detach().clone() for name, w in model.named_parameters()}
loss_of(TEXT, WORD)[0].backward()
optimizer.step()
name = "bert.encoder.layer.0.intermediate.dense.weight"
parameter = model.get_parameter(name)
moved = (parameter - kept[name]).abs().detach()
sizes = parameter.grad.abs()
low, high = sizes.quantile(torch.tensor([0.1, 0.9])).tolist()
print(f"a gradient in ten is below {low:.0e}, one in ten above {high:.0e}")
shares = (moved / RATE).quantile(torch.tensor([0.1, 0.9])).tolist()
print(f"moved, in learning rates: {shares[0]:.2f} to {shares[1]:.2f}")
assert shares[0] > 0.95, "Adam's first step is as long for small gradients"
assert high > 20 * low, "The gradients themselves are far from alike"

values = {"pieces": pieces, "distinct": distinct}
