"""Links that begin at the root of the site."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.site.checks import check


@pytest.mark.parametrize(
    ("address", "target", "said"),
    [
        ("", "/a.html", ""),
        ("https://example.org/", "/a.html", ""),
        ("https://example.org/x/", "/x/a.html", ""),
        ("https://example.org/x", "/x/a.html#b", ""),
        ("https://example.org/x/", "/x/c.html", "leads nowhere"),
        ("https://example.org/x/", "/x/a.html#c", 'leads to a page without the anchor "c"'),
        ("https://example.org/x/", "/a.html", "leads out of the site, which is at /x/"),
        ("https://example.org/x/", "/xy/a.html", "leads out of the site, which is at /x/"),
        ("https://example.org/x/", "a.html", ""),
    ],
)
def test_they_are_those_of_the_published_site(
    tmp_path: Path, address: str, target: str, said: str
) -> None:
    (tmp_path / "a.html").write_text('<p id="b">words</p>')
    (tmp_path / "404.html").write_text(f'<a href="{target}">there</a>')
    found = [problem.message for _, problem in check(tmp_path, tmp_path, tmp_path, address)]
    assert found == ([f'"{target}" {said}'] if said else [])
