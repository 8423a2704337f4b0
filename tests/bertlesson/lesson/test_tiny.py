"""The checkpoint is trained once, kept whole, and read as it was written."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from platformdirs import user_cache_path

from bertlesson.lesson import tiny, vocabulary
from bertlesson.lesson.corpus import generate_documents
from bertlesson.lesson.export import half_state, round_to_half
from bertlesson.nsp import create_pairs
from bertlesson.pretraining import PretrainingModel
from bertlesson.training import train

SMALL = tiny.Settings(
    documents=80,
    batch_size=4,
    steps=3,
    warmup_steps=1,
    hidden_size=16,
    intermediate_size=16,
    threads=1,
)

# The same, for another process: argument 1 is the number of steps.
LOAD_ELSEWHERE = (
    "import sys\n"
    "from bertlesson.lesson import tiny\n"
    "tiny.load(tiny.Settings(documents=80, batch_size=4, steps=int(sys.argv[1]), warmup_steps=1,"
    " hidden_size=16, intermediate_size=16, threads=1))\n"
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BERTLESSON_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def never_trains(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is called after this fixture finds the checkpoint, or fails."""
    tiny.load(SMALL, progress=False)

    def refuse(*_: object) -> None:
        raise AssertionError("it trained again")

    monkeypatch.setattr(tiny, "pretrain", refuse)


def logits(checkpoint: tiny.Checkpoint) -> torch.Tensor:
    inputs = checkpoint.tokenizer("Ada loved the [MASK].", return_tensors="pt")
    with torch.no_grad():
        return checkpoint.model(**inputs).prediction_logits


def start_elsewhere(steps: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", LOAD_ELSEWHERE, str(steps)], stderr=subprocess.PIPE, text=True
    )


@pytest.mark.usefixtures("never_trains")
def test_the_second_call_reads_what_the_first_has_kept() -> None:
    started = time.process_time()
    first = tiny.load(SMALL)
    assert time.process_time() - started < 1
    assert [len(losses) for losses in first.history.values()] == [3, 3, 3]
    assert sorted(path.name for path in first.folder.iterdir()) == sorted(tiny.FILES)
    assert first.tokenizer.model_max_length == SMALL.max_seq_length
    assert not first.model.training


@pytest.mark.usefixtures("cache")
def test_what_is_read_is_what_was_trained() -> None:
    settings = replace(SMALL, threads=torch.get_num_threads())  # others round otherwise
    trained, read = tiny.pretrain(settings, progress=False), tiny.load(settings, progress=False)
    assert read.model.dtype == torch.float32
    round_to_half(trained.model)
    assert torch.equal(logits(trained), logits(read))
    assert trained.tokenizer.get_vocab() == read.tokenizer.get_vocab()
    assert trained.history == read.history
    assert list(trained.earlier) == list(read.earlier) == [0]
    assert read.run == replace(trained.run, seconds=read.run.seconds)
    assert read.run.seconds > 0
    assert read.run.threads == settings.threads


def test_the_settings_reach_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def look(*parts: Any, **options: Any) -> dict[str, list[float]]:
        given.extend([*parts, options])
        return {}

    monkeypatch.setattr(tiny, "train", look)
    settings = replace(
        SMALL,
        layers=1,
        heads=2,
        intermediate_size=24,
        initializer_range=0.07,
        nsp_weight=0.3,
        learning_rate=0.01,
        beta2=0.7,
    )
    tokenizer = tiny.pretrain(settings, progress=False).tokenizer
    model, batches, optimizer, schedule, options = given
    config = model.config
    assert config.vocab_size == len(tokenizer)
    assert (config.hidden_size, config.intermediate_size) == (16, 24)
    assert (config.num_hidden_layers, config.num_attention_heads) == (1, 2)
    assert config.max_position_embeddings == settings.max_seq_length
    assert (config.initializer_range, config.nsp_weight) == (0.07, 0.3)
    assert config.hidden_dropout_prob == config.attention_probs_dropout_prob == 0
    assert len(next(batches)["input_ids"]) == settings.batch_size
    assert {group["betas"] for group in optimizer.param_groups} == {(0.9, 0.7)}
    assert {group["initial_lr"] for group in optimizer.param_groups} == {0.01}
    rates = []
    for _ in range(settings.steps):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0, 0.01, 0.005])
    assert options["steps"] == settings.steps
    assert options["progress"] is False


def test_what_it_says_and_where_it_keeps_files(
    cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"tiny-{tiny.key(SMALL)}"
    (cache / f"{name}-left.part").mkdir()  # by a run that was killed
    folders: list[Path] = []
    own = tiny._write

    def write(made: tiny.Checkpoint, folder: Path) -> None:
        folders.append(folder)
        own(made, folder)

    monkeypatch.setattr(tiny, "_write", write)
    loaded = tiny.load(SMALL, progress=False)
    said = f"Training the lesson's small BERT, once, into {cache / name}\n"
    assert capsys.readouterr() == ("", said)
    assert re.fullmatch(rf"{name}-\w+\.part", folders[0].name)
    assert sorted(path.name for path in cache.iterdir()) == [name, f"{name}.lock"]
    (loaded.folder / "history.json").unlink()
    tiny.load(SMALL, progress=False)
    out, err = capsys.readouterr()
    assert out == ""
    damaged = rf"{re.escape(str(cache / name))} is damaged \(.*\); training it again\.\n"
    assert re.match(damaged, err)
    monkeypatch.delenv("BERTLESSON_CACHE")
    assert tiny.cache_folder() == user_cache_path("bertlesson")


def test_a_second_process_says_that_it_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken, released = threading.Event(), threading.Event()

    def hold() -> None:
        with FileLock(tmp_path / "a.lock"):
            taken.set()
            time.sleep(0.2)
            released.set()

    other = threading.Thread(target=hold)
    other.start()
    taken.wait()
    with tiny._only_one(tmp_path / "a.lock"):
        assert released.is_set()
    other.join()
    waiting = "Another process is training the small BERT; waiting for it.\n"
    assert capsys.readouterr() == ("", waiting)


def test_pairs_are_of_whole_sentences_and_fill_their_rows() -> None:
    documents = generate_documents(60, seed=0)
    tokenizer = vocabulary.make_tokenizer(documents, whole_words=20, max_seq_length=8)
    pairs = tiny.sentence_pairs(documents, tokenizer, 64, seed=3)
    pieces = [
        [tokenizer.tokenize(sentence.text) for sentence in document.sentences]
        for document in documents
    ]
    expected = create_pairs(
        pieces,
        tokenizer.get_vocab(),
        max_seq_length=64,
        short_seq_prob=0.0,
        rng=random.Random(3),
    )
    assert pairs.input_ids.tolist() == expected.input_ids.tolist()


@pytest.mark.usefixtures("cache")
def test_earlier_moments_are_those_of_the_run() -> None:
    settings = replace(SMALL, moments=(0, 2), threads=torch.get_num_threads())
    checkpoint = tiny.load(settings, progress=False)
    two = logits(replace(checkpoint, model=checkpoint.at(2)))
    # the same two steps, and none after them: the schedule is that of three
    trained: list[dict[str, torch.Tensor]] = []

    def stop(model: PretrainingModel, *_: object, **options: Any) -> dict[str, list[float]]:
        random_one = half_state(model)
        history = train(model, *_, **options | {"steps": 2, "on_step": None})
        trained.extend([random_one, half_state(model)])
        return history

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "train", stop)
        tiny.pretrain(settings, progress=False)
    for step, weights in zip((0, 2), trained, strict=True):
        assert checkpoint.earlier[step].keys() == weights.keys()
        for name, tensor in weights.items():
            assert torch.equal(checkpoint.earlier[step][name], tensor)
    assert not torch.equal(two, logits(checkpoint))
    assert not checkpoint.at(2).training
    checkpoint.at(2).bert.embeddings.word_embeddings.weight.data.zero_()
    checkpoint.at(2).config.hidden_size = 1
    assert torch.equal(logits(replace(checkpoint, model=checkpoint.at(2))), two)
    with pytest.raises(ValueError, match=re.escape("step is 1; expected one of [0, 2]")):
        checkpoint.at(1)


@pytest.mark.usefixtures("never_trains")
def test_each_call_gives_a_model_of_its_own_with_its_weights_tied() -> None:
    first, second = tiny.load(SMALL), tiny.load(SMALL)
    before = logits(second)
    with torch.no_grad():
        first.model.bert.embeddings.word_embeddings.weight.zero_()
    assert torch.equal(logits(second), before)
    decoder = first.model.cls.predictions.decoder
    assert decoder.weight is first.model.bert.embeddings.word_embeddings.weight


@pytest.mark.usefixtures("cache")
def test_neither_random_states_nor_threads_are_touched() -> None:
    threads = torch.get_num_threads()
    for _ in ("trains", "reads"):
        torch.manual_seed(3)
        random.seed(3)
        expected = torch.rand(1).item()
        torch.manual_seed(3)
        first = random.random()
        random.seed(3)
        tiny.load(replace(SMALL, threads=threads + 1), progress=False)
        assert torch.rand(1).item() == expected
        assert random.random() == first
        assert torch.get_num_threads() == threads


@pytest.mark.slow
@pytest.mark.parametrize("damage", [*tiny.FILES, "truncated"])
def test_damaged_files_are_made_again(
    cache: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    whole = tiny.load(SMALL, progress=False)
    if damage == "truncated":
        weights = whole.folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])
    else:
        (whole.folder / damage).unlink()
    again = tiny.load(SMALL, progress=False)
    assert torch.equal(logits(again), logits(whole))
    assert "is damaged" in capsys.readouterr().err
    assert [path for path in cache.iterdir() if path.is_dir()] == [again.folder]


@pytest.mark.slow
def test_a_killed_run_leaves_nothing_that_is_taken_for_a_checkpoint(cache: Path) -> None:
    running = start_elsewhere(steps=1_000_000)
    assert running.stderr is not None
    assert "Training" in running.stderr.readline()
    while b"pretraining" not in os.read(running.stderr.fileno(), 4096):
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stderr.close()
    assert not [path for path in cache.iterdir() if path.is_dir()]
    longer = replace(SMALL, steps=4)
    assert len(tiny.load(longer, progress=False).history["loss"]) == 4  # its lock went with it


def test_a_write_that_fails_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(tiny, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        tiny.load(SMALL, progress=False)
    assert not [path for path in cache.iterdir() if path.is_dir()]


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
def test_of_two_processes_one_trains_and_the_other_waits() -> None:
    running = [start_elsewhere(steps=150) for _ in range(2)]
    said = "".join(process.communicate(timeout=300)[1] for process in running)
    assert [process.returncode for process in running] == [0, 0]
    assert said.count("Training the lesson's small BERT") == 1


def test_the_key_changes_with_whatever_changes_the_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = {tiny.key(SMALL)}
    for field in fields(tiny.Settings):
        value = getattr(SMALL, field.name)
        other = value[1:] if isinstance(value, tuple) else value + 1
        keys.add(tiny.key(replace(SMALL, **{field.name: other})))
    assert len(keys) == 1 + len(fields(tiny.Settings))
    monkeypatch.setattr(tiny, "version", lambda package: f"another {package}")
    assert tiny.key(SMALL) not in keys


@pytest.mark.parametrize("module", ["tiny", "corpus_text", "nsp", "masking", "heads"])
def test_the_key_changes_with_the_code_of_what_it_imports(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tiny.key(SMALL)
    read = tiny.code_alone
    monkeypatch.setattr(tiny, "code_alone", lambda path: read(path) + (path.stem == module) * "x")
    assert tiny.key(SMALL) != before


def test_each_epoch_has_another_order() -> None:
    documents = generate_documents(40, seed=0)
    tokenizer = vocabulary.make_tokenizer(documents, whole_words=100, max_seq_length=64)
    pairs = tiny.sentence_pairs(documents, tokenizer, 64, seed=0)

    def untouched(features: dict[str, object]) -> dict[str, object]:
        return features

    batches = tiny.shuffled_batches(pairs, untouched, len(pairs), seed=0)  # type: ignore[arg-type]
    first, second = (next(batches)["input_ids"].tolist() for _ in range(2))
    assert first != second
    assert sorted(first) == sorted(second) == sorted(pairs.input_ids.tolist())
