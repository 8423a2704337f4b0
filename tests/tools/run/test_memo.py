"""Results of pure functions that outlive a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.run import memo
from tools.run.memo import memoized


@pytest.fixture(autouse=True)
def functions(monkeypatch: pytest.MonkeyPatch) -> list[memo.Memoized[..., object]]:
    """The functions of a test alone."""
    monkeypatch.setattr(memo, "_functions", [])
    return memo._functions


calls: list[object] = []


def double(text: str, times: int = 2) -> str:
    """The text, again and again."""
    calls.append((text, times))
    if not text:
        raise ValueError("text is empty")
    return text * times


@pytest.fixture
def doubled() -> memo.Memoized[..., str]:
    calls.clear()
    return memoized()(double)


def again(folder: Path) -> memo.Memoized[..., str]:
    """The same function in the next process."""
    memo._functions.clear()
    made = memoized()(double)
    memo.read(folder)
    return made


def test_equal_arguments_are_computed_once(doubled: memo.Memoized[..., str]) -> None:
    assert [doubled("a"), doubled("a"), doubled("a", 3), doubled("a")] == ["aa", "aa", "aaa", "aa"]
    assert calls == [("a", 2), ("a", 3)]
    assert doubled.__doc__ == "The text, again and again."


def test_errors_are_not_kept(doubled: memo.Memoized[..., str]) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="text is empty"):
            doubled("")
    assert len(calls) == 2


def test_the_next_process_computes_only_what_is_new(
    doubled: memo.Memoized[..., str], tmp_path: Path
) -> None:
    doubled("a"), doubled("\ud800")
    memo.write(tmp_path / "memo")
    calls.clear()
    next_one = again(tmp_path / "memo")
    assert [next_one(each) for each in ("a", "\ud800", "b")] == ["aa", "\ud800\ud800", "bb"]
    assert calls == [("b", 2)]


def test_what_a_process_did_not_use_is_dropped(
    doubled: memo.Memoized[..., str], tmp_path: Path
) -> None:
    doubled("a"), doubled("b")
    memo.write(tmp_path)
    again(tmp_path)("a")
    memo.write(tmp_path)
    assert [*again(tmp_path).kept.values()] == ["aa"]


def test_a_function_that_was_not_called_keeps_its_results(
    doubled: memo.Memoized[..., str], tmp_path: Path
) -> None:
    doubled("a")
    memo.write(tmp_path)
    again(tmp_path)
    memo.write(tmp_path)
    assert [*again(tmp_path).kept.values()] == ["aa"]


def test_a_set_has_another_order_in_the_next_process(doubled: memo.Memoized[..., str]) -> None:
    with pytest.raises(TypeError, match="double got a set; expected a tuple, in its order"):
        doubled({"a", "b"})


@pytest.mark.parametrize("harm", [b"", b"x", None])
def test_a_damaged_file_is_made_again(
    doubled: memo.Memoized[..., str], tmp_path: Path, harm: bytes | None
) -> None:
    doubled("a")
    memo.write(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-3] if harm is None else harm)
    assert again(tmp_path)("a") == "aa"
    memo.write(tmp_path)
    assert [*again(tmp_path).kept.values()] == ["aa"]


def test_other_code_or_versions_make_all_again(
    doubled: memo.Memoized[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubled("a")
    memo.write(tmp_path)
    monkeypatch.setattr(memo, "_made_with", lambda: b"other")
    assert not again(tmp_path).kept


def test_what_decides_is_the_code_of_all_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memo, "TOOLS", tmp_path)
    (tmp_path / "weave").mkdir()
    digests = set()
    for text in ("x = 1", "x = 2"):
        (tmp_path / "weave" / "code.py").write_text(text)
        digests.add(memo._made_with.__wrapped__())
    assert len(digests) == 2


def test_only_the_last_used_stay(
    doubled: memo.Memoized[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memo, "LIMIT", 3)
    for text in "abcad":
        doubled(text)
    assert sorted(doubled.kept.values()) == ["aa", "cc", "dd"]


def test_a_file_that_has_changed_meanwhile(tmp_path: Path) -> None:
    """What was computed from other content than the digest says is not kept under it."""
    file = tmp_path / "file"

    @memoized(still=lambda digest: file.read_text() == digest)
    def content(digest: str) -> str:
        return file.read_text()

    file.write_text("new")
    assert content("old") == "new"
    file.write_text("old")
    assert content("old") == "old"
    file.write_text("new")
    assert content("old") == "old", "kept, and not read again"


@pytest.mark.slow
def test_a_process_without_examples_to_run_reads_the_keys_of_another(tmp_path: Path) -> None:
    """As from build to build: the second process computes no key."""
    code = (
        "import sys; from pathlib import Path; from tools.run import examples, memo;"
        "memo.read(Path(sys.argv[1])); found, _ = examples.load_examples();"
        "keys = [example.key for example in found.values()];"
        "print(examples._key.new, keys); memo.write(Path(sys.argv[1]))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=memo.ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split(maxsplit=1)
        for _ in range(2)
    ]
    assert said == [["True", said[0][1]], ["False", said[0][1]]]
