"""Rows and pairs built from much text by several processes: rate, memory, and equal files.

Run it as `python benchmarks/scale.py MEGABYTES [--kinds rows pairs] [--workers 1 2]`. It writes
text of made-up words, whose frequencies fall as those of words in a language do (Zipf), trains a
vocabulary of 30,522 pieces on its beginning, and builds rows of 128 tokens from all of it. Memory
is what all processes hold together at the highest of ten looks a second: resident (RSS, where a
page that two share counts twice) and proportional (PSS, Linux only). This process, with torch and
transformers, is among them. It fails if the files of two runs differ, or PSS reaches 500 MB.
"""

import argparse
import hashlib
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from time import perf_counter

import numpy as np
import psutil

from bertlesson.shards import cut_shards
from bertlesson.stored import write_pairs, write_rows
from bertlesson.texts import read_texts
from bertlesson.wordpiece import train_wordpiece

MOST = 500e6  # bytes of memory
FILES = 8
WORDS = 200_000
LETTERS = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))


def write_text(folder: Path, size: int) -> None:
    """Documents of 5 to 30 sentences of 5 to 30 words, with an empty line after each."""
    rng = np.random.default_rng(0)
    chances = 1 / np.arange(3, 3 + len(LETTERS))
    lengths = np.clip(rng.poisson(6, WORDS), 2, None)
    letters = rng.choice(LETTERS, lengths.sum(), p=chances / chances.sum())
    words = np.array([*map("".join, np.split(letters, np.cumsum(lengths)[:-1]))], object)
    folder.mkdir()
    for number in range(FILES):
        with (folder / f"{number}.txt").open("w") as file:
            while file.tell() < size / FILES:
                ranks = (WORDS ** rng.random(100_000)).astype(int) - 1
                drawn = words[ranks]
                ends = np.cumsum(rng.integers(5, 31, 10_000))
                ends = ends[ends < len(drawn)]
                drawn[ends] += "."
                documents = ends[np.cumsum(rng.integers(5, 31, 1_000)).clip(0, len(ends) - 1)]
                drawn[np.unique(documents)] += "\n\n"
                file.write(" ".join(drawn) + "\n\n")


class Memory(threading.Thread):
    """The most that this process and those below it hold together."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.rss = self.pss = 0
        self.ended = threading.Event()

    def run(self) -> None:
        this = psutil.Process()
        while not self.ended.wait(0.1):
            rss = pss = 0
            for process in [this, *this.children(recursive=True)]:
                try:
                    held = process.memory_full_info()
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
                rss, pss = rss + held.rss, pss + getattr(held, "pss", held.uss)
            self.rss, self.pss = max(self.rss, rss), max(self.pss, pss)


def digest(folder: Path) -> str:
    found = hashlib.blake2b(digest_size=8)
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            while block := file.read(2**20):
                found.update(block)
    return found.hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("megabytes", type=float)
    parser.add_argument("--kinds", nargs="+", default=["rows", "pairs"])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="scale-"))
    problems = []
    try:
        write_text(folder / "text", int(options.megabytes * 1e6))
        start = perf_counter()
        texts = read_texts(folder / "text", ends="blank line")
        print(f"{texts}\nread and checked in {perf_counter() - start:.0f} s", flush=True)
        beginning = [part for part, _ in zip(texts, range(2_000), strict=False)]
        tokenizer = train_wordpiece(beginning)
        shards = cut_shards(texts)
        print(f"{len(shards)} shards\nkind  workers  seconds   MB/s      rows  RSS, MB  PSS, MB")
        for kind in options.kinds:
            digests = set()
            for workers in options.workers:
                out = folder / f"{kind}-{workers}"
                memory = Memory()
                memory.start()
                start = perf_counter()
                write = write_rows if kind == "rows" else write_pairs
                made = write(shards, tokenizer, out, length=128, workers=workers, progress=True)
                seconds = perf_counter() - start
                memory.ended.set()
                memory.join()
                size = sum(shard.size for shard in shards) / 1e6
                print(
                    f"{kind:5} {workers:7} {seconds:8.0f} {size / seconds:6.2f} {len(made):9,} "
                    f"{memory.rss / 1e6:8.0f} {memory.pss / 1e6:8.0f}",
                    flush=True,
                )
                digests.add(digest(out))
                shutil.rmtree(out)
                if memory.pss >= MOST:
                    problems.append(f"{kind}, {workers} workers: {memory.pss / 1e6:.0f} MB")
            print(f"{kind}: {' '.join(digests)}")
            if len(digests) > 1:
                problems.append(f"{kind}: the files differ between numbers of workers")
    finally:
        shutil.rmtree(folder)
    for problem in problems:
        print("expected less than 500 MB, and equal files:", problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
