# %% [markdown]
# # Fine-tune a classifier on your own table
# From a CSV or JSONL file to a model that the text-classification pipeline
# loads. [The recipe](../use/classify.md) explains it.

# %% arguments
import argparse
import csv
import sys
import tempfile
import textwrap
from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    pipeline,
)

from bertlesson.asking import leave_out_segments
from bertlesson.classes import with_classes
from bertlesson.classification import accuracy_and_f1, encode_table
from bertlesson.heads import SequenceClassificationModel
from bertlesson.inputs import longest_row
from bertlesson.tables import read_table, write_predictions

parser = argparse.ArgumentParser(description="Fine-tune a classifier.")
add = parser.add_argument
add("--train", type=Path, help="CSV, TSV or JSONL; default: a small set")
add("--dev", type=Path, help="to choose the epoch on")
add("--test", type=Path, help="to measure on and predict")
add("--text", default="text", help="the column with the text")
add("--text-pair", help="the column with a second text")
add("--label", default="label", help="the column with the class")
add("--model", help="a folder or a name; default: the lesson's checkpoint")
add("--output", type=Path, help="the folder to save the model in")
add("--length", type=int, default=128, help="tokens in a row, at most")
add("--epochs", type=float, default=4)
add("--batch-size", type=int, default=16)
add("--learning-rate", type=float, default=3e-5)
# a notebook has arguments of its own
options = parser.parse_args([] if "ipykernel" in sys.modules else None)
own = bool(options.train or options.model)
if own and None in (options.train, options.dev, options.output):
    parser.error("expected --train, --dev and --output (and --test if any)")

# %% the default run tags=["hide-input"]
if not own:
    from bertlesson.lesson import tiny
    from bertlesson.lesson.files import write_table

    scratch = Path(tempfile.mkdtemp(prefix="classify-"))
    checkpoint = tiny.load()
    options.model = str(scratch / "lesson")
    checkpoint.model.save_pretrained(options.model)
    checkpoint.tokenizer.save_pretrained(options.model)
    options.train = write_table(scratch / "train.csv", 64, seed=100)
    options.dev = write_table(scratch / "dev.csv", 100, seed=101)
    options.test = write_table(
        scratch / "test.csv", 200, seed=100, split="test"
    )
    options.output = scratch / "model"
    options.epochs, options.learning_rate = 8, 1e-3  # it is small and new

# %% tables
columns = {
    "text": options.text,
    "text_pair": options.text_pair,
    "label": options.label,
}
train = read_table(options.train, **columns)
tables = {"train": train}
for name, path in {"dev": options.dev, "test": options.test}.items():
    if path:
        tables[name] = read_table(path, **columns, classes=train.classes)
for name, table in tables.items():
    shares = [table.labels.count(n) / len(table) for n in train.id2label]
    each = zip(train.classes, shares, strict=True)
    print(name, len(table), *(f"{label} {share:.0%}" for label, share in each))
for name, value in train[0].items():
    print(f"{name}: {value}")

# %% the model
kind = AutoModelForSequenceClassification
if AutoConfig.from_pretrained(options.model).model_type == "bert":
    kind = SequenceClassificationModel
torch.manual_seed(0)  # the head's weights are drawn
model = kind.from_pretrained(
    options.model,
    dtype=torch.float32,  # small updates vanish in half precision
)
with_classes(model, train.classes)  # what its head knows of them is kept

# %% rows
tokenizer = AutoTokenizer.from_pretrained(options.model)
leave_out_segments(tokenizer, model)  # if it has none
# some tokenizers do not say what the model reads, some models have no limit
longest = min(longest_row(model) or 10**30, tokenizer.model_max_length)
tokenizer.model_max_length = longest  # this is saved
length = min(options.length, longest)
rows = {}
for name, table in tables.items():
    encoded = encode_table(table, tokenizer, length)
    rows[name] = encoded.rows
    print(
        f"{name}: {len(encoded.truncated)} of {len(table)} texts cut to "
        f"{length} tokens, {encoded.tokens_cut} tokens lost"
    )

# %% settings of the trainer
arguments = TrainingArguments(
    output_dir=str(options.output / "checkpoints"),
    num_train_epochs=options.epochs,
    learning_rate=options.learning_rate,
    warmup_steps=0.1,  # below 1: a share of all steps
    per_device_train_batch_size=options.batch_size,
    eval_strategy="epoch",
    save_strategy="epoch",
    save_total_limit=1,  # beside the best
    load_best_model_at_end=True,
    metric_for_best_model="macro_f1",
    disable_tqdm=not own,
    report_to="none",
)

# %% the trainer
trainer = Trainer(
    model,
    arguments,
    train_dataset=rows["train"],
    eval_dataset=rows["dev"],
    data_collator=DataCollatorWithPadding(tokenizer),
    processing_class=tokenizer,
    compute_metrics=accuracy_and_f1,
    callbacks=[EarlyStoppingCallback(early_stopping_patience=2)],
)
trainer.remove_callback(PrinterCallback)

# %% train
trainer.train()
for log in trainer.state.log_history:
    if "eval_macro_f1" in log:
        print(
            f"epoch {log['epoch']:.0f}: accuracy {log['eval_accuracy']:.1%}, "
            f"macro-F1 {log['eval_macro_f1']:.3f}"
        )
print(f"best macro-F1: {trainer.state.best_metric:.3f}")

# %% save, measure and predict
trainer.save_model(str(options.output))  # the tokenizer as well
if options.test:
    predicted = trainer.predict(rows["test"])
    print(f"test: accuracy {predicted.metrics['test_accuracy']:.1%}")
    print(f"test: macro-F1 {predicted.metrics['test_macro_f1']:.3f}")
    path = options.output / "predictions.csv"
    write_predictions(path, tables["test"], predicted)
    with path.open(encoding="utf-8", newline="") as file:
        for row in list(csv.reader(file))[:4]:
            print(textwrap.shorten(" | ".join(row), 72))

# %% use
classify = pipeline("text-classification", model=str(options.output))
text = train[0]["text"] if own else "What a delightful melon!"
print(classify(text, truncation=True))

# %% claims tags=["hide-input"]
values = {}
if not own:
    values = {
        "dev_f1": trainer.state.best_metric,
        "accuracy": predicted.metrics["test_accuracy"],
        "macro_f1": predicted.metrics["test_macro_f1"],
        "epochs": trainer.state.epoch,
    }
# the claim is about the default run
accuracy = values.get("accuracy", 1.0)
assert accuracy > 0.9, "More than nine of ten test sentences are correct"
