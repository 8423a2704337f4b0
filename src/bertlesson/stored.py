"""Rows and pairs in files that training reads without loading them, built by several processes.

    shards = cut_shards(read_texts("my-texts", ends="blank line"))
    write_rows(shards, tokenizer, "my-rows", length=128, workers=4)
    rows = StoredRows("my-rows")        # a dataset for Trainer or a DataLoader

Each shard becomes a file; ``index.json`` is written last, so a folder that has it is complete. The
bytes are the same for any number of processes. Each is a Python of its own that imports neither
torch nor the program that started it, so no ``if __name__ == "__main__"`` is needed.
"""

from __future__ import annotations

import itertools
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from .building import blocks_of_pairs, blocks_of_rows
from .encoding import Encoder
from .nsp import SentencePairs
from .replacing import part_of, replacing
from .segments import check_count, check_share
from .shards import Shard

if TYPE_CHECKING:  # it would bring torch into each process
    from transformers import PreTrainedTokenizerBase

__all__ = ["StoredRows", "write_pairs", "write_rows"]

INDEX = "index.json"
MOST = 2**16 - 1  # the longest row
FORMAT = 1  # raised when what is written changes
ABOUT = 3  # columns of a pair after its ids: the first [SEP], the last, and the label
Done = dict[str, Any]


class StoredRows:
    """What `write_rows` or `write_pairs` has written, as a dataset.

    The files stay on disk, and the system keeps in memory what fits. A copy in a loader's worker
    opens them itself.

    Args:
        folder: The folder.

    Raises:
        FileNotFoundError: If it holds no complete rows.
        ValueError: If another version wrote them, or a file has another size than it should.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).absolute()  # a program may change its directory
        if not (self.folder / INDEX).exists():
            raise FileNotFoundError(
                f"{self.folder / INDEX} does not exist; expected a folder that write_rows or "
                "write_pairs has finished: build it once more"
            )
        self.index: dict[str, Any] = json.loads((self.folder / INDEX).read_text("utf-8"))
        if self.index["format"] != FORMAT:
            raise ValueError(
                f"{self.folder} has format {self.index['format']}; expected {FORMAT}: build it "
                "once more with this version"
            )
        self._width = self.index["length"] + ABOUT * (self.index["kind"] == "pairs")
        self._starts = np.cumsum([0, *self.index["rows"]])
        size = np.dtype(self.index["dtype"]).itemsize * self._width
        for number, rows in enumerate(self.index["rows"]):
            if (path := _file(self.folder, number)).stat().st_size != rows * size:
                raise ValueError(
                    f"{path} has {path.stat().st_size} bytes; expected {rows * size}: build the "
                    "folder once more"
                )
        self._opened: dict[int, NDArray[Any]] = {}

    def __len__(self) -> int:
        """The number of rows."""
        return int(self._starts[-1])

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the open files."""
        return self.__dict__ | {"_opened": {}}

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        """One row: its ``input_ids`` without padding, or a row of `SentencePairs`.

        A slice such as ``[:100]`` gives a list of rows.
        """
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        index = range(len(self))[index]
        shard = int(np.searchsorted(self._starts, index, "right")) - 1
        if shard not in self._opened:
            shape = (self.index["rows"][shard], self._width)
            path = _file(self.folder, shard)
            self._opened[shard] = np.memmap(path, self.index["dtype"], "r", shape=shape)
        row = self._opened[shard][index - self._starts[shard]].astype(np.int64)
        pad, length = self.index["pad"], self.index["length"]
        if self.index["kind"] == "rows":
            filled = np.flatnonzero(row != pad)[-1] + 1 + self.index.get("closing_pads", 0)
            return {"input_ids": row[:filled]}
        first, last, label = row[length:]
        columns = np.arange(length)
        structural = (columns == 0) | (columns == first) | (columns >= last)
        return {
            "input_ids": row[:length],
            "attention_mask": (columns <= last).astype(np.int64),
            "token_type_ids": ((columns > first) & (columns <= last)).astype(np.int64),
            "special_tokens_mask": structural.astype(np.int64),
            "next_sentence_label": label,
        }


def write_rows(
    shards: Sequence[Shard],
    tokenizer: PreTrainedTokenizerBase,
    folder: str | Path,
    *,
    length: int,
    workers: int = 0,
    progress: bool = False,
) -> StoredRows:
    """Write the rows of `bertlesson.building.build_rows`, padded to one length.

    Args:
        shards: The text, from `bertlesson.shards.cut_shards`.
        tokenizer: A fast tokenizer of any kind.
        folder: Where to write; created if it is not there.
        length: Tokens of a row, special tokens included.
        workers: Processes beside this one; 0 does all of it here.
        progress: Show a progress bar with the rate and the time left.

    Returns:
        The rows.

    Raises:
        FileExistsError: If the folder holds rows already.
        ValueError: If a file is not in UTF-8, there is no text, or `length` has no room for text.
        RuntimeError: If a process ends before its work is done.
    """
    settings = {"length": length}
    return _write("rows", shards, tokenizer, Path(folder), settings, workers, progress)


def write_pairs(
    shards: Sequence[Shard],
    tokenizer: PreTrainedTokenizerBase,
    folder: str | Path,
    *,
    length: int,
    short_seq_prob: float = 0.1,
    seed: int = 0,
    workers: int = 0,
    progress: bool = False,
) -> StoredRows:
    """Write the pairs of `bertlesson.building.build_pairs`.

    Args:
        shards: The text, from `bertlesson.shards.cut_shards`.
        tokenizer: A tokenizer of BERT's kind.
        folder: Where to write; created if it is not there.
        length: Tokens of a row, special tokens included; 5 or more.
        short_seq_prob: Probability that a document is cut into shorter pairs.
        seed: Another seed makes other pairs.
        workers: Processes beside this one; 0 does all of it here.
        progress: Show a progress bar with the rate and the time left.

    Returns:
        The pairs.

    Raises:
        FileExistsError: See `write_rows`.
        ValueError: See `write_rows` and `bertlesson.building.build_pairs`.
        RuntimeError: See `write_rows`.
    """
    check_share("short_seq_prob", short_seq_prob)
    settings = {"length": length, "short_seq_prob": short_seq_prob, "seed": seed}
    return _write("pairs", shards, tokenizer, Path(folder), settings, workers, progress)


def _write(
    kind: str,
    shards: Sequence[Shard],
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    settings: dict[str, Any],
    workers: int,
    progress: bool,
) -> StoredRows:
    if (folder / INDEX).exists():
        raise FileExistsError(
            f"{folder} holds rows already; expected a new folder: remove it, or name another"
        )
    longest = min(tokenizer.model_max_length, MOST)
    if settings["length"] > longest:
        why = "which files have room for" if longest == MOST else "its model's longest row"
        raise ValueError(f"length is {settings['length']}; expected at most {longest}, {why}")
    check_count("workers", workers)
    encoder = Encoder.of(tokenizer)
    folder.mkdir(parents=True, exist_ok=True)
    job = (kind, encoder, folder, settings)
    rows = [0] * len(shards)
    try:
        total = sum(shard.size for shard in shards)
        with tqdm(total=total, desc=kind, unit="B", unit_scale=True, disable=not progress) as bar:
            for done in _results(job, shards, workers):
                rows[done["number"]] = done["rows"]
                bar.update(done["bytes"])
        if not sum(rows):
            raise ValueError("there are no rows; expected text: are all documents empty?")
    except BaseException:
        for shard in shards:
            for path in (file := _file(folder, shard.number), part_of(file)):
                path.unlink(missing_ok=True)
        raise
    index = settings | {"format": FORMAT, "kind": kind, "rows": rows, "pad": encoder.pad}
    # a pad token that also ends each row, as after tokenizer.pad_token = tokenizer.sep_token
    ends = itertools.takewhile(lambda number: number == encoder.pad, reversed(encoder.closing))
    index["closing_pads"] = len(list(ends))
    with replacing(folder / INDEX) as part:
        part.write_text(json.dumps(index | {"dtype": encoder.dtype.name}), "utf-8")
    return StoredRows(folder)


def _results(job: Any, shards: Sequence[Shard], workers: int) -> Iterator[Done]:
    """What is done, in the order in which it is; shards take turns among the processes."""
    workers = min(workers, len(shards))
    if not workers:
        yield from (_build(job, shard) for shard in shards)
        return
    package = str(Path(__file__).parent.parent)
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    # each process has a core of its own
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", "import pickle, sys; pickle.load(sys.stdin.buffer)()"]
    results: SimpleQueue[Done] = SimpleQueue()
    processes = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(workers)
    ]

    def follow(process: subprocess.Popen[bytes], own: Sequence[Shard]) -> None:
        assert process.stdin
        assert process.stdout
        try:
            with process.stdin as stdin:
                pickle.dump(partial(_work, job, own), stdin)
            for line in process.stdout:
                results.put(json.loads(line))
        except OSError:
            pass  # it has ended, and its exit status says so
        if process.wait():
            status = process.returncode
            results.put({"ended": f"a process ended with status {status} before its work was done"})

    try:
        with ThreadPoolExecutor(workers) as threads:
            for number, process in enumerate(processes):
                threads.submit(follow, process, shards[number::workers])
            try:
                for _ in shards:
                    done = results.get()
                    if problem := done.get("error"):
                        raise ValueError(f"{problem}")
                    if "ended" in done:
                        raise RuntimeError(f"{done['ended']}; expected 0: is memory short?")
                    yield done
            finally:
                for process in processes:
                    process.kill()
    finally:
        for process in processes:
            process.wait()


def _work(job: Any, shards: Sequence[Shard]) -> None:
    """The work of a process, which prints a line for each shard."""
    for shard in shards:
        try:
            done = _build(job, shard)
        except ValueError as error:
            done = {"error": str(error)}
        print(json.dumps(done), flush=True)


def _build(job: Any, shard: Shard) -> Done:
    kind, encoder, folder, settings = job
    rows = 0
    with replacing(_file(folder, shard.number)) as part, part.open("wb") as file:
        blocks = blocks_of_rows if kind == "rows" else blocks_of_pairs
        for block in blocks(shard, encoder, **settings):
            table = _with_labels(block) if isinstance(block, SentencePairs) else block
            width = settings["length"] + ABOUT * (kind == "pairs")
            padded = np.full((len(table), width), encoder.pad, encoder.dtype)
            padded[:, : table.shape[1]] = table
            file.write(padded.tobytes())
            rows += len(table)
    return {"number": shard.number, "rows": rows, "bytes": shard.size}


def _with_labels(pairs: SentencePairs) -> NDArray[np.int64]:
    """``(pairs, length + ABOUT)``."""
    last = pairs.attention_mask.sum(axis=1) - 1
    first = last - pairs.token_type_ids.sum(axis=1)
    return np.column_stack([pairs.input_ids, first, last, pairs.next_sentence_label])


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:05}.bin"
