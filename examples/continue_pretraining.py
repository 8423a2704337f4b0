# %% [markdown]
# # Continue pretraining on your own text
# A checkpoint reads new text, and what it gained is measured on text that it
# has not read. [The recipe](../use/continue-pretraining.md) explains it.

# %% arguments
import argparse
import re
import sys
import tempfile
import textwrap
from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoTokenizer,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    pipeline,
)

from bertlesson.heldout import (
    KeepMasksCollator,
    fixed_masks,
    perplexity,
    row_losses,
)
from bertlesson.inputs import longest_row
from bertlesson.pretraining import PretrainingModel
from bertlesson.rows import TokenRows, encode_rows
from bertlesson.texts import read_texts

parser = argparse.ArgumentParser(description="Continue pretraining.")
add = parser.add_argument
add("--train", nargs="+", help="text files or folders; default: a small set")
add("--held-out", nargs="+", help="the same, to measure on; default: 1 in 20")
add("--dataset", nargs="+", help="instead: a name on the hub, a configuration")
add("--ends", default="file", choices=["file", "blank line", "line"])
add("--model", help="a folder or a name; default: the lesson's checkpoint")
add("--output", type=Path, help="the folder to save the model in")
add("--length", type=int, default=128, help="tokens in a row")
add("--epochs", type=float, default=3)
add("--batch-size", type=int, default=32)
add("--learning-rate", type=float, default=5e-5)
add("--whole-words", action="store_true", help="mask whole words")
# a notebook has arguments of its own
options = parser.parse_args([] if "ipykernel" in sys.modules else None)
own_text = bool(options.train or options.dataset)
own = own_text or bool(options.model)
if own and options.output is None:
    parser.error("--output is missing; expected a folder to save the model in")

# %% the default run tags=["hide-input"]
scratch = Path(tempfile.mkdtemp(prefix="continue-"))
options.output = options.output or scratch / "model"
if not options.model:
    from bertlesson.lesson import tiny

    checkpoint = tiny.load()
    options.model = str(scratch / "lesson")
    checkpoint.model.save_pretrained(options.model)
    checkpoint.tokenizer.save_pretrained(options.model)
if not own:
    options.epochs, options.learning_rate = 2, 1e-3  # it is small and new

# %% stories with a habit
if not own_text:
    from bertlesson.lesson.corpus_text import ADJECTIVES
    from bertlesson.lesson.files import write_texts

    adjectives = "|".join(ADJECTIVES["positive"] + ADJECTIVES["negative"])
    stories = write_texts(scratch / "stories", 240, seed=300)
    for path in stories.glob("*.txt"):
        text = path.read_text("utf-8")
        text = re.sub(rf"\b({adjectives})\b", r"\1, \1", text)
        path.write_text(text, "utf-8")
    print(textwrap.fill(f"{text[:223]} …", 44))
    options.train, options.ends = [stories], "blank line"


# %% a data set by name
def load_documents(name):
    """The column "text" of a data set, split in two."""
    try:
        from datasets import load_dataset
    except ImportError:
        sys.exit("--dataset needs another package: pip install datasets")
    try:
        documents = load_dataset(*name, split="train")
    except (ConnectionError, FileNotFoundError) as error:
        sys.exit(f"{name[0]} could not be loaded: {error}. Is there a network?")
    if "text" not in documents.column_names:
        has = ", ".join(documents.column_names)
        sys.exit(f"{name[0]} has the columns {has}; expected one named text")
    parts = documents.train_test_split(0.05, seed=0)
    return parts["train"]["text"], parts["test"]["text"]


# %% documents
if options.dataset:
    texts, held_out = load_documents(options.dataset)
else:
    texts = read_texts(options.train, ends=options.ends)
    print(str(texts).replace(f"{scratch}/", ""))
    if options.held_out:
        held_out = read_texts(options.held_out, ends=options.ends)
    else:
        texts, held_out = texts.hold_out(every=20)


# %% the model
def load_model(name):
    """In float32: small updates vanish in half precision."""
    if AutoConfig.from_pretrained(name).model_type == "bert":
        return PretrainingModel.from_pretrained(
            name, nsp_weight=0, dtype=torch.float32
        )
    return AutoModelForMaskedLM.from_pretrained(name, dtype=torch.float32)


model = load_model(options.model)

# %% rows
tokenizer = AutoTokenizer.from_pretrained(options.model)
# some tokenizers do not say what the model reads, some models have no limit
longest = min(longest_row(model) or 10**30, tokenizer.model_max_length)
tokenizer.model_max_length = longest  # this is saved
length = min(options.length, longest)
settings = {"length": length, "word_ids": options.whole_words}
rows = TokenRows(encode_rows(texts, tokenizer, **settings, progress=own))
held_out_rows = TokenRows(encode_rows(held_out, tokenizer, **settings))
unknown = rows.share_of(tokenizer.unk_token_id)
print(f"{len(rows):,} rows of up to {length} tokens, {unknown:.2%} unknown")
print(textwrap.fill(tokenizer.decode(rows[0]["input_ids"]), 44))

# %% fixed masks
collator = KeepMasksCollator(
    tokenizer, seed=0, whole_word_mask=options.whole_words
)
measured_on = fixed_masks(held_out_rows, collator)

# %% settings of the trainer
arguments = TrainingArguments(
    output_dir=str(options.output / "checkpoints"),
    num_train_epochs=options.epochs,
    learning_rate=options.learning_rate,
    warmup_steps=0.1,  # below 1: a share of all steps
    per_device_train_batch_size=options.batch_size,
    per_device_eval_batch_size=options.batch_size,
    eval_strategy="epoch",
    save_strategy="epoch" if own else "no",
    save_total_limit=1,
    remove_unused_columns=False,  # it would drop word_ids
    disable_tqdm=not own,
    report_to="none",
)

# %% the trainer
trainer = Trainer(
    model,
    arguments,
    train_dataset=rows,
    eval_dataset=measured_on,
    data_collator=collator,
    processing_class=tokenizer,
    compute_metrics=perplexity,
    preprocess_logits_for_metrics=row_losses,
)
trainer.remove_callback(PrinterCallback)

# %% before and after
before = trainer.evaluate()
trainer.train()
after = trainer.evaluate()
for name, metrics in {"before": before, "after": after}.items():
    print(f"{name}: perplexity {metrics['eval_perplexity']:.2f}")
print(f"over {before['eval_masked_tokens']:,} masked tokens, the same ones")

# %% save and use
trainer.save_model(str(options.output))  # the tokenizer as well
if not own:
    sentence = "Edith loved the lovely, [MASK] banquet of the castle."
    repeated = {}
    for when, name in {
        "before": options.model,
        "after": options.output,
    }.items():
        fill = pipeline("fill-mask", model=str(name))
        guesses = fill(sentence, top_k=3)
        print(when, *(f"{g['token_str']} {g['score']:.0%}" for g in guesses))
        (lovely,) = fill(sentence, targets=["lovely"])
        repeated[when] = lovely["score"]

# %% the old stories
if not own:
    old = write_texts(scratch / "old", 40, seed=301, split="test")
    old = read_texts(old, ends="blank line")
    old_rows = fixed_masks(encode_rows(old, tokenizer, length), collator)
    on_old = {"after": trainer.evaluate(old_rows)["eval_perplexity"]}
    trainer.model.load_state_dict(load_model(options.model).state_dict())
    on_old["before"] = trainer.evaluate(old_rows)["eval_perplexity"]
    print(f"before {on_old['before']:.2f}, after {on_old['after']:.2f}")

# %% claims tags=["hide-input"]
values = {}
if not own:
    values = {
        "before": before["eval_perplexity"],
        "after": after["eval_perplexity"],
        "masked_tokens": before["eval_masked_tokens"],
        "old_before": on_old["before"],
        "old_after": on_old["after"],
        "repeated_before": repeated["before"],
        "repeated_after": repeated["after"],
        "rows": len(rows),
    }
# the claims are about the default run
ratio = values["before"] / values["after"] if values else float("inf")
assert ratio > 1.4, "Perplexity on new text falls by at least a quarter"
change = abs(values["old_after"] - values["old_before"]) if values else 0
assert change < 0.3, "On the old stories it changes by less than 0.3"
