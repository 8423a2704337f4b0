# %% [markdown]
# # Packed rows
# Several texts in one row instead of padding, with the loss of each alone.
# [The page](../use/pack.md) explains it.

# %% set-up
import argparse
import re
import sys
import tempfile
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    BertModel,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from bertlesson.collating import MaskingCollator
from bertlesson.inputs import longest_row
from bertlesson.lesson import tiny
from bertlesson.lesson.corpus import generate_documents
from bertlesson.lesson.files import write_texts
from bertlesson.packing import PackingCollator, pool_each_text
from bertlesson.texts import read_texts

parser = argparse.ArgumentParser(description="Go on pretraining, packed.")
parser.add_argument("--model", help="a folder, or a name on the hub")
parser.add_argument("--train", type=Path, help="a file with one text a line")
parser.add_argument("--texts", type=int, default=64, help="texts in a batch")
parser.add_argument("--row", type=int, help="tokens in a packed row")
parser.add_argument("--steps", type=int, default=4, help="updates")
parser.add_argument("--rate", type=float, default=5e-5, help="learning rate")
parser.add_argument("--output", type=Path, help="folder for the checkpoint")
# a notebook has arguments of its own
args = parser.parse_args([] if "ipykernel" in sys.modules else None)
if (args.model is None) != (args.train is None):
    parser.error("--model and --train go together; expected both or neither")
torch.manual_seed(0)


# %% the model
def load(name):
    """The model and its tokenizer; by default, the lesson's checkpoint."""
    if name is None:
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
model.eval()  # dropout would draw other numbers for packed rows
if args.model is None:
    pool_each_text(model)  # it has an NSP head
longest = min(tokenizer.model_max_length, longest_row(model) or 512, 512)


# %% the texts
def rows_of(texts):
    """A row for each text; a longer one goes on in the next row."""
    return [
        {"input_ids": ids}
        for ids in tokenizer(
            texts,
            truncation=True,
            max_length=longest,
            return_overflowing_tokens=True,
        )["input_ids"]
    ]


if args.train is None:
    with tempfile.TemporaryDirectory() as name:
        files = sorted(write_texts(Path(name), 200, seed=101).iterdir())
        stories = "\n".join(file.read_text("utf-8") for file in files)
    lines = [line for line in stories.splitlines() if line]
    sentences = re.split(r'(?<=[.!?"]) ', " ".join(lines))
    pairs = tiny.sentence_pairs(generate_documents(200, 102), tokenizer, 64, 0)
    kinds = {
        "one sentence each": rows_of(sentences),
        "stories cut at 64": rows_of(lines),
        "pairs for NSP": [pairs[number] for number in range(len(pairs))],
        "full rows": [
            row for row in rows_of(lines) if len(row["input_ids"]) == longest
        ],
    }
else:
    lines = list(read_texts(args.train, ends="line"))
    kinds = {args.train.name: rows_of(lines)}
for name, rows in kinds.items():
    if len(rows) < args.texts:
        parser.error(
            f"{name} gives {len(rows)} texts; expected a batch of {args.texts} "
            "or more: lower --texts"
        )

# %% the two forms
# eight whole stories, cut at the length of a row
shown = next(iter(kinds.values())) if args.train else kinds["stories cut at 64"]
padded = MaskingCollator(tokenizer, seed=0)(shown[:24])
collator = PackingCollator(MaskingCollator(tokenizer, seed=0), model)
packed = collator(shown[:24])
for form, batch in {"padded": padded, "packed": packed}.items():
    print(form)
    for key, value in batch.items():  # ModernBERT has two masks
        parts = value.values() if isinstance(value, dict) else [value]
        print(f"  {key:15}", *(tuple(part.shape) for part in parts))

# %% one row
row = (packed["cls_positions"] >= 0).sum(dim=1).argmax()
starts = packed["cls_positions"][row].tolist()
tokens = packed["input_ids"][row]
filled = int((tokens != tokenizer.pad_token_id).sum())
for start, end in zip(starts, [*starts[1:], filled], strict=True):
    pieces = tokenizer.convert_ids_to_tokens(tokens[start:end])
    positions = packed["position_ids"][row, start:end].tolist()
    print(*pieces[:4], "…", pieces[-1])
    print("  positions", *positions[:3], "…", positions[-1])


# %% the same loss and gradients
def loss_and_gradients(batch):
    """The loss, and its gradients as one vector."""
    model.zero_grad()
    loss = model(**batch).loss
    loss.backward()
    found = [w.grad.flatten() for w in model.parameters() if w.grad is not None]
    return loss.item(), torch.cat(found)


alone, of_alone = loss_and_gradients(padded)
together, of_together = loss_and_gradients(packed)
loss_off = abs(alone - together)
off = (of_alone - of_together).abs().max().item()
print(f"padded {alone:.6f}, packed {together:.6f} nats")
print(f"largest difference between gradients: {off:.0e}")
assert loss_off < 1e-5, "Packed and padded, the loss is the same to 1e-5"
assert off < 1e-5, "So is each weight's gradient"


# %% what goes wrong by hand
def wrong_by(**changes):
    """How far the gradient is off, as a share of its length."""
    _, found = loss_and_gradients(packed | changes)
    return ((found - of_alone).norm() / of_alone.norm()).item()


tokens = torch.ones_like(packed["input_ids"])
going_on = torch.arange(tokens.shape[1]).expand_as(tokens)
no_mask = wrong_by(attention_mask=tokens)
no_restart = wrong_by(position_ids=going_on)
print("the gradient is off by")
print(f"{no_mask:6.1%}  if texts read each other")
print(f"{no_restart:6.1%}  if positions do not restart")
if args.model is None:
    assert no_mask > 0.1, (
        "Without the block mask, the gradient is off by more than a tenth"
    )
    assert no_restart > 0.01, (
        "If positions do not restart, by more than a hundredth"
    )


# %% does it pay?
def work(batch):
    """Multiplications of BERT base's encoder in a forward pass."""
    shapes = {
        key: torch.empty(batch[key].shape, dtype=torch.int64, device="meta")
        for key in ("input_ids", "position_ids")
        if key in batch
    }
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        base(**shapes)
    return counter.get_total_flops() / 2  # it counts additions too


with torch.device("meta"):  # shapes without numbers
    base = BertModel(BertConfig(attn_implementation="eager"))
full, cost = {}, {}
for name, rows in kinds.items():
    part = rows[: args.texts]
    before = MaskingCollator(tokenizer, seed=0)(part)
    count = before["attention_mask"].sum().item()
    full[name, "padded"] = count / before["input_ids"].numel()
    for row in (longest, 4 * longest):
        packer = PackingCollator(MaskingCollator(tokenizer), model, row)
        after = packer(part)
        full[name, row] = count / after["input_ids"].numel()
        cost[name, row] = work(after) / work(before)

# %% the table tags=["hide-input"]
print(f"{'':18} {'full':>7} {'packed into rows of':>25}")
print(f"{'':18} {'padded':>7} {longest:>12} {4 * longest:>12}")
for name in kinds:
    print(f"{name:18} {full[name, 'padded']:7.0%}", end=" ")
    for row in (longest, 4 * longest):
        print(f"{full[name, row]:6.0%} {cost[name, row]:5.2f}", end=" ")
    print()
if args.model is None:
    assert cost["stories cut at 64", 64] < 0.85, (
        "Stories in rows of 64 take less than 85% of the multiplications"
    )
    assert cost["full rows", 64] == 1, (
        "Full rows stay as they are: nothing is gained"
    )
    assert cost["full rows", 256] > 1, (
        "In longer rows, full rows cost more than before"
    )

# %% training
rows = kinds["pairs for NSP"] if args.train is None else shown
folder = args.output or Path(tempfile.mkdtemp())
trainer = Trainer(
    model,
    TrainingArguments(
        folder,
        per_device_train_batch_size=args.texts,  # texts, not rows
        max_steps=args.steps,
        learning_rate=args.rate,
        logging_steps=max(1, args.steps // 4),
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
    ),
    train_dataset=rows,
    data_collator=PackingCollator(
        MaskingCollator(tokenizer, seed=0), model, args.row
    ),
)
trainer.remove_callback(PrinterCallback)  # it prints how long it took
trainer.train()
if args.output:
    trainer.save_model(args.output)
    tokenizer.save_pretrained(args.output)
    print(f"saved in {args.output}")

# %%
values = {
    "off": off,
    "no_mask": no_mask,
    "no_restart": no_restart,
    "rows_padded": len(padded["input_ids"]),
    "rows_packed": len(packed["input_ids"]),
}
if args.model is None:
    values |= {
        "sentences_empty": 1 - full["one sentence each", "padded"],
        "sentences_cost": cost["one sentence each", longest],
        "pairs_empty": 1 - full["pairs for NSP", "padded"],
    }

# %% in your own project
from bertlesson.collating import MaskingCollator
from bertlesson.lesson import tiny
from bertlesson.packing import PackingCollator, pool_each_text

checkpoint = tiny.load()  # or AutoModelForMaskedLM.from_pretrained(...)
model, tokenizer = checkpoint.model, checkpoint.tokenizer
pool_each_text(model)  # if it has NSP's head, which reads each text's [CLS]
collator = PackingCollator(MaskingCollator(tokenizer, seed=0), model)
texts = [
    "The soup at the inn was cold.",
    "Hugo praised the cake.",
    "It rained.",
]
rows = [{"input_ids": ids} for ids in tokenizer(texts)["input_ids"]]
batch = collator(rows)  # or Trainer(..., data_collator=collator)
print(*batch)
print(tuple(batch["input_ids"].shape))
