"""The lesson's own small BERT: trained from scratch on the lesson's corpus, once, and then kept.

`load` returns the pretrained model and its tokenizer. The first call trains them, which takes a few
minutes on two cores and needs no network. Later calls read the files that the first one left in the
user's cache folder. Nothing is downloaded, so everything about the model can be inspected.

The weights are stored in half precision and used in single precision. They are therefore exactly
the weights that the lesson's pages run in the reader's browser.

    python -m bertlesson.lesson.tiny        train it now, unless it is there already
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import platform
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from filelock import AcquireReturnProxy, FileLock, Timeout
from platformdirs import user_cache_path
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertConfig, BertTokenizer

from ..collating import MaskingCollator
from ..nsp import SentencePairs, create_pairs
from ..optimization import make_optimizer, make_schedule
from ..pretraining import PretrainingModel
from ..training import Batch, train
from .corpus import Document, generate_documents
from .export import half_state
from .fingerprint import code_alone, imported_modules, path_of
from .vocabulary import make_tokenizer

__all__ = [
    "Checkpoint",
    "Run",
    "Settings",
    "cache_folder",
    "load",
    "processor",
    "sentence_pairs",
    "shuffled_batches",
]

VERSIONED = ("torch", "transformers", "tokenizers", "numpy")
FILES = (
    "model.safetensors",
    "earlier.safetensors",
    "config.json",
    "vocab.txt",
    "history.json",
    "run.json",
)


@dataclass(frozen=True)
class Settings:
    """Everything about the training that is a choice."""

    documents: int = 16_000
    whole_words: int = 150
    max_seq_length: int = 64
    batch_size: int = 48
    # moods reach [CLS] last, since few pairs need them, and how late depends on the last digits of
    # sums: after 2,200 steps they had on one processor and had not on another
    steps: int = 3_300
    warmup_steps: int = 150
    learning_rate: float = 3e-3
    # A run this short, on batches this small, learned pairs at once, and moods and names late or
    # never: NSP's gradient averages 48 answers where MLM's averages 400, and is so noisy that Adam
    # shortens all steps. So NSP's loss counts a quarter, and Adam forgets squared gradients sooner
    # than the paper's 0.999 does, which remembers some 1,000 steps.
    nsp_weight: float = 0.25
    beta2: float = 0.98
    hidden_size: int = 128
    intermediate_size: int = 256
    layers: int = 2
    heads: int = 4
    # BERT's 0.02 suits a width of 768; at 128 it keeps attention silent for hundreds of steps
    initializer_range: float = 0.05
    # steps after which the weights are kept as well: of random ones, of those that know words, and
    # of those that know kinds of words
    moments: tuple[int, ...] = (0, 50, 500)
    seed: int = 0
    threads: int = 2  # another number changes the last digits of sums


@dataclass(frozen=True)
class Run:
    """How long the training took, and on what.

    Attributes:
        seconds: The training loop alone, on the wall clock.
        threads: How many it used.
        processor: Its name, as the system gives it.
    """

    seconds: float
    threads: int
    processor: str


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A pretrained model, its tokenizer, and the record of its training.

    Attributes:
        model: Encoder and both pretraining heads, in eval mode; ``model.bert`` is the encoder.
        tokenizer: Uncased WordPiece, as BERT's.
        history: The losses of each training step, in nats, as `bertlesson.training.train`
            returns them.
        run: How long the training took.
        folder: Where the files are.
        earlier: By the number of steps, the weights after so many, in half precision, as
            `bertlesson.lesson.export.half_state` names them. `at` gives their models.
    """

    model: PretrainingModel
    tokenizer: BertTokenizer
    history: dict[str, list[float]]
    run: Run
    folder: Path
    earlier: dict[int, dict[str, Tensor]]

    def at(self, step: int) -> PretrainingModel:
        """The model as it was after so many steps of its training, in eval mode.

        Args:
            step: One of the keys of `earlier`; 0 is before the first step.

        Raises:
            ValueError: If the weights of that moment were not kept.

        >>> checkpoint = load()
        >>> inputs = checkpoint.tokenizer("She loved the [MASK].", return_tensors="pt")
        >>> checkpoint.at(0)(**inputs).prediction_logits.shape[-1] == len(checkpoint.tokenizer)
        True
        """
        if step not in self.earlier:
            raise ValueError(f"step is {step}; expected one of {sorted(self.earlier)}")
        return _model(copy.deepcopy(self.model.config), self.earlier[step])


def load(settings: Settings | None = None, *, progress: bool = True) -> Checkpoint:
    """Load the pretrained model; train it first if it is not in the cache.

    Each call returns a new model, so fine-tuning one does not change the next. The process's random
    states and its number of threads stay as they are.

    Args:
        settings: To train with other settings than the lesson's.
        progress: Show a progress bar on standard error while training.

    Raises:
        OSError: The cache folder cannot be written to. The environment variable BERTLESSON_CACHE
            can name another folder.

    >>> checkpoint = load()
    >>> inputs = checkpoint.tokenizer("[CLS] she loved the [MASK] . [SEP]", return_tensors="pt")
    >>> checkpoint.model.bert(inputs["input_ids"]).last_hidden_state.shape[-1]
    128
    """
    settings = settings or Settings()
    folder = cache_folder() / f"tiny-{key(settings)}"
    if (found := _read(folder)) is not None:
        return found
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(folder.with_suffix(".lock")):
        if (found := _read(folder)) is None:  # another process may have trained it meanwhile
            _train_into(folder, settings, progress)
            found = _read(folder)
    assert found is not None
    return found


def cache_folder() -> Path:
    """The folder for checkpoints: BERTLESSON_CACHE, or the user's cache folder."""
    return Path(os.environ.get("BERTLESSON_CACHE") or user_cache_path("bertlesson"))


def key(settings: Settings) -> str:
    """Identify the weights: a digest of all code, settings and versions that decide them."""
    package = Path(__file__).parent.parent
    modules = sorted({*imported_modules(Path(__file__), package), "lesson.tiny"})
    parts = [code_alone(path_of(name, package)) for name in modules]
    parts += [f"{name}=={version(name)}" for name in VERSIONED]
    parts += [platform.python_version(), platform.machine(), json.dumps(asdict(settings))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def processor() -> str:
    """The processor's name.

    >>> "" < processor()
    True
    """
    try:  # on Linux the kernel knows it, and Python often does not
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


# The training


def pretrain(settings: Settings, progress: bool) -> Checkpoint:
    """Generate the text, the vocabulary and the pairs, and train on them. Saves nothing."""
    documents = generate_documents(settings.documents, settings.seed)
    tokenizer = make_tokenizer(documents, settings.whole_words, settings.max_seq_length)
    pairs = sentence_pairs(documents, tokenizer, settings.max_seq_length, settings.seed)
    torch.manual_seed(settings.seed)
    model = PretrainingModel(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=settings.hidden_size,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            intermediate_size=settings.intermediate_size,
            max_position_embeddings=settings.max_seq_length,
            initializer_range=settings.initializer_range,
            hidden_dropout_prob=0.0,  # each row is seen three times, with new masks: no overfitting
            attention_probs_dropout_prob=0.0,
        ),
        nsp_weight=settings.nsp_weight,
    )
    optimizer = make_optimizer(model, settings.learning_rate, betas=(0.9, settings.beta2))
    schedule = make_schedule(
        optimizer, warmup_steps=settings.warmup_steps, total_steps=settings.steps
    )
    collator = MaskingCollator(tokenizer, seed=settings.seed)
    batches = shuffled_batches(pairs, collator, settings.batch_size, settings.seed)
    start = time.perf_counter()
    earlier: dict[int, dict[str, Tensor]] = {}

    def keep(step: int) -> None:
        if step in settings.moments:
            earlier[step] = half_state(model)

    keep(0)
    history = train(
        model,
        batches,
        optimizer,
        schedule,
        steps=settings.steps,
        on_step=keep,
        progress=progress,
    )
    run = Run(time.perf_counter() - start, torch.get_num_threads(), processor())
    return Checkpoint(model.eval(), tokenizer, history, run, Path(), earlier)


def sentence_pairs(
    documents: Iterable[Document], tokenizer: BertTokenizer, max_seq_length: int, seed: int
) -> SentencePairs:
    """Make the kind of sentence pairs that the checkpoint was trained on."""
    documents = list(documents)
    texts = [sentence.text for document in documents for sentence in document.sentences]
    encoded = tokenizer(
        texts,
        add_special_tokens=False,
        truncation=False,
        return_attention_mask=False,  # turning it into lists takes as long as the pieces do
        return_token_type_ids=False,
    )
    sentences = iter(encoded.encodings)
    pieces = [[next(sentences).tokens for _ in document.sentences] for document in documents]
    return create_pairs(
        pieces,
        tokenizer.get_vocab(),
        max_seq_length=max_seq_length,
        short_seq_prob=0.0,  # rows are short enough as they are
        rng=random.Random(seed),
    )


def shuffled_batches(
    pairs: SentencePairs, collator: MaskingCollator, batch_size: int, seed: int
) -> Iterator[Batch]:
    """Yield batches without end, in a new order in each epoch."""
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(len(pairs))  # (pairs,)
        for start in range(0, len(order) - batch_size + 1, batch_size):
            yield collator(pairs[order[start : start + batch_size]])


# What is kept


def _train_into(folder: Path, settings: Settings, progress: bool) -> None:
    """Train, then move all files into place at once: a killed run leaves no checkpoint."""
    print(f"Training the lesson's small BERT, once, into {folder}", file=sys.stderr)
    threads = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        with torch.random.fork_rng(devices=[]):
            made = pretrain(settings, progress)
    finally:
        torch.set_num_threads(threads)
    # damaged files, see _read, and files of a run that was killed while writing
    for left in (folder, *folder.parent.glob(f"{folder.name}-*.part")):
        shutil.rmtree(left, ignore_errors=True)
    part = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", suffix=".part", dir=folder.parent))
    try:
        _write(made, part)
        part.replace(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _write(made: Checkpoint, folder: Path) -> None:
    save_file(half_state(made.model), folder / "model.safetensors")
    moments = made.earlier.items()
    weights = {f"{step}.{name}": t for step, state in moments for name, t in state.items()}
    save_file(weights, folder / "earlier.safetensors")
    made.model.config.to_json_file(folder / "config.json")
    vocab = made.tokenizer.get_vocab()
    (folder / "vocab.txt").write_text("\n".join(sorted(vocab, key=vocab.__getitem__)), "utf-8")
    (folder / "history.json").write_text(json.dumps(made.history), "utf-8")
    (folder / "run.json").write_text(json.dumps(asdict(made.run)), "utf-8")


def _read(folder: Path) -> Checkpoint | None:
    """Read the files in the folder; None if it is missing, or damaged, with a message."""
    if not folder.is_dir():
        return None
    try:
        config = BertConfig.from_json_file(folder / "config.json")
        model = _model(config, load_file(folder / "model.safetensors"))
        earlier: dict[int, dict[str, Tensor]] = {}
        for name, tensor in load_file(folder / "earlier.safetensors").items():
            step, _, name = name.partition(".")
            earlier.setdefault(int(step), {})[name] = tensor
        pieces = (folder / "vocab.txt").read_text("utf-8").split("\n")
        history = json.loads((folder / "history.json").read_text("utf-8"))
        run = Run(**json.loads((folder / "run.json").read_text("utf-8")))
    except Exception as error:
        print(f"{folder} is damaged ({error}); training it again.", file=sys.stderr)
        return None
    tokenizer = BertTokenizer(
        vocab={piece: i for i, piece in enumerate(pieces)},
        model_max_length=config.max_position_embeddings,
    )
    return Checkpoint(model, tokenizer, history, run, folder, earlier)


def _model(config: BertConfig, weights: dict[str, Tensor]) -> PretrainingModel:
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn, then overwritten
        # the paper's plain sum, whatever NSP's weight was in the run
        model = PretrainingModel(config, nsp_weight=1.0)
    model.load_state_dict(weights)
    model.eval()
    return model


def _only_one(path: Path) -> AcquireReturnProxy[FileLock]:
    """Take the lock, with a message if another process is training. A killed process loses it."""
    lock = FileLock(path)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        print("Another process is training the small BERT; waiting for it.", file=sys.stderr)
        return lock.acquire()


if __name__ == "__main__":
    print(f"The small BERT is in {load().folder}")
