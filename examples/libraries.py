# %% [markdown]
# # What the libraries do
# Behaviour of transformers, accelerate and torch that changes a training and
# raises no error. [The reference](../reference/libraries.md) has it in a table.

# %% set-up
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version

import torch
from safetensors import safe_open
from torch.utils.data import DataLoader, SequentialSampler
from transformers import (
    AddedToken,
    AutoModelForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertModel,
    BertTokenizer,
    DataCollatorForLanguageModeling,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)
from transformers.pipelines import get_supported_tasks
from transformers.utils import logging

IGNORED = -100  # the label without a loss

logging.set_verbosity_error()
logging.disable_progress_bar()
for library in ("torch", "transformers", "accelerate"):
    print(f"{library:13}{version(library).partition('+')[0]}")

# %% rows to mask
pieces = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] hugo loved the cake at inn un ##like ##ly"
)
tokenizer = BertTokenizer(
    vocab={piece: number for number, piece in enumerate(pieces.split())}
)
text = "Hugo loved the unlikely cake at the inn"  # ten pieces
row = tokenizer(text, return_special_tokens_mask=True)
short = tokenizer("Hugo loved the cake at the inn")  # seven

# %% a row without a target
torch.manual_seed(0)
stock = DataCollatorForLanguageModeling(tokenizer)
labels = stock([dict(short) for _ in range(5_000)])["labels"]  # (5000, length)
without = (labels == IGNORED).all(dim=1).float().mean().item()
print(f"of the rows with seven tokens, {without:.1%} have no target")
assert without > 0.25, (
    "More than a quarter of the rows with seven tokens have no target"
)

# %% what the collator returns
keys = list(stock([short["input_ids"], row["input_ids"]]))
given = torch.tensor([row["input_ids"]] * 50)
before = given.clone()
stock.torch_mask_tokens(given)
changed = (given != before).sum().item()
print("for lists of ids it returns", *keys)
assert "attention_mask" not in keys, (
    "Given lists of ids, it returns no attention mask"
)
assert changed > 0, "`torch_mask_tokens` changes its argument"

# %% unknown words
everything = DataCollatorForLanguageModeling(tokenizer, mlm_probability=1)
unknown = tokenizer("Hugo loved the zebra", return_special_tokens_mask=True)
named = everything([dict(unknown)])["labels"]
del unknown["special_tokens_mask"]
unnamed = everything([dict(unknown)])["labels"]
for name, its in (("with", named), ("without", unnamed)):
    print(name, "the column:", *tokenizer.batch_decode(its[its != IGNORED]))
assert tokenizer.unk_token_id in named, (
    "With the column `special_tokens_mask`, [UNK] is selected"
)
assert tokenizer.unk_token_id not in unnamed, (
    "Without it, [UNK] is not selected"
)

# %% whole words
whole = DataCollatorForLanguageModeling(tokenizer, whole_word_mask=True)
encoded = tokenizer(
    text, return_offsets_mapping=True, return_special_tokens_mask=True
)
batch = whole([dict(encoded) for _ in range(500)])
selected = batch["labels"] != IGNORED  # (500, length)
seen = batch["input_ids"][selected]
masked = (seen == tokenizer.mask_token_id).float().mean().item()
assert masked == 1, "With whole words, every selected token becomes [MASK]"

# as in Chinese, each token begins where the one before it ends
touching = {
    name: encoded[name] for name in ("input_ids", "special_tokens_mask")
}
touching["offset_mapping"] = [(n, n + 1) for n in range(len(row["input_ids"]))]
chosen = whole([dict(touching) for _ in range(500)])["labels"] != IGNORED
together = {int(count) for count in chosen.sum(dim=1)}
assert len(together) == 2, (
    "Words that touch, as in Chinese, are one: all are masked or none"
)

# %% seeds and workers
seeded = DataCollatorForLanguageModeling(tokenizer, seed=0)


def masks(workers):
    """The masks of eight equal batches, in each of two epochs."""
    loader = DataLoader(
        [dict(row) for _ in range(64)],
        batch_size=8,
        num_workers=workers,
        collate_fn=seeded,
    )
    return [
        [str(batch["labels"].tolist()) for batch in loader] for _ in range(2)
    ]


first, second = masks(workers=2)
assert first == second, (
    "With a seed and workers, it draws the same masks in every epoch"
)
seeded([dict(row)])  # one batch in this process, to look at
after, _ = masks(workers=2)
print(f"two workers: {len(set(first))} of 8 batches have masks of their own")
print(f"after one batch elsewhere: {len(set(after))} of 8")
assert len(set(after)) == 4, (
    "If it has made a batch before, its two workers draw the same masks"
)

# %% a small model to train
config = BertConfig(
    vocab_size=40,
    hidden_size=16,
    num_attention_heads=2,
    num_hidden_layers=1,
    intermediate_size=16,
    max_position_embeddings=32,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
torch.manual_seed(0)
ids = torch.randint(5, 40, (16, 10))  # (rows, length)
labels = torch.full_like(ids, IGNORED)
labels[:, 2:5] = ids[:, 2:5]
rows = [
    {"input_ids": i, "labels": its} for i, its in zip(ids, labels, strict=True)
]
empty = [dict(r, labels=torch.full_like(r["labels"], IGNORED)) for r in rows]


class Watched(Trainer):
    """Keeps what it logs, and takes the rows in their order."""

    def log(self, logs, *args, **kwargs):
        self.logged = [*getattr(self, "logged", []), logs]

    def _get_train_sampler(self, dataset=None):
        return SequentialSampler(dataset or self.train_dataset)


def trainer(model=None, data=rows, **settings):
    """A Trainer for one of transformers' models, without clipping."""
    torch.manual_seed(1)
    arguments = TrainingArguments(
        tempfile.mkdtemp(),
        logging_steps=1,
        max_grad_norm=1e9,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        **settings,
    )
    model = model or BertForMaskedLM(config)
    return Watched(model, arguments, train_dataset=data, eval_dataset=data)


def steps(**settings):
    """The loss and the norm of the gradient, as logged for each step."""
    made = trainer(**settings)
    made.train()
    return [
        (logs["loss"], logs["grad_norm"])
        for logs in made.logged
        if "loss" in logs
    ]


# %% accumulated gradients
[whole_batch] = steps(max_steps=1, per_device_train_batch_size=16)
[in_parts] = steps(
    max_steps=1, per_device_train_batch_size=4, gradient_accumulation_steps=4
)
times = in_parts[1] / whole_batch[1]
for name, seen in (("16 rows", whole_batch), ("4 times 4", in_parts)):
    print(f"{name:10} loss {seen[0]:5.2f}, norm of the gradient {seen[1]:5.2f}")
assert abs(times - 4) < 0.1, (
    "Accumulated over four batches, the gradient is four times as large"
)

last = steps(
    data=[*rows[:4], *rows[:4], *rows[:4]],
    num_train_epochs=1,
    per_device_train_batch_size=4,
    gradient_accumulation_steps=2,
    learning_rate=1e-12,
)
half = last[1][1] / last[0][1]
assert abs(half - 0.5) < 0.01, (
    "The last update, of one batch instead of two, gets half the gradient"
)

# %% two processes tags=["hide-input"]
script = os.path.join(tempfile.mkdtemp(), "two.py")
with open(script, "w") as file:
    file.write(
        """
import tempfile, torch
from transformers import BertConfig, BertForMaskedLM, Trainer, TrainingArguments
torch.manual_seed(1)
config = BertConfig(vocab_size=40, hidden_size=16, num_attention_heads=2,
                    num_hidden_layers=1, intermediate_size=16)
model, ids = BertForMaskedLM(config).eval(), torch.randint(5, 40, (16, 10))
arguments = TrainingArguments(
    tempfile.mkdtemp(), use_cpu=True, report_to=[], disable_tqdm=True,
    per_device_eval_batch_size=8)
rows = [{"input_ids": row, "labels": row} for row in ids]
trainer = Trainer(model, arguments, eval_dataset=rows)
eval_loss = trainer.evaluate()["eval_loss"]
if trainer.is_world_process_zero():
    print("losses", model(ids, labels=ids).loss.item(), eval_loss)
"""
    )
two = "--nproc-per-node=2"
ended = subprocess.run(
    [sys.executable, "-m", "torch.distributed.run", two, script],
    capture_output=True,
    text=True,
)
[line] = [s for s in ended.stdout.splitlines() if s.startswith("losses")]
alone, in_two = map(float, line.split()[1:])
print(f"loss of 16 rows: {alone:.2f}, from evaluate on two processes: ", end="")
print(f"{in_two:.2f}")
assert abs(in_two / alone - 2) < 0.01, (
    "On two processes, `evaluate` returns twice the loss"
)

# %% not a number
logged = steps(
    data=[*rows[:4], *empty[:4], *rows[4:8]],
    num_train_epochs=1,
    per_device_train_batch_size=4,
)
with_labels = trainer(data=rows[:8], per_device_eval_batch_size=4).evaluate()
mixed = [*rows[:8], *empty[:4]]
with_empty = trainer(data=mixed, per_device_eval_batch_size=4).evaluate()
loss = BertForMaskedLM(config)(ids, labels=torch.full_like(ids, IGNORED)).loss
assert loss.isnan().item(), "A batch without a target has a loss that is NaN"
assert logged[1][0] == 0, "`Trainer` logs such a step as a loss of 0"
assert with_empty["eval_loss"] == with_labels["eval_loss"], (
    "`evaluate` leaves such a batch out of its mean"
)

# %% what is measured and predicted
rounded = trainer(bf16_full_eval=True)
rounded.evaluate()
print("after an evaluation in bfloat16 the model is", rounded.model.dtype)
assert rounded.model.dtype == torch.bfloat16, (
    "An evaluation in bfloat16 leaves the model in bfloat16"
)


def predicted(**settings):
    """The labels that come back for six rows labelled 0 to 5."""
    lengths = (4, 9, 2, 7, 3, 5)
    numbered = [
        {"input_ids": ids[0, :length].tolist(), "labels": number}
        for number, length in enumerate(lengths)
    ]
    model = BertForSequenceClassification(
        BertConfig(**config.to_dict() | {"num_labels": 6})
    )
    made = trainer(model, numbered, per_device_eval_batch_size=4, **settings)
    made.data_collator = DataCollatorWithPadding(tokenizer)
    return made.predict(numbered).label_ids.tolist()


by_length = predicted(train_sampling_strategy="group_by_length")
dropped = predicted(dataloader_drop_last=True)
print("six rows, by length:", *by_length)
print("without the last batch:", *dropped)
assert sorted(by_length) == predicted() != by_length, (
    "Grouping by length, `predict` returns the rows in another order"
)
assert len(dropped) == 4, (
    "Dropping the last batch, `predict` leaves its rows out"
)

# %% ignored positions
asks = BertForQuestionAnswering(config).eval()
ends = torch.full((16,), 3)
with torch.inference_mode():
    at_cls, marked = (
        asks(
            ids, start_positions=torch.full((16,), at), end_positions=ends
        ).loss
        for at in (0, IGNORED)
    )
assert marked == at_cls, "A start at -100 is one at position 0"

# %% names that nobody reads
encoder = BertModel(config).eval()
with torch.inference_mode():
    plain = encoder(ids).last_hidden_state  # (rows, length, hidden)
    heads_off = encoder(ids, head_mask=torch.zeros(1, 2)).last_hidden_state
same = torch.equal(plain, heads_off)
print("with all heads off:", "the same vectors" if same else "others")
assert same, "`BertModel` takes `head_mask`, as any other name, and ignores it"

# %% the segments of a pair
trained = PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer)
pair = trained("hugo loved", "the cake")
print("a pair has", *pair)
assert "token_type_ids" not in pair, (
    "A tokenizer of no model's class leaves out a pair's `token_type_ids`"
)

# %% words of your own
for like in ("like", AddedToken("like", single_word=True)):
    grown = BertTokenizer(vocab=tokenizer.get_vocab())
    grown.add_tokens([like])
    found = grown.tokenize("the unlikely cake")
    print(f"{type(like).__name__:10}", *found)
    if isinstance(like, str):
        assert "like" in found, "A word that you add is cut out of others, too"
assert found == tokenizer.tokenize("the unlikely cake"), (
    "With `single_word=True` other words stay whole"
)

# %% half precision
folder = tempfile.mkdtemp()
BertForMaskedLM(config).bfloat16().save_pretrained(folder)
model = AutoModelForMaskedLM.from_pretrained(folder)
loaded = {name: p.detach().clone() for name, p in model.named_parameters()}
steps(
    model=model,
    max_steps=20,
    per_device_train_batch_size=8,
    learning_rate=2e-5,
)
moved = {
    name: (parameter != loaded[name]).float().mean().item()
    for name, parameter in model.named_parameters()
}
norms = [name for name in moved if name.endswith("LayerNorm.weight")]
norms_moved = max(moved[name] for name in norms)
print("a checkpoint in bfloat16 is loaded as", model.dtype)
assert model.dtype == torch.bfloat16, "It is trained in bfloat16, too"
assert norms_moved == 0, (
    "After 20 steps at 2e-5, no weight of a LayerNorm has changed"
)


# %% names of classes
def names(*classes):
    """What a configuration has of the names of its classes."""
    numbers = {name: number for number, name in enumerate(classes)}
    return {"id2label": dict(enumerate(classes)), "label2id": numbers}


sorter = BertForSequenceClassification(
    BertConfig(**config.to_dict() | names("good", "bad"))
)
sorter.save_pretrained(folder)
load = BertForSequenceClassification.from_pretrained
for turned in (load(folder), load(folder, **names("bad", "good"))):
    with torch.inference_mode():
        best = turned(ids[:1]).logits.argmax().item()
    print(f"class {best} has the best score:", turned.config.id2label[best])
assert torch.equal(turned.classifier.weight, sorter.classifier.weight), (
    "Other names for its classes leave the head as it is"
)

# %% packed rows
torch.manual_seed(0)
encoder = BertModel(config, add_pooling_layer=False).eval()
positions = torch.arange(10).repeat(2)[None]  # from 0 again in the second text
with torch.inference_mode():
    apart = torch.cat([encoder(ids[n : n + 1])[0] for n in (0, 1)], dim=1)
    packed = encoder(ids[:2].reshape(1, 20), position_ids=positions)[0]
off = (packed - apart).abs().max().item()
print(f"two texts in one row: vectors differ by up to {off:.4f}")
assert off > 1e-4, "Two texts in one row read each other"

# %% losses, weights and pipelines
both = BertForPreTraining(config)
only_mlm = both(ids, labels=labels).loss
both.save_pretrained(folder)
with safe_open(os.path.join(folder, "model.safetensors"), "pt") as file:
    decoder = [name for name in file.keys() if ".decoder." in name]  # noqa: SIM118
assert only_mlm is None, "`BertForPreTraining` has no loss without both labels"
assert not decoder, "`save_pretrained` leaves `cls.predictions.decoder` out"
assert "question-answering" not in get_supported_tasks(), (
    "There is no question-answering pipeline"
)

# %%
values = {
    "torch": version("torch").partition("+")[0],
    "transformers": version("transformers"),
    "accelerate": version("accelerate"),
    "without": without,
    "times": times,
    "half": half,
    "alone": alone,
    "in_two": in_two,
    "off": off,
}
