# %% [markdown]
# # Pretrain from scratch
# From text files to a checkpoint with both of BERT's objectives: a vocabulary,
# sentence pairs, masks, a training loop.
# [The recipe](../use/pretrain.md) explains it.

# %% arguments
import argparse
import math
import random
import sys
import tempfile
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.utils.data import DataLoader
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertForPreTraining,
    pipeline,
)

from bertlesson.collating import MaskingCollator
from bertlesson.nsp import create_pairs
from bertlesson.optimization import make_optimizer, make_schedule
from bertlesson.pretraining import PretrainingModel
from bertlesson.sentences import split_sentences
from bertlesson.texts import read_texts
from bertlesson.training import train
from bertlesson.wordpiece import train_wordpiece

parser = argparse.ArgumentParser(description="Pretrain BERT from scratch.")
add = parser.add_argument
add("--train", nargs="+", help="text files or folders; default: a small set")
add("--ends", default="file", choices=["file", "blank line", "line"])
add("--output", type=Path, help="the folder to save the model in")
add("--vocabulary", type=int, default=30_522, help="pieces at most")
add("--length", type=int, default=128, help="tokens in a row")
add("--layers", type=int, default=4)
add("--width", type=int, default=256, help="a multiple of 64")
add("--steps", type=int, default=100_000, help="updates")
add("--batch-size", type=int, default=64, help="pairs in an update")
add("--learning-rate", type=float, default=5e-4)
# a notebook has arguments of its own
options = parser.parse_args([] if "ipykernel" in sys.modules else None)
own = bool(options.train)
if own and options.output is None:
    parser.error("--output is missing; expected a folder to save the model in")

# %% the default run tags=["hide-input"]
torch.manual_seed(0)
if not own:
    from bertlesson.lesson.files import write_texts

    scratch = Path(tempfile.mkdtemp(prefix="pretrain-"))
    options.train = [write_texts(scratch / "stories", 400, seed=200)]
    options.ends, options.output = "blank line", scratch / "model"
    options.vocabulary, options.length = 800, 48
    options.layers, options.width = 2, 64
    options.steps, options.batch_size, options.learning_rate = 200, 32, 5e-3

# %% a vocabulary
texts = read_texts(options.train, ends=options.ends)
tokenizer = train_wordpiece(
    texts, options.vocabulary, model_max_length=options.length
)
print(f"{len(texts):,} documents, {len(tokenizer):,} pieces")
first = next(filter(None, map(split_sentences, texts)))
for sentence in first[:3]:
    print(*tokenizer.tokenize(sentence))


# %% sentence pairs
def cut(text):
    """The pieces of each sentence; some characters leave none."""
    sentences = split_sentences(text)
    # a "[CLS]" in the text is no special token
    pieces = [
        tokenizer.tokenize(s, split_special_tokens=True) for s in sentences
    ]
    return [each for each in pieces if each]


documents = [pieces for text in texts if (pieces := cut(text))]
pairs = create_pairs(
    documents,
    tokenizer.get_vocab(),
    max_seq_length=options.length,
    rng=random.Random(0),
)
filled = pairs.attention_mask.mean()
print(f"{len(pairs):,} pairs, {filled:.0%} of their positions filled")

# %% a model
config = BertConfig(
    vocab_size=len(tokenizer),
    hidden_size=options.width,
    num_hidden_layers=options.layers,
    num_attention_heads=options.width // 64 or 1,
    intermediate_size=4 * options.width,
    max_position_embeddings=options.length,
    # BERT's 0.02 suits a width of 768; a narrower model needs more
    initializer_range=0.02 * (768 / options.width) ** 0.5,
)
model = PretrainingModel(config)
print(f"{model.num_parameters():,} weights")

# %% train
loader = DataLoader(
    pairs,
    batch_size=options.batch_size,
    shuffle=True,
    collate_fn=MaskingCollator(tokenizer, seed=0),
)
optimizer = make_optimizer(model, options.learning_rate)
schedule = make_schedule(
    optimizer, warmup_steps=options.steps // 10, total_steps=options.steps
)
history = train(
    model, loader, optimizer, schedule, steps=options.steps, progress=own
)

# %% both losses tags=["hide-input"]
window = max(1, options.steps // 20)
fig, ax = plt.subplots()
for number, name in enumerate(("mlm_loss", "nsp_loss")):
    losses = np.array(history[name])[: options.steps // window * window]
    means = losses.reshape(-1, window).mean(axis=1)
    ax.plot(window * np.arange(1, len(means) + 1), means, color=f"C{number}")
    title = name.removesuffix("_loss").upper()
    ax.annotate(
        title, (options.steps, means[-1]), (6, 0), textcoords="offset points"
    )
ax.set_xlabel("training steps")
ax.set_ylabel("loss, nats")
ax.set_ylim(bottom=0)
ax.set_title("The loss of MLM falls first, that of NSP waits")
edges = [window, -window]  # the first losses and the last
mlm, nsp = (
    [part.mean().item() for part in np.split(np.array(history[name]), edges)]
    for name in ("mlm_loss", "nsp_loss")
)
fig.set_label(
    f"Line chart of both losses over {options.steps:,} steps: MLM falls from "
    f"{mlm[0]:.1f} to {mlm[2]:.1f} nats, NSP from {nsp[0]:.2f} to {nsp[2]:.2f}."
)

# %% save and load
model.eval().save_pretrained(options.output)
tokenizer.save_pretrained(options.output)
theirs = BertForPreTraining.from_pretrained(options.output).eval()
encoder = AutoModel.from_pretrained(options.output)
inputs = AutoTokenizer.from_pretrained(options.output)(
    first[0], truncation=True, return_tensors="pt"
)
with torch.inference_mode():
    ours = model(**inputs).prediction_logits
    off = (theirs(**inputs).prediction_logits - ours).abs().max().item()
print(f"{type(encoder).__name__} and {type(theirs).__name__} load it")
fill = pipeline("fill-mask", model=str(options.output))
# no more characters than pieces fit into a row
words = textwrap.shorten(first[0], options.length - 4, placeholder="").split()
masked = " ".join([*words[:3], tokenizer.mask_token, *words[4:]])
print(masked)
print(*(f"{g['token_str']} {g['score']:.0%}" for g in fill(masked, top_k=4)))
assert off < 1e-4, "`BertForPreTraining` has the same scores"

# %% claims tags=["hide-input"]
# the claim is about the default run
fallen = 0.0 if own else mlm[2] / mlm[0]
assert fallen < 0.8, "The MLM loss falls by more than a fifth"

values = {"steps": options.steps, "coin": math.log(2)}
