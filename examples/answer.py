# %% [markdown]
# # Find answers
# From SQuAD's JSON to a model that answers or declines, and its scores.
# [The page](../use/answer.md) explains it.

# %% settings
import argparse
import sys
import tempfile
import textwrap
from pathlib import Path

import torch
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from bertlesson.answers import rank_answers
from bertlesson.asking import (
    answer_questions,
    leave_out_segments,
    predict_spans,
    row_length,
)
from bertlesson.finetuning import with_encoder
from bertlesson.heads import QuestionAnsweringModel
from bertlesson.spans import encode_questions, thin_rows
from bertlesson.squad import read_squad, write_predictions
from bertlesson.squad_metrics import best_null_threshold, score_answers

parser = argparse.ArgumentParser(description="Fine-tune a model on SQuAD.")
parser.add_argument("--model", help="a folder or a name on the hub")
parser.add_argument("--train", help="SQuAD's JSON, version 1.1 or 2.0")
parser.add_argument("--dev", help="the same, to choose the threshold on")
parser.add_argument("--test", help="the same, to score on; default: --dev")
parser.add_argument("--output", help="a folder; default: a temporary one")
parser.add_argument("--epochs", type=float, default=2)
parser.add_argument("--batch-size", type=int, default=16)
parser.add_argument("--learning-rate", type=float, default=3e-5)
parser.add_argument("--max-length", type=int, help="of a row, in pieces")
parser.add_argument("--stride", type=int, help="pieces that rows share")
# a notebook has arguments of its own
options = parser.parse_args([] if "ipykernel" in sys.modules else None)
if options.model and not (options.train and options.dev):
    parser.error("--model needs --train and --dev")

own = bool(options.model or options.train)
options.output = options.output or tempfile.mkdtemp()

# %% the lesson's model and files
if options.model is None:
    from bertlesson.lesson import tiny
    from bertlesson.lesson.files import write_squad

    checkpoint = tiny.load()
    tokenizer = checkpoint.tokenizer
    torch.manual_seed(0)
    model = QuestionAnsweringModel(checkpoint.model.config)
    model = with_encoder(model, checkpoint.model.bert)
    folder = Path(tempfile.mkdtemp())
    sizes = {"train": (1000, 100, "train"), "dev": (200, 101, "train")}
    sizes["test"] = (200, 100, "test")
    for name, (count, seed, split) in sizes.items():
        path = folder / f"{name}.json"
        write_squad(path, count, seed=seed, split=split, impossible=0.3)
        setattr(options, name, getattr(options, name) or str(path))
    options.learning_rate = 4e-3  # for a small model

# %% your own model
if options.model is not None:
    try:
        tokenizer = AutoTokenizer.from_pretrained(options.model)
        model = AutoModelForQuestionAnswering.from_pretrained(
            options.model,
            num_labels=2,  # start and end, whatever it was fine-tuned for
            dtype=torch.float32,
            ignore_mismatched_sizes=True,  # as its head may be, too
        )
    except OSError as error:
        sys.exit(
            f"could not load {options.model}: {error}\n"
            "pass a folder with the model, or check the name and connection"
        )
    leave_out_segments(tokenizer, model)  # if it has none

# %% the files
train = read_squad(options.train)
dev = read_squad(options.dev)
test = read_squad(options.test or options.dev)
length = row_length(model, tokenizer, options.max_length)
stride = options.stride
if stride is None:
    stride = min(128, length // 3)
for name, read in {"train": train, "dev": dev, "test": test}.items():
    without = sum(not question.answers for question in read)
    print(f"{name}: {len(read)} questions, {without} without an answer")


# %% rows
def encode(questions, labelled=False):
    """Rows of the model, several for a long context."""
    return encode_questions(
        tokenizer,
        [question.question for question in questions],
        [question.context for question in questions],
        [question.span for question in questions] if labelled else None,
        stride=stride,
        max_length=length,
    )


rows = encode(train, labelled=True)
kept = thin_rows(rows, share=0.5)
print(f"{len(kept.example)} of {len(rows.example)} rows of {length} pieces")
names, columns = kept.features.keys(), kept.features.values()
data = [  # as `Trainer` reads it: a dict for each row
    dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)
]

# %% training
settings = TrainingArguments(
    options.output,
    num_train_epochs=options.epochs,
    per_device_train_batch_size=options.batch_size,
    learning_rate=options.learning_rate,
    warmup_steps=0.1,
    weight_decay=0.01,
    save_strategy="no",
    report_to="none",
    disable_tqdm=True,
    dataloader_pin_memory=torch.cuda.is_available(),
    seed=0,
)
trainer = Trainer(model, settings, train_dataset=data)
trainer.remove_callback(PrinterCallback)  # it prints how long it took
trainer.train()
trainer.save_model()
tokenizer.save_pretrained(options.output)


# %% ranked answers
def rank(questions):
    """The best text for each question, and how sure "no answer" is."""
    encoded = encode(questions)
    logits = predict_spans(model, encoded, batch_size=options.batch_size)
    rankings = rank_answers(**logits, questions=encoded)
    texts, null_odds = {}, {}
    for question, ranking in zip(questions, rankings, strict=True):
        best = ranking.candidates[:1]
        text = [question.context[each.start : each.end] for each in best]
        texts[question.id] = text[0] if text else ""
        null_odds[question.id] = ranking.null_odds
    return texts, null_odds


# %% the threshold
threshold, at_best = best_null_threshold(dev, *rank(dev), metric="f1")
print(f"threshold {threshold:.2f}: F1 {at_best:.1f} on the development data")

# %% scores
texts, null_odds = rank(test)
answers = {
    name: "" if null_odds[name] > threshold else text
    for name, text in texts.items()
}
scores = score_answers(test, answers)
for name, value in scores.items():
    print(f"{name:14}{value:8.1f}")
write_predictions(Path(options.output) / "predictions.json", answers)
write_predictions(Path(options.output) / "null_odds.json", null_odds)

# %% a question of your own
asked = [question.question for question in test[:2]]
contexts = [question.context for question in test[:2]]  # of any length
found = answer_questions(
    model, tokenizer, asked, contexts, top_k=2, null_threshold=threshold
)
for question, best in zip(asked, found, strict=True):
    print(question)
    for answer in best:
        text = textwrap.shorten(answer.text, 38, placeholder=" …")
        print(f"  {answer.probability:6.1%}  {text or '(no answer)'}")

# %% what the page says tags=["hide-input"]
exact = next(iter(scores))  # "exact", or "exact_match" in version 1.1
declined = score_answers(test, dict.fromkeys(answers, ""))[exact]
values = {"threshold": threshold, "declined": declined} | scores
# the claim is about the default run
ahead = 100.0 if own else scores[exact] - declined
assert ahead > 20, (
    "It scores at least 20 points more than declining every question"
)
