# %% [markdown]
# # Diagnose a masking collator
# What does a collator really do? A report on ours, on that of `transformers`,
# and on one of a kind that packages copy from each other.
# [The recipe's page](../use/diagnose.md) explains it.

# %% set-up
import argparse
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from transformers import AutoTokenizer, DataCollatorForLanguageModeling

from bertlesson.collating import MaskingCollator
from bertlesson.diagnosis import diagnose
from bertlesson.lesson import tiny
from bertlesson.lesson.files import write_texts
from bertlesson.texts import read_texts

parser = argparse.ArgumentParser(description="Diagnose masking collators.")
parser.add_argument("--model", help="whose tokenizer; default: the lesson's")
parser.add_argument("--train", help="a text file, or a folder of .txt files")
# a notebook has arguments of its own
args = parser.parse_args([] if "ipykernel" in sys.modules else None)

# %% texts
folder = Path(args.train or tempfile.mkdtemp())
if not args.train:
    write_texts(folder, 200, seed=0)
texts = list(read_texts(folder, ends="blank line"))
if args.model:
    try:
        tokenizer = AutoTokenizer.from_pretrained(args.model)
    except OSError as error:
        sys.exit(
            f"--model is {args.model!r}, which could not be loaded; expected a "
            f"folder, or a name on the hub and a network: {error}"
        )
else:
    tokenizer = tiny.load().tokenizer
print(f"{len(texts)} texts, {len(tokenizer):,} pieces in the vocabulary")

# %% ours
ours = diagnose(MaskingCollator(tokenizer, seed=0), tokenizer, texts)
print(ours)

# %% ours holds
assert ours.fine, "No line about our collator is wrong"

# %% transformers
print("transformers", transformers.__version__)
stock = DataCollatorForLanguageModeling(tokenizer, seed=0)
seeded = diagnose(stock, tokenizer, texts)
print(seeded)

# %% without a seed
stock = DataCollatorForLanguageModeling(tokenizer)
unseeded = diagnose(stock, tokenizer, texts)
for line in (*unseeded.wrong, *unseeded.look):
    print(f"{line.verdict}: {line.name}")

# %% transformers holds
epochs = "epochs with workers"
assert seeded[epochs].verdict == "wrong", (
    "With a seed and workers, the masks of transformers' collator repeat in "
    "each epoch"
)
assert unseeded[epochs].verdict == "fine", "Without a seed, they do not"


# %% a copied collator
class CopiedCollator:
    """Masks everything but padding: so do many that are passed around."""

    def __call__(self, features):
        batch = tokenizer.pad(features, return_tensors="pt")
        ids = batch["input_ids"]  # (batch, length)
        chosen = torch.rand(ids.shape) < 0.15
        chosen &= ids != tokenizer.pad_token_id
        batch["labels"] = torch.where(chosen, ids, -100)
        masked = chosen & (torch.rand(ids.shape) < 0.8)
        replaced = chosen & ~masked & (torch.rand(ids.shape) < 0.1)
        words = torch.randint(len(tokenizer) // 2, ids.shape)
        ids = torch.where(masked, tokenizer.mask_token_id, ids)
        batch["input_ids"] = torch.where(replaced, words, ids)
        return batch


# %% its report
copied = diagnose(CopiedCollator(), tokenizer, texts)
print(copied)

# %% it fails
assert not copied.fine, "The copied collator is wrong"
assert {line.name for line in copied.wrong} == {
    "special tokens",
    "random",
    "kept",
    "random ids",
}, "Its three faults are found, and no others"

# %%
values = {
    "selected": ours["selected"].value,
    "masked_low": ours["masked"].interval[0],
    "masked_high": ours["masked"].interval[1],
    "special": copied["special tokens"].value,
    "random": copied["random"].value,
    "kept": copied["kept"].value,
    "missing": 1 - copied["random ids"].value,
    "version": transformers.__version__,
    "lines": len(ours.lines),
}

# %% in your own project
from bertlesson.collating import MaskingCollator
from bertlesson.diagnosis import diagnose
from bertlesson.lesson import tiny

tokenizer = tiny.load().tokenizer  # or AutoTokenizer.from_pretrained(...)
collator = MaskingCollator(tokenizer)  # or the one to check
texts = ["The soup at the inn was cold.", "Hugo praised the cake."] * 20
report = diagnose(collator, tokenizer, texts)
print(report.title)  # print(report) shows the table
assert report.fine
