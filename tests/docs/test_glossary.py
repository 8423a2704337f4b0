"""The glossary's terms are linked where they are used."""

from __future__ import annotations

import re

from tests.conftest import ROOT

DOCS = ROOT / "docs"
GLOSSARY = DOCS / "reference" / "glossary.md"


def test_each_term_is_linked_from_where_it_is_used() -> None:
    terms = set(re.findall(r"\{ #([\w-]+) \}$", GLOSSARY.read_text("utf-8"), re.M))
    assert len(terms) > 40
    linked: set[str] = set()
    for page in DOCS.rglob("*.md"):
        linked |= set(re.findall(r"glossary\.md#([\w-]+)", page.read_text("utf-8")))
    assert terms - linked == set()
