"""The index of the pages as Markdown, `llms.txt`."""

from __future__ import annotations

from tools.weave.readers import index

SOURCES = {
    "index.md": "---\ndescription: The start\n---\n# Start\n",
    "a/page.md": "# A page\n",
    "a/odd.md": "---\n: [\n---\n# Odd\n",
}
TEXTS = {"index.md": "# Start\n", "a/page.md": "# A page\n", "a/odd.md": "# Odd\n",
         "examples/one.md": "# One\n", "claims.json": "{}"}  # fmt: skip
SETTINGS = {
    "site_name": "Name",
    "site_description": "What it is.\n",
    "nav": [
        "index.md",
        {"Part": ["a/page.md", {"Deeper": [{"An odd one": "a/odd.md"}]}, "a/missing.md"]},
        {"Examples": [{"One": "examples/one.ipynb"}]},
    ],
}


def test_the_index_follows_the_navigation() -> None:
    head, *sections = index(TEXTS, SOURCES, SETTINGS).split("\n\n## ")
    assert head == "# Name\n\n> What it is."
    claims = "Every claim as data: its sentence, both sides as measured, and where it is stated"
    assert [section.split("\n\n") for section in sections] == [
        ["Name", f"- [Start](index.md): The start\n- [Claims](claims.json): {claims}"],
        ["Part", "- [A page](a/page.md)\n- [An odd one](a/odd.md)"],
        ["Optional", "- [One](examples/one.md): examples/one.py as a notebook, executed\n"],
    ]


def test_links_are_whole_addresses_where_the_site_has_one() -> None:
    address = "https://example.org/x/"
    text = index(TEXTS, SOURCES, SETTINGS | {"site_url": address})
    assert f"[A page]({address}a/page.md)" in text


def test_without_a_navigation_all_pages_are_listed() -> None:
    text = index(TEXTS, SOURCES, {"site_name": "Name", "nav": None})
    for page in ("index.md", "a/page.md", "a/odd.md", "examples/one.md"):
        assert f"]({page})" in text
    assert text.count("claims.json") == 1
