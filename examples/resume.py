# %% [markdown]
# # Stop and go on
# A training is killed, resumed, and ends with the weights it would have had.
# [The page](../use/resume.md) explains it.

# %% set-up
import argparse
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoTokenizer,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    logging,
)
from transformers.trainer_utils import get_last_checkpoint

from bertlesson.collating import MaskingCallback, MaskingCollator
from bertlesson.inputs import longest_row
from bertlesson.resuming import ExactResume, last_whole_checkpoint
from bertlesson.texts import read_texts

parser = argparse.ArgumentParser(description="Pretrain, and go on if killed.")
parser.add_argument("--model", help="a folder, or a name on the hub")
parser.add_argument("--train", type=Path, help="a file with one text a line")
parser.add_argument("--output", type=Path, help="folder for the checkpoints")
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--save-every", type=int, default=2, help="in steps")
parser.add_argument("--batch-size", type=int, default=4)
# a notebook has arguments of its own
args = parser.parse_args([] if "ipykernel" in sys.modules else None)
given = [args.model, args.train, args.output]
own = any(given)
if own and not all(given):
    parser.error(
        "--model, --train and --output go together; expected all three"
    )

# %% small files tags=["hide-input"]
if not own:
    from bertlesson.lesson import tiny
    from bertlesson.lesson.files import write_texts

    logging.set_verbosity_error()  # the lesson's model has an NSP head too
    torch.set_num_threads(1)  # OpenMP's threads do not survive a fork
    scratch = Path(tempfile.mkdtemp(prefix="resume-"))
    checkpoint = tiny.load()
    args.model, args.train = str(scratch / "model"), scratch / "stories.txt"
    checkpoint.model.save_pretrained(args.model)
    checkpoint.tokenizer.save_pretrained(args.model)
    files = sorted(write_texts(scratch / "files", 24, seed=400).glob("*.txt"))
    text = "".join(file.read_text("utf-8") for file in files)
    args.train.write_text(text, "utf-8")

# %% the rows
try:
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    config = AutoConfig.from_pretrained(args.model)
except OSError as error:
    parser.error(
        f"{args.model} could not be loaded ({error}); expected a folder with a "
        "model, or a name on the hub and a connection to it"
    )
lines = list(read_texts(args.train, ends="line"))
with torch.device("meta"):  # its shapes alone
    shapes = AutoModelForMaskedLM.from_config(config)
longest = longest_row(shapes) or 512
rows = [
    {"input_ids": ids}
    for ids in tokenizer(
        lines,
        truncation=True,
        max_length=min(longest, tokenizer.model_max_length, 512),
        return_overflowing_tokens=True,  # the rest goes on in the next row
    )["input_ids"]
]


# %% the trainer
def make_trainer(output):
    """All that a training draws depends on seeds."""
    torch.manual_seed(0)  # weights that the checkpoint lacks
    collator = MaskingCollator(tokenizer, seed=0)
    trainer = Trainer(
        AutoModelForMaskedLM.from_pretrained(args.model, dtype=torch.float32),
        TrainingArguments(
            output,
            num_train_epochs=args.epochs,
            per_device_train_batch_size=args.batch_size,
            save_steps=args.save_every,
            report_to="none",
            disable_tqdm=not own,
            dataloader_pin_memory=torch.cuda.is_available(),
        ),
        train_dataset=rows,
        data_collator=collator,
        callbacks=[MaskingCallback(collator), ExactResume()],
    )
    trainer.remove_callback(PrinterCallback)  # it prints how long it took
    return trainer


# %% train or go on
def train(output):
    """From the last whole checkpoint, or from the beginning."""
    found = last_whole_checkpoint(output)
    trainer = make_trainer(output)
    trainer.train(resume_from_checkpoint=found)
    return trainer, found


if own:
    trainer, found = train(args.output)
    trainer.save_model(args.output / "model")
    print(f"began at {found or 'the first step'}, saved in {args.output}")


# %% a run that is killed
def kill_a_run(output):
    """Train in a process of its own, until its second checkpoint appears."""
    running = get_context("fork").Process(target=train, args=[output])
    running.start()
    second = output / f"checkpoint-{2 * args.save_every}"
    while running.is_alive() and not second.exists():
        time.sleep(0.001)
    running.kill()  # SIGKILL: no time to clean up
    running.join()


if not own:
    kill_a_run(scratch / "killed")

# %% a run that nobody kills
if not own:
    trainer, _ = train(scratch / "whole")
    whole = trainer.model.state_dict()
    print(f"{len(rows)} rows, {trainer.state.global_step} steps")

# %% a torn checkpoint
if not own:
    torn = Path(get_last_checkpoint(scratch / "killed"))
    # whichever file it was writing when it was killed, this one comes last
    (torn / "trainer_state.json").unlink(missing_ok=True)
    taken = get_last_checkpoint(scratch / "killed") == str(torn)
    whole_one = last_whole_checkpoint(scratch / "killed")
    print("Trainer would resume from the torn one:", taken)
    print("last_whole_checkpoint does:", whole_one == str(torn))
    assert taken > 0, "`Trainer` picks the last checkpoint, torn or not"
    assert whole_one != str(torn), "`last_whole_checkpoint` picks a whole one"

# %% resumed
differ = 0
if not own:
    trainer, found = train(scratch / "killed")
    resumed = trainer.model.state_dict()
    differ = sum(not torch.equal(whole[name], resumed[name]) for name in whole)
    print(f"{differ} of {len(whole)} tensors differ")
assert differ == 0, (
    "Killed and resumed, the run ends with the same weights, bit for bit"
)

# %%
values = {}
if not own:
    values = {"tensors": len(whole)}

# %% a stream
from itertools import islice

from bertlesson.resuming import ShuffledStream

stream = ShuffledStream(range(1000), buffer=100, seed=0)
reading = iter(stream)
begun = [next(reading) for _ in range(350)]
state = stream.state_dict()  # a few numbers

resumed_stream = ShuffledStream(range(1000), buffer=100, seed=0)
resumed_stream.load_state_dict(state)
both = begun + list(islice(resumed_stream, 650))
lost = 1000 - len(set(both))
assert lost == 0, "Of 1,000 rows, a resumed stream loses and repeats none"
