"""The time to the same quality, against transformers' `Trainer`, collator and `BertForPreTraining`.

Run it as `python benchmarks/quality.py`; it takes half an hour. Both sides pretrain the lesson's
small BERT from the same weights, on the lesson's pairs and in batches of the same size, on one
thread. What counts is the processor time of the training, evaluations left out, until the loss of
masked language modelling on held-out pairs is at or below a target. Each side has the learning rate
that gets there soonest, of those tried; a rate that takes longer than another is given up.

The time depends on the vocabulary, so it is measured with the lesson's own and with 8,192 pieces,
most of which the lesson's text never uses. It fails unless the second is at least 3 times as fast.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import process_time

import torch
from sides import Table, row_of
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from transformers import (
    BertConfig,
    BertForPreTraining,
    DataCollatorForLanguageModeling,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    get_constant_schedule_with_warmup,
)

from bertlesson.collating import MaskingCollator
from bertlesson.lesson.corpus import generate_documents
from bertlesson.lesson.tiny import Settings, sentence_pairs, shuffled_batches
from bertlesson.lesson.vocabulary import make_tokenizer
from bertlesson.optimization import make_optimizer
from bertlesson.pretraining import PretrainingModel
from bertlesson.training import train

SETTINGS = Settings()
DOCUMENTS, HELD_OUT = 8_000, 300
TARGET = 2.0  # nats; a random start has 6 to 9, and frequencies alone leave 4
RATES = (2e-3, 4e-3, 1e-3)
EVERY, LIMIT = 25, 1_000  # steps between evaluations, and at most
PIECES, BAR = 8_192, 3.0


class Stop(Exception):  # noqa: N818
    """The target is reached, or cannot be reached sooner than before."""


class Watch:
    """Adds up the processor time of a training, and stops it at the target.

    Args:
        model: What is trained.
        batches: The held-out pairs, masked once.
        limit: Seconds after which another learning rate has won.
    """

    def __init__(
        self, model: PreTrainedModel, batches: list[dict[str, Tensor]], limit: float
    ) -> None:
        self.model, self.batches, self.limit = model, batches, limit
        self.seconds, self.steps, self.loss = 0.0, 0, float("inf")
        self.began = process_time()

    def __call__(self, step: int) -> None:
        """After each step."""
        if step % EVERY:
            return
        self.seconds += process_time() - self.began
        self.steps, self.loss = step, held_out_loss(self.model, self.batches)
        if self.loss <= TARGET or self.seconds >= self.limit or step >= LIMIT:
            raise Stop
        self.began = process_time()


class CallWatch(TrainerCallback):
    """Tells the watch of `Trainer`'s steps."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def on_train_begin(self, args, state, control, **kwargs):
        self.watch.began = process_time()

    def on_step_end(self, args, state, control, **kwargs):
        self.watch(state.global_step)


@torch.no_grad()
def held_out_loss(model: PreTrainedModel, batches: Iterable[dict[str, Tensor]]) -> float:
    """Nats per selected token; both models name their parts alike."""
    model.eval()
    head = model.get_submodule("cls.predictions")
    total = count = 0.0
    for batch in batches:
        inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids")}
        selected = batch["labels"] != -100  # (batch, length)
        logits = head(model.bert(**inputs).last_hidden_state[selected])  # (selected, vocab)
        total += F.cross_entropy(logits, batch["labels"][selected], reduction="sum").item()
        count += int(selected.sum())
    model.train()
    return total / count


def main() -> int:
    torch.set_num_threads(1)
    documents = generate_documents(DOCUMENTS, 0)
    length = SETTINGS.max_seq_length
    tokenizer = make_tokenizer(documents, SETTINGS.whole_words, length)
    pairs = sentence_pairs(documents[:-HELD_OUT], tokenizer, length, 0)
    held_out = sentence_pairs(documents[-HELD_OUT:], tokenizer, length, 1)
    collator = MaskingCollator(tokenizer, seed=1)
    judged = [collator(held_out[start : start + 64]) for start in range(0, len(held_out), 64)]
    # the rows as lists, without padding, and with the special tokens marked: what is fastest there
    rows = []
    for number in range(len(pairs)):
        row = pairs[number]
        size = int(row["attention_mask"].sum())
        label = int(row.pop("next_sentence_label"))
        rows.append({key: values[:size].tolist() for key, values in row.items()})
        rows[-1]["next_sentence_label"] = label

    def theirs(config: BertConfig, rate: float, limit: float) -> Watch:
        torch.manual_seed(0)
        watch = Watch(BertForPreTraining(config), judged, limit)
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                folder,
                per_device_train_batch_size=SETTINGS.batch_size,
                max_steps=LIMIT,
                learning_rate=rate,
                lr_scheduler_type="constant_with_warmup",
                warmup_steps=SETTINGS.warmup_steps,
                weight_decay=0.01,
                use_cpu=True,
                remove_unused_columns=False,  # it would take the marks of the special tokens
                logging_strategy="no",
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
            )
            trainer = Trainer(
                watch.model,
                arguments,
                data_collator=DataCollatorForLanguageModeling(tokenizer),
                train_dataset=rows,
                callbacks=[CallWatch(watch)],
            )
            with suppress(Stop):
                trainer.train()
        return watch

    def ours(config: BertConfig, rate: float, limit: float) -> Watch:
        torch.manual_seed(0)
        model = PretrainingModel(config, nsp_weight=1.0)
        watch = Watch(model, judged, limit)
        optimizer = make_optimizer(model, rate)
        schedule = get_constant_schedule_with_warmup(optimizer, SETTINGS.warmup_steps)
        masked = MaskingCollator(tokenizer, seed=0)
        batches = shuffled_batches(pairs, masked, SETTINGS.batch_size, seed=0)
        with suppress(Stop):
            train(model, batches, optimizer, schedule, steps=LIMIT, on_step=watch, progress=False)
        return watch

    print(f"{len(pairs):,} pairs, {len(held_out):,} held out")
    table = Table("quality", "transformers", ("torch", "transformers"))
    for size, bar in ((len(tokenizer), 0), (PIECES, BAR)):
        config = BertConfig(
            vocab_size=size,
            hidden_size=SETTINGS.hidden_size,
            num_hidden_layers=SETTINGS.layers,
            num_attention_heads=SETTINGS.heads,
            intermediate_size=SETTINGS.intermediate_size,
            max_position_embeddings=length,
            initializer_range=SETTINGS.initializer_range,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        seconds = [[soonest(side, config)] for side in (theirs, ours)]
        table.add(row_of(f"to {TARGET} nats, {size:,} pieces", "s", *seconds), bar)
    return table.end()


def soonest(side: Callable[[BertConfig, float, float], Watch], config: BertConfig) -> float:
    """Seconds to the target at the best of the learning rates; each is told of."""
    best = float("inf")
    for rate in RATES:
        watch = side(config, rate, best)
        print(
            f"  {side.__name__}, learning rate {rate:g}: {watch.loss:.2f} nats after {watch.steps} "
            f"steps, {watch.seconds:.1f} s",
            flush=True,
        )
        if watch.loss <= TARGET:
            best = min(best, watch.seconds)
    return best


if __name__ == "__main__":
    sys.exit(main())
