# %% [markdown]
# # What BERT's pretraining takes
# Tokens, multiplications, memory, hours and money, from the paper's numbers.
# [Going deeper](../deeper/cost.md) explains it.

# %% set-up
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertForPreTraining

# %% two sizes
base = BertConfig()  # as in the paper (section 3), with the released vocabulary
large = BertConfig(
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
)

# %% the tokens
WORDS = 3.3e9  # BooksCorpus and Wikipedia
ROWS = 256
PHASES = {128: 900_000, 512: 100_000}  # tokens a row: steps
tokens = {length: ROWS * length * steps for length, steps in PHASES.items()}
total = sum(tokens.values())
if_all_long = ROWS * 512 * sum(PHASES.values())
for length, number in tokens.items():
    print(f"rows of {length}: {number / 1e9:5.1f} billion tokens")
print(f"together:    {total / 1e9:5.1f} billion")
print(f"a token for each word: {total / WORDS:.0f} times the text")
print(f"if all rows had 512:   {if_all_long / WORDS:.0f} times")
assert 39 < if_all_long / WORDS < 41, (
    "The paper's 40 epochs are those of 1,000,000 steps of 512 tokens"
)
assert total < if_all_long / 3, (
    "With nine steps in ten on rows of 128, it is less than a third of that"
)


# %% work, part by part
def forward_flops(config, length, scored):
    """FLOPs of a forward pass for one row; `scored` positions get logits."""
    width, wide = config.hidden_size, config.intermediate_size
    layers, vocabulary = config.num_hidden_layers, config.vocab_size
    products = {  # multiplications, each with an addition
        "queries, keys, values, output": layers * length * 4 * width**2,
        "attention": layers * length**2 * 2 * width,
        "feed-forward": layers * length * 2 * width * wide,
        "logits": scored * (width**2 + width * vocabulary),
        "pooler and NSP": width**2 + 2 * width,
    }
    return {part: 2 * number for part, number in products.items()}


# %% checked against torch
with torch.device("meta"):  # shapes without numbers
    model = BertForPreTraining(base).eval()
    row = torch.ones(1, 128, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        model(row)
counted = counter.get_total_flops()
ours = sum(forward_flops(base, 128, scored=128).values())
print(f"torch counts {counted:,}")
print(f"the formula  {ours:,}")
assert counted == ours, "torch counts what the formula says, to the last one"

# %% training
SCORED = {128: 20, 512: 77}  # predictions in a row, at 15%
BACKWARD = 2  # each product needs two in the backward pass


def training_flops(config, share_scored):
    """FLOPs of the whole pretraining, by phase and part."""
    work = {}
    for length, steps in PHASES.items():
        scored = SCORED[length] if share_scored < 1 else length
        passes = (1 + BACKWARD) * ROWS * steps
        for part, flops in forward_flops(config, length, scored).items():
            work[length, part] = passes * flops
    return work


selected = training_flops(base, 0.15)
everywhere = training_flops(base, 1)
print(f"{'BERT base, in 10^18 FLOPs':30} {'128':>6} {'512':>6}")
for part in forward_flops(base, 1, 1):
    line = [selected[length, part] / 1e18 for length in PHASES]
    print(f"{part:30} {line[0]:6.2f} {line[1]:6.2f}")
    if part == "logits":
        line = [everywhere[length, part] / 1e18 for length in PHASES]
        print(f"{'(at all positions)':30} {line[0]:6.2f} {line[1]:6.2f}")
work = sum(selected.values())
more = sum(everywhere.values()) / work
print(f"all: {work:.1e}; with all logits {more:.2f} times that")
assert 1.15 < more < 1.3, "Logits at all positions are a fifth more work"

# %% memory
ADAM = 16  # bytes: weight, gradient, two averages, in float32
parameters = model.num_parameters()
state = parameters * ADAM
print(f"weights, gradients, Adam: {state / 1e9:5.1f} GB")
logits = {}
for where, positions in {"selected": SCORED[512], "all": 512}.items():
    logits[where] = ROWS * positions * base.vocab_size * 4
    print(f"logits, {where:9} {logits[where] / 1e9:18.1f} GB")
assert logits["all"] > 6 * logits["selected"], (
    "Logits at all positions take more than six times the memory"
)
text = total * 2  # an id below 65,536 takes two bytes
print(f"ids of all rows, two bytes each: {text / 1e9:.0f} GB")

# %% hours and money
DEVICES = {  # peak FLOPs a second for one, in 16 bits; dollars an hour
    "A100": (312e12, 1.50),
    "H100": (989e12, 3.00),
}
SHARE = 0.4  # of the peak, that a well-kept training loop reaches
sizes = {"base": work, "large": sum(training_flops(large, 0.15).values())}
print(f"at {SHARE:.0%} of the peak    hours on one   dollars")
for size, flops in sizes.items():
    for device, (peak, price) in DEVICES.items():
        hours = flops / (peak * SHARE) / 3600
        print(f"BERT {size:5} {device}  {hours:18.0f} {hours * price:9.0f}")

# %% the paper's own run
CHIPS = {"base": 16, "large": 64}
DAYS = 4
for size, chips in CHIPS.items():
    rate = sizes[size] / (DAYS * 24 * 3600) / chips
    print(f"BERT {size:5} {chips} chips:", end=" ")
    print(f"{rate / 1e12:.1f} TFLOPs a second each")

# %%
values = {"epochs": total / WORDS, "more": more}
