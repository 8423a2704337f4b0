# %% [markdown]
# # Compile once
# A fixed number of predictions a row, so that no shape depends on the data.
# [The page](../use/compile.md) explains it.

# %% set-up
import argparse
import re
import sys
import tempfile
from pathlib import Path

import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from bertlesson.collating import MaskingCollator
from bertlesson.fixed_counts import (
    FixedCountCollator,
    gather_predictions,
    score_at_positions,
)
from bertlesson.inputs import longest_row
from bertlesson.lesson.files import write_texts
from bertlesson.texts import read_texts

parser = argparse.ArgumentParser(description="Go on pretraining, compiled.")
parser.add_argument("--model", help="a folder, or a name on the hub")
parser.add_argument("--train", type=Path, help="a file with one text a line")
parser.add_argument("--length", type=int, default=64, help="tokens in a row")
parser.add_argument("--count", type=int, help="predictions; default: 15%%")
parser.add_argument("--rows", type=int, default=16, help="rows in a batch")
parser.add_argument("--steps", type=int, default=4, help="updates")
parser.add_argument("--rate", type=float, default=5e-5, help="learning rate")
parser.add_argument("--backend", help="torch's; default: inductor, here eager")
parser.add_argument("--output", type=Path, help="folder for the checkpoint")
# a notebook has arguments of its own
args = parser.parse_args([] if "ipykernel" in sys.modules else None)
if (args.model is None) != (args.train is None):
    parser.error("--model and --train go together; expected both or neither")
own = args.train is not None
count = args.count or max(1, round(0.15 * args.length))
backend = args.backend or ("inductor" if own else "eager")
torch.manual_seed(0)


# %% the model
def load(name):
    """The model and its tokenizer; by default, the lesson's checkpoint."""
    if name is None:
        from bertlesson.lesson import tiny

        checkpoint = tiny.load()
        return checkpoint.model, checkpoint.tokenizer
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        # in float32: small updates vanish in half precision
        load = AutoModelForMaskedLM.from_pretrained
        return load(name, dtype=torch.float32), tokenizer
    except OSError as error:
        parser.error(
            f"{name} could not be loaded ({error}); expected a folder with a "
            "model, or a name on the hub and a connection to it"
        )


model, tokenizer = load(args.model)
model.eval()  # no dropout, to compare losses; Trainer turns it on again
longest = min(longest_row(model) or args.length, tokenizer.model_max_length)
if args.length > longest:
    parser.error(f"--length is {args.length}; expected at most {longest}")

# %% the texts
if not own:
    with tempfile.TemporaryDirectory() as name:
        files = sorted(write_texts(Path(name), 200, seed=101).iterdir())
        stories = "\n".join(file.read_text("utf-8") for file in files)
    lines = re.split(r'(?<=[.!?"])\s+', stories)
else:
    lines = list(read_texts(args.train, ends="line"))
lines = [line for line in lines if line.strip()]
rows = [
    {"input_ids": ids}
    for ids in tokenizer(
        lines,
        truncation=True,
        max_length=args.length,
        return_overflowing_tokens=True,
    )["input_ids"]
]
batches = [
    rows[start : start + args.rows] for start in range(0, len(rows), args.rows)
]
batches = [batch for batch in batches if len(batch) == args.rows][:50]
if not batches:
    parser.error(
        f"{args.train} gives {len(rows)} rows; expected a batch of {args.rows} "
        "or more: lower --rows"
    )

# %% the collators
masking = MaskingCollator(
    tokenizer,
    seed=0,
    max_predictions_per_seq=count,
    pad_to_multiple_of=args.length,  # every row has this length
)
selected = [masking(batch) for batch in batches]
fixed = FixedCountCollator(lambda batch: batch, count, args.length)
filled = [fixed(batch) for batch in selected]  # the same masks
for name, several in {"selected": selected, "fixed": filled}.items():
    totals = [(batch["labels"] != -100).sum().item() for batch in several[:6]]
    shape = tuple(several[0]["labels"].shape)
    print(f"{name}: labels {shape}, predictions", *totals)

# %% one row
found = gather_predictions(selected[0]["labels"][:1], count)
for name, tensor in found._asdict().items():
    print(f"{name:9}", *(f"{value:3g}" for value in tensor[0].tolist()))
reserved = count * args.rows * len(batches)
predicted = sum((batch["labels"] != -100).sum().item() for batch in filled)
print(f"{predicted / reserved:.0%} of all places hold a prediction")


# %% counting graphs
def run(several):
    """The loss of each batch, and how many graphs were compiled."""
    graphs = []

    def run_as_it_is(graph, inputs):
        """A backend that compiles nothing: it needs no C++ compiler."""
        graphs.append(graph)
        return graph

    compiled = torch.compile(model, backend=run_as_it_is)
    with torch.no_grad():
        losses = [compiled(**batch).loss.item() for batch in several]
    return torch.tensor(losses), len(graphs)


# %% how often it compiles
torch.compiler.reset()
before, graphs_selected = run(selected)
score_at_positions(model)
torch.compiler.reset()
after, graphs_fixed = run(filled)
off = (before - after).abs().max().item()
print(f"{len(batches)} batches")
print(f"selected: {graphs_selected} graphs")
print(f"fixed:    {graphs_fixed} graph")
print(f"largest difference between losses: {off:.0e}")
assert graphs_fixed == 1, "With a fixed count, all batches share one graph"
if not own:
    assert graphs_selected > 3, "Without one, there are more than three"
    assert off < 2e-6, "The losses are the same, as far as float32 goes"

# %% training
trainer = Trainer(
    model,  # after score_at_positions
    TrainingArguments(
        args.output or tempfile.mkdtemp(),
        torch_compile=True,
        torch_compile_backend=backend,
        per_device_train_batch_size=args.rows,
        dataloader_drop_last=True,  # the last batch may be smaller
        max_steps=args.steps,
        learning_rate=args.rate,
        logging_steps=max(1, args.steps // 4),
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
    ),
    train_dataset=rows,
    data_collator=FixedCountCollator(masking, count, args.length),
)
trainer.remove_callback(PrinterCallback)  # it prints how long it took
trainer.train()
if args.output:
    trainer.save_model(args.output)
    tokenizer.save_pretrained(args.output)
    print(f"saved in {args.output}")

# %%
values = {
    "graphs_selected": graphs_selected,
    "full": predicted / reserved,
    "off": off,
    "batches": len(batches),
    "count": count,
    "length": args.length,
}

# %% in your own project
import torch

from bertlesson.collating import MaskingCollator
from bertlesson.fixed_counts import FixedCountCollator, score_at_positions
from bertlesson.lesson import tiny

checkpoint = tiny.load()  # or AutoModelForMaskedLM.from_pretrained(...)
model, tokenizer = checkpoint.model, checkpoint.tokenizer
masking = MaskingCollator(
    tokenizer, seed=0, max_predictions_per_seq=5, pad_to_multiple_of=32
)
collator = FixedCountCollator(masking, count=5, length=32)
score_at_positions(model)  # before torch.compile
compiled = torch.compile(
    model,
    fullgraph=True,
    backend="eager",  # leave this out: it compiles nothing
)
for texts in (["The soup was cold.", "It rained."], ["Hugo ate.", "Ah!"]):
    rows = [{"input_ids": ids} for ids in tokenizer(texts)["input_ids"]]
    batch = collator(rows)  # or Trainer(..., data_collator=collator)
    output = compiled(**batch)
    print(tuple(output.prediction_logits.shape), f"{output.loss:.2f}")
