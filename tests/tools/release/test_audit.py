"""Licences of what is pinned, and the answers of those who know vulnerabilities."""

from __future__ import annotations

import json
from email.message import Message
from importlib import metadata
from typing import Any

import pytest

from tests.conftest import ROOT
from tools.release import audit
from tools.release.audit import (
    READ,
    last_line,
    licence,
    main,
    not_allowed,
    of_javascript,
    of_npm,
    of_pip_audit,
    of_python,
)


@pytest.mark.slow  # not by tools.release.versions, whose environment is not the pinned one
def test_all_that_is_pinned_has_a_licence_that_the_project_takes() -> None:
    assert [*of_python((ROOT / "requirements.txt").read_text("utf-8"))] == []
    assert [*of_javascript(json.loads((ROOT / "package-lock.json").read_text("utf-8")))] == []


def test_what_was_read_by_hand_is_what_the_metadata_leave_out() -> None:
    assert {name for name in READ if licence(metadata.metadata(name))} == set()


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("(MIT AND BSD)", True),
        ("GPL-3.0-only OR (MIT AND ISC)", True),
        ("Apache-2.0 AND Apache-2.0 WITH LLVM-exception", True),
        ("ISC License (ISCL)", True),
        ("MIT AND GPL-2.0-only", False),
        ("AGPL-3.0", False),
        ("LGPL-3.0", False),
        ("SEE LICENSE IN LICENSE.md", False),
        ("", False),
    ],
)
def test_a_licence_is_allowed_if_each_of_its_parts_is(expression: str, allowed: bool) -> None:
    assert (not_allowed(expression) is None) == allowed


def described(**fields: str) -> metadata.PackageMetadata:
    message = Message()
    for name, value in fields.items():
        for each in value.split("; "):
            message[name.replace("_", "-")] = each
    return metadata._adapters.Message(message)  # type: ignore[attr-defined, no-any-return]


def test_the_expression_counts_then_the_classifiers_then_the_text() -> None:
    classifiers = "Topic :: Text; License :: DFSG approved; License :: OSI Approved :: MIT License"
    free = {"License": "free", "Classifier": classifiers}
    assert licence(described(**free, License_Expression="ISC")) == "ISC"
    assert licence(described(**free)) == "MIT License"
    assert licence(described(License="free")) == "free"
    assert licence(described(Name="none")) == ""


def test_a_package_that_is_not_there_is_named_unless_it_is_for_another_platform() -> None:
    text = (
        "no-such-package==1.0 \\\n    --hash=sha256:00\n"
        "of-another==1.0 ; sys_platform == 'plan9' \\\n    --hash=sha256:00\n"
    )
    assert [*of_python(text)] == ["no-such-package: pinned, but not installed; run: make install"]


def test_a_licence_of_javascript_is_read_in_the_lock() -> None:
    packages: dict[str, Any] = {
        "": {"name": "ours"},
        "node_modules/one": {"license": "MIT"},
        "node_modules/a/node_modules/@b/two": {"license": "GPL-3.0"},
        "node_modules/three": {},
    }
    two, three = of_javascript({"packages": packages})
    assert two.startswith("@b/two: its licence is 'GPL-3.0', which is none of 0BSD,")
    assert three.startswith("three: names no licence")


def test_the_answers_become_lines() -> None:
    known = {"id": "PYSEC-1", "fix_versions": ["1.1"], "aliases": []}
    answer = {
        "dependencies": [
            {"name": "a", "version": "1.0", "vulns": [known, known | {"fix_versions": []}]},
            {"name": "b", "version": "1.0", "vulns": []},
            {"name": "c", "skip_reason": "Dependency not found on PyPI"},
        ]
    }
    found, unanswered = of_pip_audit(answer)
    assert found == ["a 1.0: PYSEC-1, fixed in 1.1", "a 1.0: PYSEC-1, fixed in no version"]
    assert unanswered == ["PyPI did not answer for 1 package: c; try again later"]
    via = [{"url": "https://example.org/1"}, "d"]
    range_ = {"range": "<2", "severity": "high", "via": via}
    assert of_npm({"vulnerabilities": {"e": range_}}) == ["e <2: high, https://example.org/1, by d"]
    assert last_line("one\n\nnpm error two\nA complete log is in x\n") == "npm error two"
    assert last_line("\n") == "it said nothing"


@pytest.mark.parametrize(
    ("answers", "code"),
    [(([], []), 0), ((["a 1.0: X"], []), 1), (([], ["no answer"]), 2), ((["a"], ["no"]), 1)],
)
def test_no_answer_is_not_taken_for_a_good_one(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answers: tuple[list[str], list[str]],
    code: int,
) -> None:
    monkeypatch.setattr(audit, "ask_pip_audit", lambda: answers)
    monkeypatch.setattr(audit, "ask_npm", lambda: ([], []))
    assert main(["vulnerabilities"]) == code
    said = capsys.readouterr()
    assert said.err.splitlines() == [*answers[0], *answers[1]]
    assert ("not all packages were looked up" in said.out) == bool(answers[1])
