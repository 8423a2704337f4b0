"""The pinned packages with their hashes."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT
from tools.release.lock import BESIDE, name, pins, split, with_hashes

COMPILED = """\
triton==3.7.1 ; sys_platform == 'linux' \\
    --hash=sha256:aa
torch==2.13.0 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
nvidia-cublas==13.1.1.3 ; sys_platform == 'linux' \\
    --hash=sha256:dd
tritonclient==1.0 \\
    --hash=sha256:ee
"""


def test_what_only_torch_with_cuda_needs_is_apart() -> None:
    plain, cuda = split(COMPILED)
    assert [entry.split()[0] for entry in plain] == ["torch==2.13.0", "tritonclient==1.0"]
    assert [entry.split()[0] for entry in cuda] == ["triton==3.7.1", "nvidia-cublas==13.1.1.3"]
    assert plain[1] == "tritonclient==1.0 \\\n    --hash=sha256:ee\n"


def test_the_build_for_the_cpu_is_among_the_hashes_of_torch() -> None:
    torch, other = with_hashes(split(COMPILED)[0])
    (digest,) = BESIDE["torch==2.13.0"]
    assert torch.endswith(f"    --hash=sha256:cc \\\n    --hash=sha256:{digest}\n")
    assert other.count("--hash") == 1


def test_names_are_compared_in_one_spelling() -> None:
    assert name("ast_serialize==0.13.1") == name("AST.Serialize==1") == "ast-serialize"
    assert pins("# a==1\nb_c==2.0\n  d==3\ne==4 ; python_version < '4'\n") == ["b_c==2.0", "e==4"]


def test_the_lock_has_all_that_is_pinned_with_hashes() -> None:
    locked = (ROOT / "requirements.txt").read_text("utf-8")
    pinned = pins((ROOT / "requirements.in").read_text("utf-8"))
    versions = {name(pin): pin.partition("==")[2] for pin in pins(locked)}
    wrong = [pin for pin in pinned if versions.get(name(pin)) != pin.partition("==")[2]]
    assert not wrong, "requirements.txt: expected these of requirements.in; run make lock"
    for torch in BESIDE:
        assert f"\n{torch} " in locked, "tools/release/lock.py: BESIDE has the hashes of another"


@pytest.mark.parametrize("file", [f"requirements{which}.txt" for which in ("", "-cpu", "-cuda")])
def test_each_line_is_a_package_with_a_hash(file: str) -> None:
    entries = (ROOT / file).read_text("utf-8").split("\n", 1)[1]
    entry = r"[\w.-]+==[^\s;]+( ; [^\n\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n"
    assert re.fullmatch(f"({entry})+", entries)
