"""Rows and pairs in files: right, whole, and the same whoever builds them."""

from __future__ import annotations

import copy
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import BertTokenizer, PreTrainedTokenizerFast

import bertlesson
from bertlesson.building import build_pairs, build_rows
from bertlesson.encoding import Encoder
from bertlesson.rows import encode_rows
from bertlesson.shards import Shard, cut_shards
from bertlesson.stored import StoredRows, write_pairs, write_rows
from bertlesson.texts import Documents, Texts, read_texts
from bertlesson.wordpiece import train_wordpiece
from tests.bertlesson.small_tokenizer import make_foreign_tokenizer

TEXT = "the cat sat on mats and saw unwanted gifts rain all day while we left at nine"
WORDS = TEXT.split()


def document(rng: random.Random, sentences: int = 6) -> str:
    said = (" ".join(rng.choices(WORDS, k=rng.randint(3, 12))) for _ in range(sentences))
    return "".join(f"{each.capitalize()}.{rng.choice([' ', '  ', chr(10)])}" for each in said)


def write(folder: Path, files: int = 3, documents: int = 40) -> Texts:
    rng = random.Random(0)
    for number in range(files):
        text = "\n\n".join(document(rng, rng.randint(1, 9)).strip() for _ in range(documents))
        (folder / f"{number}.txt").write_text(text + "\n")
    return read_texts(folder, ends="blank line")


@pytest.fixture(name="texts")
def _texts(tmp_path: Path) -> Texts:
    (tmp_path / "text").mkdir()
    return write(tmp_path / "text")


@pytest.fixture(name="tokenizer", scope="module")
def _tokenizer() -> BertTokenizer:
    rng = random.Random(0)
    return train_wordpiece([document(rng) for _ in range(50)], 90)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("ends", ["file", "blank line", "line"])
@pytest.mark.parametrize("size", [1, 500, 3_000, 10**9])
def test_shards_hold_each_document_once(texts: Texts, ends: Documents, size: int) -> None:
    texts = read_texts(texts.files, ends=ends)
    found, text = [], ""
    for shard in cut_shards(texts, size):
        for part, last in shard.parts():
            text += part
            if last:
                found.append(text)
                text = ""
    assert found == list(texts)
    assert not text


def test_shards_are_about_as_large_as_wanted(texts: Texts) -> None:
    shards = cut_shards(texts, 2_000)
    assert [shard.number for shard in shards] == list(range(len(shards)))
    assert len(shards) > 5
    assert all(1_000 < shard.size < 4_000 for shard in shards)
    one = cut_shards(read_texts(texts.files[0], ends="blank line"), 2_000)
    assert len(one) == round(texts.files[0].stat().st_size / 2_000) > 1
    with pytest.raises(ValueError, match="size is 0; expected a number of bytes, 1 or more"):
        cut_shards(texts, 0)


def test_documents_that_are_held_out_are_no_reason_to_read_whole_files(texts: Texts) -> None:
    message = "^some documents of the texts are held out; expected whole files: hold out files$"
    for some in texts.hold_out():
        with pytest.raises(ValueError, match=message):
            cut_shards(some)


def test_one_shard_gives_the_rows_of_encode_rows(texts: Texts, tokenizer: BertTokenizer) -> None:
    dropped = texts.files[0]  # a document that the tokenizer drops, among others
    dropped.write_text(f"\u200b\n\n{dropped.read_text()}\n\n\u200b\n\n\u200b\n")
    texts = read_texts(texts.files, ends="blank line")
    (shard,) = cut_shards(texts)
    for length in (4, 17, 64):
        ours = [
            {"input_ids": row["input_ids"].tolist()}
            for row in build_rows([shard], Encoder.of(tokenizer), length)
        ]
        assert ours == list(encode_rows(texts, tokenizer, length))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_processes_writes_the_same(
    texts: Texts, tokenizer: BertTokenizer, tmp_path: Path, workers: int
) -> None:
    shards = cut_shards(texts, 2_500)
    for function in (write_rows, write_pairs):
        alone = function(shards, tokenizer, tmp_path / "0", length=32)
        made = function(shards, tokenizer, tmp_path / f"{workers}", length=32, workers=workers)
        assert contents(alone.folder) == contents(made.folder)
        for folder in (alone.folder, made.folder):
            for path in folder.iterdir():
                path.unlink()


def test_stored_rows_are_those_that_are_built(
    texts: Texts, tokenizer: BertTokenizer, tmp_path: Path
) -> None:
    shards, encoder = cut_shards(texts, 2_500), Encoder.of(tokenizer)
    kinds: list[tuple[Any, Any]] = [(write_rows, build_rows), (write_pairs, build_pairs)]
    for function, build in kinds:
        stored = function(shards, tokenizer, tmp_path / build.__name__, length=32)
        stored = pickle.loads(pickle.dumps(stored))
        built = list(build(shards, encoder, 32))
        assert len(stored) == len(built)
        for number, row in enumerate(built):
            assert stored[number].keys() == row.keys()
            for key in row:
                np.testing.assert_array_equal(stored[number][key], row[key])
                assert np.asarray(stored[number][key]).dtype == np.int64
        np.testing.assert_array_equal(stored[-1]["input_ids"], built[-1]["input_ids"])
        for part in (slice(2), slice(-3, None), slice(None, None, -2), slice(5, 5)):
            np.testing.assert_equal(stored[part], built[part])
        with pytest.raises(IndexError):
            stored[len(stored)]
        assert not any(array.flags.writeable for array in stored._opened.values())


def test_one_other_process_writes_the_same_and_tells_what_is_wrong(
    texts: Texts, tokenizer: BertTokenizer, tmp_path: Path
) -> None:
    shards = cut_shards(texts)
    alone = write_rows(shards, tokenizer, tmp_path / "0", length=32)
    made = write_rows(shards, tokenizer, tmp_path / "1", length=32, workers=1)
    assert contents(alone.folder) == contents(made.folder)
    with texts.files[0].open("ab") as more:
        more.write(b"caf\xe9\n")
    with pytest.raises(ValueError, match=r"0\.txt, line \d+: the byte 0xe9 is not UTF-8"):
        write_rows(cut_shards(texts), tokenizer, tmp_path / "2", length=32, workers=1)


def test_a_process_that_ends_is_told(
    texts: Texts, tokenizer: BertTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "false")
    message = "^a process ended with status 1 before its work was done; expected 0: is memory short"
    with pytest.raises(RuntimeError, match=message):
        write_rows(cut_shards(texts), tokenizer, tmp_path / "out", length=32, workers=1)
    assert list((tmp_path / "out").iterdir()) == []


def test_other_processes_find_the_package_and_have_a_core_each(
    texts: Texts, tokenizer: BertTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, str]] = []

    def start(*_: object, env: dict[str, str], **__: object) -> Any:
        started.append(env)
        raise OSError("not started")

    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(OSError, match="not started"):
        write_rows(cut_shards(texts), tokenizer, tmp_path / "out", length=32, workers=1)
    (environment,) = started
    package = str(Path(bertlesson.__file__).parent.parent)
    assert environment["PYTHONPATH"].split(os.pathsep) == [package, "elsewhere"]
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["OMP_NUM_THREADS"] == environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["TOKENIZERS_PARALLELISM"] == "false"


def test_the_bar_counts_bytes(
    texts: Texts, tokenizer: BertTokenizer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shards = cut_shards(texts, 2_500)
    write_rows(shards, tokenizer, tmp_path / "0", length=32)
    assert capsys.readouterr().err == ""
    write_rows(shards, tokenizer, tmp_path / "1", length=32, progress=True)
    assert "\rrows: 100%" in capsys.readouterr().err


def test_no_text_makes_no_rows(tokenizer: BertTokenizer, tmp_path: Path) -> None:
    message = r"^there are no rows; expected text: are all documents empty\?$"
    with pytest.raises(ValueError, match=message):
        write_rows([], tokenizer, tmp_path / "out", length=16)


def test_texts_and_rows_are_found_from_another_directory(
    tokenizer: BertTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    shards = cut_shards(read_texts("0.txt", ends="blank line"))
    rows = write_rows(shards, tokenizer, "built", length=32)
    packed = pickle.dumps(StoredRows("built"))
    monkeypatch.chdir("/")
    assert len(write_rows(shards, tokenizer, tmp_path / "again", length=32)) == len(rows)
    assert rows[0]["input_ids"].tolist() == pickle.loads(packed)[0]["input_ids"].tolist()


def test_another_seed_makes_other_pairs_and_each_shard_its_own(
    texts: Texts, tokenizer: BertTokenizer
) -> None:
    (shard,) = cut_shards(texts)
    encoder = Encoder.of(tokenizer)
    again = Shard(1, shard.ranges, shard.ends)
    made = [
        [row["input_ids"].tolist() for row in build_pairs([one], encoder, 32, seed=seed)]
        for one, seed in [(shard, 0), (shard, 0), (shard, 1), (again, 0)]
    ]
    assert made[0] == made[1]
    assert made[2] != made[0] != made[3]
    labels = [row["next_sentence_label"] for row in build_pairs([shard], encoder, 32)]
    assert 0.3 < np.mean(labels) < 0.7


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  The cat\t sat\r\non  mats ",
        "a\x0bb\x0cc\x85d\x1ce\u2028f\u00a0g\u200bh\ufeffi\x00j",
        "[MASK] [SEP]the[CLS] [UNK]",
        "the 猫 sat。 İstanbul ΣΑΣ́ e\u0301 \u0301a don't U.S.-led",
        "x" * 101 + " " + "y" * 100,
    ],
)
def test_looked_up_ids_are_the_tokenizers(text: str, tokenizer: BertTokenizer) -> None:
    ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    encoder = Encoder.of(tokenizer)
    assert np.frombuffer(encoder(text), np.int32).tolist() == ids
    assert encoder._at_spaces


def test_what_is_remembered_is_limited(
    tokenizer: BertTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertlesson.encoding.KNOWN", 5)
    encoder = Encoder.of(tokenizer)
    for text in ("the cat sat on mats", "and saw the rain", "all day while we left at nine the"):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert np.frombuffer(encoder(text), np.int32).tolist() == ids
        assert len(encoder._known) <= 8


def test_each_word_is_remembered_but_not_sent_to_another_process(tokenizer: BertTokenizer) -> None:
    encoder = Encoder.of(tokenizer)
    expected = encoder("the cat sat")
    size = len(pickle.dumps(encoder))
    encoder("\n".join(f"the\tcat{number} sat" for number in range(500)))
    assert len(encoder._known) == len({"the", "sat", "cat"}) + 500
    assert len(pickle.dumps(encoder)) == size
    assert pickle.loads(pickle.dumps(encoder))("the cat sat") == expected


def test_a_pad_token_that_ends_the_rows_stays_where_it_does(
    texts: Texts, tokenizer: BertTokenizer, tmp_path: Path
) -> None:
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.pad_token = tokenizer.sep_token
    (shard,) = cut_shards(texts)
    stored = write_rows([shard], tokenizer, tmp_path / "rows", length=17)
    expected = [row["input_ids"] for row in encode_rows(texts, tokenizer, 17)]
    assert [row["input_ids"].tolist() for row in stored] == expected
    assert {len(row) for row in expected} > {17}, "some are padded"


@pytest.mark.parametrize("length", [1, 2, 4])
def test_the_end_of_a_text_is_seen_where_no_token_marks_it(
    texts: Texts, tokenizer: BertTokenizer, tmp_path: Path, length: int
) -> None:
    backend = copy.deepcopy(tokenizer.backend_tokenizer)
    assert backend is not None
    backend.post_processor = None
    bare = PreTrainedTokenizerFast(tokenizer_object=backend, mask_token="[MASK]")
    for pad_token in (None, "cat"):  # whose id is 0, or that of a word
        bare.pad_token = pad_token
        expected = [row["input_ids"] for row in encode_rows(texts, bare, length)]
        (shard,) = cut_shards(texts)
        stored = write_rows([shard], bare, tmp_path / f"{pad_token}", length=length)
        assert [row["input_ids"].tolist() for row in stored] == expected
        assert stored[len(stored) - 1]["input_ids"].tolist() == expected[-1]


def test_padding_that_no_piece_has_still_fits_the_type() -> None:
    def dtype(vocabulary: int, pad: int) -> Any:
        return Encoder("{}", (), (), pad, vocabulary).dtype

    assert dtype(2**16, 0) == dtype(2**16 - 1, 2**16 - 1) == np.uint16
    assert dtype(2**16 + 1, 0) == dtype(2**16, 2**16) == np.int32


def test_padding_is_the_tokenizers_own(tmp_path: Path, texts: Texts) -> None:
    pieces = ["[UNK]", "[CLS]", "[SEP]", "[MASK]", "[PAD]", *WORDS, "##s"]
    tokenizer = BertTokenizer(vocab={piece: number for number, piece in enumerate(pieces)})
    assert Encoder.of(tokenizer).pad == 4
    stored = write_pairs(cut_shards(texts), tokenizer, tmp_path / "pairs", length=32)
    for number in range(20):
        row = stored[number]
        assert (row["input_ids"][row["attention_mask"] == 0] == 4).all()


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_broken_text_is_named_and_leaves_nothing(
    tokenizer: BertTokenizer, tmp_path: Path, workers: int
) -> None:
    file, folder = tmp_path / "bad.txt", tmp_path / "out"
    file.write_text("The cat sat.\n\n" * 300)
    long = tmp_path / "long.txt"
    long.write_text("The cat sat.\n\n" * 500_000)  # the second half in a process that is killed
    texts = read_texts([file, long], ends="blank line")
    with file.open("ab") as more:
        more.write(b"caf\xe9\n")
    with pytest.raises(ValueError, match=r"bad\.txt, line 601: the byte 0xe9 is not UTF-8"):
        write_rows(cut_shards(texts, 4_000_000), tokenizer, folder, length=16, workers=workers)
    assert list(folder.iterdir()) == []
    with pytest.raises(FileNotFoundError, match="expected a folder that write_rows"):
        StoredRows(folder)


@pytest.mark.slow
def test_a_long_line_is_many_rows_and_pairs(tokenizer: BertTokenizer, tmp_path: Path) -> None:
    line = " ".join(["the cat sat on mats and saw rain"] * 30_000)  # 1 MB without a full stop
    (tmp_path / "long.txt").write_text(f"{line}\n\nWe left. At nine.\n\nRain. All day.\n")
    texts = read_texts(tmp_path / "long.txt", ends="blank line")
    encoder = Encoder.of(tokenizer)
    tokens = sum(len(row["input_ids"]) - 2 for row in build_rows(cut_shards(texts), encoder, 128))
    assert tokens > 240_000
    pairs = list(build_pairs(cut_shards(texts), encoder, 128))
    assert len(pairs) > 1_000


def test_too_few_documents_for_pairs_are_refused(tokenizer: BertTokenizer, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("The cat sat. Rain all day.")
    shards = cut_shards(read_texts(tmp_path / "one.txt"))
    with pytest.raises(ValueError, match=r"one\.txt: shard 0 has fewer than two documents"):
        write_pairs(shards, tokenizer, tmp_path / "out", length=16)


def test_blocks_of_documents_leave_no_sentence_out(
    tokenizer: BertTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partners are drawn within a block; the last one is alone, and joins the block before it."""
    monkeypatch.setattr("bertlesson.building.BLOCK", 60)
    (tmp_path / "some.txt").write_text(
        "\n".join(f"{word.capitalize()} {word}. {word.capitalize()}." for word in WORDS[:9])
    )
    (shard,) = cut_shards(read_texts(tmp_path / "some.txt", ends="line"))
    rows = list(build_pairs([shard], Encoder.of(tokenizer), 32))
    texts = [tokenizer.decode(row["input_ids"], skip_special_tokens=True) for row in rows]
    seen = {word for text in texts for word in text.replace(".", "").split()}
    assert seen == {*WORDS[:9]}
    first, last = WORDS[0], WORDS[8]
    assert not any(first in text.split() and last in text.split() for text in texts)


@pytest.mark.parametrize("kind", ["byte-level", "trimmed", "xlnet"])
def test_pairs_are_of_berts_pieces(texts: Texts, kind: str) -> None:
    encoder = Encoder.of(make_foreign_tokenizer(kind))
    message = (
        rf"^the tokenizer puts {len(encoder.opening)} and {len(encoder.closing)} tokens around a "
        r"text; expected one of BERT's kind, with \[CLS\], \[SEP\] and pieces that begin with ##$"
    )
    with pytest.raises(ValueError, match=message):
        next(build_pairs(cut_shards(texts), encoder, 32))
    assert next(build_rows(cut_shards(texts), encoder, 32))


def test_what_is_there_is_not_overwritten(
    texts: Texts, tokenizer: BertTokenizer, tmp_path: Path
) -> None:
    shards = cut_shards(texts)
    rows = write_rows(shards, tokenizer, tmp_path / "out", length=16)
    with pytest.raises(FileExistsError, match="holds rows already"):
        write_rows(shards, tokenizer, tmp_path / "out", length=16)
    most = tokenizer.model_max_length
    message = f"^length is 999; expected at most {most}, its model's longest row$"
    with pytest.raises(ValueError, match=message):
        write_rows(shards, tokenizer, tmp_path / "new", length=999)
    endless = copy.deepcopy(tokenizer)
    endless.model_max_length = 10**30
    message = "^length is 70000; expected at most 65535, which files have room for$"
    with pytest.raises(ValueError, match=message):
        write_rows(shards, endless, tmp_path / "new", length=70_000)
    with pytest.raises(ValueError, match=r"^short_seq_prob is 1\.5; expected a share"):
        write_pairs(shards, tokenizer, tmp_path / "new", length=16, short_seq_prob=1.5)
    with pytest.raises(ValueError, match=r"^workers is -1; expected a whole number, 0 or more$"):
        write_rows(shards, tokenizer, tmp_path / "new", length=16, workers=-1)
    assert not (tmp_path / "new").exists()
    for length in (1, 2):
        message = f"length is {length}; expected more than the 2 special tokens of a row$"
        with pytest.raises(ValueError, match=message):
            write_rows(shards, tokenizer, tmp_path / "new", length=length)
    with (tmp_path / "out" / "00000.bin").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ValueError, match="build the folder once more"):
        StoredRows(rows.folder)


@pytest.mark.slow
def test_a_process_needs_neither_torch_nor_transformers() -> None:
    code = (
        "import bertlesson.stored, sys; sys.exit(bool({'torch', 'transformers'} & {*sys.modules}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
