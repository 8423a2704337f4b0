# %% [markdown]
# # The model in the page
# What is in the file that the pages fetch, and what half precision and a
# formula for GELU cost. [The lesson's page](../deeper/browser.md) explains it.

# %% set-up
import json
import tempfile
from pathlib import Path

import torch

from bertlesson.finetuning import fine_tune, predict, with_encoder
from bertlesson.heads import SequenceClassificationModel
from bertlesson.lesson import tiny
from bertlesson.lesson.corpus import SENTIMENTS
from bertlesson.lesson.export import round_to_half, write_model
from bertlesson.lesson.labelled import sentiment_examples

LABELLED, HELD_OUT = 256, 500  # sentences
STEPS = 150  # updates of 16 sentences

checkpoint = tiny.load()
tokenizer, model = checkpoint.tokenizer, checkpoint.model

# %% one file
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "pretrained.safetensors")
    write_model(path, model, tokenizer)
    content = path.read_bytes()
length = int.from_bytes(content[:8], "little")  # of the header
header = json.loads(content[8 : 8 + length])
about = json.loads(header.pop("__metadata__")["model"])

numbers = (len(content) - 8 - length) // 2  # each takes two bytes
size = len(content)
print(f"{size:,} bytes: 8, a header of {length:,}, and {numbers:,} numbers")
for name in list(header)[:4]:
    print(name)
    print("   ", header[name]["dtype"], header[name]["shape"])
vocabulary = len(about["vocab"])
print(f"… and {len(header) - 4} more; the vocabulary: {vocabulary} pieces")
assert size < 2_000_000, "The whole pretrained model takes less than 2 MB"
dtypes = {entry["dtype"] for entry in header.values()}
assert dtypes == {"F16"}, "All numbers in the file are in half precision"
decoders = sum("decoder" in name for name in header)
assert decoders == 0, "The file holds no decoder matrix"


# %% half precision
def encode(sentences):
    """The arguments of the model, with a class number for each sentence."""
    texts = [s.text for s in sentences]
    features = dict(tokenizer(texts, padding=True, return_tensors="pt"))
    moods = [SENTIMENTS.index(s.sentiment) for s in sentences]
    features["labels"] = torch.tensor(moods)
    return features


torch.manual_seed(0)
tuned = with_encoder(SequenceClassificationModel(model.config), model.bert)
labelled = encode(sentiment_examples(LABELLED, seed=0, split="train"))
fine_tune(
    tuned, labelled, steps=STEPS, learning_rate=1e-3, seed=0, progress=False
)

# %% what it changes
held_out = encode(sentiment_examples(HELD_OUT, seed=0, split="test"))
before = predict(tuned, held_out)["logits"]  # (sentences, 2)
round_to_half(tuned)
after = predict(tuned, held_out)["logits"]
moved = (after - before).abs().max().item()
changed = (after.argmax(-1) != before.argmax(-1)).sum().item()
margin = (before[:, 1] - before[:, 0]).abs().median().item()
print(f"the logits move by at most {moved:.4f}")
print(f"the two logits of a sentence differ by {margin:.1f} (median)")
assert moved < 0.01, "Half precision moves each logit by less than 0.01"
assert changed == 0, "Not one verdict changes"

# %% what it does not change
kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
round_to_half(model)
after = model.state_dict()
different = sum(not torch.equal(kept[name], after[name]) for name in kept)
assert different == 0, "No weight of the pretrained model changes"

# %% GELU without erf
x = torch.linspace(-6, 6, 100_001, dtype=torch.float64)
t = 1 / (1 + 0.3275911 * x.abs())
a = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
series = sum(factor * t ** (n + 1) for n, factor in enumerate(a))
erf = x.sign() * (1 - series * (-x * x).exp())
off = (erf - torch.erf(x)).abs().max().item()
print(f"erf is off by at most {off:.1e}")
assert off < 1e-6, "The formula gives erf to within a millionth"
