# %% [markdown]
# # Large text
# Rows and sentence pairs from text of any size, built by several processes, and
# read from disk while training. [The page](../use/scale.md) explains it.

# %% arguments
import argparse
import sys
import tempfile
from pathlib import Path

from torch.utils.data import DataLoader
from transformers import AutoTokenizer

from bertlesson.collating import MaskingCollator
from bertlesson.encoding import Encoder
from bertlesson.shards import cut_shards
from bertlesson.stored import StoredRows, write_pairs, write_rows
from bertlesson.texts import read_texts

parser = argparse.ArgumentParser(description="Build rows from large text.")
add = parser.add_argument
add("--tokenizer", help="a folder, or a name on the hub")
add("--train", nargs="+", help="text files or folders; default: a small set")
add("--ends", default="file", choices=["file", "blank line", "line"])
add("--output", type=Path, help="a new folder for rows and pairs")
add("--length", type=int, default=128, help="tokens in a row")
add("--shard", type=int, default=2**24, help="bytes of a shard")
add("--workers", type=int, default=2, help="processes; 0 for none")
add("--no-pairs", action="store_true", help="rows alone")
# a notebook has arguments of its own
options = parser.parse_args([] if "ipykernel" in sys.modules else None)
own = bool(options.train)
if own and not (options.tokenizer and options.output):
    parser.error("--train was given; expected --tokenizer and --output with it")

# %% the default run tags=["hide-input"]
if not own:
    from bertlesson.lesson import tiny
    from bertlesson.lesson.files import write_texts

    scratch = Path(tempfile.mkdtemp(prefix="scale-"))
    options.train = [write_texts(scratch / "stories", 400, seed=300)]
    options.ends, options.output = "blank line", scratch / "built"
    options.length, options.shard = 64, 2**16
    tokenizer = tiny.load().tokenizer
else:
    try:
        tokenizer = AutoTokenizer.from_pretrained(options.tokenizer)
    except OSError as error:
        parser.error(
            f"{options.tokenizer} could not be loaded ({error}); expected a "
            "folder with a tokenizer, or a name on the hub and a connection"
        )

if not Encoder.of(tokenizer).continues.any():
    options.no_pairs = True
    print("no pairs: no piece begins with ##, as those of BERT's kind do")

# %% shards
texts = read_texts(options.train, ends=options.ends)
shards = cut_shards(texts, options.shard)
print(texts)
print(f"{len(shards)} shards of {shards[0].size:,} bytes and so on")

# %% rows
settings = {
    "length": options.length,
    "workers": options.workers,
    "progress": own,
}
rows = write_rows(shards, tokenizer, options.output / "rows", **settings)
print(f"{len(rows):,} rows")

# %% pairs
pairs = []
if not options.no_pairs:
    pairs = write_pairs(shards, tokenizer, options.output / "pairs", **settings)
    print(f"{len(pairs):,} pairs")

# %% train
kind = "rows" if options.no_pairs else "pairs"
dataset = StoredRows(options.output / kind)
loader = DataLoader(
    dataset,
    batch_size=16,
    shuffle=True,
    collate_fn=MaskingCollator(tokenizer, seed=0),
)
for name, tensor in next(iter(loader)).items():
    print(name, tuple(tensor.shape))


# %% with none and with two
def contents(folder):
    """The bytes of every file."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


same, files = True, 0
if not own:
    write_rows(shards, tokenizer, scratch / "alone", length=options.length)
    write_pairs(shards, tokenizer, scratch / "pairs", length=options.length)
    same = contents(scratch / "alone") == contents(options.output / "rows")
    same &= contents(scratch / "pairs") == contents(options.output / "pairs")
    files = len(contents(scratch / "alone")) + len(contents(scratch / "pairs"))
    print(f"{files} files built twice")
assert same, "Two processes write the same bytes as none"

values = {"shards": len(shards), "rows": len(rows), "pairs": len(pairs)}
